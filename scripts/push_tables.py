"""Push the sealed tables to the envelope register, with the packer's token."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import REDCAP, TableError, WriteBackFailed

app = application("Push the tables to the envelope register. The packer's job.")


@command(app, "in the register", *REDCAP, TableError, WriteBackFailed)
def push_tables(
    identity: Annotated[Path, typer.Option(metavar="FILE", help="Your age identity (mode 0600).")],
    config: ConfigOption = DEFAULT_CONFIG,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    without_cards: Annotated[
        bool,
        typer.Option("--without-cards", help="Arms and card codes leave the register; cards are proved all the same."),
    ] = False,
) -> None:
    """Add the envelopes of all tables that the register lacks; those that are there are compared and left alone."""
    from trialdesk.allocation.making import open_tables
    from trialdesk.allocation.versions import MANIFEST, version_folders
    from trialdesk.config import load
    from trialdesk.envelopes.exposure import exposures
    from trialdesk.envelopes.push import check_tables, plan_push, push
    from trialdesk.redcap.gateway import open_gateway

    trial = load(config)
    tables = open_tables(trial, identity)
    check_tables(trial, tables)
    register = open_gateway(trial, "packer")
    plan = plan_push(tables, register, cards=not without_cards)
    print(plan)
    for line in exposures(register):
        print(f"warning: {line}")
    if dry_run:
        return
    if not plan.empty:
        push(plan, tables, register, cards=not without_cards)
        print(f"{len(plan.new)} envelope(s) added and read back")
    newest = version_folders(trial.path(trial.folders.tables))[-1]
    print(f"hand {newest / MANIFEST} to the coordinator, who files it (it is public; no arm is in it)")


if __name__ == "__main__":
    run(app)
