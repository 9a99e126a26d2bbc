"""Who may see what: allow-lists of sheets and columns. What does not stand here is not shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from trialdesk.config import Config, Site
from trialdesk.errors import ConfigError
from trialdesk.facts.cohort import reasons, states
from trialdesk.facts.tracks import shared
from trialdesk.workbook import Chart, Column, Line, SheetTable

# In place of these stand one column for each step of recruitment, site, state of a randomised patient, reason for not
# being randomised, contact that all arms have, site again, and arm.
STEPS, SITES, STATES = "<steps>", "<sites>", "<states>"
REASONS, CONTACTS, MISSING, ARMS = "<reasons>", "<contacts>", "<missing at sites>", "<arms>"
NO_ARM = "Arm not recorded"
UNKNOWN_SITE = "?"
"""Stands for the site of patients whose site field names none; only readers of the whole trial see them."""

_OPEN: Mapping[str, tuple[str, ...]] = {
    "Enrolment": (
        "Site", "Name", "Note", "Opened", STEPS, "Target", "% of target", "Last randomised", "Days since",
        "Site-months", "A month",
    ),
    "By month": (
        "Month", SITES, "Randomised", "Planned", "So far", "Planned so far", "Ahead or behind", "Open sites",
        "A site-month",
    ),
    "Flow": ("Box", "Part of", "Patients", "% of that"),
    "Patients": (
        "Record", "Site", "Last step", "Not randomised", "Reason given", "State", "Screened", "Consented",
        "Randomised", "Days in trial",
    ),
    "Completeness": ("Event", "Form", "Expected", "Entered", "Complete", "Missing", "% complete"),
    "Findings": ("Severity", "Rule", "Site", "Record", "Where", "Finding", "Deviation", "Since", "Accepted"),
    "About": ("Term", "Meaning"),
}  # fmt: skip
_DRAWING = tuple(map(str, range(12)))
# A further table of a sheet stands under the name of the sheet and its own title.
_MONITOR: Mapping[str, tuple[str, ...]] = {
    "Contents": ("Sheet", "What it answers"),
    "Contents · What it was made from": ("Term", "Value"),
    "Contents · The most important changes": ("Change", "Detail"),
    "Key figures": ("Id", "Figure", "Value", "Last issued", "Change", "Judgement", "How"),
    "Accrual": _DRAWING,
    "Accrual numbers": _OPEN["By month"],
    "Accrual curve": ("Month", "Plan", "So far", "Low", "Median", "High"),
    "Accrual numbers · Sites against their targets": ("Site", "Done", "Left", "Target"),
    "Sites": (
        "Site", "Name", "Opened", "First", STEPS, "Target", "% of target", "A month", "Days since last",
        "Screen failure %", "Consent %",
    ),
    "Sites · Conduct": (
        "Site", "Flags", "Patient-days", "Contacts expected", "Made in window", "In window %", "Primary expected",
        "Primary complete", "Primary %", "Open findings", "Over 30 days", "Oldest, days", "Deviations", "For 100 days",
        "Serious events listed", "Entry, median days", "Entry, 90 %",
    ),
    "Screening": ("Site", STEPS, "Approached", "Approached %", "Accepted %"),
    "Screening · Why not randomised, after the last step reached": ("Last step", REASONS, "All"),
    "Screening · Reason given": ("As the site words it", SITES),
    "Screening · Criteria not met": ("Criterion", "First", "In all", SITES),
    "Screening · Pending for more than 14 days": ("Record", "Site", "Screened", "Days", "Last step"),
    "Patients": _OPEN["Patients"],
    "Flow drawing": _DRAWING,
    "Flow": _OPEN["Flow"],
    "Follow-up": (
        "Contact", "Randomised", "Expected", "Made", "In window", "Missed", "Open", "Not due", "Died", "Withdrawn",
        "Lost", "Completed", "In window %",
    ),
    "Follow-up · Checks": ("What has to be equal", "Result"),
    "Contacts": ("Record", "Site", CONTACTS, "Made", "Longest gap, days", "Weeks"),
    "Contact totals": (
        "Contact", "Expected", "Made", "In window", "Early", "Late", "Missed", "Behind", "Open", "Not due",
        "In window %",
    ),
    "Contact totals · Letters": ("Meaning", "Sign"),
    "Completeness": (*_OPEN["Completeness"], MISSING),
    "Entry delay": ("Event", "Form", "Forms", "Median, days", "90 %, days", "Over 10 days", "% over"),
    "Deviations": ("Code", "Found by rules", "Reported", SITES),
    "Deviations · By grade": ("Grade", "Reported", SITES),
    "Deviations listed": (
        "Code", "Record", "Site", "What", "Told by", "Grade", "Study day", "Days to found", "Since", "New",
    ),
    "Safety": ("Category", "Events", "Serious", "Patients", "For 100 patient-weeks"),
    "Adverse events": (
        "Type", "Record", "Site", "Study day", "Grade", "Serious", "Outcome", "Days to report", "Report to sponsor",
    ),
    "Safety · Deaths": ("Record", "Site", "Study day", "Randomised"),
    "Envelopes": (
        "Site", "Name", "Sent", "On the way", "In stock", "Released, not opened", "Opened", "Void", "Lost", "Returned",
        "Randomised", "Discrepancies",
    ),
    "Finding ages": (
        "Site", "0 to 7 days", "8 to 14 days", "15 to 30 days", "31 to 60 days", "over 60 days", "All open", "New",
        "Accepted",
    ),
    "Finding ages · The oldest 20": (
        "Finding", "Record", "Site", "Rule", "Days", "Severity", "Since", "Deviation",
    ),
    "Findings": _OPEN["Findings"],
    "Changes": ("What", "Record", "Site", "Detail"),
    "Definitions": _OPEN["About"],
    "Rules": ("Rule", "What it finds", "Severity", "Deviation"),
}  # fmt: skip
_SITE: Mapping[str, tuple[str, ...]] = {
    "To do": ("What", "Record", "Why", "What to do", "Since"),
    "Envelopes": (*_MONITOR["Envelopes"],),
}
_CLOSED: Mapping[str, tuple[str, ...]] = {
    "By arm": ("Arm", "Randomised", STATES, "Procedure done", "Arm changed"),
    "Follow-up by arm": (
        "Contact", "Arm", "Randomised", "Expected", "Made", "In window", "Missed", "Open", "Not due", "Died",
        "Withdrawn", "Lost", "Completed", "In window %",
    ),
    "Exposure by arm": (
        "What", "Arm", "Randomised", "Patients", "Days in all", "With a day", "Mean", "SD", "Lowest", "Lower quartile",
        "Median", "Upper quartile", "Highest",
    ),
    "Baseline by arm": ("Characteristic", "Answer", "Arm", "Randomised", "Patients", "% of randomised"),
    "Baseline measures by arm": (
        "Characteristic", "Time point", "Arm", "Randomised", "Measured", "Mean", "SD", "Lowest", "Lower quartile",
        "Median", "Upper quartile", "Highest",
    ),
    "Completeness by arm": (
        "Event", "Form", "Arm", "Expected", "Entered", "Complete", "Missing", "% complete",
    ),
    "Events by arm": ("Category", "Arm", "Randomised", "Patients", "% of patients", "Events", "Serious"),
    "Outcomes by arm": (
        "Outcome", "Time point", "Arm", "Randomised", "Measured", "Mean", "SD", "Lowest", "Lower quartile", "Median",
        "Upper quartile", "Highest",
    ),
    "Outcome curves": _DRAWING,
    "Outcome means": ("Outcome", "Time point", ARMS),
}  # fmt: skip

_NUMBERS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            ("Contents", "About"),
            ("Key figures",),
            ("Accrual", "Accrual numbers", "Accrual curve", "By month"),
            ("Sites", "Enrolment"),
            ("Screening", "Patients", "Baseline by arm", "Baseline measures by arm"),
            ("Flow drawing", "Flow", "Follow-up", "By arm", "Follow-up by arm", "Exposure by arm"),
            ("Contacts", "Contact totals"),
            ("Completeness", "Completeness by arm", "Entry delay"),
            ("Deviations", "Deviations listed"),
            ("Safety", "Adverse events", "Events by arm"),
            ("Envelopes",),
            ("Finding ages", "Findings"),
            ("Changes",),
            ("Definitions", "Rules"),
            ("Outcomes by arm", "Outcome curves", "Outcome means"),
        ),
        1,
    )
    for name in names
}
"""Sheet to the number of what it is about, the same in the open and the closed report."""

# What groups whose arms are secret may be compared by: nothing that only one arm has.
_MASKED: Mapping[str, tuple[str, ...]] = {
    **{
        name: columns
        for name, columns in _CLOSED.items()
        if name not in ("By arm", "Follow-up by arm", "Exposure by arm")
    },
    "By arm": ("Arm", "Randomised"),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of reader. `sites` are those shown; `whole` says whether these are all; `open` that no arm may show.

    `treatment` says that findings of treatment are shown: to the closed report all, to a site its own patients'. Where
    the closed report is masked it compares groups whose arms are secret.
    """

    name: str
    sites: tuple[Site, ...]
    whole: bool
    open: bool
    columns: Mapping[str, frozenset[str]]
    treatment: bool = False

    @property
    def unmasked(self) -> bool:
        """Whether nothing has to be hidden: the closed report, unless it is masked."""
        return not self.open and self.treatment

    @property
    def asked(self) -> bool:
        """Whether it is a site that is told what to do, of treatment too."""
        return self.treatment and not self.whole

    @property
    def masked(self) -> bool:
        """Whether arms are compared as groups with secret letters."""
        return not self.open and not self.treatment

    def show(self, tables: Iterable[SheetTable]) -> tuple[SheetTable, ...]:
        """The tables on the list with the columns on the list, in the order of `tables`.

        Those of whole trials are numbered by what they are about, so that open and closed ones can lie side by side.
        """
        shown = (_only(table, self.columns) for table in tables if table.name in self.columns)
        return tuple(_numbered(table) if self.whole else table for table in shown)


def _numbered(table: SheetTable) -> SheetTable:
    return replace(table, title=f"{_NUMBERS[table.name]} · {table.title}")


def profile(name: str, config: Config) -> Profile:
    """The profile `monitor`, `closed` or `site:CODE`.

    Raises:
        ConfigError: there is no such profile or site.
    """
    kind, _, code = name.partition(":")
    if name == "monitor":
        return Profile(name, config.sites, True, True, _titles(_MONITOR, config, config.sites))
    if name == "closed":
        masked = config.closed.masked
        columns = _titles({**_OPEN, **(_MASKED if masked else _CLOSED)}, config, config.sites)
        return Profile(name, config.sites, True, False, columns, treatment=not masked)
    if kind == "site" and code in config.sites_by_code:
        own = (config.sites_by_code[code],)
        return Profile(name, own, False, True, _titles({**_OPEN, **_SITE}, config, own), treatment=True)
    sites = ", ".join(f"site:{site.code}" for site in config.sites)
    raise ConfigError(f"{name!r} is not a report profile; there are monitor, closed, {sites}")


def _titles(
    sheets: Mapping[str, tuple[str, ...]], config: Config, sites: tuple[Site, ...]
) -> Mapping[str, frozenset[str]]:
    named = {
        STEPS: [step.label for step in config.funnel],
        SITES: [*(site.code for site in sites), *([UNKNOWN_SITE] if sites == config.sites else [])],
        STATES: [state.capitalize() for state in states(config)],
        REASONS: [reason.capitalize() for reason in reasons(config)],
        ARMS: [*(arm.label for arm in config.arms), NO_ARM],
        CONTACTS: [rule.code for rule in shared(config)],
        MISSING: [f"Missing {site.code}" for site in sites],
    }
    return {
        sheet: frozenset(title for word in words for title in named.get(word, [word]))
        for sheet, words in sheets.items()
    }


def _only(table: SheetTable, lists: Mapping[str, frozenset[str]]) -> SheetTable:
    """The sheet with what stands on the lists: of each table its columns, and charts and boxes of columns all shown."""
    own = lists[table.name]
    columns, lines = _kept(table.columns, table.lines, own)
    more = tuple(
        replace(block, columns=kept, lines=rows)
        for block in table.more
        for kept, rows in [_kept(block.columns, block.lines, lists.get(f"{table.name} · {block.title}", frozenset()))]
        if kept
    )
    alike = len(columns) == len(table.columns) and len(more) == len(table.more)
    charts = table.charts if alike and all(map(_listed(lists), table.charts)) else ()
    boxes = table.boxes if len(columns) == len(table.columns) else ()
    return replace(table, columns=columns, lines=lines, more=more, charts=charts, boxes=boxes)


def _kept(
    columns: Sequence[Column], lines: Sequence[Line], titles: frozenset[str]
) -> tuple[tuple[Column, ...], tuple[Line, ...]]:
    keep = [number for number, column in enumerate(columns) if column.title in titles]
    kept = tuple(
        Line(
            tuple(line.values[number] for number in keep),
            line.tone,
            {new: line.tones[old] for new, old in enumerate(keep) if old in line.tones},
        )
        for line in lines
    )
    return tuple(columns[number] for number in keep), kept


def _listed(lists: Mapping[str, frozenset[str]]) -> Callable[[Chart], bool]:
    """Whether every column a chart draws stands on a list, and the sheet it is of."""
    every = frozenset(title for titles in lists.values() for title in titles)
    return lambda chart: (not chart.sheet or chart.sheet in lists) and {chart.across, *chart.series} <= every
