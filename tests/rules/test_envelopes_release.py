"""Release and taking back, step by step, in memory: what is written, what is looked for, what is left when it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from desk import CONFIG, DICTIONARY, ODE_1, ODE_2, OTHER_1, RIG_1, Desk
from exploring import NOW, inside, put_inside
from trialdesk.envelopes import release as room
from trialdesk.envelopes.release import Contended, Contention
from trialdesk.errors import NotAllowed, RedcapRefused, RedcapUnreachable, ReleaseRefused, WriteBackFailed

pytestmark = pytest.mark.requirement("ENV-06", "ENV-07", "ENV-08")

RAND = "randomisation_arm_1"
AT = "2026-03-02 10:30"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    put_inside(monkeypatch)  # not one of its own: what a test patches in the same room would outlive it
    return Desk()


def away(_: int) -> None:
    raise RedcapUnreachable("example.org did not answer")


def only(number: int, what: Callable[[], object]) -> Callable[[int], None]:
    """It happens before the step that was taken so often before."""

    def disturb(at: int) -> None:
        if at == number:
            what()

    return disturb


def released_by_somebody(desk: Desk, envelope: str, record: str) -> None:
    """A whole release of another coordinator, in both projects."""
    desk.put(envelope, "released", record, NOW)
    desk.enter(record, RAND, rand_env_released=envelope, rand_released_at=AT)


def nobody(desk: Desk, envelope: str, record: str) -> None:
    """She takes it back."""
    desk.put(envelope, "received")
    desk.enter(record, RAND, rand_env_released="", rand_released_at="")


def test_a_release_marks_register_and_record_with_one_minute(desk: Desk) -> None:
    """The lowest of the pile; its other facts stay as they were."""
    before = desk.envelope(ODE_1)
    released = desk.release("A", now=NOW.replace(second=59, microsecond=7))
    assert (released.status, released.record, released.released_at) == ("released", "A", NOW)
    assert (released.id, released.pile, released.received_on) == (ODE_1, before.pile, before.received_on)
    assert desk.envelope(ODE_1) == released
    assert desk.held("A") == (ODE_1, AT)
    assert desk.open() == [(ODE_1, "A")]


def test_a_moment_with_a_zone_is_told_in_the_trials_own(desk: Desk) -> None:
    """Half past nine in Greenwich is half past ten in Copenhagen."""
    assert desk.release("A", now=datetime(2026, 3, 2, 9, 30, tzinfo=UTC)).released_at == NOW
    assert desk.held("A") == (ODE_1, AT)


def test_the_site_has_to_be_open_on_the_day_of_the_release(desk: Desk) -> None:
    """In the trial's own zone: half an hour before midnight in Greenwich it has opened already."""
    with pytest.raises(ReleaseRefused, match="not open on 2026-01-04"):
        desk.release("A", now=datetime(2026, 1, 4, 22, 30, tzinfo=UTC))
    assert desk.release("A", now=datetime(2026, 1, 4, 23, 30, tzinfo=UTC)).id == ODE_1


def test_blindness_codes_and_fitness_are_proved_before_anything_is_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its own project; taking back proves blindness as well."""
    asked: list[tuple[Any, ...]] = []

    def noting(name: str) -> Callable[..., tuple[()]]:
        def note(*given: Any) -> tuple[()]:
            asked.append((name, *given, desk.steps.total()))
            return ()

        return note

    for name in ("prove_blind", "prove_codes", "prove_fit", "read_filed"):
        monkeypatch.setattr(room, name, noting(name))
    desk.release("A")
    config = desk.stage.config
    assert asked[:3] == [("prove_blind", desk, 0), ("prove_codes", config, desk, 0), ("prove_fit", config, desk, 0)]
    assert asked[3][:2] == ("read_filed", config)
    asked.clear()
    desk.take_back("A")
    assert [one[:2] for one in asked] == [("prove_blind", desk)]


@pytest.mark.parametrize(("attempt", "took", "longest"), [(0, 2.0, 4.0), (2, 1.0, 8.0), (1, 3.0, 12.0), (5, 3.0, 15.0)])
def test_the_while_grows_with_every_try_up_to_a_quarter_of_a_minute(attempt: int, took: float, longest: float) -> None:
    """A random part of it, measured in what the try before took."""
    waits: list[float] = []
    parts = iter((0.0, 0.25, 1.0))
    for _ in range(3):
        Contention(wait=waits.append, draw=lambda: next(parts)).pause(attempt, took)
    assert waits == [0.0, longest / 4, longest]


def test_a_call_that_meets_others_tries_as_often_as_it_may(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try meets another release that is gone after the while; the last try waits for nothing."""
    clock = iter(range(0, 100, 3))
    monkeypatch.setattr("trialdesk.envelopes.release.time.monotonic", lambda: next(clock))
    desk.before["set_use"] = lambda at: None if at % 2 else released_by_somebody(desk, RIG_1, "B")
    wait = desk.waits.append

    def gone(seconds: float) -> None:
        wait(seconds)
        nobody(desk, RIG_1, "B")

    monkeypatch.setattr(Contention, "pause", lambda _, attempt, took: gone(float(attempt * 100 + took)))
    with pytest.raises(Contended, match=r"^A: .*for B") as met:
        desk.release("A", tries=3)
    assert desk.waits == [3.0, 103.0]
    assert met.value.found == frozenset()
    assert (desk.open(), desk.held("A")) == ([(RIG_1, "B")], ("", ""))


def test_a_call_that_meets_another_for_once_goes_through(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes its own marks back, waits, and releases the same envelope."""
    desk.before["set_use"] = only(0, lambda: released_by_somebody(desk, RIG_1, "B"))
    monkeypatch.setattr(Contention, "pause", lambda *_: nobody(desk, RIG_1, "B"))
    assert desk.release("A", tries=2).id == ODE_1
    assert desk.open() == [(ODE_1, "A")]


def test_a_release_that_stands_beside_ours_ends_the_trying(desk: Desk) -> None:
    """Found open by two looks of ours: a person is told, and nine tries are not used."""
    desk.before["set_use"] = only(0, lambda: released_by_somebody(desk, RIG_1, "B"))
    with pytest.raises(Contended, match=r"^A: .*one at a time") as met:
        desk.release("A", tries=9)
    assert [one.record for one in met.value.found] == ["B"]
    assert len(desk.waits) == 2
    assert (desk.open(), desk.held("A")) == ([(RIG_1, "B")], ("", ""))


def test_other_releases_found_after_each_while_are_no_reason_to_stop(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One gives way to the next: the trying goes on, and at last it is our turn."""
    desk.before["set_use"] = only(0, lambda: released_by_somebody(desk, RIG_1, "B"))
    turn = iter(range(3))

    def meanwhile(*_: object) -> None:
        number = next(turn)
        if number == 1:
            nobody(desk, RIG_1, "B")
            released_by_somebody(desk, ODE_2, "C")
        elif number == 2:
            nobody(desk, ODE_2, "C")

    monkeypatch.setattr(Contention, "pause", meanwhile)
    assert desk.release("A", tries=9).id == ODE_1


def test_a_release_that_is_open_before_the_first_try_is_told_at_once(desk: Desk) -> None:
    """No waiting: that is a patient on the phone, no coordinator at the same moment."""
    released_by_somebody(desk, RIG_1, "B")
    with pytest.raises(ReleaseRefused, match=f"A: {RIG_1} is released for B") as met:
        desk.release("A", tries=9)
    assert not isinstance(met.value, Contended)
    assert (desk.waits, desk.steps["set_use"], desk.steps["write"]) == ([], 0, 0)


def test_every_reason_comes_with_the_releases_of_others(desk: Desk) -> None:
    """One line each."""
    released_by_somebody(desk, RIG_1, "B")
    desk.enter("A", RAND, rand_lvl="")
    with pytest.raises(ReleaseRefused) as met:
        desk.release("A")
    lines = str(met.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["A", "A"]
    assert "Planned levels" in lines[0]
    assert RIG_1 in lines[1]


def test_of_a_record_that_does_not_exist_nothing_else_is_said(desk: Desk) -> None:
    """Not even while another release is open."""
    released_by_somebody(desk, RIG_1, "B")
    with pytest.raises(ReleaseRefused) as met:
        desk.release("X-9")
    assert str(met.value).startswith("X-9: ")
    assert RIG_1 not in str(met.value)


def test_running_again_names_the_same_envelope_and_writes_nothing(desk: Desk) -> None:
    """It stands alone."""
    first = desk.release("A")
    desk.steps.clear()
    assert desk.release("A", now=NOW.replace(hour=11)) == first
    assert (desk.steps["set_use"], desk.steps["write"]) == (0, 0)


def test_two_releases_that_stand_are_both_named_and_left(desk: Desk) -> None:
    """With their records; which of them is taken back is for a person to say."""
    desk.release("A")
    released_by_somebody(desk, RIG_1, "B")
    before = desk.memory
    with pytest.raises(ReleaseRefused) as met:
        desk.release("A")
    for word in (ODE_1, f"{RIG_1} for B", "for A", "--take-back"):
        assert word in str(met.value)
    assert str(met.value).startswith("A: ")
    assert desk.memory == before


def test_with_one_release_at_each_site_another_sites_is_no_rival() -> None:
    """`scope: site`; of one's own site it is."""
    with inside():
        desk = local()
        desk.release("A")
        assert desk.release("B").id == RIG_1
        assert desk.release("A").id == ODE_1
        with pytest.raises(ReleaseRefused, match=ODE_1):
            desk.release("C")


def test_an_envelope_that_is_taken_between_choice_and_mark_is_left(desk: Desk) -> None:
    """Another call has it by now: Contended, and nothing of ours is written."""
    desk.before["read"] = only(0, lambda: desk.put(ODE_1, "released", "C", NOW))
    with pytest.raises(Contended, match=f"A: {ODE_1} is released for C by now"):
        desk.release("A")
    assert (desk.steps["set_use"], desk.open()) == (0, [(ODE_1, "C")])
    desk.put(ODE_1, "received")
    desk.before["read"] = only(1, lambda: desk.put(ODE_1, "void"))
    with pytest.raises(Contended, match="void for no record"):
        desk.release("A")


def test_a_register_that_took_the_mark_but_lost_its_answer_is_asked(desk: Desk) -> None:
    """It has it: the release goes on."""
    _lost_answer(desk, "set_use", 0)
    assert desk.release("A").id == ODE_1
    assert desk.held("A")[0] == ODE_1


def _lost_answer(desk: Desk, step: str, number: int) -> None:
    """The step is taken, and then the line breaks, once."""
    plain = getattr(desk, step)

    def lossy(*given: Any, **named: Any) -> Any:
        done = plain(*given, **named)
        if desk.steps[step] == number + 1:
            away(0)
        return done

    setattr(desk, step, lossy)


@pytest.mark.parametrize("record", ["", "C"], ids=["nobody's", "another's"])
def test_a_first_write_that_never_arrived_changes_nothing_and_says_so(desk: Desk, record: str) -> None:
    """The register is asked; it holds no mark of ours."""

    def lost(_: int) -> None:
        if record:
            desk.put(ODE_1, "released", record, NOW)
        away(0)

    desk.before["set_use"] = lost
    with pytest.raises(RedcapUnreachable, match="nothing was changed"):
        desk.release("A")
    assert desk.steps["write"] == 0
    assert desk.open() == ([(ODE_1, record)] if record else [])


def test_with_a_line_that_stays_dead_nobody_knows_and_that_is_said(desk: Desk) -> None:
    """Neither write nor question was answered: it may be half done."""
    desk.before = {"set_use": away, "read": lambda at: away(at) if at == 1 else None}
    with pytest.raises(RedcapUnreachable, match=f"did not answer; {ODE_1} may be half released for A"):
        desk.release("A")


@pytest.mark.parametrize("error", [NotAllowed("no right"), RedcapRefused("no", "no")])
def test_a_record_that_may_not_be_written_frees_the_envelope(desk: Desk, error: Exception) -> None:
    """The refusal is told; the register is as before."""

    def refuse(_: int) -> None:
        raise error

    desk.before["write"] = refuse
    with pytest.raises(type(error)):
        desk.release("A")
    assert (desk.open(), desk.envelope(ODE_1).status, desk.envelope(ODE_1).record) == ([], "received", "")


def test_a_mark_of_another_call_stays_when_the_record_may_not_be_written(desk: Desk) -> None:
    """A half-done release was found in the register: it is not ours to take away."""
    desk.put(ODE_1, "released", "A", NOW)

    def refuse(_: int) -> None:
        raise NotAllowed("no right")

    desk.before["write"] = refuse
    with pytest.raises(NotAllowed):
        desk.release("A")
    assert desk.open() == [(ODE_1, "A")]


def test_a_record_that_was_written_but_lost_its_answer_is_looked_at(desk: Desk) -> None:
    """It names the envelope: released."""
    _lost_answer(desk, "write", 0)
    assert desk.release("A").id == ODE_1


def test_a_record_that_never_got_its_mark_is_told_as_half_done(desk: Desk) -> None:
    """The register keeps it, so that nobody else gets one; the next call for the record ends it."""
    desk.before["write"] = only(0, lambda: away(0))
    with pytest.raises(RedcapUnreachable, match=f"did not answer; {ODE_1} may be half released for A"):
        desk.release("A")
    assert (desk.open(), desk.held("A")) == ([(ODE_1, "A")], ("", ""))
    with pytest.raises(ReleaseRefused, match="half done"):
        desk.release("B")
    assert desk.release("A", now=NOW.replace(hour=12)).id == ODE_1
    assert desk.held("A") == (ODE_1, "2026-03-02 12:30")


@pytest.mark.parametrize("number", [1, 2], ids=["while the record is looked at", "while we look at the end"])
def test_a_line_that_dies_behind_the_writes_is_told_as_half_done(desk: Desk, number: int) -> None:
    """What was written stays, and nobody is told a number."""
    if number == 1:
        desk.before["write"] = only(0, lambda: away(0))
    desk.before["look"] = lambda at: away(at) if at == 1 else None
    with pytest.raises(RedcapUnreachable, match=f"did not answer; {ODE_1} may be half released for A"):
        desk.release("A")
    assert desk.open() == [(ODE_1, "A")]


def test_marks_that_redcap_lost_are_taken_back(desk: Desk) -> None:
    """The record was written and does not hold it: no release, and the envelope is free."""
    desk.before["look"] = only(1, lambda: desk.enter("A", RAND, rand_env_released="", rand_released_at=""))
    with pytest.raises(WriteBackFailed, match=f"A: .*{ODE_1}"):
        desk.release("A")
    assert (desk.open(), desk.held("A")) == ([], ("", ""))


def test_a_lost_mark_is_tried_again(desk: Desk) -> None:
    """Another call that backed off may have written over ours."""
    desk.before["look"] = only(1, lambda: desk.put(ODE_1, "received"))
    assert desk.release("A", tries=2).id == ODE_1
    assert (desk.open(), len(desk.waits)) == ([(ODE_1, "A")], 1)


def test_a_number_typed_in_meanwhile_takes_the_release_back(desk: Desk) -> None:
    """The envelope of another record, or another one in this record: the site did not wait."""
    desk.before["look"] = only(1, lambda: desk.enter("C", RAND, rand_env=ODE_1))
    with pytest.raises(Contended, match=f"^A: {ODE_1} was typed in for C"):
        desk.release("A")
    assert (desk.held("A"), desk.envelope(ODE_1).status) == (("", ""), "received")
    desk.enter("C", RAND, rand_env="")
    desk.before["look"] = only(desk.steps["look"] + 1, lambda: desk.enter("A", RAND, rand_env=ODE_2))
    with pytest.raises(Contended, match="another envelope was typed in"):
        desk.release("A")


def test_its_own_number_typed_in_at_once_is_no_reason(desk: Desk) -> None:
    """A quick clinician: the release stands."""
    desk.before["look"] = only(1, lambda: desk.enter("A", RAND, rand_env=ODE_1))
    assert desk.release("A").id == ODE_1
    assert desk.held("A")[0] == ODE_1


def test_a_second_mark_for_the_record_in_the_register_is_none_that_stands(desk: Desk) -> None:
    """Somebody released another one for it while we wrote."""
    desk.before["look"] = only(1, lambda: desk.put(ODE_2, "released", "A", NOW))
    with pytest.raises(WriteBackFailed):
        desk.release("A")
    assert desk.envelope(ODE_1).status == "received"


def test_a_half_done_release_of_another_pile_is_put_back(desk: Desk) -> None:
    """The stratum was corrected after the crash: the envelope of the record as it is now is released."""
    desk.put(OTHER_1, "released", "A", NOW)
    assert desk.release("A").id == ODE_1
    assert desk.envelope(OTHER_1).status == "received"
    assert desk.open() == [(ODE_1, "A")]


def test_a_half_done_release_is_undone_when_the_record_is_refused(desk: Desk) -> None:
    """The patient is no longer ready: others may go on."""
    desk.put(ODE_1, "released", "A", NOW)
    desk.enter("A", RAND, rand_lvl="")
    with pytest.raises(ReleaseRefused, match="Planned levels"):
        desk.release("A")
    assert (desk.open(), desk.envelope(ODE_1).record) == ([], "")


def test_a_release_whose_register_mark_is_gone_is_completed(desk: Desk) -> None:
    """The record has it whole, the register as received: marked again, and the record keeps its minute."""
    desk.enter("A", RAND, rand_env_released=ODE_1, rand_released_at="2026-03-01 08:00")
    assert desk.release("A").id == ODE_1
    assert (desk.held("A"), desk.steps["write"]) == ((ODE_1, "2026-03-01 08:00"), 0)


def test_backing_off_leaves_the_marks_that_are_not_ours(desk: Desk) -> None:
    """A completed release meets another: what an earlier call wrote stays for a person."""
    desk.put(ODE_1, "released", "A", NOW)
    desk.before["write"] = only(0, lambda: released_by_somebody(desk, RIG_1, "B"))
    with pytest.raises(Contended):
        desk.release("A")
    assert (desk.held("A"), desk.open()) == (("", ""), [(ODE_1, "A"), (RIG_1, "B")])


def test_backing_off_erases_the_record_first(desk: Desk) -> None:
    """A crash in between leaves a half-done release, which the next call mends."""
    desk.before = {
        "write": only(0, lambda: released_by_somebody(desk, RIG_1, "B")),
        "set_use": lambda at: away(at) if at == 1 else None,
    }
    with pytest.raises(RedcapUnreachable):
        desk.release("A")
    assert (desk.held("A"), desk.open()) == (("", ""), [(ODE_1, "A"), (RIG_1, "B")])


def test_a_record_that_names_another_envelope_by_now_is_not_erased(desk: Desk) -> None:
    """Only our own number is taken out of it."""
    desk.before["look"] = lambda at: desk.enter("A", RAND, rand_env_released=ODE_2) if at == 1 else None
    with pytest.raises(WriteBackFailed):
        desk.release("A")
    assert desk.held("A") == (ODE_2, AT)
    assert desk.envelope(ODE_1).status == "received"


def test_a_release_is_taken_back_whole(desk: Desk) -> None:
    """Register and record forget it; there is nothing to take back any more."""
    desk.release("A")
    assert desk.take_back("A") == (ODE_1,)
    assert (desk.open(), desk.held("A"), desk.envelope(ODE_1).released_at) == ([], ("", ""), None)
    with pytest.raises(ReleaseRefused, match=r"A: .*nothing to take back"):
        desk.take_back("A")


def test_half_a_release_is_taken_back_from_either_side(desk: Desk) -> None:
    """The register alone, or the record alone."""
    desk.put(ODE_1, "released", "A", NOW)
    assert desk.take_back("A") == (ODE_1,)
    desk.enter("A", RAND, rand_env_released=ODE_2, rand_released_at=AT)
    assert desk.take_back("A") == (ODE_2,)
    assert (desk.open(), desk.held("A")) == ([], ("", ""))


def test_all_envelopes_released_for_a_record_are_taken_back(desk: Desk) -> None:
    """Named in order; those of others stay."""
    released_by_somebody(desk, RIG_1, "B")
    for name in (ODE_2, ODE_1):
        desk.put(name, "released", "A", NOW)
    assert desk.take_back("A") == (ODE_1, ODE_2)
    assert desk.open() == [(RIG_1, "B")]


def test_an_envelope_whose_opening_is_typed_in_is_not_taken_back(desk: Desk) -> None:
    """Any of it: the line names the envelope."""
    desk.release("A")
    for values in ({"rand_code": "7K3M"}, {"rand_code": "", "rand_env": ODE_1}):
        desk.enter("A", RAND, **values)
        with pytest.raises(ReleaseRefused, match=f"A: an opening of {ODE_1}"):
            desk.take_back("A")
    assert desk.open() == [(ODE_1, "A")]
    desk.enter("A", RAND, rand_env="", rand_code="7K3M")
    desk.put(ODE_2, "released", "A", NOW)
    with pytest.raises(ReleaseRefused, match=f"A: an opening of {ODE_1} and {ODE_2}"):
        desk.take_back("A")


def test_an_envelope_left_unopened_because_another_was_opened_goes_back(desk: Desk) -> None:
    """The record goes on saying which one was released for it."""
    desk.release("A")
    desk.enter("A", RAND, rand_env=ODE_2)
    assert desk.take_back("A") == (ODE_1,)
    assert (desk.envelope(ODE_1).status, desk.held("A")) == ("received", (ODE_1, AT))


def test_a_void_envelope_stays_void(desk: Desk) -> None:
    """Taking back frees the record alone."""
    desk.release("A")
    desk.put(ODE_1, "void", "A")
    assert desk.take_back("A") == (ODE_1,)
    assert (desk.envelope(ODE_1).status, desk.held("A")) == ("void", ("", ""))


def test_a_mark_written_over_anothers_is_given_back_to_it(desk: Desk) -> None:
    """Two records name the envelope, ours holds the register: it goes back to the other, with its minute."""
    desk.release("A")
    desk.enter("C", RAND, rand_env_released=ODE_1, rand_released_at="2026-03-02 10:29")
    desk.take_back("A")
    left = desk.envelope(ODE_1)
    assert (left.status, left.record, left.released_at) == ("released", "C", datetime(2026, 3, 2, 10, 29))
    assert desk.held("A") == ("", "")


def test_it_is_looked_again_after_each_write_until_it_is_right(desk: Desk) -> None:
    """C names the envelope between our look and our write: the register ends with C's mark all the same."""
    desk.release("A")
    at = desk.steps["set_use"]
    desk.before["set_use"] = only(at, lambda: desk.enter("C", RAND, rand_env_released=ODE_1, rand_released_at=AT))
    desk.take_back("A")
    assert desk.steps["set_use"] == at + 2
    assert desk.open() == [(ODE_1, "C")]


def test_a_mark_that_another_call_has_written_since_is_left(desk: Desk) -> None:
    """Between record and register: what is not ours any more is not touched."""
    desk.release("A")
    look = desk.steps["look"]
    desk.before["look"] = only(look + 2, lambda: desk.put(ODE_1, "released", "C", NOW))
    desk.take_back("A")
    assert desk.open() == [(ODE_1, "C")]


def test_an_envelope_that_left_the_register_is_not_looked_for_for_ever(desk: Desk) -> None:
    """The record forgets it; nothing is written into the register."""
    desk.release("A")
    look = desk.steps["look"]

    def gone() -> None:
        kept = frozenset(one for one in desk.memory.envelopes if one.id != ODE_1)
        desk.memory = replace(desk.memory, envelopes=kept)

    desk.before["look"] = only(look + 2, gone)
    assert desk.take_back("A") == (ODE_1,)
    assert desk.held("A") == ("", "")


def test_a_completed_release_that_meets_another_gives_its_own_mark_back(desk: Desk) -> None:
    """The record had it whole, we marked the register: that mark alone is ours."""
    desk.enter("A", RAND, rand_env_released=ODE_1, rand_released_at=AT)
    desk.before["set_use"] = only(0, lambda: released_by_somebody(desk, RIG_1, "B"))
    with pytest.raises(Contended):
        desk.release("A")
    assert (desk.envelope(ODE_1).status, desk.held("A")) == ("received", (ODE_1, AT))


def test_a_look_asks_both_projects_for_their_own(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the trial's configuration and the dictionary that was pulled."""
    asked: list[tuple[Any, ...]] = []
    trial, register = Desk(), Desk()
    monkeypatch.setattr(room, "read_marks", lambda *given: asked.append(given))
    room.Projects(CONFIG, trial, register, DICTIONARY).look()  # type: ignore[arg-type]
    assert asked == [(CONFIG, DICTIONARY, trial, register)]


def local() -> Desk:
    """A trial in which each site has its own open release."""
    envelopes = CONFIG.envelopes.model_copy(update={"scope": "site"})
    return Desk(CONFIG.model_copy(update={"envelopes": envelopes}))


def test_where_each_site_has_its_own_release_two_of_one_site_still_meet() -> None:
    """At the same moment, after the while, and where both stand."""
    with inside():
        desk = local()
        desk.before["set_use"] = only(0, lambda: released_by_somebody(desk, ODE_2, "C"))
        with pytest.raises(Contended, match="for C") as met:
            desk.release("A", tries=9)
        assert [one.record for one in met.value.found] == ["C"]
        assert len(desk.waits) == 2
        released_by_somebody(desk, ODE_1, "A")
        with pytest.raises(ReleaseRefused, match=f"{ODE_1} for A since .*, {ODE_2} for C since"):
            desk.release("A")


def test_all_that_were_released_at_the_same_moment_are_named(desk: Desk) -> None:
    """One after another."""

    def both() -> None:
        released_by_somebody(desk, RIG_1, "B")
        released_by_somebody(desk, ODE_2, "C")

    desk.before["set_use"] = only(0, both)
    with pytest.raises(Contended, match=f"{ODE_2} for C since {AT}, {RIG_1} for B since {AT}"):
        desk.release("A")
