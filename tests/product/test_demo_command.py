"""`make demo` as a person types it, with the invented trial: it ends well and says what it found."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.requirement("INT-01", "INT-02", "INS-05")

ROOT = Path(__file__).parents[2]


def test_the_demo_plays_another_trial_from_nothing(tmp_path: Path) -> None:
    """Twelve patients of the invented trial: every planted deviation is found, and every file it names is there."""
    shutil.copytree(ROOT / "tests" / "data" / "other-trial", tmp_path / "trial")
    typed = [sys.executable, str(ROOT / "scripts" / "demo.py"), "--config", "trial/config.yaml"]
    done = subprocess.run(
        [*typed, "--patients", "12", "--today", "2026-11-23"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = re.search(r"(\d+) of (\d+) planted deviations found", done.stdout)
    assert found
    assert found[1] == found[2] != "0"
    files = re.findall(r"^  (\S+\.(?:xlsx|json|yaml))\b", done.stdout, re.MULTILINE)
    assert len(files) >= 5
    assert all((tmp_path / name).is_file() for name in files)
