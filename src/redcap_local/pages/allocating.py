"""Allocation tables: their template, uploaded in REDCap's words, and how far they are used (C.3.30.0700, 1000)."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from io import StringIO
from itertools import product

from redcap_local import allocation_table
from redcap_local.contents.randomize import models_in_use
from redcap_local.messages import ApiError, Confidence, Message
from redcap_local.pages.visit import Answer, Moved, NoSuchPlace, Sent, Shown, Visit, as_administrator
from redcap_local.people import CREATOR
from redcap_local.project import Project
from redcap_local.randomization_setup import Upload, find_model, upload_allocations
from redcap_local.storage import randomization
from redcap_local.storage.randomization import Model
from redcap_rules.names import GROUP as DATA_GROUP

PLACE = "Randomization/index.php"
NO_FILE = Message("Choose an allocation table to upload.", Confidence.UNKNOWN, 400)
NOT_UTF8 = Message("The table is not UTF-8: save it as CSV UTF-8.", Confidence.UNKNOWN, 400)
ONLY_APPENDED = Message(
    "In production only the administrator appends rows to a production table.", Confidence.UNKNOWN, 403
)
MESSAGES = {"uploaded": allocation_table.SUCCESS, "appended": allocation_table.APPENDED}


@dataclass(frozen=True, slots=True)
class Table:
    """A randomization as the page shows it: how many rows its tables have, and how many of them are used."""

    model: Model
    development: int
    production: int
    used: int
    uploads: tuple[str, ...]


def show(visit: Visit, faults: tuple[str, ...] = ()) -> Shown:
    """The randomizations of the project."""
    tables = [_table(visit, model) for model in models_in_use(visit.call)]
    message = MESSAGES.get(visit.text("msg"), "")
    return Shown("randomization.html.j2", {"faults": faults, "message": message, "tables": tables})


def change(visit: Visit) -> Answer:
    """The template of a table is sent, or a table is the model's."""
    visit.needs("random_setup")
    with as_administrator():
        model = find_model(visit.call.connection, visit.project, visit.number("rid", 0))
    match visit.text("action"):
        case "template":
            return Sent("RandomizationAllocationTemplate.csv", "text/csv", _template(visit, model).encode())
        case "development" | "production" as status:
            return _uploaded(visit, model, production=status == "production")
        case other:
            raise NoSuchPlace(f"there is no action {other[:40]!r}")


def refused(visit: Visit, fault: ApiError) -> Shown:
    """The page again, with every fault of the table."""
    return replace(show(visit, tuple(fault.text.splitlines())), status=fault.status)


def _table(visit: Visit, model: Model) -> Table:
    connection, live = visit.call.connection, visit.project.in_production
    slots = {status: randomization.slots(connection, model.id, production=status) for status in (False, True)}
    uploads = ("development", "production") if not live else ("production",) * (visit.user.username == CREATOR)
    allowed = uploads if visit.user.rights.has("random_setup") else ()
    return Table(model, len(slots[False]), len(slots[True]), sum(bool(slot.used) for slot in slots[live]), allowed)


def _uploaded(visit: Visit, model: Model, *, production: bool) -> Moved:
    if visit.project.in_production and visit.user.username != CREATOR:
        raise ApiError(ONLY_APPENDED)
    upload = visit.uploads.get("file")
    if upload is None:
        raise ApiError(NO_FILE)
    try:
        text = upload.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ApiError(NOT_UTF8) from None
    how = Upload(production, visit.call.server.version, visit.call.now, by=visit.user.username)
    with as_administrator():
        said = upload_allocations(visit.call.connection, visit.project, model, text, how)
    message = next(name for name, words in MESSAGES.items() if words == said)
    return Moved(visit.addresses.room(PLACE, msg=message))


def _template(visit: Visit, model: Model) -> str:
    """The header, and a row for every combination of arm and strata, the last column fastest; numbers stay blank."""
    columns = allocation_table.header(model, visit.call.server.version)
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(product(*(_codes(visit.project, model, column) for column in columns)))
    return written.getvalue()


def _codes(project: Project, model: Model, column: str) -> list[str]:
    """What can stand in a column of the table; a blank where anything can."""
    if column == DATA_GROUP:
        return [str(group.id) for group in project.groups]
    field = model.target_field if column == allocation_table.GROUP else column
    options = project.dictionary.get(field).options if field in project.dictionary else ()
    return [option.code for option in options] or [""]
