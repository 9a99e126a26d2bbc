"""From the screening to the opened envelope: the sheets of each scene."""

from __future__ import annotations

from datetime import date, timedelta

from rehearsal.cast import Reach
from rehearsal.course import Course
from rehearsal.forms import analgesia, logs, questionnaires, randomisation, screening, surgery
from rehearsal.sheets import COMPLETE, INCOMPLETE, UNVERIFIED, Pen, Sheet
from rehearsal.story import Life, Story

SCREENING, BASELINE, RANDOMISATION, LOGS = (
    "screening_arm_1", "baseline_arm_1", "randomisation_arm_1", "logs_arm_1",
)  # fmt: skip
_NOT_RANDOMISED = "6"


def course(story: Story, life: Life, treated: date | None = None) -> Course:
    """How this patient's back goes; before the envelope is opened it does not depend on the arm."""
    chance = story.pen(life, "course").dice
    start = min(max(chance.gauss(70, 8), 55), 88)
    return Course(start, chance.uniform(0.15, 0.45), chance.uniform(0.45, 0.75), life.opened.date(), treated)


def planned_levels(story: Story, life: Life) -> tuple[str, ...]:
    """The levels planned for this patient."""
    return surgery.planned_levels(story.pen(life, "levels"), life.stratum)


def admission(story: Story, life: Life) -> tuple[Sheet, ...]:
    """Screening and baseline, as far as the patient gets."""
    pen, reach = story.pen(life, "admission"), life.role.reach
    sheets = [_eligibility(story, life, pen)]
    if reach >= Reach.CONSENTED:
        signed = screening.consent(pen, life.site, min(life.screened, life.consented), life.consented)
        sheets += [
            Sheet(life.consented, SCREENING, "consent", signed),
            Sheet(life.screened, SCREENING, "mm_status", screening.myeloma(pen, life.screened, life.stratum)),
        ]
    if reach >= Reach.ASSESSED:
        sheets += _surgical(story, life, pen)
    if reach >= Reach.BASELINE:
        sheets += _baseline(story, life, pen)
    if life.role.name in {"unfit", "not_randomised"}:
        on = life.assessed if life.role.name == "unfit" else life.baseline
        sheets.append(Sheet(on, LOGS, "end_of_study", logs.end_of_study(pen, _NOT_RANDOMISED, on)))
    return tuple(sheets)


def before_opening(life: Life) -> Sheet:
    """The randomisation form as it stands when the coordinator is phoned."""
    values = randomisation.before(life.stratum)
    return Sheet(life.opened.date(), RANDOMISATION, "randomisation", values, INCOMPLETE)


def opening(story: Story, life: Life, envelope: str, card: tuple[str, str]) -> Sheet:
    """The randomisation form after the envelope is opened; `card` is arm code and card code as printed inside."""
    values = dict(randomisation.opened(story.pen(life, "opening"), envelope, life.opened, card))
    if life.role.name == "wrong_code":
        values["rand_code"] = randomisation.mistyped(card[1])
    return Sheet(life.opened.date(), RANDOMISATION, "randomisation", values, COMPLETE)


def _eligibility(story: Story, life: Life, pen: Pen) -> Sheet:
    sites = story.setting.sites
    other = life.role.name == "other_site"
    site = sites[(sites.index(life.site) + 1) % len(sites)] if other else life.site
    days = timedelta(days=101 if life.role.name == "long_pain" else int(pen.between(12, 60)))
    values = screening.eligibility(
        pen,
        site,
        life.screened,
        stratum=life.stratum,
        outcome=life.role.outcome,
        onset=min(life.screened, life.consented) - days,
    )
    if life.role.name == "long_pain":
        values = {**values, "elig_pain_onset": (life.consented - days).isoformat()}
    status = UNVERIFIED if life.role.name == "screened" else COMPLETE
    return Sheet(life.screened, SCREENING, "eligibility", values, status)


def _surgical(story: Story, life: Life, pen: Pen) -> list[Sheet]:
    on, levels = life.assessed, planned_levels(story, life)
    fit = life.role.name != "unfit"
    return [
        Sheet(on, SCREENING, "spine_imaging", surgery.imaging(pen, on, levels, life.stratum)),
        Sheet(on, SCREENING, "surgical_assessment", surgery.assessment(pen, on, levels, fit=fit)),
    ]


def _baseline(story: Story, life: Life, pen: Pen) -> list[Sheet]:
    on, start = life.baseline, course(story, life).start
    relief = analgesia.changed(pen, on, analgesia.step(start))
    return [
        Sheet(on, BASELINE, "analgesia", relief),
        *(
            Sheet(on, BASELINE, form, questionnaires.answered(pen, form, on, start))
            for form in questionnaires.QUESTIONNAIRES
        ),
    ]
