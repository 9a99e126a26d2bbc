"""The record status grid: every record with every event and form, in four states."""

from __future__ import annotations

from collections.abc import Sequence

from redcap_local.naming import next_name
from redcap_local.pages import standing
from redcap_local.pages.disabling import disabled
from redcap_local.pages.standing import Standing
from redcap_local.pages.visit import Shown, Visit
from redcap_local.places import visible
from redcap_local.project import Event
from redcap_local.storage import records
from redcap_local.storage.records import Record

TOGETHER = 50  # records on one page


def show(visit: Visit) -> Shown:
    """The grid of an arm, from the record on that the address names."""
    project, call = visit.project, visit.call
    arm, start = visit.arm(), max(visit.number("start", 1), 1)
    in_arm = _in_arm(visit, arm)
    part = in_arm[start - 1 : start - 1 + TOGETHER]
    forms = [form for form in project.dictionary.forms if visit.user.rights.views(form)]
    wanted = list(map(project.dictionary.status_field, forms))
    found = standing.standings(project, records.values(call.connection, [r.id for r in part], wanted))
    off = disabled(visit, part)
    rows = [
        (record, list(standing.of_record(project, forms, arm, found.get(record.id, {}), off[record.id])))
        for record in part
    ]
    head = list(standing.of_record(project, forms, arm, {}))
    return Shown(
        "dashboard.html.j2",
        {
            "arm": arm,
            "arms": project.arms if project.longitudinal else (),
            "events": _events(head),
            "head": head,
            "rows": rows,
            "total": len(in_arm),
            "start": start,
            "together": TOGETHER,
            "adding": adding(visit, arm),
        },
    )


def adding(visit: Visit, arm: int) -> dict[str, object] | None:
    """How the user adds a record: under the next name, or under one typed; None without the right."""
    if not visit.user.rights.has("record_create"):
        return None
    automatic = visit.project.settings["record_autonumbering_enabled"] == "1"
    return {"name": following(visit) if automatic else "", "arm": arm}


def following(visit: Visit) -> str:
    """The name of the next record; nothing is reserved."""
    names = (record.name for record in records.records(visit.call.connection, visit.project.id))
    return next_name(names, visit.user.group)


def arms_of(visit: Visit, several: Sequence[Record]) -> dict[int, set[int]]:
    """The arms in which each record has data, by record id."""
    id_field = visit.project.dictionary.record_id
    found: dict[int, set[int]] = {record.id: set() for record in several}
    for record, event, *_ in records.values(visit.call.connection, list(found), [id_field]):
        found[record].add(visit.project.events_by_id[event].arm)
    return found


def next_record(visit: Visit, name: str, arm: int) -> str:
    """The record after that one in the grid; '' after the last."""
    names = [record.name for record in _in_arm(visit, arm)]
    later = names[names.index(name) + 1 :] if name in names else []
    return later[0] if later else ""


def _in_arm(visit: Visit, arm: int) -> list[Record]:
    """The records the user sees in an arm, in the grid's order."""
    found = records.records(visit.call.connection, visit.project.id)
    mine = sorted(visible(found, visit.user.group), key=_order)
    if len(visit.project.arms) < 2 or not visit.project.longitudinal:
        return mine
    arms = arms_of(visit, mine)
    return [record for record in mine if arm in arms[record.id]]


def _events(head: list[Standing]) -> list[tuple[Event, int]]:
    """The events with how many forms each has."""
    counted: dict[int, list[Standing]] = {}
    for one in head:
        counted.setdefault(one.event.id, []).append(one)
    return [(several[0].event, len(several)) for several in counted.values()]


def _order(record: Record) -> tuple[int, int, str]:
    """Whole numbers by size, other names after them as text; `<group>-<n>` by both parts."""
    group, _, number = record.name.rpartition("-")
    if number.isascii() and number.isdigit() and (not group or group.isdigit()) and len(number) < 16:
        return (int(group or 0), int(number), "")
    return (10**16, 0, record.name)
