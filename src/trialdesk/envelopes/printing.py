"""What is printed about envelopes, as the values its templates are given. Arms are in the cards alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from trialdesk.allocation.cards import shown_code
from trialdesk.allocation.numbering import printed
from trialdesk.allocation.tables import Allocation
from trialdesk.config import Config
from trialdesk.model import Envelope, EnvelopeStatus
from trialdesk.paper.codes import qr
from trialdesk.paper.sheets import Sheet
from trialdesk.paper.words import WORDS
from trialdesk.workbook import Column, Line, SheetTable

SAMPLE = 10
"""One envelope of so many is opened again by the checker before it is sealed."""
COUNTED: Mapping[str, tuple[EnvelopeStatus, ...]] = {
    "sent": ("dispatched", "received", "released", "opened", "void", "lost", "returned"),
    "on_hand": ("received", "released"),
    "used": ("opened",),
    "void": ("void",),
    "lost": ("lost",),
    "returned": ("returned",),
}
"""What the accountability counts, by the statuses an envelope has then; what was not sent is not counted."""


def labels(config: Config, envelopes: Sequence[Envelope], sheet: Sheet, language: str) -> dict[str, Any]:
    """Outer labels, one for each envelope, in the order given."""
    told = [{**_outside(config, one, language), "number": one.number, "qr": qr(one.id)} for one in envelopes]
    return {**_common(config, language), "sheet": sheet.told(), "labels": told}


def cards(config: Config, allocations: Sequence[Allocation], language: str) -> dict[str, Any]:
    """Inner cards, with arm and code: for the packer's printer alone.

    Arms are padded to one length, so that a card is as dark and as wide whatever the arm.
    """
    names = {arm.code: arm.label_in(language) for arm in config.arms}
    longest = max(map(len, names.values())) + 2
    told = [
        {
            **_outside(config, one.envelope, language),
            "arm": f" {names[one.card.arm]} ".center(longest + 2, "·"),
            "code": shown_code(one.card.code),
            "qr": qr(f"{one.envelope.id} {one.card.code}"),
        }
        for one in allocations
    ]
    # the box is 79 mm wide inside, a letter of this face 0.6 of its size
    size = min(14.0, 79 / 0.3528 / (0.603 * (longest + 2)))
    return {**_common(config, language), "cards": told, "pattern": _pattern(), "arm_size": round(size, 2)}


def shipment(
    config: Config, parcel: str, envelopes: Sequence[Envelope], manifest: str, language: str
) -> dict[str, Any]:
    """Manifest, receipt and packing checklist of a parcel.

    Args:
        config: The trial.
        parcel: Its name.
        envelopes: Those of the parcel, by pile and number.
        manifest: The text of the version's manifest: the sample to check follows from its SHA-256, so nobody chooses.
        language: `da` or `en`.
    """
    drawn = sample([one.id for one in envelopes], manifest)
    told = [{**_outside(config, one, language), "sample": one.id in drawn} for one in envelopes]
    site = config.sites_by_code[envelopes[0].pile.site].name
    return {**_common(config, language), "parcel": parcel, "site": site, "envelopes": told}


def sample(ids: Sequence[str], manifest: str) -> frozenset[str]:
    """The tenth of the envelopes (rounded up) to check: those with the smallest SHA-256 of manifest digest and id."""
    seed = hashlib.sha256(manifest.encode()).digest()
    order = sorted(ids, key=lambda name: hashlib.sha256(seed + name.encode()).digest())
    return frozenset(order[: -(-len(ids) // SAMPLE)])


def opening_log(config: Config, site: str, language: str, lines: int = 12) -> dict[str, Any]:
    """A page of the site's opening log, to be filled in by hand."""
    return {**_common(config, language), "site": config.sites_by_code[site].name, "lines": lines}


def accountability(config: Config, envelopes: Sequence[Envelope], day: date, language: str) -> dict[str, Any]:
    """Site × stratum: how many were sent, lie there, were opened, are void, lost or came back."""
    words, rows = WORDS[language], _counts(config, envelopes)
    heads = [words[name] for name in COUNTED]
    told = [
        {"site": site, "stratum": config.stratum_label(stratum, language), "counts": counts}
        for site, stratum, counts in rows
    ]
    sums = [sum(counts[place] for _, _, counts in rows) for place in range(len(heads))]
    return {**_common(config, language), "day": str(day), "heads": heads, "rows": told, "sums": sums}


def accountability_sheet(config: Config, envelopes: Sequence[Envelope], day: date, language: str) -> SheetTable:
    """The same as a sheet of a workbook."""
    words = WORDS[language]
    columns = (
        Column(words["site"], width=8), Column(words["stratum"], width=50),
        *(Column(words[name], "number", 12) for name in COUNTED),
    )  # fmt: skip
    lines = tuple(
        Line((site, config.stratum_label(stratum, language), *counts))
        for site, stratum, counts in _counts(config, envelopes)
    )
    title = words["accountability"]
    return SheetTable(title[:31], f"{title}: {config.trial.id}", str(day), columns, lines, keys=2)


def _counts(config: Config, envelopes: Sequence[Envelope]) -> list[tuple[str, str, list[int]]]:
    held: Mapping[tuple[str, str, EnvelopeStatus], int] = Counter(
        (one.pile.site, one.pile.stratum, one.status) for one in envelopes
    )
    return [
        (
            pile.site,
            pile.stratum,
            [sum(held[pile.site, pile.stratum, one] for one in some) for some in COUNTED.values()],
        )
        for pile in config.piles
    ]


def _outside(config: Config, envelope: Envelope, language: str) -> dict[str, Any]:
    """What may stand on the outside of an envelope."""
    return {
        "shown": printed(envelope.id, config.envelopes.domain),
        "site": config.sites_by_code[envelope.pile.site].name,
        "stratum": config.stratum_label(envelope.pile.stratum, language),
    }


def _common(config: Config, language: str) -> dict[str, Any]:
    return {
        "trial": config.trial.id,
        "trial_title": config.trial.title,
        "title": config.trial.id,
        "words": dict(WORDS[language]),
        "test": config.envelopes.domain == "dev",
    }


def _pattern() -> list[str]:
    """Lines of letters that hide what is printed behind them; the same on every card."""
    letters = "XHMWEBRKNAQG"
    pairs = [[letters[(at * at + 5 * line) % 11] + letters[(at + line) % 7] for at in range(34)] for line in range(80)]
    return ["".join(line) for line in pairs]
