"""Nights over a register in which a commitment was exchanged: published, ended with 45, the envelope named."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from contract.envelopes.conftest import World
from redcap_rules.record import Row
from trialdesk.allocation.cards import commitment
from trialdesk.allocation.numbering import envelope_id
from trialdesk.envelopes.register import COMMITMENT, RECORD_ID
from trialdesk.facts.todo import UNPROVED
from trialdesk.model import Pile
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.run import Order, nightly

pytestmark = pytest.mark.requirement("ENV-11", "ENV-12")

ODE_2 = envelope_id(Pile("ODE", "K1N"), 2)


def night(desk: World, minute: int) -> tuple[int, list[tuple[str, str]]]:
    """A run: exit code, and what it says is not as it was filed."""
    order = Order(date(2026, 3, 2), datetime(2026, 3, 2, 4, minute, tzinfo=desk.config.trial.zone))
    out = nightly(desk.config, order, desk.trial(), desk.register(), lambda _: None)
    assert (desk.config.reports / LATEST / "calls" / "call_schedule.xlsx").exists()
    return out.exit_code, [(task.envelope, task.why) for task in out.tasks if task.kind is UNPROVED]


def test_an_exchanged_commitment_is_named_every_night_until_it_is_put_back(desk: World) -> None:
    """The last night on which the register was as filed knows each commitment by a digest; a run before it does not."""
    desk.enter("A", "ODE")
    packer = desk.packer()
    (before,) = packer.records(RECORD_ID, [COMMITMENT], records=[ODE_2]).rows
    own = commitment(desk.config.trial.id, ODE_2, "1", "0" * 12)
    packer.write(RECORD_ID, [Row(ODE_2, "", "", 0, {COMMITMENT: own})])
    code, told = night(desk, 1)
    assert (code, [envelope for envelope, _ in told]) == (45, [""])  # no night has seen it right: the version
    packer.write(RECORD_ID, [before])
    assert night(desk, 2)[1] == []
    packer.write(RECORD_ID, [Row(ODE_2, "", "", 0, {COMMITMENT: own})])
    for minute in (3, 4):
        code, told = night(desk, minute)
        assert (code, [envelope for envelope, _ in told]) == (45, [ODE_2])
        assert "another commitment" in told[0][1]
        assert own not in told[0][1]
    packer.write(RECORD_ID, [before])
    assert night(desk, 5)[1] == []
