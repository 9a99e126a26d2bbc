"""What happens to a desk between two nights: a full disk, many starts, another hour, server, field or token."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pytest
from redcap.project import Project

from played import Played, played
from redcap_local.administration import give_token, opened, revoke_token
from redcap_local.people import CREATOR
from rehearsal.people import COORDINATOR
from trialdesk.config import Config
from trialdesk.errors import EXITS, TrialError
from trialdesk.facts.todo import STRUCTURE
from trialdesk.memory.opening import recalled
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.run import Order, Outcome, nightly, scope_of
from trialdesk.redcap.gateway import open_gateway
from trialdesk.redcap.patience import Patience
from trialdesk.redcap.tokens import VARIABLES
from twisting import Twist, Twisting, of_rows, twisting

pytestmark = pytest.mark.requirement("NGT-01", "NGT-02")
ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)
QUICK = Patience(attempts=2, first_wait=0.01)
FINE = frozenset({0, 10, 45})
STARTS = 20


@dataclass
class Desk:
    """A played trial with something between it and its server, which changes nothing at first."""

    trial: Played
    config: Config
    between: Twisting

    def night(self, now: datetime, today: date = TODAY) -> Outcome:
        zoned = now if now.tzinfo else now.replace(tzinfo=self.config.trial.zone)
        trial, register = (open_gateway(self.config, role, QUICK) for role in ("trial", "register"))
        return nightly(self.config, Order(today, zoned), trial, register, lambda _: None)

    @property
    def latest(self) -> str:
        return (self.config.reports / LATEST).resolve().name

    def file(self, name: str, **folders: Path) -> Path:
        """A configuration of the same trial with other folders."""
        text = self.trial.stage.config_file.read_text(encoding="utf-8")
        for folder, path in folders.items():
            text = re.sub(rf"(?m)^  {folder}: .*", f"  {folder}: {path}", text)
        made = self.config.home / f"{name}.yaml"
        made.write_text(text, encoding="utf-8")
        return made


@pytest.fixture(name="desk", scope="module")
def a_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with played(tmp_path_factory.mktemp("between"), 6, TODAY) as trial, twisting(trial.stage.config.redcap.url) as it:
        redcap = trial.stage.config.redcap.model_copy(update={"url": it.url})
        yield Desk(trial, trial.stage.config.model_copy(update={"redcap": redcap}), it)


def started(file: Path) -> subprocess.Popen[str]:
    """A night as cron starts it."""
    words = [sys.executable, "scripts/nightly_sync.py", "--once", "--today", str(TODAY), "--config", str(file)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(night: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code, and what it said of an error."""
    _, said = night.communicate(timeout=180)
    return night.returncode, said


def test_of_twenty_starts_at_once_one_runs_and_the_others_say_so(desk: Desk, tmp_path: Path) -> None:
    """Nobody waits, nothing is published twice in that time, and the memory is whole."""
    file = desk.file("many", reports=tmp_path / "reports")
    codes = Counter(ended(one)[0] for one in [started(file) for _ in range(STARTS)])
    published = [path for path in (tmp_path / "reports").glob("[0-9]*") if path.is_dir()]
    # who starts after the first has ended may run as well: all twenty seldom begin within one night
    assert codes.total() == STARTS
    assert {*codes} <= {*FINE, 75}
    assert codes[75] >= STARTS // 2
    assert len(published) == sum(codes[code] for code in FINE)
    assert not [*(tmp_path / "reports").glob(".building-*")]
    assert ended(started(file))[0] in FINE


@contextmanager
def disk(place: Path, size: str) -> Iterator[Path]:
    """A file system of its own, of so many bytes."""
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)], check=False)
    if made.returncode:
        pytest.skip("NOT TESTED: a full and a read-only disk need the right to mount one (run as root)")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_and_a_read_only_disk_end_one_night_in_one_line(desk: Desk, tmp_path: Path) -> None:
    """60 and what to do; the run before still stands, and the next night is fine."""
    with disk(tmp_path / "disk", "6m") as place:
        reports = place / "reports"
        file, filler = desk.file("small", reports=reports), place / "filler"
        assert ended(started(file))[0] in FINE
        before = (reports / LATEST).resolve()
        for how in ("full", "ro"):
            fill(filler, leaving=120_000) if how == "full" else remount(place, "ro")
            code, said = ended(started(file))
            assert (code, said.count("\n")) == (60, 1), said
            assert re.search("no space|room|read-only|right", said, re.IGNORECASE)
            assert (reports / LATEST).resolve() == before
            filler.unlink() if how == "full" else remount(place, "rw")
        assert ended(started(file))[0] in FINE
        assert (reports / LATEST).resolve() != before
        assert not [*reports.glob(".building-*")]


def fill(filler: Path, leaving: int) -> None:
    """Hardly any room is left on the disk."""
    import shutil

    filler.write_bytes(b"\0" * (shutil.disk_usage(filler.parent).free - leaving))


def remount(place: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True)


SPRING = (datetime(2027, 3, 28, 1, 50), datetime(2027, 3, 28, 3, 10), datetime(2027, 3, 29, 4, 30))
AUTUMN = (
    datetime(2027, 10, 31, 2, 50), datetime(2027, 10, 31, 2, 10, fold=1), datetime(2027, 10, 31, 4, 30),
    datetime(2027, 11, 1, 4, 30),
)  # fmt: skip


@pytest.mark.parametrize("nights", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_a_night_of_another_hour_follows_the_one_before(desk: Desk, nights: tuple[datetime, ...]) -> None:
    """The memory's last night is the one that ran last, also when the clock went back in between."""
    names = []
    for now in nights:
        done = desk.night(now, now.date())
        names.append(done.summary.run)
        assert desk.latest == done.summary.run
        last = recalled(desk.config.state, scope_of(desk.config)).night
        assert last
        assert last.run == done.summary.run
    assert names == sorted(set(names))


def answering(content: str, body: bytes) -> Twist:
    return lambda asked, true: body if asked.get("content") == content else true


def test_a_server_that_was_upgraded_is_named_and_nothing_else_is_new(desk: Desk) -> None:
    """The run says which REDCap it was; its sheets are the same."""
    desk.night(datetime(2028, 1, 10, 4, 30))
    one = desk.night(datetime(2028, 1, 10, 4, 31))
    desk.between.twist = answering("version", b"16.0.9")
    try:
        two = desk.night(datetime(2028, 1, 10, 4, 32))
    finally:
        desk.between.twist = lambda _, body: body
    told = json.loads((desk.config.reports / LATEST / "run.json").read_text(encoding="utf-8"))
    assert told["redcap"] == "16.0.9"
    assert two.exit_code == one.exit_code
    same = [name for name in one.summary.files if two.summary.files[name] == one.summary.files[name]]
    assert {"monitor/enrolment_report.xlsx", "coordinator/envelope_lists.xlsx"} <= {*same}
    assert "calls/call_schedule.xlsx" not in same  # its links lead to the pages of that version


def renamed(old: str, new: str) -> Twist:
    def change(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        return [{**row, "field_name": new if row["field_name"] == old else row["field_name"]} for row in rows]

    return of_rows("metadata", change)


def test_a_renamed_field_that_the_configuration_names_stops_the_night(desk: Desk) -> None:
    """By its name, before anything is read of a patient; the run before stands."""
    before = desk.latest
    desk.between.twist = renamed("rand_date", "rand_day")
    try:
        with pytest.raises(TrialError, match="rand_date") as stopped:
            desk.night(datetime(2028, 1, 11, 4, 30))
    finally:
        desk.between.twist = lambda _, body: body
    assert stopped.value.exit_code in {20, 21}
    assert desk.latest == before
    assert desk.night(datetime(2028, 1, 11, 4, 31)).exit_code in FINE


def test_a_renamed_field_that_nobody_needs_is_said(desk: Desk) -> None:
    """The project is other than last night: published, and on To do; the rename is a real one."""
    token = give_token(desk.config.home / "redcap.sqlite", 1, CREATOR)
    administrator = Project(desk.trial.stage.config.redcap.url, token)
    fields = administrator.export_metadata()
    (comment,) = (field for field in fields if field["field_name"] == "dev_desc")
    comment["field_name"] = "dev_words"
    administrator.import_metadata(fields)
    done = desk.night(datetime(2028, 1, 12, 4, 30))
    assert done.exit_code in {10, 45}
    assert STRUCTURE in {task.kind for task in done.tasks}


def test_a_revoked_token_ends_the_night_and_a_new_one_begins_the_next(desk: Desk) -> None:
    """31 and what to do, never the token; what stands in the file of tokens is read anew."""
    database, tokens, before = desk.config.home / "redcap.sqlite", desk.config.home / "tokens.env", desk.latest
    with opened(database) as connection:
        revoke_token(connection, 1, COORDINATOR)
    with pytest.raises(TrialError) as refused:
        desk.night(datetime(2028, 1, 13, 4, 30))
    assert refused.value.exit_code == 31
    assert EXITS[31].way_out
    assert not re.search(r"[0-9A-F]{32}", str(refused.value))
    assert desk.latest == before
    fresh = give_token(database, 1, COORDINATOR)
    name = VARIABLES["trial"]
    tokens.write_text(re.sub(rf"(?m)^{name}=.*", f"{name}={fresh}", tokens.read_text(encoding="utf-8")))
    assert desk.night(datetime(2028, 1, 13, 4, 31)).exit_code in FINE
