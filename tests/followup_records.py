"""Small literal trials for tests of the follow-up: records as the events and fields a nurse fills in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from frozen import FROZEN, trial_dictionary
from redcap_rules.record import Row
from trialdesk.config import Config, load
from trialdesk.followup.columns import Desk
from trialdesk.followup.keeping import promises
from trialdesk.followup.schedule import Entry, Schedule, schedule
from trialdesk.followup.sheets import tables
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.workbook import Line, SheetTable, Value

DICTIONARY = trial_dictionary()
_FROZEN = load(FROZEN / "config.yaml")
WEEKS = tuple(f"week_{n}_arm_1" for n in range(1, 13))
EVENTS = (
    *("screening_arm_1", "baseline_arm_1", "randomisation_arm_1", "pvp_procedure_arm_1", *WEEKS, "month_3_arm_1"),
    *("surgeon_control_arm_1", "month_12_arm_1", "logs_arm_1"),
)

Record = Mapping[str, Mapping[str, str]]  # event → field → value


def record(enrolled: str = "2026-02-02", arm: str = "2", site: str = "ODE", **events: Mapping[str, str]) -> Record:
    """A randomised patient; `w3`, `m3`, `op`, `eos` stand for the events of week 3, month 3, operation, logs."""
    short = {"m3": "month_3_arm_1", "m12": "month_12_arm_1", "op": "pvp_procedure_arm_1", "sc": "surgeon_control_arm_1"}
    short |= {"eos": "logs_arm_1", "plan": "randomisation_arm_1"} | {f"w{n}": f"week_{n}_arm_1" for n in range(1, 13)}
    base: dict[str, dict[str, str]] = {
        "screening_arm_1": {"elig_site": site},
        "randomisation_arm_1": {"rand_date": enrolled, "rand_arm": arm},
    }
    for name, values in events.items():
        base.setdefault(short[name], {}).update(values)
    return base


def pulled(records: Mapping[str, Record], groups: Mapping[str, str] | None = None) -> Snapshot:
    """A pull of these records, in no data access group unless one is named."""
    rows = {name: tuple(Row(name, e, "", 0, v) for e, v in found.items()) for name, found in records.items()}
    return Snapshot("1", "trial", DICTIONARY, EVENTS, rows, dict(groups or {}))


def made(config: Config, today: str, **records: Record) -> Schedule:
    """The schedule of these records on a day; `ODE_1` is record ODE-1."""
    return planned(config, pulled({name.replace("_", "-"): found for name, found in records.items()}), today)


def tried(snapshot: Snapshot, *entries: Mapping[str, str], name: str = "ODE-1") -> Snapshot:
    """The same pull with these instances of the call log; fields without their `cl_`."""
    rows = tuple(
        Row(name, "logs_arm_1", "call_log", number, {f"cl_{field}": value for field, value in values.items()})
        for number, values in enumerate(entries, start=1)
    )
    return replace(snapshot, rows={**snapshot.rows, name: (*snapshot.rows[name], *rows)})


def planned(config: Config, snapshot: Snapshot, today: str) -> Schedule:
    """The schedule of a pull on a day."""
    promised = promises(snapshot, config.call_plan)
    return schedule(patients(snapshot, config), snapshot, config, date.fromisoformat(today), promised)


def entry(plan: Schedule, code: str, name: str = "ODE-1") -> Entry:
    """One contact of one record."""
    return next(e for e in plan.entries if e.contact.key == (name, code))


def statuses(plan: Schedule, name: str = "ODE-1") -> dict[str, str]:
    """Contact code to status."""
    return {e.contact.rule.code: e.status for e in plan.entries if e.contact.record == name}


def sheet(config: Config, plan: Schedule, name: str) -> SheetTable:
    """One sheet of the workbook, of data read on Fri 20 Feb 2026."""
    return next(t for t in tables(plan, desk(config), datetime(2026, 2, 20, 2, 30)) if t.name == name)


def desk(config: Config) -> Desk:
    """A desk that knows no address and no key."""
    return Desk(config, lambda *_: "", lambda *_: "", config.contacts)


def shown(table: SheetTable) -> list[tuple[object, ...]]:
    """Record, contacts as their codes, status and remark of every line."""
    codes = {rule.label: rule.code for rule in _FROZEN.contacts}
    found = [cells(table, line) for line in table.lines]
    words = (str(of["Contact"]).split(", ") for of in found)
    contacts = [" ".join(codes.get(word, word) for word in some) for some in words]
    return [(of["Record"], code, of["Status"], of["Remark"]) for of, code in zip(found, contacts, strict=True)]


def cells(table: SheetTable, line: Line) -> dict[str, Value]:
    """Heading to value of a line."""
    return dict(zip((column.title for column in table.columns), line.values, strict=True))


DONE = {"nc_stat": "1", "nc_date": "2026-02-09"}
