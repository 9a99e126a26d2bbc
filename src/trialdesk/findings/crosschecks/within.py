"""Checks within a record that compare instances, or that depend on today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby

from trialdesk.config.parts import PROCEDURE
from trialdesk.findings.crosschecks.between import Hit
from trialdesk.findings.crosschecks.case import Case, Given
from trialdesk.findings.dates import where
from trialdesk.followup.schedule import Entry
from trialdesk.model import ContactStatus
from trialdesk.redcap.patients import day

_IN_A_ROW = 3
_UNTIMELY: Mapping[ContactStatus, str] = {"missed": "missed", "done early": "early", "done late": "late"}


def other_levels(cases: Sequence[Case], given: Given) -> Iterator[Hit]:
    """Q40: the set of treated levels is not the planned set."""
    meanings, planned = given.meanings, given.meanings.planned_levels
    for case in cases if planned else ():
        treated = frozenset(filter(None, map(case.text, meanings.treated_levels)))
        if planned and case.patient.procedure_on and treated and treated != case.ticked(planned):
            yield Hit("Q40", case, meanings.treated_levels[0].event)


def unlogged_complication(cases: Sequence[Case], given: Given) -> Iterator[Hit]:
    """Q42: a complication is ticked and no event in the log began within the days that follow."""
    rule, log = given.meanings.complications, given.meanings.events
    if rule is None or log is None:
        return
    for case in cases:
        done = case.patient.procedure_on
        if done and case.ticked(rule.field) - {rule.none}:
            last = done + timedelta(days=rule.within_days)
            if not any(done <= began <= last for began, _ in case.rows(log.instrument, log.started)):
                yield Hit("Q42", case, rule.field.event)


def untimely(cases: Sequence[Case], given: Given) -> Iterator[Hit]:
    """Q43: a key contact missed or made outside its window, or three in a row; one finding a patient says which.

    One call that was missed can't be mended, so it is counted and no finding. Contacts after a procedure stand apart,
    in their own event: that there is one tells the treatment.
    """
    for case in cases:
        entries = given.schedule.of(case.patient.record)
        telling, usual = (
            _grave([entry for entry in entries if (entry.contact.rule.code in given.telling) is told])
            for told in (True, False)
        )
        if usual:
            yield Hit("Q43", case, "", _listed(usual))
        for one in telling:
            yield Hit("Q43", case, one.contact.rule.event, _listed([one]))


def _grave(entries: Sequence[Entry]) -> list[Entry]:
    """The contacts not made in time that are key, or stand in a row of three or more."""
    found: list[Entry] = []
    for in_time, group in groupby(entries, key=lambda entry: entry.status not in _UNTIMELY):
        row = [] if in_time else list(group)
        found += row if len(row) >= _IN_A_ROW else [entry for entry in row if entry.contact.rule.key]
    return found


def _listed(entries: Sequence[Entry]) -> str:
    named = (
        (word, [one.contact.rule.label for one in entries if one.status == status])
        for status, word in _UNTIMELY.items()
    )
    return "; ".join(f"{word} {', '.join(labels)}" for word, labels in named if labels)


def unanswered_wish(cases: Sequence[Case], given: Given) -> Iterator[Hit]:
    """Q47: a wish to change arm is noted and the form for it is empty."""
    asked, requested = given.meanings.contact, given.meanings.change_requested
    if asked is None or asked.wish is None or requested is None:
        return
    for case in cases:
        if case.text(requested):
            continue
        for _, row in case.rows(asked.instrument, asked.date):
            if case.holds(asked.wish, row):
                yield Hit("Q47", case, where(row))


def unlogged(cases: Sequence[Case], given: Given) -> Iterator[Hit]:
    """Q48: a contact brings up an event or a treatment and nothing in the logs is dated since the contact before."""
    asked, events, treatments = given.meanings.contact, given.meanings.events, given.meanings.treatments
    if asked is None:
        return
    pairs = [
        (logic, log) for logic, log in ((asked.new_event, events), (asked.new_treatment, treatments)) if logic and log
    ]
    for case in cases:
        before = case.patient.opened_on
        # a log that has an entry since the last day asked about needs no look at what was said before
        latest = [(logic, max((start for start, _ in case.rows(log.instrument, log.started)), default=None))
                  for logic, log in pairs]  # fmt: skip
        for when, row in case.rows(asked.instrument, asked.date):
            for logic, last in latest:
                unlogged_since = last is None or (before is not None and last < before)
                if unlogged_since and case.holds(logic, row):
                    yield Hit("Q48", case, where(row))
                    break
            # a contact of one arm alone must not change what is said of a contact every arm has
            if row.event not in given.treatment_events:
                before = when


def late_control(cases: Sequence[Case], given: Given) -> Iterator[Hit]:
    """Q57: the procedure was long ago and its control has not been done."""
    for case in cases:
        done = case.patient.procedure_on
        if done is None or (given.today - done).days <= given.meanings.control_late_days:
            continue
        for entry in given.schedule.of(case.patient.record):
            if entry.contact.rule.anchor == PROCEDURE and entry.status in ("overdue", "missed", "due", "open"):
                yield Hit("Q57", case, entry.contact.rule.event)


def death(cases: Sequence[Case], given: Given) -> Iterator[Hit]:
    """Q63: a fatal event without a death at the end of study, or the reverse."""
    log = given.meanings.events
    if log is None or log.fatal is None:
        return
    for case in cases:
        fatal = any(case.holds(log.fatal, row) for row in case.view.rows if row.instrument == log.instrument)
        if fatal != case.patient.dead:
            yield Hit("Q63", case)


def unfounded_relation(cases: Sequence[Case], given: Given) -> Iterator[Hit]:
    """Q64: an event is judged related to the procedure, and there was none by then."""
    log = given.meanings.events
    if log is None or log.related is None:
        return
    for case in cases:
        done = case.patient.procedure_on
        for began, row in case.rows(log.instrument, log.started):
            if case.holds(log.related, row) and (done is None or done > began):
                yield Hit("Q64", case, where(row))


def after_the_end(cases: Sequence[Case], given: Given) -> Iterator[Hit]:
    """Q66: a form dated after death, or after a withdrawal that ends data collection."""
    for case in cases:
        ends = [case.patient.died_on]
        if "withdrawn_from_data" in case.patient.states:
            ends.append(case.patient.left_on)
        last = min((end for end in ends if end), default=None)
        if last is None:
            continue
        for row in case.view.rows:
            dates = (day(row.values.get(name, "")) for name in given.meanings.form_dates)
            if any(when > last for when in dates if when):
                yield Hit("Q66", case, where(row))
