"""Whether an envelope, an arm and a card code belong together, while the clinician reads them on the telephone."""

from __future__ import annotations

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import REDCAP, ConcealmentBroken, ReleaseRefused, TableError

app = application("Ask for envelope, arm and card code at a prompt, and say whether they belong together.")


@command(app, "they belong together", *REDCAP, ConcealmentBroken, TableError, ReleaseRefused)
def check_card(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Answer from the proof in the register alone; nothing that is typed is kept or shown again."""
    from trialdesk.allocation.cards import verify_card
    from trialdesk.allocation.numbering import tidy_envelope_id
    from trialdesk.config import load
    from trialdesk.envelopes.register import prove_blind, read_register
    from trialdesk.redcap.gateway import open_gateway

    trial = load(config)
    register = open_gateway(trial, "register")
    prove_blind(register)
    words = [(arm.code, (arm.code, arm.name, arm.label, *arm.labels.values())) for arm in trial.arms]
    arms = {word.casefold(): code for code, known in words for word in known}
    name = tidy_envelope_id(typer.prompt("Envelope"), trial.envelopes.domain)
    arm = arms.get(typer.prompt("Arm (code or name)", hide_input=True).strip().casefold(), "")
    code = typer.prompt("Card code", hide_input=True)
    known = {envelope.id: envelope for envelope in read_register(register)}
    if name not in known:
        raise ReleaseRefused(f"{name}: is not in the register; have the number read again")
    if not arm or not verify_card(known[name].commitment, trial.trial.id, name, arm, code):
        raise ReleaseRefused(f"{name}: arm and code do not belong to this envelope; have all three read again")
    print(f"{name}: arm and code belong to this envelope")


if __name__ == "__main__":
    run(app)
