"""The data cut: a patient as of the end of a day, without later facts (reference/trial-operations.md 2.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import Literal

from redcap_rules.dictionary import Dictionary
from redcap_rules.logic import references
from trialdesk.config import Config
from trialdesk.model import Patient

Fact = Literal["screened_on", "consented_on", "opened_on"]

_FACTS: tuple[Fact, ...] = ("screened_on", "consented_on", "opened_on")
_WITHDRAWN = frozenset({"withdrawn_from_treatment", "withdrawn_from_contact", "withdrawn_from_data"})
LEAVING = _WITHDRAWN | {"not_randomised", "completed", "lost"}
"""The states that begin on the day of the end-of-study form."""
# What goes when the first of each is later than the cut.
_TOGETHER = (
    ("consented_on",),
    ("opened_on", "opened_time", "envelope", "arm", "card_code"),
    ("procedure_on",),
    ("arm_change_on",),
    ("died_on",),
    ("left_on",),
)
_BLANK: Mapping[str, str | None] = {
    **{name: None for group in _TOGETHER for name in group},
    **dict.fromkeys(("opened_time", "envelope", "arm", "card_code"), ""),
}


def step_dates(config: Config, dictionary: Dictionary) -> Mapping[str, Fact]:
    """Step code to the dated fact that stands on one of the forms its logic reads; undated steps are left out."""
    homes: dict[str, Fact] = {}
    for fact in _FACTS:
        name = getattr(config.facts, fact).field
        if name in dictionary:
            homes[dictionary.form_of(name)] = fact
    dates: dict[str, Fact] = {}
    for step in config.funnel:
        forms = [dictionary.form_of(r.field) for r in references(step.logic) if r.field in dictionary]
        dates.update((step.code, homes[form]) for form in forms if form in homes)
    return dates


def cut(patient: Patient, as_of: date, dated: Mapping[str, Fact], today: date) -> Patient | None:
    """The patient as of the end of a day; None if the record began later.

    A state that REDCap has on `today`, the day of the pull, and dates after it, has come all the same: the date is a
    slip of typing and no reason to hide a death.
    """

    def later(when: date | None) -> bool:
        return when is not None and when > as_of

    def since(when: date | None) -> bool:
        return when is not None and as_of < when <= today

    if later(patient.screened_on):
        return None
    steps = tuple(code for code in patient.reached if not (code in dated and later(getattr(patient, dated[code]))))
    changes: dict[str, object] = {"reached": steps, "states": patient.states - _later_states(patient, since)}
    for group in _TOGETHER:
        if later(getattr(patient, group[0])):
            changes.update({name: _BLANK[name] for name in group})
    if patient.released_at and patient.released_at > datetime.combine(as_of, time.max, patient.released_at.tzinfo):
        changes.update({"released_at": None, "released_envelope": ""})
    if since(patient.left_on):
        changes["withdrawal"] = ""
    return replace(patient, **changes)  # type: ignore[arg-type]  # the names are Patient's own, table-driven


def _later_states(patient: Patient, since: Callable[[date | None], bool]) -> frozenset[str]:
    gone = LEAVING if since(patient.left_on) else frozenset()
    dated = {"procedure_done": patient.procedure_on, "arm_changed": patient.arm_change_on}
    dated["dead"] = min(filter(None, (patient.died_on, patient.left_on)), default=None)
    return gone | {state for state, when in dated.items() if since(when)}
