"""Release the next envelope for a record, while the clinician is on the phone."""

from __future__ import annotations

from typing import Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import REDCAP, ConcealmentBroken, ReleaseRefused, TableError, WriteBackFailed

app = application("Release the next envelope for a record. The coordinator's job, while the clinician is on the phone.")


@command(app, "released", *REDCAP, ReleaseRefused, ConcealmentBroken, TableError, WriteBackFailed)
def release_envelope(
    record: Annotated[str, typer.Argument(help="The patient's record id, for example ODE-014.")],
    config: ConfigOption = DEFAULT_CONFIG,
    take_back: Annotated[
        bool, typer.Option("--take-back", help="Undo the open release of this record; its envelope was not opened.")
    ] = False,
) -> None:
    """Release the lowest received envelope of the record's site and stratum, or say every reason against it."""
    from datetime import UTC, datetime

    from trialdesk.allocation.numbering import printed
    from trialdesk.config import load
    from trialdesk.envelopes import release as desk
    from trialdesk.redcap.gateway import open_gateway

    trial = load(config)
    gateways = open_gateway(trial, "trial"), open_gateway(trial, "register")
    if take_back:
        print(f"taken back from {record}: {', '.join(desk.take_back(trial, *gateways, record))}")
        return
    envelope = desk.release(trial, *gateways, record, datetime.now(UTC))
    pile = envelope.pile
    print(f"Record    {record}")
    print(f"Envelope  {printed(envelope.id, trial.envelopes.domain)}")
    print(f"Site      {trial.sites_by_code[pile.site].name} ({pile.site})")
    print(f"Stratum   {trial.stratum_label(pile.stratum)}")
    print(f"Released  {envelope.released_at:%Y-%m-%d %H:%M}")
    print("The clinician reads the number back, opens this envelope and no other, and enters it in REDCap at once.")


if __name__ == "__main__":
    run(app)
