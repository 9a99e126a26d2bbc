"""Forty patients of a rehearsal as their sites entered them, without a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from functools import cache

from followup_records import pulled
from frozen import FROZEN
from redcap_rules.record import Row
from rehearsal.play import play
from rehearsal.script import read_script
from rehearsal.setting import Setting, setting_of
from rehearsal.story import write_story
from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import load
from trialdesk.instruments.folder import read_design
from trialdesk.model import Pile
from trialdesk.redcap.snapshot import Snapshot

PLACE = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")


class Notes:
    """What the sites of a rehearsal enter, kept as REDCap would keep it."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[tuple[str, str, int], dict[str, str]]] = {}

    def import_records(self, to_import: list[dict[str, str]]) -> None:
        for sent in to_import:
            values = dict(sent)
            event, form, instance = (values.pop(name, "") for name in PLACE)
            place = (event, form, int(instance or 0))
            self.rows.setdefault(values.pop("record_id"), {}).setdefault(place, {}).update(values)


@cache
def rehearsed(seed: int, day: date) -> Snapshot:
    """The pull of forty patients up to a day; arms go by the letters of the envelope's number."""
    config = load(FROZEN / "config.yaml")
    setting = setting_of(config, read_design(config, "trial"), read_script(FROZEN / "config.yaml"))
    story = write_story(seed, 40, day, setting)
    notes, numbers = Notes(), Counter[Pile]()
    pile_of = {life.record: life.pile for life in story.lives}

    def release(name: str, _: datetime) -> str:
        numbers[pile_of[name]] += 1
        return envelope_id(pile_of[name], numbers[pile_of[name]])

    play(story, lambda _: notes, release, lambda name: ("12"[sum(name.encode()) % 2], "7K3M9QX2ABCD"), lambda *_: None)
    snapshot = pulled({})
    rows = {
        name: tuple(Row(name, *place, values) for place, values in found.items()) for name, found in notes.rows.items()
    }
    entered = replace(snapshot, rows=rows)
    return replace(entered, rows={name: tuple(_calculated(entered, name, setting)) for name in rows})


def _calculated(snapshot: Snapshot, record: str, setting: Setting) -> Iterator[Row]:
    """The rows of a record with what REDCap would have calculated."""
    found = {(row.event, row.instrument, row.instance): row.values
             for row in setting.calculations.recalculate(snapshot.view(record))}  # fmt: skip
    for row in snapshot.rows[record]:
        yield replace(row, values={**row.values, **found.get((row.event, row.instrument, row.instance), {})})
