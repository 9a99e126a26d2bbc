"""Whole trials of formulas: by column or record by record, every rule of the trial has the same answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frozen import trial_dictionary, trial_rows
from redcap_rules.choices import checkbox_column
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.logic import Expression, LogicError, evaluate, is_true, parse
from redcap_rules.logic.syntax import Clock
from redcap_rules.record import Row
from smaller import kept_small
from trialdesk.config import Config
from trialdesk.redcap import tables
from trialdesk.redcap.patients import patient, patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.redcap.tables import FEW

DICTIONARY = trial_dictionary()
TODAY = date(2026, 7, 1)
EVENTS = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
FORMS_OF = {
    event: [row["form"] for row in trial_rows("mapping.csv") if row["unique_event_name"] == event] for event in EVENTS
}
REPEATING = {(row["event_name"], row["form_name"]) for row in trial_rows("repeating.csv")}
RULES = [parse(row["rule_logic"]) for row in trial_rows("dq_rules.csv")]
DATES = ("2026-01-05", "2026-02-28", "2026-03-01", "2026-06-30", "2026-07-01", "2027-01-01")


@pytest.fixture(autouse=True)
def by_column(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few places there are: else they are looked at one by one."""
    monkeypatch.setattr(tables, "FEW", 0)


def filled(field: Field, chance: Random) -> Mapping[str, str]:
    """Some value a field of its kind may hold; now and then one that it should not."""
    pick = chance.choice
    if field.kind == "checkbox":
        return {checkbox_column(field.name, option.code): pick(("0", "1")) for option in field.options}
    if field.options:
        return {field.name: pick(("", *(option.code for option in field.options)))}
    return {field.name: pick(("", "1", "2", "44.5", "x", *DATES))}


def pull(seed: int) -> Snapshot:
    """A few records, each with some of the rows a trial has: events left out, forms repeated, gaps in the instances."""
    chance = Random(seed)
    rows = {}
    for record in ("A-1", "A-2", "B-1"):
        found = [Row(record, EVENTS[0], "", 0, {DICTIONARY.record_id: record})]
        for event in EVENTS:
            once = [form for form in FORMS_OF[event] if (event, form) not in REPEATING and chance.random() < 0.7]
            values: dict[str, str] = {}
            for form in once:
                for field in DICTIONARY.form(form):
                    values |= filled(field, chance)
            if values:
                found.append(Row(record, event, "", 0, {name: value for name, value in values.items() if value}))
            for form in (form for form in FORMS_OF[event] if (event, form) in REPEATING):
                for instance in chance.sample((1, 2, 3), chance.randrange(3)):
                    more = {n: v for field in DICTIONARY.form(form) for n, v in filled(field, chance).items() if v}
                    found.append(Row(record, event, form, instance, more))
        rows[record] = tuple({(row.event, row.instrument, row.instance): row for row in found}.values())
    return Snapshot("1", "", DICTIONARY, EVENTS, rows, dict.fromkeys(rows, "a"))


def one_by_one(snapshot: Snapshot, logic: Expression, row: Row) -> bool:
    view = snapshot.view(row.record)
    given_ = {"event": row.event, "instrument": row.instrument, "instance": row.instance}
    return is_true(evaluate(logic, view, today=TODAY, **given_))  # type: ignore[arg-type]


def conditions(config: Config) -> list[Expression]:
    """Every condition of the trial: rules, states, steps, release, and what a contact's form says."""
    states = [getattr(config.states, name) for name in type(config.states).model_fields]
    forms = [form.done for form in config.contact_forms.values()]
    signs = [sign.logic for sign in config.death_signs]
    steps, release = [step.logic for step in config.funnel], [one.require for one in config.release]
    return [*RULES, *states, *steps, *release, *forms, *signs]


@settings(max_examples=4)
@given(st.integers(0).map(pull))
def test_every_condition_of_the_trial_has_the_same_answers_by_column(frozen: Config, snapshot: Snapshot) -> None:
    """In every row of every kind, and where a record stands in no event."""
    for logic in conditions(frozen):
        for places in (snapshot.tables.records, *snapshot.tables.kinds.values()):
            by_column = snapshot.tables.holds(logic, places, TODAY)
            assert by_column == [one_by_one(snapshot, logic, row) for row in places]


@settings(max_examples=1)
@given(st.integers(0).map(pull))
def test_rows_kept_small_say_what_they_say_as_dicts(frozen: Config, snapshot: Snapshot) -> None:
    """A pull leaves blanks and options without a tick out; what holds data, and every answer, is the same."""
    (kept,) = kept_small(snapshot)
    dated = frozenset(field.name for field in DICTIONARY.fields if field.validation.startswith("date"))
    for kind, places in snapshot.tables.kinds.items():
        again = kept.tables.kinds[kind]
        for one, two in zip(places, again, strict=True):
            assert snapshot.tables.held(one) == kept.tables.held(two) == two.values.keys()
            assert {*snapshot.tables.among(one, dated)} == {*kept.tables.among(two, dated)}
        with_any = [[row.record for row in s.tables.holding(p, dated)] for s, p in ((snapshot, places), (kept, again))]
        assert with_any[0] == with_any[1]
        for logic in conditions(frozen):
            assert snapshot.tables.holds(logic, places, TODAY) == kept.tables.holds(logic, again, TODAY)


@settings(max_examples=8)
@given(st.integers(0).map(pull))
def test_a_patient_alone_is_the_patient_of_the_whole_pull(frozen: Config, snapshot: Snapshot) -> None:
    """A release looks at one record, the night at all: they see the same patient."""
    assert patients(snapshot, frozen) == tuple(patient(snapshot, frozen, one) for one in snapshot.records)


@settings(max_examples=2)
@given(st.integers(0).map(pull))
def test_some_records_of_a_pull_are_as_if_there_were_no_others(frozen: Config, snapshot: Snapshot) -> None:
    """Also where conditions were asked in the whole pull before: the same answers, and the rows of no other record."""
    some = snapshot.records[::3]
    alone = replace(snapshot, rows={record: snapshot.rows[record] for record in some})
    undated = [logic for logic in conditions(frozen) if not any(isinstance(x, Clock) for x in logic.program.lookups)]
    for logic in undated[::2]:
        for rows in snapshot.tables.kinds.values():
            snapshot.tables.holds_in(logic, rows[0])
    part = snapshot.of(some)
    assert part == alone
    assert part.tables.kinds == alone.tables.kinds
    assert [part.view(r).rows for r in snapshot.records] == [alone.view(r).rows for r in snapshot.records]
    for logic in undated:
        for rows in part.tables.kinds.values():
            assert [part.tables.holds_in(logic, r) for r in rows] == [alone.tables.holds_in(logic, r) for r in rows]


SMALL = Dictionary(
    (Field("id", "f", "text"), Field("a", "f", "text"), Field("k", "f", "checkbox", choices="1, x | 2, y"))
)


@pytest.mark.parametrize(
    "logic",
    [
        "[previous-event-name][a]='1'", "[next-event-name][a]<>''", "[a][2]='2'", "[a][last-instance]='3'",
        "[event-name]='e2_arm_1'", "[e1_arm_1][k(2)]='0'", "[k(2)]='0'", "[a:label]='1'", "1=1", "today='2026-07-01'",
        "[record-name]='B'", "[current-instance]=2",
    ],
)  # fmt: skip
def test_words_that_depend_on_order_are_read_as_in_a_record(logic: str) -> None:
    """Events before and after, instances, options of rows that are not there."""
    rows = {
        "A": (Row("A", "e1_arm_1", "", 0, {"a": "1"}), Row("A", "e2_arm_1", "", 0, {"k___2": "1"})),
        "B": tuple(Row("B", "e2_arm_1", "f", n, {"a": str(n)}) for n in (2, 3)),
        "C": tuple(Row("C", "e1_arm_1", "", n, {"a": str(n)}) for n in (1, 2)),
    }
    snapshot = Snapshot("1", "", SMALL, ("e1_arm_1", "e2_arm_1"), rows, {})
    found = [
        (row.record, row.event, row.instance, true)
        for places in snapshot.tables.kinds.values()
        for row, true in zip(places, snapshot.tables.holds(parse(logic), places, TODAY), strict=True)
    ]
    expected = [
        (row.record, row.event, row.instance, one_by_one(snapshot, parse(logic), row))
        for places in snapshot.tables.kinds.values()
        for row in places
    ]
    assert found == expected


def test_a_condition_asked_row_by_row_is_answered_as_one_by_one() -> None:
    """All rows of a kind at once, whichever is asked first; another condition has answers of its own."""
    rows = {f"R{n}": (Row(f"R{n}", "e1_arm_1", "", 0, {"a": str(n)}), Row(f"R{n}", "e1_arm_1", "f", 1, {"a": "7"}))
            for n in range(FEW + 5)}  # fmt: skip
    snapshot = Snapshot("1", "", SMALL, ("e1_arm_1",), rows, {})
    for text in ("[a]>'30'", "[a]<='30'", "[a]='7'"):
        logic = parse(text)
        for row in (row for own in rows.values() for row in reversed(own)):
            assert snapshot.tables.holds_in(logic, row) is one_by_one(snapshot, logic, row)


def test_a_field_the_project_lacks_is_named() -> None:
    """As evaluate names it; without a row there is nothing to ask."""
    snapshot = Snapshot("1", "", SMALL, ("",), {"A": (Row("A", "", "", 0, {}),)}, {})
    with pytest.raises(LogicError, match="no field 'b'"):
        snapshot.tables.holds(parse("[b]='1'"), snapshot.tables.records)
    assert snapshot.tables.holds(parse("[b]='1'"), ()) == []
