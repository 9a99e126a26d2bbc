"""content=record: export (reference/redcap-api.md 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from redcap_local.call import Call
from redcap_local.contents import project_xml
from redcap_local.export import options as export_options
from redcap_local.export.combining import combined_columns
from redcap_local.export.eav import EavSheet, written_values
from redcap_local.export.layout import Layout
from redcap_local.export.options import Options
from redcap_local.export.rows import BATCH, joined, written_rows
from redcap_local.export.sorting import sorted_rows
from redcap_local.storage import documents
from redcap_local.wire.replies import MIME, Reply


def export(call: Call) -> Reply:
    """The records as rows (flat), values (eav) or ODM; long exports come in chunks."""
    options = export_options.read(call)
    call.note("export", f"Data export{call.origin} ", f"Export {len(options.records)} records{call.origin}")
    if call.parameters.format == "odm":
        return project_xml.records(call, options)
    if not call.parameters.is_eav:
        return flat(call, options)
    form = call.parameters.format
    sheet = EavSheet(call.project, options, form, call.parameters.delimiter)
    return _reply(joined(sheet.pen, written_values(call.connection, sheet, options)), options, form)


def flat(call: Call, options: Options, sort: Sequence[str] = ()) -> Reply:
    """The rows of an export, or of a report sorted by its columns."""
    form = call.parameters.format
    if call.parameters.flag("combineCheckboxOptions"):
        options = replace(options, columns=combined_columns(options.columns))
    files = documents.names(call.connection, call.project.id)
    layout = Layout(call.project, options, files, form, call.parameters.delimiter)
    rows: Iterable[list[str]] = (
        sorted_rows(call.connection, layout, options, sort) if sort else written_rows(call.connection, layout, options)
    )
    return _reply(joined(layout.pen, rows), options, form)


def _reply(chunks: Iterator[bytes], options: Options, form: str) -> Reply:
    """Short exports are whole, so that their length is known; long ones are streamed."""
    return Reply(b"".join(chunks) if len(options.records) <= BATCH else chunks, MIME[form])
