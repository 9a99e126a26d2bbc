"""Records that are counted and nothing else: forgotten by the desk, and returned by REDCap all the same.

A patient who withdraws from the use of data stays in REDCap, for the law or the consent asks for it. Once the desk has
forgotten the record, a run takes from it what makes it one of a number: site, group, steps of recruitment with their
days, and that the patient withdrew. It has no id, so that no list can name it (docs/nightly.md).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from trialdesk.facts.cohort import PLACING
from trialdesk.facts.pulling import Pull
from trialdesk.memory.digests import naming
from trialdesk.memory.values import Remembered
from trialdesk.model import FORGOTTEN, Envelope, Patient


def counted(pull: Pull, remembered: Remembered) -> Pull:
    """The pull in which forgotten records are only counted, as long as they are withdrawn from the use of data.

    One that is not withdrawn any more is a record like others: what was entered by mistake is corrected in REDCap.
    """
    if not remembered.forgotten:
        return pull
    back = {who.record for who in pull.patients if who.withdrawal != "data"}
    named = {who.record for who in pull.patients} | {envelope.record for envelope in pull.register}
    return without(pull, {name for name in named - back if remembered.forgot(name)}, counting=True)


def without(pull: Pull, names: Collection[str], *, counting: bool) -> Pull:
    """The pull without these records; with `counting` their patients are still counted in it."""
    if not names:
        return pull
    snapshot = pull.snapshot
    bared = tuple(bare(who) for who in pull.patients if who.record in names) if counting else ()
    left = replace(
        snapshot,
        rows={record: rows for record, rows in snapshot.rows.items() if record not in names},
        groups={record: group for record, group in snapshot.groups.items() if record not in names},
        vanished=tuple(record for record in snapshot.vanished if record not in names),
    )
    return replace(
        pull,
        snapshot=left,
        patients=tuple(who for who in pull.patients if who.record not in names),
        register=tuple(_unnamed(one, names) for one in pull.register),
        counted=(*pull.counted, *bared),
    )


def _unnamed(envelope: Envelope, names: Collection[str]) -> Envelope:
    record = FORGOTTEN if envelope.record in names else envelope.record
    return replace(envelope, record=record, note=naming(names).sub(FORGOTTEN, envelope.note))


def bare(patient: Patient) -> Patient:
    """What is left of a patient who is only counted; nothing of treatment, of an envelope or of health."""
    return Patient(
        "",
        patient.site,
        patient.group,
        patient.reached,
        patient.states & PLACING,
        screened_on=patient.screened_on,
        consented_on=patient.consented_on,
        opened_on=patient.opened_on,
        withdrawal=patient.withdrawal,
    )
