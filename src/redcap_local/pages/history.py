"""What a field of a record has held: every change, by whom and when, as the log tells it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from redcap_local.columns import plain
from redcap_local.pages.visit import NoSuchPlace, Shown, Visit
from redcap_local.places import find_record
from redcap_local.project import Project
from redcap_local.storage import log
from redcap_local.storage.log import Entry, Place
from redcap_rules.dictionary import Field


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the field: when, by whom, and to what."""

    time: str
    username: str
    value: str


def show(visit: Visit) -> Shown:
    """The history of the field, for who may see its form; the oldest change first."""
    project, name = visit.project, visit.text("field_name")
    record, event = find_record(visit.call, visit.text("id")), visit.event()
    instance = visit.number("instance", 1)
    if name not in project.dictionary or not visit.user.rights.views(project.dictionary.get(name).form):
        raise NoSuchPlace(f"there is no field {name[:60]!r} that you can see")
    field = project.dictionary.get(name)
    limits = {"record": record.name, "kinds": ["record_add", "record_edit"]}
    lines = reversed(log.read(visit.call.connection, project.id, limits))
    repeats = project.row_instrument(event.id, field.form) is not None
    here = Place(event.id, instance if repeats else 0)
    changes = [change for line in lines if line.place == here for change in _told(project, field, line)]
    title = f"{plain(field.label)}, record {record.name}"
    return Shown("history.html.j2", {"title": title, "name": name, "changes": changes, "where": event.label})


def _told(project: Project, field: Field, line: Entry) -> Iterator[Change]:
    for one in line.changes:
        if one.field != field.name:
            continue
        label = plain(project.dictionary.label_of(field.name, one.code or one.value))
        tick = "checked" if one.value else "unchecked"
        coded = f"{label} ({one.value})" if label != one.value else label
        yield Change(line.time, line.username, f"{label}: {tick}" if one.code else coded)
