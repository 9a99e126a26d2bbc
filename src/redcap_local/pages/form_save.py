"""What is done with a form that was filled in: saved as the API would, or left, or its data deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from redcap_local.contents import files, record_delete
from redcap_local.intake.entering import enter
from redcap_local.messages import ApiError, Confidence, Message
from redcap_local.pages import answers, discrepancies, locking, randomizing, triggering
from redcap_local.pages.answers import Spot
from redcap_local.pages.form_view import Unsaved, barred, new_name, sent_values, show
from redcap_local.pages.leaving import again, onwards
from redcap_local.pages.record_home import known
from redcap_local.pages.visit import Answer, Moved, NoSuchPlace, Visit
from redcap_local.wire.parameters import Parameters
from redcap_rules.formulas import is_computed

NO_REASON = Message("A change of stored data needs a reason in this project.", Confidence.UNKNOWN, 400)


def change(visit: Visit) -> Answer:
    """The form has been saved, left or emptied, as the user asked."""
    act = _ACTIONS.get(visit.text("action"))
    if act is None:
        raise NoSuchPlace(f"there is no action {visit.text('action')[:40]!r}")
    return act(visit)


def _save(visit: Visit) -> Answer:
    """All that was changed is stored as an import would store it; nothing, when the form is not as it was opened."""
    where = _where(visit)
    _refuse_barred(visit, where)
    typed, stored = sent_values(visit), answers.stored(visit, where)
    if answers.digest(stored) != visit.text("digest"):
        return show(visit, Unsaved(typed, conflict=True))
    changes, reason = _changes(visit, where, typed, stored), visit.text("reason")
    if visit.project.settings.get("require_change_reason") == "1" and stored and changes and not reason:
        raise ApiError(NO_REASON)
    _store(visit, where, changes)
    if reason and stored:
        words = visit.call.words("Update", where.name)
        visit.call.note("record_edit", words, f"Reason for data change(s): {reason}", where.name)
    _store_files(visit, where)
    triggering.fire(visit, where)
    visit.editors.leave(where.key(visit.project), visit.text("word"))
    looked_at = visit.text("lacks") or discrepancies.violated(visit, where)
    return Moved(again(visit, where) if looked_at else onwards(visit, where))


def _refuse_barred(visit: Visit, where: Spot) -> None:
    """Nothing, unless something keeps the user from changing the form."""
    reason = barred(visit, where)
    if reason:
        raise ApiError(Message(reason, Confidence.UNKNOWN, 403))


def _where(visit: Visit) -> Spot:
    record = known(visit, visit.text("id"))
    where = answers.spot(visit, record)
    if not visit.text("new"):
        return where
    name = new_name(visit, where.name)
    return where if name == where.name else replace(where, name=name, record=None)


def _changes(visit: Visit, where: Spot, typed: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """What was typed into the form's columns that is not stored; files are not typed, nor what randomizing settles."""
    settled = randomizing.settled(visit, where)
    found = {}
    for column in answers.own_columns(visit.project, where.form):
        value = typed.get(column.name, "" if column.field else "0")
        fixed = column.name in settled or getattr(column.field, "kind", "") == "file"
        if value != stored.get(column.name, "") and not fixed:
            found[column.name] = value
    return found


def _store(visit: Visit, where: Spot, changes: Mapping[str, str]) -> None:
    project = visit.project
    place = answers.event_columns(project, where.event, where.form, where.instance)
    row = {project.dictionary.record_id: where.name, **place, **changes}
    enter(visit.call, [row], [field.name for field in project.dictionary.form(where.form) if is_computed(field)])


def _store_files(visit: Visit, where: Spot) -> None:
    place = {"record": where.name, "event": where.event.name}
    if where.instance != 1:
        place["repeat_instance"] = str(where.instance)
    for field in visit.project.dictionary.form(where.form):
        if field.kind != "file":
            continue
        pairs = {**place, "field": field.name}.items()
        upload = visit.uploads.get(f"file__{field.name}")
        if upload is not None:
            files.import_(replace(visit.call, parameters=Parameters(pairs, upload)))
        elif visit.text(f"remove__{field.name}"):
            files.delete(replace(visit.call, parameters=Parameters(pairs)))


def _cancel(visit: Visit) -> Answer:
    """Nothing is saved, and others may edit the form; a page that is closed says so too."""
    where = answers.spot(visit, known(visit, visit.text("id")))
    visit.editors.leave(where.key(visit.project), visit.text("word"))
    return Moved(visit.addresses.record(where.name, where.event.arm, "cancel"))


def _randomize(visit: Visit) -> Answer:
    """The record is randomized; the form shows the result."""
    where = answers.spot(visit, known(visit, visit.text("id")))
    randomizing.perform(visit, where)
    visit.editors.leave(where.key(visit.project), visit.text("word"))
    return Moved(visit.addresses.form(where.name, where.event.id, where.form, where.instance))


def _lock(visit: Visit) -> Answer:
    where = answers.spot(visit, known(visit, visit.text("id")))
    locking.set_form_lock(visit, where, locked=visit.text("action") == "lock")
    visit.editors.leave(where.key(visit.project), visit.text("word"))
    return Moved(visit.addresses.form(where.name, where.event.id, where.form, where.instance))


def _delete(visit: Visit) -> Answer:
    """The data of this form are gone, in this instance where it repeats."""
    visit.needs("record_delete")
    where = answers.spot(visit, known(visit, visit.text("id")))
    _refuse_barred(visit, where)
    part = {"records[0]": where.name, "event": where.event.name, "instrument": where.form}
    if visit.project.row_instrument(where.event.id, where.form) is not None:
        part["repeat_instance"] = str(where.instance)
    record_delete.delete(visit.asking(**part))
    visit.editors.leave(where.key(visit.project), visit.text("word"))
    arm = where.event.arm
    still = known(visit, where.name)
    return Moved(visit.addresses.record(where.name, arm, "form") if still else visit.addresses.dashboard(arm))


_ACTIONS = {
    "save": _save, "cancel": _cancel, "delete": _delete, "randomize": _randomize, "lock": _lock, "unlock": _lock,
}  # fmt: skip
