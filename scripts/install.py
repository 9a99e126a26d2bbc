"""Make the environment from a lock: exactly its packages, nothing resolved; needs nothing but Python itself."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

LEAST = (3, 11)
SOURCES = Path(__file__).resolve().parents[1] / "src"


def main(words: list[str]) -> int:
    """The environment holds the lock's packages and finds our own; returns the exit code for the shell.

    Args:
        words: The folder of the environment and the lock.
    """
    if sys.version_info < LEAST:
        print(f"Python {sys.version.split()[0]} is too old: 3.11 or newer is needed; name it: make PYTHON=python3.12 …")
        return 2
    folder, lock = map(Path, words)
    begun = time.monotonic()
    print(f"Python {sys.version.split()[0]}: making {folder}", flush=True)
    if not _done([sys.executable, "-m", "venv", str(folder)], "on Debian and Ubuntu: apt install python3-venv"):
        return 1
    python = _python(folder)
    packages = sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines() if line[:1].isalnum())
    print(f"installing {packages} packages from {lock.name} (a minute or two) …", flush=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    exact = ["install", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", str(lock)]
    if not _done([*pip, *exact], "check the network and the package index, then run make again"):
        return 1
    if not _done([*pip, "check"], f"{lock.name} is not complete: make lock"):
        return 1
    _find_ourselves(python)
    (folder / ("installed-dev" if "-dev" in lock.name else "installed")).touch()
    print(f"installed in {time.monotonic() - begun:.0f} s\n", flush=True)
    return 0


def _done(command: list[str], way_out: str) -> bool:
    """Whether the command went well; what it said is shown only if it did not."""
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if ended.returncode:
        sys.stderr.write(f"{ended.stdout}\nThis did not work: {' '.join(command[1:4])} …; {way_out}\n")
    return ended.returncode == 0


def _python(folder: Path) -> Path:
    return next(path for path in (folder / "bin" / "python", folder / "Scripts" / "python.exe") if path.exists())


def _find_ourselves(python: Path) -> None:
    """The environment finds the packages of this checkout."""
    where = [str(python), "-c", "import site; print(site.getsitepackages()[-1])"]
    packages = subprocess.run(where, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    Path(packages, "trialdesk.pth").write_text(f"{SOURCES}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
