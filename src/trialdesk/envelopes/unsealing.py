"""Emergency unsealing of one envelope: noted before its arm is shown (reference/randomisation.md 3, S12)."""

from __future__ import annotations

from collections.abc import Sequence

from redcap_rules.record import Row
from trialdesk.allocation.tables import Allocation, Table
from trialdesk.envelopes.moving import Said
from trialdesk.envelopes.reconcile.custody import UNSEALED
from trialdesk.envelopes.register import NOTE, RECORD_ID, noted, read_register
from trialdesk.errors import ReleaseRefused, WriteBackFailed
from trialdesk.redcap.gateway import Gateway


def find(tables: Sequence[Table], name: str) -> Allocation:
    """The allocation of an envelope.

    Raises:
        ReleaseRefused: no version has made it.
    """
    made = next((one for table in tables for one in table.allocations if one.envelope.id == name), None)
    if made is None:
        raise ReleaseRefused(f"{name}: is in no version of the tables; have the number read again")
    return made


def note_unsealing(register: Gateway, name: str, said: Said) -> None:
    """The register says who unsealed the envelope, when and why.

    Raises:
        ReleaseRefused: the register does not have it, or it is opened already: then REDCap has its arm.
        WriteBackFailed: the note does not read back; no arm may be shown then.
    """
    (envelope, *_) = read_register(register, [name]) or (None,)
    if envelope is None:
        raise ReleaseRefused(f"{name}: is not in the register; push the tables first, or use --offline")
    if envelope.status == "opened":
        raise ReleaseRefused(f"{name}: is opened for {envelope.record}; its arm stands in that record")
    note = noted(envelope.note, form_line(said))
    register.write(RECORD_ID, [Row(name, "", "", 0, {NOTE: note})])
    if read_register(register, [name])[0].note != note:
        raise WriteBackFailed(f"{name}: the register does not hold the note; no arm is shown, run it again")


def form_line(said: Said) -> str:
    """The line that is noted, and that stands on the form of an unsealing without a network."""
    return f"{said.on} {UNSEALED} {said.by}: {said.reason}"
