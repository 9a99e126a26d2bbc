"""One look at both projects: what the release code believes it saw is what stands there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from contract.envelopes.conftest import World
from trialdesk.allocation.numbering import envelope_id
from trialdesk.envelopes.marks import Marks, RecordMark, read_marks
from trialdesk.envelopes.register import read_register, write_use
from trialdesk.model import Pile

pytestmark = pytest.mark.requirement("ENV-06", "ENV-07")

ODE_1, ODE_2 = (envelope_id(Pile("ODE", "K1N"), number) for number in (1, 2))
AT = datetime(2026, 3, 2, 10, 30)


def look(desk: World) -> Marks:
    trial = desk.trial()
    return read_marks(desk.config, trial.dictionary(), trial, desk.register())


def test_a_look_reads_every_record_and_every_envelope(desk: World) -> None:
    """Site, what is released, its minute, and the number typed in, in the register's spelling."""
    released = {"randomisation__rand_env_released": ODE_1, "randomisation__rand_released_at": "2026-03-02 10:30"}
    desk.enter("A", "ODE", **released)
    desk.enter("B", "RIG", randomisation__rand_env=f" {ODE_2.lower()} ", randomisation__rand_date="2026-03-02")
    write_use(desk.register(), [replace(desk.envelope(ODE_1), status="released", record="A", released_at=AT)])
    seen = look(desk)
    assert seen.records == (
        RecordMark("A", "ODE", ODE_1, "", opened=False, at=AT),
        RecordMark("B", "RIG", "", ODE_2, opened=True),
    )
    assert seen.envelopes == read_register(desk.register())


@pytest.mark.parametrize("field", ["rand_arm", "rand_code", "rand_date", "rand_time"])
def test_anything_typed_of_an_opening_is_seen_as_one(desk: World, field: str) -> None:
    """Arm, code, day or time alone."""
    typed = {"rand_arm": "1", "rand_code": "7K3M", "rand_date": "2026-03-02", "rand_time": "10:45"}
    desk.enter("A", "ODE", **{f"randomisation__{field}": typed[field]})
    assert look(desk).records == (RecordMark("A", "ODE", "", "", opened=True),)


def test_a_rehearsals_number_is_read_with_the_word_before_it(desk: World) -> None:
    """TEST may stand before it there, and in a trial it may not."""
    desk.enter("A", "ODE", randomisation__rand_env=f"TEST {ODE_1}")
    assert look(desk).records[0].named == f"TEST{ODE_1}"
    dev = desk.config.envelopes.model_copy(update={"domain": "dev"})
    rehearsed = replace(desk, config=desk.config.model_copy(update={"envelopes": dev}))
    assert look(rehearsed).records[0].named == ODE_1
