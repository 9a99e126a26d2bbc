"""The contacts of the configuration, with what the patient answers at each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from rehearsal.chart import Page
from rehearsal.days import open_day
from rehearsal.filling import fill
from rehearsal.patient import Patient
from rehearsal.script import of_all
from rehearsal.setting import Setting
from rehearsal.sheets import COMPLETE, INCOMPLETE, UNVERIFIED, Sheet
from rehearsal.tries import tries
from rehearsal.wishes import Wishes, named, wishes
from rehearsal.writing import Logged, Scene
from trialdesk.config import ContactForm, ContactRule
from trialdesk.config.parts import ENROLMENT, PROCEDURE
from trialdesk.followup.windows import window

DONE, NOT_REACHED, REFUSED, ABSENT = "done", "not reached", "refused", "absent"
# What becomes of a contact, in a hundred: done as planned most of the time.
_OUTCOMES = (DONE,) * 90 + (NOT_REACHED,) * 4 + (REFUSED,) * 2 + (ABSENT,) * 4
_SHIFTS = (-1, 0, 0, 0, 0, 1, 1)  # days from the target
_FAR_SHIFTS = (-6, 6)
_FADES = 28  # days before being given up as lost in which nobody answers
_LATE_ENTRY = 5  # days in which a form may still be unfinished
_BLANK_FORM = 4  # in a hundred: a questionnaire that nobody filled in


@dataclass(frozen=True)
class Diary:
    """What shapes one patient's contacts: named days, the last day of entries, what is special, and the log."""

    patient: Patient
    days: Mapping[str, date | None]
    until: date
    special: Mapping[str, Any]
    late: Mapping[str, tuple[int, int]]
    log: tuple[Logged, ...]
    arm: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One contact: its rule, day and outcome, and the contact before it."""

    rule: ContactRule
    on: date
    outcome: str
    since: date


def visits(diary: Diary) -> Iterator[Sheet]:
    """The sheets of every contact and its tries up to the last day; a form of the last days may still be unfinished."""
    setting = diary.patient.story.setting
    for visit in _visits(diary, setting):
        if visit.outcome in (DONE, NOT_REACHED):
            yield from tries(diary.patient, visit.rule, visit.on, diary.until, reached=visit.outcome == DONE)
        scene = _scene(diary, visit, "status")
        status = _entered(scene, (diary.patient.story.today - visit.on).days)
        form = setting.config.contact_forms[visit.rule.form]
        given, wished = _contact(setting, form, visit, scene)
        yield fill(scene, form.instrument, of_all(given, diary.special), wished, status)
        if visit.outcome == DONE:
            yield from _answers(diary, visit, form, status)


def _visits(diary: Diary, setting: Setting) -> Iterator[Visit]:
    """The contacts in order of their targets; one that counts from something that never happened has none."""
    planned = []
    for rule in setting.config.contacts:
        begin = _anchor(diary, setting, rule)
        if begin and (not rule.arms or diary.arm in rule.arms):
            planned.append((window(rule, begin).target, rule))
    since: dict[bool, date] = dict.fromkeys((False, True), diary.patient.life.opened.date())
    for target, rule in sorted(planned, key=lambda pair: pair[0]):
        apart = setting.config.tells_arm(rule)
        outcome, on = _outcome(diary, rule, target)
        on = max(on, open_day(since[apart] + timedelta(days=1)))
        if outcome != ABSENT and on <= diary.until:
            yield Visit(rule, on, outcome, since[apart])
            since[apart] = on


def _anchor(diary: Diary, setting: Setting, rule: ContactRule) -> date | None:
    if rule.anchor == ENROLMENT:
        return diary.patient.life.opened.date()
    config = setting.config
    field = config.facts.procedure_on if rule.anchor == PROCEDURE else config.anchors[rule.anchor].date
    text = diary.patient.chart.value(field.field, field.event) if field else ""
    return date.fromisoformat(text[:10]) if text else None


def _outcome(diary: Diary, rule: ContactRule, target: date) -> tuple[str, date]:
    life, story = diary.patient.life, diary.patient.story
    dice = story.dice(life, f"visit {rule.code}")
    near = open_day(target + timedelta(days=dice.choice(_SHIFTS)))
    far = open_day(target + timedelta(days=dice.choice(_FAR_SHIFTS)))
    outcome, moved = dice.choice(_OUTCOMES), dice.randrange(100) < 3
    if rule.code in diary.late:
        return DONE, open_day(target + timedelta(days=dice.randint(*diary.late[rule.code])))
    if rule.primary:
        return DONE, near
    left = diary.days.get("left")
    if life.role.part.state == "lost" and left and target > left - timedelta(days=_FADES):
        return NOT_REACHED, near
    return outcome, far if moved else near


def _scene(diary: Diary, visit: Visit, name: str) -> Scene:
    patient = diary.patient
    mood = patient.story.dice(patient.life, f"mood {visit.rule.code}").gauss(0, 5)
    burden = max(patient.course(_delivered(patient)).level(visit.on) + mood, 0.0)  # a good day is no less than none
    known = {"days": diary.days, "burden": burden, "since": visit.since, "log": diary.log}
    return patient.scene(f"{name} {visit.rule.code}", visit.on, Page(visit.rule.event), **known)


def _delivered(patient: Patient) -> date | None:
    """The day of the treatment, as it is written."""
    field = patient.story.setting.config.facts.procedure_on
    text = patient.chart.value(field.field, field.event) if field else ""
    return date.fromisoformat(text) if text else None


def _entered(scene: Scene, ago: int) -> str:
    if ago <= _LATE_ENTRY:
        return scene.dice.choice((INCOMPLETE, UNVERIFIED, COMPLETE))
    return scene.dice.choice((*(COMPLETE,) * 18, UNVERIFIED, INCOMPLETE))


def _contact(setting: Setting, form: ContactForm, visit: Visit, scene: Scene) -> tuple[dict[str, Any], Wishes]:
    """Outcome and day of a contact, as its form wants them; who was not reached may be called back."""
    given: dict[str, Any] = {form.date: visit.on.isoformat()}
    if visit.outcome == DONE:
        return given, wishes([form.done], setting.dictionary, {})
    if visit.outcome == REFUSED and form.refused is not None:
        return given, wishes([form.refused], setting.dictionary, {})
    if form.callback_date and scene.happens(40):
        given[form.callback_date] = (visit.on + timedelta(days=1)).isoformat()
        given |= {form.callback_time: "10:30"} if form.callback_time else {}
    return given, _not_done(setting, form)


def _not_done(setting: Setting, form: ContactForm) -> Wishes:
    """The first choice of the outcome that is neither done nor refused, and sends nobody away."""
    spoken = [named(form.done), named(form.refused) if form.refused else {}]
    found: Wishes = {}
    for column in spoken[0]:
        taken = {code for codes in spoken for code in codes.get(column, ())} | setting.avoided.get(column, frozenset())
        free = [option.code for option in setting.dictionary.get(column).options if option.code not in taken]
        found["", column] = free[0] if free else ""
    return found


def _answers(diary: Diary, visit: Visit, form: ContactForm, status: str) -> Iterator[Sheet]:
    """The other forms of the contact's event; now and then one stays empty, but never at the primary contact."""
    setting = diary.patient.story.setting
    for other in setting.forms(visit.rule.event):
        if other == form.instrument or not setting.enterable(other):
            continue
        scene = _scene(diary, visit, other)
        sure = visit.rule.primary or other in setting.script.always
        if sure or not scene.happens(_BLANK_FORM):
            yield fill(scene, other, diary.special, {}, status)
