"""Tonight's pull beside last night's: which records are new, gone, renamed, moved, or have lost something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from operator import add

from redcap_rules.dictionary import Dictionary
from redcap_rules.names import status_field
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.memory.digests import keyed
from trialdesk.memory.values import Night, Remembered, Seen
from trialdesk.model import Patient, Tally
from trialdesk.redcap.answers import Removals, Rows
from trialdesk.redcap.cells import Cells, Pool, Shape
from trialdesk.redcap.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Moves:
    """What happened to records and structure since the last published run; nothing before there is a memory.

    `gone` are records that are not there any more and not under another name, `renamed` is new id to old id, `moved`
    record to the groups before and now, `lost` record to states it had, `unrandomised` records that had opened an
    envelope, and are gone or have not any more. `emptied` is event and form to how many values of how many are gone,
    `structure` the parts of the project that are others, `missing` envelopes that are not in the register any more.
    """

    gone: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    lost: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unrandomised: tuple[str, ...] = ()
    emptied: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    structure: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    removals: Mapping[str, str] = field(default_factory=dict)


def observe(
    snapshot: Snapshot, patients: Sequence[Patient], structure: Mapping[str, Rows], config: Config, past: Remembered
) -> Night:
    """What this pull shows, in the form in which the memory keeps it: ids, states, counts, and keyed digests.

    Args:
        snapshot: The pull.
        patients: The same pull as patients.
        structure: Parts of the project's structure by name; the dictionary is added.
        config: The trial; says what the night itself writes, which is no change of a record.
        past: Holds the key of the digests.
    """
    ours = {ref.field for _, ref in config.call_plan or ()}
    ours |= {config.facts.released_envelope.field, config.facts.released_at.field, snapshot.dictionary.record_id}
    counted, contents = cells(snapshot), _Contents(ours)
    records = {
        patient.record: Seen(
            patient.record,
            patient.group,
            frozenset((*patient.reached, *patient.states)),
            patient.randomised,
            keyed(past.secret, contents.of(snapshot.rows[patient.record])),
            _card(patient, past.secret),
            original=patient.record,
            cells=counted[patient.record],
        )
        for patient in patients
    }
    groups = dict(sorted(Counter(patient.group for patient in patients).items()))
    tally = Tally(snapshot.project_id, len(patients), sum(p.randomised for p in patients), groups)
    parts = {"dictionary": [[str(field) for field in snapshot.dictionary.fields]], **structure}
    return Night("", "", tally, records, structure={n: _digest(part) for n, part in parts.items()})


def cells(snapshot: Snapshot) -> Mapping[str, Mapping[str, int]]:
    """Record to `event form` to how many values stand there; an option that is not ticked is none."""
    tables, dictionary = snapshot.tables, snapshot.dictionary
    left_out = {status_field(form) for form in dictionary.forms} | {dictionary.record_id}
    places = {event: _Places(event, dictionary) for event in {kind[0] for kind in tables.kinds}}
    known: dict[tuple[str, Shape], Mapping[str, int]] = {}

    def counted(rows: Iterable[Row]) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for row in rows:
            kind = row.event, tables.cells(row).shape
            if kind not in known:
                known[kind] = Counter(map(places[row.event].__getitem__, kind[1].columns - left_out))
            for place, number in known[kind].items():
                found[place] = found.get(place, 0) + number
        return found

    return {record: counted(rows) for record, rows in snapshot.rows.items()}


class _Places(dict[str, str]):
    """Column to `event form` in one event, worked out once for each column."""

    def __init__(self, event: str, dictionary: Dictionary) -> None:
        super().__init__()
        self._event, self._dictionary = event, dictionary

    def __missing__(self, column: str) -> str:
        self[column] = place = f"{self._event} {self._dictionary.form_of(column)}"
        return place


def own_places(config: Config, dictionary: Dictionary) -> frozenset[str]:
    """Each `event form` in which the desk alone writes: what is gone there it has taken out itself, a night before.

    A form with any other field is none: what people typed there is never the desk's to lose.
    """
    fields: dict[tuple[str, str], set[str]] = {}
    for _, ref in config.call_plan or ():
        if ref.field in dictionary:
            fields.setdefault((ref.event, dictionary.form_of(ref.field)), set()).add(ref.field)
    return frozenset(
        f"{event} {form}"
        for (event, form), own in fields.items()
        if own >= {one.name for one in dictionary.form(form) if one.columns}
    )


def moves(last: Night | None, now: Night, removals: Removals | None = None, own: frozenset[str] = frozenset()) -> Moves:
    """What differs between two nights, but for the desk's `own_places`; nothing where the last one kept no records."""
    structure = tuple(
        part for part, digest in now.structure.items() if last and last.structure.get(part, digest) != digest
    )
    if last is None or last.records is None or now.records is None:
        return Moves(structure=structure)
    before, tonight = last.records, now.records
    gone, fresh = [r for r in before if r not in tonight], [r for r in tonight if r not in before]
    renamed = dict(_renamed([before[r] for r in gone], [tonight[r] for r in fresh]))
    pairs = {**{r: r for r in tonight if r in before}, **renamed}
    lost = {r: before[old].states - tonight[r].states for r, old in pairs.items()}
    groups = {r: (before[old].group, tonight[r].group) for r, old in pairs.items()}
    vanished = [r for r in gone if r not in renamed.values()]
    undone = [r for r in vanished if before[r].randomised]
    undone += [r for r, old in pairs.items() if before[old].randomised and not tonight[r].randomised]
    return Moves(
        gone=tuple(vanished),
        fresh=tuple(r for r in fresh if r not in renamed),
        renamed=renamed,
        moved={r: pair for r, pair in groups.items() if pair[0] != pair[1]},
        lost={r: states for r, states in lost.items() if states},
        unrandomised=tuple(sorted(undone)),
        emptied=_emptied([(before[old], tonight[record]) for record, old in pairs.items()], own),
        structure=structure,
        missing=tuple(sorted({*last.envelopes} - {*now.envelopes})),
        removals=removals.records if removals else {},
    )


def settled(night: Night, past: Remembered, found: Moves, run: str, day: str) -> Night:
    """The night under its own name, its records with the run that saw them first and the id they had then."""
    before = past.night.records if past.night else None

    def known(one: Seen) -> Seen:
        earlier = (before or {}).get(found.renamed.get(one.record, one.record))
        days = {place: first_day(place, earlier, day) for place in one.cells} if before is not None else {}
        since = {place: known for place, known in days.items() if known}
        if earlier is None:
            return replace(one, first=run, since=since)
        return replace(one, first=earlier.first, original=earlier.original, since=since)

    records = {name: known(one) for name, one in (night.records or {}).items()}
    return replace(night, run=run, day=day, records=records)


def first_day(place: str, earlier: Seen | None, day: str) -> str:
    """The day on which a place was first seen to hold something, "" if it did before the memory began.

    Args:
        place: What holds something tonight, as `event form`.
        earlier: The record as the last night saw it; None: it was not there.
        day: Tonight.
    """
    return day if earlier is None or place not in earlier.cells else earlier.since.get(place, "")


def _emptied(pairs: Sequence[tuple[Seen, Seen]], own: frozenset[str]) -> Mapping[str, tuple[int, int]]:
    """`event form` to how many values of how many are gone of records that are still there, but for our own places."""
    was: Counter[str] = Counter()
    now: Counter[str] = Counter()
    for before, tonight in pairs:
        was.update(before.cells)
        now.update(tonight.cells)
    lost = {place: (count - now[place], count) for place, count in sorted(was.items()) if now[place] < count}
    return {place: number for place, number in lost.items() if place not in own}


def _renamed(gone: Sequence[Seen], fresh: Sequence[Seen]) -> Iterator[tuple[str, str]]:
    """New id to old id: the same data, or the same envelope with the same card code; never where two fit."""
    left = {one.record: one for one in gone}
    for mark in ("card", "digest"):
        for one in fresh:
            value = getattr(one, mark)
            same = [old for old in left.values() if value and getattr(old, mark) == value]
            rivals = [other for other in fresh if getattr(other, mark) == value]
            if len(same) == 1 and len(rivals) == 1:
                del left[same[0].record]
                yield one.record, same[0].record


class _Contents:
    """Rows as texts, place by place and column by column, without what the night itself writes."""

    def __init__(self, ours: set[str]) -> None:
        self._ours, self._pool = ours, Pool()
        self._order: dict[Shape, tuple[list[str], list[int]]] = {}

    def of(self, rows: Iterable[Row]) -> Iterator[str]:
        """The texts of a record's rows, in whatever order they come."""
        for row in sorted(rows, key=lambda row: (row.event, row.instrument, row.instance)):
            yield f"{row.event}\x1e{row.instrument}\x1e{row.instance}"
            cells = row.values if isinstance(row.values, Cells) else self._pool.of(row.values)
            names, places = self._ordered(cells.shape)
            yield from map(add, names, map(cells.texts.__getitem__, places))

    def _ordered(self, shape: Shape) -> tuple[list[str], list[int]]:
        """The beginnings of the texts, and where the rest of each stands."""
        if shape not in self._order:
            names = sorted(shape.columns - self._ours)
            self._order[shape] = [f"{name}=" for name in names], [shape.at[name] for name in names]
        return self._order[shape]


def _card(patient: Patient, secret: bytes) -> str:
    named = patient.envelope.strip() and patient.card_code.strip()
    return keyed(secret, (patient.envelope, patient.card_code)) if named else ""


def _digest(rows: object) -> str:
    return sha256(repr(rows).encode()).hexdigest()[:16]
