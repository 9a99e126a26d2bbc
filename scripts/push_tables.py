"""Push the sealed tables to the envelope register, with the packer's token."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import REDCAP, TableError, WriteBackFailed

if TYPE_CHECKING:
    from trialdesk.envelopes.push import Restore

app = application("Push the tables to the envelope register. The packer's job.")


@command(app, "in the register", *REDCAP, TableError, WriteBackFailed)
def push_tables(
    identity: Annotated[Path, typer.Option(metavar="FILE", help="Your age identity (mode 0600).")],
    config: ConfigOption = DEFAULT_CONFIG,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    restore: Annotated[
        str, typer.Option(metavar="ID", help="An envelope that was deleted in the register, and comes back.")
    ] = "",
    status: Annotated[str, typer.Option(metavar="STATUS", help="What became of it: received, void, opened …")] = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it comes back; kept in the register.")] = "",
    without_cards: Annotated[
        bool,
        typer.Option("--without-cards", help="Arms and card codes leave the register; cards are proved all the same."),
    ] = False,
) -> None:
    """Add the envelopes of all tables that the register lacks; those that are there are compared and left alone."""
    from trialdesk.allocation.making import batch_told, open_tables
    from trialdesk.allocation.versions import MANIFEST, version_folders
    from trialdesk.config import load
    from trialdesk.envelopes.exposure import exposures
    from trialdesk.envelopes.push import check_tables, guarded, plan_push, push
    from trialdesk.redcap.gateway import open_gateway

    trial = load(config)
    tables = open_tables(trial, identity)
    check_tables(trial, tables)
    register = open_gateway(trial, "packer")
    removed = register.removals("")
    plan = guarded(
        plan_push(tables, register, cards=not without_cards),
        removed.records if removed else (),
        _restore(restore, status, reason),
    )
    print(plan)
    for line in (*batch_told(trial), *exposures(register)):
        print(f"warning: {line}")
    if dry_run:
        return
    if not plan.empty:
        push(plan, tables, register, cards=not without_cards)
        print(f"{len(plan.new)} envelope(s) added and read back")
    newest = version_folders(trial.path(trial.folders.tables))[-1]
    print(f"hand {newest / MANIFEST} to the coordinator, who files it (it is public; no arm is in it)")


def _restore(envelope: str, status: str, reason: str) -> Restore | None:
    """What a person says of an envelope that comes back; all three words, or none."""
    from trialdesk.envelopes.push import Restore
    from trialdesk.model import ENVELOPE_STATUSES

    if not (envelope or status or reason):
        return None
    if not (envelope and reason) or status not in ENVELOPE_STATUSES:
        raise typer.BadParameter(f"--restore ID, --reason TEXT and --status, one of {', '.join(ENVELOPE_STATUSES)}")
    return Restore(envelope, next(one for one in ENVELOPE_STATUSES if one == status), reason)


if __name__ == "__main__":
    run(app)
