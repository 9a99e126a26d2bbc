"""A stored record as the rules see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from redcap_local.project import Project
from redcap_rules.record import RecordView, Row

# Event id, repeating form or '', instance or 0: one row of a record.
RowPlace = tuple[int, str, int]
Cells = dict[RowPlace, dict[str, str]]


def row_place(project: Project, event: int, instance: int, column: str) -> RowPlace:
    """The row in which a stored value stands."""
    record_id = project.dictionary.record_id
    if column == record_id:
        instrument = "" if project.repeats_as_event(project.events_by_id[event]) else None
    else:
        instrument = project.row_instrument(event, project.dictionary.form_of(column))
    return event, instrument or "", 0 if instrument is None else instance


def cells(project: Project, stored: Iterable[tuple[int, int, str, str]]) -> Cells:
    """The values of a record by row; `stored` gives event id, instance, column and value.

    Values of columns the dictionary no longer has, and of events that are hidden, are left out.
    """
    rows: Cells = {}
    places: dict[tuple[int, int, str], RowPlace] = {}
    columns, shown = project.columns, project.shown_event_ids
    for event, instance, column, value in stored:
        if column not in columns or event not in shown:
            continue
        # The record id stands apart: its form may repeat, but it does not.
        form = "" if column == project.dictionary.record_id else columns[column].form
        key = (event, instance, form)
        place = places.get(key)
        if place is None:
            place = places[key] = row_place(project, event, instance, column)
        rows.setdefault(place, {})[column] = value
    return rows


class RowByRow(RecordView):
    """A record as each of its rows sees it: what repeats is blank for every other row that names no instance.

    Source: reference/redcap-validation-facts.md 5, of data quality rules.
    """

    def values(self, form: str, event: str, instance: int = 0) -> Mapping[str, str] | None:
        """The values of the row that holds a form's fields; None without one, or where no instance says which."""
        return None if not instance and self.instances(event, form) else super().values(form, event, instance)


def record_view(project: Project, name: str, rows: Cells, kind: type[RecordView] = RecordView) -> RecordView:
    """The rows of a record under the names of their events."""
    return kind(
        [
            Row(name, project.rule_event(project.events_by_id[event]), instrument, instance, values)
            for (event, instrument, instance), values in rows.items()
        ],
        project.dictionary,
        [project.rule_event(event) for event in project.shown_events],
    )
