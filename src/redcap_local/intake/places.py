"""Where an imported row belongs: its event, its repeating form and its instance (reference/redcap-api.md 6.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from redcap_local import messages
from redcap_local.messages import ApiError, Message
from redcap_local.project import Event, Project
from redcap_local.wire.data import DataRow
from redcap_rules.names import EVENT, INSTANCE, INSTRUMENT

_INSTANCE = re.compile(r"[1-9][0-9]{0,4}")
NEW = "new"


@dataclass(frozen=True, slots=True)
class Place:
    """An event, a repeating form or '', and an instance: a number, 0 when none was given, or `new`."""

    event: Event
    instrument: str
    instance: int | str


class BadPlace(Exception):
    """A row's repeat columns are wrong; carries column, value and sentence of every error line."""

    def __init__(self, *faults: tuple[str, str, Message]) -> None:
        super().__init__(faults[0][2].text)
        self.lines = tuple((column, value, message.text) for column, value, message in faults)


def refuse_unknown_events(project: Project, rows: Iterable[DataRow]) -> None:
    """Nothing, unless a row names an event the project does not have (reference/redcap-api.md 2.4)."""
    if not project.longitudinal:
        return
    names = {row.get(EVENT, "").strip(): None for row in rows}
    unknown = [name for name in names if name and name not in project.events_by_name]
    if unknown:
        raise ApiError(messages.BAD_EVENTS, ", ".join(unknown))


def place(project: Project, row: DataRow) -> Place:
    """The place of a row; without an event it goes to the first one.

    Raises:
        BadPlace: The repeat columns name what does not repeat, or no instance.
    """
    name = row.get(EVENT, "").strip()
    event = project.events_by_name[name] if name and project.longitudinal else project.first_event
    instrument, text = row.get(INSTRUMENT, "").strip(), row.get(INSTANCE, "").strip()
    if instrument and (event.id, instrument) not in project.repeating:
        # A real server says both, one line each (PyCap issue 154).
        instance = [(INSTANCE, text, messages.BAD_INSTANCE)] if text else []
        raise BadPlace((INSTRUMENT, instrument, messages.BAD_REPEAT_INSTRUMENT), *instance)
    if text and not instrument and not project.repeats_as_event(event):
        raise BadPlace((INSTANCE, text, messages.BAD_INSTANCE))
    if text and text != NEW and not (_INSTANCE.fullmatch(text) and int(text) <= 32767):
        raise BadPlace((INSTANCE, text, messages.INSTANCE_NUMBER))
    if not text:
        # A repeating event without an instance means its first one; a form without one is told by its fields.
        return Place(event, instrument, 1 if project.repeats_as_event(event) and not instrument else 0)
    return Place(event, instrument, text if text == NEW else int(text))
