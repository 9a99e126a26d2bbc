"""The rehearsal knows no trial: what it enters follows from configuration, dictionary and script."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ruamel.yaml import YAML

from frozen import FROZEN
from redcap_rules.logic import parse
from rehearsal.cast import ORDINARY, cast, roles
from rehearsal.chart import Chart, Page
from rehearsal.script import Script, read_script
from rehearsal.setting import Setting, setting_of
from rehearsal.wishes import named, wishes
from rehearsal.writing import Logged, Scene, write
from trialdesk.config import load
from trialdesk.errors import ConfigError
from trialdesk.instruments.folder import read_design

ROOT = Path(__file__).parents[2]
OTHER = ROOT / "tests" / "data" / "other-trial"
IMAGES = Page("screening_arm_1")
ON = date(2027, 3, 17)


def setting(home: Path = FROZEN) -> Setting:
    config = load(home / "config.yaml")
    return setting_of(config, read_design(config, "trial"), read_script(home / "config.yaml"))


HERE = setting()


def scene(seed: int = 1, **known: Any) -> Scene:
    chart = Chart("ODE-001", HERE.dictionary, HERE.calculations)
    told = {"days": {"opened": date(2027, 1, 4), "never": None}, **known}
    return Scene(HERE, Random(seed), chart, IMAGES, ON, "K1N", **told)


def written(field: str, rule: object, here: Scene) -> Mapping[str, str]:
    return write(here, HERE.dictionary.get(field), rule)


@pytest.mark.parametrize("home", [ROOT, FROZEN, OTHER])
def test_no_script_of_ours_names_a_field_of_a_trial(home: Path) -> None:
    """Fields come from dictionary, configuration and story.yaml; a literal would tie the rehearsal to one trial."""
    config = load(home / "config.yaml")
    fields = [field.name for field in read_design(config, "trial").dictionary.fields[1:]]
    pattern = re.compile(rf"\b({'|'.join(fields)})\b")
    found = {
        (path.name, match[0])
        for path in (ROOT / "scripts").rglob("*.py")
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_what_a_condition_needs_is_wished_of_the_fields_behind_its_calculation() -> None:
    """`scr_ok` is calculated: it becomes 1 when the knee is stiff and was not operated."""
    dictionary = setting(OTHER).dictionary
    found = wishes([parse("[intake_arm_1][scr_ok]='1'")], dictionary, {})
    assert found == {("intake_arm_1", "scr_stiff"): "1", ("intake_arm_1", "scr_oper"): "0"}


def test_two_fields_that_have_to_agree_get_what_is_known_of_one() -> None:
    """The stratum stands fast; the source form has to agree with it."""
    known = {("allocation_arm_1", "rnd_smoke"): "1"}
    found = wishes([parse("[allocation_arm_1][rnd_smoke]=[intake_arm_1][scr_smoke]")], setting(OTHER).dictionary, known)
    assert found == {("intake_arm_1", "scr_smoke"): "1"}


def test_an_alternative_that_contradicts_is_passed_over() -> None:
    """Of `or` the first way that fits is taken; a `<>''` and a blank wish nothing."""
    dictionary, known = HERE.dictionary, {("e", "elig_group"): "1"}
    logic = "([e][elig_group]='2' or [e][elig_sex]='1') and [e][elig_date]<>'' and [e][eos_stat]=''"
    assert wishes([parse(logic)], dictionary, known) == {("e", "elig_sex"): "1"}


def test_codes_of_all_alternatives_are_named() -> None:
    """Chance avoids every answer that would send a patient away."""
    assert named(parse("[a_x]='1' or ([a_x]='3' and [b_y]='2')")) == {"a_x": {"1", "3"}, "b_y": {"2"}}
    assert HERE.avoided["elig_outcome"] == {"2", "3", "4"}


@pytest.mark.parametrize(
    ("field", "rule", "value"),
    [
        ("elig_sex", "2", "2"),
        ("elig_date", {"day": "opened", "days": 3}, "2027-01-07"),
        ("elig_yob", {"day": "on", "as": "%Y"}, "2027"),
        ("elig_date", {"day": "never"}, None),
        ("elig_sex", None, None),
        ("elig_sex", {"stratum": {"N..": "1", "K..": "2"}}, "2"),
        ("elig_pain_0100", {"step": {0: "1", 50: "2", 90: "3"}}, "2"),
        ("elig_pain_0100", {"burden": 100}, "100"),
        ("elig_pain_0100", {"burden": 100, "reversed": True}, "0"),
        ("elig_pain_0100", "=1+2*3", "7"),
        ("elig_sex", {"chance": 0, "then": "1"}, None),
        ("elig_sex", {"chance": 100, "then": "1"}, "1"),
        ("elig_sex", {"happened": "opened", "then": "1", "otherwise": "2"}, "1"),
        ("elig_sex", {"happened": "never", "then": "1", "otherwise": "2"}, "2"),
        ("elig_inc_mm", {"since": "adverse_event", "where": {"ae_ser": "1"}}, "1"),
        ("elig_inc_mm", {"since": "adverse_event", "where": {"ae_ser": "0"}}, "0"),
        ("elig_np_txt", {"told": "sentence"}, "Something."),
        ("elig_sex", {"by": "2-1", "of": {"1": "2"}}, "2"),
    ],
)
def test_every_kind_of_value_is_written(field: str, rule: object, value: str | None) -> None:
    """One line for each kind; null and a day that never comes leave the field blank."""
    log = (Logged("adverse_event", date(2027, 2, 1), {"ae_ser": "1"}),)
    here = scene(burden=60, log=log, told={"sentence": "Something."})
    assert written(field, rule, here).get(field) == value


def test_levels_are_neighbours_and_can_be_read_again() -> None:
    """Two options in a row from the seventh on; another field has the same, and a third names the second of them."""
    for seed in range(20):
        here = scene(seed)
        here.chart.write(IMAGES, dict(written("img_new", {"neighbours": "2", "first": "7"}, here)))
        codes = [int(n.split("___")[1]) for n, v in here.chart.columns("img_new", IMAGES.event).items() if v == "1"]
        assert codes == [codes[0], codes[0] + 1]
        assert codes[0] >= 7
        same = written("img_plan", {"same": "img_new"}, here)
        assert {name for name, value in same.items() if value == "1"} == {f"img_plan___{code}" for code in codes}
        nth = written("pvp_l2_lvl", {"nth": 2, "ticked": "[screening_arm_1][img_new]"}, here)
        assert nth == {"pvp_l2_lvl": str(codes[1])}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("values: {no_such: '1'}", "there is no field no_such"),
        ("values: {elig_sex: {wish: 1}}", "a value is one of any, number"),
        ("entries: [{form: nothing, on: opened}]", "there is no form nothing"),
        ("parts: {p: {state: sleeping}}", "sleeping is no state"),
        ("turns: {t: {arm: '9'}}", "there is no arm 9"),
        ("bill: [ordinary, nobody]", "there is no part nobody"),
        ("filling: [stranger]", "there is no part stranger"),
        ("entries: [{form: crossover, on: someday}]", "there is no day someday"),
        ("days: {treated: {after: never}}", "there is no day never"),
        ("values: {elig_date: [{chance: 5, then: {day: doomsday}}]}", "there is no day doomsday"),
        ("colour: red", "colour"),
    ],
)
def test_a_script_that_names_what_is_not_there_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """In one line, with what to do."""
    shutil.copytree(FROZEN, tmp_path, dirs_exist_ok=True)
    (tmp_path / "story.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        setting(tmp_path)


def test_without_a_script_the_rehearsal_plays_its_own_parts() -> None:
    """Those whose state the trial has; somebody ordinary is among the first."""
    config = load(OTHER / "config.yaml")
    known = roles(Script(), config)
    assert "not_invited" not in known
    assert {"unreleased", "wrong_code", "dead"} <= set(known)
    assert ORDINARY in [role.name for role in cast(3, Script(), config)]


def test_the_shipped_script_and_the_frozen_one_can_be_read() -> None:
    """Both name only what their trial has, and every finding they plant belongs to a deviation in words."""
    for home in (ROOT, FROZEN, OTHER):
        script = setting(home).script
        happenings = [*script.parts.values(), *script.turns.values()]
        assert all(one.sentence for one in script.turns.values() if one.rules)
        assert sum(bool(one.rules) for one in happenings) >= 2
    assert YAML(typ="safe").load((ROOT / "story.yaml").read_text(encoding="utf-8"))["turns"]
