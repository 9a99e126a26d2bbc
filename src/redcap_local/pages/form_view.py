"""The page of one form of one record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from redcap_local.columns import plain
from redcap_local.messages import ApiError
from redcap_local.pages import answers, discrepancies, locking, randomizing, standing
from redcap_local.pages.answers import Spot
from redcap_local.pages.dashboard import following
from redcap_local.pages.disabling import disabled
from redcap_local.pages.form_model import Scene, decided_dictionary, model, scene, scripts, values
from redcap_local.pages.leaving import LOOK, next_form, onwards
from redcap_local.pages.record_home import known
from redcap_local.pages.visit import NoSuchPlace, Shown, Visit
from redcap_local.storage import documents, log, records
from redcap_local.storage.log import Entry


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What a person had typed when nothing could be stored, and why it could not.

    `conflict` is set when the form has been changed since it was opened: then what is stored now is shown beside it.
    """

    typed: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    conflict: bool = False


def show(visit: Visit, unsaved: Unsaved | None = None) -> Shown:
    """The form, to edit unless something keeps the user from it."""
    record = known(visit, visit.text("id"))
    if record is None:
        visit.needs("record_create")
    where = answers.spot(visit, record)
    here = scene(visit, where)
    dictionary = decided_dictionary(here)
    stored = answers.stored(visit, where)
    frozen, word = _opened(visit, where)
    targets = randomizing.offers(visit, where, frozen=bool(frozen))
    unsaved = unsaved or Unsaved()
    drawn = {**model(here, dictionary, randomizing.settled(visit, where)), "fresh": not stored, "frozen": bool(frozen)}
    entry = {
        **_standing(here, stored),
        "rows": values(here, dictionary),
        "typed": None if unsaved.conflict or not unsaved.typed else dict(unsaved.typed),
        "conflict": list(_differences(visit, where, stored, unsaved.typed)) if unsaved.conflict else [],
        "targets": {one.field: {"id": one.id, "done": one.done, "allowed": one.allowed} for one in targets},
    }
    return Shown(
        "form.html.j2",
        {
            "where": where,
            "title": visit.project.form_label(where.form),
            "frozen": frozen,
            "faults": unsaved.faults,
            "entry": entry,
            "lock": locking.lock_of(visit, where),
            "may_lock": locking.may_lock(visit) and bool(stored) and not (record and record.locked),
            "offers": [one for one in targets if one.allowed],
            "model": drawn,
            "logic": scripts(here, dictionary),
            "digest": answers.digest(stored),
            "word": word,
            "repeats": bool(entry["instance"]),
            "following": next_form(visit, where),
            "has_data": bool(stored),
            "changed_by": _last_change(visit, where) if unsaved.conflict else None,
            "message": visit.text("msg"),
        },
        409 if unsaved.conflict else 200,
    )


def _opened(visit: Visit, where: Spot) -> tuple[str, str]:
    """Why the form can only be read, '' when the user may edit it; and the word with which the user leaves it again."""
    reason = barred(visit, where)
    if reason:
        return reason, ""
    opening = visit.editors.open(where.key(visit.project), visit.user.username)
    if opening.username != visit.user.username:
        since = f"{opening.since:%H:%M}"
        return f"{opening.username} has had this form open since {since}: you may read it meanwhile.", ""
    return "", opening.word


def _standing(here: Scene, stored: Mapping[str, str]) -> dict[str, object]:
    """Where the form stands in the record, what it saves, and what the project wants to be asked."""
    visit, where, project = here.visit, here.where, here.project
    fields = [one.name for one in project.dictionary.form(where.form) if one.kind != "descriptive"]
    return {
        "event": project.rule_event(where.event),
        "form": where.form,
        "instance": where.instance if project.row_instrument(where.event.id, where.form) is not None else 0,
        "smart": here.smart,
        "record_id": project.dictionary.record_id,
        "own": [column.name for column in answers.own_columns(project, where.form)],
        "files": dict(_files(visit, where, stored)),
        "histories": {
            name: visit.addresses.history(where.name, where.event.id, name, where.instance) for name in fields if stored
        },
        "asks": project.settings["bypass_branching_erase_field_prompt"] != "1",
        "keeps": project.settings.get("branching_keeps_values") == "1",
        "onwards": onwards(visit, where) if visit.text("msg") == LOOK else "",
        "violated": discrepancies.violated(visit, where) if visit.text("msg") == LOOK else [],
        "reason": project.settings.get("require_change_reason") == "1" and bool(stored),
    }


def refused(visit: Visit, fault: ApiError) -> Shown:
    """The form again with what was typed, and why nothing was stored."""
    typed = sent_values(visit) if "values" in visit.asked else {}
    return replace(show(visit, Unsaved(typed, tuple(fault.text.splitlines()))), status=fault.status)


def sent_values(visit: Visit) -> dict[str, str]:
    """The values that the browser sent for the columns of the form; a column left out is blank.

    Raises:
        NoSuchPlace: It sent something else: a request that no page of this server makes.
    """
    try:
        sent = json.loads(visit.asked.get("values", ""))
    except ValueError:
        sent = None
    if not isinstance(sent, dict) or not all(isinstance(value, str) for value in sent.values()):
        raise NoSuchPlace("the form came without its values")
    return sent


def new_name(visit: Visit, name: str) -> str:
    """The name under which a new record is saved: the next one, if somebody has taken the one that was shown."""
    taken = records.records(visit.call.connection, visit.project.id, [name])
    automatic = visit.project.settings["record_autonumbering_enabled"] == "1"
    return following(visit) if taken and automatic else name


def barred(visit: Visit, where: Spot) -> str:
    """Why the user cannot change the form, '' when nothing keeps them from it."""
    if not visit.user.rights.edits(where.form):
        return "You may read this form, not change it."
    if where.record is not None and where.record.locked:
        return "This record is locked: nothing in it can be changed."
    off = disabled(visit, [where.record] if where.record else [])
    if (where.event.id, where.form) in off[where.record.id if where.record else 0]:
        return "This form is disabled: the form display logic of the project does not hold for the record."
    lock = locking.lock_of(visit, where)
    return f"This form was locked by {lock.username} at {lock.time}." if lock else ""


def _files(visit: Visit, where: Spot, stored: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    names = documents.names(visit.call.connection, visit.project.id)
    for one in visit.project.dictionary.form(where.form):
        if one.kind == "file" and one.name in stored:
            address = visit.addresses.file(where.name, where.event.id, one.name, where.instance)
            yield one.name, {"name": names.get(stored[one.name], "file"), "address": address}


def _differences(visit: Visit, where: Spot, stored: Mapping[str, str], typed: Mapping[str, str]) -> Iterator[list[str]]:
    """Column, label, what is stored now and what was typed, of every column where the two differ."""
    for column in answers.own_columns(visit.project, where.form):
        now, mine = stored.get(column.name, ""), typed.get(column.name, "")
        if now != mine and getattr(column.field, "kind", "") != "file":
            name = column.field.name if column.field else column.name
            label = visit.project.dictionary.label_of
            shown = [_tick(text) if column.code else plain(label(name, text)) for text in (now, mine)]
            if column.field is None:
                shown = [standing.WORDS[text] for text in (now, mine)]
            yield [column.name, column.header, *shown, mine]


def _tick(text: str) -> str:
    return "ticked" if text == "1" else "not ticked"


def _last_change(visit: Visit, where: Spot) -> Entry | None:
    limits = {"record": where.name, "kinds": ["record_add", "record_edit"]}
    return next(iter(log.read(visit.call.connection, visit.project.id, limits)), None)
