"""The weekly contacts, month 3 and month 12, with what the patient answers at each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from rehearsal.admission import course
from rehearsal.course import Course
from rehearsal.days import months_later, open_day
from rehearsal.forms import analgesia, contact, questionnaires
from rehearsal.sheets import COMPLETE, INCOMPLETE, UNVERIFIED, Pen, Sheet
from rehearsal.story import Life, Story

_WEEKS = range(1, 13)
_MONTHS = (3, 12)
_PRIMARY = "week_4_arm_1"
_ALL = tuple(questionnaires.QUESTIONNAIRES)
_FORMS = {_PRIMARY: _ALL, "week_8_arm_1": _ALL[:3], "month_3_arm_1": _ALL, "month_12_arm_1": _ALL}
_ONLY_PAIN = _ALL[:1]
_ABSENT = ""
# What becomes of a contact, in a hundred: done as planned most of the time.
_OUTCOMES = (contact.DONE,) * 90 + (contact.NOT_REACHED,) * 4 + (contact.DECLINED,) * 2 + (_ABSENT,) * 4
_SHIFTS = (-1, 0, 0, 0, 0, 1, 1)  # days from the target
_FAR_SHIFTS = (-6, 6)
_FADES = 28  # days before being given up as lost in which nobody answers
_LATE_ENTRY = 5  # days in which a form may still be unfinished


@dataclass(frozen=True, slots=True)
class Diary:
    """What shapes the contacts: the days of opening, treatment, request and leaving, and what was logged when.

    `log` pairs the day an entry began with its kind: adverse_event, con_treatment or admission.
    """

    opened: date
    treated: date | None
    requested: date | None
    left: date | None
    log: tuple[tuple[date, str], ...]
    conservative: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """One contact: its event, day and status, and the contact before it."""

    event: str
    on: date
    status: str
    since: date


def visits(story: Story, life: Life, diary: Diary, until: date) -> Iterator[Sheet]:
    """The sheets of every contact up to `until`; a form of the last days may still be unfinished."""
    pen = story.pen(life, "visits")
    burden = course(story, life, diary.treated)
    step = analgesia.step(burden.start)
    for visit in list(_visits(pen, life, diary, until)):
        entered = _entered(pen, visit, story.today)
        yield Sheet(visit.on, visit.event, "nurse_contact", _nurse(pen, visit, diary, burden), entered)
        if visit.status != contact.DONE:
            continue
        new = analgesia.step(burden.level(visit.on))
        relief = analgesia.registered(visit.on) if new == step else analgesia.changed(pen, visit.on, new)
        step = new
        yield Sheet(visit.on, visit.event, "analgesia", relief, entered)
        yield from _answers(pen, life, visit, burden)


def _visits(pen: Pen, life: Life, diary: Diary, until: date) -> Iterator[Visit]:
    targets = [(f"week_{n}_arm_1", diary.opened + timedelta(days=7 * n)) for n in _WEEKS]
    targets += [(f"month_{n}_arm_1", months_later(diary.opened, n)) for n in _MONTHS]
    since = diary.opened
    for event, target in targets:
        status, on = _outcome(pen, life, event, target, diary)
        on = max(on, open_day(since + timedelta(days=1)))
        if status != _ABSENT and on <= until:
            yield Visit(event, on, status, since)
            since = on


def _outcome(pen: Pen, life: Life, event: str, target: date, diary: Diary) -> tuple[str, date]:
    near = open_day(target + timedelta(days=pen.dice.choice(_SHIFTS)))
    far = open_day(target + timedelta(days=pen.dice.choice(_FAR_SHIFTS)))
    status = pen.dice.choice(_OUTCOMES)
    moved = pen.happens(3)
    if event == _PRIMARY:
        return contact.DONE, near
    fading = diary.left is not None and target > diary.left - timedelta(days=_FADES)
    if life.role.name == "lost" and fading:
        return contact.NOT_REACHED, near
    return status, far if moved else near


def _entered(pen: Pen, visit: Visit, today: date) -> str:
    if (today - visit.on).days <= _LATE_ENTRY:
        return pen.one_of(INCOMPLETE, UNVERIFIED, COMPLETE)
    return pen.one_of(*(COMPLETE,) * 18, UNVERIFIED, INCOMPLETE)


def _nurse(pen: Pen, visit: Visit, diary: Diary, burden: Course) -> dict[str, str]:
    if visit.status != contact.DONE:
        return dict(contact.failed(pen, visit.on, visit.status))
    told = {kind for day, kind in diary.log if visit.since < day <= visit.on}
    asks = diary.requested is not None and visit.since < diary.requested <= visit.on
    asked = diary.conservative and (visit.on - diary.opened).days >= 28
    undecided = pen.one_of("0", "0", "0", "0", "2")
    since = contact.Since(
        event="adverse_event" in told,
        admitted="admission" in told,
        treatment="con_treatment" in told,
        wish=("1" if asks else undecided) if asked else "",
    )
    return dict(contact.reached(pen, visit.on, burden.level(visit.on), since))


def _answers(pen: Pen, life: Life, visit: Visit, burden: Course) -> Iterator[Sheet]:
    for form in _FORMS.get(visit.event, _ONLY_PAIN):
        on = visit.on
        if life.role.name == "late_week_4" and (visit.event, form) == (_PRIMARY, "odi"):
            on += timedelta(days=12)
        if visit.event != _PRIMARY and pen.happens(4):
            yield Sheet(on, visit.event, form, questionnaires.not_done(pen, form))
        elif visit.event == _PRIMARY or form in _ONLY_PAIN or not pen.happens(4):
            yield Sheet(on, visit.event, form, questionnaires.answered(pen, form, on, burden.level(on)))
