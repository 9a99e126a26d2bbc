"""The sheet Finding ages: how old the open findings of each site are, and the oldest of them."""

from __future__ import annotations

from collections.abc import Sequence

from trialdesk.facts.deriving import Facts
from trialdesk.facts.figures import BANDS, Figures, OpenFinding, by_band
from trialdesk.reports.profiles import UNKNOWN_SITE, Profile
from trialdesk.workbook import Block, Column, Line, SheetTable, Tone, Value

MOST = 20
OLDEST = f"The oldest {MOST}"


def ages(facts: Facts, whole: Figures, reader: Profile) -> SheetTable:
    """Open findings by site and age, and the oldest; accepted ones are counted apart."""
    columns = (
        Column("Site", width=88), *(Column(name, "number", 10) for name, _, _ in BANDS),
        Column("All open", "number", 10), Column("New", "number", 10), Column("Accepted", "number", 11),
    )  # fmt: skip
    codes = [site.code for site in reader.sites]
    lines = [_site(code, [one for one in whole.findings if one.finding.site == code]) for code in codes]
    others = [one for one in whole.findings if one.finding.site not in codes]
    if others:
        lines.append(_site(UNKNOWN_SITE, others))
    lines.append(Line(_site("All", whole.findings).values, "strong"))
    oldest = Block(OLDEST, _columns(), tuple(_one(one, facts) for one in whole.open[:MOST]), "No finding is open.")
    about = "Age counts from the run that saw the finding first, or again after it was over. New: since the last issue."
    return SheetTable("Finding ages", "How old open findings are", about, columns, tuple(lines), more=(oldest,))


def _site(name: str, found: Sequence[OpenFinding]) -> Line:
    still = [one for one in found if not one.accepted]
    bands = by_band(still)
    values: tuple[Value, ...] = (
        name,
        *bands.values(),
        len(still),
        sum(one.new for one in still),
        len(found) - len(still),
    )
    tones: dict[int, Tone] = {number: "quiet" for number, value in enumerate(values) if value == 0}
    if bands[BANDS[-1][0]]:
        tones[len(BANDS)] = "alarm"
    return Line(values, tones=tones)


def _columns() -> tuple[Column, ...]:
    return (
        Column("Finding", width=88), Column("Record", width=10), Column("Site", width=10), Column("Rule", width=10),
        Column("Days", "number", 10), Column("Severity", width=10), Column("Since", "date", 11),
        Column("Deviation", width=11),
    )  # fmt: skip


def _one(one: OpenFinding, facts: Facts) -> Line:
    finding = one.finding
    tone: Tone = "alarm" if finding.severity == "error" else "warning"
    place = facts.common.labels.place(finding.where, numbered=False)
    text = f"{finding.text} ({place})" if place else finding.text
    values = (text, finding.record, finding.site, finding.rule, one.days, finding.severity, one.since, one.deviation)
    return Line(values, tones={5: tone})
