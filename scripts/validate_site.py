"""See what a REDCap of your own answers where nobody has seen it yet, in an empty project made for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import OK_WITH_WARNINGS, REDCAP, OutputFailed, PlanRefused, WriteBackFailed

FACTS = Path(__file__).resolve().parents[1] / "docs" / "reference" / "open-facts.csv"
app = application(__doc__ or "")


@command(app, "all is as we assume", OK_WITH_WARNINGS, *REDCAP, PlanRefused, WriteBackFailed, OutputFailed)
def validate_site(
    report: Annotated[Path, typer.Argument(metavar="REPORT.md", help="Where the report goes; it is shown first.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Read, show what will be written, ask; then one request at a time, and no record is left at the end."""
    from trialdesk.config import load
    from trialdesk.private import place
    from trialdesk.validation.site import report as page
    from trialdesk.validation.site.check import Person, check, open_wire

    trial = load(config)
    facts = page.read_facts(FACTS)
    named = trial.redcap.projects
    looked = check(open_wire(trial), {named.trial, named.envelopes} - {""}, Person(_agrees, _pauses))
    found = page.look(facts, looked.replies)
    text = page.report(found, looked.version, datetime.now(trial.trial.zone).date(), looked.names)
    print(f"no record is left, as a list of all says\n\n{text}")
    place(report, text.encode())
    print(f"{report}: the report; send it back if you like, it holds nothing but what is shown above")
    if any(seen.state != "agrees" for _, seen in found):
        raise typer.Exit(OK_WITH_WARNINGS)


def _agrees(lines: Sequence[str]) -> bool:
    """Whether the person agrees to what will be written."""
    print("In the project TRIALDESK SITE CHECK, with one request at a time, this writes:")
    for line in lines:
        print(f"  {line}")
    print("At the end every record is deleted. REDCap's log keeps the lines of all this.")
    return _confirmed("Go on?")


def _pauses() -> bool:
    """Whether user B may not export now."""
    print("One thing is left: what a user without the right API Export is told.")
    print("Have the administrator take API Export from user B now, or leave it out; it is given back by hand.")
    return _confirmed("Is it taken away?")


def _confirmed(question: str) -> bool:
    """Whether the answer is yes; no answer at all is no."""
    try:
        return typer.confirm(question)
    except typer.Abort:
        print()
        return False


if __name__ == "__main__":
    run(app)
