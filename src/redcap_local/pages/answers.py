"""The values of one form of a record, as they were stored when it was opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from redcap_local.columns import Column
from redcap_local.pages.visit import NoSuchPlace, Visit
from redcap_local.project import Event, Project
from redcap_local.storage import records
from redcap_local.storage.records import Record
from redcap_rules.formulas import is_computed
from redcap_rules.names import EVENT, INSTANCE, INSTRUMENT


@dataclass(frozen=True, slots=True)
class Spot:
    """One form of one record: where a page of entry stands. `record` is None for a record that is not there yet."""

    name: str
    record: Record | None
    event: Event
    form: str
    instance: int

    def key(self, project: Project) -> tuple[int, str, int, str, int]:
        """What tells it from every other form of the server."""
        return project.id, self.name, self.event.id, self.form, self.instance


def spot(visit: Visit, record: Record | None) -> Spot:
    """The form that the address names.

    Raises:
        NoSuchPlace: The project has no such form in that event, or the user has no right to see it.
    """
    project, event, form = visit.project, visit.event(), visit.text("page")
    instance = visit.number("instance", 1)
    if form not in project.forms_of(event):
        raise NoSuchPlace(f"there is no form {form[:60]!r} in {event.label}")
    if not visit.user.rights.views(form):
        raise NoSuchPlace(f"you have no access to the form {project.form_label(form)}")
    if not 1 <= instance <= 32767 or (instance > 1 and project.row_instrument(event.id, form) is None):
        raise NoSuchPlace(f"there is no instance {instance} of {project.form_label(form)} in {event.label}")
    return Spot(visit.text("id"), record, event, form, instance)


def event_columns(project: Project, event: Event, form: str, instance: int) -> dict[str, str]:
    """The columns of an import that name the place of a form in an event; `form` '' for the event alone."""
    found = {EVENT: event.name} if project.longitudinal else {}
    instrument = project.row_instrument(event.id, form)
    if instrument is None:
        return found
    return {**found, INSTANCE: str(instance), **({INSTRUMENT: instrument} if instrument else {})}


def own_columns(project: Project, form: str) -> list[Column]:
    """The columns that a page of the form saves: all but the record id and what is calculated."""
    record_id = project.dictionary.record_id
    return [
        column
        for column in project.columns.values()
        if column.form == form and column.name != record_id and not is_computed(column.field)
    ]


def stored(visit: Visit, where: Spot) -> dict[str, str]:
    """What these columns hold."""
    if where.record is None:
        return {}
    names = [column.name for column in own_columns(visit.project, where.form)]
    found = records.values(visit.call.connection, [where.record.id], names, [where.event.id])
    return {column: value for _, _, instance, column, value in found if instance == where.instance}


def digest(values: Mapping[str, str]) -> str:
    """What changes whenever one of the values does."""
    return hashlib.sha256(json.dumps(sorted(values.items())).encode()).hexdigest()
