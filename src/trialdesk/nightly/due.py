"""Which contacts are over, for the reports: follow-up and reports know not one another and meet here."""

from __future__ import annotations

from datetime import date

from trialdesk.config import Config
from trialdesk.followup.schedule import schedule
from trialdesk.model import ContactStatus
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot

OVER: frozenset[ContactStatus] = frozenset({"done", "done early", "done late", "missed"})


def contacts_over(config: Config, day: date, snapshot: Snapshot) -> list[tuple[str, str]]:
    """Record and event of every contact that is made, or whose time is over on `day`."""
    entries = schedule(patients(snapshot, config), snapshot, config, day).entries
    return [(entry.contact.record, entry.contact.rule.event) for entry in entries if entry.status in OVER]
