"""Rules about where an envelope is: what the register says of it, beside what records say."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from trialdesk.envelopes.reconcile.desk import Desk, Hit
from trialdesk.model import FORGOTTEN, Envelope, Patient, Pile

GONE = ("void", "lost", "returned")
NEVER = frozenset({"declined", "not_eligible", "not_invited", "not_randomised"})
"""States in which nobody is randomised any more."""
UNSEALED = "unsealed by"
"""How the note of an envelope says that its arm was shown in an emergency."""
_MOVED = re.compile(r"\d{4}-\d{2}-\d{2} (?:packed|dispatched|received) by [^:]*")
"""A line of the note that the desk wrote when it moved the envelope (moving.py), without a reason."""


def opened_in_register_only(desk: Desk) -> Iterator[Hit]:
    """R25: opened in the register, and in no record."""
    named = {opening.id for opening in desk.openings}
    for envelope in desk.envelopes:
        if envelope.status == "opened" and envelope.id not in named and envelope.record != FORGOTTEN:
            text = f"{envelope.id} is opened in the register, and in no record"
            yield Hit(envelope.pile.site, envelope.record, text, envelope.id)


def gone(desk: Desk) -> Iterator[Hit]:
    """R28: opened, and void, lost or returned."""
    for opening, envelope in desk.known:
        if envelope.status in GONE:
            text = f"{envelope.id} was opened, and is {envelope.status} in the register"
            yield Hit(opening.patient.site, opening.patient.record, text, envelope.id)


def arrived_in_part(desk: Desk) -> Iterator[Hit]:
    """R29: of what was sent to a site on one day, some was received and some was not."""
    shipments: dict[tuple[str, date], list[Envelope]] = defaultdict(list)
    for envelope in desk.envelopes:
        if envelope.dispatched_on is not None:
            shipments[envelope.pile.site, envelope.dispatched_on].append(envelope)
    for (site, sent), shipped in sorted(shipments.items()):
        waiting = sorted(envelope.id for envelope in shipped if envelope.status == "dispatched")
        if waiting and any(envelope.received_on for envelope in shipped):
            text = f"sent {sent}: {len(waiting)} of {len(shipped)} envelopes were not received with the others"
            yield Hit(site, "", f"{text}: {', '.join(waiting)}", waiting[0])


def nothing_to_open(desk: Desk) -> Iterator[Hit]:
    """R31: a patient who has consented waits, and no envelope lies in the pile that is the patient's."""
    there = {envelope.pile for envelope in desk.envelopes if envelope.status in ("received", "released")}
    for who in desk.patients:
        waits = who.consented_on is not None and not who.opened and not who.released_envelope and not _over(who)
        pile = Pile(who.site, who.stratum)
        if waits and who.site and who.stratum and desk.envelopes and pile not in there:
            yield Hit(who.site, who.record, f"waits, and no envelope lies in pile {pile}")


def _over(who: Patient) -> bool:
    """Whether the patient is no candidate any more."""
    return bool(who.dead or who.left_on or who.withdrawal or who.not_enrolled_reason or who.states & NEVER)


def without_reason(desk: Desk) -> Iterator[Hit]:
    """R61: void, lost or returned, and the register has no word about why: that it was packed and sent is none."""
    for envelope in desk.envelopes:
        lines = (line.strip() for line in envelope.note.splitlines())
        if envelope.status in GONE and not any(line and not _MOVED.fullmatch(line) for line in lines):
            text = f"{envelope.id} is {envelope.status}, and its note in the register does not say why"
            yield Hit(envelope.pile.site, envelope.record, text, envelope.id)


def halves_disagree(desk: Desk) -> Iterator[Hit]:
    """R50: released in the register or in the record, not in both."""
    patients = {who.record: who for who in desk.patients}
    register = {envelope.id: envelope for envelope in desk.envelopes}
    for envelope in desk.envelopes:
        holder = patients.get(envelope.record)
        if envelope.status == "released" and (holder is None or holder.released_envelope != envelope.id):
            text = f"{envelope.id} is released for {envelope.record or 'no record'} in the register, not in the record"
            yield Hit(envelope.pile.site, envelope.record, text, envelope.id)
    for who in desk.patients:
        held = register.get(who.released_envelope)
        if who.release_open and (held is None or (held.status, held.record) != ("released", who.record)):
            text = f"{who.released_envelope} is released in the record, not in the register"
            yield Hit(who.site, who.record, text, who.released_envelope)


def not_settled(desk: Desk) -> Iterator[Hit]:
    """R51: register and record differ on the opening."""
    for opening, envelope in desk.known:
        who = opening.patient
        if envelope.status == "opened" and (envelope.record, envelope.opened_on) != (who.record, who.opened_on):
            text = f"{envelope.id}: record or day of opening differ in the register"
            yield Hit(who.site, who.record, text, envelope.id)


def unsealed(desk: Desk) -> Iterator[Hit]:
    """R59: the arm was shown in an emergency."""
    for envelope in desk.envelopes:
        for line in envelope.note.splitlines():
            if UNSEALED in line:
                text = f"{envelope.id} was unsealed: {line}"
                yield Hit(envelope.pile.site, envelope.record, text, envelope.id)
