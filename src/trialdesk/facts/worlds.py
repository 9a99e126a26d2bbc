"""The pull as it would be without treatment, and with another: what an open report must not depend on.

Source: reference/trial-operations.md 6.

What one arm alone has tells the arm: arm, procedure, change of arm, contacts after the procedure, whatever is
calculated from them, and the values and codes that the configuration lists (treatment.py). An open report is proved to
be the one that the pull without all of this gives. So it holds nothing but what can be worked out without knowing any
treatment, whoever has which: no arm, no date, no count by arm. What is left open is what a mark tells by being missing:
as long as nobody has the arm that would be marked, the report is also made with everybody in that arm.

For groups whose letters are shown (groups.py) treatments are exchanged. A code that only one arm can have leaves its
place blank, and lands where no other answer is overwritten: in a log, in a row of its own. The rest of the row (its
day, its grade) stays with the patient, since every arm has such rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from typing import NamedTuple

from redcap_rules.dictionary import Dictionary
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.instruments.treatment import Telling
from trialdesk.redcap.cells import Cells, Pool, Shape
from trialdesk.redcap.snapshot import Snapshot

Spot = tuple[str, str, int]
"""Event, repeating instrument and instance of a row."""


class Treatment(NamedTuple):
    """What moves with an arm: everything that stands in a telling place, and the telling answers in other places."""

    places: Mapping[Spot, Mapping[str, str]]
    answers: Mapping[Spot, Mapping[str, str]]


def worlds(snapshot: Snapshot, config: Config, telling: Telling) -> Iterator[Snapshot]:
    """The pull without any treatment; then, for each arm that nobody has yet, the same with everybody in that arm.

    A trial in which nobody is randomised has the first alone, for arms can't be seen in it.
    """
    told = _Told(telling)
    bare = _untreated(snapshot, told)
    yield bare
    randomised = [record for record in sorted(snapshot.records) if _value(snapshot, record, config.facts.opened_on)]
    taken = {_value(snapshot, record, config.facts.arm) for record in randomised}
    for arm in config.arms if randomised else ():
        if arm.code not in taken:
            yield _moved(bare, dict.fromkeys(randomised, _bare(config, arm.code)), told)


def differing(real: Snapshot, other: Snapshot) -> frozenset[str]:
    """The columns that hold another value anywhere in the other pull of the same records.

    Where a form, or an event, has more or fewer instances, all columns of it: which one is the last depends on that.
    """
    found: set[str] = set()
    for record, rows in other.rows.items():
        before = {(row.event, row.instrument, row.instance): row.values for row in real.rows.get(record, ())}
        for row in rows:
            spot = (row.event, row.instrument, row.instance)
            was = before.pop(spot, None)
            if was is not row.values:
                found.update(_unlike(spot, was, row.values, real.dictionary))
        for spot, values in before.items():
            found.update(_unlike(spot, None, values, real.dictionary))
    return frozenset(found)


def _unlike(
    spot: Spot, one: Mapping[str, str] | None, other: Mapping[str, str], dictionary: Dictionary
) -> Iterator[str]:
    """The columns in which a row is another; None: it is in one of the pulls alone."""
    _, instrument, instance = spot
    if one is None and instance:
        for form in [instrument] if instrument else dictionary.forms:
            yield dictionary.status_field(form)
            yield from (column for field in dictionary.form(form) for column in field.columns)
    elif isinstance(one, Cells) and isinstance(other, Cells) and one.shape is other.shape:
        yield from (name for name, was, now in zip(one.shape.at, one.texts, other.texts, strict=True) if was != now)
    else:
        before, now = dict((one or {}).items()), dict(other.items())
        yield from (name for name in {*before, *now} if before.get(name, "") != now.get(name, ""))


def exchanged(snapshot: Snapshot, config: Config, telling: Telling) -> Snapshot:
    """The pull with everybody in the arm after theirs (the first after the last), with the treatment of somebody there.

    What is shown of groups whose arms nobody may learn is the same here, if their letters move on with the patients.
    """
    told = _Told(telling)
    treatments = {
        arm.code: [_treatment(snapshot.rows[record], told) for record in _members(snapshot, config, arm.code)]
        for arm in config.arms
    }
    moved: dict[str, Treatment] = {}
    for arm, after in _followed(config):
        given = treatments[after] or [_bare(config, after)]
        moved |= zip(_members(snapshot, config, arm), cycle(given), strict=False)
    return _moved(snapshot, moved, told)


def _followed(config: Config) -> Iterator[tuple[str, str]]:
    codes = [arm.code for arm in config.arms]
    return zip(codes, [*codes[1:], *codes[:1]], strict=True)


def _bare(config: Config, arm: str) -> Treatment:
    return Treatment({(config.facts.arm.event, "", 0): {config.facts.arm.field: arm}}, {})


def _members(snapshot: Snapshot, config: Config, arm: str) -> Sequence[str]:
    """The randomised records of an arm."""
    return [
        record
        for record in sorted(snapshot.records)
        if _value(snapshot, record, config.facts.opened_on) and _value(snapshot, record, config.facts.arm) == arm
    ]


def _value(snapshot: Snapshot, record: str, reference: tuple[str, str]) -> str:
    event, field = reference
    return snapshot.view(record).value(field, event)


class _Told:
    """What tells an arm in the rows of a pull; which rows are silent is asked once for all of one shape."""

    def __init__(self, telling: Telling) -> None:
        self.telling = telling
        self._silent: dict[Shape, bool] = {}

    def nothing_by(self, row: Row) -> bool:
        """Whether nothing of the row tells the arm."""
        values = row.values
        if row.event in self.telling.events:
            return False
        if not isinstance(values, Cells):
            return self.telling.silent(values)
        if values.shape not in self._silent:
            self._silent[values.shape] = self.telling.silent(values)
        return self._silent[values.shape]


def _treatment(rows: Sequence[Row], told_by: _Told) -> Treatment:
    telling = told_by.telling
    places: dict[Spot, Mapping[str, str]] = {}
    answers: dict[Spot, Mapping[str, str]] = {}
    for row in rows:
        if told_by.nothing_by(row):
            continue
        spot = (row.event, row.instrument, row.instance)
        if here := {name: value for name, value in row.values.items() if telling.place(row.event, name)}:
            places[spot] = here
        told = {name: v for name, v in row.values.items() if name not in here and telling.answer(name, v)}
        if told:
            answers[spot] = told
    return Treatment(places, answers)


def _untreated(snapshot: Snapshot, told: _Told) -> Snapshot:
    """The pull without what tells; rows that held nothing else are gone, but a blanked answer leaves its row."""
    rows, pool = dict(snapshot.rows), Pool()
    for record, own in snapshot.rows.items():
        if not all(map(told.nothing_by, own)):
            rows[record] = tuple(_without(own, told, pool))
    return replace(snapshot, rows=rows)


def _without(rows: Sequence[Row], told: _Told, pool: Pool) -> Iterator[Row]:
    for row in rows:
        if told.nothing_by(row):
            yield row  # most rows tell nothing: they stay as they are
        elif not all(told.telling.place(row.event, name) for name in row.values):
            yield replace(row, values=pool.of(_untold(row, told.telling)))


def _moved(snapshot: Snapshot, treatments: Mapping[str, Treatment], told: _Told) -> Snapshot:
    rows, pool = dict(snapshot.rows), Pool()
    for record, treatment in treatments.items():
        rows[record] = tuple(_with(record, rows[record], treatment, told, pool))
    return replace(snapshot, rows=rows)


def _with(record: str, rows: Sequence[Row], treatment: Treatment, told: _Told, pool: Pool) -> Iterator[Row]:
    own = {(row.event, row.instrument, row.instance): row for row in rows}
    answers = {_beside(spot, own): values for spot, values in treatment.answers.items()}
    for spot in sorted({*own, *treatment.places, *answers}):
        row, given, landing = own.get(spot), treatment.places.get(spot), answers.get(spot)
        if row and not given and not landing and told.nothing_by(row):
            yield row  # most rows tell nothing: they stay as they are
            continue
        mine = _untold(row, told.telling) if row else {}
        landed = {name: value for name, value in (landing or {}).items() if not mine.get(name)}
        yield Row(record, *spot, pool.of({**mine, **landed, **(given or {})}))


def _untold(row: Row, telling: Telling) -> Mapping[str, str]:
    """What of a row stays with the patient; a telling answer leaves a blank."""
    return {
        name: value
        for name, value in row.values.items()
        if not (telling.place(row.event, name) or telling.answer(name, value))
    }


def _beside(spot: Spot, own: Mapping[Spot, object]) -> Spot:
    """Where an answer lands: in a log behind the patient's own rows, elsewhere in the same place."""
    event, instrument, instance = spot
    if not instance:
        return spot
    return event, instrument, instance + max((one[2] for one in own if one[:2] == spot[:2]), default=0)
