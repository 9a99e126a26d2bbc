"""Rules about when: what came before what, and what was done at one time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime

from trialdesk.envelopes.openings import Opening
from trialdesk.envelopes.reconcile.desk import Desk, Hit
from trialdesk.model import Envelope, Patient

DAY_BEGINS, DAY_ENDS, SATURDAY = 6, 22, 5
"""Hours of the day, and the first day of a weekend: outside of them an opening is asked about."""


def out_of_order(desk: Desk) -> Iterator[Hit]:
    """R01: opened before an envelope that comes first in its pile."""
    for pile, members in desk.piles.items():
        opened = [opening for _, opening in members if opening is not None and opening.at is not None]
        for place, higher in enumerate(opened):
            lower = next((one for one in opened[:place] if _before(higher, one)), None)
            if lower is not None:
                text = f"{higher.id} was opened before {lower.id}, which comes first in its pile"
                yield Hit(pile.site, higher.patient.record, text, higher.id, lower.id)


def _before(one: Opening, other: Opening) -> bool:
    """Whether `one` was surely opened before `other`: two openings of one day need a time to be put in order."""
    if one.at is None or other.at is None:
        return False
    return one.at < other.at if one.patient.opened_time else one.at.date() < other.at.date()


def skipped(desk: Desk) -> Iterator[Hit]:
    """R02: opened while an envelope that comes first lay there unopened."""
    for pile, members in desk.piles.items():
        waiting = [envelope for envelope, opening in members if opening is None]
        for higher, opening in members:
            if opening is None:
                continue
            lower = next((e for e in waiting if e.number < higher.number and _was_there(e, opening)), None)
            if lower is not None:
                text = f"{higher.id} was opened while {lower.id}, which comes first, lay unopened"
                yield Hit(pile.site, opening.patient.record, text, opening.id, lower.id)


def _was_there(envelope: Envelope, opening: Opening) -> bool:
    if envelope.status not in ("received", "released"):
        return False
    day = opening.patient.opened_on
    return envelope.received_on is None or day is None or envelope.received_on < day


def undecided(desk: Desk) -> Iterator[Hit]:
    """R03: two envelopes of a pile opened on one day, and a time is missing: nobody can tell which came first."""
    for pile, members in desk.piles.items():
        days: dict[date, list[Opening]] = defaultdict(list)
        for _, opening in members:
            if opening is not None and opening.at is not None:
                days[opening.at.date()].append(opening)
        for on, opened in sorted(days.items()):
            timeless = next((one for one in opened if not one.patient.opened_time), None)
            if timeless is not None and len(opened) > 1:
                others = ", ".join(one.id for one in opened if one is not timeless)
                text = f"{timeless.id} was opened {on} without a time, as was {others}: the order can't be told"
                yield Hit(pile.site, timeless.patient.record, text, timeless.id)


def at_odd_hours(desk: Desk) -> Iterator[Hit]:
    """R24: opened at night or at a weekend, as its date and time say: mostly a slip of the pen."""
    for opening in desk.openings:
        who, at = opening.patient, opening.at
        if at is None:
            continue
        night = bool(who.opened_time) and not DAY_BEGINS <= at.hour < DAY_ENDS
        if night or at.weekday() >= SATURDAY:
            when = f"{at:%A %Y-%m-%d}" + (f" at {who.opened_time}" if who.opened_time else "")
            yield Hit(who.site, who.record, f"{opening.id} was opened on {when}: ask whether that is right", opening.id)


def two_at_a_time(desk: Desk) -> Iterator[Hit]:
    """R20: released or opened while another release was open."""
    spans = sorted(_spans(desk), key=lambda span: (span[0], span[2].record))
    for place, (start, end, one) in enumerate(spans):
        for begin, finish, two in spans[place + 1 :]:
            if begin >= end:
                break  # and so do all that begin still later
            if start < finish and (desk.config.envelopes.scope == "trial" or one.site == two.site):
                text = f"its envelope and that of {one.record} were released or opened at one time"
                yield Hit(two.site, two.record, text, other=one.record)


def _spans(desk: Desk) -> Iterator[tuple[datetime, datetime, Patient]]:
    """From release to opening; an opening without release is the minute itself, an open release has no end."""
    at = {opening.patient.record: opening.at for opening in desk.openings}
    for who in desk.patients:
        opened = at.get(who.record)
        start = who.released_at or opened
        if start is not None:
            # a blank time reads as midnight: never before the release itself
            yield start, datetime.max if opened is None else max(start, opened), who


def without_release(desk: Desk) -> Iterator[Hit]:
    """R21: opened without a release, or before it."""
    for opening in desk.openings:
        who = opening.patient
        if not who.released_envelope:
            yield Hit(who.site, who.record, f"{opening.id} was opened without a release by the coordinator", opening.id)
        elif opening.at and who.released_at and _sooner(opening.at, who):
            text = f"{opening.id} was opened {opening.at}, before its release {who.released_at}"
            yield Hit(who.site, who.record, text, opening.id)


def _sooner(opened: datetime, who: Patient) -> bool:
    """Whether the opening was surely before the release: without a time, only on an earlier day."""
    released = who.released_at or datetime.min
    return opened < released if who.opened_time else opened.date() < released.date()


def before_consent(desk: Desk) -> Iterator[Hit]:
    """R13: opened before the consent, or without a date of it."""
    for who in desk.patients:
        if who.opened_on and (who.consented_on is None or who.opened_on < who.consented_on):
            consent = f"consent {who.consented_on}" if who.consented_on else "no date of consent"
            yield Hit(who.site, who.record, f"opened {who.opened_on}, {consent}")


def before_receipt(desk: Desk) -> Iterator[Hit]:
    """R30: opened before the site had received it."""
    for opening, envelope in desk.known:
        day, received = opening.patient.opened_on, envelope.received_on
        if received is None:
            text = f"{envelope.id} was opened, and the register has no day on which the site received it"
        elif day and day < received:
            text = f"{envelope.id} was opened {day}, and received {received}"
        else:
            continue
        yield Hit(opening.patient.site, opening.patient.record, text, envelope.id)


def no_date(desk: Desk) -> Iterator[Hit]:
    """R53: opened, and nobody wrote when."""
    for who in desk.patients:
        if (who.arm or who.envelope.strip()) and who.opened_on is None:
            yield Hit(who.site, who.record, "envelope or arm is recorded, the date of opening is missing")
