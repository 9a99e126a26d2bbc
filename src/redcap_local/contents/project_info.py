"""content=project (export) and content=project_settings (reference/redcap-api.md 13.2, 13.3)."""

from __future__ import annotations

from collections.abc import Mapping

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.messages import ApiError
from redcap_local.project import EDITABLE_SETTINGS, FLAGS
from redcap_local.storage import structure
from redcap_local.wire import data, replies
from redcap_local.wire.replies import Cell, Reply

_COLUMNS = (
    "project_id", "project_title", "creation_time", "production_time", "in_production", "project_language",
    "purpose", "purpose_other", "project_notes", "custom_record_label", "secondary_unique_field",
    "is_longitudinal", "has_repeating_instruments_or_events", "surveys_enabled", "scheduling_enabled",
    "record_autonumbering_enabled", "randomization_enabled", "ddp_enabled", "project_irb_number",
    "project_grant_number", "project_pi_firstname", "project_pi_lastname", "project_pi_email",
    "display_today_now_button", "missing_data_codes", "external_modules", "bypass_branching_erase_field_prompt",
)  # fmt: skip
_NUMBERS = FLAGS | {"in_production", "purpose", "ddp_enabled"}
_SWITCHES = {"true": "1", "false": "0"}
_PURPOSES = frozenset("01234")


def export(call: Call) -> Reply:
    """What is known about the project; one object, not a list, in JSON."""
    project = call.project
    columns = [c for c in _COLUMNS if c != "project_pi_email" or call.server.at_least("15.8.2")]
    row: dict[str, Cell] = {
        c: int(project.settings.get(c) or 0) if c in _NUMBERS else project.settings.get(c, "") for c in columns
    }
    row["project_id"] = project.id
    row["is_longitudinal"] = int(project.longitudinal)
    row["has_repeating_instruments_or_events"] = int(bool(project.repeating))
    call.note("export_design", "Manage/Design ", "Export project information (API)")
    return replies.one_object(columns, row, call.parameters.format)


def import_(call: Call) -> Reply:
    """The settings sent are the project's; the answer counts those accepted."""
    items = data.rows(call.parameters)
    if len(items) != 1:
        raise ApiError(messages.BAD_DATA, "project settings are one item")
    accepted = accepted_settings(items[0])
    structure.save_settings(call.connection, call.project.id, {**call.project.settings, **accepted})
    call.note("manage", "Manage/Design ", "Import project information (API)")
    return replies.number(len(accepted), call.parameters.return_format)


def accepted_settings(row: Mapping[str, str]) -> dict[str, str]:
    """The settings of a row that can be changed, checked.

    Raises:
        ApiError: A switch that is neither 0 nor 1, a purpose REDCap does not have, or no text for purpose 1.
    """
    accepted = {name: value for name, value in row.items() if name in EDITABLE_SETTINGS}
    accepted |= {
        name: _SWITCHES.get(accepted[name].strip().lower(), accepted[name]) for name in FLAGS & accepted.keys()
    }
    for name in sorted(accepted):
        if name in FLAGS and accepted[name] not in {"0", "1"}:
            raise ApiError(messages.BAD_DATA, f"{name} must be 0 or 1")
    if accepted.get("purpose", "0") not in _PURPOSES:
        raise ApiError(messages.BAD_DATA, "purpose must be one of 0, 1, 2, 3, 4")
    if accepted.get("purpose") == "1" and not accepted.get("purpose_other"):
        raise ApiError(messages.PURPOSE_TEXT)
    return accepted
