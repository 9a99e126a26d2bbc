"""filterLogic: which rows of an export are kept (reference/redcap-api.md 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.export.allocations import Allocations
from redcap_local.export.selection import exportable
from redcap_local.messages import ApiError
from redcap_local.storage.records import Record
from redcap_local.view import RowPlace, cells, record_view
from redcap_rules.logic import LogicError, Reference, evaluate, is_true, parse, references


class RowFilter:
    """A parsed filter; evaluated for every row where it names no event of its own."""

    def __init__(self, call: Call, text: str) -> None:
        """Read the filter.

        Raises:
            ApiError: It cannot be read, or asks for a field that is not there or that the user may not export.
        """
        self._project = call.project
        self._rights = call.user.rights
        self._now = call.now
        try:
            self._expression = parse(text)
        except LogicError as fault:
            raise ApiError(messages.BAD_LOGIC, f"{fault.message}, column {fault.column}") from None
        for reference in references(self._expression):
            self._check(reference)
        self._allocations = Allocations(call, self._expression)
        for field in self._allocations.targets:
            self._refuse_unless_exportable(field)
        self.columns = frozenset(self._columns())

    def _columns(self) -> Iterable[str]:
        """Every column the filter looks at, and the statuses that tell which repeating rows exist."""
        for reference in references(self._expression):
            form = self._project.dictionary.form_of(reference.field)
            yield self._project.dictionary.status_field(form)
            if reference.field in self._project.dictionary:
                dictionary = self._project.dictionary
                yield from dictionary.columns_of(dictionary.get(reference.field))
            else:
                yield reference.field

    def _check(self, reference: Reference) -> None:
        project = self._project
        self._refuse_unless_exportable(reference.field)
        event = reference.event
        if event and not event.endswith("event-name") and event not in project.events_by_name:
            raise ApiError(messages.BAD_LOGIC, f"there is no event '{event}'")

    def _refuse_unless_exportable(self, field: str) -> None:
        project = self._project
        dictionary = project.dictionary
        names = dictionary.columns_of(dictionary.get(field)) if field in dictionary else (field,)
        found = [project.columns[name] for name in names if name in project.columns]
        if not found:
            raise ApiError(messages.BAD_LOGIC, f"there is no field '{field}'")
        # What a user may not export cannot be learnt by asking for it either.
        if field != project.dictionary.record_id and not all(exportable(column, self._rights) for column in found):
            raise ApiError(messages.BAD_LOGIC, f"you have no right to the field '{field}'")

    def keeper(self, record: Record, stored: Iterable[tuple[int, int, str, str]]) -> Callable[[RowPlace], bool]:
        """A function that tells of each row of a record whether it is kept.

        Args:
            record: The record.
            stored: Event id, instance, column and value of what is stored.
        """
        smart = self._allocations.smart(record)
        view = record_view(self._project, record.name, cells(self._project, stored))

        def keep(place: RowPlace) -> bool:
            event, instrument, instance = place
            return is_true(
                evaluate(
                    self._expression,
                    view,
                    event=self._project.rule_event(self._project.events_by_id[event]),
                    instrument=instrument,
                    instance=instance,
                    today=self._now.date(),
                    now=self._now,
                    smart=smart,
                )
            )

        return keep
