"""Try whether the tests of what a patient hangs on can fail: change one thing at a time, and see who notices."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Annotated

import typer

from trialdesk.console import application, command, run, stages
from trialdesk.errors import OK_WITH_WARNINGS, ConfigError, OutputFailed

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "validation" / "mutation.md"
PLACE = ROOT / ".mutation"
LEAST = 90  # per cent
LINKED = ("src", "tests", "scripts", "docs", "instruments", "benchmarks", "pyproject.toml", "config.yaml")
ENDS = {0: "survived", 5: "survived", 33: "survived", None: "not tried", 2: "not tried"}  # mutmut's; others: noticed
_SENTENCE = re.compile(r"[A-Za-z]{2,}[,;:.]? [A-Za-z(]")
_TABLE = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end of table -->)", re.DOTALL)
_AROUND = 18
app = application(__doc__ or "")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function, and whether a test noticed; `kind` is blank, `words` or `equal`."""

    function: str
    change: str
    end: str
    kind: str


@dataclass(frozen=True, slots=True)
class Tally:
    """A module's mutants; those that change only what a message says (`words`), or nothing, are counted apart."""

    module: str
    killed: int
    words: int
    equivalent: int
    survived: int
    waiting: int

    @property
    def tried(self) -> int:
        """All that change what the module does, and were run."""
        return self.killed + self.survived

    @property
    def share(self) -> float:
        """Per cent killed of those."""
        return 100 * self.killed / self.tried if self.tried else 0.0

    @property
    def line(self) -> str:
        """The module's row of the page."""
        share = "not yet measured" if self.waiting or not self.tried else f"{self.share:.1f}"
        every = self.tried + self.words + self.equivalent + self.waiting
        numbers = (every, self.killed, self.words, self.equivalent, self.survived)
        return f"| `{self.module}` | {' | '.join(map(str, numbers))} | {share} |"


@command(app, "nine of ten changes in every module are noticed", OK_WITH_WARNINGS, ConfigError, OutputFailed)
def survivors(
    modules: Annotated[
        list[str] | None, typer.Argument(metavar="MODULE", help="Only these, or those of a room: allocation, release.")
    ] = None,
    children: Annotated[int, typer.Option(metavar="N", help="So many at a time.")] = 2,
    write: Annotated[bool, typer.Option("--write", help="The rows of docs/validation/mutation.md are new.")] = False,
) -> None:
    """Go on where the last run stopped; what survived is tried again when a test or source is other than then."""
    killers = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutation"]["killers"]
    tallies = []
    with stages() as stage:
        for module in chosen(modules or (), killers):
            stage(module)
            work = PLACE / module
            prepare(work, module, killers[module])
            _tried(work, children)
            found = mutants(work / "mutants" / _path(module))
            tallies.append(tally(module, found, PAGE.read_text("utf-8")))
            for line in left(module, found, PAGE.read_text("utf-8")):
                print(line)
    for one in tallies:
        print(one.line)
    if write:
        PAGE.write_text(with_rows(PAGE.read_text("utf-8"), tallies, tuple(killers)), encoding="utf-8")
    if any(one.waiting or one.share < LEAST for one in tallies):
        raise typer.Exit(OK_WITH_WARNINGS)


def chosen(words: Sequence[str], modules: Mapping[str, object]) -> list[str]:
    """The modules whose dotted name holds one of the words as parts; all of them when there is no word.

    Raises:
        ConfigError: a word is in no name.
    """
    named = {word: [module for module in modules if f".{word}." in f".{module}."] for word in words}
    if unknown := [word for word, found in named.items() if not found]:
        raise ConfigError(f"{', '.join(unknown)}: not in [tool.mutation.killers] of pyproject.toml")
    every = {module for found in named.values() for module in found}
    return [module for module in modules if not words or module in every]


def prepare(work: Path, module: str, killers: Sequence[str]) -> None:
    """The folder of a module is ready for mutmut; what survived waits again when tests or sources are others.

    With other killers nothing that was found counts any more.
    """
    work.mkdir(parents=True, exist_ok=True)
    for name in LINKED:
        if not (work / name).is_symlink():
            (work / name).symlink_to(os.path.relpath(ROOT / name, work))
    listed = {
        "only_mutate": [str(_path(module))],
        "also_copy": [name for name in LINKED if name not in ("src", "tests")],
        "pytest_add_cli_args": ["-p", "no:xdist", "--in-process"],
        "pytest_add_cli_args_test_selection": [f"tests/{name}.py" for name in killers],
    }
    lines = [f"{name} =\n    " + "\n    ".join((*values, "")) for name, values in listed.items()]
    plain = "source_paths = src\ntrack_dependencies = false\nuse_git_change_detection = false\n"
    settings, text = work / "setup.cfg", "\n".join(("[mutmut]", plain, *lines))
    if settings.exists() and settings.read_text("utf-8") != text:
        shutil.rmtree(work / "mutants", ignore_errors=True)
    settings.write_text(text, encoding="utf-8")
    print_now, stamp = _print_of(killers), work / "tested"
    if stamp.exists() and stamp.read_text("utf-8") == print_now:
        return
    shutil.rmtree(work / "mutants" / "tests", ignore_errors=True)
    (work / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    meta = work / "mutants" / f"{_path(module)}.meta"
    if meta.exists():
        told = json.loads(meta.read_text("utf-8"))
        ends = told["exit_code_by_key"]
        told["exit_code_by_key"] = {name: None if code in ENDS else code for name, code in ends.items()}
        meta.write_text(json.dumps(told), encoding="utf-8")
    stamp.write_text(print_now, encoding="utf-8")


def _path(module: str) -> Path:
    path = Path("src", *module.split("."))
    return path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py")


def _print_of(killers: Sequence[str]) -> str:
    """A digest of everything a verdict depends on."""
    tests = [ROOT / "tests" / f"{name}.py" for name in killers]
    shared = [*ROOT.glob("tests/*.py"), *ROOT.glob("tests/**/conftest.py"), *ROOT.glob("src/**/*.py")]
    whole = hashlib.sha256()
    for file in sorted((*tests, *shared)):
        whole.update(file.read_bytes())
    return whole.hexdigest()


def _tried(work: Path, children: int) -> None:
    with (work / "log").open("w", encoding="utf-8") as log:
        mutmut = str(Path(sys.executable).with_name("mutmut"))
        command = [mutmut, "run", "--max-children", str(children)]
        ended = subprocess.run(command, cwd=work, stdout=log, stderr=subprocess.STDOUT, check=False)
    if ended.returncode:
        raise OutputFailed(f"mutmut did not finish ({work / 'log'} says why); the tests have to pass unchanged first")


def mutants(path: Path) -> list[Mutant]:
    """The mutants of a file that mutmut wrote, with their ends."""
    if not (meta := Path(f"{path}.meta")).exists():
        return []
    whole = ast.walk(ast.parse(path.read_text("utf-8")))
    functions = {node.name: node for node in whole if isinstance(node, ast.FunctionDef)}
    ends: dict[str, int | None] = json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
    found = []
    for key, code in ends.items():
        name = key.rpartition(".")[2]
        stem = name.partition("__mutmut_")[0]
        before, after = functions[f"{stem}__mutmut_orig"], functions[name]
        plain = stem.removeprefix("x").removeprefix("_").strip("ǁ").replace("ǁ", ".")
        found.append(Mutant(plain, change(before, after), ENDS.get(code, "killed"), kind(before, after)))
    return found


def kind(before: ast.FunctionDef, after: ast.FunctionDef) -> str:
    """What a change is by its form: of `words` alone, `equal` whatever is done with it, or blank."""
    for name, alike in (("equal", _Plain()), ("words", _Silenced())):
        old, new = (_unnamed(alike.visit(ast.parse(ast.unparse(one)))) for one in (before, after))
        if old == new:
            return name
    return ""


class _Silenced(ast.NodeTransformer):
    """Sentences say nothing: texts with two words and a blank between, as no key or code has."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        said = isinstance(node.value, str) and _SENTENCE.search(node.value)
        return ast.Constant("…") if said else node


class _Plain(ast.NodeTransformer):
    """What changes nothing is left out: guards of zip, the default byte order, spellings of SHA-256 and UTF-8."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        left_out = {"encoding", "strict"} if name == "zip" else {"encoding"}
        node.keywords = [one for one in node.keywords if one.arg not in left_out]
        if name in ("to_bytes", "from_bytes"):
            node.args = node.args[:1]
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("sha256") if node.value == "SHA256" else node


def _unnamed(function: ast.AST) -> str:
    """What a function does, without its own name."""
    return ast.unparse(function).partition("(")[2]


def change(before: ast.FunctionDef, after: ast.FunctionDef) -> str:
    """What is other, with a little around it: `old` → `new`."""
    old, new = _unnamed(before).splitlines(), _unnamed(after).splitlines()
    parts = [code for code in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"]
    gone = " ".join(line.strip() for _, a, b, _, _ in parts for line in old[a:b])
    come = " ".join(line.strip() for _, _, _, a, b in parts for line in new[a:b])
    start = _alike(gone, come)
    end = _alike(gone[start:][::-1], come[start:][::-1])
    first = max(0, start - _AROUND)
    return " → ".join(f"`{text[first : len(text) - max(0, end - _AROUND)]}`" for text in (gone, come))


def _alike(one: str, other: str) -> int:
    """So many characters at the beginning are the same."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def noted(module: str, mutant: Mutant) -> str:
    """How the page names a mutant."""
    return f"`{module} {mutant.function}`: {mutant.change}"


def tally(module: str, found: Sequence[Mutant], page: str) -> Tally:
    """A module's numbers; what the page explains above its survivors is equivalent."""
    explained = page.partition("## Survivors")[0]
    real = [one for one in found if one.kind != "words"]
    alive = [one for one in real if one.end == "survived"]
    equal = sum(one.kind == "equal" or noted(module, one) in explained for one in alive)
    ends = Counter(one.end for one in real)
    return Tally(module, ends["killed"], len(found) - len(real), equal, len(alive) - equal, ends["not tried"])


def left(module: str, found: Sequence[Mutant], page: str) -> Iterator[str]:
    """What survived and the page does not name."""
    for one in found:
        if one.end == "survived" and not one.kind and noted(module, one) not in page:
            yield f"- {noted(module, one)}"


def with_rows(page: str, tallies: Sequence[Tally], order: Sequence[str]) -> str:
    """The page with the rows of these modules; rows of others stay, in the order of the modules."""
    table = _TABLE.search(page)
    lines = (table[0] if table else "").splitlines()
    rows = {line.split("`")[1]: line for line in lines[2:]} | {one.module: one.line for one in tallies}
    sorted_rows = [rows[module] for module in order if module in rows]
    return _TABLE.sub(lambda _: "\n".join((*lines[:2], *sorted_rows, "")), page)


if __name__ == "__main__":
    run(app)
