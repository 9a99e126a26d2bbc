"""Several trials in one folder, typed as a person types it: each by itself, and the worst of them counts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

from played import played

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)


def test_a_trial_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    """One in order, one whose token is refused, one without a token file: tokens of the environment are nobody's."""
    with played(tmp_path / "first", 3, TODAY) as one:
        home = one.stage.config_file.parent
        trials = tmp_path / "trials"
        trials.mkdir()
        (trials / "good").symlink_to(home, target_is_directory=True)
        for name in ("bare", "refused"):
            shutil.copytree(home, trials / name, ignore=shutil.ignore_patterns("*.sqlite*", "reports"))
            file = trials / name / "config.yaml"
            file.write_text(re.sub("  reports: .*", "  reports: reports", file.read_text(encoding="utf-8")))
        tokens = trials / "refused" / "tokens.env"
        tokens.write_text(re.sub("(TRIALDESK_TRIAL_TOKEN)=.*", rf"\1={'C' * 32}", tokens.read_text(encoding="utf-8")))
        (trials / "bare" / "tokens.env").unlink()
        environment = {**os.environ, "TRIALDESK_TRIAL_TOKEN": "A" * 32, "TRIALDESK_REGISTER_TOKEN": "B" * 32}
        ended = subprocess.run(
            [sys.executable, "scripts/nightly_sync.py", "--trials", str(trials), "--jobs", "2"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        lines = [line.split() for line in ended.stdout.splitlines()]
        assert [(line[0], line[1]) for line in lines[:3]] == [("bare", "20"), ("good", "10"), ("refused", "31")], ended
        assert (ended.returncode, lines[3][-1]) == (20, "20")
        assert "no token for trial" in ended.stderr
        assert (one.stage.config.reports / "latest" / "summary.json").exists()
        assert not (trials / "bare" / "reports" / "latest").exists()
