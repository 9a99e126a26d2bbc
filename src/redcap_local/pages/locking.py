"""Forms and records locked and unlocked by who may (reference/redcap-validation-facts.md 7, 10; C.2.19)."""

from __future__ import annotations

from redcap_local.pages.answers import Spot
from redcap_local.pages.visit import Visit
from redcap_local.storage import locks, records
from redcap_local.storage.locks import Lock, LockPlace
from redcap_local.storage.records import Record

FORM, RECORD = "lock_records", "lock_records_all_forms"


def lock_of(visit: Visit, where: Spot) -> Lock | None:
    """Who locked the form; None when it is not locked."""
    place = _place(where)
    return locks.locks(visit.call.connection, [place[0]]).get(place) if place else None


def may_lock(visit: Visit) -> bool:
    """Whether the user locks and unlocks forms."""
    return visit.user.rights.has(FORM)


def set_form_lock(visit: Visit, where: Spot, *, locked: bool) -> None:
    """The form is locked by the user, or no longer.

    Raises:
        ApiError: The user may not.
    """
    visit.needs(FORM)
    place = _place(where)
    if place is None:
        return
    if locked:
        locks.lock(visit.call.connection, place, Lock(visit.user.username, visit.call.time))
    else:
        locks.unlock(visit.call.connection, place)
    event = f", Event: {where.event.label}" if visit.project.longitudinal else ""
    instance = f", Instance: {where.instance}" if where.instance > 1 else ""
    form = visit.project.form_label(where.form)
    _note(visit, where.name, f"Action: {_word(locked)} instrument, Form: {form}{event}{instance}")


def set_record_lock(visit: Visit, record: Record, *, locked: bool) -> None:
    """The record is locked, or no longer.

    Raises:
        ApiError: The user may not.
    """
    visit.needs(RECORD)
    records.set_locked(visit.call.connection, record.id, locked)
    _note(visit, record.name, f"Action: {_word(locked)} entire record")


def _place(where: Spot) -> LockPlace | None:
    return (where.record.id, where.event.id, where.instance, where.form) if where.record else None


def _word(locked: bool) -> str:
    return "Lock" if locked else "Unlock"


def _note(visit: Visit, name: str, details: str) -> None:
    visit.call.note("lock_record", f"Lock/Unlock Record {name}", details, name)
