"""What tells an arm in forms every arm has: gone or moved in the proof, never listed, declared in the configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from shutil import copytree

import pytest

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.record import Row
from smaller import kept_small
from trialdesk.config import Config, load
from trialdesk.errors import ConcealmentBroken
from trialdesk.facts.cards import Cards
from trialdesk.facts.deriving import Past, derive
from trialdesk.facts.pulling import Pull
from trialdesk.facts.worlds import exchanged, worlds
from trialdesk.instruments.checks import check_projects
from trialdesk.instruments.treatment import Telling, telling
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.blinding import prove_blind
from trialdesk.reports.pack import enrolment_packs
from trialdesk.workbook import Column, Line, SheetTable

pytestmark = pytest.mark.requirement("REP-02")

CONFIG: Config = load(FROZEN / "config.yaml")
DICTIONARY = trial_dictionary()
TELLING = telling(DICTIONARY, CONFIG)
EVENTS = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
DAY = date(2026, 7, 1)
# Every value and code that the trial lists: its field, a value, and the log it stands in.
PLANTED = [("ae_rel", "0", "adverse_event"), ("ae_rel", "4", "adverse_event")]
PLANTED += [("ae_cat", code, "adverse_event") for code in ("1", "2")]
PLANTED += [("dev_code", code, "protocol_deviation") for code in ("6", "7", "8", "11")]

Logged = Sequence[tuple[str, str, dict[str, str]]]
"""Record, log and values of logged rows; a record's rows of a log count up by themselves."""


def pull(logged: Logged) -> Snapshot:
    """Four randomised patients, two in each arm, with what is logged."""
    rows: dict[str, list[Row]] = {}
    for number, arm in enumerate("1212", 1):
        record, site = f"ODE-{number}", {"elig_site": "ODE", "elig_date": "2026-02-01"}
        opened = {"rand_date": "2026-03-02", "rand_arm": arm}
        rows[record] = [
            Row(record, "screening_arm_1", "", 0, {**site, "con_date": "2026-02-02", "con_given": "1"}),
            Row(record, "randomisation_arm_1", "", 0, opened),
            Row(record, "week_2_arm_1", "", 0, {"nc_stat": "1", "nc_date": "2026-03-16", "nc_ae": "1"}),
        ]
        if arm == "1":
            rows[record].append(Row(record, "pvp_procedure_arm_1", "", 0, {"pvp_done": "1", "pvp_date": "2026-03-05"}))
    for record, log, values in logged:
        instance = sum(row.instrument == log for row in rows[record]) + 1
        rows[record].append(Row(record, "logs_arm_1", log, instance, values))
    groups = dict.fromkeys(rows, "ode")
    return Snapshot("1", "", DICTIONARY, EVENTS, {record: tuple(part) for record, part in rows.items()}, groups)


def listed(field: str) -> Callable[[Snapshot], list[SheetTable]]:
    """A careless sheet: every answer to a field beside its record."""

    def sheet(snapshot: Snapshot) -> list[SheetTable]:
        found = ((record, row.values.get(field)) for record, rows in snapshot.rows.items() for row in rows)
        lines = tuple(Line((record, value)) for record, value in sorted(found, key=str) if value)
        return [SheetTable("Leak", "Leak", "", (Column("Record"), Column("Answer")), lines)]

    return sheet


def counted(field: str) -> Callable[[Snapshot], list[SheetTable]]:
    """Another: how often each answer was given in the whole trial."""

    def sheet(snapshot: Snapshot) -> list[SheetTable]:
        found = [row.values.get(field, "") for rows in snapshot.rows.values() for row in rows]
        lines = tuple(Line((value, found.count(value))) for value in sorted({*found} - {""}))
        return [SheetTable("Leak", "Leak", "", (Column("Answer"), Column("Times")), lines)]

    return sheet


@pytest.mark.parametrize(("field", "value", "log"), PLANTED)
@pytest.mark.parametrize("careless", [listed, counted])
def test_each_of_them_planted_in_one_arm_stops_a_sheet_that_shows_it(
    field: str, value: str, log: str, careless: Callable[[str], Callable[[Snapshot], list[SheetTable]]]
) -> None:
    """By patient and by count, beside other answers that tell nothing."""
    snapshot = pull([("ODE-1", log, {field: value}), ("ODE-3", log, {field: value}), ("ODE-2", log, {"ae_cat": "9"})])
    sheet = careless(field)
    with pytest.raises(ConcealmentBroken, match="sheet Leak"):
        prove_blind(sheet(snapshot), map(sheet, worlds(snapshot, CONFIG, TELLING)))


def test_what_every_arm_can_have_stays() -> None:
    """A fall and its day stay with the patient in every world, and so does the day of a cement leakage."""
    fall = {"ae_cat": "10", "ae_start": "2026-03-09", "ae_grade": "1"}
    leakage = {"ae_cat": "1", "ae_start": "2026-03-05", "ae_grade": "3", "ae_rel": "5"}
    snapshot = pull([("ODE-1", "adverse_event", leakage), ("ODE-2", "adverse_event", fall)])
    for world in (*worlds(snapshot, CONFIG, TELLING), exchanged(snapshot, CONFIG, TELLING)):
        mine = {row.record: row for rows in world.rows.values() for row in rows if row.values.get("ae_start")}
        assert {record: (row.values["ae_start"], row.values["ae_grade"]) for record, row in mine.items()} == {
            "ODE-1": ("2026-03-05", "3"),
            "ODE-2": ("2026-03-09", "1"),
        }
        assert (mine["ODE-2"].values["ae_cat"], mine["ODE-1"].values.get("ae_cat")) == ("10", None)


def test_an_honest_report_is_the_same_in_every_world() -> None:
    """All of them planted in one arm, with findings about them: nothing of it shows, so nothing stops the night."""
    events = {"ae_start": "2026-03-06", "ae_ser": "1", "ae_aware": "2026-03-06", "ae_spons": "2026-03-20"}
    rows = [(f"ODE-{n}", log, {**events, field: value}) for n in (1, 3) for field, value, log in PLANTED]
    snapshot = pull([*rows, ("ODE-2", "adverse_event", {"ae_cat": "9", "ae_start": "2026-03-09"})])
    facts = derive(Pull(snapshot, patients(snapshot, CONFIG), (), {}), Past(), CONFIG, DAY, cards=Cards())
    assert {"monitor", "site:ODE"} == enrolment_packs(facts, ("monitor", "site:ODE")).keys()
    assert facts.found is not None
    assert any(one.rule == "Q65" for one in facts.found.treatment)


def test_what_depends_on_a_listed_field_tells_as_well() -> None:
    """Whether an event was expected is asked only where it is related; codes alone do not close their field."""
    assert {"ae_rel", "ae_exp"} <= TELLING.columns
    assert not {"ae_cat", "dev_code"} & TELLING.columns
    assert {"ae_cat", "dev_code"} <= TELLING.fields
    assert (TELLING.answer("ae_cat", "1"), TELLING.answer("ae_cat", "9")) == (True, False)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("field: ae_rel}", "field: ae_rle}", ("error", "treatment_values 1.field", "there is no field ae_rle")),
        ('["1", "2"]', '["1", "22"]', ("error", "treatment_values 2.codes", "ae_cat has no code 22")),
        ("arm_free: [elig_np_rsn", "arm_free: [elig_np", ("error", "arm_free 1", "there is no field elig_np")),
        (
            "arm_free: [elig_np_rsn",
            "arm_free: [ae_exp",
            ("error", "arm_free 1", "ae_exp is declared free of the arm, and tells it: it depends on ae_rel, and"),
        ),
        (
            "ae_grade, ae_out,",
            "ae_out,",
            ("warning", "logs.events.severity", "a monitor is shown the choices of ae_grade, which may tell an arm"),
        ),
        ("category: ae_cat", "category: ae_rel", ("error", "logs.events.category", "[ae_rel] tells the arm")),
        ("started: ae_start, cat", "started: dev_date, cat", ("error", "logs.events.started", "adverse_event has no")),
        ("outcomes: [odi_pct", "outcomes: [odi_pc", ("error", "outcomes 1", "there is no field odi_pc")),
        ("outcomes: [odi_pct", "outcomes: [odi_date", ("error", "outcomes 1", "odi_date holds no number")),
        ("instrument: protocol_d", "instrument: d", ("error", "logs.deviations.instrument", "there is no form")),
    ],
)  # fmt: skip
def test_check_names_what_nobody_declared_and_what_is_not_there(
    tmp_path: Path, old: str, new: str, said: tuple[str, str, str]
) -> None:
    """With the setting, before a night could show it."""
    home = Path(copytree(FROZEN, tmp_path / "trial"))
    text = (home / "config.yaml").read_text(encoding="utf-8")
    assert old in text
    (home / "config.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    found = check_projects(load(home / "config.yaml"), ("trial",), home / "config.yaml")
    assert any((one.severity, one.column) == said[:2] and one.what.startswith(said[2]) for one in found), found


LOG = "adverse_event"
MOVING = Telling(columns=frozenset({"t"}), events=frozenset({"arm_event"}), codes={"c": frozenset({"9"})})


def small(**patients_: list[Row]) -> Snapshot:
    """Records with an opening each, but for those named `out`."""
    ref, rows = CONFIG.facts.opened_on, {}
    for name, own in patients_.items():
        opened = [Row(name, ref.event, "", 0, {ref.field: "2026-03-02", "rand_arm": "12"[name in "BD"]})]
        rows[name] = (*(opened if name != "out" else []), *own)
    return Snapshot("1", "", DICTIONARY, EVENTS, rows, {})


Moved = dict[str, dict[tuple[str, str, int], dict[str, str]]]
"""Record to place to values."""


def moving(snapshot: Snapshot) -> Moved:
    """A trial with one telling column, event and answer after arms were exchanged: the same however rows are kept."""
    told, small_told = map(_moved, (snapshot, *kept_small(snapshot)))
    assert told == small_told
    return told


def _moved(snapshot: Snapshot) -> Moved:
    everywhere = Telling(columns=MOVING.columns | {"rand_arm"}, events=MOVING.events, codes=MOVING.codes)
    return {
        record: {(row.event, row.instrument, row.instance): dict(row.values) for row in rows}
        for record, rows in exchanged(snapshot, CONFIG, everywhere).rows.items()
    }


OPENING = (CONFIG.facts.opened_on.event, "", 0)


def test_everybody_gets_the_next_arm_and_what_somebody_there_had() -> None:
    """Each takes that of one in the other arm; who was not randomised keeps all."""
    treated = {name: [Row(name, "arm_event", "", 0, {"x": name}), Row(name, "e", "", 0, {"t": name, "own": name})]
               for name in "ABCD"}  # fmt: skip
    world = moving(small(**treated, out=[Row("out", "e", "", 0, {"t": "out"})]))
    assert "".join(world[name][OPENING]["rand_arm"] for name in "ABCD") == "2121"
    assert "".join(world[name]["arm_event", "", 0]["x"] for name in "ABCD") == "BADC"
    assert "".join(world[name]["e", "", 0]["t"] for name in "ABCD") == "BADC"
    assert "".join(world[name]["e", "", 0]["own"] for name in "ABCD") == "ABCD"
    assert {world[name][OPENING]["rand_date"] for name in "ABCD"} == {"2026-03-02"}
    assert world["out"] == {("e", "", 0): {"t": "out"}}


def test_of_an_arm_nobody_has_yet_there_is_the_arm_alone() -> None:
    """Everybody has the bare arm, and the places of the other are empty."""
    world = moving(small(A=[Row("A", "arm_event", "", 0, {"x": "A"})], C=[]))
    assert {name: world[name][OPENING]["rand_arm"] for name in "AC"} == {"A": "2", "C": "2"}
    assert not any(world[name].get(("arm_event", "", 0), {}).get("x") for name in "AC")


def test_a_telling_answer_moves_without_overwriting_another() -> None:
    """It leaves a blank; where the other patient's form has an answer of its own, that stays."""
    snapshot = small(A=[Row("A", "e", "", 0, {"c": "9", "on": "A"})], B=[Row("B", "e", "", 0, {"c": "1", "on": "B"})],
                     D=[Row("D", "e", "", 0, {"on": "D"})])  # fmt: skip
    world = moving(snapshot)
    assert {name: world[name]["e", "", 0] for name in "ABD"} == {
        "A": {"on": "A"},
        "B": {"c": "1", "on": "B"},
        "D": {"c": "9", "on": "D"},
    }


def test_what_tells_an_arm_leaves_its_own_patient_though_nothing_comes_instead() -> None:
    """The one of the other arm has no such value; in a log without rows an answer keeps its instance."""
    own = [Row("A", "e", "", 0, {"t": "A", "own": "A"}), Row("A", "logs_arm_1", LOG, 2, {"c": "9"})]
    world = moving(small(A=own, B=[]))
    assert world["A"]["e", "", 0] == {"own": "A"}
    assert world["B"]["e", "", 0] == {"t": "A"}
    assert world["B"]["logs_arm_1", LOG, 2] == {"c": "9"}


def test_what_tells_an_arm_joins_a_row_that_told_nothing() -> None:
    """The one patient's form is filled in by both arms, the other's holds the answer of one arm too."""
    world = moving(small(A=[Row("A", "e", "", 0, {"t": "A", "own": "A"})], B=[Row("B", "e", "", 0, {"own": "B"})]))
    assert world["B"]["e", "", 0] == {"own": "B", "t": "A"}
    assert world["A"]["e", "", 0] == {"own": "A"}


def test_in_a_log_a_telling_answer_gets_a_row_of_its_own() -> None:
    """Behind the patient's own rows of that log; rows of another log do not count."""
    rows = [Row("A", "logs_arm_1", LOG, 2, {"c": "9", "on": "A"})]
    own = [Row("B", "logs_arm_1", LOG, 3, {"on": "B"}), Row("B", "logs_arm_1", "protocol_deviation", 7, {"on": "b"})]
    world = moving(small(A=rows, B=own))
    assert world["A"]["logs_arm_1", LOG, 2] == {"on": "A"}
    assert world["B"]["logs_arm_1", LOG, 5] == {"c": "9"}
    assert world["B"]["logs_arm_1", LOG, 3] == {"on": "B"}
    assert {place[2] for place in world["B"]} == {0, 3, 5, 7}


def test_rows_that_were_moved_stand_in_the_order_of_their_places() -> None:
    """Under their own record, and so the world is made the same every time."""
    rows = [Row("A", "z", "", 0, {"own": "A"}), Row("A", "arm_event", "", 0, {"x": "A"})]
    world = exchanged(small(A=rows, B=[]), CONFIG, MOVING)
    for record in "AB":
        places = [(row.event, row.instrument, row.instance) for row in world.rows[record]]
        assert places == sorted(places)
        assert {row.record for row in world.rows[record]} == {record}
