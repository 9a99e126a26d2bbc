"""Reconciliation of register and records: what a person has to look at (reference/randomisation.md 5).

An opened envelope is an allocation whatever went wrong: findings report and never propose to undo. No text tells an
arm, of an opened envelope or another. Rules from R49 on are ours; the numbers below are those of the reference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import NamedTuple

from redcap_rules.names import group_name
from trialdesk.allocation.cards import verify_card
from trialdesk.allocation.numbering import parse_envelope_id
from trialdesk.config import Config
from trialdesk.envelopes.openings import Opening, openings
from trialdesk.instruments.rules import RuleClass
from trialdesk.model import Envelope, Finding, Patient, Pile

GONE = ("void", "lost", "returned")
UNSEALED = "unsealed by"
"""How the note of an envelope says that its arm was shown in an emergency."""
NOT_OF_AN_OPENING = ("R52",)
"""Rules about the record as a whole: the fault lies in no event."""


class Hit(NamedTuple):
    """What a rule found: site code, record, text; the envelope it is about, and another record or envelope."""

    site: str
    record: str
    text: str
    envelope: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the rules look at."""

    config: Config
    patients: tuple[Patient, ...]
    envelopes: tuple[Envelope, ...]
    openings: tuple[Opening, ...]

    @property
    def known(self) -> Iterator[tuple[Opening, Envelope]]:
        """The openings of envelopes that are in the register."""
        return ((opening, opening.envelope) for opening in self.openings if opening.envelope is not None)

    @property
    def piles(self) -> Mapping[Pile, Sequence[tuple[Envelope, Opening | None]]]:
        """Every pile in running order, each envelope with its first opening."""
        first: dict[str, Opening] = {}
        for opening in self.openings:
            first.setdefault(opening.id, opening)
        piles: dict[Pile, list[tuple[Envelope, Opening | None]]] = defaultdict(list)
        for envelope in sorted(self.envelopes):
            piles[envelope.pile].append((envelope, first.get(envelope.id)))
        return piles


def reconcile(patients: Sequence[Patient], envelopes: Sequence[Envelope], config: Config) -> list[Finding]:
    """Every finding, sorted; the same data give the same findings on any day."""
    desk = Desk(config, tuple(patients), tuple(envelopes), openings(patients, envelopes, config.envelopes.domain))
    event = config.facts.envelope.event
    return sorted(
        Finding(
            rule,
            hit.site,
            hit.record,
            event if hit.record and rule not in NOT_OF_AN_OPENING else "",
            OWN[rule].severity,
            hit.text,
            envelope=hit.envelope,
            other=hit.other,
            evidence=hit.text,
        )
        for rule, find in RULES.items()
        for hit in find(desk)
    )


def _out_of_order(desk: Desk) -> Iterator[Hit]:
    for pile, members in desk.piles.items():
        opened = [opening for _, opening in members if opening is not None and opening.at is not None]
        for place, higher in enumerate(opened):
            lower = next((one for one in opened[:place] if _before(higher, one)), None)
            if lower is not None:
                text = f"{higher.id} was opened before {lower.id}, which comes first in its pile"
                yield Hit(pile.site, higher.patient.record, text, higher.id, lower.id)


def _before(one: Opening, other: Opening) -> bool:
    """Whether `one` was surely opened before `other`: two openings of one day need a time to be put in order."""
    if one.at is None or other.at is None:
        return False
    return one.at < other.at if one.patient.opened_time else one.at.date() < other.at.date()


def _skipped(desk: Desk) -> Iterator[Hit]:
    for pile, members in desk.piles.items():
        waiting = [envelope for envelope, opening in members if opening is None]
        for higher, opening in members:
            if opening is None:
                continue
            lower = next((e for e in waiting if e.number < higher.number and _was_there(e, opening)), None)
            if lower is not None:
                text = f"{higher.id} was opened while {lower.id}, which comes first, lay unopened"
                yield Hit(pile.site, opening.patient.record, text, opening.id, lower.id)


def _was_there(envelope: Envelope, opening: Opening) -> bool:
    if envelope.status not in ("received", "released"):
        return False
    day = opening.patient.opened_on
    return envelope.received_on is None or day is None or envelope.received_on < day


def _wrong_stratum(desk: Desk) -> Iterator[Hit]:
    for opening, envelope in desk.known:
        stratum = opening.patient.stratum
        if stratum and stratum != envelope.pile.stratum:
            text = f"{envelope.id} is of stratum {envelope.pile.stratum}, the record of {stratum}"
            yield Hit(opening.patient.site, opening.patient.record, text, envelope.id)


def _wrong_site(desk: Desk) -> Iterator[Hit]:
    for opening, envelope in desk.known:
        site = opening.patient.site
        if site and site != envelope.pile.site:
            text = f"{envelope.id} belongs to {envelope.pile.site}, the record to {site}"
            yield Hit(site, opening.patient.record, text, envelope.id)


def _used_twice(desk: Desk) -> Iterator[Hit]:
    users: dict[str, list[Opening]] = defaultdict(list)
    for opening in desk.openings:
        users[opening.id].append(opening)
    for name, all_of_them in users.items():
        for opening in all_of_them if len(all_of_them) > 1 else ():
            others = ", ".join(o.patient.record for o in all_of_them if o is not opening)
            yield Hit(
                opening.patient.site, opening.patient.record, f"{name} is also recorded for {others}", name, others
            )


def _unknown(desk: Desk) -> Iterator[Hit]:
    for opening in desk.openings:
        if opening.envelope is None:
            yield Hit(opening.patient.site, opening.patient.record, _why_unknown(opening.id), opening.id)


def _why_unknown(name: str) -> str:
    try:
        parse_envelope_id(name)
    except ValueError as error:
        return str(error)
    return f"{name} is not in the register"


def _wrong_card(desk: Desk) -> Iterator[Hit]:
    trial = desk.config.trial.id
    for opening, envelope in desk.known:
        who = opening.patient
        if who.arm and not who.card_code:
            yield Hit(who.site, who.record, "the card code is missing, so the allocation can't be proved", envelope.id)
        elif who.arm and not verify_card(envelope.commitment, trial, envelope.id, who.arm, who.card_code):
            yield Hit(who.site, who.record, "arm and card code do not belong to this envelope", envelope.id)


def _before_consent(desk: Desk) -> Iterator[Hit]:
    for who in desk.patients:
        if who.opened_on and (who.consented_on is None or who.opened_on < who.consented_on):
            consent = f"consent {who.consented_on}" if who.consented_on else "no date of consent"
            yield Hit(who.site, who.record, f"opened {who.opened_on}, {consent}")


def _two_at_a_time(desk: Desk) -> Iterator[Hit]:
    spans = sorted(_spans(desk), key=lambda span: (span[0], span[2].record))
    for (start, end, one), (begin, finish, two) in combinations(spans, 2):
        same = desk.config.envelopes.scope == "trial" or one.site == two.site
        if same and start < finish and begin < end:
            text = f"its envelope and that of {one.record} were released or opened at one time"
            yield Hit(two.site, two.record, text, other=one.record)


def _spans(desk: Desk) -> Iterator[tuple[datetime, datetime, Patient]]:
    """From release to opening; an opening without release is the minute itself, an open release has no end."""
    at = {opening.patient.record: opening.at for opening in desk.openings}
    for who in desk.patients:
        opened = at.get(who.record)
        start = who.released_at or opened
        if start is not None:
            # a blank time reads as midnight: never before the release itself
            yield start, datetime.max if opened is None else max(start, opened), who


def _without_release(desk: Desk) -> Iterator[Hit]:
    for opening in desk.openings:
        who = opening.patient
        if not who.released_envelope:
            yield Hit(who.site, who.record, f"{opening.id} was opened without a release by the coordinator", opening.id)
        elif opening.at and who.released_at and _sooner(opening.at, who):
            text = f"{opening.id} was opened {opening.at}, before its release {who.released_at}"
            yield Hit(who.site, who.record, text, opening.id)


def _sooner(opened: datetime, who: Patient) -> bool:
    """Whether the opening was surely before the release: without a time, only on an earlier day."""
    released = who.released_at or datetime.min
    return opened < released if who.opened_time else opened.date() < released.date()


def _opened_in_register_only(desk: Desk) -> Iterator[Hit]:
    named = {opening.id for opening in desk.openings}
    for envelope in desk.envelopes:
        if envelope.status == "opened" and envelope.id not in named:
            text = f"{envelope.id} is opened in the register, and in no record"
            yield Hit(envelope.pile.site, envelope.record, text, envelope.id)


def _arm_without_envelope(desk: Desk) -> Iterator[Hit]:
    for who in desk.patients:
        if who.arm and not who.envelope.strip():
            yield Hit(who.site, who.record, "an arm is recorded without an envelope number")


def _gone(desk: Desk) -> Iterator[Hit]:
    for opening, envelope in desk.known:
        if envelope.status in GONE:
            text = f"{envelope.id} was opened, and is {envelope.status} in the register"
            yield Hit(opening.patient.site, opening.patient.record, text, envelope.id)


def _before_receipt(desk: Desk) -> Iterator[Hit]:
    for opening, envelope in desk.known:
        day, received = opening.patient.opened_on, envelope.received_on
        if received is None:
            text = f"{envelope.id} was opened, and the register has no day on which the site received it"
        elif day and day < received:
            text = f"{envelope.id} was opened {day}, and received {received}"
        else:
            continue
        yield Hit(opening.patient.site, opening.patient.record, text, envelope.id)


def _not_the_released(desk: Desk) -> Iterator[Hit]:
    for opening in desk.openings:
        released = opening.patient.released_envelope
        if released and released != opening.id:
            text = f"{released} was released, {opening.id} opened"
            yield Hit(opening.patient.site, opening.patient.record, text, opening.id, released)


def _halves_disagree(desk: Desk) -> Iterator[Hit]:
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


def _not_settled(desk: Desk) -> Iterator[Hit]:
    for opening, envelope in desk.known:
        who = opening.patient
        if envelope.status == "opened" and (envelope.record, envelope.opened_on) != (who.record, who.opened_on):
            text = f"{envelope.id}: record or day of opening differ in the register"
            yield Hit(who.site, who.record, text, envelope.id)


def _group_not_site(desk: Desk) -> Iterator[Hit]:
    for who in desk.patients:
        if who.group != (group_name(who.site) if who.site else ""):
            text = f"site field {who.site or 'blank'}, data access group {who.group or 'none'}"
            yield Hit(who.site, who.record, text)


def _no_date(desk: Desk) -> Iterator[Hit]:
    for who in desk.patients:
        if (who.arm or who.envelope.strip()) and who.opened_on is None:
            yield Hit(who.site, who.record, "envelope or arm is recorded, the date of opening is missing")


def _unsealed(desk: Desk) -> Iterator[Hit]:
    for envelope in desk.envelopes:
        for line in envelope.note.splitlines():
            if UNSEALED in line:
                text = f"{envelope.id} was unsealed: {line}"
                yield Hit(envelope.pile.site, envelope.record, text, envelope.id)


RULES: Mapping[str, Callable[[Desk], Iterator[Hit]]] = {
    "R01": _out_of_order,
    "R02": _skipped,
    "R04": _wrong_stratum,
    "R06": _wrong_site,
    "R07": _used_twice,
    "R09": _unknown,
    "R11": _wrong_card,
    "R13": _before_consent,
    "R20": _two_at_a_time,
    "R21": _without_release,
    "R25": _opened_in_register_only,
    "R26": _arm_without_envelope,
    "R28": _gone,
    "R30": _before_receipt,
    "R49": _not_the_released,
    "R50": _halves_disagree,
    "R51": _not_settled,
    "R52": _group_not_site,
    "R53": _no_date,
    "R59": _unsealed,
}
OWN: Mapping[str, RuleClass] = {
    "R01": RuleClass("error", "D04", open=True, wording="Opened before an envelope that comes first in its pile"),
    "R02": RuleClass(
        "error", "D04", open=True, wording="Opened while an envelope that comes first in its pile lay unopened"
    ),
    "R04": RuleClass("error", "D05", open=True, wording="Envelope of another stratum than the record's"),
    "R06": RuleClass("error", "D04", open=True, wording="Envelope of another site than the record's"),
    "R07": RuleClass("error", "D04", open=True, wording="The same envelope is recorded for another patient too"),
    "R09": RuleClass("error", "D04", open=True, wording="The envelope number is misread or not in the register"),
    "R11": RuleClass(
        "error", "D04", open=True, wording="Arm and card code do not belong to the envelope, or the code is missing"
    ),
    "R13": RuleClass("error", "D01", open=True, wording="Opened before the consent, or without a date of consent"),
    "R20": RuleClass("error", "D04", open=True, wording="Released or opened at the same time as another envelope"),
    "R21": RuleClass("error", "D04", open=True, wording="Opened without a release by the coordinator, or before it"),
    "R25": RuleClass("error", "D04", open=True, wording="Opened in the register, and in no record"),
    "R26": RuleClass("error", "D04", open=True, wording="An arm is recorded without an envelope number"),
    "R28": RuleClass("error", "D04", open=True, wording="Opened, and void, lost or returned in the register"),
    "R30": RuleClass("error", "D04", open=True, wording="Opened before the register has it as received"),
    "R49": RuleClass("error", "D04", open=True, wording="Another envelope was opened than the one released"),
    "R50": RuleClass("warning", "", open=True, wording="Released in the register or in the record, not in both"),
    "R51": RuleClass("warning", "", open=True, wording="Opening differs between register and record"),
    "R52": RuleClass("error", "", open=True, wording="Site field and data access group differ"),
    "R53": RuleClass("warning", "", open=True, wording="Envelope or arm is recorded without the date of opening"),
    "R59": RuleClass("error", "D04", open=True, wording="The arm of an envelope was shown in an emergency"),
}
"""How each rule is treated where a trial says nothing else (reference/instruments.md 9 has the codes)."""
