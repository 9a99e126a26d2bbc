"""content=record&action=randomize (reference/redcap-api.md 8.1; reference/randomisation.md 2)."""

from __future__ import annotations

from redcap_local import messages
from redcap_local.allocation_table import is_concealed
from redcap_local.call import Call
from redcap_local.intake.targets import set_target
from redcap_local.messages import ApiError
from redcap_local.places import find_record
from redcap_local.storage import locks, randomization, records
from redcap_local.storage.log import Change, Place
from redcap_local.storage.randomization import Model, Slot
from redcap_local.storage.records import Record
from redcap_local.wire import replies
from redcap_local.wire.replies import Cell, Reply
from redcap_rules.names import GROUP


def randomize(call: Call, words: str = "Randomize record") -> Reply:
    """The record has the next allocation of its stratum in upload order; the log says it in those words."""
    project = call.project
    model = _model(call)
    record = find_record(call, call.parameters.needed("record"))
    if record.locked:
        raise ApiError(messages.RECORD_LOCKED)
    event, form = project.event_named(model.target_event), project.columns[model.target_field].form
    if (record.id, event.id, 1, form) in locks.locks(call.connection, [record.id]):
        raise ApiError(messages.FORM_LOCKED)
    production = project.in_production
    if randomization.slot_of_record(call.connection, model.id, record.id, production=production):
        raise ApiError(messages.RANDOMISED_ALREADY, record.name)
    strata = _strata(call, model, record)
    group = record.group if model.by_group else None
    slot = randomization.free_slot(call.connection, model.id, strata, group, production=production)
    if slot is None:
        raise ApiError(messages.NO_SLOT, record.name)
    randomization.use(call.connection, slot.id, record.id, call.time)
    value = slot.value(concealed=is_concealed(project, model))
    set_target(call.connection, project, model, record, value, call.now)
    call.note("randomize", f"Randomize Record {record.name}", words, record.name)
    call.note_values(
        record.name, Place(project.event_named(model.target_event).id), [Change(model.target_field, value)]
    )
    return _answer(call, model, record, slot)


def models_in_use(call: Call) -> list[Model]:
    """The project's randomizations; none while its module is off."""
    on = call.project.settings["randomization_enabled"] == "1"
    return randomization.models(call.connection, call.project.id) if on else []


def _model(call: Call) -> Model:
    wanted = call.parameters.whole("randomization_id")
    if wanted is None:
        raise ApiError(messages.MISSING_PARAMETER, "randomization_id")
    for model in models_in_use(call):
        if model.id == wanted:
            return model
    raise ApiError(messages.NO_MODEL, wanted)


def _strata(call: Call, model: Model, record: Record) -> tuple[str, ...]:
    project = call.project
    wanted = {(project.event_named(event).id, field): "" for field, event in model.strata}
    for _, event_id, _, column, value in records.values(call.connection, [record.id], [f for f, _ in model.strata]):
        if (event_id, column) in wanted:
            wanted[event_id, column] = value
    for field, event in model.strata:
        if not wanted[project.event_named(event).id, field]:
            raise ApiError(messages.STRATUM_BLANK, record.name, field)
    if model.by_group and record.group is None:
        raise ApiError(messages.STRATUM_BLANK, record.name, GROUP)
    return tuple(wanted[project.event_named(event).id, field] for field, event in model.strata)


def _answer(call: Call, model: Model, record: Record, slot: Slot) -> Reply:
    concealed = is_concealed(call.project, model)
    row: dict[str, Cell] = {
        "randomization_id": model.id,
        "record": record.name,
        "target_field": slot.value(concealed=concealed),
        # The arm of a concealed model is never told (reference/redcap-api.md 8.1).
        "target_field_alt": "*" if concealed else slot.number,
    }
    columns = ["randomization_id", "record", "target_field"]
    if call.parameters.flag("returnAlt"):
        columns.append("target_field_alt")
    return replies.one_object(columns, row, call.parameters.format)
