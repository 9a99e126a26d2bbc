"""The worlds of the proof, where two pulls differ, and the world in which everybody is in the next arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.record import Row
from smaller import kept_small
from trialdesk.config import Config, load
from trialdesk.facts.worlds import differing, exchanged, worlds
from trialdesk.instruments.treatment import telling
from trialdesk.redcap.snapshot import Snapshot

CONFIG = load(FROZEN / "config.yaml")
DICTIONARY = trial_dictionary()
EVENTS = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
TELLING = telling(DICTIONARY, CONFIG)
SCREENING, RANDOMISED, PROCEDURE, LOGS = (
    f"{name}_arm_1" for name in ("screening", "randomisation", "pvp_procedure", "logs")
)


def row(record: str, event: str, instrument: str = "", instance: int = 0, **values: str) -> Row:
    return Row(record, event, instrument, instance, values)


def pull(*rows: Row) -> Snapshot:
    by_record: dict[str, tuple[Row, ...]] = {}
    for one in rows:
        by_record[one.record] = (*by_record.get(one.record, ()), one)
    return Snapshot("1", "", DICTIONARY, EVENTS, by_record, {})


def columns(form: str) -> set[str]:
    return {c for field in DICTIONARY.form(form) for c in field.columns} | {DICTIONARY.status_field(form)}


ONE = row("A", SCREENING, elig_site="ODE", elig_date="2026-01-02")
LOGGED = row("A", LOGS, "adverse_event", 1, ae_cat="9")


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ([ONE, LOGGED], set()),
        ([row("A", SCREENING, elig_site="ODE", elig_date="2026-01-02"), LOGGED], set()),
        ([row("A", SCREENING, elig_site="ODE", elig_date="2026-01-03"), LOGGED], {"elig_date"}),
        ([row("A", SCREENING, elig_site="ODE", elig_date="2026-01-02", elig_ok=""), LOGGED], set()),
        ([row("A", SCREENING, elig_site="ODE"), LOGGED], {"elig_date"}),
        ([row("A", SCREENING, elig_site="ODE", elig_date="2026-01-02", elig_ok="1"), LOGGED], {"elig_ok"}),
        ([ONE, row("A", LOGS, "adverse_event", 1, ae_cat="8")], {"ae_cat"}),
        ([ONE, LOGGED, row("A", RANDOMISED, rand_arm="1", rand_env="")], {"rand_arm"}),
        ([LOGGED], {"elig_site", "elig_date"}),
        ([ONE], columns("adverse_event")),
        ([ONE, LOGGED, row("A", LOGS, "adverse_event", 2, ae_cat="9")], columns("adverse_event")),
        ([ONE, LOGGED, row("A", LOGS, "", 2, dev_code="1")], {c for f in DICTIONARY.forms for c in columns(f)}),
    ],
)  # fmt: skip
def test_columns_that_hold_another_value_are_named(other: Sequence[Row], found: set[str]) -> None:
    """A blank is as nothing; of a form with more or fewer instances every column, of a whole event every form's."""
    pulls = pull(ONE, LOGGED), pull(*other)
    assert differing(*pulls) == differing(*kept_small(*pulls)) == found


def test_a_blank_that_is_left_out_is_the_same() -> None:
    """In either of the two pulls."""
    blank, bare = row("A", SCREENING, elig_site="ODE", elig_ok=""), row("A", SCREENING, elig_site="ODE")
    assert differing(pull(blank), pull(bare)) == differing(pull(bare), pull(blank)) == set()


def test_a_record_that_only_the_other_pull_has_differs_in_all_it_holds() -> None:
    assert differing(pull(ONE, LOGGED), pull(ONE, LOGGED, row("B", SCREENING, elig_site="RIG"))) == {"elig_site"}


class Place(NamedTuple):
    """A row of a world in one's own words."""

    record: str
    event: str
    instrument: str
    instance: int
    values: Mapping[str, str]


def told(snapshot: Snapshot, config: Config = CONFIG) -> list[list[Place]]:
    """The rows of every world, in their order: the same however the rows of the pull are kept."""
    plain, small = ([_places(world) for world in worlds(one, config, TELLING)]
                    for one in (snapshot, *kept_small(snapshot)))  # fmt: skip
    assert plain == small
    return plain


def _places(world: Snapshot) -> list[Place]:
    assert {one.record for own in world.rows.values() for one in own} <= world.rows.keys()
    return [Place(one.record, one.event, one.instrument, one.instance, dict(one.values))
            for own in world.rows.values() for one in own]  # fmt: skip


def places(*rows: Row) -> list[Place]:
    return [Place(one.record, one.event, one.instrument, one.instance, one.values) for one in rows]


def event(instance: int = 1, **values: str) -> Row:
    return row("A", LOGS, "adverse_event", instance, **values)


OPENED = row("A", RANDOMISED, rand_date="2026-02-01", rand_arm="1")
UNARMED = row("A", RANDOMISED, rand_date="2026-02-01")


@pytest.mark.parametrize("opened", [True, False], ids=["randomised", "not randomised"])
@pytest.mark.parametrize(
    ("held", "left"),
    [
        (row("A", PROCEDURE, pvp_date="2026-02-05"), None),
        (row("A", PROCEDURE, elig_ok="1"), None),
        (row("A", PROCEDURE), None),
        (row("A", RANDOMISED, rand_arm="2"), None),
        (row("A", RANDOMISED, rand_arm="2", rand_env="E"), row("A", RANDOMISED, rand_env="E")),
        (row("A", LOGS, xo_date="2026-04-01", xo_dec="1"), None),
        (row("A", LOGS, xo_date="2026-04-01", eos_stat="1"), row("A", LOGS, eos_stat="1")),
        (event(2, ae_rel="4", ae_exp="1"), None),
        (event(2, ae_rel="4", ae_start="2026-03-01"), event(2, ae_start="2026-03-01")),
        (event(2, ae_cat="1"), event(2)),
        (event(2, ae_cat="1", ae_rel="4"), event(2)),
        (event(2, ae_cat="1", ae_grade="3"), event(2, ae_grade="3")),
        (event(2, ae_cat="9", ae_rel="0", ae_grade="3"), event(2, ae_cat="9", ae_grade="3")),
    ],
)
def test_what_tells_an_arm_is_gone_and_the_rest_stays(held: Row, left: Row | None, opened: bool) -> None:
    """Whoever has it. A row that held nothing else is gone, as is every one of a telling event; a code leaves a row."""
    others = [ONE, UNARMED] if opened and held.event != RANDOMISED else [ONE]
    assert told(pull(*others, held))[0] == places(*others, *([left] if left else []))


@pytest.mark.parametrize("held", [event(ae_grade="3"), event(), row("A", RANDOMISED), ONE, UNARMED])
def test_a_row_that_tells_nothing_is_the_same_one(held: Row) -> None:
    """Beside rows that do, and one that holds nothing too; of a record without any the rows are those of the pull."""
    silent = row("B", SCREENING, elig_site="ODE"), row("B", LOGS, "adverse_event", 3, ae_grade="2")
    for before in (kept := pull(held, event(9, ae_rel="4"), *silent)), *kept_small(kept):
        world = next(worlds(before, CONFIG, TELLING))
        assert world.rows["A"] == (before.rows["A"][0],)
        assert world.rows["A"][0] is before.rows["A"][0]
        assert world.rows["B"] is before.rows["B"]


def test_rows_and_records_stand_in_their_order() -> None:
    """As the pull has them, whatever goes between them; one that held nothing else is still a record."""
    before = pull(
        row("B", RANDOMISED, rand_arm="1"), row("A", LOGS, eos_stat="1"), event(3, ae_cat="1"), OPENED,
        row("A", PROCEDURE, pvp_date="2026-02-05"), event(1, ae_grade="2"), ONE, event(2, ae_rel="4"),
    )  # fmt: skip
    (world, *_) = worlds(before, CONFIG, TELLING)
    assert world.records == ("B", "A")
    assert world.rows["B"] == ()
    expected = places(row("A", LOGS, eos_stat="1"), event(3), UNARMED, event(1, ae_grade="2"), ONE)
    assert told(before)[0] == expected


@pytest.mark.parametrize(
    ("arms", "empty"),
    [("12", ""), ("11", "2"), ("2", "1"), ("1-", "2"), ("--", "12"), ("7", "12"), ("", "")],
)
def test_an_arm_nobody_has_yet_is_a_world_of_its_own(arms: str, empty: str) -> None:
    """The pull without treatment, and everybody who is randomised in that arm, nobody else. "-" has no arm."""
    waiting = row("Z", SCREENING, elig_site="ODE"), row("Z", RANDOMISED, rand_arm="2", rand_env="E")
    people = [one for name, arm in zip("AB", arms, strict=False)
              for one in life(name, arm.replace("-", ""), pvp_date="2026-02-05")]  # fmt: skip
    first, *others = told(pull(*people, *waiting))
    assert not {"rand_arm", "pvp_date"} & {name for one in first for name in one.values}
    expected = [[one._replace(values={**one.values, "rand_arm": code}) if "rand_date" in one.values else one
                 for one in first] for code in empty]  # fmt: skip
    assert [sorted(other, key=str) for other in others] == [sorted(other, key=str) for other in expected]


def _arms(world: Sequence[Place]) -> Mapping[str, str]:
    return {one.record: one.values["rand_arm"] for one in world if "rand_arm" in one.values}


def three_arms() -> Config:
    arms = (*CONFIG.arms, CONFIG.arms[0].model_copy(update={"code": "3", "name": "third"}))
    return CONFIG.model_copy(update={"arms": arms})


def test_of_three_arms_each_that_is_empty_has_a_world_in_the_order_of_the_trial() -> None:
    people = {code: life(record, code) for record, code in zip("ABC", "213", strict=True)}
    for taken, empty in (("2", "13"), ("13", "2"), ("213", "")):
        before = pull(*(one for code in taken for one in people[code]))
        _, *others = told(before, three_arms())
        assert [set(_arms(other).values()) for other in others] == [{code} for code in empty]


def life(record: str, arm: str, **procedure: str) -> tuple[Row, ...]:
    operated = (Row(record, PROCEDURE, "", 0, procedure),) if procedure else ()
    screened = row(record, SCREENING, elig_site="ODE", elig_date=f"2026-01-0{ord(record) - 64}")
    opened = {"rand_date": "2026-02-01", **({"rand_arm": arm} if arm else {})}
    return (screened, *operated, Row(record, RANDOMISED, "", 0, opened))


def values(world: Snapshot, record: str, event: str) -> Mapping[str, str]:
    return next((dict(one.values) for one in world.rows[record] if one.event == event), {})


def test_everybody_goes_to_the_next_arm_with_the_treatment_of_somebody_there() -> None:
    """A is operated on; B and C are not, and go round. Who is not randomised stays as he is, and every screening."""
    first, second = (arm.code for arm in CONFIG.arms)
    waiting = row("D", SCREENING, elig_site="ODE")
    before = pull(*life("A", first, pvp_date="2026-02-05"), *life("B", second), *life("C", second), waiting)
    world = exchanged(before, CONFIG, TELLING)
    assert [values(world, one, RANDOMISED)["rand_arm"] for one in "ABC"] == [second, first, first]
    assert [values(world, one, PROCEDURE).get("pvp_date") for one in "ABC"] == [None, "2026-02-05", "2026-02-05"]
    assert [values(world, one, SCREENING)["elig_date"] for one in "ABC"] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    assert world.rows["D"] == (waiting,)
    assert {"rand_arm", "pvp_date"} <= differing(before, world)


def test_where_nobody_is_in_the_next_arm_there_is_the_arm_alone() -> None:
    first, second = (arm.code for arm in CONFIG.arms)
    world = exchanged(pull(*life("A", first, pvp_date="2026-02-05")), CONFIG, TELLING)
    assert values(world, "A", RANDOMISED) == {"rand_date": "2026-02-01", "rand_arm": second}
    assert values(world, "A", PROCEDURE) == {}


def test_of_three_arms_the_last_goes_to_the_first() -> None:
    config = three_arms()
    codes = [arm.code for arm in config.arms]
    before = pull(*(one for record, code in zip("ABC", codes, strict=True) for one in life(record, code)))
    world = exchanged(before, config, TELLING)
    assert [values(world, one, RANDOMISED)["rand_arm"] for one in "ABC"] == [codes[1], codes[2], codes[0]]
