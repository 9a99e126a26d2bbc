"""The desk's memory: nothing vanishes from it, nothing damages it for long, and findings have a life in it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from trialdesk.errors import OutputFailed
from trialdesk.findings.life import lives
from trialdesk.memory.opening import COPY, recalled, remembering
from trialdesk.memory.store import FILE, Memory, opened
from trialdesk.memory.values import Acceptance, Known, Night, Remembered, Run, Scope, Seen
from trialdesk.model import Finding, Tally

pytestmark = pytest.mark.requirement("NGT-04", "AUD-01")

SCOPE = Scope("PVP-MM", "https://x/api/")
DAY = date(2026, 11, 23)
ODD = Finding("Q01", "ODE", "ODE-001", "week_4_arm_1", "error", "odd", evidence="44")
SEEN = Seen(
    "ODE-001",
    "ode",
    frozenset({"screened"}),
    True,
    "d1",
    "c1",
    "run",
    "ODE-001",
    {"e f": 2, "e g": 1},
    {"e f": "2026-03-09"},
)


def night(run: str, *records: Seen) -> Night:
    return Night(run, str(DAY), Tally("1", len(records), 1, {"ode": 1}), {one.record: one for one in records or [SEEN]})


def ran(memory: Memory, name: str, known: tuple[Known, ...] = ()) -> None:
    memory.begin(SCOPE, Run(name, str(DAY)))
    memory.publish(SCOPE, night(name), known, 0)


def test_what_a_run_saw_is_told_to_the_next(tmp_path: Path) -> None:
    """Records, counts, findings and their lives; of another server nothing."""
    known = lives([(ODD, False)], Remembered(SCOPE), DAY)
    with opened(tmp_path / FILE) as memory:
        ran(memory, "a", known)
        told = memory.remembered(SCOPE)
        assert told.night == night("a")
        assert [replace(one, change="") for one in known] == list(told.known)
        assert memory.remembered(Scope("PVP-MM", "https://y/api/")).night is None
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_what_older_runs_saw_is_not_kept(tmp_path: Path) -> None:
    """Five years of nights would be tens of megabytes in every published run; the runs themselves stay listed."""
    with opened(tmp_path / FILE) as memory:
        ran(memory, "a")
        memory.begin(Scope("other", "https://x/api/"), Run("a", str(DAY)))
        memory.publish(Scope("other", "https://x/api/"), night("a"), (), 0)
        ran(memory, "b")
        told = memory.remembered(SCOPE)
        assert told.night == night("b")
        assert memory.runs(SCOPE) == {"a", "b"}
        assert memory.knows(SCOPE, "a")
        assert memory.remembered(Scope("other", "https://x/api/")).night == night("a")
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        kept = db.execute("SELECT run, saw IS NULL FROM runs WHERE scope = ? ORDER BY run", (str(SCOPE),)).fetchall()
    assert kept == [("a", 1), ("b", 0)]


def test_nights_that_failed_are_told_until_one_is_published(tmp_path: Path) -> None:
    """With how far they came; a run that never ended has died."""
    with opened(tmp_path / FILE) as memory:
        ran(memory, "a")
        memory.begin(SCOPE, Run("b", str(DAY)))
        memory.end(SCOPE, "b", "failed", "pull", 30)
        memory.begin(SCOPE, Run("c", str(DAY)))
    (tmp_path / ".building-c").mkdir()
    with remembering(tmp_path, tmp_path, SCOPE) as (memory, notes):
        assert notes == ("run c began and never ended",)
        assert [(r.run, r.status, r.stage) for r in memory.remembered(SCOPE).unpublished] == [
            ("b", "failed", "pull"),
            ("c", "died", ""),
        ]
        ran(memory, "d")
        assert memory.remembered(SCOPE).unpublished == ()
    assert not (tmp_path / ".building-c").exists()


@pytest.mark.parametrize("name", ["plain", "50 % of #1, done?", "100%25", "æøå"])
def test_a_memory_is_taken_over_from_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    """Every night does, from the run it has published; what the folder is called is the trial unit's to decide."""
    (tmp_path / name).mkdir()
    with opened(tmp_path / name / FILE) as copy, opened(tmp_path / FILE) as memory:
        ran(copy, "a")
        memory.take_over(tmp_path / name / FILE)
        assert memory.knows(SCOPE, "a")


def test_a_folder_whose_run_was_killed_while_it_cleared_it_goes_at_the_next_start(tmp_path: Path) -> None:
    """The memory says that the run failed or died, and nobody would look again; what is no run of ours stays."""
    with opened(tmp_path / FILE) as memory:
        ran(memory, "a")
        for run, status in (("b", "failed"), ("c", "died")):
            memory.begin(SCOPE, Run(run, str(DAY)))
            memory.end(SCOPE, run, status, "", 1)
    for name in ("a", "b", "c", "dataset-2026-11-26"):
        (tmp_path / f".building-{name}").mkdir()
        (tmp_path / f".building-{name}" / "x").touch()
    with remembering(tmp_path, tmp_path, SCOPE):
        assert [path.name for path in tmp_path.glob(".building-*")] == [".building-dataset-2026-11-26"]


@pytest.mark.parametrize("damage", [b"", b"foreign bytes", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_memory_is_set_aside_and_its_copy_takes_its_place(tmp_path: Path, damage: bytes) -> None:
    """The night goes on and says so; an empty file is no memory yet."""
    run = tmp_path / "2026-11-23_043000"
    (run / COPY).parent.mkdir(parents=True)
    with opened(tmp_path / FILE) as memory:
        ran(memory, run.name)
        memory.copy_to(run / COPY)
    (tmp_path / FILE).write_bytes(damage)
    with remembering(tmp_path, tmp_path, SCOPE) as (memory, notes):
        found = memory.remembered(SCOPE).night
        assert found is not None
        assert found.run == run.name
        assert len(notes) == 1
    assert bool(list(tmp_path.glob("memory.damaged-*"))) == bool(damage)


def test_a_damaged_memory_without_a_copy_begins_anew(tmp_path: Path) -> None:
    """A second damage is set aside under another name."""
    for number in (1, 2):
        (tmp_path / FILE).write_bytes(b"torn")
        with remembering(tmp_path, tmp_path, SCOPE) as (memory, notes):
            assert memory.remembered(SCOPE).night is None
            assert f"memory.damaged-{number}.sqlite" in notes[0]


def test_a_run_that_was_published_and_then_killed_is_taken_in(tmp_path: Path) -> None:
    """Its copy knows of it; the memory had only heard it begin."""
    run = tmp_path / "2026-11-24_043000"
    (run / COPY).parent.mkdir(parents=True)
    with opened(tmp_path / FILE) as memory:
        memory.begin(SCOPE, Run(run.name, str(DAY)))
        memory.copy_to(run / COPY)
    with opened(run / COPY) as copy:
        copy.publish(SCOPE, night(run.name), (), 10)
    with remembering(tmp_path, tmp_path, SCOPE) as (memory, notes):
        assert memory.knows(SCOPE, run.name)
        assert "is taken over" in notes[0]
    with remembering(tmp_path, tmp_path, SCOPE) as (_, notes):
        assert notes == ()


def test_every_readable_line_of_a_ledger_is_migrated(tmp_path: Path) -> None:
    """A torn line, a blank one and foreign bytes are left out, and counted; the last published run is the yardstick."""
    good = {
        "run": "2026-11-20_043000", "trial": "PVP-MM", "url": "https://x/api/", "day": "2026-11-20", "files": [],
        "status": "published", "exit_code": 10,
        "tally": {"project": "1", "records": 40, "randomised": 22, "by_group": {}},
    }  # fmt: skip
    failed = {**good, "run": "2026-11-21_043000", "status": "failed in pull", "exit_code": 30, "tally": None}
    lines = [json.dumps(good).encode(), b"", b'{"half": ', b"\xff\xfe\x00", json.dumps(failed).encode(), b'{"torn": 1']
    (tmp_path / "ledger.jsonl").write_bytes(b"\n".join(lines))
    with remembering(tmp_path, tmp_path, SCOPE) as (memory, notes):
        told = memory.remembered(SCOPE)
    assert told.night is not None
    assert (told.night.run, told.night.tally.records, told.night.records) == ("2026-11-20_043000", 40, None)
    assert [(run.stage, run.exit_code) for run in told.unpublished] == [("pull", 30)]
    assert "2 run(s) of ledger.jsonl are in the memory, 3 damaged line(s) left out" in notes[0]
    assert (tmp_path / "ledger.jsonl.migrated").exists()
    with remembering(tmp_path, tmp_path, SCOPE) as (_, notes):
        assert notes == ()


def test_a_full_disk_stops_one_night_and_not_the_next(tmp_path: Path) -> None:
    """The page limit of SQLite stands for the disk: what was written before is whole."""
    with opened(tmp_path / FILE) as memory:
        ran(memory, "a")
        pages = memory._connection.execute("PRAGMA page_count").fetchone()[0]
        memory._connection.execute(f"PRAGMA max_page_count = {pages}")
        many = [Seen(f"ODE-{n:05}", "ode") for n in range(5000)]
        memory.begin(SCOPE, Run("b", str(DAY)))
        with pytest.raises(OutputFailed, match="can't be written"):
            memory.publish(SCOPE, night("b", *many), (), 0)
    with opened(tmp_path / FILE) as memory:
        found = memory.remembered(SCOPE).night
        assert found is not None
        assert found.run == "a"
        ran(memory, "c")


def test_a_report_by_hand_reads_and_changes_nothing(tmp_path: Path) -> None:
    """Neither is a memory made where there is none, nor a damaged one mended."""
    assert recalled(tmp_path, SCOPE).night is None
    assert not (tmp_path / FILE).exists()
    (tmp_path / FILE).write_bytes(b"torn")
    assert recalled(tmp_path, SCOPE).known == ()
    assert (tmp_path / FILE).read_bytes() == b"torn"


def test_nothing_of_a_record_s_data_stands_in_the_memory(tmp_path: Path) -> None:
    """What findings rest on is kept as a keyed digest alone."""
    secret = replace(ODD, evidence="canary value")
    with opened(tmp_path / FILE) as memory:
        ran(memory, "a", lives([(secret, False)], Remembered(SCOPE, b"k"), DAY))
        dump = "\n".join(memory._connection.iterdump())
    assert "canary" not in dump
    assert "ODE-001" in dump


def remembered(known: tuple[Known, ...] = (), *given: Acceptance, run: str = "a") -> Remembered:
    return Remembered(SCOPE, b"secret", night(run), known, given)


def test_the_life_of_a_finding() -> None:
    """New, open, closed by itself, reopened with the same id; on the first night nothing is new."""
    (first,) = lives([(ODD, False)], Remembered(SCOPE, b"secret"), DAY)
    assert (first.change, first.first, first.urgent) == ("", DAY, True)
    (new,) = lives([(ODD, False)], remembered(), DAY)
    assert (new.change, new.id) == ("new", first.id)
    (still,) = lives([(ODD, False)], remembered((new,)), DAY + timedelta(3))
    assert (still.change, still.first, still.age(DAY + timedelta(3))) == ("", DAY, 3)
    (closed,) = lives([], remembered((still,)), DAY + timedelta(4))
    assert (closed.change, closed.closed, closed.open) == ("closed", DAY + timedelta(4), False)
    (quiet,) = lives([], remembered((closed,)), DAY + timedelta(5))
    assert (quiet.change, quiet.closed) == ("", DAY + timedelta(4))
    (again,) = lives([(ODD, False)], remembered((quiet,)), DAY + timedelta(6))
    assert (again.change, again.id, again.first, again.reopened) == ("reopened", first.id, DAY, DAY + timedelta(6))


def test_an_id_is_of_rule_and_place_and_what_it_is_about() -> None:
    """Another wording or severity is the same finding; another place, field, envelope or record is another."""

    def name(finding: Finding) -> str:
        return lives([(finding, False)], remembered(), DAY)[0].id

    assert name(ODD) == name(replace(ODD, text="said otherwise", severity="warning", evidence="50"))
    others = [
        replace(ODD, rule="Q02"),
        replace(ODD, record="ODE-002"),
        replace(ODD, where=""),
        replace(ODD, field="x"),
        replace(ODD, envelope="E"),
        replace(ODD, other="R"),
    ]
    assert len({name(one) for one in (ODD, *others)}) == 7
    assert name(ODD) != lives([(ODD, False)], Remembered(SCOPE, b"other", night("a")), DAY)[0].id


def test_an_acceptance_holds_for_its_evidence_and_until_its_day() -> None:
    """It changes urgency alone, and ends by itself."""
    (known,) = lives([(ODD, False)], remembered(), DAY)
    given = Acceptance(known.id, known.evidence, "seen by the monitor", "AB", DAY, DAY + timedelta(7))
    (accepted,) = lives([(ODD, False)], remembered((known,), given), DAY + timedelta(7))
    assert (accepted.open, accepted.urgent) == (True, False)
    (over,) = lives([(ODD, False)], remembered((known,), given), DAY + timedelta(8))
    assert over.urgent
    (other,) = lives([(replace(ODD, evidence="45"), False)], remembered((known,), given), DAY)
    assert other.urgent


def test_a_renamed_record_keeps_its_findings() -> None:
    """The memory knows the id under which it was first seen."""
    (known,) = lives([(ODD, False)], remembered(), DAY)
    renamed = replace(SEEN, record="ODE-900", original="ODE-001")
    past = Remembered(SCOPE, b"secret", night("b", renamed), (known,))
    (same,) = lives([(replace(ODD, record="ODE-900"), False)], past, DAY)
    assert (same.id, same.change, same.finding.record) == (known.id, "", "ODE-900")


def test_an_accepted_finding_can_be_taken_back(tmp_path: Path) -> None:
    """One acceptance at a time; what was said stays in the file."""
    with opened(tmp_path / FILE) as memory:
        ran(memory, "a", lives([(ODD, False)], Remembered(SCOPE, b"k"), DAY))
        (known,) = memory.remembered(SCOPE).known
        for reason in ("first", "second"):
            memory.accept(SCOPE, Acceptance(known.id, known.evidence, reason, "AB", DAY, None))
        (found,) = memory.remembered(SCOPE).known
        assert found.acceptance is not None
        assert found.acceptance.reason == "second"
        assert memory.take_back(SCOPE, known.id, DAY)
        assert not memory.take_back(SCOPE, known.id, DAY)
        assert memory.remembered(SCOPE).known[0].acceptance is None
        assert memory._connection.execute("SELECT COUNT(*) FROM acceptances").fetchone() == (2,)


def test_a_memory_of_another_version_is_not_guessed_at(tmp_path: Path) -> None:
    """It is set aside like a damaged one."""
    with opened(tmp_path / FILE):
        pass
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("UPDATE meta SET value = '99' WHERE name = 'version'")
    db.close()
    with remembering(tmp_path, tmp_path, SCOPE) as (_, notes):
        assert "another version" in notes[0]
