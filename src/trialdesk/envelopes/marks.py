"""What both projects say about releases at one moment."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from redcap_rules.dictionary import Dictionary
from redcap_rules.record import RecordView, Row
from trialdesk.allocation.numbering import tidy_envelope_id
from trialdesk.config import Config
from trialdesk.envelopes.register import read_register
from trialdesk.model import Envelope, is_opened
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patients import moment


@dataclass(frozen=True, slots=True)
class RecordMark:
    """What a trial record says: the envelope released for it, the one typed in as opened, and whether one is opened."""

    record: str
    site: str
    envelope: str
    named: str
    opened: bool
    at: datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class OpenRelease:
    """An envelope released for a record and not opened; `at` as the register has it, else as the record has it."""

    envelope: str
    record: str
    site: str
    at: datetime | None = field(default=None, compare=False)

    def __str__(self) -> str:
        when = f" since {self.at:%Y-%m-%d %H:%M}" if self.at else ""
        return f"{self.envelope} for {self.record}{when}"


@dataclass(frozen=True, slots=True)
class Marks:
    """One look at both projects."""

    records: tuple[RecordMark, ...]
    envelopes: tuple[Envelope, ...]

    @property
    def open(self) -> tuple[OpenRelease, ...]:
        """Every open release either project knows of.

        The register says `released` until the nightly job has settled it, so an opening recorded in the trial closes
        the release there too.
        """
        opened = {mark.record for mark in self.records if mark.opened}
        in_trial = {
            OpenRelease(mark.envelope, mark.record, mark.site, mark.at)
            for mark in self.records
            if mark.envelope and not mark.opened
        }
        in_register = {
            OpenRelease(envelope.id, envelope.record, envelope.pile.site, envelope.released_at)
            for envelope in self.envelopes
            if envelope.status == "released" and envelope.record not in opened
        }
        return tuple(sorted(in_register | in_trial))

    def rivals(self, record: str, site: str, scope: str) -> tuple[OpenRelease, ...]:
        """The open releases that forbid one for `record` at `site`; scope `site` looks at that site alone."""
        return tuple(
            other for other in self.open if other.record != record and (scope == "trial" or other.site == site)
        )

    def released_to(self, record: str) -> tuple[Envelope, ...]:
        """The envelopes the register says are released for `record`: one, or by mistake more."""
        return tuple(e for e in self.envelopes if e.status == "released" and e.record == record)

    def named_by(self, envelope: str) -> str:
        """A record that names the envelope as the one it opened, or ""; it is used, whatever the register says."""
        return next((mark.record for mark in self.records if mark.named == envelope), "")

    def holder_of(self, envelope: str, other_than: str) -> str:
        """Another record that says the envelope is released for it, and in which no other one was opened; or ""."""
        holders = (m.record for m in self.records if m.envelope == envelope and m.record != other_than)
        return next((record for record in holders if not self.opened_another(record, envelope)), "")

    def opened_another(self, record: str, envelope: str) -> bool:
        """Whether the number typed into the record is that of another envelope that exists."""
        own = next((mark for mark in self.records if mark.record == record), None)
        return own is not None and own.named != envelope and any(one.id == own.named for one in self.envelopes)

    def envelope_in(self, record: str) -> str:
        """The envelope `record` itself says is released for it, or ""."""
        return next((mark.envelope for mark in self.records if mark.record == record), "")


def read_marks(config: Config, dictionary: Dictionary, trial: Gateway, register: Gateway) -> Marks:
    """The marks of all records and envelopes, freshly read."""
    facts = config.facts
    typed = (facts.envelope, facts.arm, facts.card_code, facts.opened_on, facts.opened_time)
    wanted = (facts.released_envelope, facts.released_at, facts.site, *typed)
    export = trial.records(dictionary.record_id, [ref.field for ref in wanted])
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in export.rows:
        rows[row.record].append(row)
    records = []
    for record, part in rows.items():
        view = RecordView(part, dictionary)
        envelope, at, site, *opened = (view.value(ref.field, ref.event) for ref in wanted)
        records.append(
            RecordMark(
                record,
                site,
                envelope,
                tidy_envelope_id(opened[0], config.envelopes.domain),
                is_opened(*opened),
                moment(at),
            )
        )
    return Marks(tuple(records), read_register(register))
