"""The publishing of a run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from trialdesk.errors import OutputFailed
from trialdesk.nightly.publish import building, publish, run_name
from trialdesk.reports.delivery import FILES

pytestmark = pytest.mark.requirement("NGT-01")

NOW = datetime(2026, 11, 23, 4, 30)
PAGE = Path(__file__).parents[2] / "docs" / "nightly.md"


def test_the_page_lists_exactly_the_files_of_a_run() -> None:
    """Each with its reader and what it holds, as the table in the code has it."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    listed = {row[0].strip("`"): tuple(row[1:]) for row in rows if row[0].strip("`") in FILES}
    assert listed == {name: tuple(file) for name, file in FILES.items()}


def test_a_run_appears_whole_and_latest_points_at_it(tmp_path: Path) -> None:
    """Readers see the run before or this one."""
    for content in ("one", "two"):
        run = run_name(tmp_path, NOW)
        with building(tmp_path, run) as folder:
            (folder / "summary.json").write_text(content, encoding="utf-8")
            publish(folder, tmp_path, run)
        assert (tmp_path / "latest" / "summary.json").read_text(encoding="utf-8") == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-11-23_043000", "2026-11-23_043000-2", "latest"]


def test_in_the_hour_that_comes_twice_a_run_follows_the_one_before(tmp_path: Path) -> None:
    """By its name too, whether that one left a folder or not; a clock that was a day ahead rules no names."""
    before, after = datetime(2026, 10, 25, 2, 50), datetime(2026, 10, 25, 2, 10, fold=1)
    for name in (first := "2026-10-25_025000", f"{first}-2"):
        assert run_name(tmp_path, before if name == first else after) == name
        (tmp_path / name).mkdir()
    assert run_name(tmp_path, after, ("2026-10-25_025500",)) == "2026-10-25_025500-2"
    assert run_name(tmp_path, datetime(2026, 10, 25, 4, 30)) == "2026-10-25_043000"
    assert run_name(tmp_path, datetime(2026, 10, 24, 4, 30)) == "2026-10-24_043000"


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
