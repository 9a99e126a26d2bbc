"""Rules about which: whether envelope, card, stratum and site belong to the record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from redcap_rules.names import group_name
from trialdesk.allocation.numbering import parse_envelope_id
from trialdesk.envelopes.openings import Opening
from trialdesk.envelopes.reconcile.desk import Desk, Hit
from trialdesk.model import FORGOTTEN, Envelope


def wrong_stratum(desk: Desk) -> Iterator[Hit]:
    """R04: an envelope of another stratum than the record's."""
    for opening, envelope in desk.known:
        stratum = opening.patient.stratum
        if stratum and stratum != envelope.pile.stratum:
            text = f"{envelope.id} is of stratum {envelope.pile.stratum}, the record of {stratum}"
            yield Hit(opening.patient.site, opening.patient.record, text, envelope.id)


def wrong_site(desk: Desk) -> Iterator[Hit]:
    """R06: an envelope of another site than the record's."""
    for opening, envelope in desk.known:
        site = opening.patient.site
        if site and site != envelope.pile.site:
            text = f"{envelope.id} belongs to {envelope.pile.site}, the record to {site}"
            yield Hit(site, opening.patient.record, text, envelope.id)


def used_twice(desk: Desk) -> Iterator[Hit]:
    """R07: one envelope in two records."""
    users: dict[str, list[Opening]] = defaultdict(list)
    for opening in desk.openings:
        users[opening.id].append(opening)
    for name, all_of_them in users.items():
        for opening in all_of_them if len(all_of_them) > 1 else ():
            others = ", ".join(o.patient.record for o in all_of_them if o is not opening)
            yield Hit(
                opening.patient.site, opening.patient.record, f"{name} is also recorded for {others}", name, others
            )


def randomised_twice(desk: Desk) -> Iterator[Hit]:
    """R08: one record, two envelopes of the register; the first opened stands.

    Where they are the one released and another that was opened in its place, R49 tells it.
    """
    told = {one.patient.record: {one.patient.released_envelope, one.id} for one in desk.openings}
    used: dict[str, list[Envelope]] = defaultdict(list)
    for envelope in desk.envelopes:
        if envelope.record not in ("", FORGOTTEN) and envelope.status in ("released", "opened"):
            used[envelope.record].append(envelope)
    for record, found in used.items():
        own = sorted(found)
        if len(own) > 1 and {envelope.id for envelope in own} != told.get(record):
            names = ", ".join(f"{envelope.id} ({envelope.status})" for envelope in own)
            yield Hit(own[0].pile.site, record, f"two envelopes stand for it in the register: {names}")


def of_another_domain(desk: Desk) -> Iterator[Hit]:
    """R10: an envelope of a rehearsal opened for a patient, or one of the trial in a rehearsal."""
    meant = desk.config.envelopes.domain
    for opening, envelope in desk.known:
        if envelope.domain and envelope.domain != meant:
            text = f"{envelope.id} was made for {envelope.domain}, and this is {meant}"
            yield Hit(opening.patient.site, opening.patient.record, text, envelope.id)


def unknown(desk: Desk) -> Iterator[Hit]:
    """R09: a number that is misread, or in no list."""
    for opening in desk.openings:
        if opening.envelope is None:
            yield Hit(opening.patient.site, opening.patient.record, _why_unknown(opening.id), opening.id)


def _why_unknown(name: str) -> str:
    try:
        parse_envelope_id(name)
    except ValueError as error:
        return str(error)
    return f"{name} is not in the register"


def wrong_card(desk: Desk) -> Iterator[Hit]:
    """R11: arm and card code do not belong to the envelope."""
    for opening, envelope in desk.known:
        who = opening.patient
        if who.arm and not who.card_code:
            yield Hit(who.site, who.record, "the card code is missing, so the allocation can't be proved", envelope.id)
        elif who.arm and not desk.proofs.fits(envelope, who.arm, who.card_code):
            yield Hit(who.site, who.record, "arm and card code do not belong to this envelope", envelope.id)


def arm_without_envelope(desk: Desk) -> Iterator[Hit]:
    """R26: an arm without an envelope."""
    for who in desk.patients:
        if who.arm and not who.envelope.strip():
            yield Hit(who.site, who.record, "an arm is recorded without an envelope number")


def not_the_released(desk: Desk) -> Iterator[Hit]:
    """R49: another envelope than the one released."""
    for opening in desk.openings:
        released = opening.patient.released_envelope
        if released and released != opening.id:
            text = f"{released} was released, {opening.id} opened"
            yield Hit(opening.patient.site, opening.patient.record, text, opening.id, released)


def group_not_site(desk: Desk) -> Iterator[Hit]:
    """R52: site field and data access group differ."""
    for who in desk.patients:
        if who.group != (group_name(who.site) if who.site else ""):
            text = f"site field {who.site or 'blank'}, data access group {who.group or 'none'}"
            yield Hit(who.site, who.record, text)
