"""What the cards prove: which envelopes records have opened, whether each as it should be, and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from trialdesk.allocation.manifest import Manifest
from trialdesk.config import Config
from trialdesk.envelopes.filing import Held, held
from trialdesk.envelopes.openings import settle
from trialdesk.envelopes.proofs import Proofs
from trialdesk.envelopes.reconcile import reconcile
from trialdesk.envelopes.stock import PileStock, Proposal, proposals, stock
from trialdesk.model import Envelope, Finding, Patient


@dataclass(frozen=True, slots=True)
class Cards:
    """The register against the records.

    `opened` are the envelopes that become opened because a record proves it, `register` the whole register as it is
    then; findings and stock are about that. None of it may be derived in another world: there no card fits.
    `held` is the register against the filed manifests, `told_by` the run that enclosed it for the closed report; ""
    where the register itself was read. `proved` are digests of the cards that fit.
    """

    register: tuple[Envelope, ...] = ()
    opened: tuple[Envelope, ...] = ()
    findings: tuple[Finding, ...] = ()
    stock: tuple[PileStock, ...] = ()
    proposed: tuple[Proposal, ...] = ()
    held: Held = field(default_factory=Held)
    told_by: str = ""
    proved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Before:
    """What is known beforehand: the filed manifests, the new ids of renamed records, and the cards proved before."""

    filed: Sequence[Manifest] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    secret: bytes = field(default=b"", repr=False)
    proved: Sequence[str] = ()


def prove_cards(
    patients: Sequence[Patient],
    register: Sequence[Envelope],
    config: Config,
    day: date,
    before: Before = Before(),
) -> Cards:
    """What register and records say together.

    Args:
        patients: Those of the real pull.
        register: The register of the same moment.
        config: The trial.
        day: The day of the pull.
        before: What is known beforehand; `renamed` is new id to old id.
    """
    proofs = Proofs(config.trial.id, before.secret, before.proved)
    opened = settle(patients, register, config, before.renamed, proofs)
    by_id = {envelope.id: envelope for envelope in opened}
    settled = tuple(by_id.get(envelope.id, envelope) for envelope in register)
    findings, proved = tuple(reconcile(patients, settled, config, proofs)), held(before.filed, register)
    piles, wanted = stock(config, settled, day, proved.versions), proposals(config, settled, day)
    return Cards(settled, opened, findings, piles, wanted, proved, proved=tuple(sorted(proofs.proved)))
