"""Release: one at a time, every reason at once, two coordinators, crashes, taking back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Barrier, Thread

import pytest

from contract.envelopes.conftest import K1N, World
from redcap_rules.record import Row
from trialdesk.allocation.numbering import envelope_id
from trialdesk.envelopes.openings import settle
from trialdesk.envelopes.register import read_register, write_use
from trialdesk.envelopes.release import Contention, release, take_back
from trialdesk.errors import RedcapUnreachable, ReleaseRefused, WriteBackFailed
from trialdesk.model import Envelope, Pile
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import pull

pytestmark = pytest.mark.requirement("ENV-03", "ENV-06", "ENV-07", "ENV-08", "SCR-02", "SCR-04")

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
N2F = ("2", "2", "1")
ODE_1, ODE_2 = (envelope_id(Pile("ODE", "K1N"), number) for number in (1, 2))
RIG_1 = envelope_id(Pile("RIG", "N2F"), 1)


class Interrupted(Gateway):
    """A gateway that does something before a write: waits, fails, or loses it."""

    def __init__(self, plain: Gateway, before: Callable[[int], bool]) -> None:
        super().__init__(plain.url, plain._secret)
        self._before, self._writes = before, 0

    def write(self, record_id: str, rows: Iterable[Row], *, clear: bool = False) -> int:
        self._writes += 1
        return super().write(record_id, rows, clear=clear) if self._before(self._writes) else 1


def away(_: int) -> bool:
    raise RedcapUnreachable("redcap.example.org did not answer")


def test_a_release_takes_the_lowest_received_envelope_of_the_pile(desk: World) -> None:
    """Register and record both hold it, with the minute in the trial's time zone."""
    desk.enter("A", "ODE")
    write_use(desk.register(), [replace(desk.envelope(ODE_1), status="lost")])
    released = desk.release("A")
    assert (released.id, released.status, released.record) == (ODE_2, "released", "A")
    assert desk.envelope(ODE_2) == released
    assert desk.held("A") == (ODE_2, "2026-03-02 10:30")


def test_all_reasons_against_a_release_come_at_once(desk: World) -> None:
    """One line a reason, each naming the record; nothing is written."""
    desk.enter("B", "RIG", N2F)
    desk.release("B")
    desk.enter("A", "ODE", ("1", "", "0"), screening__con_given="0", baseline__vas_back="")
    with pytest.raises(ReleaseRefused) as caught:
        desk.release("A")
    assert str(caught.value).splitlines() == [
        "A: Planned levels is blank or unknown; complete it",
        "A: no signed consent",
        "A: baseline pain is not complete",
        f"A: {RIG_1} is released for B and not opened yet; one at a time",
    ]
    assert desk.held("A") == ("", "")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"screening__elig_site": ""}, "its site (blank) is not one of the configuration"),
        ({"screening__elig_site": "HER"}, "its site (HER) is not one of the configuration"),
        ({"screening__elig_site": "RIG"}, "its site field says RIG, its data access group ode"),
        ({"randomisation__rand_arm": "1"}, "an envelope is recorded as opened for it already"),
        ({"randomisation__rand_env": "ODE"}, "an envelope is recorded as opened for it already"),
        ({"randomisation__rand_env_released": ODE_2}, f"{ODE_2} is released for it already"),
    ],
)
def test_a_record_that_is_not_ready_is_refused(desk: World, more: dict[str, str], message: str) -> None:
    """Site, data access group and what was used before have to fit."""
    desk.enter("A", "ODE", **more)
    with pytest.raises(ReleaseRefused) as caught:
        desk.release("A")
    assert str(caught.value).startswith(f"A: {message}")
    assert desk.open() == []


def test_an_unknown_record_is_refused(desk: World) -> None:
    """A misheard record number is one line."""
    with pytest.raises(ReleaseRefused, match="X-9: there is no such record"):
        desk.release("X-9")


def test_a_site_before_its_opening_is_refused(desk: World) -> None:
    """Envelopes are released at open sites only."""
    desk.enter("A", "ODE")
    with pytest.raises(ReleaseRefused, match="site ODE is not open on 2026-01-04"):
        desk.release("A", datetime(2026, 1, 4, 12, tzinfo=UTC))


def test_an_empty_pile_is_refused(desk: World) -> None:
    """Envelopes that are not received yet can't be released."""
    pile = [e for e in read_register(desk.register()) if e.pile == Pile("ODE", "K1N")]
    write_use(desk.register(), [replace(e, status="dispatched") for e in pile])
    desk.enter("A", "ODE")
    with pytest.raises(ReleaseRefused, match="no received envelope is left at ODE for Known myeloma, 1 level"):
        desk.release("A")


def test_the_next_release_follows_the_recorded_opening(desk: World) -> None:
    """Once the opening is in the record the next may be released, before the nightly job has settled the register."""
    desk.enter("A", "ODE")
    desk.enter("B", "ODE")
    first = desk.release("A")
    with pytest.raises(ReleaseRefused, match="one at a time"):
        desk.release("B")
    desk.record_opening("A", first.id)
    assert desk.release("B").id == ODE_2
    changes = settle(patients(pull(desk.trial()), desk.config), read_register(desk.register()), desk.config)
    write_use(desk.register(), changes)
    settled = desk.envelope(first.id)
    assert (settled.status, settled.record, settled.opened_on) == ("opened", "A", date(2026, 3, 2))
    assert settled.released_at == first.released_at
    assert [name for name, _ in desk.open()] == [ODE_2]


def test_with_scope_site_each_site_has_its_own_open_release(desk: World) -> None:
    """`scope: site`: another site's open release is no reason, one's own is."""
    envelopes = desk.config.envelopes.model_copy(update={"scope": "site"})
    local = replace(desk, config=desk.config.model_copy(update={"envelopes": envelopes}))
    for record, site in (("A", "ODE"), ("B", "RIG"), ("C", "ODE")):
        desk.enter(record, site)
    local.release("A")
    local.release("B")
    with pytest.raises(ReleaseRefused, match="is released for A"):
        local.release("C")


def both(desk: World, records: tuple[str, str]) -> list[Envelope | ReleaseRefused]:
    """Two coordinators who have both been told yes before either writes."""
    together = Barrier(2, timeout=30)
    results: list[Envelope | ReleaseRefused] = []

    def wait(write: int) -> bool:
        if write == 1:
            together.wait()
        return True

    def one(record: str) -> None:
        try:
            results.append(release(desk.config, desk.trial(), Interrupted(desk.register(), wait), record, NOW))
        except ReleaseRefused as refused:
            results.append(refused)

    threads = [Thread(target=one, args=(record,)) for record in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 2
    return results


@pytest.mark.parametrize("second", ["ODE", "RIG"], ids=["the same pile", "another site"])
@pytest.mark.parametrize("turn", range(2))
def test_of_two_coordinators_at_once_at_most_one_wins(desk: World, second: str, turn: int) -> None:
    """Marks are written before anybody looks: at least one sees the other and takes its own back."""
    desk.enter("A", "ODE")
    desk.enter("B", second)
    won = [result for result in both(desk, ("A", "B")) if isinstance(result, Envelope)]
    assert len(won) <= 1
    assert desk.open() == [(envelope.id, envelope.record) for envelope in won]
    held = {record: desk.held(record)[0] for record in ("A", "B")}
    assert [name for name in held.values() if name] == [envelope.id for envelope in won]
    if not won:
        assert desk.release("A").id == ODE_1  # and then one of them tries again


def test_the_trying_ends_where_a_release_outlasts_the_waiting(desk: World) -> None:
    """Another release comes between our choice and our write, and is still open after a while: a person is told."""
    desk.enter("A", "ODE")
    desk.enter("B", "RIG")

    def other_first(write: int) -> bool:
        if write == 1:
            desk.release("B")
        return True

    waits: list[float] = []
    ours = Interrupted(desk.register(), other_first)
    with pytest.raises(ReleaseRefused, match="is released for B and not opened yet; one at a time"):
        release(desk.config, desk.trial(), ours, "A", NOW, Contention(tries=9, wait=waits.append))
    assert len(waits) == 2  # after taking our own back, and after finding theirs; found once more, it stands
    assert [record for _, record in desk.open()] == ["B"]


def test_two_calls_for_one_record_give_it_one_envelope(desk: World) -> None:
    """Two coordinators with the same patient on the phone name the same envelope, or one of them is refused."""
    desk.enter("A", "ODE")
    won = {result.id for result in both(desk, ("A", "A")) if isinstance(result, Envelope)}
    assert won == {ODE_1}
    assert desk.open() == [(ODE_1, "A")]
    assert desk.held("A")[0] == ODE_1


def crash_between_the_writes(desk: World, record: str) -> None:
    with pytest.raises(RedcapUnreachable):
        release(desk.config, Interrupted(desk.trial(), away), desk.register(), record, NOW)


def test_a_release_that_broke_off_is_completed_by_the_next_call_for_the_record(desk: World) -> None:
    """The register was marked, the record not: others wait, the record gets the very same envelope."""
    desk.enter("A", "ODE")
    desk.enter("B", "RIG")
    crash_between_the_writes(desk, "A")
    assert (desk.open(), desk.held("A")) == ([(ODE_1, "A")], ("", ""))
    with pytest.raises(ReleaseRefused, match=r"B: .* is released for A and not opened yet \(half done"):
        desk.release("B")
    assert desk.release("A").id == ODE_1
    assert desk.held("A")[0] == ODE_1


def test_a_release_that_broke_off_is_undone_when_it_may_not_be_completed(desk: World) -> None:
    """The patient is no longer ready: the envelope is received again and others may go on."""
    desk.enter("A", "ODE")
    desk.enter("B", "ODE")
    crash_between_the_writes(desk, "A")
    desk.enter("A", "ODE", screening__con_given="0")
    with pytest.raises(ReleaseRefused, match="A: no signed consent"):
        desk.release("A")
    assert desk.open() == []
    assert desk.release("B").id == ODE_1


@pytest.mark.parametrize("field", ["rand_env", "rand_arm", "rand_code", "rand_date", "rand_time"])
def test_an_envelope_is_opened_once_anything_of_it_is_typed_in(desk: World, field: str) -> None:
    """Number, arm, code, date or time alone: not taken back, and the next may be released."""
    desk.enter("A", "ODE")
    desk.enter("B", "ODE")
    first = desk.release("A")
    typed = {
        "rand_env": first.id,
        "rand_arm": "1",
        "rand_code": "7K3M",
        "rand_date": "2026-03-02",
        "rand_time": "10:45",
    }
    desk.enter("A", "ODE", **{f"randomisation__{field}": typed[field]})
    with pytest.raises(ReleaseRefused, match="an opened envelope can't be taken back"):
        take_back(desk.config, desk.trial(), desk.register(), "A")
    assert desk.release("B").id == ODE_2


@pytest.mark.parametrize(("site", "stratum"), [("ODE", N2F), ("RIG", K1N)], ids=["stratum", "site"])
def test_a_half_done_release_of_another_pile_is_put_back(desk: World, site: str, stratum: Sequence[str]) -> None:
    """The clinician corrects stratum or site after the crash: the envelope of the record as it is now is released."""
    desk.enter("A", "ODE")
    crash_between_the_writes(desk, "A")
    desk.admin.delete_records(["A"])
    desk.enter("A", site, stratum)
    released = desk.release("A")
    assert (released.pile.site, released.pile.stratum) == (site, "K1N" if stratum == K1N else "N2F")
    assert desk.envelope(ODE_1).status == "received"
    assert desk.open() == [(released.id, "A")]


def test_a_release_of_another_pile_is_never_read_out_again(desk: World) -> None:
    """Whole in both projects, then the stratum is corrected: only a person takes it back."""
    desk.enter("A", "ODE")
    desk.release("A")
    desk.enter("A", "ODE", N2F)
    with pytest.raises(ReleaseRefused, match=f"{ODE_1} is released for it, and is not of the site and stratum"):
        desk.release("A")
    assert desk.open() == [(ODE_1, "A")]
    take_back(desk.config, desk.trial(), desk.register(), "A")
    assert desk.release("A").pile.stratum == "N2F"


def test_two_released_envelopes_of_one_record_are_both_named(desk: World) -> None:
    """Somebody typed the second into the register."""
    desk.enter("A", "ODE")
    desk.release("A")
    write_use(desk.register(), [replace(desk.envelope(ODE_2), status="released", record="A")])
    with pytest.raises(ReleaseRefused, match=f"{ODE_1} and {ODE_2} are released for it"):
        desk.release("A")
    assert take_back(desk.config, desk.trial(), desk.register(), "A") == (ODE_1, ODE_2)
    assert desk.release("A").id == ODE_1


def test_running_again_returns_the_same_envelope_and_takes_nothing_back(desk: World) -> None:
    """Alone it is named again; beside another one both are named with their times, and nothing changes."""
    desk.enter("A", "ODE")
    desk.enter("B", "RIG", N2F)
    first = desk.release("A")
    assert desk.release("A", NOW.replace(hour=11)) == first
    other = replace(desk.envelope(RIG_1), status="released", record="B", released_at=datetime(2026, 3, 2, 10, 31))
    write_use(desk.register(), [other])
    desk.enter(
        "B", "RIG", N2F, randomisation__rand_env_released=RIG_1, randomisation__rand_released_at="2026-03-02 10:31"
    )
    before = desk.open()
    named = f"{ODE_1} for A since 2026-03-02 10:30, {RIG_1} for B since 2026-03-02 10:31; nothing was changed"
    with pytest.raises(ReleaseRefused, match=named):
        desk.release("A")
    with pytest.raises(ReleaseRefused, match="--take-back"):
        desk.release("B")
    assert desk.open() == before
    take_back(desk.config, desk.trial(), desk.register(), "B")
    assert desk.release("A").id == ODE_1


class Lossy(Gateway):
    """A gateway whose writes arrive and whose answers don't, as often as told."""

    def __init__(self, plain: Gateway, times: int) -> None:
        super().__init__(plain.url, plain._secret)
        self._left = times

    def write(self, record_id: str, rows: Iterable[Row], *, clear: bool = False) -> int:
        count = super().write(record_id, rows, clear=clear)
        if self._left:
            self._left -= 1
            raise RedcapUnreachable("redcap.example.org did not answer in time")
        return count


def test_a_write_whose_answer_is_lost_is_looked_for(desk: World) -> None:
    """Both writes arrived: the release stands."""
    desk.enter("A", "ODE")
    trial, register = Lossy(desk.trial(), 1), Lossy(desk.register(), 1)
    assert release(desk.config, trial, register, "A", NOW).id == ODE_1
    assert (desk.open(), desk.held("A")[0]) == ([(ODE_1, "A")], ODE_1)


def test_a_first_write_that_never_arrived_changes_nothing(desk: World) -> None:
    """The line says so, and it is true."""
    desk.enter("A", "ODE")
    with pytest.raises(RedcapUnreachable, match="nothing was changed"):
        release(desk.config, desk.trial(), Interrupted(desk.register(), away), "A", NOW)
    assert desk.open() == []


def test_a_write_that_redcap_lost_is_taken_back(desk: World) -> None:
    """Register and record are read back; a release that does not stand in both is none."""
    desk.enter("A", "ODE")
    lossy = Interrupted(desk.trial(), lambda _: False)
    with pytest.raises(WriteBackFailed, match="it was taken back, try again"):
        release(desk.config, lossy, desk.register(), "A", NOW, Contention(wait=lambda _: None))
    assert (desk.open(), desk.held("A")) == ([], ("", ""))


def test_a_release_can_be_taken_back_until_it_is_opened(desk: World) -> None:
    """Register and record forget it, and the same envelope is the next of its pile."""
    desk.enter("A", "ODE")
    desk.release("A")
    assert take_back(desk.config, desk.trial(), desk.register(), "A") == (ODE_1,)
    assert (desk.open(), desk.held("A")) == ([], ("", ""))
    with pytest.raises(ReleaseRefused, match="nothing to take back"):
        take_back(desk.config, desk.trial(), desk.register(), "A")
    assert desk.release("A").id == ODE_1
    desk.record_opening("A", ODE_1)
    with pytest.raises(ReleaseRefused, match="an opened envelope can't be taken back"):
        take_back(desk.config, desk.trial(), desk.register(), "A")


def test_an_envelope_somebody_began_to_record_is_not_taken_back(desk: World) -> None:
    """With an envelope number typed in, the envelope counts as opened."""
    desk.enter("A", "ODE", randomisation__rand_env=ODE_1, randomisation__rand_env_released=ODE_1)
    with pytest.raises(ReleaseRefused, match="can't be taken back"):
        take_back(desk.config, desk.trial(), desk.register(), "A")


def test_a_void_envelope_stays_void_when_its_release_is_taken_back(desk: World) -> None:
    """A torn envelope is void in the register; taking back frees the record, and the next in order is used."""
    desk.enter("A", "ODE")
    released = desk.release("A")
    write_use(desk.register(), [replace(released, status="void")])
    take_back(desk.config, desk.trial(), desk.register(), "A")
    assert desk.envelope(ODE_1).status == "void"
    assert desk.release("A").id == ODE_2
