"""What a record export is asked for, checked (reference/redcap-api.md 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.columns import Column, time_stamp
from redcap_local.export.filters import RowFilter
from redcap_local.export.names import shown_name
from redcap_local.export.order import in_order
from redcap_local.export.selection import select
from redcap_local.export.shifting import Shift, shift_of
from redcap_local.messages import ApiError
from redcap_local.places import visible
from redcap_local.project import Event, Project
from redcap_local.rights import ExportRight
from redcap_local.storage import log, records
from redcap_local.storage.records import Record


@dataclass(frozen=True, slots=True)
class Options:
    """One export request in terms of the project."""

    columns: tuple[Column, ...]
    records: list[Record]
    events: tuple[Event, ...]
    with_id: bool
    with_groups: bool
    with_surveys: bool
    labels: bool
    header_labels: bool
    checkbox_labels: bool
    blank_gray: bool
    filter: RowFilter | None
    decimal: str
    show_name: Callable[[str], str]
    shift: Shift | None
    # What stands between the ticked options of a combined checkbox.
    delimiter: str


def read(call: Call, report_fields: frozenset[str] | None = None) -> Options:
    """The export a request asks for.

    Args:
        call: The request.
        report_fields: The fields of a report, which go before those of the request.

    Raises:
        ApiError: An unknown field, form or event, or a user who may export no form at all.
    """
    parameters, project = call.parameters, call.project
    fields, forms = (_fields(call), _forms(call)) if report_fields is None else (report_fields, frozenset[str]())
    if not any(call.user.rights.exports(form) for form in project.dictionary.forms):
        raise ApiError(messages.NO_DATA_EXPORT)
    columns = select(project, call.user.rights, fields, forms)
    surveys = report_fields is None and project.settings["surveys_enabled"] == "1"
    with_surveys = surveys and parameters.flag("exportSurveyFields")
    if with_surveys:
        columns = tuple(_with_timestamps(project, columns))
    return Options(
        columns=columns,
        records=_records(call),
        events=_events(call),
        with_id=any(column.name == project.dictionary.record_id for column in columns),
        with_groups=_with_groups(call),
        with_surveys=with_surveys and _names_respondents(call, columns),
        labels=parameters.choice("rawOrLabel", ("raw", "label"), "raw") == "label",
        header_labels=parameters.choice("rawOrLabelHeaders", ("raw", "label"), "raw") == "label",
        checkbox_labels=parameters.flag("exportCheckboxLabel"),
        blank_gray=parameters.flag("exportBlankForGrayFormStatus"),
        filter=_filter(call),
        show_name=shown_name(call.connection, project, call.user.rights),
        shift=shift_of(call, columns),
        decimal=parameters.choice("decimalCharacter", ("", ",", "."), ""),
        delimiter=parameters.delimiter,
    )


def _names_respondents(call: Call, columns: Iterable[Column]) -> bool:
    """False when a form is exported without identifiers or de-identified: who answered a survey is one.

    Source: reference/redcap-validation-facts.md 6; the time stamps stay.
    """
    limited = {ExportRight.NO_IDENTIFIERS, ExportRight.DEIDENTIFIED, ExportRight.SHIFTED}
    return not any(call.user.rights.exports(column.form) in limited for column in columns)


def _with_timestamps(project: Project, columns: Iterable[Column]) -> Iterator[Column]:
    """Each survey's columns after its time stamp."""
    stamped: set[str] = set()
    for column in columns:
        if column.form not in stamped and project.is_survey(column.form):
            stamped.add(column.form)
            yield Column(time_stamp(column.form), column.form, None)
        yield column


def _fields(call: Call) -> frozenset[str]:
    dictionary = call.project.dictionary
    wanted = call.parameters.items("fields")
    statuses = {dictionary.status_field(form) for form in dictionary.forms}
    unknown = [name for name in wanted if name not in dictionary and name not in statuses]
    if unknown:
        raise ApiError(messages.BAD_VALUES, "fields", quoted(unknown))
    return frozenset(wanted)


def _forms(call: Call) -> frozenset[str]:
    # Names with spaces are form labels; unknown forms are dropped (reference/redcap-api.md 5.1), but a request for
    # unknown forms only is refused, lest it turn into a request for everything.
    wanted = [name.replace(" ", "_") for name in call.parameters.items("forms")]
    known = frozenset(wanted) & frozenset(call.project.dictionary.forms)
    if wanted and not known:
        raise ApiError(messages.BAD_VALUES, "forms", quoted(wanted))
    return known


def _with_groups(call: Call) -> bool:
    """True when rows name their group: silently not for who is in one, nor in a project without groups.

    Raises:
        ApiError: The user has no right to data access groups (reference/redcap-api.md 2.4, 5.1).
    """
    wanted = call.parameters.flag("exportDataAccessGroups") and call.user.group is None and bool(call.project.groups)
    if wanted and not call.user.rights.has("data_access_groups"):
        raise ApiError(messages.NO_DAG_RIGHT)
    return wanted


def _filter(call: Call) -> RowFilter | None:
    text = call.parameters.text("filterLogic").strip()
    return RowFilter(call, text) if text else None


def _events(call: Call) -> tuple[Event, ...]:
    project = call.project
    wanted = call.parameters.items("events")
    if not project.longitudinal:
        return project.shown_events
    unknown = [name for name in wanted if name not in project.events_by_name]
    if unknown:
        raise ApiError(messages.BAD_VALUES, "events", quoted(unknown))
    return tuple(event for event in project.events if not wanted or event.name in wanted)


def _records(call: Call) -> list[Record]:
    wanted = call.parameters.items("records") or None
    found = visible(records.records(call.connection, call.project.id, wanted), call.user.group)
    begin, end = (_moment(call, name) for name in ("dateRangeBegin", "dateRangeEnd"))
    if begin or end:
        changed = log.changed_records(call.connection, call.project.id, begin, end)
        found = [record for record in found if record.name in changed]
    return in_order(found)


def _moment(call: Call, name: str) -> str:
    text = call.parameters.text(name).strip()
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S") if text else ""
    except ValueError:
        raise ApiError(messages.BAD_PARAMETER, name, "it must look like 2026-01-31 23:59:59") from None


def quoted(names: Iterable[str]) -> str:
    """Names as the API lists them: 'a', 'b'."""
    return ", ".join(f"'{name}'" for name in names)
