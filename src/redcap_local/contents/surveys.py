"""Survey links, codes and participants (reference/redcap-api.md 13.5)."""

from __future__ import annotations

import hashlib
import hmac
from string import ascii_letters, ascii_uppercase, digits

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.columns import NOT_COMPLETED, time_stamp
from redcap_local.export.order import in_order
from redcap_local.messages import ApiError
from redcap_local.places import find_event, find_record, visible
from redcap_local.storage import people, records
from redcap_local.storage.records import Record
from redcap_local.wire import replies
from redcap_local.wire.replies import Cell, Grid, Reply

_COLUMNS = (
    "email", "email_occurrence", "identifier", "record", "invitation_sent_status", "invitation_send_time",
    "response_status", "survey_access_code", "survey_link",
)  # fmt: skip
_UNMISTAKABLE = "".join(c for c in ascii_uppercase + digits if c not in "01IO")
_NO_RESPONSE, _PARTIAL, _COMPLETE = range(3)


def link(call: Call) -> Reply:
    """The participant's link as plain text."""
    record, place = _asked(call)
    call.note("export_design", "Manage/Design ", "Download survey link (API)", record.name)
    return replies.text(_link(call, record, place))


def queue_link(call: Call) -> Reply:
    """The link of the participant's survey queue as plain text."""
    if call.project.settings["surveys_enabled"] != "1":
        raise ApiError(messages.SURVEYS_OFF)
    record = find_record(call, call.parameters.needed("record"))
    call.note("export_design", "Manage/Design ", "Download survey queue link (API)", record.name)
    return replies.text(f"{_root(call)}/surveys/?sq={_code(call, 10, ascii_letters, 'queue', record.name)}")


def return_code(call: Call) -> Reply:
    """Eight characters with which a participant comes back."""
    record, place = _asked(call)
    return replies.text(_code(call, 8, _UNMISTAKABLE, "return", record.name, *place))


def access_code(call: Call) -> Reply:
    """Nine characters that stand for the link."""
    record, place = _asked(call)
    return replies.text(_code(call, 9, _UNMISTAKABLE, "access", record.name, *place))


def participants(call: Call) -> Reply:
    """One row per record that has the survey's event."""
    form = _survey(call)
    event = find_event(call, call.parameters.text("event"))
    found = in_order(visible(records.records(call.connection, call.project.id), call.user.group))
    stamp = time_stamp(form)
    there: dict[int, str] = {}
    columns = [stamp, call.project.dictionary.record_id]
    ids = [record.id for record in found]
    for record, _, instance, column, value in records.values(call.connection, ids, columns, [event.id]):
        there.setdefault(record, "")
        if column == stamp and instance == 1:
            there[record] = value
    rows = [
        _participant(call, record, (event.name, form, "1"), there[record.id]) for record in found if record.id in there
    ]
    call.note("export_design", "Manage/Design ", "Export survey participant list (API)")
    return replies.table(Grid(_COLUMNS, rows), call.parameters.format)


def _participant(call: Call, record: Record, place: tuple[str, str, str], completed: str) -> dict[str, Cell]:
    return {
        "email": "",
        "email_occurrence": 1,
        "identifier": "",
        "record": record.name,
        "invitation_sent_status": 0,
        "invitation_send_time": "",
        "response_status": _response_status(completed),
        "survey_access_code": _code(call, 9, _UNMISTAKABLE, "access", record.name, *place),
        "survey_link": _link(call, record, place),
    }


def _response_status(completed: str) -> int:
    if not completed:
        return _NO_RESPONSE
    return _PARTIAL if completed == NOT_COMPLETED else _COMPLETE


def _survey(call: Call) -> str:
    form = call.parameters.needed("instrument")
    if form not in call.project.dictionary.forms:
        raise ApiError(messages.BAD_VALUES, "instrument", f"'{form}'")
    if call.project.settings["surveys_enabled"] != "1":
        raise ApiError(messages.SURVEYS_OFF)
    if not call.project.is_survey(form):
        raise ApiError(messages.NOT_A_SURVEY, form)
    return form


def _asked(call: Call) -> tuple[Record, tuple[str, str, str]]:
    """The record, and event, form and instance of the survey."""
    form = _survey(call)
    record = find_record(call, call.parameters.needed("record"))
    event = find_event(call, call.parameters.text("event"))
    if form not in call.project.forms_of(event):
        raise ApiError(messages.BAD_VALUES, "event", f"'{event.name}'")
    return record, (event.name, form, str(call.parameters.whole("repeat_instance") or 1))


def _root(call: Call) -> str:
    return call.server.address


def _link(call: Call, record: Record, place: tuple[str, str, str]) -> str:
    return f"{_root(call)}/surveys/?s={_code(call, 16, ascii_letters + digits, 'link', record.name, *place)}"


def _code(call: Call, length: int, alphabet: str, *parts: str) -> str:
    """A code that is always the same for the same place and tells nothing about it."""
    secret = people.server_value(call.connection, "secret") or ""
    text = "\0".join((str(call.project.id), *parts))
    number = int.from_bytes(hmac.digest(secret.encode(), text.encode(), hashlib.sha256), "big")
    return "".join(alphabet[number // len(alphabet) ** place % len(alphabet)] for place in range(length))
