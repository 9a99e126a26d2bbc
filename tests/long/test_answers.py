"""What is believed of an answer: every row of the table in docs/nightly.md, over HTTP, with its exit code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from played import Played, played
from redcap_local.administration import opened
from redcap_local.faults import KINDS, Fault, set_fault
from trialdesk.config import Config
from trialdesk.envelopes.register import read_register
from trialdesk.errors import OK, OK_WITH_WARNINGS, TrialError
from trialdesk.facts.todo import GONE, LOST, MISSING, STRUCTURE
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.run import Order, Outcome, nightly
from trialdesk.redcap.gateway import Gateway, open_gateway
from trialdesk.redcap.patience import Patience
from twisting import Asked, Twist, Twisting, of_rows, twisting

pytestmark = pytest.mark.requirement("NGT-03", "SEC-04")

PAGE = Path(__file__).parents[2] / "docs" / "nightly.md"
TODAY = date(2026, 11, 23)
QUICK = Patience(attempts=2, first_wait=0.01)
Rows = list[dict[str, Any]]


@dataclass
class Desk:
    """A played trial with something between it and the desk."""

    trial: Played
    config: Config
    between: Twisting
    nights: int = 0

    def gateway(self, role: Any) -> Gateway:
        return open_gateway(self.config, role, QUICK)

    def night(self, *, twisted: bool = False) -> Outcome:
        """A run a minute after the one before; `twisted`: with each token in the place of the other."""
        self.nights += 1
        now = datetime(2026, 11, 23, 4, self.nights % 60, self.nights // 60, tzinfo=self.config.trial.zone)
        trial, register = self.gateway("trial"), self.gateway("register")
        both = (register, trial) if twisted else (trial, register)
        return nightly(self.config, Order(TODAY, now), *both, lambda _: None)

    def exit(self, twist: Twist) -> tuple[int, bool]:
        """The exit code of a night whose answers are twisted, and whether it was published."""
        before = self.latest
        self.between.twist = twist
        try:
            code = self.night().exit_code
        except TrialError as error:
            code = error.exit_code
        finally:
            self.between.twist = straight
        return code, self.latest != before

    @property
    def latest(self) -> Path:
        return (self.config.reports / LATEST).resolve()

    def whole(self) -> None:
        """Ordinary nights, until one has nothing new to say."""
        self.night()
        assert self.night().exit_code == OK


def straight(_: Asked, body: bytes) -> bytes:
    """Nothing is changed."""
    return body


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with played(tmp_path_factory.mktemp("answers"), 24, TODAY) as trial, twisting(trial.stage.config.redcap.url) as it:
        config = trial.stage.config
        redcap = config.redcap.model_copy(update={"url": it.url})
        made = Desk(trial, config.model_copy(update={"redcap": redcap}), it)
        made.whole()
        yield made


@pytest.fixture
def calm(desk: Desk) -> Iterator[Desk]:
    """The desk; what a test left in its memory is over afterwards."""
    before = desk.latest
    yield desk
    desk.between.twist = straight
    if desk.latest != before:
        desk.whole()


def without(record: str) -> Callable[[Rows], Rows]:
    return lambda rows: [row for row in rows if row.get("record_id") != record]


def of_patient(desk: Desk, *, randomised: bool) -> str:
    """The first record that is randomised, or is not."""
    rows = desk.gateway("trial").records("record_id", ["rand_date"]).rows
    opened_ = {row.record for row in rows if "rand_date" in row.values}
    return min({row.record for row in rows if (row.record in opened_) == randomised})


def first_data_row_twice(rows: Rows) -> Rows:
    return [*rows, rows[0]] if wide(rows) else rows


def cut_off(asked: Asked, body: bytes) -> bytes:
    return body[: len(body) // 2] if asked.get("content") == "record" and len(body) > 2000 else body


def blanked(rows: Rows, names: set[str], records: set[str]) -> Rows:
    return [
        {name: "" if name in names and row.get("record_id") in records else value for name, value in row.items()}
        for row in rows
    ]


TABLE = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.read_text(encoding="utf-8").partition("## What is believed")[2].partition("\n\n**")[0].splitlines()
    if line.startswith("| ") and not line.startswith("| what is seen")
]
INCOMPLETE, BOTH_LACK, OTHER_PROJECT, CORRECTED, UNDONE, MANY, EMPTIED, OLD_LOG, CHANGED, GAP, TEXT = (
    row[0] for row in TABLE
)


def code_of(row: str) -> int:
    """What the page says."""
    found = next(re.match(r"\d+", cells[3]) for cells in TABLE if cells[0] == row)
    assert found
    return int(found[0])


BROKEN: dict[str, Callable[[str], Twist]] = {
    "a record is missing": lambda one: of_rows("record", lambda rows: without(one)(rows) if wide(rows) else rows),
    "a row is there twice": lambda _: of_rows("record", first_data_row_twice),
    "cut off": lambda _: cut_off,
    "no dictionary": lambda _: of_rows("metadata", lambda _: []),
    "no events": lambda _: of_rows("event", lambda _: []),
    "no mapping": lambda _: of_rows("formEventMapping", lambda _: []),
    "a line of the dictionary twice": lambda _: of_rows("metadata", lambda rows: [*rows, rows[-1]]),
}


def wide(rows: Rows) -> bool:
    """Whether a table is more than a list of ids."""
    return bool(rows) and len(rows[0]) > 5


@pytest.mark.parametrize("kind", BROKEN)
def test_an_incomplete_answer_is_no_answer(calm: Desk, kind: str) -> None:
    """It is asked for once more, then nothing is published."""
    one = of_patient(calm, randomised=False)
    assert calm.exit(BROKEN[kind](one)) == (code_of(INCOMPLETE), False)


def test_an_answer_that_is_whole_when_asked_again_is_used(calm: Desk) -> None:
    """One row twice, once: the night is an ordinary one."""
    once = [1]

    def doubled(rows: Rows) -> Rows:
        return [*rows, rows[0]] if wide(rows) and once and once.pop() else rows

    code, published = calm.exit(of_rows("record", doubled))
    assert (code in {OK, OK_WITH_WARNINGS}, published, once) == (True, True, [])


def test_a_record_that_vanishes_while_redcap_is_read_is_named(calm: Desk) -> None:
    """It was in the first list of records, and is in nothing after that."""
    one, lists = of_patient(calm, randomised=False), [0]

    def gone(rows: Rows) -> Rows:
        if not rows or "record_id" not in rows[0]:
            return rows
        lists[0] += not wide(rows)
        return rows if lists[0] == 1 and not wide(rows) else without(one)(rows)

    calm.between.twist = of_rows("record", gone)
    done = calm.night()
    assert done.exit_code == code_of(BOTH_LACK)
    assert (GONE, one, "vanished while REDCap was read") in {(t.kind, t.record, t.why) for t in done.tasks}


def test_a_project_of_another_number_is_refused(calm: Desk) -> None:
    """The memory knows which one it was."""
    other = of_project(lambda told: {**told, "project_id": "77"})
    assert calm.exit(other) == (code_of(OTHER_PROJECT), False)


def of_project(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Twist:
    return lambda asked, body: (
        json.dumps(change(json.loads(body))).encode() if asked.get("content") == "project" else body
    )


def test_twisted_tokens_are_refused(calm: Desk) -> None:
    """By the memory, and on a first night too."""
    with pytest.raises(TrialError) as refused:
        calm.night(twisted=True)
    assert refused.value.exit_code == code_of(OTHER_PROJECT)
    first = calm.config.model_copy(
        update={"folders": calm.config.folders.model_copy(update={"state": calm.config.home / "fresh"})}
    )
    order = Order(TODAY, datetime(2026, 11, 23, 3, 0, tzinfo=first.trial.zone))
    for both in (("register", "trial"), ("trial", "trial"), ("register", "register")):
        with pytest.raises(TrialError) as refused:
            nightly(first, order, calm.gateway(both[0]), calm.gateway(both[1]), lambda _: None)
        assert refused.value.exit_code == code_of(OTHER_PROJECT), both


def test_a_correction_is_named_and_published(calm: Desk) -> None:
    """A screened patient is not eligible any more."""
    one = of_patient(calm, randomised=False)
    calm.between.twist = of_rows("record", lambda rows: blanked(rows, {"elig_ok"}, {one}))
    done = calm.night()
    assert done.exit_code == code_of(CORRECTED)
    assert (LOST, one) in {(task.kind, task.record) for task in done.tasks}


@pytest.mark.parametrize("lost", ["gone", "not randomised"])
def test_a_randomised_record_that_is_gone_stops_the_run(calm: Desk, lost: str) -> None:
    """It is named with the way out, and in the account of the run."""
    one = of_patient(calm, randomised=True)
    change = without(one) if lost == "gone" else lambda rows: blanked(rows, {"rand_date"}, {one})
    before = calm.latest
    calm.between.twist = of_rows("record", change)
    with pytest.raises(TrialError, match=f"--accept-drop {one}") as stopped:
        calm.night()
    assert (stopped.value.exit_code, calm.latest) == (code_of(UNDONE), before)
    account = stopped.value.account
    assert account
    assert f"--accept-drop {one}" in account.read_text(encoding="utf-8")
    assert account.stat().st_mode & 0o077 == 0


def test_many_losses_in_one_night_stop_the_run(calm: Desk) -> None:
    """Nobody is eligible any more."""
    everybody = {*calm.gateway("trial").ids("record_id")}
    twist = of_rows("record", lambda rows: blanked(rows, {"elig_ok"}, everybody))
    assert calm.exit(twist) == (code_of(MANY), False)


def test_a_form_that_is_emptied_stops_the_run(calm: Desk) -> None:
    """The values of one form in one event are gone, and no state with them."""
    everybody = {*calm.gateway("trial").ids("record_id")}
    names = {"vas_date", "vas_back", "vas_leg", "vas_pain_complete"}
    twist = of_rows("record", lambda rows: blanked(rows, names, everybody))
    assert calm.exit(twist) == (code_of(EMPTIED), False)


def test_an_older_log_stops_the_run(calm: Desk) -> None:
    """Older data were put back; the log is asked for once more before that is believed."""
    calm.between.asked.clear()

    def older(rows: Rows) -> Rows:
        return [{**row, "timestamp": "2020-01-01 10:00"} for row in rows]

    assert calm.exit(of_rows("log", older)) == (code_of(OLD_LOG), False)
    # deletions and changes of the design, each twice; and the log of the register, which has to be refused
    assert calm.between.asked["log"] == 5


def test_a_changed_structure_is_said(calm: Desk) -> None:
    """A field note is another."""
    calm.between.twist = of_rows("metadata", lambda rows: [{**rows[0], "field_note": "new"}, *rows[1:]])
    done = calm.night()
    assert done.exit_code == code_of(CHANGED)
    assert STRUCTURE in {task.kind for task in done.tasks}


def test_an_envelope_that_is_missing_is_said(calm: Desk) -> None:
    """The register is asked once more; everything else is published."""
    one = max(read_register(calm.gateway("register"))).id
    lacking = of_rows("record", lambda rows: [row for row in rows if row.get("env_id") != one])
    calm.between.twist = lacking
    done = calm.night()
    assert done.exit_code == code_of(GAP)
    assert (MISSING, one) in {(task.kind, task.envelope) for task in done.tasks}


def test_text_where_a_number_is_expected_is_never_printed(calm: Desk) -> None:
    """The register is given something to write back; the answer holds whole rows."""
    packer = calm.trial.stage.packer_project()
    opened_ = next(e for e in read_register(calm.gateway("register")) if e.status == "opened")
    packer.import_records(
        [{"env_id": opened_.id, "env_status": "received", "env_opened_on": ""}], overwrite="overwrite"
    )

    def twist(asked: Asked, body: bytes) -> bytes:
        return b'[{"record_id": "ODE-001", "note": "secret"}]' if "data" in asked else body

    calm.between.twist = twist
    with pytest.raises(TrialError) as failed:
        calm.night()
    assert failed.value.exit_code == code_of(TEXT)
    assert not [word for word in ("ODE-001", "secret", "[{") if word in str(failed.value)]
    assert failed.value.account


CONTENTS = ("version", "project", "metadata", "event", "formEventMapping", "repeatingFormsEvents", "record")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        *((kind, "record") for kind in KINDS if kind != "slow"),
        *((kind, c) for kind in ("html", "empty", "cut") for c in CONTENTS),
    ],
)
def test_a_fault_of_the_server_is_never_ours(calm: Desk, kind: str, content: str) -> None:
    """Never 20, 42 or 70: not reached, refused, or what was read is used after all."""
    database = calm.trial.stage.config.home / "redcap.sqlite"
    with opened(database) as connection:
        set_fault(connection, Fault(kind, times=100, content=content))
    try:
        code, published = calm.exit(straight)
    finally:
        with opened(database) as connection:
            set_fault(connection, None)
    assert (code, published) == (30, False)


def test_every_row_of_the_table_has_a_test() -> None:
    """The names above are the rows of the page, in its order."""
    assert len(TABLE) == 11
    assert {code_of(row[0]) for row in TABLE} == {30, OK_WITH_WARNINGS, 31, 40, 45, 50}
