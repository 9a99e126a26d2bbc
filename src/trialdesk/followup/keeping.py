"""Days already promised: what an earlier run wrote into REDCap's call plan, as long as its causes stand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date

from redcap_rules.record import RecordView
from trialdesk.config import CallPlan
from trialdesk.followup.contacts import Contact
from trialdesk.redcap.patients import day


def version(contact: Contact, planned: date) -> str:
    """Eight characters that change when the plan of a contact or a cause of it changes.

    Causes are the target, the window, the preferred weekday and the day the patient asked for.
    """
    causes = (contact.rule.code, contact.window, planned, contact.weekday, contact.booking)
    return hashlib.sha256(repr(causes).encode()).hexdigest()[:8]


def kept(contacts: Iterable[Contact], view: RecordView, fields: CallPlan) -> dict[tuple[str, str], date]:
    """The promised day of one patient's next contact, by record and code; {} without one, or when a cause changed.

    The version written with the day proves what it was planned from: a corrected enrolment, another window or a new
    wish gives another version, and the contact is planned anew.
    """
    code = view.value(fields.next.field, fields.next.event)
    promised = day(view.value(fields.planned.field, fields.planned.event))
    written = view.value(fields.version.field, fields.version.event)
    return {
        contact.key: promised
        for contact in contacts
        if promised and contact.rule.code == code and not contact.booking and version(contact, promised) == written
    }
