"""A record's own page: its events and forms, and what can be done to the record as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from redcap_local.contents import record_delete, record_rename
from redcap_local.display_logic import display_logic
from redcap_local.intake.entering import enter
from redcap_local.pages import locking, standing
from redcap_local.pages.answers import event_columns
from redcap_local.pages.dashboard import arms_of
from redcap_local.pages.disabling import disabled
from redcap_local.pages.standing import Standing
from redcap_local.pages.visit import Answer, Moved, NoSuchPlace, Shown, Visit
from redcap_local.places import find_record
from redcap_local.project import Event
from redcap_local.storage import locks, records
from redcap_local.storage.records import Record
from redcap_rules.names import GROUP

MESSAGES = {
    "add": "Record ID {} was added.",
    "edit": "Record ID {} was saved.",
    "cancel": "Record ID {}: data entry cancelled - not saved.",
    "form": "Record ID {}: the data of the form were deleted.",
    "event": "Record ID {}: the data of the event were deleted.",
    "renamed": "The record is called {} now.",
    "group": "Record ID {} is in its data access group now.",
    "locked": "Record ID {} is locked.",
    "unlocked": "Record ID {} is no longer locked.",
}


@dataclass(frozen=True, slots=True)
class Box:
    """An event of a record with its forms; of a repeating event one instance, and the next one that can be added."""

    event: Event
    instance: int
    places: tuple[Standing, ...]
    holds_data: bool
    following: int

    @property
    def key(self) -> str:
        """What tells it from every other box of the page."""
        return f"{self.event.id}-{self.instance}"


def show(visit: Visit) -> Shown:
    """The record with its events and forms, or the one that would be made when its first form is saved."""
    project, name = visit.project, visit.text("id")
    if not name:
        raise NoSuchPlace("the address names no record")
    record = known(visit, name)
    if record is None:
        visit.needs("record_create")
    arm = visit.arm()
    stored = records.values(visit.call.connection, [record.id]) if record else ()
    found = standing.standings(project, stored).get(record.id, {}) if record else {}
    forms = [form for form in project.dictionary.forms if visit.user.rights.views(form)]
    off = disabled(visit, [record] if record else [])[record.id if record else 0]
    hides = display_logic(project).hides
    every = standing.of_record(project, forms, arm, found, off)
    places = [place for place in every if not (hides and place.disabled)]
    message = MESSAGES.get(visit.text("msg"), "").format(name)
    return Shown(
        "record_home.html.j2",
        {
            "name": name,
            "record": record,
            "arm": arm,
            "arms": [one for one in project.arms if record and one[0] in arms_of(visit, [record])[record.id]],
            "locked": {place[1:] for place in locks.locks(visit.call.connection, [record.id])} if record else set(),
            "boxes": list(_boxes(visit, places)),
            "message": message,
            "group": project.groups_by_id.get(record.group) if record and record.group else None,
            "movable": record is not None and visit.user.group is None and bool(project.groups),
        },
    )


def known(visit: Visit, name: str) -> Record | None:
    """The record of that name; None when there is none.

    Raises:
        ApiError: There is one, in a data access group that is not the user's.
    """
    if not records.records(visit.call.connection, visit.project.id, [name]):
        return None
    return find_record(visit.call, name)


def change(visit: Visit) -> Answer:
    """What the user asked for has been done to the record."""
    name, arm = visit.text("id"), visit.arm()
    act = _ACTIONS.get(visit.text("action"))
    if act is None:
        raise NoSuchPlace(f"there is no action {visit.text('action')[:40]!r}")
    return act(visit, name, arm)


def _delete_record(visit: Visit, name: str, _arm: int) -> Answer:
    visit.needs("record_delete")
    record_delete.delete(visit.asking(**{"records[0]": name}))
    return Moved(visit.addresses.dashboard())


def _delete_event(visit: Visit, name: str, arm: int) -> Answer:
    visit.needs("record_delete")
    event = visit.event()
    instance = {"repeat_instance": visit.text("instance")} if visit.project.repeats_as_event(event) else {}
    record_delete.delete(visit.asking(**{"records[0]": name, "event": event.name}, **instance))
    return Moved(visit.addresses.record(name, arm, "event") if known(visit, name) else visit.addresses.dashboard(arm))


def _rename(visit: Visit, name: str, arm: int) -> Answer:
    visit.needs("record_rename")
    new = visit.text("new_name")
    record_rename.rename(visit.asking(record=name, new_record_name=new))
    return Moved(visit.addresses.record(new, arm, "renamed"))


def _assign(visit: Visit, name: str, arm: int) -> Answer:
    if visit.user.group is not None:
        raise NoSuchPlace("who is in a data access group moves no record to another")
    record, id_field = find_record(visit.call, name), visit.project.dictionary.record_id
    # any event in which the record is: the row must not bring it into another arm
    event = next((event for _, event, *_ in records.values(visit.call.connection, [record.id], [id_field])), 0)
    inside = visit.project.events_by_id.get(event, visit.project.first_event)
    row = {id_field: name, GROUP: visit.text("group"), **event_columns(visit.project, inside, "", 1)}
    enter(visit.call, [row])
    return Moved(visit.addresses.record(name, arm, "group"))


def _lock(visit: Visit, name: str, arm: int) -> Answer:
    locked = visit.text("action") == "lock"
    locking.set_record_lock(visit, find_record(visit.call, name), locked=locked)
    return Moved(visit.addresses.record(name, arm, "locked" if locked else "unlocked"))


_ACTIONS = {
    "lock": _lock,
    "unlock": _lock,
    "delete_record": _delete_record,
    "delete_event": _delete_event,
    "rename": _rename,
    "assign": _assign,
}


def _boxes(visit: Visit, places: Sequence[Standing]) -> Iterator[Box]:
    events: dict[int, list[Standing]] = {}
    for place in places:
        events.setdefault(place.event.id, []).append(place)
    for several in events.values():
        event = several[0].event
        if not visit.project.repeats_as_event(event):
            yield Box(event, 0, tuple(several), any(place.statuses for place in several), 0)
            continue
        numbers = sorted({number for place in several for number in place.statuses}) or [1]
        for number in numbers:
            here = tuple(
                replace(place, repeats=False, statuses={n: s for n, s in place.statuses.items() if n == number})
                for place in several
            )
            following = number + 1 if number == numbers[-1] and any(place.statuses for place in here) else 0
            yield Box(event, number, here, any(place.statuses for place in here), following)
