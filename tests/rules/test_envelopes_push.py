"""Register and tables, held against each other in memory: what is added, filled in, taken out, and refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from frozen import FROZEN, trial_dictionary
from redcap_rules.dictionary import Dictionary
from redcap_rules.record import Row
from trialdesk.allocation.codes import codes_of
from trialdesk.allocation.numbering import envelope_id
from trialdesk.allocation.scheme import scheme_of
from trialdesk.allocation.tables import Order, Table, next_table
from trialdesk.config import load
from trialdesk.envelopes.moving import Said
from trialdesk.envelopes.push import PushPlan, Restore, check_tables, guarded, plan_push, push
from trialdesk.envelopes.register import (
    made,
    missing,
    noted,
    prove_blind,
    read_register,
    set_use,
    used,
    write_use,
)
from trialdesk.envelopes.unsealing import find, form_line, note_unsealing
from trialdesk.errors import ConcealmentBroken, NotAllowed, ReleaseRefused, TableError, WriteBackFailed
from trialdesk.model import Envelope, Pile
from trialdesk.redcap.answers import Export
from trialdesk.redcap.gateway import FILTERED, LOG_SEEN, USERS_SEEN

pytestmark = pytest.mark.requirement("ENV-02", "ENV-09", "ENV-11")

CONFIG = load(FROZEN / "config.yaml")
WHOLE = trial_dictionary(FROZEN / "instruments" / "register")
ODE, RIG = Pile("ODE", "K1N"), Pile("RIG", "N2F")
DAY, MINUTE = date(2026, 3, 2), datetime(2026, 3, 2, 10, 30)


class Register:
    """The register in memory, as far as a token sees it."""

    def __init__(self, dictionary: Dictionary = WHOLE, hidden: Iterable[str] = ()) -> None:
        self.held: dict[str, dict[str, str]] = {}
        self.known, self.hidden = dictionary, frozenset(hidden)
        self.more: tuple[str, ...] = ()
        self.asked: list[tuple[str, ...]] = []
        self.about: list[Sequence[str] | None] = []
        self.lossy = self.cleared = False

    def dictionary(self) -> Dictionary:
        return self.known

    def records(self, record_id: str, fields: Sequence[str], *, records: Sequence[str] | None = None) -> Export:
        assert record_id == "env_id"
        assert all(name in self.known for name in fields)
        self.asked.append(tuple(fields))
        self.about.append(records)
        shown = [name for name in fields if name not in self.hidden]
        names = sorted(self.held) if records is None else [name for name in records if name in self.held]
        rows = tuple(
            Row(name, "", "", 0, {one: self.held[name][one] for one in shown if self.held[name].get(one)})
            for name in names
        )
        return Export(rows, frozenset(shown) if rows else frozenset(), {}, ())

    def write(self, record_id: str, rows: Iterable[Row], *, clear: bool = False) -> int:
        assert record_id == "env_id"
        self.cleared = clear
        for row in () if self.lossy else rows:
            assert (row.event, row.instrument, row.instance) == ("", "", 0)
            assert all(isinstance(value, str) for value in row.values.values())
            self.held.setdefault(row.record, {}).update(row.values)
        return 1

    def columns_shown(self, record_id: str, fields: Sequence[str]) -> frozenset[str]:
        assert record_id == "env_id"
        return frozenset(name for name in fields if name not in self.hidden)

    def sees_more(self, record_id: str, condition: str) -> Iterable[str]:
        assert (record_id, condition) == ("env_id", "[env_arm]<>''")
        return self.more


def tables(*rounds: Sequence[Pile]) -> list[Table]:
    """A version for each round."""
    found: list[Table] = []
    for piles in rounds:
        order = Order(tuple(piles), 4, codes_of(CONFIG), "2026-01-02")
        found.append(next_table(found, scheme_of(CONFIG, ((2, 1), (4, 1))), bytes(range(32)), order))
    return found


MADE = tables([ODE, RIG], [ODE])
CARDS = {one.envelope.id: one for table in MADE for one in table.allocations}
ONE, TWO = (envelope_id(ODE, number) for number in (1, 2))


def plan(register: Any, made_: Sequence[Table] = MADE, **given: bool) -> PushPlan:
    return plan_push(made_, register, **given)


def pushed(made_: Sequence[Table] = MADE, **given: bool) -> Register:
    register: Any = Register()
    push(plan(register, made_, **given), made_, register, **given)
    return register  # type: ignore[no-any-return]


def test_an_empty_register_is_given_every_envelope_with_all_its_facts() -> None:
    """Pile, number, batch, proof, card, version, domain, parcel, and status `made`."""
    register = pushed()
    assert set(register.held) == set(CARDS)
    for table in MADE:
        for one in table.allocations:
            assert register.held[one.envelope.id] == {
                "env_site": one.envelope.pile.site,
                "env_stratum": one.envelope.pile.stratum,
                "env_number": str(one.envelope.number),
                "env_batch": str(one.envelope.batch),
                "env_commitment": one.envelope.commitment,
                "env_arm": one.card.arm,
                "env_code": one.card.code,
                "env_version": str(table.version),
                "env_domain": "prod",
                "env_parcel": f"{one.envelope.pile.site}-v00{table.version}",
                "env_status": "made",
            }
    assert register.cleared
    again = plan(register)
    assert (again.empty, again.new, again.fill, again.present) == (True, (), (), len(CARDS))


def test_a_plan_counts_what_it_would_do() -> None:
    """And shows no envelope."""
    register = pushed(MADE[:1])
    found = plan(register)
    assert [row.record for row in found.new] == sorted(one.envelope.id for one in MADE[1].allocations)
    assert str(found).startswith(f"{len(MADE[1].allocations)} envelope(s) to add; {len(MADE[0].allocations)} in ")
    assert str(found).endswith("all as in the tables")
    assert not found.empty
    assert CARDS[ONE].card.code not in repr(found)
    register.held[ONE]["env_version"] = ""
    assert str(plan(register)).endswith("fill in for 1")


def test_what_an_older_register_lacks_is_filled_in_and_nothing_else() -> None:
    """Of the facts it has room for: one without the form `proof` is asked for none of it."""
    register = pushed()
    register.held[ONE] |= {"env_domain": "", "env_arm": "", "env_status": "released"}
    (row,) = plan(register).fill
    assert (row.record, row.values) == (ONE, {"env_domain": "prod", "env_arm": CARDS[ONE].card.arm})
    assert not plan(register).empty
    old = tuple(one for one in WHOLE.fields if one.name not in ("env_version", "env_domain", "env_parcel"))
    register.known = Dictionary(old)
    (row,) = plan(register).fill
    assert set(row.values) == {"env_arm"}


def test_without_cards_they_are_taken_out_and_not_compared() -> None:
    """Arm and code leave the register; the rest is as it was."""
    register = pushed()
    register.held[TWO]["env_arm"] = "9"
    found = plan(register, cards=False)
    assert len(found.fill) == len(CARDS)
    assert {tuple(sorted(row.values.items())) for row in found.fill} == {(("env_arm", ""), ("env_code", ""))}
    register.held[ONE] |= {"env_arm": "", "env_domain": ""}
    row = next(row for row in plan(register, cards=False).fill if row.record == ONE)
    assert row.values == {"env_code": "", "env_domain": "prod"}
    bare: Any = pushed(cards=False)
    assert not any(held.get("env_arm") or held.get("env_code") for held in bare.held.values())
    assert plan(bare, cards=False).empty


@pytest.mark.parametrize("name", ["env_site", "env_stratum", "env_number", "env_batch", "env_commitment", "env_arm",
                                  "env_code", "env_version", "env_domain", "env_parcel"])  # fmt: skip
def test_a_fact_that_differs_stops_the_push(name: str) -> None:
    """Named with its envelope, never with its value; what never may be blank is a difference too."""
    register = pushed()
    register.held[TWO][name] = "other"
    with pytest.raises(TableError) as caught:
        plan(register)
    assert str(caught.value).startswith(f"register: {TWO}: {name} not as in the tables")
    assert "other" not in str(caught.value)
    register.held[TWO][name] = ""
    if name in ("env_arm", "env_code", "env_version", "env_domain", "env_parcel"):
        assert len(plan(register).fill) == 1
    else:
        with pytest.raises(TableError, match=name):
            plan(register)


def test_every_difference_is_a_line_and_strange_envelopes_are_named() -> None:
    """All of them, in the order of their ids."""
    register = pushed()
    register.held[ONE] |= {"env_arm": "9", "env_batch": "7"}
    register.held["AAA-1"] = {"env_status": "made"}
    with pytest.raises(TableError) as caught:
        plan(register)
    first, second = str(caught.value).splitlines()
    assert first.startswith("register: AAA-1: is not in the tables")
    assert second.startswith(f"register: {ONE}: env_batch, env_arm not as")


@pytest.mark.parametrize("hidden", [["env_arm"], ["env_code"], ["env_arm", "env_code"]])
def test_another_token_than_the_packers_is_told_so(hidden: list[str]) -> None:
    """Where there are rows to see; an empty register shows nothing to anybody."""
    register = pushed()
    register.hidden = frozenset(hidden)
    with pytest.raises(NotAllowed, match="TRIALDESK_PACKER_TOKEN"):
        plan(register)
    assert len(plan(Register(hidden=hidden)).new) == len(CARDS)


def test_a_write_that_does_not_arrive_is_told_with_its_number() -> None:
    """What was to be added and to be filled in."""
    register: Any = pushed(MADE[:1])
    register.held[ONE]["env_version"] = ""
    wanted = plan(register)
    register.lossy = True
    with pytest.raises(WriteBackFailed, match=f"^{len(wanted.new) + 1} envelope"):
        push(wanted, MADE, register)


def test_a_deleted_envelope_does_not_come_back_by_itself() -> None:
    """Every one is named; a person's word brings one back, with its status and the reason as its note."""
    register = pushed()
    for name in (ONE, TWO):
        del register.held[name]
    found = plan(register)
    assert guarded(found, ()) == found
    with pytest.raises(TableError, match=f"{ONE}, {TWO} was deleted"):
        guarded(found, (ONE, TWO))
    word = Restore(TWO, "void", "typed by mistake")
    with pytest.raises(TableError, match=f"register: {ONE} was deleted"):
        guarded(found, (ONE, TWO), word)
    back = guarded(found, (TWO,), word)
    one, two = sorted(back.new, key=lambda row: row.values["env_number"])
    assert one == next(row for row in found.new if row.record == ONE)
    assert two.record == TWO
    assert (two.values["env_status"], two.values["env_note"]) == ("void", "restored: typed by mistake")
    assert two.values["env_commitment"] == CARDS[TWO].envelope.commitment
    assert (back.fill, back.present) == (found.fill, found.present)
    with pytest.raises(TableError, match=f"{ONE} was not deleted"):
        guarded(plan(pushed()), (), Restore(ONE, "made", "x"))
    with pytest.raises(TableError, match=f"{ONE} was not deleted"):
        guarded(found, (), Restore(ONE, "made", "x"))


def test_tables_are_those_of_this_trial_and_its_codes() -> None:
    """A line for each other trial or domain, and for codes that changed."""
    check_tables(CONFIG, MADE)
    check_tables(CONFIG, [])
    other = [replace(MADE[0], scheme=replace(MADE[0].scheme, trial=name, domain=domain)) for name, domain in
             (("B", "dev"), ("A", "prod"), ("A", "prod"))]  # fmt: skip
    with pytest.raises(TableError) as caught:
        check_tables(CONFIG, [*MADE, *other])
    lines = str(caught.value).splitlines()
    assert [line.partition(", and this is")[0] for line in lines] == [
        "the tables are of A, prod",
        "the tables are of B, dev",
    ]
    assert all("PVP-MM, prod" in line and line.endswith("nothing was pushed") for line in lines)
    turned = CONFIG.model_copy(update={"arms": CONFIG.arms[::-1]})
    with pytest.raises(TableError, match=r"arms: codes or their order.*nothing was pushed"):
        check_tables(turned, MADE)


def envelope(**facts: Any) -> Envelope:
    """The first of the tables, with what happened to it."""
    return replace(CARDS[ONE].envelope, **facts)


def test_an_envelope_reads_back_as_it_was_written() -> None:
    """Status, minute of release, record and day of opening; blanks erase."""
    register: Any = pushed()
    full = envelope(status="opened", released_at=MINUTE, record="A", opened_on=DAY)
    write_use(register, [full])
    assert read_register(register, [ONE]) == (full,)
    assert used(full) == {
        "env_status": "opened",
        "env_released_at": "2026-03-02 10:30",
        "env_record": "A",
        "env_opened_on": "2026-03-02",
    }
    write_use(register, [envelope()])
    assert register.cleared
    assert read_register(register, [ONE]) == (envelope(),)
    assert set(used(envelope()).values()) == {"made", ""}
    register.about.clear()
    write_use(register, [])
    assert register.about == []
    write_use(register, [CARDS[TWO].envelope, envelope()])
    assert register.about == [[ONE, TWO]]
    assert made(full)["env_commitment"] == full.commitment


def test_the_register_is_read_in_the_order_of_its_piles() -> None:
    """With the days of sending, the note, and the domain where it is asked for; never an arm or a code."""
    register: Any = pushed()
    register.held[ONE] |= {
        "env_packed_on": "2026-01-02",
        "env_dispatched_on": "2026-01-03",
        "env_received_on": "2026-01-05",
        "env_note": "seal torn",
    }
    found = read_register(register)
    assert [one.id for one in found] == [one.envelope.id for one in sorted(CARDS.values())]
    first = found[0]
    assert (first.packed_on, first.dispatched_on, first.received_on) == tuple(date(2026, 1, day) for day in (2, 3, 5))
    assert (first.note, first.domain) == ("seal torn", "")
    assert read_register(register, [ONE], ["env_domain"])[0].domain == "prod"
    register.held[TWO]["env_commitment"] = ""
    assert read_register(register, [ONE, TWO])[1].commitment == ""
    assert not {"env_arm", "env_code"} & {name for asked in register.asked[-2:] for name in asked}


def test_what_is_no_envelope_is_told_line_by_line() -> None:
    """A record that is none; pile, number, batch or status that can't be."""
    register: Any = pushed()
    register.held["X"] = {"env_status": "made"}
    wrong = {"env_site": "RIG", "env_stratum": "N2F", "env_number": "2", "env_batch": "one", "env_status": "open"}
    register.held[ONE] |= wrong
    register.held[TWO] |= {"env_batch": "", "env_status": ""}
    with pytest.raises(TableError) as caught:
        read_register(register)
    lines = str(caught.value).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["register:"] * 8
    told = [line.removeprefix("register: ") for line in lines]
    for name, right in (("env_site", "ODE"), ("env_stratum", "K1N"), ("env_number", "1")):
        assert [line for line in told if line.startswith(f"{ONE}: {name} does not fit") and f"put {right} back" in line]
    for name in (ONE, TWO):
        assert [line for line in told if line.startswith(f"{name}: env_batch is not a number")]
        assert [line for line in told if line.startswith(f"{name}: env_status is blank or unknown")]
    assert [line for line in told if "'X'" in line]


def test_a_token_that_sees_no_commitments_is_told_so() -> None:
    """Where there are envelopes."""
    register: Any = pushed()
    register.hidden = frozenset({"env_commitment"})
    with pytest.raises(NotAllowed, match="proof"):
        read_register(register)
    empty: Any = Register(hidden=["env_commitment"])
    assert read_register(empty) == ()


def test_a_use_that_does_not_read_back_is_named() -> None:
    """Each envelope, in order; one that is not there at all too."""
    register: Any = pushed()
    register.lossy = True
    changed = [envelope(status="void"), replace(CARDS[TWO].envelope, status="void")]
    with pytest.raises(WriteBackFailed, match=f"for {ONE}, {TWO};"):
        write_use(register, changed[::-1])
    write_use(register, [envelope()])
    del register.held[ONE]
    with pytest.raises(WriteBackFailed, match=f"for {ONE};"):
        write_use(register, [envelope()])
    register.lossy = False
    set_use(register, [changed[1]])
    assert register.held[TWO]["env_status"] == "void"


def test_an_envelope_below_another_or_known_before_ought_to_be_there() -> None:
    """In the order of their ids; the highest of a pile may be the last."""

    def one(pile: Pile, number: int) -> Envelope:
        return Envelope(pile, number, envelope_id(pile, number), 1, "made", "00")

    assert missing([one(ODE, 3), one(RIG, 1)], ()) == (ONE, TWO)
    assert missing([one(ODE, 1), one(ODE, 3)], ()) == (TWO,)
    assert missing([one(ODE, 3), one(ODE, 1)], ()) == (TWO,)
    assert missing([one(ODE, 1), one(ODE, 2)], (ONE, "X")) == ("X",)
    assert missing([], ()) == ()


def test_a_note_grows_by_lines() -> None:
    """The first is no second line."""
    assert noted("", "a") == "a"
    assert noted("a", "b") == "a\nb"


def test_a_token_that_sees_nothing_of_the_sealed_form_is_blind() -> None:
    """Not its status, not the log, not the users, and no filter tells."""
    register: Any = Register(hidden=["allocation_complete"])
    prove_blind(register)
    seen: Any = Register()
    with pytest.raises(ConcealmentBroken, match="`allocation`"):
        prove_blind(seen)
    for what, words in ((LOG_SEEN, "right Logging"), (USERS_SEEN, "right User Rights"), (FILTERED, "--without-cards")):
        register.more = (what,)
        with pytest.raises(ConcealmentBroken, match=words) as caught:
            prove_blind(register)
        assert what in str(caught.value)
    other: Any = Register(trial_dictionary())
    with pytest.raises(NotAllowed, match="no envelope register"):
        prove_blind(other)


SAID = Said("AB", DAY, "card torn")


def test_an_envelope_is_found_in_its_tables() -> None:
    """In whichever version; a number of none is told."""
    assert find(MADE, TWO) == CARDS[TWO]
    last = MADE[1].allocations[-1].envelope.id
    assert find(MADE, last) == CARDS[last]
    with pytest.raises(ReleaseRefused, match=r"^ODE-X: is in no version"):
        find(MADE, "ODE-X")


def test_an_unsealing_is_noted_before_an_arm_is_shown() -> None:
    """With who, when and why, below what was noted before; nothing else is changed."""
    register: Any = pushed()
    note_unsealing(register, TWO, SAID)
    assert register.held[TWO]["env_note"] == form_line(SAID) == "2026-03-02 unsealed by AB: card torn"
    before = dict(register.held[TWO])
    note_unsealing(register, TWO, SAID)
    assert register.held[TWO] == {**before, "env_note": f"{form_line(SAID)}\n{form_line(SAID)}"}
    assert not register.cleared


def test_an_unsealing_that_can_not_be_noted_shows_nothing() -> None:
    """The register lacks the envelope, has it as opened, or does not take the note."""
    register: Any = pushed()
    register.held[ONE] |= {"env_status": "opened", "env_record": "A"}
    with pytest.raises(ReleaseRefused, match=f"^{ONE}: is opened for A"):
        note_unsealing(register, ONE, SAID)
    with pytest.raises(ReleaseRefused, match=r"^X: is not in the register"):
        note_unsealing(register, "X", SAID)
    register.lossy = True
    with pytest.raises(WriteBackFailed, match=f"^{TWO}: the register does not hold the note"):
        note_unsealing(register, TWO, SAID)
    assert "env_note" not in register.held[TWO]
