"""Translations: every text has one, in the same codes and mark-up, and none of a text that is another now."""

from __future__ import annotations

from collections.abc import Iterator

from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.fault import Fault
from trialdesk.instruments.translation import faults


def translations(subject: Subject) -> Iterator[Fault]:
    """Rows that are missing, too many or out of date, in each translation that can be read."""
    unread = {fault.file for fault in subject.folder.unread}
    for language, table in subject.folder.translations.items():
        if f"{language}.csv" not in unread:
            yield from faults(subject.design, f"{language}.csv", table)
