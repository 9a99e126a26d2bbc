"""Storing a checked import: rights over records, calculations, unique values, log (reference/redcap-api.md 6.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.columns import Column
from redcap_local.intake.calculations import follow
from redcap_local.intake.changes import Changes, changes
from redcap_local.intake.locked import in_locked_forms
from redcap_local.intake.plan import Incoming, Line, refuse
from redcap_local.project import Project
from redcap_local.storage import log, randomization, records
from redcap_local.storage.log import Change, Place
from redcap_local.storage.records import Key, Record
from redcap_local.view import RowPlace, row_place
from redcap_rules.names import GROUP

_TOGETHER = 1_000
"""Records that are changed at a time: what they become need not lie in memory for all of a large import."""


def save(call: Call, incoming: Iterable[Incoming], *, calculate: bool = True) -> None:
    """The values are stored, what is computed from them too, and the log tells who changed what.

    Args:
        call: The request.
        incoming: Checked values by record.
        calculate: Whether calculations follow.

    Raises:
        ApiError: A record the user may not create or change, or a secondary unique value used twice.
    """
    wanted = list(incoming)
    existing = {r.name: r for r in records.records(call.connection, call.project.id, [r.name for r in wanted])}
    refuse([line for record in wanted for line in _record_faults(call, record, existing.get(record.name))])
    # two records with one value are told of each other: then all are looked at together
    together = len(wanted) if call.project.settings.get("secondary_unique_field", "") else _TOGETHER
    lines: list[Line] = []
    for start in range(0, len(wanted), max(together, 1)):
        part = wanted[start : start + together]
        before = {record.name: existing[record.name] for record in part if record.name in existing}
        changed = _changed(call, part, before, calculate)
        lines += [*_duplicates(call, changed), *untouchable(call, changed, before), *_moved(call, part, before)]
        if not lines:
            _store(call, part, before, changed)
    refuse(lines)


def _changed(call: Call, part: Sequence[Incoming], existing: dict[str, Record], calculate: bool) -> dict[str, Changes]:
    stored = _stored(call, existing.values())
    changed: dict[str, Changes] = {}
    for record in part:
        change = changes(call.project, record, stored.get(record.name, {}))
        if calculate:
            sent = {column for _, _, column in record.cells}
            follow(call.project, record.name, sent, change, call.now, record.computed)
        changed[record.name] = change
    return changed


def _store(call: Call, part: Sequence[Incoming], existing: dict[str, Record], changed: dict[str, Changes]) -> None:
    """The changes and their lines of the log are written; the transaction ends elsewhere, so all stands or nothing."""
    _write(call, part, existing, changed)
    for record in part:
        before = existing.get(record.name)
        note_changes(call, record.name, changed[record.name], new=before is None)
        _note_group(call, record, before)
    log.write(call.connection, call.project.id, call.notes)
    call.notes.clear()


def _record_faults(call: Call, record: Incoming, existing: Record | None) -> Iterator[Line]:
    def line(message: messages.Message, column: str = "", value: str = "") -> Line:
        return Line(record.name, column or call.project.dictionary.record_id, value or record.name, message.text)

    if existing is None and not call.user.rights.has("record_create"):
        yield line(messages.NO_NEW_RECORDS)
    if existing is not None and existing.locked:
        yield line(messages.RECORD_LOCKED)
    if existing is not None and call.user.group is not None and existing.group != call.user.group:
        yield line(messages.RECORD_NOT_YOURS)
    if record.group and record.group not in call.project.groups_by_name:
        yield line(messages.UNKNOWN_GROUP, GROUP, record.group)


def _stored(call: Call, existing: Iterable[Record]) -> dict[str, dict[Key, str]]:
    names = {record.id: record.name for record in existing}
    stored: dict[str, dict[Key, str]] = {name: {} for name in names.values()}
    known = call.project.columns
    for record, event, instance, column, value in records.values(call.connection, list(names)):
        if column in known:
            stored[names[record]][event, instance, column] = value
    return stored


def _duplicates(call: Call, changed: dict[str, Changes]) -> Iterator[Line]:
    secondary = call.project.settings.get("secondary_unique_field", "")
    if not secondary:
        return
    sent = [
        (name, value)
        for name, change in changed.items()
        for (_, _, column), value in change.set.items()
        if column == secondary
    ]
    owners: dict[str, set[str]] = {}
    found = records.holders_of_value(call.connection, call.project.id, secondary, [value for _, value in sent])
    for value, owner in [*found, *((value, name) for name, value in sent)]:
        owners.setdefault(value, set()).add(owner)
    for name, value in sent:
        others = sorted(owners[value] - {name})
        if others:
            yield Line(name, secondary, value, messages.DUPLICATE_SECONDARY.text.format(others[0]))


def untouchable(call: Call, changed: dict[str, Changes], existing: dict[str, Record]) -> Iterator[Line]:
    """A line for every value that may not be changed: of a randomised record, or in a locked form."""
    yield from _randomised(call, changed, existing)
    yield from in_locked_forms(call, changed, existing)


def _randomised(call: Call, changed: dict[str, Changes], existing: dict[str, Record]) -> Iterator[Line]:
    """A line for every target or stratum of a randomised record that the changes would touch.

    Source: reference/redcap-api.md 6.2.
    """
    project = call.project
    if project.settings["randomization_enabled"] != "1":
        return
    names = {record.id: name for name, record in existing.items() if name in changed}
    production = project.in_production
    done = randomization.randomised_records(call.connection, project.id, production=production)
    for model in randomization.models(call.connection, project.id):
        fixed = {(model.target_event, model.target_field), *((event, field) for field, event in model.strata)}
        places = {(project.event_named(event).id, field) for event, field in fixed}
        for record_id in sorted(record for rid, record in done if rid == model.id and record in names):
            change = changed[names[record_id]]
            for event, _, column in (*change.set, *change.erased):
                if (event, column) in places:
                    value = change.after.get((event, 1, column), "")
                    yield Line(names[record_id], column, value, messages.RANDOMISED.text)


def _moved(call: Call, wanted: Sequence[Incoming], existing: dict[str, Record]) -> Iterator[Line]:
    """A line for every randomised record that would leave the group it was randomised in."""
    project = call.project
    if project.settings["randomization_enabled"] != "1":
        return
    by_group = {model.id for model in randomization.models(call.connection, project.id) if model.by_group}
    done = randomization.randomised_records(call.connection, project.id, production=project.in_production)
    settled = {record for model, record in done if model in by_group}
    for record in wanted:
        before = existing.get(record.name)
        if before is None or before.id not in settled or record.group is None:
            continue
        if _group(project, record, None) != before.group:
            yield Line(record.name, GROUP, record.group, messages.RANDOMISED.text)


def _write(call: Call, wanted: Sequence[Incoming], existing: dict[str, Record], changed: dict[str, Changes]) -> None:
    project = call.project
    ids: dict[str, int] = {name: record.id for name, record in existing.items()}
    for record in wanted:
        group = _group(project, record, call.user.group)
        if record.name not in ids:
            made = records.insert_record(call.connection, project.id, record.name, group)
            ids[record.name] = made.id
        elif record.group is not None:
            records.set_record_group(call.connection, ids[record.name], group)
    records.save_values(
        call.connection,
        ((ids[name], *key, value) for name, change in changed.items() for key, value in change.set.items()),
    )
    records.delete_values(
        call.connection, ((ids[name], *key) for name, change in changed.items() for key in change.erased)
    )


def _group(project: Project, record: Incoming, user_group: int | None) -> int | None:
    if user_group is not None:
        return user_group
    return project.groups_by_name[record.group].id if record.group else None


def note_changes(call: Call, name: str, change: Changes, *, new: bool = False) -> None:
    """The log has one line for every event and instance of the record in which something changed.

    The line of a repeating row begins with its instance (reference/redcap-validation-facts.md 7).
    """
    project = call.project
    rows: dict[RowPlace, list[Change]] = {}
    for (event, instance, column), value in (*change.set.items(), *((key, "") for key in change.erased)):
        if column in project.columns and (value or column != project.dictionary.record_id):
            place = row_place(project, event, instance, column)
            rows.setdefault(place, []).append(_told(project.columns[column], value))
    positions = {event.id: event.position for event in project.events}
    for place, told in sorted(rows.items(), key=lambda row: (positions[row[0][0]], row[0][2], row[0][1])):
        call.note_values(name, Place(place[0], place[2]), told, new=new)
        new = False


def _note_group(call: Call, record: Incoming, before: Record | None) -> None:
    if record.group is None:
        return
    group = _group(call.project, record, call.user.group)
    if group != (before.group if before else None):
        words = f"Assign record to Data Access Group (redcap_data_access_group = '{record.group}')"
        call.note("record_edit", call.words("Update", record.name), words, record.name)


def _told(column: Column, value: str) -> Change:
    return Change(column.field.name if column.code and column.field else column.name, value, column.code)
