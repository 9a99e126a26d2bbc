"""Data exported by a person, with the export rights of every form (B.2.6.0300)."""

from __future__ import annotations

from dataclasses import replace

from redcap_local.contents import record_export
from redcap_local.contents import reports as report_export
from redcap_local.messages import ApiError
from redcap_local.pages.visit import Sent, Shown, Visit
from redcap_local.storage import reports

ALL = "ALL"
_WORDS = {"raw": "DATA", "label": "DATA_LABELS"}


def show(visit: Visit, faults: tuple[str, ...] = ()) -> Shown:
    """What can be exported: all data, and every report."""
    values = {"faults": faults, "reports": reports.all_reports(visit.call.connection, visit.project.id), "all": ALL}
    return Shown("export.html.j2", values)


def change(visit: Visit) -> Sent:
    """The data as a CSV file, raw or with labels; what the user's export rights leave out is not in it."""
    wanted, labels = visit.text("report_id"), visit.text("labels") if visit.text("labels") in _WORDS else "raw"
    asked = {"format": "csv", "rawOrLabel": labels, "rawOrLabelHeaders": labels, "exportCheckboxLabel": "1"}
    if wanted == ALL:
        asked["exportSurveyFields"] = "1"
        asked["exportDataAccessGroups"] = str(int(visit.user.rights.has("data_access_groups")))
    else:
        asked["report_id"] = wanted
    call = visit.asking(**asked)
    call = replace(call, user=replace(call.user, rights=call.user.rights.on_pages()))
    reply = record_export.export(call) if wanted == ALL else report_export.export(call)
    title = "".join(letter for letter in visit.project.settings["project_title"].title() if letter.isalnum())
    name = f"{title}_{_WORDS[labels]}_{visit.call.now:%Y-%m-%d_%H%M}.csv"
    return Sent(name, "text/csv", reply.whole)


def refused(visit: Visit, fault: ApiError) -> Shown:
    """The page again, with the reason."""
    return replace(show(visit, tuple(fault.text.splitlines())), status=fault.status)
