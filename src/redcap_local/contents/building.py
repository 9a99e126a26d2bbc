"""A new project made as an ODM document describes it, with its data."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.columns import all_columns
from redcap_local.intake.columns import sheet
from redcap_local.intake.places import refuse_unknown_events
from redcap_local.intake.plan import Plan, refuse
from redcap_local.intake.saving import save
from redcap_local.messages import ApiError
from redcap_local.odm import clinical_data
from redcap_local.odm.clinical_data import FileData
from redcap_local.odm.definition import Definition, EventDefinition, rights_by_form
from redcap_local.odm.vocabulary import (
    FIELDS,
    MOST_SORTED,
    ROLE_RIGHTS,
    TRIGGERED_BY_EVERYBODY,
    TRIGGERED_BY_RIGHT,
)
from redcap_local.rights import HIGHEST, RIGHTS, Rights, all_rights
from redcap_local.storage import documents, people, quality, randomization, records, reports, structure
from redcap_local.storage.quality import QualityRule
from redcap_local.storage.randomization import Model, Trigger
from redcap_local.storage.reports import Report
from redcap_rules.dictionary import Dictionary, DictionaryError, from_api, to_api
from redcap_rules.names import EVENT, INSTANCE, group_name

_MOST_STRATA = 15


def build(connection: sqlite3.Connection, project: int, definition: Definition, wanted: Mapping[str, str]) -> None:
    """The new, empty project has the definition's settings, fields, events, groups, roles, reports and models.

    Args:
        connection: An open transaction.
        project: The project.
        definition: What the document says.
        wanted: Settings that were asked for beside the document and go before its own.

    Raises:
        ApiError: The fields of the document make no dictionary.
    """
    settings = {**structure.settings(connection, project), **definition.settings, **wanted}
    structure.save_settings(connection, project, settings)
    if not definition.metadata:
        return
    try:
        dictionary = from_api(definition.metadata)
    except DictionaryError as faults:
        raise ApiError(messages.BAD_METADATA, "\n".join(map(str, faults.problems))) from None
    structure.save_metadata(connection, project, to_api(dictionary))
    for form in dictionary.forms:
        label = definition.form_labels.get(form) or form
        structure.save_form(connection, project, form, label, survey=form in definition.surveys)
    _build_events(connection, project, definition, dictionary.forms)
    for row in people.members(connection, project):
        people.save_member(connection, project, row["username"], all_rights(dictionary.forms).as_json(), "")
    _build_people(connection, project, definition)
    for report in definition.reports:
        known = {*(field.name for field in dictionary.fields), *map(dictionary.status_field, dictionary.forms)}
        fields = tuple(name for name in report.get(FIELDS, "").split(",") if name in known)
        logic = report.get("advanced_logic", "").strip()
        reports.insert(
            connection,
            project,
            Report(0, report.get("title", ""), fields or (dictionary.record_id,), logic, _sort(report, dictionary)),
        )
    for model in definition.randomizations:
        randomization.insert_model(connection, project, _model(model))
    for rule in definition.quality_rules:
        live = rule.get("real_time_execute") == "1"
        name, logic = rule.get("rule_name", ""), rule.get("rule_logic", "")
        quality.insert(connection, project, QualityRule(0, name, logic, live))


def _sort(report: dict[str, str], dictionary: Dictionary) -> tuple[str, ...]:
    """What a report is sorted by, as far as the columns exist."""
    known = {column.name for column in all_columns(dictionary)}
    places = range(1, MOST_SORTED + 1)
    wanted = ((report.get(f"orderby_field{n}", ""), report.get(f"orderby_sort{n}", "")) for n in places)
    return tuple(f"-{name}" if order == "DESC" else name for name, order in wanted if name in known)


def _build_events(connection: sqlite3.Connection, project: int, definition: Definition, forms: tuple[str, ...]) -> None:
    ids = {row["name"]: row["id"] for row in structure.events(connection, project)}
    if definition.events:
        structure.delete_arms(connection, project, [number for number, _ in structure.arms(connection, project)])
        for event in definition.events:
            structure.save_arm(connection, project, event.arm, event.arm_name)
        ids = {e.name: structure.insert_event(connection, project, _event(e)) for e in definition.events}
        pairs = [(ids[e.name], form) for e in definition.events for form in e.forms if form in forms]
    else:
        pairs = [(event, form) for event in ids.values() for form in forms]
    structure.replace_designations(connection, project, pairs)
    first = next(iter(ids))
    structure.replace_repeating(
        connection,
        project,
        [(ids[name or first], form, label) for name, form, label in definition.repeating if (name or first) in ids],
    )


def _event(event: EventDefinition) -> dict[str, object]:
    day, low, high = event.offsets
    return {
        "arm": event.arm,
        "label": event.label,
        "name": event.name,
        "custom_label": event.custom_label or None,
        "day_offset": day,
        "offset_min": low,
        "offset_max": high,
    }


def _build_people(connection: sqlite3.Connection, project: int, definition: Definition) -> None:
    taken: list[str] = []
    for label in definition.groups:
        taken.append(group_name(label, taken))
        people.insert_group(connection, project, taken[-1], label)
    for role in definition.roles:
        switches = {
            key: min(int(text), HIGHEST.get(key, 1))
            for key, _ in RIGHTS
            if (text := role.get(ROLE_RIGHTS.get(key, key), "")).isdigit()
        }
        exports = rights_by_form(role.get("data_export_instruments", ""))
        rights = Rights(switches, rights_by_form(role.get("data_entry", "")), exports)
        people.save_role(connection, project, role["unique_role_name"], role["role_name"], rights.as_json())
    structure.touch(connection, project)


def _model(row: dict[str, str]) -> Model:
    strata = [(row.get(f"source_field{n}", ""), row.get(f"source_event{n}", "")) for n in range(1, _MOST_STRATA + 1)]
    return Model(
        id=0,
        target_field=row.get("target_field", ""),
        target_event=row.get("target_event", ""),
        strata=tuple(pair for pair in strata if pair[0]),
        by_group=row.get("group_by") == "DAG",
        trigger=_trigger(row),
    )


def _trigger(row: dict[str, str]) -> Trigger | None:
    option = row.get("trigger_option", "")
    if option not in {TRIGGERED_BY_RIGHT, TRIGGERED_BY_EVERYBODY}:
        return None
    form, event, condition = (row.get(f"trigger_{part}", "") for part in ("instrument", "event_id", "logic"))
    return Trigger(form, event, condition, everybody=option == TRIGGERED_BY_EVERYBODY)


def add_data(call: Call, root: Element, *, checked: bool) -> None:
    """The data of the document are stored.

    Args:
        call: A call in the project.
        root: The document.
        checked: Whether values must pass validation.

    Raises:
        ApiError: A value does not pass, or stands where it cannot.
    """
    rows, files = clinical_data.read(root, call.project)
    refuse_unknown_events(call.project, rows)
    names = {name: None for row in rows for name in row}
    plan = Plan(call, sheet(call.project, names, checked=checked), overwrite=False, date_format="YMD")
    for row in rows:
        plan.add(row)
    refuse(plan.lines)
    # A project made from ODM shows no calculated values until data change (PyCap counts 30 values, not 34).
    save(call, plan.records.values(), calculate=checked)
    for data in files:
        _add_file(call, data)


def _add_file(call: Call, data: FileData) -> None:
    project = call.project
    column = project.columns.get(data.field)
    if column is None or column.field is None or column.field.kind != "file":
        return
    record = records.records(call.connection, project.id, [data.row[project.dictionary.record_id]])[0]
    event = project.event_named(data.row.get(EVENT, ""))
    if column.form not in project.forms_of(event):
        raise ApiError(messages.BAD_VALUES, "event", f"'{event.name}'")
    if not call.user.rights.edits(column.form):
        raise ApiError(messages.NO_FORM_RIGHT)
    document = documents.insert(call.connection, project.id, data.name, data.mime or "text/plain", data.content)
    instance = data.row.get(INSTANCE) or "1"
    if not instance.isdecimal():
        raise ApiError(messages.INSTANCE_NUMBER)
    records.save_values(call.connection, [(record.id, event.id, int(instance), data.field, str(document))])
