"""Call backs agreed before there was a call log, copied from the contact forms into it.

The forms of an existing project keep theirs, hidden and read-only; the log then says all that was agreed. A number of
tries has no dates, so no tries are made of it (reference/design.md 6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from redcap_rules.record import RecordView
from trialdesk.config import CallLog, Config
from trialdesk.errors import ConfigError
from trialdesk.followup.attempts import Attempt, promised
from trialdesk.followup.bringing import Brought, Try, code_of, log_of, stood
from trialdesk.followup.contacts import Said, kept, read_form
from trialdesk.followup.keys import Keys


def sort_out_bookings(views: Mapping[str, RecordView], config: Config, keys: Keys, today: date) -> Brought:
    """The call backs to write into the log, how many it has (or newer ones), and a sentence for each left to a person.

    One is open as long as no contact by the same form reached the patient on its day or later. Its try is of the day
    the form is dated: without one, or with one to come, nobody knows when it was agreed.

    Args:
        views: Record to its call log and contact forms.
        config: The trial; entries of its call log have keys and notes.
        keys: What the entries are known by.
        today: The day, in the trial's time zone.

    Raises:
        ConfigError: no contact form names a day to call back, or the log has no field for keys or notes, or no code
            for a patient who asks to be called later.
    """
    log = _able(config)
    new: list[Try] = []
    known, left = 0, []
    for record, view in views.items():
        held, own = stood(view, config), 0
        for contact, said, source in _open(view, config):
            key = keys.of("copied", record, contact, str(said.booking))
            if key in held.keys or promised(held.attempts, contact):
                known += 1
            elif said.on is None or said.on > today:
                left.append(
                    f"{record} {contact}: {source} is not dated; type the call back {said.booking} into the log"
                )
            else:
                own += 1
                agreed = Attempt(contact, said.on, None, "later", said.booking)
                new.append(Try(record, agreed, key, own, code_of("later", log), f"Copied from {source}"))
    return Brought(tuple(new), known, tuple(left))


def _open(view: RecordView, config: Config) -> Iterator[tuple[str, Said, str]]:
    """Contact, what its form says, and where, of every form with a call back that nobody has kept."""
    said = [(rule, read_form(config.contact_forms[rule.form], rule.event, view)) for rule in config.contacts]
    for number, (rule, one) in enumerate(said):
        alike = (other for to, other in said[number:] if to.form == rule.form)
        if one.booking and not kept(one.booking, alike):
            form = config.contact_forms[rule.form]
            yield rule.code, one, f"{form.callback_date} in {rule.event}"


def _able(config: Config) -> CallLog:
    """The call log, if there is anything to copy and it can hold it."""
    log = log_of(config)
    if not any(form.callback_date for form in config.contact_forms.values()):
        raise ConfigError(
            "contact_forms: none names callback_date: there is nothing to copy; name the older project's field there"
        )
    if log.note is None:
        raise ConfigError("call_log: note: name the field that tells where an entry is from")
    if "later" not in log.outcomes.values():
        raise ConfigError("call_log: outcomes: none means later; say which code does")
    return log
