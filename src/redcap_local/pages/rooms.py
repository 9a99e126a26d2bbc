"""The pages of a project beside its records, and whom they are open to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from redcap_local.messages import ApiError, Confidence, Message
from redcap_local.pages.visit import Visit

EXPORT = "data_export"
"""Stands for an export right on any form: REDCap has no switch for it."""


@dataclass(frozen=True, slots=True)
class Room:
    """A page that a project's menu names, in projects where the setting is on.

    It is open to who has one of the rights, or to everyone.
    """

    label: str
    rights: tuple[str, ...] = ()
    setting: str = ""


ROOMS: Mapping[str, Room] = {
    "DataEntry/record_status_dashboard.php": Room("Record status"),
    "DataExport/index.php": Room("Data export", (EXPORT,)),
    "index.php?route=DataImportController:index": Room("Data import", ("data_import_tool",)),
    "DataQuality/index.php": Room("Data quality", ("data_quality_create", "data_quality_execute")),
    "Logging/index.php": Room("Logging", ("logging",)),
    "Randomization/index.php": Room("Randomization", ("random_setup", "random_dashboard"), "randomization_enabled"),
    "ProjectSetup/index.php": Room("Project setup", ("design",)),
}


def open_rooms(visit: Visit) -> Iterator[tuple[str, str]]:
    """Place and label of the pages that are open to the user, in order of the menu."""
    for place, room in ROOMS.items():
        if _is_open(visit, room):
            yield place, room.label


def enter_room(visit: Visit, place: str) -> None:
    """Nothing, if the page at that place is open to the user.

    Raises:
        ApiError: It is not.
    """
    room = ROOMS.get(place)
    if room is not None and not _is_open(visit, room):
        raise ApiError(Message(f"The page {room.label} is not open to you.", Confidence.UNKNOWN, 403))


def _is_open(visit: Visit, room: Room) -> bool:
    held = visit.user.rights
    if room.setting and visit.project.settings[room.setting] != "1":
        return False
    return not room.rights or any(held.exports_any if right == EXPORT else held.has(right) for right in room.rights)
