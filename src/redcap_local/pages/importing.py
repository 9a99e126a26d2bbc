"""Data imported from a file by a person: reviewed first, then stored as the API stores them (B.3.16.0205, 1000, 1100).

The review is the import itself, undone again: what it says is what will happen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from redcap_local.call import Call
from redcap_local.columns import plain
from redcap_local.contents import record_import
from redcap_local.messages import ApiError, Confidence, Message
from redcap_local.pages.visit import Answer, Moved, NoSuchPlace, Shown, Visit
from redcap_local.project import Project
from redcap_local.storage import log, records
from redcap_local.storage.log import Change, Entry
from redcap_local.view import row_place
from redcap_rules.choices import checkbox_column

PLACE = "index.php?route=DataImportController:index"
ORIGIN = " (import)"
ORDERS = {"YMD": "YYYY-MM-DD", "MDY": "MM/DD/YYYY", "DMY": "DD/MM/YYYY"}
DELIMITERS = {",": "comma", ";": "semicolon", "tab": "tab"}
MOST_SHOWN = 500

NO_FILE = Message("Choose a file to import.", Confidence.UNKNOWN, 400)
NOT_UTF8 = Message("The file is not UTF-8: save it as CSV UTF-8.", Confidence.UNKNOWN, 400)


@dataclass(frozen=True, slots=True)
class Line:
    """One value of the review: where it goes, what is there now, and what will be."""

    record: str
    new: bool
    event: str
    instance: int
    label: str
    before: str
    after: str


def show(visit: Visit, faults: tuple[str, ...] = ()) -> Shown:
    """The form that asks for a file, with what was chosen before."""
    chosen = {name: visit.text(name) for name in ("dateFormat", "overwriteBehavior", "csvDelimiter", "forceAutoNumber")}
    count = visit.number("count", -1)
    message = f"{count} record{'' if count == 1 else 's'} imported." if count >= 0 else ""
    values = {"chosen": chosen, "orders": ORDERS, "delimiters": DELIMITERS, "faults": faults, "message": message}
    return Shown("import.html.j2", {**values, "review": None})


def change(visit: Visit) -> Answer:
    """The file is reviewed, or its data are stored."""
    match visit.text("action"):
        case "review":
            return _review(visit)
        case "import":
            call = _asked(visit, visit.asked.get("data", ""))
            reply = record_import.import_(call)
            return Moved(visit.addresses.room(PLACE, count=len(json.loads(reply.whole))))
        case other:
            raise NoSuchPlace(f"there is no action {other[:40]!r}")


def refused(visit: Visit, fault: ApiError) -> Shown:
    """The page again, with every fault of the file."""
    return replace(show(visit, tuple(fault.text.splitlines())), status=fault.status)


def _review(visit: Visit) -> Shown:
    text = _text(visit)
    call = _asked(visit, text)
    before = log.last(call.connection)
    with _undone(call):
        record_import.import_(call)
        written = log.read(call.connection, call.project.id, {"after": before, "kinds": ["record_add", "record_edit"]})
    written.reverse()
    lines = list(_lines(visit, written))
    page = show(visit)
    review = {"lines": lines[:MOST_SHOWN], "total": len(lines), "records": len({entry.record for entry in written})}
    return replace(page, values={**page.values, "review": review, "text": text})


@contextmanager
def _undone(call: Call) -> Iterator[None]:
    """What is done inside is undone at the end; the lines of its log too."""
    call.connection.execute("savepoint review")
    try:
        yield
    finally:
        call.connection.execute("rollback to review")
        call.connection.execute("release review")
        call.notes.clear()


def _text(visit: Visit) -> str:
    upload = visit.uploads.get("file")
    if upload is None or not upload.content.strip():
        raise ApiError(NO_FILE)
    try:
        return upload.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ApiError(NOT_UTF8) from None


def _asked(visit: Visit, text: str) -> Call:
    """The import that the API would be asked for, in the words of the page."""
    names = ("dateFormat", "overwriteBehavior", "csvDelimiter", "forceAutoNumber")
    asked = {name: visit.text(name) for name in names if visit.text(name)}
    call = visit.asking(**asked, data=text, format="csv", returnFormat="json", returnContent="ids")
    return replace(call, origin=ORIGIN)


def _lines(visit: Visit, written: list[Entry]) -> Iterator[Line]:
    stored = _stored(visit, [entry.record for entry in written])
    for entry in written:
        if entry.place is None:
            yield Line(entry.record, False, "", 0, "", "", entry.told)
            continue
        event = visit.project.events_by_id[entry.place.event]
        label = event.label if visit.project.longitudinal else ""
        at = (entry.record, entry.place.event, entry.place.instance)
        for change in entry.changes:
            before = stored.get(at, {}).get(_column(change), "")
            new = entry.kind == "record_add"
            header = _header(visit.project, change)
            yield Line(entry.record, new, label, entry.place.instance, header, before, change.value)


def _stored(visit: Visit, names: list[str]) -> Mapping[tuple[str, int, int], Mapping[str, str]]:
    """What the records hold now, by record, event and instance (0 where nothing repeats)."""
    found = records.records(visit.call.connection, visit.project.id, list(dict.fromkeys(names)))
    by_id = {record.id: record.name for record in found}
    stored: dict[tuple[str, int, int], dict[str, str]] = {}
    for record, event, instance, column, value in records.values(visit.call.connection, list(by_id)):
        if column in visit.project.columns:
            _, _, row = row_place(visit.project, event, instance, column)
            stored.setdefault((by_id[record], event, row), {})[column] = value
    return stored


def _column(change: Change) -> str:
    return checkbox_column(change.field, change.code) if change.code else change.field


def _header(project: Project, change: Change) -> str:
    column = project.columns.get(_column(change))
    return plain(column.header) if column and column.field else change.field
