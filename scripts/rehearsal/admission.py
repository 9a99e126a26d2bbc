"""From the screening to the opened envelope: the sheets of each scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.cast import OTHER_SITE, WRONG_CODE, Reach
from rehearsal.chart import Page
from rehearsal.filling import fill
from rehearsal.patient import Patient
from rehearsal.script import of_all
from rehearsal.sheets import COMPLETE, INCOMPLETE, UNVERIFIED, Sheet

_GROUP = 4


def admission(patient: Patient) -> tuple[Sheet, ...]:
    """Everything before the envelope, as far as the patient gets."""
    life, setting = patient.life, patient.story.setting
    part, reach = life.role.part, life.role.reach
    state = setting.state(part.state) if part.state and reach < Reach.OPENED else {}
    wished = {**setting.ready(life.stratum), **state}
    given = of_all(_facts(patient), patient.special(life.role.name, part))
    status = UNVERIFIED if reach == Reach.SCREENED and not part.state else COMPLETE
    sheets = []
    for step, event, form in setting.admission:
        if Reach[step.upper()] <= reach:
            on = life.days[step] or life.screened
            scene = patient.scene(f"admission {form}", on, Page(event))
            sheets.append(fill(scene, form, given, wished, status))
    return tuple(sheets) + _end(patient, sheets)


def _end(patient: Patient, sheets: list[Sheet]) -> tuple[Sheet, ...]:
    """The last form of who is not randomised after all, where the state is written there."""
    life, setting = patient.life, patient.story.setting
    part, left = life.role.part, setting.config.facts.left_on
    if left is None or not part.state or life.role.reach >= Reach.OPENED:
        return ()
    form = setting.dictionary.form_of(left.field)
    wished = setting.state(part.state)
    if not any(event == left.event for event, _ in wished):
        return ()
    scene = patient.scene("end", sheets[-1].on, Page(left.event))
    return (fill(scene, form, patient.special(life.role.name, part), wished),)


def before_opening(patient: Patient) -> Sheet:
    """The form of the envelope as it stands when the coordinator is phoned: stratum and what a release asks for."""
    life, setting = patient.life, patient.story.setting
    opened_on = setting.config.facts.opened_on
    wished = {name: value for (event, name), value in setting.ready(life.stratum).items() if event == opened_on.event}
    scene = patient.scene("before", life.opened.date(), Page(opened_on.event))
    return fill(scene, setting.dictionary.form_of(opened_on.field), wished, {}, INCOMPLETE, alone=True)


def opening(patient: Patient, envelope: str, card: tuple[str, str]) -> Sheet:
    """The same form after the envelope is opened; `card` is arm code and card code as printed inside."""
    life, setting = patient.life, patient.story.setting
    facts, at = setting.config.facts, life.opened
    code = mistyped(card[1]) if life.role.name == WRONG_CODE else grouped(card[1])
    seen = {
        facts.envelope.field: envelope,
        facts.arm.field: card[0],
        facts.card_code.field: code,
        facts.opened_on.field: at.date().isoformat(),
        facts.opened_time.field: f"{at:%H:%M}",
    }
    scene = patient.scene("opening", at.date(), Page(facts.opened_on.event))
    given = of_all(seen, patient.special(life.role.name, life.role.part))
    return fill(scene, setting.dictionary.form_of(facts.opened_on.field), given, setting.ready(life.stratum))


def grouped(code: str) -> str:
    """A card code in groups of four, as printed."""
    bare = code.replace("-", "").replace(" ", "")
    return "-".join(bare[start : start + _GROUP] for start in range(0, len(bare), _GROUP))


def mistyped(code: str) -> str:
    """The card code with another last character, as printed."""
    return grouped(code)[:-1] + ("7" if not code.endswith("7") else "8")


def _facts(patient: Patient) -> Mapping[str, Any]:
    """Site and days as the configuration names them."""
    life, setting = patient.life, patient.story.setting
    facts, sites = setting.config.facts, setting.sites
    step = life.role.name == OTHER_SITE
    site = sites[(sites.index(life.site) + step) % len(sites)]
    return {
        facts.site.field: site,
        facts.screened_on.field: life.screened.isoformat(),
        facts.consented_on.field: life.consented.isoformat(),
    }
