"""A REDCap-API-compatible server on this machine, with pages to enter data on, to try out and to test against."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__)
projects = typer.Typer(no_args_is_help=True, help="Projects: what an administrator can do to them.")
users = typer.Typer(no_args_is_help=True, help="Users of a project.")
randomizations = typer.Typer(no_args_is_help=True, help="Randomization models and allocation tables.")
app.add_typer(projects, name="project")
app.add_typer(users, name="user")
app.add_typer(randomizations, name="randomization")


def _version(value: str) -> str:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,3}){1,2}", value):
        msg = "a version looks like 15.0.12"
        raise typer.BadParameter(msg)
    return value


def _https(value: str) -> str:
    if value and not re.fullmatch(r"https://[^/?#@\s]+/?", value):
        msg = "write the address people type, such as https://redcap.example.org"
        raise typer.BadParameter(msg)
    return value.rstrip("/")


Db = Annotated[Path, typer.Option("--db", help="The database file.")]
Project = Annotated[int, typer.Option("--project", help="The project's id.")]
User = Annotated[str, typer.Option("--user", help="The user's name.")]


@contextmanager
def told_plainly() -> Iterator[None]:
    """What an administrator can set right is said in one line, with exit code 2."""
    from redcap_local.allocation_table import TableError
    from redcap_local.messages import AdministrationError

    try:
        yield
    except (AdministrationError, TableError, OSError) as error:
        typer.echo(f"redcap-local: {error}", err=True)
        raise typer.Exit(2) from None


@app.command()
def serve(
    db: Db,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    version: Annotated[str, typer.Option(callback=_version, help="The REDCap version to behave like.")] = "15.0.12",
    behind_https: Annotated[
        str, typer.Option(callback=_https, help="The https address in front of it: then its pages ask for passwords.")
    ] = "",
) -> None:
    """Answer API requests and show pages until interrupted; the database is made when there is none."""
    import gc
    import signal
    from threading import Event

    from redcap_local.pages.guarding import is_loopback
    from redcap_local.server import running

    if not is_loopback(host):
        typer.echo(
            f"redcap-local: everyone who reaches {host} can talk to this server, unencrypted; put no patients in it",
            err=True,
        )
        if not behind_https:
            typer.echo("redcap-local: its pages stay closed; put https in front and add --behind-https URL", err=True)
    # a large import makes millions of values that live to its end; looking for circles in it as often costs a tenth
    gc.set_threshold(100_000, 50, 100)
    stop = Event()
    for interruption in (signal.SIGTERM, signal.SIGINT):
        signal.signal(interruption, lambda *_: stop.set())
    with told_plainly(), running(db, host=host, port=port, version=version, behind_https=behind_https) as server:
        typer.echo(f"listening on {server.url}")
        address = server.start()
        if address:
            typer.echo(f"pages at {address}" + ("" if behind_https else " (for one browser, once)"))
        stop.wait()


@app.command()
def token(db: Db, project: Project, user: User) -> None:
    """Print the API token of a project's user, making it when there is none yet."""
    from redcap_local.administration import give_token

    with told_plainly():
        typer.echo(give_token(db, project, user))


@app.command()
def backup(db: Db, to: Annotated[Path, typer.Option(help="The new file.")]) -> None:
    """Copy the database, also while the server runs."""
    from redcap_local.backup import back_up

    with told_plainly():
        back_up(db, to)


@app.command()
def faults(
    db: Db,
    kind: Annotated[str, typer.Argument(help="html, bad-gateway, unavailable, rate-limit, banned, empty, memory, slow, "
                                             "cut; or off.")],
    times: Annotated[int, typer.Option(min=1, help="How many requests fail.")] = 1,
    content: Annotated[str, typer.Option(help="Only requests for this content fail.")] = "",
    seconds: Annotated[float, typer.Option(min=0, help="How slow a slow answer is.")] = 5.0,
    carried_out: Annotated[bool, typer.Option(help="The request is done, only its answer is lost.")] = False,
) -> None:  # fmt: skip
    """Make the running server misbehave, to test clients against it."""
    from redcap_local.administration import opened
    from redcap_local.faults import KINDS, Fault, set_fault

    if kind not in {*KINDS, "off"}:
        typer.echo(f"redcap-local: no fault {kind!r}; choose one of {', '.join(sorted(KINDS))}, off", err=True)
        raise typer.Exit(2)
    with told_plainly(), opened(db) as connection:
        set_fault(connection, None if kind == "off" else Fault(kind, times, content, seconds, carried_out))


@projects.command("list")
def list_projects(db: Db) -> None:
    """Print id, status and title of every project."""
    from redcap_local.administration import loaded, opened
    from redcap_local.storage.structure import project_ids

    with told_plainly(), opened(db) as connection:
        for project_id in project_ids(connection):
            found = loaded(connection, project_id)
            status = "production" if found.in_production else "development"
            typer.echo(f"{found.id}\t{status}\t{found.settings['project_title']}")


@projects.command("new")
def new_project(db: Db, title: Annotated[str, typer.Argument(help="What the project is called.")]) -> None:
    """Make a project with one form and print its id; the user site_admin has all rights in it."""
    from redcap_local.administration import command_line, opened
    from redcap_local.founding import create_project

    with told_plainly(), opened(db) as connection:
        typer.echo(create_project(connection, command_line(), {"project_title": title}))


@projects.command("set")
def set_settings(
    db: Db,
    project: Project,
    settings: Annotated[list[str], typer.Argument(help="name=value, also missing_data_codes.")],
) -> None:
    """Change settings, also those the API cannot change."""
    from redcap_local.administration import change_settings, loaded, opened

    pairs = [setting.partition("=") for setting in settings]
    if not all(sign for _, sign, _ in pairs):
        typer.echo("redcap-local: write each setting as name=value", err=True)
        raise typer.Exit(2)
    values = {name: value for name, _, value in pairs}
    with told_plainly(), opened(db) as connection:
        change_settings(connection, loaded(connection, project), values)


@projects.command()
def production(
    db: Db,
    project: Project,
    delete_records: Annotated[bool, typer.Option(help="Delete all records.")] = False,
    back: Annotated[bool, typer.Option(help="Back to development instead.")] = False,
) -> None:
    """Move the project to production: its structure is fixed, and targets filled in development are emptied."""
    from redcap_local.administration import loaded, opened
    from redcap_local.production import move_to_development, move_to_production

    with told_plainly(), opened(db) as connection:
        found = loaded(connection, project)
        if back:
            move_to_development(connection, found, datetime.now())
        else:
            move_to_production(connection, found, datetime.now(), keep_records=not delete_records)


@projects.command()
def label(
    db: Db,
    project: Project,
    form: Annotated[str, typer.Option(help="The instrument.")],
    text: Annotated[str, typer.Argument(help="What people call it.")],
) -> None:
    """Label an instrument, as its pages and lists show it."""
    from redcap_local.administration import label_form, loaded, opened

    with told_plainly(), opened(db) as connection:
        label_form(connection, loaded(connection, project), form, text)


@projects.command()
def survey(db: Db, project: Project, form: Annotated[str, typer.Option(help="The instrument.")]) -> None:
    """Enable an instrument as a survey."""
    from redcap_local.administration import enable_survey, loaded, opened

    with told_plainly(), opened(db) as connection:
        enable_survey(connection, loaded(connection, project), form)


@projects.command("survey-response")
def survey_response(
    db: Db,
    project: Project,
    record: Annotated[str, typer.Option(help="The record.")],
    form: Annotated[str, typer.Option(help="The survey's instrument.")],
    event: Annotated[str, typer.Option(help="The unique event name; the first event when left out.")] = "",
    instance: Annotated[int, typer.Option(min=1, max=32767, help="The repeat instance.")] = 1,
    completed: Annotated[
        str, typer.Option(help="When it was completed, YYYY-MM-DD HH:MM:SS; begun only when left out.")
    ] = "",
) -> None:
    """Record that a participant has begun or completed a survey."""
    from redcap_local.administration import loaded, opened
    from redcap_local.survey_responses import Response, record_response

    response = Response(record, event, form, instance, completed)
    with told_plainly(), opened(db) as connection:
        record_response(connection, loaded(connection, project), response, datetime.now())


@projects.command()
def report(
    db: Db,
    project: Project,
    title: Annotated[str, typer.Option(help="The report's title.")],
    fields: Annotated[str, typer.Option(help="Its fields in order, separated by commas.")],
    logic: Annotated[str, typer.Option(help="Its filter.")] = "",
    sort: Annotated[
        str, typer.Option(help="What its rows are sorted by, separated by commas; -field for the highest first.")
    ] = "",
) -> None:
    """Save a report and print its id."""
    from redcap_local.administration import loaded, opened, save_report

    with told_plainly(), opened(db) as connection:
        typer.echo(
            save_report(
                connection,
                loaded(connection, project),
                title,
                fields.split(","),
                logic,
                sort.split(",") if sort else (),
            )
        )


@projects.command("display-logic")
def set_display_logic(
    db: Db,
    project: Project,
    file: Annotated[Path, typer.Argument(help="CSV with form_name, event_name and control_condition.")],
    keep: Annotated[bool, typer.Option("--keep", help="A form that holds data stays enabled.")] = False,
    hide: Annotated[bool, typer.Option("--hide", help="Disabled forms are hidden.")] = False,
) -> None:
    """Set form display logic: forms that pages disable until a condition holds. An empty file ends it."""
    from redcap_local import display_logic
    from redcap_local.administration import loaded, opened

    with told_plainly(), opened(db) as connection:
        found = loaded(connection, project)
        text = file.read_text(encoding="utf-8")
        count = display_logic.set_display_logic(connection, found, text, keeps_data=keep, hides=hide)
        typer.echo(f"{count} conditions")


@projects.command()
def lock(
    db: Db,
    project: Project,
    record: Annotated[str, typer.Option(help="The record.")],
    unlock: Annotated[bool, typer.Option(help="Unlock it again.")] = False,
) -> None:
    """Lock a record: no value within it can be modified."""
    from redcap_local.administration import lock_record, opened

    with told_plainly(), opened(db) as connection:
        lock_record(connection, project, record, datetime.now(), locked=not unlock)


@users.command("list")
def list_users(db: Db, project: Project) -> None:
    """Print the user names of a project."""
    from redcap_local.administration import loaded, opened
    from redcap_local.storage.people import members

    with told_plainly(), opened(db) as connection:
        for row in members(connection, loaded(connection, project).id):
            typer.echo(row["username"])


@users.command()
def add(
    db: Db,
    project: Project,
    user: User,
    everything: Annotated[bool, typer.Option("--all-rights", help="Give all rights; none otherwise.")] = False,
) -> None:
    """Add a user to a project."""
    from redcap_local.administration import add_user, loaded, opened

    with told_plainly(), opened(db) as connection:
        add_user(connection, loaded(connection, project), user, everything=everything)


@users.command("password")
def set_password(db: Db, user: User) -> None:
    """Set the password with which the user enters the pages from other machines; it is asked for here."""
    from redcap_local.administration import opened, save_password

    password = typer.prompt("Password (at least 10 characters)", hide_input=True, confirmation_prompt=True)
    with told_plainly(), opened(db) as connection:
        save_password(connection, user, password)


@users.command()
def revoke(db: Db, project: Project, user: User) -> None:
    """Make the user's token void; `token` gives a new one."""
    from redcap_local.administration import opened, revoke_token

    with told_plainly(), opened(db) as connection:
        revoke_token(connection, project, user)


@users.command()
def suspend(db: Db, user: User, lift: Annotated[bool, typer.Option(help="End the suspension.")] = False) -> None:
    """Suspend an account: its tokens work no more."""
    from redcap_local.administration import opened
    from redcap_local.administration import suspend as set_suspended

    with told_plainly(), opened(db) as connection:
        set_suspended(connection, user, suspended=not lift)


@users.command()
def groups(
    db: Db,
    project: Project,
    user: User,
    allowed: Annotated[list[str], typer.Argument(help="Unique group names; `none` for no group.")],
) -> None:
    """Let a user switch between data access groups."""
    from redcap_local.administration import allow_groups, loaded, opened

    with told_plainly(), opened(db) as connection:
        allow_groups(connection, loaded(connection, project), user, allowed)


@randomizations.command()
def define(
    db: Db,
    project: Project,
    target: Annotated[str, typer.Option(help="The field that is filled, as field or field@unique_event_name.")],
    stratum: Annotated[
        list[str] | None, typer.Option(help="A stratum field, as field or field@unique_event_name.")
    ] = None,
    by_group: Annotated[bool, typer.Option(help="Data access groups are a stratum too.")] = False,
) -> None:
    """Save a randomization model and print its id."""
    from redcap_local.administration import loaded, opened
    from redcap_local.randomization_setup import define_randomization
    from redcap_local.storage.randomization import Model

    (field, event), *strata = [
        (name, where) for name, _, where in (t.partition("@") for t in (target, *(stratum or ())))
    ]
    with told_plainly(), opened(db) as connection:
        model = Model(0, field, event, tuple(strata), by_group)
        typer.echo(define_randomization(connection, loaded(connection, project), model, datetime.now()))


@randomizations.command()
def trigger(
    db: Db,
    project: Project,
    rid: Annotated[int, typer.Option(help="The randomization's id.")],
    form: Annotated[str, typer.Option(help="The form that is saved, as form or form@unique_event_name.")],
    logic: Annotated[str, typer.Option(help="What must hold then; blank: records are randomized by hand alone.")],
    everybody: Annotated[bool, typer.Option(help="Also when it is saved without the right to randomize.")] = False,
) -> None:
    """Randomize a record by itself when a form is saved on the pages and a condition holds."""
    from redcap_local.administration import loaded, opened
    from redcap_local.randomization_setup import find_model, set_trigger
    from redcap_local.storage.randomization import Trigger

    name, _, event = form.partition("@")
    wanted = Trigger(name, event, logic, everybody) if logic.strip() else None
    with told_plainly(), opened(db) as connection:
        found = loaded(connection, project)
        set_trigger(connection, found, find_model(connection, found, rid), wanted, datetime.now())


@randomizations.command()
def upload(
    db: Db,
    project: Project,
    rid: Annotated[int, typer.Option(help="The randomization's id.")],
    table: Annotated[Path, typer.Argument(help="The CSV file.")],
    production_table: Annotated[bool, typer.Option("--production/--development", help="Which table it is.")] = False,
    version: Annotated[
        str, typer.Option(callback=_version, help="The REDCap version, which decides the file's format.")
    ] = "15.0.12",
) -> None:
    """Upload an allocation table; REDCap's own messages tell what is wrong with it."""
    from redcap_local.administration import loaded, opened
    from redcap_local.allocation_table import TableError
    from redcap_local.randomization_setup import Upload, find_model, upload_allocations

    with told_plainly(), opened(db) as connection:
        found = loaded(connection, project)
        how = Upload(production_table, version, datetime.now())
        try:
            text = table.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise TableError(f"{table}: not UTF-8; save it as CSV UTF-8") from None
        typer.echo(upload_allocations(connection, found, find_model(connection, found, rid), text, how))


@randomizations.command()
def row(
    db: Db,
    project: Project,
    rid: Annotated[int, typer.Option(help="The randomization's id.")],
    aid: Annotated[int, typer.Option(help="The row's id, as `rows` prints it.")],
    action: Annotated[
        str, typer.Argument(help="target CODE, alternate TEXT, randomize RECORD, remove, unavailable or restore.")
    ],
    reason: Annotated[str, typer.Option(help="Why; the log keeps it.")],
    value: Annotated[str, typer.Argument(help="The new code, the new text or the record.")] = "",
) -> None:
    """Do to one row of the table in use what only an administrator may; asks for CONFIRM."""
    from redcap_local.administration import loaded, opened
    from redcap_local.allocation_rows import Action, act
    from redcap_local.randomization_setup import find_model

    if typer.prompt("Type CONFIRM to go on") != "CONFIRM":
        raise typer.Abort
    with told_plainly(), opened(db) as connection:
        found = loaded(connection, project)
        wanted = Action(aid, action, reason, value)
        act(connection, found, find_model(connection, found, rid), wanted, datetime.now())


@randomizations.command()
def rows(db: Db, project: Project, rid: Annotated[int, typer.Option(help="The randomization's id.")]) -> None:
    """Print the rows of the table in use: id, number, group, strata and use, separated by tabs."""
    from redcap_local.administration import loaded, opened
    from redcap_local.randomization_setup import find_model
    from redcap_local.storage import randomization

    with told_plainly(), opened(db) as connection:
        found = loaded(connection, project)
        model = find_model(connection, found, rid)
        for slot in randomization.slots(connection, model.id, production=found.in_production):
            typer.echo("\t".join((str(slot.id), slot.number, slot.code, " ".join(slot.strata), slot.used)))


@randomizations.command()
def status(db: Db, project: Project) -> None:
    """Print how many allocations of every table are used."""
    from redcap_local.administration import loaded, opened
    from redcap_local.storage import randomization

    with told_plainly(), opened(db) as connection:
        for model in randomization.models(connection, loaded(connection, project).id):
            for production, name in ((False, "development"), (True, "production")):
                slots = randomization.slots(connection, model.id, production=production)
                typer.echo(f"rid={model.id}\t{name}\t{sum(bool(slot.used) for slot in slots)} of {len(slots)} used")


if __name__ == "__main__":
    app()
