"""Nights with a faulty server between, each judged: a wrong pack published, a wrong value written, an untrue code?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from faulty import Between, Plan, between, plan
from played import played
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.errors import OK, OK_WITH_WARNINGS, TableError, TrialError
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.run import Order, Outcome, nightly
from trialdesk.redcap.gateway import open_gateway
from trialdesk.redcap.patience import Patience
from trialdesk.reports.delivery import TODO

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
    """A played trial, a faulty server before it, and what is right: the workbooks and the whole of REDCap."""

    config: Config
    server: Between
    record: str = ""
    right: Mapping[str, str] = field(default_factory=dict)
    stored: tuple[Cells, ...] = ()
    nights: int = 0

    def judge(self, seed: int) -> Judged:
        """A night with the fault of a seed; afterwards everything is as before."""
        self._clear()
        before, blank = self.latest, self._everything()
        self.server.number, self.server.plan = 0, (mind := plan(seed))
        try:
            done: Outcome | None = self.night(self.config)
            code = done.exit_code if done else OK
        except TrialError as error:
            done, code = None, error.exit_code
        finally:
            self.server.plan = None
        published, now = self.latest != before, self._everything()
        shown = done.summary.files if published and done is not None else self.right
        other = [name for name, digest in self.right.items() if name != TODO and shown.get(name) != digest]
        wrong = ""
        if now not in (blank, self.stored):
            wrong = "wrong write-back"
        elif other and (code == OK or not mind.content):
            wrong = f"wrong pack: {', '.join(other)}"
        elif published != (code in PUBLISHED) and code != TableError.exit_code:  # 45 is told of both
            wrong = "untrue exit code"
        elif code not in {*PUBLISHED, 30, 31, 32, 40}:
            wrong = "a fault of the server told as one of ours"
        if published and (code != OK or wrong):
            self.settle()
            self._clear()
            self.right = self.night(self.config).summary.files
        return Judged(mind, code, published, wrong)

    def settle(self) -> None:
        """Ordinary nights until one has nothing to say."""
        for _ in range(6):
            try:
                if self.night(self.config).exit_code == OK:
                    return
            except TrialError:
                self.accept()
        raise AssertionError("the nights do not come to rest")

    def accept(self) -> None:
        """A night of lies is in the memory: the next true one is let through."""
        ids = tuple(open_gateway(self.config, "trial", QUICK).ids("record_id"))
        self.night(self.config, accepted=(*ids, *(f"X{one}" for one in ids)))

    def night(self, config: Config, accepted: tuple[str, ...] = ()) -> Outcome:
        """One run, always in the same minute, so that its sheets can be the same; each in a second of its own."""
        now = datetime(2026, 11, 23, 4, 30, self.nights, tzinfo=config.trial.zone)
        self.nights += 1
        order = Order(TODAY, now, accepted, "a test", "the test") if accepted else Order(TODAY, now)
        trial, register = open_gateway(config, "trial", QUICK), open_gateway(config, "register", QUICK)
        return nightly(config, order, trial, register, lambda _: None)

    @property
    def over(self) -> bool:
        """Whether the seconds of the minute may not be enough for another judgement."""
        return self.nights > 45

    @property
    def latest(self) -> Path:
        """The newest run."""
        return (self.config.reports / LATEST).resolve()

    def _clear(self) -> None:
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
        for gateway in (open_gateway(self.config, "trial", QUICK), open_gateway(self.config, "register", QUICK)):
            dictionary = gateway.dictionary()
            shown = [f.name for f in dictionary.fields if f.columns and not f.identifier and f.form != "allocation"]
            rows = gateway.records(dictionary.record_id, shown).rows
            found.append({(row.record, row.event, row.instrument, row.instance): {**row.values} for row in rows})
        return tuple(found)


@contextmanager
def clinic(home: Path, patients: int = 12) -> Iterator[Clinic]:
    """A trial in its ordinary state, and what is right in it."""
    with played(home, patients, TODAY) as trial, between(trial.stage.config.redcap.url) as server:
        straight = trial.stage.config
        # the memory is of a server: its address is the faulty one's, which is straight as long as it has no plan
        redcap = straight.redcap.model_copy(update={"url": server.url})
        faulty = straight.model_copy(update={"redcap": redcap})
        it = Clinic(faulty, server)
        first = it.night(faulty)
        it.settle()
        planned = [
            row for row in open_gateway(faulty, "trial", QUICK).records("record_id", ["cp_next"]).rows if row.values
        ]
        it.record = min(row.record for row in planned)
        it.stored = it._everything()
        assert first.exit_code in {OK, OK_WITH_WARNINGS, 45}
        for _ in range(2):  # what was new at the first is not new any more
            it._clear()
            it.right = it.night(faulty).summary.files
        assert it._everything() == it.stored
        yield it
