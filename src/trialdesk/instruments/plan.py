"""A plan: the difference between files and project, weighed with what the records hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from trialdesk.instruments.change import Plan
from trialdesk.instruments.compare import compare, surplus_groups, surplus_roles
from trialdesk.instruments.design import Design
from trialdesk.instruments.live import Live, live_project
from trialdesk.instruments.stakes import Holdings, asked, stake, weigh
from trialdesk.redcap.gateway import Gateway

CountData = Callable[[Sequence[str]], Holdings]


def plan(project: str, desired: Design, live: Live, count_data: CountData) -> Plan:
    """The changes that make the live project what the files say, each with its risk.

    Args:
        project: `trial` or `register`, for the reader.
        desired: What the files say.
        live: What the server shows.
        count_data: Given field names, how many records there are and their rows of these fields.
    """
    changes = compare(desired, live.design)
    stakes = [stake(change, desired, live.design) for change in changes]
    dictionary = live.design.dictionary
    holdings = count_data(asked(stakes, dictionary))
    return Plan(
        project,
        live.project_id,
        live.title,
        live.in_production,
        len(dictionary.fields),
        holdings.records,
        tuple(weigh(change, put, dictionary, holdings) for change, put in zip(changes, stakes, strict=True)),
        (*live.notes, *_notes(desired, live.design)),
    )


def _notes(desired: Design, live: Design) -> Iterator[str]:
    for label in surplus_groups(desired, live):
        yield f"Data access group {label} is not a site of the configuration: delete it in REDCap once it is empty."
    for label in surplus_roles(desired, live):
        yield (
            f"Role {label} is not in the files, or more than one role of REDCap is called so: move its users, "
            "then delete it in REDCap; users without a role have their personal rights."
        )
    if desired.unapproved:
        yield (
            f"{desired.unapproved} texts of {desired.language}.csv are to be approved by the trial team: patients and "
            "sites read them as they stand."
        )
    if desired.quality:
        yield (
            f"{desired.quality}: REDCap's API shows no data-quality rules; upload the file in Data Quality unless it "
            "is the one last uploaded."
        )


def make_plan(project: str, desired: Design, gateway: Gateway, errors: int = 0) -> Plan:
    """The plan for the project behind the gateway; the server is asked and not changed.

    Args:
        project: `trial` or `register`, for the reader.
        desired: What the files say.
        gateway: With a token that may design the project.
        errors: How many `check` finds in the files.
    """
    live = live_project(gateway, groups=desired.groups is not None, roles=desired.roles is not None)
    made = plan(project, desired, live, lambda fields: holdings(gateway, live.design, fields))
    return replace(made, errors=errors)


def holdings(gateway: Gateway, live: Design, fields: Sequence[str]) -> Holdings:
    """How many records the project holds, and their rows of the named fields."""
    record_id = live.dictionary.record_id
    ids = gateway.ids(record_id)
    if not ids or not fields:
        return Holdings(len(ids))
    return Holdings(len(ids), gateway.records(record_id, fields, records=ids).rows)
