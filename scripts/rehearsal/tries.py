"""The tries that did not reach a patient, as the call log of the trial wants them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from rehearsal.chart import Page
from rehearsal.days import open_day
from rehearsal.filling import fill
from rehearsal.patient import Patient
from rehearsal.sheets import Sheet
from trialdesk.config import CallLog, ContactRule
from trialdesk.model import Outcome

_TIMES = ("10:15", "13:40", "15:05")  # two on the first day, and one in the afternoon of the next
_FAILED: tuple[Outcome, ...] = ("no_answer", "no_answer", "voicemail", "relative")
_BEFORE = 20  # in a hundred: calls that were tried in vain before the patient answered
_ASKS = 40  # in a hundred: the last try in which somebody agrees on a time


def tries(patient: Patient, rule: ContactRule, on: date, until: date, *, reached: bool) -> Iterator[Sheet]:
    """What stands in the log of one contact; nothing in a trial without a log, and nothing that tells an arm.

    Args:
        patient: Whose chart it is written into.
        rule: The contact.
        on: The day of the first try.
        until: The last day of entries.
        reached: Whether the patient answers later that day.
    """
    setting = patient.story.setting
    log = setting.config.call_log
    if log is None or setting.config.tells_arm(rule):
        return
    codes = {meaning: code for code, meaning in log.outcomes.items()}
    dice = patient.story.dice(patient.life, f"tries {rule.code}")
    if reached:
        planned = [(on, _TIMES[0])] if dice.randrange(100) < _BEFORE else []
    else:
        planned = [(on, _TIMES[0]), (on, _TIMES[1]), (open_day(on + timedelta(days=1)), _TIMES[2])]
    planned = [(day, at) for day, at in planned if day <= until]
    for number, (day, at) in enumerate(planned):
        outcome: Outcome = dice.choice(_FAILED)
        asks = not reached and number == len(planned) - 1 and "later" in codes and dice.randrange(100) < _ASKS
        outcome = "later" if asks else outcome
        if outcome in codes:
            callback = open_day(day + timedelta(days=1)) if asks else None
            yield _entry(patient, log, (day, at), {"contact": rule.code, "outcome": codes[outcome]}, callback)


def _entry(
    patient: Patient, log: CallLog, when: tuple[date, str], said: Mapping[str, str], callback: date | None
) -> Sheet:
    form, event = patient.story.setting.dictionary.form_of(log.outcome.field), log.outcome.event
    given: dict[str, Any] = {**said, "date": when[0].isoformat(), "time": when[1]}
    given |= {"callback_date": callback.isoformat(), "callback_time": "10:30"} if callback else {}
    values = {log.fields[name].field: value for name, value in given.items()}
    scene = patient.scene("try", when[0], Page(event, form, patient.chart.count(event, form) + 1))
    return fill(scene, form, values, {}, alone=True)
