"""A pull by columns: one formula evaluated for every record at once, with the answers `evaluate` gives one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import date
from functools import cached_property

from redcap_rules.choices import checkbox_column
from redcap_rules.dictionary import Dictionary
from redcap_rules.logic import Expression, LogicError, Reference, compile_table, evaluate, is_true
from redcap_rules.logic.scope import Scope
from redcap_rules.logic.syntax import Smart
from redcap_rules.record import RecordView, Row
from trialdesk.redcap.cells import Cells, Pool, Shape, texts_in
from trialdesk.redcap.holding import held, tick_columns

Kind = tuple[str, str]
"""Event and repeating instrument ("" for none): rows of one kind hold the same fields."""


FEW = 60
"""Laying out columns takes as long as about so many places one by one."""


class Tables:
    """The rows of a pull by kind, and formulas over them; what is looked up once is kept."""

    def __init__(self, rows: Mapping[str, Sequence[Row]], dictionary: Dictionary, events: Sequence[str]) -> None:
        self._rows = rows
        self._dictionary = dictionary
        self._events = events
        self._homes: dict[Kind, Mapping[str, Row]] = {}
        self._views: dict[str, RecordView] = {}
        self._own: dict[tuple[str, str, str], bool] = {}
        self._answers: dict[tuple[int, Kind], tuple[Expression, frozenset[int]]] = {}
        self._ticks = tick_columns(dictionary)
        self._among: dict[tuple[Shape, frozenset[str]], tuple[tuple[str, int], ...]] = {}
        self._pool = Pool()
        kinds: dict[Kind, list[Row]] = defaultdict(list)
        for part in rows.values():
            for row in part:
                kinds[row.event, row.instrument].append(row)
        self.kinds: Mapping[Kind, Sequence[Row]] = dict(kinds)

    def of(self, records: Collection[str]) -> Tables:
        """The same of some records alone; what was read of a record's own rows is not read again."""
        part = Tables({r: own for r, own in self._rows.items() if r in records}, self._dictionary, self._events)
        part._views = {record: view for record, view in self._views.items() if record in records}
        part._answers = dict(self._answers)  # a row's own number tells it apart, and is that of the same row there
        return part

    @cached_property
    def records(self) -> tuple[Row, ...]:
        """One place for each record, in no event: where a formula stands that names every event itself."""
        return tuple(Row(record, "", "", 0, {}) for record in self._rows)

    def cells(self, row: Row) -> Cells:
        """The values of a row of this pull that are data: nothing blank, and no option that is not ticked."""
        values = row.values
        if isinstance(values, Cells):
            return values  # as a pull leaves them
        return self._pool.of({name: values[name] for name in held(values, self._ticks)})

    def held(self, row: Row) -> Set[str]:
        """The columns of a row of this pull that hold data."""
        return self.cells(row).shape.columns

    def among(self, row: Row, columns: frozenset[str]) -> Iterator[tuple[str, str]]:
        """Those of the columns that hold data in a row, with their texts."""
        cells = self.cells(row)
        key = cells.shape, columns
        if key not in self._among:
            self._among[key] = tuple((name, at) for name, at in cells.shape.at.items() if name in columns)
        for name, at in self._among[key]:
            yield name, cells.texts[at]

    def holding(self, rows: Iterable[Row], columns: Set[str]) -> list[Row]:
        """Those of some rows of this pull in which any of the columns holds data."""
        known: dict[Shape, bool] = {}

        def fits(shape: Shape) -> bool:
            if shape not in known:
                known[shape] = not shape.columns.isdisjoint(columns)
            return known[shape]

        return [row for row in rows if fits(self.cells(row).shape)]

    def holds(self, logic: Expression, places: Sequence[Row], today: date | None = None) -> list[bool]:
        """Whether a condition is true in each of the places.

        Args:
            logic: The parsed condition.
            places: Rows of one kind, or `records`.
            today: What `today` in the condition stands for.

        Raises:
            LogicError: an unknown field, or `today` in the condition and none given.
        """
        if not places:
            return []
        if len(places) < FEW:
            return self._each(logic, places, today)
        # the first column says how many rows there are, also for a formula without fields
        table = {"": [""] * len(places)}
        for lookup in logic.program.lookups:
            if isinstance(lookup, Reference):
                table[lookup.column] = self._column(lookup, places)
            elif isinstance(lookup, Smart):
                table[f"[{lookup.name}]"] = self._one_by_one(lookup, places)
        columns = compile_table(logic, today=today, missing_codes=self._dictionary.missing_codes)
        return [is_true(value) for value in columns(table)]

    def holds_in(self, logic: Expression, row: Row) -> bool:
        """Whether a condition is true in a row of this pull; answered for all rows of its kind when first asked."""
        kind = row.event, row.instrument
        known = self._answers.get((id(logic), kind))
        if known is None:
            rows = self.kinds[kind]
            true = [id(one) for one, here in zip(rows, self.holds(logic, rows), strict=True) if here]
            # the logic is kept as well: another one may get its number once it is gone
            known = self._answers[id(logic), kind] = logic, frozenset(true)
        return id(row) in known[1]

    def _each(self, logic: Expression, places: Sequence[Row], today: date | None) -> list[bool]:
        """The same, one place after another."""
        return [
            is_true(
                evaluate(
                    logic,
                    self.view(place.record),
                    event=place.event,
                    instrument=place.instrument,
                    instance=place.instance,
                    today=today,
                )
            )
            for place in places
        ]

    def view(self, record: str) -> RecordView:
        """One record as rules see it; empty for an unknown record."""
        found = self._views.get(record)
        if found is None:
            found = self._views[record] = RecordView(self._rows.get(record, ()), self._dictionary, self._events)
        return found

    def _column(self, reference: Reference, places: Sequence[Row]) -> list[str]:
        """The texts a reference stands for: those of the row itself where its form repeats, else of the record."""
        if "-" in reference.event or reference.instance:
            return self._one_by_one(reference, places)
        form = self._form(reference)
        event, instrument = reference.event or places[0].event, places[0].instrument
        own = event == places[0].event and instrument in ("", form)
        column = checkbox_column(reference.field, reference.code) if reference.code else reference.field
        blank = "0" if reference.code else ""
        if own and self._at_home(event, instrument, form):
            return self._spelled(reference, texts_in(places, column, blank))
        homes = self.home(event, form)
        rows = (place if own and place.instance else homes.get(place.record) for place in places)
        return self._spelled(reference, texts_in(rows, column, blank))

    def _at_home(self, event: str, instrument: str, form: str) -> bool:
        """Whether every row of a kind is itself where it has to be looked for, so that nothing has to be."""
        found = self._own.get((event, instrument, form))
        if found is None:
            repeats = {bool(row.instance) for row in self.kinds.get((event, instrument), ())}
            once = repeats == {False} and (instrument == form or (event, form) not in self.kinds)
            found = self._own[event, instrument, form] = once or repeats == {True}
        return found

    def _spelled(self, reference: Reference, texts: list[str]) -> list[str]:
        if reference.field in self._dictionary.comma_decimals:
            return [text.replace(",", ".") for text in texts]
        if reference.shown == "label" and not reference.code:
            return [self._dictionary.label_of(reference.field, text) for text in texts]
        return texts

    def _form(self, reference: Reference) -> str:
        try:
            return self._dictionary.form_of(reference.field)
        except KeyError:
            message = f"there is no field {reference.field!r}"
            raise LogicError(message, reference.span.line, reference.span.column) from None

    def home(self, event: str, form: str) -> Mapping[str, Row]:
        """Record to the row that holds a form in an event: of what repeats the first instance, as RecordView reads."""
        kinds = ((event, ""), (event, form)) if form and (event, form) in self.kinds else ((event, ""),)
        if kinds[-1] not in self._homes:  # forms that have no rows of their own share those of their event
            found: dict[str, Row] = {}
            for rows in (self.kinds.get(kind, ()) for kind in kinds):
                for record in {row.record for row in rows if row.instance}:
                    found.pop(record, None)
                found.update((row.record, row) for row in rows if row.instance <= 1)
            self._homes[kinds[-1]] = found
        return self._homes[kinds[-1]]

    def _one_by_one(self, lookup: Reference | Smart, places: Sequence[Row]) -> list[str]:
        """What depends on the order of events or instances is asked of the record itself."""
        return [
            Scope(
                self.view(place.record),
                event=place.event,
                instrument=place.instrument,
                instance=place.instance,
            ).value(lookup)
            for place in places
        ]
