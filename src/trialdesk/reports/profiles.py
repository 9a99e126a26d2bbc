"""Who may see what: allow-lists of sheets and columns. What does not stand here is not shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from trialdesk.config import Config, Site
from trialdesk.errors import ConfigError
from trialdesk.facts.cohort import states
from trialdesk.workbook import Line, SheetTable

# In place of these stand one column for each step of recruitment, site, or state of a randomised patient.
STEPS, SITES, STATES = "<steps>", "<sites>", "<states>"
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
_CLOSED: Mapping[str, tuple[str, ...]] = {
    "By arm": ("Arm", "Randomised", STATES, "Procedure done", "Arm changed"),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of reader. `sites` are those shown; `whole` says whether these are all; `open` that no arm may show.

    `treatment` says that findings of treatment are shown: to the closed report all, to a site its own patients'.
    """

    name: str
    sites: tuple[Site, ...]
    whole: bool
    open: bool
    columns: Mapping[str, frozenset[str]]
    treatment: bool = False

    def show(self, tables: Iterable[SheetTable]) -> tuple[SheetTable, ...]:
        """The tables on the list with the columns on the list, in the order of `tables`."""
        return tuple(_only(table, self.columns[table.name]) for table in tables if table.name in self.columns)


def profile(name: str, config: Config) -> Profile:
    """The profile `monitor`, `closed` or `site:CODE`.

    Raises:
        ConfigError: there is no such profile or site.
    """
    kind, _, code = name.partition(":")
    if name == "monitor":
        return Profile(name, config.sites, True, True, _titles(_OPEN, config, config.sites))
    if name == "closed":
        columns = _titles({**_OPEN, **_CLOSED}, config, config.sites)
        return Profile(name, config.sites, True, False, columns, treatment=True)
    if kind == "site" and code in config.sites_by_code:
        own = (config.sites_by_code[code],)
        return Profile(name, own, False, True, _titles(_OPEN, config, own), treatment=True)
    sites = ", ".join(f"site:{site.code}" for site in config.sites)
    raise ConfigError(f"{name!r} is not a report profile; there are monitor, closed, {sites}")


def _titles(
    sheets: Mapping[str, tuple[str, ...]], config: Config, sites: tuple[Site, ...]
) -> Mapping[str, frozenset[str]]:
    named = {
        STEPS: [step.label for step in config.funnel],
        SITES: [*(site.code for site in sites), *([UNKNOWN_SITE] if sites == config.sites else [])],
        STATES: [state.capitalize() for state in states(config)],
    }
    return {
        sheet: frozenset(title for word in words for title in named.get(word, [word]))
        for sheet, words in sheets.items()
    }


def _only(table: SheetTable, titles: frozenset[str]) -> SheetTable:
    keep = [number for number, column in enumerate(table.columns) if column.title in titles]
    lines = tuple(
        Line(
            tuple(line.values[number] for number in keep),
            line.tone,
            {new: line.tones[old] for new, old in enumerate(keep) if old in line.tones},
        )
        for line in table.lines
    )
    return replace(table, columns=tuple(table.columns[number] for number in keep), lines=lines)
