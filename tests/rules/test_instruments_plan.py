"""Plans: the difference between files and project, weighed with what the records hold."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.record import Row
from trialdesk.instruments.change import Change, Plan
from trialdesk.instruments.compare import compare
from trialdesk.instruments.design import Arm, Design, Event, Repeat, Slot
from trialdesk.instruments.live import HIDDEN_EVENT, Live
from trialdesk.instruments.plan import plan
from trialdesk.instruments.rendering import consequence, summary, to_json, to_markdown, to_terminal
from trialdesk.instruments.stakes import Holdings

pytestmark = pytest.mark.requirement("INS-01", "INS-02")

YES_NO = "1, Yes | 2, No"
FIELDS = (
    Field("id", "visit", "text"),
    Field("seen", "visit", "text", validation="date_dmy"),
    Field("pain", "visit", "radio", choices="1, None | 2, Some | 3, Much"),
    Field("signs", "visit", "checkbox", choices="1, Fever | 2, Fall"),
    Field("total", "visit", "calc", choices="[pain]+1"),
    Field("note", "log", "notes"),
    Field("name", "log", "text", identifier=True),
)
DESIGN = Design(
    Dictionary(FIELDS),
    (Arm("1", "Arm 1"),),
    (Event("first_arm_1", "First"), Event("second_arm_1", "Second")),
    (Slot("first_arm_1", "visit"), Slot("second_arm_1", "visit"), Slot("second_arm_1", "log")),
    (Repeat("second_arm_1", "log", "[note]"),),
    ("ODE", "AAR"),
)
ROWS = (
    Row(
        "1",
        "first_arm_1",
        "",
        0,
        {"pain": "2", "total": "3", "signs___1": "1", "signs___2": "0", "visit_complete": "2"},
    ),
    Row("2", "first_arm_1", "", 0, {"pain": "3", "total": "4", "signs___1": "0", "signs___2": "0"}),
    Row("2", "second_arm_1", "log", 2, {"note": "fell", "log_complete": "0"}),
)


def made(desired: Design, live: Design = DESIGN, rows: Sequence[Row] = ROWS, *, production: bool = False) -> Plan:
    def count(fields: Sequence[str]) -> Holdings:
        columns = {c for name in fields for c in _columns(live.dictionary, name)}
        shown = (replace(row, values={c: v for c, v in row.values.items() if c in columns}) for row in rows)
        return Holdings(len({row.record for row in rows}), tuple(shown))

    return plan("trial", desired, Live("7", "Pain", production, live), count)


def _columns(dictionary: Dictionary, name: str) -> tuple[str, ...]:
    return dictionary.get(name).columns if name in dictionary else (name,)


def changed(name: str, **attributes: Any) -> Design:
    fields = tuple(replace(f, **attributes) if f.name == name else f for f in FIELDS)
    return replace(DESIGN, dictionary=Dictionary(fields))


def without(name: str) -> Design:
    return replace(DESIGN, dictionary=Dictionary(tuple(f for f in FIELDS if f.name != name)))


def only(found: Plan) -> Change:
    assert len(found.changes) == 1, found.changes
    return found.changes[0]


def test_a_project_that_is_as_the_files_say_has_an_empty_plan() -> None:
    """No difference, no change."""
    assert made(DESIGN).empty
    assert summary(made(DESIGN)) == "trial: nothing to change"


@pytest.mark.parametrize(
    ("name", "attributes", "risk", "records"),
    [
        ("seen", {"label": "Day of visit"}, "safe", None),
        ("seen", {"required": True}, "safe", None),
        ("seen", {"validation": "date_ymd"}, "safe", 0),  # no record holds a date yet
        ("total", {"choices": "[pain]+2"}, "care", 2),
        ("pain", {"branching": "[seen]<>''"}, "care", 2),
        ("pain", {"choices": "1, None | 2, Some | 3, Much | 4, Worst"}, "safe", None),
        ("pain", {"choices": "3, Much | 2, Some | 1, None"}, "safe", None),
        ("pain", {"choices": "1, None | 2, A bit | 3, Much"}, "care", 1),
        ("pain", {"choices": "1, None | 2, Some"}, "destroys", 1),
        ("pain", {"choices": "2, Some | 3, Much"}, "safe", 0),
        ("signs", {"choices": "2, Fall"}, "destroys", 1),
        ("signs", {"choices": "1, Fever"}, "safe", 0),
        ("pain", {"kind": "dropdown"}, "care", 2),
        ("pain", {"kind": "calc"}, "destroys", 2),  # it overwrites what was answered
        ("name", {"identifier": False}, "care", 2),
    ],
)
def test_the_risk_of_an_update_follows_from_the_answers_stored(
    name: str, attributes: dict[str, Any], risk: str, records: int | None
) -> None:
    """Safe: no stored answer changes its meaning. Care: look. Destroys: answers are lost."""
    change = only(made(changed(name, **attributes)))
    assert (change.part, change.kind, change.name) == ("metadata", "update", name)
    assert (change.risk, change.records) == (risk, records)


def test_changing_a_checkbox_into_a_radio_loses_its_ticks() -> None:
    """A checkbox is stored as one column an option, a radio as one."""
    kinds = {c.attribute: c for c in made(changed("signs", kind="radio")).changes}
    assert (kinds["kind"].risk, kinds["kind"].records) == ("destroys", 1)


@pytest.mark.parametrize(
    ("name", "risk", "records"),
    [("pain", "destroys", 2), ("seen", "safe", 0), ("signs", "destroys", 1), ("name", "destroys", None)],
)
def test_deleting_a_field_destroys_what_it_holds(name: str, risk: str, records: int | None) -> None:
    """An identifier is never asked for, so it counts as holding data."""
    change = only(made(without(name)))
    assert (change.kind, change.risk, change.records) == ("delete", risk, records)


def test_another_record_id_destroys_every_record() -> None:
    """The first field names the records."""
    other = Dictionary((Field("key", "visit", "text"), *FIELDS[1:]))
    found = made(replace(DESIGN, dictionary=other))
    assert [(c.kind, c.name, c.risk) for c in found.changes] == [
        ("create", "key", "safe"),
        ("delete", "id", "destroys"),
    ]
    assert found.changes[1].records == 2


def test_moving_one_field_to_the_front_is_one_change() -> None:
    """The fewest fields move: those outside the longest run that keeps its order."""
    order = (FIELDS[0], FIELDS[4], FIELDS[1], FIELDS[2], FIELDS[3], FIELDS[5], FIELDS[6])
    change = only(made(replace(DESIGN, dictionary=Dictionary(order))))
    assert (change.kind, change.name, change.before, change.after) == ("move", "total", "after signs", "after id")


@given(st.permutations([f"f{n}" for n in range(9)]))
def test_the_names_that_do_not_move_keep_their_order(wanted: list[str]) -> None:
    """Leaving out the moved names, both orders are the same."""
    live = Dictionary(tuple(Field(f"f{n}", "a", "text") for n in range(9)))
    changes = compare(Design(Dictionary(tuple(Field(n, "a", "text") for n in wanted))), Design(live))
    moved = {c.name for c in changes}
    assert [n for n in wanted if n not in moved] == [f.name for f in live.fields if f.name not in moved]


def test_an_event_that_goes_takes_its_answers_with_it() -> None:
    """The forms of the event are not listed one by one."""
    third = Event("third_arm_1", "Third")
    desired = replace(DESIGN, events=(DESIGN.events[1], third), mapping=DESIGN.mapping[1:])
    found = made(desired)
    assert [(c.part, c.kind, c.name, c.risk) for c in found.changes] == [
        ("event", "create", "third_arm_1", "safe"),
        ("event", "delete", "first_arm_1", "destroys"),
    ]
    assert found.changes[1].records == 2


def test_a_form_taken_out_of_an_event_puts_its_answers_out_of_reach() -> None:
    """REDCap keeps them, but shows and exports them no more."""
    desired = replace(DESIGN, mapping=DESIGN.mapping[:2], repeating=())
    found = {(c.part, c.kind): c for c in made(desired).changes}
    assert (found["mapping", "delete"].risk, found["mapping", "delete"].records) == ("destroys", 1)
    assert (found["repeating", "delete"].risk, found["repeating", "delete"].records) == ("destroys", 1)


def test_a_field_moved_to_a_form_that_stands_elsewhere_loses_its_answers() -> None:
    """`log` does not stand in the first event, where `pain` has answers."""
    fields = (*FIELDS[:2], *FIELDS[3:5], replace(FIELDS[2], form="log"), *FIELDS[5:])
    found = made(replace(DESIGN, dictionary=Dictionary(fields)))
    change = next(c for c in found.changes if c.attribute == "form")
    assert (change.risk, change.records, change.why) == ("destroys", 2, "the form log does not stand in first_arm_1")


def test_a_classic_project_with_records_loses_them_with_its_hidden_event() -> None:
    """Its answers are in `event_1_arm_1`, which the files do not name."""
    live = Design(Dictionary(FIELDS), (Arm("1", "Arm 1"),), (HIDDEN_EVENT,), (), (), ("ODE", "AAR"))
    found = made(DESIGN, live, [replace(row, event="", instrument="", instance=0) for row in ROWS])
    assert [c.name for c in found.changes if c.risk == "destroys"] == ["event_1_arm_1"]
    assert next((c.part, c.risk) for c in found.changes) == ("settings", "care")


def test_offsets_are_compared_only_where_the_server_shows_them() -> None:
    """Without scheduling REDCap shows no offsets, and a difference nobody can see is none."""
    desired = replace(DESIGN, events=tuple(replace(e, day="7") for e in DESIGN.events))
    assert made(desired).empty
    live = replace(DESIGN, events=tuple(replace(e, day="5.0") for e in DESIGN.events))
    assert {(c.attribute, c.before, c.after) for c in made(desired, live).changes} == {("day", "5", "7")}


def test_a_surplus_group_is_a_step_for_a_person_and_no_change() -> None:
    """REDCap deletes a data access group only when nobody is in it."""
    found = made(replace(DESIGN, groups=("ODE",)))
    assert found.empty
    assert found.notes == (
        "Data access group AAR is not a site of the configuration: delete it in REDCap once it is empty.",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [("1,None|2,  Some |3,Much", "1, None | 2, Some | 3, Much"), ("1, None\r\n2, Some\n3, Much", YES_NO)],
)
def test_spelling_that_redcap_does_not_keep_is_no_difference(before: str, after: str) -> None:
    """REDCap writes choices in its own spacing and knows both line ends."""
    same = made(changed("pain", choices=before), changed("pain", choices=after))
    assert same.empty is ("None" in after)


def test_licensed_wording_shows_as_a_fingerprint() -> None:
    """A plan can be read by anyone; the wording cannot."""
    secret = changed("pain", label="How bad is it really?", annotation="LICENSED-TEXT odi_2_1a")
    neutral = changed("pain", label="ODI section 1 (pain)", annotation="LICENSED-TEXT odi_2_1a")
    change = only(made(secret, neutral))
    assert change.attribute == "label"
    assert "really" not in to_json(made(secret, neutral)) + to_markdown(made(secret, neutral))
    assert change.after.startswith("licensed wording ")


def test_the_digest_stands_for_the_changes_and_not_for_the_count() -> None:
    """Data entry goes on while a plan is read; a new risk is another plan."""
    desired = without("pain")
    one, two, none = made(desired, rows=ROWS[:1]), made(desired), made(desired, rows=ROWS[2:])
    assert one.digest == two.digest != none.digest
    assert made(without("seen")).digest != two.digest
    assert replace(two, project_id="8").digest != two.digest


@pytest.mark.parametrize(
    ("desired", "rows", "brakes"),
    [
        (without("seen"), ROWS, 0),
        (without("pain"), ROWS, 1),
        (without("pain"), [], 0),  # nothing is lost in a project without records
        (replace(DESIGN, dictionary=Dictionary(tuple(replace(f, label="New") for f in FIELDS))), ROWS, 1),
    ],
)
def test_the_brakes_hold_for_lost_data_and_for_big_changes(desired: Design, rows: list[Row], brakes: int) -> None:
    """Deleting data, or touching more than 30 % of the fields, needs a second thought."""
    assert len(made(desired, rows=rows).brakes) == brakes


def test_the_renderings_name_every_change_and_its_risk() -> None:
    """Terminal, markdown and JSON say the same."""
    from rich.console import Console

    found = made(without("pain"))
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(to_terminal(found))
    for text in (captured.get(), to_markdown(found)):
        assert "pain" in text
        assert "destroys data, 2 records: the answers are deleted with the field" in " ".join(text.split())
        assert found.digest in text
    machine = json.loads(to_json(found))
    assert machine["digest"] == found.digest
    assert machine["changes"][0]["records"] == 2
    assert consequence(only(found)) == "destroys data, 2 records: the answers are deleted with the field"


def test_ten_thousand_fields_turned_round_are_planned_in_seconds() -> None:
    """All but one have to move."""
    live = tuple(Field(f"f{n}", "a", "text", label="Old") for n in range(10_000))
    started = time.perf_counter()
    changes = compare(Design(Dictionary(live[::-1])), Design(Dictionary(live)))
    assert len(changes) == 9_999
    assert time.perf_counter() - started < 10
