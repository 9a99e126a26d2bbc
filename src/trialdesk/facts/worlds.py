"""The pull as it would be with other treatments: what an open report must not depend on.

Source: reference/trial-operations.md 6.

What one arm alone has moves with the arm: procedure, change of arm, contacts after the procedure, and whatever is
calculated from them (treatment.py). Two kinds of other worlds are made. In the first, treatments go round among the
randomised patients: that finds anything shown for a patient. In the others everybody has the same arm, once for each:
that finds counts, which do not change when patients swap. The move is fixed, so a proof repeats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.instruments.treatment import treatment_columns, treatment_events
from trialdesk.redcap.snapshot import Snapshot

Spot = tuple[str, str, int]
"""Event, repeating instrument and instance of a row."""

Treatment = Mapping[Spot, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Telling:
    """What tells an arm: some columns wherever they stand, and everything in some events."""

    columns: frozenset[str]
    events: frozenset[str]

    def tell(self, event: str, column: str) -> bool:
        """Whether a value in this place tells the arm."""
        return column in self.columns or event in self.events


def worlds(snapshot: Snapshot, config: Config) -> Iterator[Snapshot]:
    """The pull with treatments moved on by one randomised patient, then with everybody in each arm."""
    columns = Telling(treatment_columns(snapshot.dictionary, config), treatment_events(config))
    randomised = [record for record in sorted(snapshot.records) if _value(snapshot, record, config.facts.opened_on)]
    treatments = {record: _treatment(snapshot.rows[record], columns) for record in randomised}
    yield _moved(snapshot, dict(zip(randomised, _turned([*treatments.values()]), strict=True)), columns)
    for arm in config.arms:
        has_arm = (treatments[r] for r in randomised if _value(snapshot, r, config.facts.arm) == arm.code)
        bare = {(config.facts.arm.event, "", 0): {config.facts.arm.field: arm.code}}
        yield _moved(snapshot, dict.fromkeys(randomised, next(has_arm, bare)), columns)


def _turned(treatments: Sequence[Treatment]) -> Sequence[Treatment]:
    return [*treatments[1:], *treatments[:1]]


def _value(snapshot: Snapshot, record: str, reference: tuple[str, str]) -> str:
    event, field = reference
    return snapshot.view(record).value(field, event)


def _treatment(rows: Sequence[Row], columns: Telling) -> Treatment:
    parts = {(row.event, row.instrument, row.instance): _part(row, columns) for row in rows}
    return {place: values for place, values in parts.items() if values}


def _part(row: Row, columns: Telling) -> Mapping[str, str]:
    return {name: value for name, value in row.values.items() if columns.tell(row.event, name)}


def _moved(snapshot: Snapshot, treatments: Mapping[str, Treatment], columns: Telling) -> Snapshot:
    rows = dict(snapshot.rows)
    for record, treatment in treatments.items():
        rows[record] = tuple(_with(record, rows[record], treatment, columns))
    return replace(snapshot, rows=rows)


def _with(record: str, rows: Sequence[Row], treatment: Treatment, columns: Telling) -> Iterator[Row]:
    places = {(row.event, row.instrument, row.instance): row.values for row in rows}
    for place in sorted(places.keys() | treatment.keys()):
        own = {name: value for name, value in places.get(place, {}).items() if not columns.tell(place[0], name)}
        yield Row(record, *place, {**own, **treatment.get(place, {})})
