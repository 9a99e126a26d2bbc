"""Instruments as code: check the files, plan the changes to REDCap, apply exactly that plan; pull; preview."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import REDCAP, InstrumentError, OutputFailed, PlanRefused, SanityFailed, WriteBackFailed

if TYPE_CHECKING:
    from trialdesk.config import Config
    from trialdesk.instruments.change import Plan
    from trialdesk.instruments.folder import ProjectName
    from trialdesk.redcap.gateway import Gateway

app = application("Bring the REDCap projects to what instruments/ says: plan, read the plan, apply exactly that.")


class Which(StrEnum):
    """The two projects of a trial."""

    trial = "trial"
    register = "register"


ProjectOption = Annotated[Which | None, typer.Option("--project", help="One project only; without it both.")]
OneProjectOption = Annotated[Which, typer.Option("--project", help="The project.")]
LanguageOption = Annotated[
    str, typer.Option(help="In the words of a translation beside the instruments, such as da; without it their own.")
]
JsonFlag = Annotated[bool, typer.Option("--json", help="For machines.")]


@command(app, "no error", InstrumentError)
def check(config: ConfigOption = DEFAULT_CONFIG, project: ProjectOption = None, json: JsonFlag = False) -> None:
    """Find everything wrong with the instrument files, without a server."""
    from trialdesk.config import load
    from trialdesk.instruments.checks import check_projects, to_json
    from trialdesk.instruments.fault import counted

    trial = load(config)
    faults = check_projects(trial, _projects(project), config)
    if json:
        print(to_json(faults))
    else:
        for fault in faults:
            print(f"{fault.severity}: {fault}")
        print(counted(faults))
    if any(fault.severity == "error" for fault in faults):
        raise typer.Exit(InstrumentError.exit_code)


@command(app, "nothing to change, or shown", InstrumentError, OutputFailed, *REDCAP)
def plan(
    config: ConfigOption = DEFAULT_CONFIG,
    project: ProjectOption = None,
    json: Annotated[bool, typer.Option("--json", help="For machines: the plan, without --project a list.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="For a review.")] = False,
    draft: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the files and steps of a project in production.")
    ] = None,
    language: LanguageOption = "",
) -> None:
    """Show what would change in REDCap; nothing is changed."""
    from trialdesk.config import load
    from trialdesk.instruments.byhand import draft_steps, write_checklist
    from trialdesk.instruments.checks import errors_in
    from trialdesk.instruments.folder import folder_of, read_design
    from trialdesk.instruments.plan import make_plan
    from trialdesk.instruments.rendering import to_json, to_markdown

    trial = load(config)
    plans = []
    for name in _projects(project):
        desired = read_design(trial, name, language)
        made = make_plan(name, desired, _gateway(trial, name), errors_in(trial, name))
        plans.append(made)
        if draft and not made.empty:
            write_checklist(draft_steps(made, desired, folder_of(trial, name)), draft / name)
        if markdown and not json:
            print(to_markdown(made))
        elif not json:
            _show(made)
    if json:
        print(to_json(plans[0] if project else plans))


@command(app, "applied", InstrumentError, PlanRefused, WriteBackFailed, OutputFailed, *REDCAP)
def apply(
    digest: Annotated[str, typer.Argument(help="The digest that `plan` showed.")],
    config: ConfigOption = DEFAULT_CONFIG,
    project: OneProjectOption = Which.trial,
    force: Annotated[bool, typer.Option("--force", help="Accept what the brakes name.")] = False,
    language: LanguageOption = "",
) -> None:
    """Apply exactly the plan with this digest, or nothing; the project's number is noted in the configuration."""
    from trialdesk.config import load
    from trialdesk.config.noting import note_project
    from trialdesk.instruments.applying import push
    from trialdesk.redcap.sanity import same_project

    trial = load(config)
    name, gateway = _projects(project)[0], _gateway(trial, _projects(project)[0])
    number, key = gateway.project().get("project_id", ""), "trial" if name == "trial" else "envelopes"
    same_project(name, number, getattr(trial.redcap.projects, key))
    done = push(trial, name, gateway, lambda _: digest, force=force, language=language)
    print(f"{name}: {len(done.changes)} change(s) applied and read back")
    if note_project(config, key, number):
        print(f"{config}: redcap.projects names project {number} now; a token of another one will be refused")


@command(app, "written", InstrumentError, OutputFailed, *REDCAP)
def pull(
    into: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder.")],
    config: ConfigOption = DEFAULT_CONFIG,
    project: OneProjectOption = Which.trial,
) -> None:
    """Write the live project as an instruments folder; licensed wording goes to the local overlay."""
    from trialdesk.config import load
    from trialdesk.instruments.live import live_project
    from trialdesk.instruments.overlay import overlay_folder
    from trialdesk.instruments.pulling import pulled, write_pulled

    trial = load(config)
    name = _projects(project)[0]
    live = live_project(_gateway(trial, name), groups=name == "trial", roles=True)
    files = pulled(live.design, trial.trial.language)
    kept = write_pulled(files, into, overlay_folder(trial))
    print(f"{into}: {len(files.files)} files" + (f"; {len(files.wording)} with local wording" if files.wording else ""))
    for path in kept:
        print(f"{path} was there before and is kept: the project's own wording may be another")
    for note in live.notes:
        print(note)


@command(app, "written", InstrumentError, OutputFailed)
def steps(
    into: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write steps.md and the files to upload.")],
    config: ConfigOption = DEFAULT_CONFIG,
    project: OneProjectOption = Which.trial,
    language: LanguageOption = "",
) -> None:
    """Write what a person has to do in REDCap because its API can't."""
    from trialdesk.config import load
    from trialdesk.instruments.byhand import setup_steps, write_checklist
    from trialdesk.instruments.folder import folder_of

    trial = load(config)
    name = _projects(project)[0]
    print(write_checklist(setup_steps(folder_of(trial, name), name, language), into))


@command(app, "written", InstrumentError, OutputFailed)
def preview(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The HTML file to write.")],
    config: ConfigOption = DEFAULT_CONFIG,
    project: OneProjectOption = Which.trial,
    wording: Annotated[
        bool, typer.Option("--wording", help="With the local wording; never put that file online.")
    ] = False,
    language: LanguageOption = "",
) -> None:
    """Write every instrument as a person will see it, into one file that needs no network."""
    from trialdesk.config import load
    from trialdesk.instruments.preview import write_preview

    trial = load(config)
    print(write_preview(trial, _projects(project)[0], out, language, wording=wording))


@command(app, "written", InstrumentError, OutputFailed)
def crf(
    out: Annotated[Path, typer.Argument(metavar="FILE.pdf", help="The PDF to write.")],
    config: ConfigOption = DEFAULT_CONFIG,
    project: OneProjectOption = Which.trial,
    wording: Annotated[
        bool, typer.Option("--wording", help="With the local wording; never hand that file on.")
    ] = False,
    language: LanguageOption = "",
) -> None:
    """Write the annotated case report form: every form with names, codes, conditions in words, and forms by events."""
    from trialdesk.config import load
    from trialdesk.instruments.change import digest_of
    from trialdesk.instruments.documents.crf import crf as made
    from trialdesk.instruments.folder import read_design
    from trialdesk.paper.engine import pdf
    from trialdesk.private import place

    trial, name = load(config), _projects(project)[0]
    design = read_design(trial, name, language, wording=wording)
    version = digest_of("\n".join(map(repr, design.dictionary.fields)))
    place(out, pdf("crf", made(design, f"{trial.trial.id}: {trial.trial.title}", version)))
    print(out)


@command(app, "written", InstrumentError, OutputFailed, SanityFailed)
def spirit(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="An .xlsx or an .svg file.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write the schedule of enrolment, interventions and assessments (SPIRIT 2025) from events, forms and contacts."""
    from trialdesk.config import load
    from trialdesk.instruments.documents.spirit import sheet, svg
    from trialdesk.instruments.documents.spirit import spirit as made
    from trialdesk.instruments.folder import read_design
    from trialdesk.private import place
    from trialdesk.workbook import save

    trial = load(config)
    schedule = made(read_design(trial, "trial"), trial)
    if out.suffix == ".svg":
        place(out, svg(schedule, trial.trial.id).encode())
    elif out.suffix == ".xlsx":
        save(out, (sheet(schedule, trial.trial.id),), f"{trial.trial.id} · schedule")
    else:
        raise typer.BadParameter("a name that ends in .xlsx or .svg", param_hint="FILE")
    print(out)


def _projects(project: Which | None) -> tuple[ProjectName, ...]:
    both: tuple[ProjectName, ...] = ("trial", "register")
    return tuple(name for name in both if project is None or name == project.value)


def _gateway(config: Config, project: ProjectName) -> Gateway:
    from trialdesk.redcap.gateway import open_gateway

    # the register's coordinator may not see allocations, so only the packer's token can design that project
    return open_gateway(config, "trial" if project == "trial" else "packer")


def _show(made: Plan) -> None:
    from rich.console import Console

    from trialdesk.instruments.rendering import to_terminal

    Console(highlight=False).print(to_terminal(made))


if __name__ == "__main__":
    run(app)
