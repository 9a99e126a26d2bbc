"""Dates that can't be right: after the day of the pull, or before what has to come first.

A date typed a month or a year ahead must hide nothing: the patient is counted, and the date is a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from redcap_rules.dictionary import Dictionary
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.config.values import FieldRef
from trialdesk.followup.attempts import read_log
from trialdesk.followup.oddities import Kind, oddities
from trialdesk.followup.schedule import Schedule
from trialdesk.instruments.rules import RuleClass
from trialdesk.model import Finding, Patient
from trialdesk.redcap.patients import day
from trialdesk.redcap.snapshot import Snapshot

AHEAD, SITE_CLOSED, TRIAL_CLOSED, DEAD_FIRST, UNDATED = "R54", "R55", "R56", "R57", "R58"
UNREAD = "R60"
ODD: Mapping[Kind, str] = {"early": "R62", "elsewhere": "R63", "pause": "R64"}
OWN: Mapping[str, RuleClass] = {
    AHEAD: RuleClass("error", open=True, wording="A date lies after the day on which REDCap was read"),
    SITE_CLOSED: RuleClass("error", "D04", open=True, wording="Opened before the site was open"),
    TRIAL_CLOSED: RuleClass("error", "D04", open=True, wording="Opened before the trial started"),
    DEAD_FIRST: RuleClass("error", open=True, wording="The death is dated before the enrolment"),
    UNDATED: RuleClass("error", open=True, wording="A contact is done and has no date"),
    UNREAD: RuleClass("error", open=True, wording="An entry of the call log can't be read"),
    ODD["early"]: RuleClass("error", open=True, wording="A contact is dated before the enrolment"),
    ODD["elsewhere"]: RuleClass("warning", open=True, wording="A contact is dated in the window of another"),
    ODD["pause"]: RuleClass("warning", open=True, wording="The dates of a pause can't be right"),
}
"""How each rule is treated where a trial says nothing else."""
_FACTS = ("screened_on", "consented_on", "opened_on", "procedure_on", "arm_change_on", "died_on", "left_on")
_BOUND = "today"


def date_findings(
    snapshot: Snapshot, patients: Sequence[Patient], schedule: Schedule, config: Config, today: date
) -> tuple[Finding, ...]:
    """What is dated as it can't have happened, sorted.

    Args:
        snapshot: One pull.
        patients: The patients of the same pull.
        schedule: How their contacts stand.
        config: The trial.
        today: The day of the pull.
    """
    sites = {patient.record: patient.site for patient in patients}
    names = dated_fields(snapshot.dictionary, config)
    ahead = (
        _finding(AHEAD, sites.get(row.record, ""), row.record, where(row), f"{text} lies after {today}", name)
        for rows in snapshot.rows.values()
        for row in rows
        for name, text in snapshot.tables.among(row, names)
        if (when := day(text)) and when > today
    )
    unread = _unread(snapshot, patients, schedule, config)
    odd = _odd(schedule, config)
    return tuple(sorted({*ahead, *_order(patients, config), *_undated(schedule, config), *unread, *odd}))


def dated_fields(dictionary: Dictionary, config: Config) -> frozenset[str]:
    """The fields whose dates lie in the past: those of facts and forms, and what the dictionary bounds by today.

    A day on which a patient asked to be called, a pause, and the call plan, lie ahead by their nature.
    """
    facts = (getattr(config.facts, name) for name in _FACTS)
    own = {ref.field for ref in (*facts, *(anchor.date for anchor in config.anchors.values())) if ref}
    forms = {form.date for form in config.contact_forms.values()}
    checked = set(config.crosschecks.form_dates) if config.crosschecks else set()
    bounded = {
        field.name for field in dictionary.fields if field.validation.startswith("date") and field.maximum == _BOUND
    }
    forms_of = config.contact_forms.values()
    ahead = {name for form in forms_of for name in (form.callback_date, form.pause_from, form.pause_until)}
    ahead |= {ref.field for _, ref in config.call_plan or ()}
    ahead |= {config.call_log.callback_date.field} if config.call_log else set()
    return frozenset((own | forms | checked | bounded) - ahead)


def where(row: Row) -> str:
    """The place of a row: its event, with instrument and instance where it repeats."""
    return f"{row.event} {row.instrument} {row.instance}".replace("  ", " ") if row.instance else row.event


def _order(patients: Sequence[Patient], config: Config) -> Iterator[Finding]:
    opened = config.facts.opened_on
    for who in patients:
        on, site = who.opened_on, config.sites_by_code.get(who.site)
        if on is None:
            continue
        if on < config.trial.starts:
            text = f"opened {on}, the trial starts {config.trial.starts}"
            yield _at(TRIAL_CLOSED, who, opened, text)
        elif site and on < site.opens:
            yield _at(SITE_CLOSED, who, opened, f"opened {on}, the site opened {site.opens}")
        if who.died_on and who.died_on < on and config.facts.died_on:
            yield _at(DEAD_FIRST, who, config.facts.died_on, f"died {who.died_on}, enrolled {on}")


def _undated(schedule: Schedule, config: Config) -> Iterator[Finding]:
    for entry in schedule.entries:
        said, rule = entry.contact.said, entry.contact.rule
        if said.done and said.on is None:
            field = config.contact_forms[rule.form].date
            text = f"{rule.label} is done and has no date"
            yield _finding(UNDATED, entry.contact.site, entry.contact.record, rule.event, text, field)


def _odd(schedule: Schedule, config: Config) -> Iterator[Finding]:
    """Of contacts that all arms have: the events of others tell the treatment."""
    for entries in schedule.by_record.values():
        for kind, contact, text in oddities([entry.contact for entry in entries]):
            form, rule = config.contact_forms[contact.rule.form], contact.rule
            if not config.tells_arm(rule):
                name = (form.pause_from if kind == "pause" else None) or form.date
                yield _finding(ODD[kind], contact.site, contact.record, rule.event, text, name)


def _unread(snapshot: Snapshot, patients: Sequence[Patient], schedule: Schedule, config: Config) -> Iterator[Finding]:
    log = config.call_log
    if log is None:
        return
    known = {course.patient.record: course.history for course in schedule.courses}
    for who in patients:
        told = known[who.record] if who.record in known else read_log(snapshot.view(who.record), config)
        for text in told.unread:
            yield _finding(UNREAD, who.site, who.record, log.outcome.event, text, log.outcome.field)


def _at(rule: str, who: Patient, ref: FieldRef, text: str) -> Finding:
    return _finding(rule, who.site, who.record, ref.event, text, ref.field)


def _finding(rule: str, site: str, record: str, place: str, text: str, field: str) -> Finding:
    return Finding(rule, site, record, place, OWN[rule].severity, text, field, evidence=text)
