"""The rehearsal played against a REDCap, patient by patient, as site users with their own tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Protocol

from rehearsal.admission import admission, before_opening, opening
from rehearsal.cast import OTHER_ENVELOPE, UNRELEASED, Reach
from rehearsal.followup import follow_up
from rehearsal.patient import enter
from rehearsal.sheets import Sheet, rows
from rehearsal.story import Deviation, Life, Story
from trialdesk.allocation.numbering import envelope_id, parse_envelope_id
from trialdesk.model import Pile


class Records(Protocol):
    """What is used of PyCap's `redcap.Project`."""

    def import_records(self, to_import: list[dict[str, str]]) -> object:
        """Send rows as they are."""


Release = Callable[[str, datetime], str]
OpenEnvelope = Callable[[str], tuple[str, str]]


def play(
    story: Story,
    project_of_site: Callable[[str], Records],
    release: Release,
    open_envelope: OpenEnvelope,
    progress: Callable[[int, int], None],
) -> tuple[Deviation, ...]:
    """Every patient of the story is in REDCap, in the order of the story; returns all planted deviations.

    Patients come one after another, so that never more than one release is open; the last release stays open
    when the story has one. At most four requests a patient.

    Args:
        story: What to play.
        project_of_site: The project as a user of that site's data access group sees it.
        release: Releases an envelope for a record at a local time (without zone) and returns its number.
        open_envelope: The card inside an envelope: arm code and card code.
        progress: Told after each patient: how many are played, and of how many.
    """
    project = cache(project_of_site)
    record_id = story.setting.dictionary.record_id
    arms: dict[str, str] = {}
    opened: Counter[Pile] = Counter()

    def send(life: Life, sheets: Iterable[Sheet]) -> None:
        project(life.site).import_records(rows(life.record, sheets, record_id))

    for place, life in enumerate(story.lives, start=1):
        patient = enter(story, life)
        send(life, admission(patient))
        if life.role.reach >= Reach.READY:
            send(life, [before_opening(patient)])
        if life.role.reach >= Reach.RELEASED:
            envelope = _envelope(life, release, opened)
        if life.role.reach == Reach.OPENED:
            card = open_envelope(envelope)
            send(life, [opening(patient, envelope, card)])
            arms[life.record] = card[0]
            send(life, follow_up(patient, card[0], story.turns(arms).get(life.record)))
        progress(place, len(story.lives))
    return story.deviations_of(arms)


def _envelope(life: Life, release: Release, opened: Counter[Pile]) -> str:
    """The envelope the site takes in hand: the released one, unless the part says otherwise."""
    if life.role.name == UNRELEASED:
        number = opened[life.pile] + 1
    else:
        number = parse_envelope_id(release(life.record, life.released))[1]
    if life.role.name == OTHER_ENVELOPE:
        number += 1
    opened[life.pile] = max(opened[life.pile], number)
    return envelope_id(life.pile, number)
