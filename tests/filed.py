"""A manifest for a register that a test made up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from trialdesk.allocation.cards import merkle_root
from trialdesk.allocation.codes import codes_of
from trialdesk.allocation.manifest import Manifest, PileCount, to_text
from trialdesk.allocation.scheme import SCHEME
from trialdesk.config import Config
from trialdesk.envelopes.filing import file_manifest
from trialdesk.model import Envelope


def manifest_of(config: Config, envelopes: Sequence[Envelope], version: int = 1, previous: str = "") -> Manifest:
    """What the packer's manifest of these envelopes says."""
    piles = []
    for (pile, batch), group in groupby(sorted(envelopes), key=lambda one: (one.pile, one.batch)):
        numbers = [one.number for one in group]
        piles.append(PileCount(str(pile), batch, numbers[0], numbers[-1], len(numbers)))
    return Manifest(
        schema=2,
        trial=config.trial.id,
        domain=config.envelopes.domain,
        scheme=SCHEME,
        version=version,
        made="2026-01-02",
        envelopes=len(envelopes),
        piles=tuple(piles),
        merkle_root=merkle_root({one.id: one.commitment for one in envelopes}),
        sealed_sha256="",
        previous_sha256=previous,
        codes=codes_of(config),
    )


def file_register(config: Config, envelopes: Sequence[Envelope]) -> None:
    """Every envelope is of one version, which is filed."""
    made = manifest_of(config, envelopes)
    config.home.mkdir(exist_ok=True)
    path = config.state / "manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_text(made), encoding="utf-8")
    file_manifest(config, path, made.merkle_root)
    path.unlink()
