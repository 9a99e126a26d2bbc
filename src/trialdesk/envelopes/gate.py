"""Whether an envelope may be released for a record: every reason against it at once (reference/design.md 4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from redcap_rules.logic import LogicError, evaluate, is_true
from redcap_rules.names import group_name
from trialdesk.allocation.manifest import Manifest
from trialdesk.allocation.numbering import parse_envelope_id
from trialdesk.config import Config
from trialdesk.envelopes.filing import held
from trialdesk.envelopes.marks import Marks
from trialdesk.envelopes.register import missing
from trialdesk.errors import ConfigError
from trialdesk.model import Envelope, Patient, Pile
from trialdesk.redcap.patients import patient
from trialdesk.redcap.snapshot import Snapshot

_WAY_OUT = "if it was not opened for this record, run this with --take-back, then again"


@dataclass(frozen=True, slots=True)
class Case:
    """What is looked at before a release: one record freshly pulled, and the marks of all."""

    config: Config
    snapshot: Snapshot
    marks: Marks
    record: str
    today: date
    filed: tuple[Manifest, ...] = ()

    @property
    def patient(self) -> Patient:
        """The record as a patient."""
        return patient(self.snapshot, self.config, self.record)


def refusals(case: Case) -> tuple[str, ...]:
    """What in the record, the register or the settings forbids a release now; () when nothing does.

    One sentence each, without the record. Releases for other records are not looked at (`rivals`).

    Raises:
        ConfigError: the configuration's logic does not fit the project.
    """
    if case.record not in case.snapshot.records:
        return ("there is no such record; check the number",)
    who = case.patient
    return (*_rights(case), *_site(case, who), *_stratum(case, who), *_used(case, who), *_unmet(case))


def rivals(case: Case) -> tuple[str, ...]:
    """The releases for other records that are open and forbid one for this record; one sentence each."""
    return tuple(_others(case, case.patient))


def standing(case: Case) -> Envelope | None:
    """The envelope that is released for the record in both projects and not opened; None without one."""
    who = case.patient
    held = [envelope for envelope in case.marks.released_to(case.record) if envelope.id == who.released_envelope]
    return held[0] if held and not who.opened else None


def half(case: Case) -> Envelope | None:
    """The envelope of a release that broke off between its two writes: the register has it, the record does not."""
    if case.record not in case.snapshot.records or case.patient.released_envelope or case.patient.opened:
        return None
    held = [e for e in case.marks.released_to(case.record) if not case.marks.named_by(e.id)]
    return held[0] if len(held) == 1 else None


def torn(case: Case) -> Envelope | None:
    """The envelope of a release whose mark in the register is gone: the record has it whole, the register as received.

    A call that is killed while it takes its own marks back may have written over another's.
    """
    if case.record not in case.snapshot.records or case.patient.opened or case.patient.released_at is None:
        return None
    held = (e for e in case.marks.envelopes if e.id == case.patient.released_envelope)
    return next((e for e in held if e.status == "received" and not case.marks.named_by(e.id)), None)


def fits(case: Case, envelope: Envelope) -> bool:
    """Whether the envelope is of the record's site and stratum, as they are now."""
    return envelope.pile == Pile(case.patient.site, case.patient.stratum)


def available(case: Case) -> Envelope | None:
    """The envelope to release: what a broken-off release holds and still fits, or the lowest received of the pile.

    An envelope some record names, as opened or released, is used, even while the register does not know it yet.
    """
    begun = half(case) or torn(case)
    if begun is not None and fits(case, begun):
        return begun
    pile = Pile(case.patient.site, case.patient.stratum)
    received = (e for e in case.marks.envelopes if e.pile == pile and e.status == "received")
    spoken_for = {mark.named for mark in case.marks.records} | {mark.envelope for mark in case.marks.records}
    waiting = [envelope for envelope in received if envelope.id not in spoken_for]
    return min(waiting, default=None)  # of one pile: by number


def _rights(case: Case) -> Iterator[str]:
    if case.snapshot.missing:
        yield f"REDCap left out {len(case.snapshot.missing)} column(s); give the token's user full export rights"


def _site(case: Case, who: Patient) -> Iterator[str]:
    site = case.config.sites_by_code.get(who.site)
    if site is None:
        yield f"its site ({who.site or 'blank'}) is not one of the configuration; complete the site field"
        return
    if who.group != group_name(site.code):
        yield f"its site field says {site.code}, its data access group {who.group or 'none'}; correct the wrong one"
    if not site.opens <= case.today <= (site.closes or case.today):
        yield f"site {site.code} is not open on {case.today}"


def _stratum(case: Case, who: Patient) -> Iterator[str]:
    view = case.snapshot.view(case.record)
    if not who.stratum:
        for factor in case.config.strata:
            if view.value(factor.field.field, factor.field.event) not in {level.value for level in factor.levels}:
                yield f"{factor.name} is blank or unknown; complete it"
    elif lacking := _lacking(case, Pile(who.site, who.stratum)):
        yield f"the register does not show {', '.join(lacking)}, which come first in the pile; ask the packer"
    elif who.site in case.config.sites_by_code and standing(case) is None and available(case) is None:
        yield f"no received envelope is left at {who.site} for {case.config.stratum_label(who.stratum)}; send more"
    else:
        yield from _unproved(case, standing(case) or available(case))


def _unproved(case: Case, envelope: Envelope | None) -> Iterator[str]:
    """Why the envelope is not one of those that were filed."""
    why = held(case.filed, case.marks.envelopes).against(envelope.id) if envelope else ""
    if why:
        yield why


def _lacking(case: Case, pile: Pile) -> tuple[str, ...]:
    """Envelopes below others of a pile that the register's answer leaves out."""
    return tuple(name for name in missing(case.marks.envelopes, ()) if parse_envelope_id(name)[0] == pile)


def _used(case: Case, who: Patient) -> Iterator[str]:
    held = [envelope.id for envelope in case.marks.released_to(case.record)]
    if who.opened:
        yield "an envelope is recorded as opened for it already; one record opens one envelope"
    elif len(held) > 1:
        yield f"{' and '.join(held)} are released for it in the register; one record opens one envelope: {_WAY_OUT}"
    elif who.released_envelope and who.released_envelope not in held and not _can_be_mended(case):
        yield (
            f"{who.released_envelope} is released for it already in the record, and in the register it is not: "
            f"{_WAY_OUT}"
        )
    elif (stands := standing(case)) and (user := case.marks.named_by(stands.id)):
        yield f"{stands.id} is released for it, and is recorded as opened for {user}: {_WAY_OUT}"
    elif stands and not fits(case, stands):
        yield f"{stands.id} is released for it, and is not of the site and stratum the record has now: {_WAY_OUT}"


def _can_be_mended(case: Case) -> bool:
    lost = torn(case)
    return lost is not None and fits(case, lost)


def _unmet(case: Case) -> Iterator[str]:
    view = case.snapshot.view(case.record)
    try:
        for requirement in case.config.release:
            if not is_true(evaluate(requirement.require, view, today=case.today)):
                yield requirement.otherwise
    except LogicError as error:
        raise ConfigError(f"release: the logic does not fit the project: {error}") from None


def _others(case: Case, who: Patient) -> Iterator[str]:
    for other in case.marks.rivals(case.record, who.site, case.config.envelopes.scope):
        if not other.record:
            yield f"{other.envelope} is released for no record in the register; correct its status there"
            continue
        begun = " (half done: release that record again to finish it, or --take-back)"
        where = "" if case.marks.envelope_in(other.record) else begun
        yield f"{other.envelope} is released for {other.record} and not opened yet{where}; one at a time"
