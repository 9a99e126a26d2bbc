"""content=arm (reference/redcap-api.md 10)."""

from __future__ import annotations

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.messages import ApiError
from redcap_local.storage import structure
from redcap_local.wire import data, replies
from redcap_local.wire.replies import Cell, Grid, Reply


def export(call: Call) -> Reply:
    """The arms that have an event, or those asked for."""
    project = call.project
    if not project.longitudinal:
        raise ApiError(messages.ARMS_CLASSIC)
    wanted = set(call.parameters.items("arms"))
    with_events = {event.arm for event in project.events}
    rows: list[dict[str, Cell]] = [
        {"arm_num": number, "name": name}
        for number, name in project.arms
        if number in with_events and (not wanted or str(number) in wanted)
    ]
    call.note("export_design", "Manage/Design ", "Export arms (API)")
    table = Grid(("arm_num", "name"), rows, "arms", frozenset({"name"}), final_newline=False)
    return replies.table(table, call.parameters.format)


def import_(call: Call) -> Reply:
    """Arms are added or renamed by number; `override` removes all others first."""
    rows = data.rows(call.parameters)
    arms = [(arm_number(row.get("arm_num", "")), row.get("name", "").strip()) for row in rows]
    if call.parameters.flag("override"):
        structure.delete_arms(call.connection, call.project.id, [number for number, _ in call.project.arms])
    for number, name in arms:
        if not name:
            raise ApiError(messages.BAD_DATA, f"arm {number} has no name")
        structure.save_arm(call.connection, call.project.id, number, name)
    call.note("manage", "Manage/Design ", "Import arms (API)")
    return replies.number(len(rows), call.parameters.return_format)


def delete(call: Call) -> Reply:
    """The arms are gone with their events and data."""
    wanted = call.parameters.items("arms")
    if not wanted:
        raise ApiError(messages.MISSING_PARAMETER, "arms")
    known = {str(number) for number, _ in call.project.arms}
    unknown = [arm for arm in wanted if arm not in known]
    if unknown:
        raise ApiError(messages.BAD_ARMS, ", ".join(unknown))
    structure.delete_arms(call.connection, call.project.id, map(int, wanted))
    call.note("manage", "Manage/Design ", "Delete arms (API)")
    return replies.number(len(wanted), call.parameters.return_format)


def arm_number(text: str) -> int:
    """An arm number from 1 to 99 999; refused when it is none."""
    if not (text.strip().isascii() and text.strip().isdigit() and 0 < int(text.strip()[:9]) < 100_000):
        raise ApiError(messages.BAD_DATA, f"arm_num {text!r} is not a number")
    return int(text)
