"""The lists as REDCap's Randomization module takes them: files a person uploads (reference/randomisation.md 2).

REDCap has no API for allocation tables. The header changed with 14.7: since then a table has a randomization number and
group, and the data access group stands before the strata; before, the target field comes first and the group last
(reference/redcap-validation-facts.md 8).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO

from redcap_rules.names import GROUP, group_name
from trialdesk.allocation.numbering import printed
from trialdesk.allocation.tables import Table, by_pile, made_again
from trialdesk.config import Config
from trialdesk.errors import ConfigError

NUMBER, ARM = "redcap_randomization_number", "redcap_randomization_group"
NEW_HEADER = (14, 7)
DEV, PROD = "dev", "prod"
DEVELOPMENT, PRODUCTION = "RandomizationAllocationTable_Dev.csv", "RandomizationAllocationTable_Prod.csv"


def module_files(
    config: Config, tables: Sequence[Table], groups: Mapping[str, str], version: str, *, append: bool = False
) -> Mapping[str, str]:
    """File name to its text: a development table, and for tables of the trial a production table.

    REDCap refuses two tables alike: that for development holds the lists of the domain `dev`, as long as the sealed
    ones, so nothing that is tried out tells of a real list.

    Args:
        config: The trial.
        tables: Every version, oldest first; at least one.
        groups: Unique name of each data access group to its number in that project.
        version: The REDCap version, for example `15.0.12`.
        append: Only what the newest version made, for a project in production, where rows are appended.

    Raises:
        ConfigError: a site has no data access group, or the version is not one.
    """
    new, domain = _is_new(version), tables[-1].scheme.domain
    if append:
        return {PRODUCTION: _text(config, tables[-1:], groups, new=new)} if domain == PROD else {}
    files = {DEVELOPMENT: _text(config, [_rehearsed(tables)], groups, new=new)}
    return {**files, PRODUCTION: _text(config, tables, groups, new=new)} if domain == PROD else files


def _rehearsed(tables: Sequence[Table]) -> Table:
    """As many numbers of each pile as were made, from the lists of the domain `dev`."""
    last, sizes = tables[-1], {pile: len(made) for pile, made in by_pile(tables).items()}
    return made_again(replace(last, scheme=replace(last.scheme, domain=DEV)), dict.fromkeys(sizes, ()), sizes)


def _text(config: Config, tables: Sequence[Table], groups: Mapping[str, str], *, new: bool) -> str:
    domain = tables[-1].scheme.domain
    strata = [factor.field.field for factor in config.strata]
    head = [NUMBER, ARM, GROUP, *strata] if new else [config.facts.arm.field, *strata, GROUP]
    file = StringIO()
    rows = csv.DictWriter(file, head, extrasaction="ignore", lineterminator="\n")
    rows.writeheader()
    for pile, made in by_pile(tables).items():
        stored = [level.value for level in config.stratum_levels[pile.stratum]]
        place = {GROUP: _group(groups, pile.site), **dict(zip(strata, stored, strict=True))}
        for one in made:
            arm = {ARM: one.card.arm, config.facts.arm.field: one.card.arm}
            rows.writerow({NUMBER: printed(one.envelope.id, domain), **arm, **place})
    return file.getvalue()


def _group(groups: Mapping[str, str], site: str) -> str:
    if group_name(site) not in groups:
        raise ConfigError(f"sites: {site} is no data access group of the project; run push_instruments.py plan first")
    if not groups[group_name(site)]:
        raise ConfigError("this REDCap tells no numbers of data access groups (13.1 and newer do); update it first")
    return groups[group_name(site)]


def _is_new(version: str) -> bool:
    try:
        return tuple(int(part) for part in version.split("."))[:2] >= NEW_HEADER
    except ValueError:
        raise ConfigError(f"REDCap says its version is {version!r}: no header is known for it") from None
