"""Mutation testing: what a change is by its form, what a module's row says, and which modules are meant."""

from __future__ import annotations

import ast
import json
import tomllib
from pathlib import Path

import pytest

import survivors
from survivors import Mutant, Tally, change, chosen, kind, left, mutants, tally, with_rows
from trialdesk.errors import ConfigError


def function(body: str) -> ast.FunctionDef:
    (made,) = ast.parse(f"def f(a, b):\n    {body}").body
    assert isinstance(made, ast.FunctionDef)
    return made


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("return a < b", "return a <= b", ""),
        ("raise E('no such record; look')", "raise E('XXno such record; lookXX')", "words"),
        ("raise E(f'{a}: no such record')", "raise E(f'{b}: no such record')", ""),
        ("raise E('no such record')", "raise E(None)", ""),
        ("return a == 'released'", "return a == 'RELEASED'", ""),
        ("return a.strftime('%Y-%m-%d %H:%M')", "return a.strftime('%Y-%M-%D %H:%M')", ""),
        ("return dict(zip(a, b, strict=True))", "return dict(zip(a, b, strict=None))", "equal"),
        ("return dict(zip(a, b, strict=True))", "return dict(zip(a, strict=True))", ""),
        ("return a.to_bytes(4, 'big')", "return a.to_bytes(4)", "equal"),
        ("return int.from_bytes(a, 'big')", "return int.from_bytes(a)", "equal"),
        ("return int.from_bytes(a, 'big')", "return int.from_bytes(b, 'big')", ""),
        ("return a.read_text(encoding='utf-8')", "return a.read_text(encoding=None)", "equal"),
        ("return h(a, 'sha256')", "return h(a, 'SHA256')", "equal"),
        ("return h(a, 'sha256')", "return h(a, 'XXsha256XX')", ""),
    ],
)
def test_a_change_is_of_words_or_of_nothing_by_its_form(before: str, after: str, expected: str) -> None:
    """Sentences are words; keys, codes and what stands in a sentence are not."""
    assert kind(function(before), function(after)) == expected


def test_a_change_is_told_with_a_little_around_it() -> None:
    """So that a line of the page names it, whatever its number is in a later run."""
    assert change(function("return a < b"), function("return a <= b")) == "`return a < b` → `return a <= b`"
    long = function(f"return {'a + ' * 20}a < b{' + b' * 20}")
    assert change(long, function(f"return {'a + ' * 20}a > b{' + b' * 20}")).count("a + ") == 8


ALIVE = Mutant("f", "`a < b` → `a <= b`", "survived", "")
FOUND = [
    ALIVE,
    Mutant("f", "`1` → `2`", "survived", ""),
    Mutant("f", "`3` → `4`", "survived", "equal"),
    Mutant("f", "`'x y'` → `'X Y'`", "survived", "words"),
    *[Mutant("f", "`5` → `6`", "killed", "")] * 7,
]
PAGE = """# Page
<!-- table -->
| module | mutants |
|---|---|
| `other` | 1 |
<!-- end of table -->
## Equivalents
- `m f`: `1` → `2`: it is
## Survivors
"""


def test_equivalents_and_words_are_counted_apart() -> None:
    """Of the others: how many are killed."""
    found = tally("m", FOUND, PAGE)
    assert found == Tally("m", killed=7, words=1, equivalent=2, survived=1, waiting=0)
    assert found.line == "| `m` | 11 | 7 | 1 | 2 | 1 | 87.5 |"
    assert list(left("m", FOUND, PAGE)) == ["- `m f`: `a < b` → `a <= b`"]
    assert list(left("m", FOUND, f"{PAGE}- `m f`: {ALIVE.change}: to be done")) == []


def test_a_module_that_was_not_run_to_its_end_has_no_share() -> None:
    """It is not yet measured."""
    assert tally("m", [*FOUND, Mutant("f", "", "not tried", "")], PAGE).line.endswith("| not yet measured |")


def test_rows_of_other_modules_stay_in_the_order_of_the_modules() -> None:
    """And a row that is there is replaced."""
    made = with_rows(PAGE, [tally("m", FOUND, PAGE)], ("m", "other"))
    assert made.index("| `m` | 11") < made.index("| `other` | 1 |") < made.index("<!-- end")
    assert with_rows(made, [Tally("m", 1, 0, 0, 0, 0)], ("m", "other")).count("`m` |") == 1


def test_modules_are_chosen_by_parts_of_their_names() -> None:
    """A room or a module; a word that fits none is an error, and no word means all."""
    known = dict.fromkeys(["trialdesk.allocation.cards", "trialdesk.envelopes.gate", "trialdesk.envelopes.push"])
    assert chosen(["envelopes"], known) == ["trialdesk.envelopes.gate", "trialdesk.envelopes.push"]
    assert chosen(["push", "allocation.cards"], known) == ["trialdesk.allocation.cards", "trialdesk.envelopes.push"]
    assert chosen([], known) == list(known)
    with pytest.raises(ConfigError, match="pus: "):
        chosen(["pus"], known)


WRITTEN = """
def x_f__mutmut_orig(a):
    return a < 1
def x_f__mutmut_1(a):
    return a <= 1
class C:
    def xǁCǁg__mutmut_orig(self):
        return 1
    def xǁCǁg__mutmut_1(self):
        return 2
"""


def test_what_mutmut_wrote_is_read(tmp_path: Path) -> None:
    """Functions and methods by their names; no end yet is not tried, and a run that ended by itself was noticed."""
    path = tmp_path / "m.py"
    assert mutants(path) == []
    path.write_text(WRITTEN, encoding="utf-8")
    ends = {"p.m.x_f__mutmut_1": -24, "p.m.xǁCǁg__mutmut_1": None}
    (tmp_path / "m.py.meta").write_text(json.dumps({"exit_code_by_key": ends}), encoding="utf-8")
    found = mutants(path)
    assert [(one.function, one.end) for one in found] == [("f", "killed"), ("C.g", "not tried")]


def test_survivors_wait_again_when_a_test_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was killed stays so; nothing waits as long as tests and sources are as they were."""
    root = tmp_path / "root"
    for name in ("src/p/m.py", "tests/rules/test_m.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("", encoding="utf-8")
    monkeypatch.setattr(survivors, "ROOT", root)
    work, killers = root / ".mutation" / "p.m", ["rules/test_m"]
    survivors.prepare(work, "p.m", killers)
    assert "tests/rules/test_m.py" in (work / "setup.cfg").read_text("utf-8")
    meta = work / "mutants" / "src" / "p" / "m.py.meta"
    meta.parent.mkdir(parents=True)

    def ends() -> dict[str, int | None]:
        told: dict[str, dict[str, int | None]] = json.loads(meta.read_text("utf-8"))
        return told["exit_code_by_key"]

    meta.write_text(json.dumps({"exit_code_by_key": {"a": 1, "b": 0, "c": 33}}), encoding="utf-8")
    survivors.prepare(work, "p.m", killers)
    assert ends() == {"a": 1, "b": 0, "c": 33}
    (root / "tests" / "rules" / "test_m.py").write_text("X = 1", encoding="utf-8")
    survivors.prepare(work, "p.m", killers)
    assert ends() == {"a": 1, "b": None, "c": None}
    (root / "tests" / "rules" / "test_n.py").touch()
    survivors.prepare(work, "p.m", [*killers, "rules/test_n"])
    assert not meta.exists()


def test_every_module_and_every_test_that_is_named_is_there() -> None:
    """A name that was changed would leave a module without tests."""
    killers = tomllib.loads((survivors.ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutation"]["killers"]
    modules = [survivors.ROOT / "src" / Path(*module.split(".")) for module in killers]
    assert [path for path in modules if not (path.is_dir() or path.with_suffix(".py").is_file())] == []
    tests = {name for names in killers.values() for name in names}
    assert [name for name in tests if not (survivors.ROOT / "tests" / f"{name}.py").is_file()] == []
    page = survivors.PAGE.read_text("utf-8")
    assert [module for module in killers if f"| `{module}` |" not in page] == []
