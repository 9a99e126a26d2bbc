"""What can't be right about a patient's contacts, and stops no call: a person looks, and the calls go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from trialdesk.followup.contacts import Contact

Kind = Literal["early", "elsewhere", "pause"]


class Oddity(NamedTuple):
    """One of them: dated before the enrolment, dated in another contact's window, or a pause that is none."""

    kind: Kind
    contact: Contact
    text: str


def oddities(contacts: Sequence[Contact]) -> Iterator[Oddity]:
    """Those of one patient, in the order of the contacts.

    The week that a form is of decides which contact it is; a date that says otherwise is a question, never a new label
    (reference/trial-operations.md 3.3). Two contacts in one window are found by the one that is in another's.
    """
    for contact in contacts:
        said, label = contact.said, contact.rule.label
        if said.on and said.on < contact.enrolled_on:
            yield Oddity("early", contact, f"{label} is dated {said.on}, before the enrolment on {contact.enrolled_on}")
        elif said.done and said.on and (other := _elsewhere(contact, contacts)):
            text = f"{label} is dated {said.on}, in the window of {other.rule.label}: check which contact it was"
            yield Oddity("elsewhere", contact, text)
        if said.trouble:
            yield Oddity("pause", contact, said.trouble)


def _elsewhere(contact: Contact, contacts: Sequence[Contact]) -> Contact | None:
    on = contact.said.on
    if on is None or contact.window is None or on in contact.window:
        return None
    alike = (other for other in contacts if other.rule.form == contact.rule.form)
    return next((other for other in alike if other.window and on in other.window), None)
