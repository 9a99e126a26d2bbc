"""Calculated fields recalculated in the order they depend on one another.

A calculation hidden by branching still calculates: REDCap clears hidden values on the data-entry form only,
never on import (reference/instruments.md 2.2).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from graphlib import CycleError, TopologicalSorter

from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.formulas import Formula, formula_of
from redcap_rules.logic import LogicError
from redcap_rules.record import RecordView, Row


class CalculationCycle(ValueError):
    """Calculations need each other's results; `fields` names them in a ring."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.fields = fields
        ring = " → ".join((*fields, fields[0]))
        super().__init__(f"calculations depend on each other: {ring}; break the ring in one of their formulas")


def calculation_order(dictionary: Dictionary) -> tuple[Field, ...]:
    """The calculated fields (calc, `@CALCTEXT`, `@CALCDATE`), each after those it depends on.

    Raises:
        CalculationCycle: Some need each other in the same event.
        LogicError: A formula cannot be read; the message names its field.
    """
    calculations = Calculations(dictionary)
    for name, fault in calculations.faults.items():
        raise LogicError(f"calculation of {name}: {fault.message}", fault.line, fault.column)
    return tuple(formula.field for formula in calculations.formulas)


class Calculations:
    """A project's calculations, read once: their order, and which of them follow a changed field.

    Attributes:
        formulas: In the order to compute them.
        faults: Per field the reason why its formula cannot be read; such a field keeps its values.
    """

    def __init__(
        self,
        dictionary: Dictionary,
        form_events: Mapping[str, Collection[str]] | None = None,
        repeating: Collection[tuple[str, str]] = (),
    ) -> None:
        """Read all formulas of a dictionary.

        Args:
            dictionary: The project's fields.
            form_events: Per instrument the events it is designated for; None in a classic project.
            repeating: The (event, instrument) pairs that repeat; the instrument is '' for a repeating event.

        Raises:
            CalculationCycle: Some calculations need each other in the same event.
        """
        self._dictionary = dictionary
        self._known = {field.name for field in dictionary.fields} | set(map(dictionary.status_field, dictionary.forms))
        self._events = form_events
        self._repeating = frozenset(repeating)
        self.faults: dict[str, LogicError] = {}
        self.formulas = _ordered(list(self._read()))
        self._followers = _followers(self.formulas, dictionary)

    def recalculate(
        self,
        record: RecordView,
        *,
        changed: Iterable[str] | None = None,
        also: Collection[str] = (),
        today: date | None = None,
        now: datetime | None = None,
    ) -> tuple[Row, ...]:
        """The rows whose calculated values are not what they should be, with just those values.

        Only rows the record has are computed; none is added.

        Args:
            record: All rows of one record.
            changed: Fields or export columns that changed; only what depends on them is computed. None for all.
            also: Calculated fields that are computed whatever changed, with what depends on them.
            today: What `today` stands for.
            now: What `now` stands for.

        Raises:
            LogicError: A formula asks for `today` or `now` and it was not given.
        """
        formulas = self.formulas if changed is None else self._following(changed, also)
        if not formulas:
            return ()
        # The copies grow with each result, so later calculations see earlier ones.
        copies = [dict(row.values) for row in record.rows]
        rows = [replace(row, values=copy) for row, copy in zip(record.rows, copies, strict=True)]
        view = RecordView(rows, record.dictionary, record.events)
        results: dict[int, dict[str, str]] = {}
        for formula in formulas:
            name = formula.field.name
            for place, row in enumerate(rows):
                if not self._stands_in(formula.field.form, row):
                    continue
                text = formula.result(view, row, today, now)
                if text != copies[place].get(name, ""):
                    copies[place][name] = text
                    results.setdefault(place, {})[name] = text
        return tuple(replace(rows[place], values=values) for place, values in sorted(results.items()))

    def _read(self) -> Iterator[Formula]:
        for field in self._dictionary.fields:
            try:
                formula = formula_of(field)
                if formula is not None:
                    self._check(formula)
                    yield formula
            except LogicError as fault:
                self.faults[field.name] = fault

    def _check(self, formula: Formula) -> None:
        for reference in formula.references:
            if reference.field not in self._known:
                message = f"there is no field {reference.field!r}"
                raise LogicError(message, reference.span.line, reference.span.column)

    def _stands_in(self, form: str, row: Row) -> bool:
        if self._events is not None and row.event not in self._events.get(form, ()):
            return False
        return row.instrument == (form if (row.event, form) in self._repeating else "")

    def _following(self, changed: Iterable[str], also: Collection[str]) -> tuple[Formula, ...]:
        names = set(also).union(*(self._followers.get(name, ()) for name in (*changed, *also)))
        return tuple(formula for formula in self.formulas if formula.field.name in names)


def _ordered(formulas: Sequence[Formula]) -> tuple[Formula, ...]:
    by_name = {formula.field.name: formula for formula in formulas}
    try:
        names = _sorted(by_name, across_events=True)
    except CycleError:
        # A running total such as [previous-event-name][total]+1 depends on itself, but in another event.
        try:
            names = _sorted(by_name, across_events=False)
        except CycleError as error:
            raise CalculationCycle(tuple(error.args[1][:-1])) from None
    return tuple(by_name[name] for name in names)


def _sorted(formulas: Mapping[str, Formula], *, across_events: bool) -> tuple[str, ...]:
    needs = {
        name: [
            reference.field
            for reference in formula.references
            if reference.field in formulas and (across_events or not (reference.event or reference.instance))
        ]
        for name, formula in formulas.items()
    }
    return tuple(TopologicalSorter(needs).static_order())


def _followers(formulas: Sequence[Formula], dictionary: Dictionary) -> dict[str, frozenset[str]]:
    """Per field and export column the calculations that depend on it, directly or through others."""
    direct: dict[str, set[str]] = {}
    for formula in formulas:
        for reference in formula.references:
            direct.setdefault(reference.field, set()).add(formula.field.name)
    followers = {name: _reached(name, direct) for name in direct}
    columns = {
        column: followers[field.name]
        for field in dictionary.fields
        if field.name in followers
        for column in dictionary.columns_of(field)
    }
    return followers | columns


def _reached(name: str, direct: Mapping[str, Collection[str]]) -> frozenset[str]:
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        new = set(direct.get(waiting.pop(), ())) - reached
        reached |= new
        waiting.extend(sorted(new))
    return frozenset(reached)
