"""The sheet Envelopes: what became of the envelopes of every site; no number, no pile, nothing of a sequence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from trialdesk.facts.deriving import Facts
from trialdesk.model import Envelope, EnvelopeStatus
from trialdesk.reports.profiles import Profile
from trialdesk.workbook import Column, Line, SheetTable, Tone, Value

# What a monitor reads of each status; what still lies at the desk is not told: it would say how parcels are cut.
_SHOWN: tuple[tuple[str, EnvelopeStatus], ...] = (
    ("On the way", "dispatched"), ("In stock", "received"), ("Released, not opened", "released"), ("Opened", "opened"),
    ("Void", "void"), ("Lost", "lost"), ("Returned", "returned"),
)  # fmt: skip


def envelopes(facts: Facts, reader: Profile) -> SheetTable:
    """Sites with the envelopes sent to them by status, the patients randomised, and what does not agree."""
    columns = (
        Column("Site", width=8), Column("Name", width=40), Column("Sent", "number", 9),
        *(Column(title, "number", 11) for title, _ in _SHOWN), Column("Randomised", "number", 13),
        Column("Discrepancies", "number", 13),
    )  # fmt: skip
    sites = [(site.code, site.name) for site in reader.sites]
    lines = [_line(code, name, facts, [code]) for code, name in sites]
    about = (
        "Sent: all but what lies at the desk. Every opened envelope is one randomised patient; discrepancies are told "
        "in the coordinator's lists."
    )
    if reader.whole:
        whole = _line("All", "Whole trial", facts, [code for code, _ in sites])
        lines.append(Line(whole.values, "strong", whole.tones))
    return SheetTable("Envelopes", "Envelope accountability", about, columns, tuple(lines), keys=2)


def _line(code: str, name: str, facts: Facts, sites: Sequence[str]) -> Line:
    mine: list[Envelope] = [one for one in facts.cards.register if one.pile.site in sites]
    at = Counter(one.status for one in mine)
    shown = [at[status] for _, status in _SHOWN]
    randomised = sum(facts.cohort.at(site).randomised for site in sites)
    wrong = sum(one.site in sites for one in facts.cards.findings)
    values: tuple[Value, ...] = (code, name, sum(shown), *shown, randomised, wrong)
    tones: dict[int, Tone] = {number: "quiet" for number, value in enumerate(values) if value == 0}
    return Line(values, tones=tones | ({len(values) - 1: "warning"} if wrong else {}))
