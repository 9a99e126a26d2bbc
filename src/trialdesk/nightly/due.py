"""What reports and checks need of the schedule: they know not the follow-up room, and meet it here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from trialdesk.config import Config
from trialdesk.findings.crosschecks import ContactStanding, Given, cross_findings
from trialdesk.followup.schedule import Entry, schedule
from trialdesk.model import ContactStatus, Finding
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot

OVER: frozenset[ContactStatus] = frozenset({"done", "done early", "done late", "missed"})


def contacts_over(config: Config, day: date, snapshot: Snapshot) -> list[tuple[str, str]]:
    """Record and event of every contact that is made, or whose time is over, by `day`.

    What is dated later has not happened: neither an opening nor a contact.
    """
    everyone = schedule(patients(snapshot, config), snapshot, config, day).entries
    return [
        (entry.contact.record, entry.contact.rule.event)
        for entry in everyone
        if entry.status in OVER and max(entry.contact.enrolled_on, entry.contact.said.on or date.min) <= day
    ]


def crosschecks(config: Config, day: date) -> Callable[[Snapshot], Iterable[Finding]]:
    """The checks between records, instances and due dates as of `day`; none if the configuration has no such block."""
    meanings = config.crosschecks

    def find(snapshot: Snapshot) -> Iterable[Finding]:
        if meanings is None:
            return ()
        everyone = patients(snapshot, config)
        standings = map(_standing, schedule(everyone, snapshot, config, day).entries)
        return cross_findings(snapshot, everyone, Given(meanings, day, tuple(standings)))

    return find


def _standing(entry: Entry) -> ContactStanding:
    contact = entry.contact
    return ContactStanding(contact.record, contact.rule.event, contact.rule.anchor, entry.status, contact.rule.label)
