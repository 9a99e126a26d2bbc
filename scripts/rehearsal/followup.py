"""From the opened envelope to today, or to the day the patient leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from rehearsal.cast import LEFT
from rehearsal.chart import Page
from rehearsal.days import open_day
from rehearsal.filling import fill
from rehearsal.patient import Patient
from rehearsal.script import Day, Entry, Happening, of_all
from rehearsal.sheets import Sheet
from rehearsal.visits import Diary, visits
from rehearsal.writing import Logged

_LEFT = Day(after="opened", days=(30, 55))
_STAYS_IN_CONTACT = "withdrawn_from_treatment"


@dataclass(frozen=True)
class Followed:
    """A patient whose arm is known: named days, what the part or turn does otherwise, and the last day of entries."""

    patient: Patient
    arm: str
    name: str
    happening: Happening
    days: Mapping[str, date | None]
    until: date

    @property
    def special(self) -> Mapping[str, Any]:
        """What the part or turn fills in otherwise."""
        return self.patient.special(self.name, self.happening)

    @property
    def told(self) -> Mapping[str, str]:
        """What a form on the deviation says of it."""
        sentence = self.happening.sentence
        return {"deviation": self.happening.deviation, "sentence": f"{sentence[:1].upper()}{sentence[1:]}."}


def follow_up(patient: Patient, arm: str, turn: str | None) -> tuple[Sheet, ...]:
    """Every sheet from the opening of the envelope to the last day of the story.

    Args:
        patient: One whose envelope is opened.
        arm: The arm code on the card.
        turn: The name of what happens to this patient in this arm, if anything (`Story.turns`).
    """
    followed = _followed(patient, arm, turn)
    entries = list(_entries(followed))
    log = tuple(Logged(sheet.form, began, sheet.values) for began, sheet in entries)
    diary = Diary(patient, followed.days, followed.until, followed.special, followed.happening.late, log, arm)
    seen = tuple(visits(diary))
    return (*(sheet for _, sheet in entries), *seen, *_end(followed, seen))


def _followed(patient: Patient, arm: str, turn: str | None) -> Followed:
    life, story = patient.life, patient.story
    script = story.setting.script
    name = turn or life.role.name
    happening: Happening = script.turns[turn] if turn else life.role.part
    leaves = {"left": _LEFT} if life.role.part.state in LEFT else {"left": None}
    days: dict[str, date | None] = dict(life.days)
    for day_name, day in {**leaves, **script.days, **happening.days}.items():
        if day_name not in life.days:
            days[day_name] = _day(patient, arm, day_name, day, days)
    left = days["left"]
    stops = left is not None and life.role.part.state != _STAYS_IN_CONTACT
    return Followed(patient, arm, name, happening, days, left if left and stops else story.today)


def _day(patient: Patient, arm: str, name: str, day: Day | None, known: Mapping[str, date | None]) -> date | None:
    """A named day of this patient; None where it never comes."""
    begin = known.get(day.after) if day else None
    if day is None or begin is None or (day.arms and arm not in day.arms):
        return None
    dice = patient.story.dice(patient.life, f"day {name}")
    return open_day(begin + timedelta(days=dice.randint(*day.days))) if dice.randrange(100) < day.chance else None


def _entries(followed: Followed) -> Iterator[tuple[date, Sheet]]:
    """The forms of the script, in order of their days; none that would be dated after the last day."""
    script = followed.patient.story.setting.script
    dated = [(on, entry) for entry in script.entries if (on := followed.days.get(entry.on)) and _plays(followed, entry)]
    for on, entry in sorted(dated, key=lambda pair: pair[0]):
        sheet = _entry(followed, on, entry)
        if sheet is not None:
            yield on, sheet


def _plays(followed: Followed, entry: Entry) -> bool:
    return not entry.parts or bool({followed.name, followed.patient.life.role.name} & {*entry.parts})


def _entry(followed: Followed, on: date, entry: Entry) -> Sheet | None:
    patient = followed.patient
    setting = patient.story.setting
    event = entry.event or setting.event_of(entry.form)
    repeats = setting.repeats(event, entry.form)
    instance = patient.chart.count(event, entry.form) + 1 if repeats else 0
    place = Page(event, entry.form if repeats else "", instance)
    known = {"days": followed.days, "told": followed.told, "burden": patient.course(None).level(on)}
    scene = patient.scene(f"entry {entry.form} {entry.on}", on, place, **known)
    variant = scene.dice.choice(entry.variants) if entry.variants else {}
    given = of_all(entry.values, variant, followed.special)
    trial = replace(scene, chart=patient.chart.copy())
    sheet = fill(trial, entry.form, given, {}, alone=entry.alone)
    if max((_dates(sheet, patient)), default=on) > followed.until or on > followed.until:
        return None
    patient.chart.write(place, dict(sheet.values))
    return sheet


def _dates(sheet: Sheet, patient: Patient) -> Iterator[date]:
    dictionary = patient.story.setting.dictionary
    for column, value in sheet.values.items():
        if column in dictionary and dictionary.get(column).validation.startswith("date"):
            yield date.fromisoformat(value[:10])


def _end(followed: Followed, seen: tuple[Sheet, ...]) -> Iterator[Sheet]:
    """The last form: of who leaves, and of who has had the last contact."""
    patient, setting = followed.patient, followed.patient.story.setting
    field, known = setting.config.facts.left_on, setting.config.states.known
    state, on = patient.life.role.part.state, followed.days["left"]
    rules = [rule for rule in setting.config.contacts if not setting.config.tells_arm(rule)]
    last = [sheet for sheet in seen if rules and sheet.event == rules[-1].event]
    if on is None and "completed" in known and last and _done(followed, last[0]):
        state, on = "completed", last[0].on
    if field is None or on is None or on > patient.story.today:
        return
    scene = patient.scene("end", on, Page(field.event), days=followed.days)
    given = of_all({field.field: on.isoformat()}, followed.special)
    yield fill(scene, setting.dictionary.form_of(field.field), given, setting.state(state))


def _done(followed: Followed, sheet: Sheet) -> bool:
    config = followed.patient.story.setting.config
    rule = next(rule for rule in config.contacts if rule.event == sheet.event)
    return followed.patient.chart.holds(config.contact_forms[rule.form].done, Page(sheet.event))
