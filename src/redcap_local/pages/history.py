"""What a field of a record has held: every change, by whom and when, as the log tells it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from redcap_local.columns import plain
from redcap_local.pages.visit import NoSuchPlace, Shown, Visit
from redcap_local.places import find_record
from redcap_local.project import Project
from redcap_local.storage import log
from redcap_local.storage.log import Entry
from redcap_rules.dictionary import Field

_INSTANCE = re.compile(r"\[instance = (\d+)\]")
# One value of a line, up to the next one: `name = 'value'`, or `name(code) = checked`.
_VALUE = re.compile(
    r"(?:^|, )([a-z][a-z0-9_]*)(?:\(([^()]*)\))? = ('.*?'|checked|unchecked)(?=, [a-z][a-z0-9_]*(?:\([^()]*\))? = |$)",
    re.DOTALL,
)


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
    here = [line for line in lines if line.event == event.id and _instance(line) == instance]
    changes = [change for line in here for change in _changes(project, field, line)]
    title = f"{plain(field.label)}, record {record.name}"
    return Shown("history.html.j2", {"title": title, "name": name, "changes": changes, "where": event.label})


def _instance(line: Entry) -> int:
    found = _INSTANCE.match(line.details)
    return int(found[1]) if found else 1


def _changes(project: Project, field: Field, line: Entry) -> Iterator[Change]:
    details = _INSTANCE.sub("", line.details, count=1).removeprefix(", ")
    for name, code, value in _VALUE.findall(details):
        if name != field.name:
            continue
        text = value.removeprefix("'").removesuffix("'")
        label = plain(project.dictionary.label_of(name, code or text))
        told = f"{label}: {value}" if code else (f"{label} ({text})" if label != text else text)
        yield Change(line.time, line.username, told)
