"""The whole path on a local REDCap: projects, instruments, envelopes, sites at work, nightly run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import NIGHT

if TYPE_CHECKING:
    from redcap_local.server import Running
    from rehearsal.stage import Stage
    from rehearsal.story import Deviation
    from trialdesk.instruments.change import Plan
    from trialdesk.nightly.run import Outcome

app = application("Rehearse the trial on a REDCap of this machine, from empty projects to the first nightly run.")


@command(app, "done", *NIGHT)
def demo(
    config: ConfigOption = DEFAULT_CONFIG,
    patients: Annotated[int, typer.Option(min=1, max=400, help="How many patients are screened.")] = 40,
    seed: Annotated[int, typer.Option(help="Another seed tells another story.")] = 1,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The day the story ends.")
    ] = None,
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where the rehearsal keeps its files.")] = Path("demo"),
    serve: Annotated[bool, typer.Option("--serve", help="Keep the server up afterwards.")] = False,
) -> None:
    """Run everything once, over real HTTP, and say where the results are."""
    from redcap_local.server import running
    from rehearsal.stage import alone, fresh_folder, write_files
    from trialdesk.config import load

    if today and not 2000 <= today.year <= 2100:
        raise typer.BadParameter("name a day between 2000 and 2100", param_hint="--today")
    begun = time.monotonic()
    database = folder / "redcap.sqlite"
    with alone(folder), running(fresh_folder(folder) / database.name) as server:
        said("local REDCap", server.url)
        day = today.date() if today else datetime.now(load(config).trial.zone).date()
        stage = build(write_files(config, folder, server.url, day), server, database)
        planted = play(stage, seed, patients, day)
        done = sync(stage, day)
        print(f"\nDone in {time.monotonic() - begun:.0f} s.\n")
        show(done, stage, planted)
        if serve:
            wait(server, stage)


def build(files: tuple[Path, Path], server: Running, database: Path) -> Stage:
    """Projects, instruments, people and rights."""
    from rehearsal.stage import set_stage
    from trialdesk.instruments.rendering import summary

    plans: list[str] = []

    def apply(plan: Plan) -> str:
        plans.append(summary(plan))
        return plan.digest

    with timed("projects and rights", lambda: "; ".join(plans)):
        return set_stage(files, server, database, apply)


def play(stage: Stage, seed: int, patients: int, today: date) -> tuple[Deviation, ...]:
    """Envelopes made, sent and used; every patient entered by a site user."""
    from rehearsal.day import make_envelopes, perform, send_envelopes, tell_story

    story = tell_story(stage, seed, patients, today)
    with timed("allocation tables", lambda: note):
        cards, note = make_envelopes(stage, story, today)
    send_envelopes(stage, story)
    note = f"{len(story.lives)} patients entered by {len(stage.site_tokens)} sites"
    with timed("sites at work", lambda: note), bar("patients") as progress:
        return perform(stage, story, cards, progress)


def sync(stage: Stage, today: date) -> Outcome:
    """One nightly run on the day the story ends."""
    from trialdesk.nightly.run import Order, nightly
    from trialdesk.redcap.gateway import open_gateway

    config = stage.config
    order = Order(today, datetime.combine(today, datetime.now(config.trial.zone).timetz()))
    with timed("nightly run", lambda: f"published as {done.summary.run}; {done.summary.to_write}"):
        done = nightly(config, order, open_gateway(config, "trial"), open_gateway(config, "register"), lambda _: None)
    return done


def show(done: Outcome, stage: Stage, planted: tuple[Deviation, ...]) -> None:
    """What the coordinator reads, whether every planted deviation was found, and where the files are."""
    from trialdesk.reports.delivery import FILES

    summary = done.summary
    for line in summary.lines():
        print(line)
    found = {(finding.rule, finding.record) for finding in done.findings}
    wanted = {(deviation.rule, deviation.record) for deviation in planted}
    print(f"  rehearsal  {len(wanted & found)} of {len(wanted)} planted deviations found, each in its record")
    latest = stage.config.path(stage.config.folders.reports) / "latest"
    print("\nFiles")
    first = stage.config.sites[0].code
    for name, file in FILES.items():
        print(f"  {shown(latest / name.replace('CODE', first)):<50} {file.reader}")
    print(f"  {shown(stage.config_file):<50} the rehearsal's own configuration")


def wait(server: Running, stage: Stage) -> None:
    """The server answers until the person stops it; who one can be at its pages is said."""
    from redcap_local.people import CREATOR
    from rehearsal.people import COORDINATOR, PACKER, site_user

    print(f"\nREDCap answers at {server.url}; tokens in {shown(stage.config_file.with_name('tokens.env'))}.")
    print(f"Try: .venv/bin/python scripts/nightly_sync.py --once --config {shown(stage.config_file)}")
    print("\nEnter data in a browser, as any of these users; the address lets one browser in, once:")
    print(f"  {server.start()}")
    everybody = {site_user(site.code): f"clinician, {site.name}" for site in stage.config.sites}
    everybody |= {COORDINATOR: "sees every site", PACKER: "the envelope register alone", CREATOR: "may do everything"}
    for user, role in everybody.items():
        print(f"  {user:<12} {role}")
    print("Stop with Ctrl-C.", flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print("\nStopped.")


def shown(path: Path) -> str:
    """The path as one would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def said(what: str, note: str, seconds: float = 0.0) -> None:
    """One line of the rehearsal."""
    took = f"  ({seconds:.1f} s)" if seconds else ""
    print(f"{what:<20} {note}{took}", flush=True)


@contextmanager
def timed(what: str, note: Callable[[], str]) -> Iterator[None]:
    """Prints a line when the block is done; `note` is asked then."""
    begun = time.monotonic()
    yield
    said(what, note(), time.monotonic() - begun)


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as shown_bar:
        task = shown_bar.add_task(what, total=None)
        yield lambda done, total: shown_bar.update(task, completed=done, total=total)


if __name__ == "__main__":
    run(app)
