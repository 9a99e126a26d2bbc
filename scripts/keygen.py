"""Make an age identity: what packer, custodian or statistician open sealed files with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trialdesk.console import application, command, run

app = application("An age identity for whoever may open sealed tables. The file is secret, the key it prints is not.")


@command(app, "made")
def keygen(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The new identity file; it gets mode 0600.")],
) -> None:
    """Write a new identity and print its public key.

    The key goes into envelopes.recipients, or into recipients beside `profile: closed`.
    """
    from datetime import UTC, datetime

    from trialdesk.allocation.sealing import new_identity
    from trialdesk.private import write_private

    identity, public = new_identity()
    write_private(out, f"# created: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n# public key: {public}\n{identity}\n")
    print(public)


if __name__ == "__main__":
    run(app)
