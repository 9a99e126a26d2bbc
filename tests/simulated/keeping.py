"""What is worked out of one record alone is kept until somebody writes into that record.

A whole night works everything out anew, and what was kept has to be the same: nothing is hidden for longer. Where a
fault is planned, or somebody is about to come between two questions, everything is asked and worked out anew as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

from redcap_rules.logic.syntax import Clock
from redcap_rules.record import Row
from simulated.line import Line
from trialdesk.config import Config
from trialdesk.followup.contacts import Heard, heard
from trialdesk.followup.keeping import Promises
from trialdesk.followup.schedule import Schedule
from trialdesk.instruments.rules import Rule, Rules
from trialdesk.memory.values import Night, Remembered, Seen
from trialdesk.model import Finding, Patient, Tally
from trialdesk.redcap.answers import Export
from trialdesk.redcap.answers import Rows as AnswerRows
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.snapshot import Snapshot

Rows = tuple[Row, ...]


class KeptOtherwise(AssertionError):
    """What was kept is not what comes out anew: something changed of which the simulation did not know."""


@dataclass
class Read:
    """What one token reads of the same fields: record to its rows and its group, and the columns that came."""

    records: dict[str, tuple[Rows, str]] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()

    def keep(self, export: Export) -> None:
        """The records of the export are known."""
        rows: dict[str, list[Row]] = {}
        for row in export.rows:
            rows.setdefault(row.record, []).append(row)
        self.records |= {record: (tuple(part), export.groups.get(record, "")) for record, part in rows.items()}
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
                for name in [*known.records] if written is None else known.records.keys() & written:
                    del known.records[name]

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
        dated = [rule for rule in rules.rules if _is_dated(rule)]
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
class Planned:
    """In place of `schedule`: the forms and the call log of a record are read again where its rows are others."""

    real: Callable[..., Schedule]
    line: Line
    _known: dict[str, tuple[Rows, Heard]] = field(default_factory=dict)

    def of(
        self,
        patients: Sequence[Patient],
        snapshot: Snapshot,
        config: Config,
        today: date,
        promised: Promises,
        before: Mapping[str, Heard],
    ) -> Schedule:
        """The schedule of all randomised patients; that of another world knows `before` what was heard in this one."""
        if before or not self.line.sparing:
            return self.real(patients, snapshot, config, today, promised, before)
        rows = snapshot.rows
        same = {record: told for record, (part, told) in self._known.items() if rows.get(record) == part}
        found = self.real(patients, snapshot, config, today, promised, same)
        told = heard(found.courses, frozenset(), snapshot.dictionary, config)
        self._known = {record: (rows[record], one) for record, one in told.items()}
        if self.line.anew:
            _prove(self.real(patients, snapshot, config, today, promised, {}), found)
        return found


def _is_dated(rule: Rule) -> bool:
    return any(isinstance(lookup, Clock) for lookup in rule.logic.program.lookups)


def _token(gateway: Gateway) -> str:
    return gateway._secret.get_secret_value()


def _prove(fresh: object, kept: object) -> None:
    if fresh != kept:
        raise KeptOtherwise
