"""content=project_xml (reference/redcap-api.md 13.4), and records as ODM (5.7)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from redcap_local import rights
from redcap_local.call import Call
from redcap_local.export import options as export_options
from redcap_local.export.options import Options
from redcap_local.export.rows import batches, stored_by_record
from redcap_local.odm import document
from redcap_local.odm.clinical_data import SubjectWriter
from redcap_local.odm.vocabulary import (
    FIELDS,
    MOST_SORTED,
    ROLE_RIGHTS,
    TRIGGERED_BY_EVERYBODY,
    TRIGGERED_BY_RIGHT,
    attribute_text,
    closed,
)
from redcap_local.rights import Rights
from redcap_local.storage import documents, people, quality, randomization, reports
from redcap_local.storage.quality import QualityRule
from redcap_local.storage.randomization import Trigger
from redcap_local.storage.reports import Report
from redcap_local.view import cells
from redcap_local.wire.replies import MIME, Reply


def export(call: Call) -> Reply:
    """The project as ODM: its definition, and its data unless only metadata are asked for."""
    with_data = not call.parameters.flag("returnMetadataOnly")
    options = export_options.read(call) if with_data else None
    # Read before the answer begins: what is wrong with it could not be told afterwards.
    with_files = call.parameters.flag("exportFiles")
    call.note("export_design", "Manage/Design ", "Export project XML (API)")
    return Reply(_chunks(call, options, definition=True, with_files=with_files), MIME["xml"])


def records(call: Call, options: Options) -> Reply:
    """The records as ODM without the definition of the project."""
    with_files = call.parameters.flag("exportFiles")
    return Reply(_chunks(call, options, definition=False, with_files=with_files), MIME["odm"])


def _chunks(call: Call, options: Options | None, *, definition: bool, with_files: bool) -> Iterator[bytes]:
    project = call.project
    yield document.head(project, call.server.version, call.now).encode()
    if definition:
        yield "".join(document.study(project, "".join(_groups(call)))).encode()
    if options is not None:
        yield document.data_head(project).encode()
        yield from _subjects(call, options, with_files=with_files)
        yield b"</ClinicalData>"
    yield b"</ODM>"


def _subjects(call: Call, options: Options, *, with_files: bool) -> Iterator[bytes]:
    columns = {column.name: column for column in options.columns}
    writer = SubjectWriter(
        call.project,
        columns,
        (lambda number: documents.get(call.connection, call.project.id, number)) if with_files else None,
    )
    events = {event.id for event in options.events}
    for batch in batches(options.records):
        stored = stored_by_record(call.connection, batch, None, None)
        for record in batch:
            mine = [value[1:] for value in stored[record.id]]
            keep = options.filter.keeper(record, mine) if options.filter else None
            rows = {
                place: values
                for place, values in cells(call.project, mine).items()
                if place[0] in events and (keep is None or keep(place))
            }
            group = call.project.groups_by_id.get(record.group or 0) if options.with_groups else None
            yield writer.subject(options.show_name(record.name), rows, group.name if group else "").encode()


def _groups(call: Call) -> Iterator[str]:
    """The parts of the definition that stand outside the dictionary and the events."""
    project = call.project
    groups = [closed("redcap:DataAccessGroups", group_name=group.label) for group in project.groups]
    rules = quality.rules(call.connection, project.id)
    yield _wrapped("DataQualityRules", [_rule(order, rule) for order, rule in enumerate(rules, start=1)])
    yield _wrapped("DataAccessGroups", groups)
    surveys = [form for form in project.dictionary.forms if project.own_forms.get(form, ("", False))[1]]
    yield _wrapped("Surveys", [closed("redcap:Surveys", form_name=f, title=project.form_label(f)) for f in surveys])
    yield _wrapped("UserRoles", [_role(row) for row in people.roles(call.connection, project.id)])
    yield _wrapped("Reports", [_report(report) for report in reports.all_reports(call.connection, project.id)])
    yield _wrapped("Randomization", [_model(m) for m in randomization.models(call.connection, project.id)])


def _wrapped(name: str, elements: list[str]) -> str:
    return f"<redcap:{name}Group>{''.join(elements)}</redcap:{name}Group>" if elements else ""


def _rule(order: int, rule: QualityRule) -> str:
    return closed(
        "redcap:DataQualityRules",
        rule_order=str(order),
        rule_name=rule.name,
        rule_logic=rule.logic,
        real_time_execute=str(int(rule.live)),
    )


def _report(report: Report) -> str:
    attributes = {"title": report.title, FIELDS: ",".join(report.fields), "advanced_logic": report.logic}
    for place, name in enumerate(report.sort[:MOST_SORTED], start=1):
        attributes[f"orderby_field{place}"] = name.removeprefix("-")
        attributes[f"orderby_sort{place}"] = "DESC" if name.startswith("-") else "ASC"
    return f"<redcap:Reports {' '.join(f'{name}={attribute_text(text)}' for name, text in attributes.items())}/>"


def _role(row: sqlite3.Row) -> str:
    mine: Rights = rights.from_json(row["rights"])
    switches = {ROLE_RIGHTS.get(key, key): str(mine.switches.get(key, 0)) for key, _ in rights.RIGHTS}
    return closed(
        "redcap:UserRoles",
        role_name=row["label"],
        unique_role_name=row["name"],
        data_entry="".join(f"[{form},{code}]" for form, code in mine.forms.items()),
        data_export_instruments="".join(f"[{form},{code}]" for form, code in mine.forms_export.items()),
        **switches,
    )


def _model(model: randomization.Model) -> str:
    strata = {}
    for number, (field, event) in enumerate(model.strata, start=1):
        strata[f"source_field{number}"] = field
        strata[f"source_event{number}"] = event
    return closed(
        "redcap:Randomization",
        stratified=str(int(bool(model.strata))),
        group_by="DAG" if model.by_group else "",
        target_field=model.target_field,
        target_event=model.target_event,
        **strata,
        **_trigger(model.trigger),
    )


def _trigger(trigger: Trigger | None) -> dict[str, str]:
    if trigger is None:
        return {}
    return {
        "trigger_option": TRIGGERED_BY_EVERYBODY if trigger.everybody else TRIGGERED_BY_RIGHT,
        "trigger_instrument": trigger.form,
        "trigger_event_id": trigger.event,
        "trigger_logic": trigger.logic,
    }
