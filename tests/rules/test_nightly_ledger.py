"""The run ledger and the publishing of a run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from trialdesk.errors import OutputFailed
from trialdesk.model import Tally
from trialdesk.nightly.ledger import Entry, append, last_published
from trialdesk.nightly.publish import building, publish, run_name

NOW = datetime(2026, 11, 23, 4, 30)


def entry(run: str, code: int, tally: Tally | None, trial: str = "PVP-MM") -> Entry:
    return Entry(run, trial, "https://x/api/", "2026-11-23", "ok" if not code else "failed", code, tally)


def test_the_yardstick_is_the_newest_published_run_of_this_trial(tmp_path: Path) -> None:
    """Failed runs and other trials do not count."""
    ledger = tmp_path / "ledger.jsonl"
    good = Tally("1 PVP", 40, 22, {"ode": 7})
    for line in (
        entry("a", 0, Tally("1 PVP", 39, 21)),
        entry("b", 10, good),
        entry("c", 40, None),
        entry("d", 0, Tally("9", 1, 1), "X"),
    ):
        append(ledger, line)
    last = last_published(ledger, "PVP-MM", "https://x/api/")
    assert last is not None
    assert (last.run, last.tally) == ("b", good)


def test_there_is_no_yardstick_before_the_first_run(tmp_path: Path) -> None:
    """A first run is judged by its shape alone."""
    assert last_published(tmp_path / "ledger.jsonl", "PVP-MM", "https://x/api/") is None


def test_a_damaged_ledger_is_named_with_its_line(tmp_path: Path) -> None:
    """Without a yardstick nothing is published."""
    (tmp_path / "ledger.jsonl").write_text('{"half": ', encoding="utf-8")
    with pytest.raises(OutputFailed, match=r"ledger\.jsonl:1"):
        last_published(tmp_path / "ledger.jsonl", "PVP-MM", "https://x/api/")


def test_what_another_version_wrote_is_passed_over(tmp_path: Path) -> None:
    """A field this version does not know leaves the line readable."""
    ledger = tmp_path / "ledger.jsonl"
    append(ledger, entry("a", 0, Tally("1", 40, 22)))
    ledger.write_text(ledger.read_text(encoding="utf-8").replace('{"', '{"mood": "fine", "', 1), encoding="utf-8")
    last = last_published(ledger, "PVP-MM", "https://x/api/")
    assert last is not None
    assert last.run == "a"


def test_a_run_appears_whole_and_latest_points_at_it(tmp_path: Path) -> None:
    """Readers see the run before or this one."""
    for content in ("one", "two"):
        run = run_name(tmp_path, NOW)
        with building(tmp_path, run) as folder:
            (folder / "summary.json").write_text(content, encoding="utf-8")
            publish(folder, tmp_path, run)
        assert (tmp_path / "latest" / "summary.json").read_text(encoding="utf-8") == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-11-23_043000", "2026-11-23_043000-2", "latest"]


def test_a_run_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """The folder it was built in is gone, and latest is untouched."""
    with pytest.raises(RuntimeError), building(tmp_path, "x") as folder:
        (folder / "half.xlsx").write_text("", encoding="utf-8")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_latest_cannot_point_at_is_not_there(tmp_path: Path) -> None:
    """Somebody made a folder of the name `latest`: the run is refused and leaves nothing."""
    (tmp_path / "latest").mkdir()
    with pytest.raises(OutputFailed, match="the earlier run still stands"), building(tmp_path, "run") as folder:
        (folder / "summary.json").write_text("{}", encoding="utf-8")
        publish(folder, tmp_path, "run")
    assert [path.name for path in tmp_path.iterdir()] == ["latest"]
