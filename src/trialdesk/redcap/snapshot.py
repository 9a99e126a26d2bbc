"""One pull of the trial project: everything the rules need, as text, without identifiers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from redcap_rules.choices import missing_codes
from redcap_rules.dictionary import Dictionary
from redcap_rules.record import RecordView, Row
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.holding import tick_columns
from trialdesk.redcap.tables import Tables

Counted = Callable[[int, int], None]


@dataclass(frozen=True)
class Snapshot:
    """What one pull returned; what is blank, and options that are not ticked, are left out of its rows.

    `missing` are columns that were asked for and did not come, `vanished` records that went while it was made, and
    `missing_codes` REDCap's codes for missing data, where the project has them switched on.
    """

    project_id: str
    title: str
    dictionary: Dictionary
    events: tuple[str, ...]
    rows: Mapping[str, tuple[Row, ...]]
    groups: Mapping[str, str]
    missing: frozenset[str] = frozenset()
    has_groups: bool = True
    vanished: tuple[str, ...] = ()
    missing_codes: str = ""

    @property
    def records(self) -> tuple[str, ...]:
        """Record ids in the server's order."""
        return tuple(self.rows)

    @cached_property
    def tables(self) -> Tables:
        """The same rows by columns, for formulas over the whole trial."""
        return Tables(self.rows, self.dictionary, self.events)

    def of(self, records: Collection[str]) -> Snapshot:
        """The same pull with the rows of these records alone; what was read of them is not read again."""
        part = replace(self, rows={record: rows for record, rows in self.rows.items() if record in records})
        part.__dict__["tables"] = self.tables.of(records)
        return part

    def view(self, record: str) -> RecordView:
        """One record as rules see it; empty for an unknown record."""
        return self.tables.view(record)


def pull(gateway: Gateway, *, groups: bool = True, progress: Counted | None = None) -> Snapshot:
    """The whole project as this token sees it; identifiers are never asked for (reference/design.md 11)."""
    return pull_records(gateway, None, groups=groups, progress=progress)


def pull_records(
    gateway: Gateway, records: tuple[str, ...] | None, *, groups: bool = True, progress: Counted | None = None
) -> Snapshot:
    """The named records (None: all) of the project, with their data access groups if the token's user may see them.

    `progress` is told (records done, records in all) after each batch.
    """
    project = gateway.project()
    codes = project.get("missing_data_codes", "")
    dictionary = replace(gateway.dictionary(), missing_codes=missing_codes(codes))
    longitudinal = project.get("is_longitudinal") == "1"
    events = tuple(row["unique_event_name"] for row in gateway.events(filled=True)) if longitudinal else ("",)
    fields = requested(dictionary)
    ticks = tick_columns(dictionary)
    export = gateway.records(
        dictionary.record_id, fields, records=records, groups=groups, ticks=ticks, progress=progress
    )
    rows: dict[str, list[Row]] = {}
    for row in export.rows:
        rows.setdefault(row.record, []).append(row)
    wanted = {column for name in fields for column in columns(dictionary, name)}
    return Snapshot(
        project_id=project.get("project_id", ""),
        title=project.get("project_title", ""),
        dictionary=dictionary,
        events=events,
        rows={record: tuple(part) for record, part in rows.items()},
        groups=export.groups,
        missing=frozenset(wanted - export.columns) if export.rows else frozenset(),
        has_groups=export.has_groups,
        vanished=export.vanished,
        missing_codes=codes,
    )


def requested(dictionary: Dictionary) -> tuple[str, ...]:
    """What is asked of REDCap: every field that holds data and is not an identifier, and every form status."""
    fields = tuple(f.name for f in dictionary.fields if f.columns and not f.identifier)
    return fields + tuple(dictionary.status_field(form) for form in dictionary.forms)


def columns(dictionary: Dictionary, name: str) -> tuple[str, ...]:
    """The columns in which REDCap answers what is asked for by a name, a form status too."""
    # Not those of missing-data codes: whether every version shows them is not known.
    return dictionary.get(name).columns if name in dictionary else (name,)
