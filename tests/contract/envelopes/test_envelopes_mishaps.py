"""What goes wrong between two projects, and what a release makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.envelopes.conftest import World
from trialdesk.allocation.making import open_tables
from trialdesk.allocation.numbering import envelope_id
from trialdesk.envelopes.push import plan_push
from trialdesk.envelopes.register import set_use, write_use
from trialdesk.envelopes.release import release, take_back
from trialdesk.errors import ConcealmentBroken, NotAllowed, RedcapRefused, ReleaseRefused
from trialdesk.model import Envelope, Pile
from trialdesk.redcap.gateway import Gateway

pytestmark = pytest.mark.requirement("ENV-08", "ENV-12")

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ODE_1, ODE_2 = (envelope_id(Pile("ODE", "K1N"), number) for number in (1, 2))


class Refusing(Gateway):
    """A gateway whose user may not write."""

    def write(self, *_: Any, **__: Any) -> int:
        raise RedcapRefused("REDCap refused the request: 2 value(s) not accepted")


def test_an_envelope_a_record_names_is_never_released_to_another(desk: World) -> None:
    """Opened without release, and the register does not know it yet: the next one of the pile is released."""
    desk.enter("A", "ODE", randomisation__rand_env=ODE_1.lower(), randomisation__rand_arm="1")
    desk.enter("B", "ODE")
    assert desk.release("B").id == ODE_2


def test_an_envelope_that_lies_open_at_the_site_does_not_go_back(desk: World) -> None:
    """The record write was lost, the site opened the envelope all the same: it stays out of stock."""
    desk.enter("A", "ODE")
    write_use(desk.register(), [replace(desk.envelope(ODE_1), status="released", record="A")])
    desk.record_opening("A", ODE_1)
    with pytest.raises(ReleaseRefused, match="recorded as opened for it already"):
        desk.release("A")
    assert desk.envelope(ODE_1).status == "released"


def test_a_record_that_cannot_be_written_leaves_the_register_as_it_was(desk: World) -> None:
    """Read-only rights on the randomisation form: the refusal is told and nobody is blocked."""
    desk.enter("A", "ODE")
    blocked = Refusing(desk.url, desk.trial_token)
    with pytest.raises(RedcapRefused):
        release(desk.config, blocked, desk.register(), "A", NOW)
    assert desk.open() == []
    assert desk.release("A").id == ODE_1


def test_a_release_that_stands_keeps_its_mark_when_another_backs_off(
    desk: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B chose the envelope, A's whole release came in between, B wrote over it: A's mark is put back."""
    desk.enter("A", "ODE")
    desk.enter("B", "ODE")
    monkeypatch.setattr("trialdesk.envelopes.release._still_there", lambda *_: None)
    done: list[bool] = []

    def after_a(register: Gateway, envelopes: Iterable[Envelope]) -> None:
        if not done:
            done.append(True)
            desk.release("A")
        set_use(register, envelopes)

    monkeypatch.setattr("trialdesk.envelopes.release.set_use", after_a)
    with pytest.raises(ReleaseRefused, match="one at a time"):
        desk.release("B")
    assert desk.open() == [(ODE_1, "A")]
    assert desk.held("A")[0] == ODE_1
    assert desk.held("B")[0] == ""


def test_taking_back_proves_blindness_too(desk: World) -> None:
    """The packer's token is no coordinator's."""
    desk.enter("A", "ODE")
    desk.release("A")
    with pytest.raises(ConcealmentBroken):
        take_back(desk.config, desk.trial(), desk.packer(), "A")


def test_a_push_with_the_coordinators_token_says_whose_token_it_wants(desk: World) -> None:
    """One line instead of an accusation for every envelope."""
    tables = open_tables(desk.config, desk.config.home / "identity.txt")
    with pytest.raises(NotAllowed, match="push with the packer's own"):
        plan_push(tables, desk.register())
