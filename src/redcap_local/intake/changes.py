"""What an import changes in the stored values of one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from redcap_local.intake.plan import Incoming
from redcap_local.project import Project
from redcap_local.storage.records import Key


@dataclass(slots=True)
class Changes:
    """The difference to what is stored: values set, values erased, and the record as it then is."""

    set: dict[Key, str] = field(default_factory=dict)
    erased: dict[Key, None] = field(default_factory=dict)
    after: dict[Key, str] = field(default_factory=dict)

    def put(self, key: Key, value: str) -> None:
        """The record holds the value; '' for none."""
        before = self.after.get(key, "")
        if value == before:
            return
        if value:
            self.set[key] = value
            self.erased.pop(key, None)
            self.after[key] = value
        else:
            self.set.pop(key, None)
            self.erased[key] = None
            del self.after[key]

    def leave(self, key: Key) -> None:
        """Nothing is changed there after all."""
        self.set.pop(key, None)
        self.erased.pop(key, None)


def changes(project: Project, incoming: Incoming, stored: Mapping[Key, str]) -> Changes:
    """What storing the incoming values changes, with the record id and the status of every form touched.

    Args:
        project: The project.
        incoming: Checked values.
        stored: What the record holds now.
    """
    result = Changes(after=dict(stored))
    record_id = project.dictionary.record_id
    numbers = _instances(project, incoming, stored)
    for event, instance, _ in incoming.places:
        repeats = (event, "") in project.repeating
        result.put((event, numbers[event, instance] if repeats else 1, record_id), incoming.name)
    for (event, instance, column), value in incoming.cells.items():
        number = numbers[event, instance]
        # An unticked option is no row.
        unticked = value == "0" and "___" in column
        result.put((event, number, column), "" if unticked else value)
        status = project.dictionary.status_field(project.dictionary.form_of(column))
        # Unticked options alone leave the form as nobody had opened it.
        if value and not unticked and (event, number, status) not in result.after:
            result.put((event, number, status), "0")
    return result


def _instances(project: Project, incoming: Incoming, stored: Mapping[Key, str]) -> dict[tuple[int, int | str], int]:
    """The number of every instance sent; `new` ones follow the highest there is (reference/redcap-api.md 6.2)."""
    numbers: dict[tuple[int, int | str], int] = {}
    highest: dict[tuple[int, str], int] = {}
    fresh = [place for place in incoming.places if isinstance(place[1], str)]
    if fresh:
        for event, number, column in stored:
            kind = project.row_instrument(event, project.dictionary.form_of(column)) or ""
            highest[event, kind] = max(highest.get((event, kind), 0), number)
    for event, instance, kind in incoming.places:
        if isinstance(instance, int):
            numbers[event, instance] = instance
            highest[event, kind] = max(highest.get((event, kind), 0), instance)
    for event, instance, kind in fresh:
        highest[event, kind] = highest.get((event, kind), 0) + 1
        numbers[event, instance] = highest[event, kind]
    return numbers
