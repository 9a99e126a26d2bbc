"""Make the validation package that a trial unit files: requirements, what proves them, and how it looks."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, application, command, run, stages
from trialdesk.errors import OK_WITH_WARNINGS, OutputFailed

if TYPE_CHECKING:
    from trialdesk.validation.document import Picture
    from trialdesk.validation.judging import Outcome, Part, Traced

ROOT = Path(__file__).resolve().parents[1]
TABLE = Path("docs") / "validation" / "requirements.csv"
LIMITS = Path("docs") / "validation" / "limits.md"
LOCKS = ("requirements.lock", "requirements-dev.lock", "pyproject.toml", "config.yaml", str(TABLE))
FAILED = 1
PARTS = ("installation", "operation", "performance")
app = application(__doc__ or "")


@command(app, "every requirement is proved", FAILED, OK_WITH_WARNINGS, OutputFailed)
def make_validation(
    config: Annotated[
        Path,
        typer.Option("--config", metavar="FILE", help="Another trial: it is rehearsed, and the ring trial runs on it."),
    ] = DEFAULT_CONFIG,
    since: Annotated[
        str, typer.Option(metavar="REF", help="A tag or commit: which requirements a change since then touches.")
    ] = "",
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="PART", help="Leave a part out; page 1 says so. installation, operation, performance."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Default validation/VERSION.")] = None,
) -> None:
    """Install in clean folders, run every test, rehearse, and write one HTML and one PDF."""
    _known(without or ())
    from trialdesk.nightly.doctor import locked
    from trialdesk.private import place
    from trialdesk.validation.document import About, Evidence, document
    from trialdesk.validation.judging import judge
    from trialdesk.validation.requirements import read_requirements

    requirements = read_requirements(ROOT / TABLE)
    version, commit = _version(), _git("rev-parse", "HEAD").strip()
    folder = (out or ROOT / "validation" / version).resolve()
    with stages() as stage, _copies() as workshop:
        trial = config.resolve() if config != DEFAULT_CONFIG else None
        parts, outcomes, pictures = _done(workshop, trial, set(without or ()), stage)
        verdict = judge(requirements, outcomes, parts)
        about = About(
            "trialdesk", version, commit, not _git("status", "--porcelain").strip(),
            f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            f"{date.today()}", config.name if trial else "", since,
        )  # fmt: skip
        again = _touched(verdict.traced, since) if since else ()
        digests = {name: _digest(ROOT / name) for name in LOCKS}
        packages = {name: " or ".join(sorted(pins)) for name, pins in locked(ROOT / "requirements-dev.lock").items()}
        evidence = Evidence(outcomes, parts, _limits(), pictures, digests, packages, again)
        stage("writing the document")
        page = folder / "validation.html"
        place(page, document(about, verdict, evidence).encode())
        printed = _print(page, workshop)
    print(page)
    print(page.with_suffix(".pdf") if printed else "no PDF: there is no Chromium on this machine")
    for line in (*verdict.failed, *verdict.lacking):
        print(line)
    code = verdict.exit_code or (0 if printed else OK_WITH_WARNINGS)
    if code:
        raise typer.Exit(code)


Show = Callable[[str], None]


def _done(
    workshop: Path, trial: Path | None, without: set[str], stage: Show
) -> tuple[list[Part], tuple[Outcome, ...], list[Picture]]:
    """Every part that was not left out, in a clean copy of the commit each."""
    from trialdesk.validation.judging import Part

    parts: list[Part] = []
    outcomes: tuple[Outcome, ...] = ()
    pictures: list[Picture] = []
    asked = "left out by --without"
    if "installation" in without:
        parts.append(Part("Installation", "left out", asked))
    else:
        stage("installing in a clean folder, and the demo there")
        parts.append(_installation(workshop / "installed", trial))
    if "operation" in without:
        parts.append(Part("Operation", "left out", asked))
    else:
        stage("every test, in a second clean folder")
        part, outcomes = _operation(workshop / "tested", trial)
        parts.append(part)
    if "performance" in without or "installation" in without:
        parts.append(Part("Performance", "left out", asked if "performance" in without else "needs the installation"))
    else:
        stage("pictures of what the rehearsal wrote")
        part, pictures = _performance(workshop / "installed", workshop / "pictures")
        parts.append(part)
    return parts, outcomes, pictures


def _installation(copy: Path, trial: Path | None) -> Part:
    from trialdesk.validation.judging import Part

    _clone(copy)
    demo = f"--config {trial}" if trial else ""
    done = _make(copy, "demo", f"DEMO={demo}")
    listed = _installed(copy / ".venv" / "bin" / "python")
    facts = (
        f"{len(listed)} packages from requirements.lock ({_digest(copy / 'requirements.lock')[:16]}…)",
        f"make demo ended with {done.returncode}",
    )
    if done.returncode:
        return Part("Installation", "failed", f"make demo ended with {done.returncode}: {_last(done.stderr)}", facts)
    return Part("Installation", "done", "", facts)


def _operation(copy: Path, trial: Path | None) -> tuple[Part, tuple[Outcome, ...]]:
    from trialdesk.validation.judging import Part, read_outcomes

    _clone(copy)
    outcomes: tuple[Outcome, ...] = ()
    seen: list[str] = []
    for target in ("test", "long"):
        kept = copy / f"outcomes-{target}.json"
        more = {"PYTEST_ADDOPTS": f"--outcomes={kept}", "CI": "1", **({"SHIPPED_TRIAL": str(trial)} if trial else {})}
        done = _make(copy, target, **more)
        if not kept.exists():
            return Part(
                "Operation", "failed", f"make {target} ended with {done.returncode}: {_last(done.stderr)}"
            ), outcomes
        outcomes += read_outcomes(kept.read_text(encoding="utf-8"))
        seen.append(f"make {target}: {_last(done.stdout)}")
    failed = sum(one.outcome == "failed" for one in outcomes)
    lock = f"requirements-dev.lock ({_digest(copy / 'requirements-dev.lock')[:16]}…)"
    facts = (f"{len(outcomes)} tests, {failed} failed", lock, *seen)
    return Part(
        "Operation", "failed" if failed else "done", f"{failed} tests failed" if failed else "", facts
    ), outcomes


def _performance(copy: Path, folder: Path) -> tuple[Part, list[Picture]]:
    """A picture of each output and page of the rehearsal; what can't be drawn here is said."""
    from trialdesk.validation.judging import Part

    latest = copy / "reports" / "latest"
    lacking = [name for name in ("soffice", "chromium") if shutil.which(name) is None]
    if lacking or not latest.exists():
        why = f"{lacking[0]} is not on this machine" if lacking else "the rehearsal wrote nothing"
        return Part("Performance", "left out", why), []
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [picture for path in _opened(latest) for picture in _drawn(path, latest, folder)]
    return Part("Performance", "done", "", (f"{len(pictures)} pictures of {len(_opened(latest))} files",)), pictures


def _opened(latest: Path) -> list[Path]:
    """The files that a person opens; of the sites' the first site's."""
    every = sorted(path for path in latest.rglob("*") if path.suffix in (".xlsx", ".html", ".svg"))
    first = next((path.parent for path in every if path.parts[-3:-2] == ("sites",)), None)
    return [path for path in every if path.parts[-3:-2] != ("sites",) or path.parent == first]


def _drawn(path: Path, latest: Path, folder: Path) -> Iterator[Picture]:
    from base64 import b64encode
    from io import BytesIO

    import pypdfium2

    from trialdesk.validation.document import Picture

    name = str(path.relative_to(latest))
    pdf = folder / f"{name.replace('/', '-')}.pdf"
    if path.suffix == ".xlsx":
        subprocess.run(
            ["soffice", "--headless", "--convert-to", "pdf", "--outdir", str(folder / "sheets"), str(path)],
            env=_clean(), capture_output=True, check=False,
        )  # fmt: skip
        (folder / "sheets" / f"{path.stem}.pdf").replace(pdf)
    else:
        _printed(path, pdf)
    with pypdfium2.PdfDocument(pdf) as book:
        for number, page in enumerate(book, 1):
            drawn = BytesIO()
            page.render(scale=1.1).to_pil().convert("P", colors=64).save(drawn, "PNG", optimize=True)
            yield Picture(f"{name}, page {number}", f"data:image/png;base64,{b64encode(drawn.getvalue()).decode()}")


def _print(page: Path, workshop: Path) -> bool:
    """The page as PDF beside it, as private as the page; False where there is no browser."""
    from trialdesk.private import place

    if shutil.which("chromium") is None:
        return False
    pdf = workshop / "validation.pdf"
    _printed(page, pdf)
    place(page.with_suffix(".pdf"), pdf.read_bytes())
    return True


def _printed(page: Path, pdf: Path) -> None:
    words = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-pdf-header-footer",
        f"--print-to-pdf={pdf}",
    ]
    subprocess.run([*words, page.as_uri()], env=_clean(), capture_output=True, check=False)
    if not pdf.exists():
        raise OutputFailed(f"{pdf}: Chromium printed nothing; run it by hand to see why")


@contextmanager
def _copies() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="validation-") as folder:
        yield Path(folder)


def _make(copy: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=copy, env=_clean() | more, capture_output=True, text=True, check=False)


def _clone(copy: Path) -> None:
    """A clean copy of the commit, without what is not committed."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(copy)], check=True, capture_output=True)


def _clean() -> dict[str, str]:
    """The environment without what a developer, a trial or the calling make has in it."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TRIALDESK", "VIRTUAL_ENV", "PYTEST", "PYTHON", "MAKE", "MFLAGS"))
    }


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _known(parts: Sequence[str]) -> None:
    if unknown := sorted({*parts} - {*PARTS}):
        raise typer.BadParameter(f"{unknown[0]} is no part; there are {', '.join(PARTS)}", param_hint="--without")


def _version() -> str:
    import tomllib

    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _digest(path: Path) -> str:
    from hashlib import sha256

    return sha256(path.read_bytes()).hexdigest()


def _installed(python: Path) -> list[str]:
    words = [
        str(python),
        "-c",
        "from importlib.metadata import distributions as d; print(*sorted({x.name for x in d()}))",
    ]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.split() if python.exists() else []


def _last(text: str) -> str:
    return next((line for line in (one.strip(" =") for one in reversed(text.splitlines())) if line), "no output")


def _limits() -> Sequence[str]:
    """The points of docs/validation/limits.md, one a line that begins with a dash."""
    lines = (ROOT / LIMITS).read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("- ") for line in lines if line.startswith("- ")]


def _touched(traced: Sequence[Traced], since: str) -> tuple[tuple[Traced, str], ...]:
    from trialdesk.validation.changed import touched

    try:
        files = _git("diff", "--name-only", since, "--").splitlines()
        words = _git("diff", since, "--", "CHANGELOG.md")
    except subprocess.CalledProcessError:
        raise typer.BadParameter(f"{since} is no tag or commit of this repository", param_hint="--since") from None
    added = "\n".join(line for line in words.splitlines() if line.startswith("+"))
    return touched(traced, frozenset(files), added)


if __name__ == "__main__":
    run(app)
