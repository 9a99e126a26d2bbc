"""Nights with a faulty server between, each judged: a wrong pack published, a wrong value written, an untrue code?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from redcap.project import Project

from faulty import STALE, Between, Plan, between, plan
from played import played
from redcap_local.administration import give_token
from redcap_local.people import CREATOR
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.errors import INTERNAL, OK, OK_WITH_WARNINGS, TableError, TrialError
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.run import Order, Outcome, nightly
from trialdesk.redcap.gateway import open_gateway
from trialdesk.redcap.patience import Patience
from trialdesk.redcap.tokens import Role
from trialdesk.reports.delivery import TODO

ROLES: tuple[Role, ...] = ("trial", "register")
TODAY = date(2026, 11, 23)
QUICK = Patience(attempts=2, first_wait=0.01, total=20)
Cells = Mapping[tuple[str, str, str, int], Mapping[str, str]]
PUBLISHED = frozenset({0, 10, 11, 45, 50})


@dataclass(frozen=True)
class Judged:
    """One night: what was planned, its exit code, and what is wrong with it; "" for nothing."""

    plan: Plan
    code: int
    published: bool
    wrong: str = ""


@dataclass
class Clinic:
    """A played trial, a faulty server before it, and what is right: the workbooks and the whole of REDCap.

    `then` is what was right before the newest contact of the patient was entered; a stale server says it again.
    Every judgement begins with the same files and the same REDCap: nothing of one night is left to the next.
    """

    config: Config
    server: Between
    kept: Path
    record: str = ""
    right: Mapping[str, str] = field(default_factory=dict)
    then: Mapping[str, str] = field(default_factory=dict)
    stored: tuple[Cells, ...] = ()
    nights: int = 0

    def judge(self, seed: int) -> Judged:
        """A night with the fault of a seed."""
        self._begin_again()
        before, blank = self.latest, self._everything()
        self.server.number, self.server.plan = 0, (mind := plan(seed))
        try:
            done: Outcome | None = self.night(at=59)
            code = done.exit_code if done else OK
        except TrialError as error:
            done, code = None, error.exit_code
        except Exception:  # noqa: BLE001 - whatever it is, a night would end with 70
            done, code = None, INTERNAL
        finally:
            self.server.plan = None
        published, now = self.latest != before, self._everything()
        shown = done.summary.files if published and done is not None else self.right
        other = _other(shown, self.right)
        wrong = ""
        if now not in (blank, self.stored):
            wrong = "wrong write-back"
        elif other and (code == OK or not mind.content) and not (mind.kind == STALE and not _other(shown, self.then)):
            wrong = f"wrong pack: {', '.join(other)}"
        elif published != (code in PUBLISHED) and code != TableError.exit_code:  # 45 is told of both
            wrong = "untrue exit code"
        elif code not in {*PUBLISHED, 30, 31, 32, 40}:
            wrong = "a fault of the server told as one of ours"
        return Judged(mind, code, published, wrong)

    def settle(self) -> None:
        """Ordinary nights until one has nothing to say."""
        for _ in range(6):
            if self.night().exit_code == OK:
                return
        raise AssertionError("the nights do not come to rest")

    def keep(self) -> None:
        """Every judgement begins with the files that are there now."""
        shutil.copytree(self.config.reports, self.kept, symlinks=True)

    def _begin_again(self) -> None:
        shutil.rmtree(self.config.reports)
        shutil.copytree(self.kept, self.config.reports, symlinks=True)
        self.clear()

    def night(self, at: int | None = None) -> Outcome:
        """One run, always in the same minute, so that its sheets can be the same; each in a second of its own."""
        second = self.nights if at is None else at
        self.nights += at is None
        now = datetime(2026, 11, 23, 4, 30, second, tzinfo=self.config.trial.zone)
        trial, register = (open_gateway(self.config, role, QUICK) for role in ROLES)
        return nightly(self.config, Order(TODAY, now), trial, register, lambda _: None)

    @property
    def latest(self) -> Path:
        """The newest run."""
        return (self.config.reports / LATEST).resolve()

    def clear(self) -> None:
        """One call plan is blank, so that every night has something to write."""
        plan_of = self.config.call_plan
        assert plan_of
        blank = {ref.field: "" for _, ref in plan_of}
        event = next(ref.event for _, ref in plan_of)
        open_gateway(self.config, "trial", QUICK).write(
            "record_id", [Row(self.record, event, "", 0, blank)], clear=True
        )

    def _everything(self) -> tuple[Cells, ...]:
        """Every value of both projects that the desk may see."""
        found = []
        for gateway in (open_gateway(self.config, role, QUICK) for role in ROLES):
            dictionary = gateway.dictionary()
            shown = [f.name for f in dictionary.fields if f.columns and not f.identifier and f.form != "allocation"]
            rows = gateway.records(dictionary.record_id, shown).rows
            found.append({(row.record, row.event, row.instrument, row.instance): {**row.values} for row in rows})
        return tuple(found)


def _other(shown: Mapping[str, str], right: Mapping[str, str]) -> list[str]:
    """The workbooks that are others, but for the coordinator's list: it tells of the night itself too."""
    return [name for name, digest in right.items() if name != TODO and shown.get(name) != digest]


@contextmanager
def clinic(home: Path, patients: int = 12) -> Iterator[Clinic]:
    """A trial in its ordinary state, what is right in it, and what its server said before the newest contact."""
    with played(home, patients, TODAY) as trial, between(trial.stage.config.redcap.url) as server:
        straight = trial.stage.config
        # the memory is of a server: its address is the faulty one's, which is straight as long as it has no plan
        redcap = straight.redcap.model_copy(update={"url": server.url})
        it = Clinic(straight.model_copy(update={"redcap": redcap}), server, home / "kept")
        first = it.night()
        assert first.exit_code in {OK, OK_WITH_WARNINGS, 45}
        it.settle()
        newest = _newest_contact(it.config)
        it.record = newest["record_id"]
        site = Project(straight.redcap.url, give_token(straight.home / "redcap.sqlite", 1, CREATOR))
        site.import_records([_blank(newest)], overwrite="overwrite")
        server.noting = True
        it.then = it.night().summary.files
        server.noting = False
        site.import_records([newest])
        it.settle()
        it.stored = it._everything()
        for _ in range(2):  # what was new at the first is not new any more
            it.clear()
            it.right = it.night().summary.files
        assert it._everything() == it.stored
        assert it.then != it.right
        it.keep()
        yield it


def _newest_contact(config: Config) -> dict[str, str]:
    """The last contact of a patient who has a call plan, as it is typed in: what a site enters."""
    gateway = open_gateway(config, "trial", QUICK)
    planned = {row.record for row in gateway.records("record_id", ["cp_next"]).rows if row.values}
    form = gateway.dictionary().form("nurse_contact")
    typed = [field.name for field in form if field.columns and field.kind not in ("calc", "checkbox")]
    rows = [row for row in gateway.records("record_id", typed).rows if row.values.get("nc_date")]
    row = max((row for row in rows if row.record in planned), key=lambda row: (row.values["nc_date"], row.record))
    return {"record_id": row.record, "redcap_event_name": row.event, **row.values}


def _blank(row: Mapping[str, str]) -> dict[str, str]:
    return {name: value if name in ("record_id", "redcap_event_name") else "" for name, value in row.items()}
