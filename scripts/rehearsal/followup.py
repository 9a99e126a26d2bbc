"""From the opened envelope to today, or to the day the patient leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from rehearsal.admission import LOGS, SCREENING, planned_levels
from rehearsal.cast import CONSERVATIVE, PVP, Turn
from rehearsal.days import open_day
from rehearsal.forms import logs, surgery
from rehearsal.sheets import Pen, Sheet, numbered
from rehearsal.story import Life, Story
from rehearsal.visits import Diary, visits

_PROCEDURE, _CONTROL = "pvp_procedure_arm_1", "surgeon_control_arm_1"
# Days from the opening to the vertebroplasty, by turn; without a turn, by arm.
_TREATED = {
    PVP: (3, 9),
    "late_control": (3, 9),
    "late_procedure": (17, 20),
    "early_procedure": (17, 19),
    "changed_arm": (44, 56),
}
_CONTROLLED = {"late_control": (104, 108)}
_ON_TIME = (80, 90)
_REQUESTED, _ASSESSED, _CORRECTED = 35, 39, 10
# How a patient leaves: end-of-study status and scope of withdrawal.
_LEAVES = {
    "dead": ("4", ""),
    "lost": ("3", ""),
    "withdrawn_treatment": ("2", "1"),
    "withdrawn_contact": ("2", "2"),
    "withdrawn_data": ("2", "3"),
}
_STAYS_IN_CONTACT = "withdrawn_treatment"


@dataclass(frozen=True, slots=True)
class Path:
    """The days that shape one follow-up; None where it never happens. Nothing is entered after `until`."""

    opened: date
    until: date
    treated: date | None
    control: date | None
    requested: date | None
    left: date | None


def follow_up(story: Story, life: Life, arm: str, turn: Turn | None) -> tuple[Sheet, ...]:
    """Every sheet from the opening of the envelope to `story.today`.

    Args:
        story: The story the life belongs to.
        life: A patient whose envelope is opened.
        arm: The arm code on the card.
        turn: What happens to this patient in this arm, if anything (`Story.turns`).
    """
    pen = story.pen(life, "follow-up")
    name = turn.name if turn else ""
    path = _path(pen, life, arm, name, story.today)
    log = tuple(_log(pen, life, path))
    diary = Diary(path.opened, path.treated, path.requested, path.left, _days(log), arm == CONSERVATIVE)
    sheets = [
        *_surgery(story, life, path, name),
        *log,
        *_deviation(life, turn, path),
        *visits(story, life, diary, path.until),
    ]
    kept = [sheet for sheet in sheets if sheet.on <= path.until]
    return (*_with_instances(kept), *_end(pen, life, path, kept))


def _path(pen: Pen, life: Life, arm: str, name: str, today: date) -> Path:
    opened = life.opened.date()

    def after(day: date, days: tuple[int, int]) -> date:
        return open_day(day + timedelta(days=pen.dice.randint(*days)))

    delay = _TREATED.get(name or arm)
    treated = after(opened, delay) if delay else None
    control = after(treated, _CONTROLLED.get(name, _ON_TIME)) if treated else None
    left = after(opened, (30, 55)) if life.role.name in _LEAVES else None
    stops = left and life.role.name != _STAYS_IN_CONTACT
    requested = open_day(opened + timedelta(days=_REQUESTED)) if name == "changed_arm" else None
    return Path(opened, left if left and stops else today, treated, control, requested, left)


def _surgery(story: Story, life: Life, path: Path, name: str) -> Iterator[Sheet]:
    pen, levels = story.pen(life, "surgery"), planned_levels(story, life)
    if name == "no_procedure":
        yield Sheet(path.opened + timedelta(days=14), _PROCEDURE, "pvp_procedure", surgery.no_procedure())
    if path.requested and path.treated:
        assessed = open_day(path.opened + timedelta(days=_ASSESSED))
        change = logs.change_of_arm(pen, path.requested, assessed, path.treated)
        yield Sheet(path.treated, LOGS, "crossover", change)
    if path.treated and path.control:
        why = "2" if name in {"changed_arm", "early_procedure"} else "1"
        yield Sheet(path.treated, _PROCEDURE, "pvp_procedure", surgery.procedure(pen, path.treated, levels, why))
        came = name == "late_control" or not pen.happens(6)
        values = surgery.control(pen, path.control) if came else surgery.missed_control()
        yield Sheet(path.control, _CONTROL, "surgeon_followup", values)
    if life.role.name == "corrected_imaging":
        on = path.opened + timedelta(days=_CORRECTED)
        yield Sheet(on, SCREENING, "spine_imaging", surgery.former_fractures(pen, found=True))


def _log(pen: Pen, life: Life, path: Path) -> Iterator[Sheet]:
    """Adverse events and treatments."""
    late = life.role.name == "late_report"
    happened = [(logs.PNEUMONIA, 20, 4)] if late else []
    if pen.happens(30):
        happened.append((pen.dice.choice(logs.EVENTS), pen.dice.randint(5, 100), 1))
    for event, day, reported in happened:
        start = path.opened + timedelta(days=day)
        treated = path.treated is not None and path.treated <= start
        values = logs.adverse_event(pen, event, start, treated=treated, reported_after=reported)
        yield Sheet(start + timedelta(days=event.days), LOGS, "adverse_event", values)
    if pen.happens(25):
        start = path.opened + timedelta(days=pen.dice.randint(8, 90))
        yield Sheet(start, LOGS, "con_treatment", logs.treatment(pen, start))


def _days(log: Iterable[Sheet]) -> tuple[tuple[date, str], ...]:
    """When each entry of the log began, and of which kind it is: what the patient tells at the next contact."""
    return tuple(
        (date.fromisoformat(sheet.values.get("ae_start") or sheet.values["ct_start"]), kind)
        for sheet in log
        for kind in ([sheet.form, "admission"] if sheet.values.get("ae_ser") == "1" else [sheet.form])
    )


def _deviation(life: Life, turn: Turn | None, path: Path) -> Iterator[Sheet]:
    """The data manager has entered what was found a month ago."""
    known = turn or life.role
    if not known.code:
        return
    days = {
        "late_control": path.control,
        "late_week_4": path.opened + timedelta(days=36),
        "late_report": path.opened + timedelta(days=24),
    }
    on = days.get(known.name) or (path.treated if turn and path.treated else path.opened)
    found = on + timedelta(days=30)
    yield Sheet(found, LOGS, "protocol_deviation", logs.deviation(known.code, on, found, known.sentence))


def _with_instances(sheets: list[Sheet]) -> Iterator[Sheet]:
    repeating = ("adverse_event", "con_treatment", "protocol_deviation")
    for form in repeating:
        yield from numbered(sheet for sheet in sheets if sheet.form == form)
    yield from (sheet for sheet in sheets if sheet.form not in repeating)


def _end(pen: Pen, life: Life, path: Path, kept: Iterable[Sheet]) -> Iterator[Sheet]:
    """The last form; for a death also the fatal event, which is reported after it."""
    if path.left:
        status, withdrawal = _LEAVES[life.role.name]
        yield Sheet(path.left, LOGS, "end_of_study", logs.end_of_study(pen, status, path.left, withdrawal))
    if path.left and life.role.name == "dead":
        start = path.left - timedelta(days=logs.PROGRESSION.days)
        treated = path.treated is not None and path.treated <= start
        values = logs.adverse_event(pen, logs.PROGRESSION, start, treated=treated)
        before = sum(sheet.form == "adverse_event" for sheet in kept)
        yield Sheet(path.left, LOGS, "adverse_event", values, instance=before + 1)
    for sheet in kept:
        if sheet.event == "month_12_arm_1" and sheet.values.get("nc_stat") == "1" and not path.left:
            yield Sheet(sheet.on, LOGS, "end_of_study", logs.end_of_study(pen, "1", sheet.on))
