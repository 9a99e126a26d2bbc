"""Where two pulls differ, and the world in which everybody is in the next arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.record import Row
from smaller import kept_small
from trialdesk.config import load
from trialdesk.facts.worlds import differing, exchanged
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


def life(record: str, arm: str, **procedure: str) -> tuple[Row, ...]:
    operated = (Row(record, PROCEDURE, "", 0, procedure),) if procedure else ()
    screened = row(record, SCREENING, elig_site="ODE", elig_date=f"2026-01-0{ord(record) - 64}")
    return (screened, *operated, row(record, RANDOMISED, rand_date="2026-02-01", rand_arm=arm))


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
    arms = (*CONFIG.arms, CONFIG.arms[0].model_copy(update={"code": "3", "name": "third"}))
    config = CONFIG.model_copy(update={"arms": arms})
    codes = [arm.code for arm in arms]
    before = pull(*(one for record, code in zip("ABC", codes, strict=True) for one in life(record, code)))
    world = exchanged(before, config, TELLING)
    assert [values(world, one, RANDOMISED)["rand_arm"] for one in "ABC"] == [codes[1], codes[2], codes[0]]
