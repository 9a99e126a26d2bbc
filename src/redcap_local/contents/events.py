"""content=event (reference/redcap-api.md 10)."""

from __future__ import annotations

import math

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.contents.arms import arm_number
from redcap_local.messages import ApiError
from redcap_local.project import Event
from redcap_local.storage import structure
from redcap_local.wire import data, replies
from redcap_local.wire.data import DataRow
from redcap_local.wire.replies import Cell, Grid, Reply
from redcap_rules.names import event_name

_COLUMNS = ("event_name", "arm_num", "unique_event_name", "custom_event_label", "event_id")
_OFFSETS = ("day_offset", "offset_min", "offset_max")


def export(call: Call) -> Reply:
    """The events in order; day offsets only where scheduling is on."""
    if not call.project.longitudinal:
        raise ApiError(messages.EVENTS_CLASSIC)
    arms = set(call.parameters.items("arms"))
    scheduling = call.project.settings["scheduling_enabled"] == "1"
    columns = (*_COLUMNS[:2], *_OFFSETS, *_COLUMNS[2:]) if scheduling else _COLUMNS
    rows = [_row(event) for event in call.project.events if not arms or str(event.arm) in arms]
    call.note("export_design", "Manage/Design ", "Export events (API)")
    table = Grid(columns, rows, "events", frozenset({"event_name"}), final_newline=False)
    return replies.table(table, call.parameters.format)


def _row(event: Event) -> dict[str, Cell]:
    return {
        "event_name": event.label,
        "arm_num": event.arm,
        "day_offset": f"{event.day_offset:g}",
        "offset_min": f"{event.offset_min:g}",
        "offset_max": f"{event.offset_max:g}",
        "unique_event_name": event.name,
        "custom_event_label": event.custom_label,
        "event_id": event.id,
    }


def import_(call: Call) -> Reply:
    """Events are added (blank unique name) or changed; `override` removes all others first."""
    rows = data.rows(call.parameters)
    project = call.project
    kept = dict(project.events_by_name)
    if call.parameters.flag("override"):
        structure.delete_events(call.connection, project.id, [event.id for event in project.events])
        kept.clear()
    taken = set(kept)
    arms = {number for number, _ in project.arms}
    offset = max((event.day_offset for event in kept.values()), default=0.0)
    for row in rows:
        event = kept.get(row.get("unique_event_name", "").strip())
        offset += 1  # without offsets of their own, events keep the order of the upload
        arm = arm_number(row.get("arm_num", "") or "1")
        if arm not in arms:
            structure.save_arm(call.connection, project.id, arm, f"Arm {arm}")
            arms.add(arm)
        values = {"arm": arm, **_values(row, event, offset)}
        if event is None:
            name = event_name(str(values["label"]), arm, taken)
            taken.add(name)
            structure.insert_event(call.connection, project.id, {**values, "name": name})
        else:
            structure.update_event(call.connection, project.id, event.id, {**values, "name": event.name})
    call.note("manage", "Manage/Design ", "Import events (API)")
    return replies.number(len(rows), call.parameters.return_format)


def _values(row: DataRow, event: Event | None, offset: float) -> dict[str, object]:
    label = row.get("event_name", "").strip()
    if not label:
        raise ApiError(messages.BAD_DATA, "an event has no event_name")
    day = row.get("day_offset") or row.get("days_offset") or ""
    return {
        "label": label,
        "custom_label": row.get("custom_event_label", "").strip() or None,
        "day_offset": _number(day, event.day_offset if event else offset),
        "offset_min": _number(row.get("offset_min", ""), event.offset_min if event else 0.0),
        "offset_max": _number(row.get("offset_max", ""), event.offset_max if event else 0.0),
    }


def _number(text: str, default: float) -> float:
    try:
        value = float(text) if text.strip() else default
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ApiError(messages.BAD_DATA, f"the offset {text!r} is not a number")
    return value


def delete(call: Call) -> Reply:
    """The events named are gone with their data; none named, none gone."""
    wanted = call.parameters.items("events")
    unknown = [name for name in wanted if name not in call.project.events_by_name]
    if unknown:
        raise ApiError(messages.BAD_EVENTS, ", ".join(unknown))
    structure.delete_events(call.connection, call.project.id, [call.project.events_by_name[name].id for name in wanted])
    call.note("manage", "Manage/Design ", "Delete events (API)")
    return replies.number(len(wanted), call.parameters.return_format)
