"""content=report (reference/redcap-api.md 13.5)."""

from __future__ import annotations

from dataclasses import replace

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.contents.record_export import flat
from redcap_local.export import options as export_options
from redcap_local.export.filters import RowFilter
from redcap_local.export.selection import exportable
from redcap_local.messages import ApiError
from redcap_local.storage import reports
from redcap_local.storage.reports import Report
from redcap_local.wire.replies import Reply


def export(call: Call) -> Reply:
    """The rows of a saved report, always flat, with the report's own fields in their order."""
    wanted = call.parameters.whole("report_id")
    if wanted is None:
        raise ApiError(messages.MISSING_PARAMETER, "report_id")
    report = reports.get(call.connection, call.project.id, wanted)
    if report is None:
        raise ApiError(messages.NO_REPORT, wanted)
    options = export_options.read(call, frozenset(report.fields))
    place = {name: number for number, name in enumerate(report.fields)}
    columns = sorted(options.columns, key=lambda column: place[column.field.name if column.field else column.name])
    row_filter = RowFilter(call, report.logic) if report.logic else None
    call.note("export", f"Data export{call.origin} ", f"Export report{call.origin} (report_id = {report.id})")
    return flat(call, replace(options, columns=tuple(columns), filter=row_filter), _sort(call, report))


def _sort(call: Call, report: Report) -> list[str]:
    """The report's sort without columns that are gone or that the user may not export: an order tells about values."""
    project, rights = call.project, call.user.rights
    found = [(name, project.columns.get(name.removeprefix("-"))) for name in report.sort]
    return [name for name, column in found if column is not None and exportable(column, rights)]
