"""The public side of a version: counts, digests and the Merkle root; never an arm, a block size or the master."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby

from trialdesk.allocation.cards import merkle_root
from trialdesk.allocation.codes import Codes, codes_from
from trialdesk.allocation.scheme import SCHEME
from trialdesk.allocation.tables import Table


@dataclass(frozen=True, slots=True, order=True)
class PileCount:
    """What one version adds to one pile."""

    pile: str
    batch: int
    first: int
    last: int
    count: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What may be filed and published before the first patient.

    `sealed_sha256` is the digest of the sealed file; `previous_sha256` that of the manifest before, so that the
    versions form a chain ("" for the first).
    """

    schema: int
    trial: str
    domain: str
    scheme: str
    version: int
    made: str
    envelopes: int
    piles: tuple[PileCount, ...]
    merkle_root: str
    sealed_sha256: str
    previous_sha256: str
    codes: Codes | None = None
    """What the codes mean; a version of schema 1 does not say."""


def sites_of(manifest: Manifest) -> tuple[str, ...]:
    """The sites a version makes envelopes for: each gets one parcel."""
    return tuple(sorted({count.pile.partition("-")[0] for count in manifest.piles}))


def describe(table: Table, sealed: bytes, made: str, previous: str) -> Manifest:
    """The manifest of a table.

    Args:
        table: The table.
        sealed: The sealed file.
        made: The day it was made, ISO.
        previous: The text of the manifest before, "" for the first version.
    """
    envelopes = [allocation.envelope for allocation in table.allocations]
    piles = []
    for (pile, batch), group in groupby(envelopes, key=lambda envelope: (envelope.pile, envelope.batch)):
        numbers = [envelope.number for envelope in group]
        piles.append(PileCount(str(pile), batch, numbers[0], numbers[-1], len(numbers)))
    return Manifest(
        schema=table.schema,
        trial=table.scheme.trial,
        domain=table.scheme.domain,
        scheme=SCHEME,
        version=table.version,
        made=made,
        envelopes=len(envelopes),
        piles=tuple(piles),
        merkle_root=merkle_root(table.commitments),
        sealed_sha256=hashlib.sha256(sealed).hexdigest(),
        previous_sha256=hashlib.sha256(previous.encode()).hexdigest() if previous else "",
        codes=table.codes,
    )


def to_text(manifest: Manifest) -> str:
    """The manifest as JSON, keys sorted."""
    told = {name: value for name, value in asdict(manifest).items() if name != "codes" or value is not None}
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def from_text(text: str) -> Manifest:
    """A manifest of its JSON.

    Raises:
        ValueError: The text is not a manifest.
    """
    try:
        told = json.loads(text)
        piles = tuple(PileCount(**one) for one in told.pop("piles"))
        codes = codes_from(told.pop("codes")) if "codes" in told else None
        made = Manifest(**told, piles=piles, codes=codes)
        date.fromisoformat(made.made)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None
    return made


def made_on(text: str) -> str:
    """The day written in a manifest, ISO.

    Raises:
        ValueError: The text is not a manifest.
    """
    try:
        return date.fromisoformat(json.loads(text)["made"]).isoformat()
    except (KeyError, TypeError) as error:
        raise ValueError(str(error)) from None
