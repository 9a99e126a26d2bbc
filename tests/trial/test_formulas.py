"""The trial's own dictionary: every formula parses, every published score and every rule comes out right."""

import builtins
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from frozen import trial_dictionary, trial_rows
from other_sum import compensated
from redcap_rules.calculation import Calculations
from redcap_rules.choices import checkbox_column
from redcap_rules.logic import evaluate, is_true, parse, references, to_text
from redcap_rules.record import RecordView, Row

pytestmark = pytest.mark.requirement("QOL-02", "RCP-01")

DATA = Path(__file__).parents[1] / "data"
SHIPPED = Path(__file__).parents[2] / "instruments" / "trial"
DICTIONARY = trial_dictionary(SHIPPED)
VECTORS = json.loads((DATA / "vectors.json").read_text("utf-8"))
RULES = {row["rule_name"].split()[0]: row["rule_logic"] for row in trial_rows("dq_rules.csv", SHIPPED)}
CALCULATIONS = Calculations(DICTIONARY)


@pytest.fixture(autouse=True, params=["plain", "compensated"])
def adding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here comes out the same with the `sum` of Python 3.11 and with one that loses no digit."""
    if request.param == "compensated":
        monkeypatch.setattr(builtins, "sum", compensated)


def _formulas() -> Iterator[tuple[str, str]]:
    for field in DICTIONARY.fields:
        if field.kind == "calc":
            yield f"{field.name} calculation", field.choices
        if field.branching:
            yield f"{field.name} branching", field.branching
    yield from RULES.items()


@pytest.mark.parametrize(("place", "text"), list(_formulas()), ids=lambda value: str(value)[:24])
def test_every_formula_of_the_trial_parses_and_keeps_its_meaning_when_written(place: str, text: str) -> None:
    """All 52 calculations, the branching and the 55 rules; each refers to fields that exist."""
    expression = parse(text)
    assert parse(to_text(expression)) == expression
    assert [ref for ref in references(expression) if ref.field not in DICTIONARY] == []


def test_the_trial_has_its_52_calculations_and_55_rules() -> None:
    """Nothing is left out of the tests above."""
    assert (len(CALCULATIONS.formulas), CALCULATIONS.faults, len(RULES)) == (52, {}, 55)


def calculated(values: dict[str, str]) -> dict[str, str]:
    """All values of a classic one-row record after recalculation."""
    record = RecordView([Row("1", "", "", 0, values)], DICTIONARY)
    (changes,) = CALCULATIONS.recalculate(record)
    return {**values, **changes.values}


def text(number: float | str) -> str:
    return "" if number == "" else str(int(number)) if float(number).is_integer() else str(number)


def answers(stem: str, first: int, items: list[float | str]) -> dict[str, str]:
    return {f"{stem}{n}": text(item) for n, item in enumerate(items, start=first)}


def same(results: dict[str, str], expected: dict[str, Any]) -> None:
    """The expected results, as REDCap stores them."""
    wanted = {name: text(value) for name, value in expected.items()}
    assert {name: results.get(name, "") for name in wanted} == wanted


@pytest.mark.parametrize(("name", "items", "expected"), VECTORS["odi"], ids=lambda value: str(value)[:3])
def test_odi_follows_its_vectors(name: str, items: list[float | str], expected: dict[str, Any]) -> None:
    """100 × sum ÷ (5 × answered), at least eight answered, one decimal (reference/instruments.md 7.1)."""
    same(calculated(answers("odi_", 1, items)), expected)


@pytest.mark.parametrize(("state", "number", "index"), VECTORS["eq"])
def test_eq5d_index_uses_the_danish_value_set(state: str, number: float | str, index: float | str) -> None:
    """1 minus five decrements, blank if a dimension is blank (reference/instruments.md 7.2)."""
    names = [f"eq5d_{part}_5l_den_dan" for part in ("mb", "sc", "ua", "pd", "ad")]
    values = dict(zip(names, state.replace("?", " "), strict=True))
    results = calculated({name: level.strip() for name, level in values.items()})
    same(results, {"eq_state": number, "eq_index": index})


@pytest.mark.parametrize(("name", "items", "scales", "summary"), VECTORS["c30"], ids=lambda value: str(value)[:3])
def test_qlq_c30_scales_follow_the_scoring_manual(
    name: str, items: list[float | str], scales: dict[str, Any], summary: float | str
) -> None:
    """Half of the items answered, linear to 0–100, summary of 13 scales (reference/instruments.md 7.3)."""
    results = calculated(answers("c30_", 1, items))
    same(results, {f"c30_s_{scale}": value for scale, value in scales.items()} | {"c30_s_sum": summary})


@pytest.mark.parametrize(("name", "items", "scales"), VECTORS["my"], ids=lambda value: str(value)[:3])
def test_qlq_my20_scales_follow_the_scoring_manual(name: str, items: list[float | str], scales: dict[str, Any]) -> None:
    """Disease symptoms, side effects, body image, future perspective (reference/instruments.md 7.4)."""
    results = calculated(answers("my20_", 31, items))
    same(results, {f"my20_s_{scale}": value for scale, value in scales.items()})


@pytest.mark.parametrize(("name", "inputs", "expected"), VECTORS["mm"], ids=lambda value: str(value)[:3])
def test_staging_follows_its_vectors(name: str, inputs: Any, expected: dict[str, Any]) -> None:
    """ISS, R-ISS, R2-ISS; blank when missing values could change the stage (reference/instruments.md 7.5)."""
    names = ("b2m", "alb", "ldh", "ldh_uln")
    fish = ("17p", "414", "1416", "1q")
    fields = [f"mm_dx_{name}" for name in names] + [f"mm_fish_{name}" for name in fish]
    same(calculated(dict(zip(fields, map(text, inputs), strict=True))), expected)


@pytest.mark.parametrize(("name", "inputs", "expected"), VECTORS["an"], ids=lambda value: str(value)[:3])
def test_analgesia_follows_its_vectors(name: str, inputs: Any, expected: dict[str, Any]) -> None:
    """Oral morphine equivalent and WHO step; 12.25 rounds to 12.3 (reference/instruments.md 7.6)."""
    values = {field: text(value) for field, value in inputs.items() if not isinstance(value, list)}
    for field, codes in inputs.items():
        if isinstance(codes, list):
            values |= {checkbox_column(field, str(code)): "1" for code in codes}
    same(calculated(values), expected)


@pytest.mark.parametrize(("name", "inputs", "expected"), VECTORS["img"], ids=lambda value: str(value)[:3])
def test_imaging_follows_its_vectors(name: str, inputs: Any, expected: dict[str, Any]) -> None:
    """Counts of levels, strata and SINS (reference/instruments.md 7.6)."""
    *levels, sins = inputs
    values: dict[str, str] = {}
    for field, codes in zip(("img_new", "img_plan", "img_former"), levels, strict=True):
        values |= {checkbox_column(field, str(code)): "1" for code in codes}
    parts = ("loc", "pain", "les", "ali", "col", "post")
    values |= {f"img_s_{part}": text(value) for part, value in zip(parts, sins, strict=True)}
    same(calculated(values), expected)


@pytest.mark.parametrize(("group", "levels", "former", "stratum"), VECTORS["st"])
def test_stratum_number_follows_population_levels_and_former_fractures(
    group: int, levels: int, former: int, stratum: float
) -> None:
    """Eight strata, numbered 1 to 8 (reference/instruments.md 7.6)."""
    values = {"rand_grp": text(group), "rand_lvl": text(levels), "rand_for": text(former)}
    same(calculated(values), {"rand_strat": stratum})


def _seeds() -> Iterator[tuple[str, ...]]:
    for line in (DATA / "dq_seeds.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            yield tuple(part.strip() for part in line.split("|"))


def _record(event: str, seeds: str) -> RecordView:
    events: dict[str, dict[str, str]] = {f"{event}_arm_1": {}}
    for seed in seeds.split():
        found = re.fullmatch(r"(?:(\w+)\.)?(\w+)(?:\((\d+)\))?=(\S+)", seed)
        assert found, seed
        place, field, code, value = found.groups()
        assert field in DICTIONARY, field
        column = checkbox_column(field, code) if code else field
        events.setdefault(f"{place or event}_arm_1", {})[column] = value
    return RecordView([Row("1", name, "", 0, values) for name, values in events.items()], DICTIONARY)


@pytest.mark.parametrize(("rule", "event", "fires", "silent"), list(_seeds()), ids=lambda value: value[:3])
def test_data_quality_rule_fires_on_its_fault_and_is_silent_one_step_away(
    rule: str, event: str, fires: str, silent: str
) -> None:
    """Each rule of reference/instruments.md 8 that REDCap logic can express, at its edge."""
    logic = parse(RULES[rule])
    assert is_true(evaluate(logic, _record(event, fires), event=f"{event}_arm_1"))
    assert not is_true(evaluate(logic, _record(event, silent), event=f"{event}_arm_1"))


def test_every_data_quality_rule_is_seeded() -> None:
    """A rule added to the list needs a fault that shows it."""
    assert {rule for rule, *_ in _seeds()} == set(RULES)


def test_every_designated_form_of_the_trial_is_in_the_dictionary() -> None:
    """The mapping names only instruments and events that exist."""
    events = {row["unique_event_name"] for row in trial_rows("events.csv", SHIPPED)}
    wrong = [row for row in trial_rows("mapping.csv", SHIPPED) if row["form"] not in DICTIONARY.forms]
    assert (wrong, {row["unique_event_name"] for row in trial_rows("mapping.csv", SHIPPED)} - events) == ([], set())
