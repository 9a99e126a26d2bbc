"""What is worked out of one record alone is kept until somebody writes into that record.

A whole night works everything out anew, and what was kept has to be the same: nothing is hidden for longer. Where a
fault is planned, or somebody is about to come between two questions, everything is asked and worked out anew as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

from redcap_rules.logic import Expression
from redcap_rules.logic.syntax import Clock
from redcap_rules.record import Row
from simulated.line import Line
from trialdesk.config import Config
from trialdesk.followup.contacts import Course, Heard
from trialdesk.instruments.rules import Rules
from trialdesk.memory.values import Night, Remembered, Seen
from trialdesk.model import Finding, Patient, Tally
from trialdesk.redcap.answers import Export
from trialdesk.redcap.answers import Rows as AnswerRows
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.redcap.tables import Tables

Rows = tuple[Row, ...]


class KeptOtherwise(AssertionError):
    """What was kept is not what comes out anew: something changed of which the simulation did not know."""


@dataclass
class Read:
    """What one token reads of the same fields: record to its rows and its group, and the columns that came.

    `forgotten` are records that have to be read again; rows that come back the same are the same objects, so that
    whoever compares them is done at once.
    """

    records: dict[str, tuple[Rows, str]] = field(default_factory=dict)
    forgotten: dict[str, Rows] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()

    def forget(self, names: Iterable[str]) -> None:
        """The records are not known any more."""
        for name in names:
            self.forgotten[name], _ = self.records.pop(name)

    def keep(self, export: Export) -> None:
        """The records of the export are known."""
        rows: dict[str, list[Row]] = {}
        for row in export.rows:
            rows.setdefault(row.record, []).append(row)
        for record, part in rows.items():
            before = self.forgotten.pop(record, ())
            same = before if before == tuple(part) else tuple(part)
            self.records[record] = same, export.groups.get(record, "")
        self.columns = export.columns or self.columns

    def export(self, names: Sequence[str], gone: tuple[str, ...]) -> Export:
        """The same as REDCap would answer about these records."""
        told = {name: self.records[name] for name in names if name in self.records}
        rows = tuple(row for part, _ in told.values() for row in part)
        groups = {name: group for name, (_, group) in told.items()}
        return Export(rows, self.columns if rows else frozenset(), groups, gone)


class Records:
    """In place of `Gateway.records` and `ids`: REDCap is asked only for what was written since."""

    def __init__(self, line: Line) -> None:
        self._real, self._ids, self._line = Gateway.records, Gateway.ids, line
        self._known: dict[tuple[str, bool, tuple[str, ...]], Read] = {}
        self._named: dict[str, tuple[str, ...]] = {}
        line.written = self._forget

    def ids(self, gateway: Gateway, record_id: str) -> tuple[str, ...]:
        """Every record id, as `Gateway.ids` gives them."""
        if not self._line.sparing:
            return self._ids(gateway, record_id)
        token = _token(gateway)
        if token not in self._named:
            self._named[token] = self._ids(gateway, record_id)
        if self._line.anew:
            _prove(self._ids(gateway, record_id), self._named[token])
        return self._named[token]

    def of(
        self,
        gateway: Gateway,
        record_id: str,
        fields: Sequence[str],
        records: Sequence[str] | None = None,
        groups: bool = False,
        **how: Any,
    ) -> Export:
        """The named fields of records, as `Gateway.records` gives them."""
        ask = partial(self._real, gateway, record_id, fields, groups=groups, **how)
        if not self._line.sparing:
            return ask(records=records)
        known = self._known.setdefault((_token(gateway), groups, tuple(fields)), Read())
        ids = gateway.ids(record_id) if records is None else tuple(records)
        stale, gone = [name for name in ids if name not in known.records], tuple[str, ...]()
        if stale:
            fresh = ask(records=stale)
            known.keep(fresh)
            gone = fresh.vanished
        kept = known.export(ids, gone)
        if self._line.anew:
            _prove(ask(records=records), kept)
        return kept

    def _forget(self, of_register: bool, written: Collection[str] | None) -> None:
        """What was read of these records, or with None of any in that project, is not known any more."""
        for token, names in [*self._named.items()]:
            if self._is_of(token, of_register) and (written is None or not {*written} <= {*names}):
                del self._named[token]
        for (token, _, _), known in self._known.items():
            if self._is_of(token, of_register):
                known.forget([*known.records] if written is None else known.records.keys() & written)

    def _is_of(self, token: str, of_register: bool) -> bool:
        return (token in self._line.register) == of_register


@dataclass
class Patients:
    """In place of `patients`: a record is read as a patient again only where its rows or its group are others."""

    real: Callable[[Snapshot, Config], tuple[Patient, ...]]
    line: Line
    _known: dict[str, tuple[Rows, str, Patient]] = field(default_factory=dict)

    def of(self, snapshot: Snapshot, config: Config) -> tuple[Patient, ...]:
        """Every record as a patient, in the server's order."""
        if not self.line.sparing:
            return self.real(snapshot, config)
        rows, groups = snapshot.rows, snapshot.groups
        stale = {
            record: part
            for record, part in rows.items()
            if self._known.get(record, (None,))[:2] != (part, groups.get(record, ""))
        }
        fresh = self.real(replace(snapshot, rows=stale), config) if stale else ()
        self._known |= {one.record: (rows[one.record], groups.get(one.record, ""), one) for one in fresh}
        found = tuple(self._known[record][2] for record in rows)
        if self.line.anew:
            _prove(self.real(snapshot, config), found)
        return found


@dataclass
class Observed:
    """In place of `observe`: a record is digested and counted again only where its rows or its group are others."""

    real: Callable[..., Night]
    line: Line
    _known: dict[str, tuple[Rows, Patient, Seen]] = field(default_factory=dict)

    def of(
        self,
        snapshot: Snapshot,
        patients: Sequence[Patient],
        structure: Mapping[str, AnswerRows],
        config: Config,
        past: Remembered,
    ) -> Night:
        """The pull as the memory keeps it."""
        if not self.line.sparing:
            return self.real(snapshot, patients, structure, config, past)
        rows, everyone = snapshot.rows, {one.record: one for one in patients}
        stale = [one for name, one in everyone.items() if self._known.get(name, (None,))[:2] != (rows[name], one)]
        part = replace(snapshot, rows={one.record: rows[one.record] for one in stale})
        night = self.real(part, stale, structure, config, past)
        self._known |= {name: (rows[name], everyone[name], seen) for name, seen in (night.records or {}).items()}
        groups = dict(sorted(Counter(one.group for one in patients).items()))
        tally = Tally(snapshot.project_id, len(patients), sum(one.randomised for one in patients), groups)
        found = replace(night, tally=tally, records={name: self._known[name][2] for name in everyone})
        if self.line.anew:
            _prove(self.real(snapshot, patients, structure, config, past), found)
        return found


@dataclass
class Ruled:
    """In place of `ruled`: what rules without a clock find in a record is found again where its rows are others."""

    real: Callable[[Rules, Snapshot, Config, date], tuple[Finding, ...]]
    line: Line
    _rules: Rules | None = None
    _known: dict[str, tuple[Rows, tuple[Finding, ...]]] = field(default_factory=dict)

    def of(self, rules: Rules, snapshot: Snapshot, config: Config, today: date) -> tuple[Finding, ...]:
        """Every place in which a rule is true, sorted; the rules of another world are some of these, and evaluated."""
        self._rules = self._rules or rules
        if rules is not self._rules or not self.line.sparing:
            return self.real(rules, snapshot, config, today)
        dated = [rule for rule in rules.rules if _is_dated(rule.logic)]
        rest = replace(rules, rules=tuple(rule for rule in rules.rules if rule not in dated))
        rows = snapshot.rows
        stale = {record: part for record, part in rows.items() if self._known.get(record, (None,))[0] != part}
        fresh: dict[str, list[Finding]] = {record: [] for record in stale}
        for one in self.real(rest, replace(snapshot, rows=stale), config, today):
            fresh[one.record].append(one)
        self._known |= {record: (rows[record], tuple(found)) for record, found in fresh.items()}
        kept = (one for record in rows for one in self._known[record][1])
        found = tuple(sorted((*kept, *self.real(replace(rules, rules=tuple(dated)), snapshot, config, today))))
        if self.line.anew:
            _prove(self.real(rules, snapshot, config, today), found)
        return found


@dataclass
class Courses:
    """In place of `course`: contacts are read again where rows or patient are others, or a date lies ahead."""

    real: Callable[[Patient, Snapshot, Config, date, Heard | None], Course]
    line: Line
    _known: dict[str, tuple[Rows, Patient, Course]] = field(default_factory=dict)

    def of(
        self, patient: Patient, snapshot: Snapshot, config: Config, today: date, before: Heard | None = None
    ) -> Course:
        """The contacts of a patient as the record stands on a day."""
        if not self.line.sparing:
            return self.real(patient, snapshot, config, today, before)
        rows, known = snapshot.rows[patient.record], self._known.pop(patient.record, None)
        same = known is not None and known[:2] == (rows, patient)
        found = known[2] if known and same else self.real(patient, snapshot, config, today, before)
        # of all dates these alone are held against the day, and a day only moves on
        if not any(day and day > today for day in (patient.opened_on, patient.died_on, patient.left_on)):
            self._known[patient.record] = rows, patient, found
        if self.line.anew:
            _prove(self.real(patient, snapshot, config, today, before), found)
        return found


@dataclass
class Holding:
    """In place of `Tables.holds`: a condition without a clock is evaluated again in records whose rows are others."""

    real: Callable[..., list[bool]]
    line: Line
    _known: dict[int, tuple[Expression, dict[tuple[object, ...], bool]]] = field(default_factory=dict)
    _editions: dict[str, tuple[Rows, int]] = field(default_factory=dict)
    _of: tuple[Tables | None, dict[str, int]] = (None, {})
    _number: int = 0

    def of(self, tables: Tables, logic: Expression, places: Sequence[Row], today: date | None = None) -> list[bool]:
        """Whether a condition is true in each of the places."""
        if not self.line.sparing or _is_dated(logic):
            return self.real(tables, logic, places, today)
        _, known = self._known.setdefault(id(logic), (logic, {}))
        if self._of[0] is not tables:
            self._of = tables, {record: self._edition(record, tuple(rows)) for record, rows in tables._rows.items()}
        numbers = self._of[1]
        keys = [(numbers[one.record], one.event, one.instrument, one.instance) for one in places]
        stale = {key: place for key, place in zip(keys, places, strict=True) if key not in known}
        known |= zip(stale, self.real(tables, logic, [*stale.values()], today), strict=True)
        found = [known[key] for key in keys]
        if self.line.anew:
            _prove(self.real(tables, logic, places, today), found)
        return found

    def _edition(self, record: str, rows: Rows) -> int:
        """A number for the rows of a record: another one when they are others."""
        known = self._editions.get(record)
        if known is None or known[0] != rows:
            self._number += 1
            known = self._editions[record] = rows, self._number
        return known[1]


def _is_dated(logic: Expression) -> bool:
    return any(isinstance(lookup, Clock) for lookup in logic.program.lookups)


def _token(gateway: Gateway) -> str:
    return gateway._secret.get_secret_value()


def _prove(fresh: object, kept: object) -> None:
    if fresh != kept:
        raise KeptOtherwise
