"""Openings: which record says it opened which envelope, and what the register should say then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time

from trialdesk.allocation.numbering import tidy_envelope_id
from trialdesk.config import Config
from trialdesk.envelopes.proofs import Proofs
from trialdesk.model import Envelope, Patient

FINAL = ("opened", "void", "lost", "returned")


@dataclass(frozen=True, slots=True)
class Opening:
    """A record that names an envelope; `id` as the register spells it, `envelope` None when it knows none such."""

    patient: Patient
    id: str
    envelope: Envelope | None

    @property
    def at(self) -> datetime | None:
        """When it was opened, as exactly as recorded: midnight when the time is blank, None without a date."""
        day = self.patient.opened_on
        return datetime.combine(day, _clock(self.patient.opened_time)) if day else None


def openings(patients: Sequence[Patient], envelopes: Sequence[Envelope], domain: str) -> tuple[Opening, ...]:
    """Every record that names an envelope, by record id; `domain` is that of the trial's tables."""
    known = {envelope.id: envelope for envelope in envelopes}
    named = ((patient, tidy_envelope_id(patient.envelope, domain)) for patient in patients if patient.envelope.strip())
    return tuple(
        Opening(patient, name, known.get(name)) for patient, name in sorted(named, key=lambda pair: pair[0].record)
    )


def settle(
    patients: Sequence[Patient],
    envelopes: Sequence[Envelope],
    config: Config,
    renamed: Mapping[str, str] | None = None,
    proofs: Proofs | None = None,
) -> tuple[Envelope, ...]:
    """The envelopes that become `opened` in the register because a record shows them opened, as they should be.

    One that is opened for a record that has been `renamed` (new id to old id) becomes opened for it by its new id.

    Arm and card code of the record have to belong to the envelope: a mistyped number marks nothing. An envelope two
    records name, one released for another record, or one the register has as void, lost or returned, is a finding for
    a person and is left alone.
    """
    found, cards = openings(patients, envelopes, config.envelopes.domain), proofs or Proofs(config.trial.id)
    times = Counter(opening.id for opening in found)
    return tuple(
        replace(envelope, status="opened", record=opening.patient.record, opened_on=opening.patient.opened_on)
        for opening in sorted(found, key=lambda opening: opening.id)
        if (envelope := opening.envelope) is not None
        and opening.at is not None
        and times[opening.id] == 1
        and _is_to_settle(envelope, opening.patient.record, (renamed or {}).get(opening.patient.record, ""))
        and cards.fits(envelope, opening.patient.arm, opening.patient.card_code)
    )


def _is_to_settle(envelope: Envelope, record: str, before: str) -> bool:
    if before and envelope.record == before:
        return envelope.status in ("opened", "released")
    return envelope.status not in FINAL and envelope.record in ("", record)


def _clock(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return time.min
