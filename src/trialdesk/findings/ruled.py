"""The rules of the instruments evaluated over a pull, each for all its places at once (reference/instruments.md 8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from datetime import date

from redcap_rules.dictionary import Dictionary
from redcap_rules.logic import evaluate, is_true, references
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.findings.dates import where
from trialdesk.instruments.rules import Rule, Rules
from trialdesk.instruments.treatment import Telling
from trialdesk.model import Finding
from trialdesk.redcap.cells import Pool, Shape
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.redcap.snapshot import columns as columns_of


def ruled(rules: Rules, snapshot: Snapshot, config: Config, today: date) -> tuple[Finding, ...]:
    """Every place in which a rule is true, sorted.

    Args:
        rules: The rules of the trial.
        snapshot: One pull.
        config: The trial; says which field holds the site.
        today: What `today` in a rule stands for.
    """
    site = config.facts.site
    sites = {record: snapshot.view(record).value(site.field, site.event) for record in snapshot.records}
    filled = _filled(snapshot, rules.telling)
    return tuple(
        sorted(
            Finding(
                rule.id,
                sites[row.record],
                row.record,
                where(row),
                rules.class_of(rule.id).severity,
                rule.text,
                evidence=_evidence(rule, row, snapshot),
            )
            for rule in rules.rules
            for places in _places(rule, snapshot, filled)
            for row, fires in zip(places, snapshot.tables.holds(rule.logic, places, today), strict=True)
            if fires
        )
    )


def touched(rules: Rules, columns: Set[str], dictionary: Dictionary, config: Config) -> Rules:
    """The rules that may come out otherwise where these columns hold other values: the rest read none of them.

    A rule is a function of what it refers to, of the places it is evaluated in, and of the site it is told for. One
    that asks for an option in a named event may also come out otherwise because there is, or is not, a row of it.
    """
    site = config.facts.site.field

    def reads(rule: Rule) -> Set[str]:
        names = {site, *(one.field for one in references(rule.logic))}
        return rule.columns.union(*(columns_of(dictionary, name) for name in names))

    def may(rule: Rule) -> bool:
        option = any(one.event and one.code for one in references(rule.logic))
        return option or not columns.isdisjoint(reads(rule))

    return replace(rules, rules=tuple(filter(may, rules.rules)))


def told_once(
    findings: Iterable[Finding], envelopes: Iterable[Finding], rules: Rules, snapshot: Snapshot
) -> Iterator[Finding]:
    """The findings without those that only say what a finding about envelopes says of the same record."""
    told = {(one.rule, one.record) for one in envelopes}
    for one in findings:
        kind = rules.class_of(one.rule)
        more = kind.unless is not None and is_true(evaluate(kind.unless, snapshot.view(one.record)))
        if more or (kind.same_as, one.record) not in told:
            yield one


def _evidence(rule: Rule, row: Row, snapshot: Snapshot) -> str:
    """What the rule looked at in this place, so that a correction of any of it is noticed."""
    view, home = snapshot.view(row.record), snapshot.dictionary.form_of
    values = (
        view.value(
            one.field,
            one.event or row.event,
            code=one.code,
            instance=row.instance if home(one.field) == row.instrument else 0,
        )
        for one in references(rule.logic)
    )
    return "\x1f".join(values)


def _filled(snapshot: Snapshot, telling: Telling) -> Sequence[_Kind]:
    """The rows of each kind with the columns that hold data; an answer that tells an arm makes no place for a rule."""
    tables, codes, pool = snapshot.tables, frozenset(telling.codes), Pool()
    asked: dict[Shape, Set[str]] = {}

    def shape(row: Row) -> Shape:
        cells = tables.cells(row)
        if cells.shape not in asked:
            asked[cells.shape] = cells.shape.columns & codes
        told = {name for name in asked[cells.shape] if telling.answer(name, cells[name])}
        return pool.of({name: text for name, text in cells.items() if name not in told}).shape if told else cells.shape

    return [_Kind([(row, shape(row)) for row in rows]) for rows in tables.kinds.values()]


class _Kind:
    """The rows of one kind, each with the columns that hold data in it."""

    def __init__(self, rows: Sequence[tuple[Row, Shape]]) -> None:
        self._rows = rows
        self._shapes = {shape for _, shape in rows}

    def holding(self, columns: Set[str]) -> Sequence[Row]:
        """The rows in which any of the columns holds data."""
        fitting = {shape for shape in self._shapes if not shape.columns.isdisjoint(columns)}
        return [row for row, shape in self._rows if shape in fitting] if fitting else []


def _places(rule: Rule, snapshot: Snapshot, filled: Sequence[_Kind]) -> Iterator[Sequence[Row]]:
    """Where a rule is evaluated: the rows in which one of its columns holds data, kind by kind, or once a record."""
    if not rule.columns:
        yield snapshot.tables.records
    for kind in filled:
        if places := kind.holding(rule.columns):
            yield places
