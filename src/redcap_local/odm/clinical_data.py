"""Data in ODM: read into import rows, written from stored values."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from xml.etree.ElementTree import Element

from redcap_local.columns import Column
from redcap_local.odm.lexical import lexical, stored
from redcap_local.odm.sections import groups_of_columns
from redcap_local.odm.vocabulary import ODM, attribute, attribute_text, opened
from redcap_local.project import Project
from redcap_local.storage.documents import Document
from redcap_local.view import Cells
from redcap_local.wire.data import DataRow
from redcap_local.wire.text import cdata
from redcap_rules.names import EVENT, GROUP, INSTANCE, INSTRUMENT


@dataclass(frozen=True, slots=True)
class FileData:
    """A file inside ODM and where it belongs."""

    row: DataRow
    field: str
    name: str
    mime: str
    content: bytes


def read(root: Element, project: Project) -> tuple[list[DataRow], list[FileData]]:
    """The rows and files of a parsed document."""
    rows: list[DataRow] = []
    files: list[FileData] = []
    for subject in root.findall(f"{ODM}ClinicalData/{ODM}SubjectData"):
        name = subject.get("SubjectKey", "")
        # A classic project has no events: its forms stand directly under the subject.
        for event in [subject, *subject.findall(f"{ODM}StudyEventData")]:
            forms = event.findall(f"{ODM}FormData")
            if not forms and event is not subject:
                rows.append({project.dictionary.record_id: name, **_place(project, event, event)})
            for form in forms:
                row = {project.dictionary.record_id: name, **_place(project, event, form)}
                for item in form.iter(f"{ODM}ItemData"):
                    column = item.get("ItemOID", "")
                    row.setdefault(column, stored(project.dictionary, column, item.get("Value") or ""))
                rows.append(row)
                files.extend(_files(form, row))
    return rows, files


def _place(project: Project, event: Element, form: Element) -> DataRow:
    name = attribute(event, "UniqueEventName")
    found = project.event_named(name)
    instrument = form.get("FormOID", "").removeprefix("Form.")
    place = {EVENT: name} if name else {}
    if (found.id, instrument) in project.repeating:
        place[INSTRUMENT] = instrument
        place[INSTANCE] = form.get("FormRepeatKey", "1")
    elif project.repeats_as_event(found):
        place[INSTANCE] = event.get("StudyEventRepeatKey", "1")
    return place


def _files(form: Element, row: DataRow) -> Iterator[FileData]:
    for item in form.iter(f"{ODM}ItemDataBase64Binary"):
        try:
            content = base64.b64decode(item.text or "", validate=False)
        except binascii.Error:
            continue
        yield FileData(
            row, item.get("ItemOID", ""), attribute(item, "DocName") or "file", attribute(item, "MimeType"), content
        )


class SubjectWriter:
    """Writes the records of a project as SubjectData."""

    def __init__(
        self, project: Project, columns: Mapping[str, Column], document: Callable[[int], Document | None] | None
    ) -> None:
        """Keep what to write.

        Args:
            project: The project.
            columns: The columns the user may export.
            document: Gives the file of a document id; None to leave files out.
        """
        self._project = project
        self._columns = columns
        self._document = document
        self._groups = {form: groups_of_columns(project, form) for form in project.dictionary.forms}

    def subject(self, name: str, rows: Cells, group: str) -> str:
        """One record; `name` is the record as it is shown, `group` its data access group or ''."""
        record_id = self._project.dictionary.record_id
        parts = [opened("SubjectData", SubjectKey=name, redcap_RecordIdField=record_id)]
        order = sorted(
            rows,
            key=lambda place: (
                self._project.events_by_id[place[0]].position, place[2], self._project.form_position[place[1]],
            ),
        )  # fmt: skip
        for event_id, instrument, instance in order:
            values = {**rows[event_id, instrument, instance], record_id: name, GROUP: group}
            parts.append(self._row(event_id, instrument, instance, values))
        parts.append("</SubjectData>\n")
        return "".join(parts)

    def _row(self, event_id: int, instrument: str, instance: int, values: Mapping[str, str]) -> str:
        event = self._project.events_by_id[event_id]
        forms = "".join(
            self._form(form, instance if instrument else 1, values)
            for form in self._project.dictionary.forms
            if (form == instrument if instrument else form in self._project.forms_of(event))
        )
        if not self._project.longitudinal:
            return forms
        start = opened(
            "StudyEventData",
            StudyEventOID=f"Event.{event.name}",
            StudyEventRepeatKey=str(instance if instance and not instrument else 1),
            redcap_UniqueEventName=event.name,
        )
        return f"{start}{forms}</StudyEventData>"

    def _form(self, form: str, instance: int, values: Mapping[str, str]) -> str:
        groups = self._groups[form]
        items = [
            (groups[name], self._item(column, values[name]))
            for name, column in self._columns.items()
            if column.form == form and values.get(name) and name in groups
        ]
        first = next(iter(groups.values()))
        if values[GROUP] and form == self._project.dictionary.fields[0].form:
            told = f"<ItemData ItemOID={attribute_text(GROUP)} Value={attribute_text(values[GROUP])}/>"
            items.insert(sum(group == first for group, _ in items), (first, told))
        parts = [
            opened("ItemGroupData", ItemGroupOID=group, ItemGroupRepeatKey="1") + text + "</ItemGroupData>"
            for group, mine in groupby(items, key=itemgetter(0))
            if (text := "".join(item for _, item in mine))
        ]
        if not parts:
            return ""
        return opened("FormData", FormOID=f"Form.{form}", FormRepeatKey=str(instance)) + "".join(parts) + "</FormData>"

    def _item(self, column: Column, value: str) -> str:
        if column.field is not None and column.field.kind == "file":
            found = self._document(int(value)) if self._document is not None and value.isdigit() else None
            if found is None:
                return ""
            start = opened(
                "ItemDataBase64Binary", ItemOID=column.name, redcap_DocName=found.name, redcap_MimeType=found.mime
            )
            return f"{start}{cdata(base64.b64encode(found.content).decode())}</ItemDataBase64Binary>"
        told = lexical(column.field, value)
        return f"<ItemData ItemOID={attribute_text(column.name)} Value={attribute_text(told)}/>"
