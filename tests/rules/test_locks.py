"""The locks: complete, with digests, one version a package in all of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.requirement("INT-01")

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def name_of(text: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", text).lower()


def pins(lock: Path) -> dict[str, str]:
    return {name_of(name): version for name, version in PIN.findall(lock.read_text("utf-8"))}


def asked(group: list[str]) -> set[str]:
    return {name_of(re.split(r"[<>=\[;! ]", line)[0]) for line in group}


def test_a_package_has_one_version_in_all_locks() -> None:
    """And what runs in a trial is what is tested."""
    runtime, development = pins(ROOT / "requirements.lock"), pins(ROOT / "requirements-dev.lock")
    assert runtime.items() <= development.items()
    for lock in LOCKS:
        assert {name: v for name, v in pins(lock).items() if development.get(name, v) != v} == {}


def test_everything_asked_for_is_in_its_lock() -> None:
    """Of the project's own list and the one for development; nothing of the second where trials run."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = asked(project["project"]["dependencies"])
    development = asked(project["dependency-groups"]["dev"])
    assert runtime <= pins(ROOT / "requirements.lock").keys()
    assert development <= pins(ROOT / "requirements-dev.lock").keys()
    assert not development & pins(ROOT / "requirements.lock").keys()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_digests_and_names_no_index(lock: Path) -> None:
    """Installing resolves nothing and believes no server."""
    text = lock.read_text(encoding="utf-8")
    parts = re.split(r"^(?=[A-Za-z0-9._-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(parts) == len(PIN.findall(text)) > 0
    assert all("--hash=sha256:" in part for part in parts)
    assert "://" not in text
