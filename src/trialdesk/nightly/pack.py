"""All files of a run: laid out, proved blind, written and read back; what can't be made is lost, the rest stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from trialdesk.allocation.sealing import seal
from trialdesk.envelopes.lists import coordinator_lists
from trialdesk.envelopes.testmarks import as_read
from trialdesk.errors import OK, PARTIAL, OutputFailed, worst
from trialdesk.facts.deriving import Facts
from trialdesk.facts.enclosure import enclosed
from trialdesk.facts.links import Links
from trialdesk.facts.todo import Task, ending, tasks
from trialdesk.followup.sheets import tables as call_tables
from trialdesk.memory.store import Memory
from trialdesk.nightly.losses import Losses
from trialdesk.nightly.stages import Stages
from trialdesk.nightly.summary import Summary, summarise
from trialdesk.nightly.writeback import Changes, changes
from trialdesk.private import place
from trialdesk.reports.coordinator import coordinator_sheets
from trialdesk.reports.delivery import CALLS, ENVELOPES, FLOW, INDEX, MONITOR, REGISTER, SERVER, TODO, site_report
from trialdesk.reports.flowsvg import flow_svg
from trialdesk.reports.pack import enrolment_packs, footer
from trialdesk.reports.page import index_page
from trialdesk.workbook import SheetTable, save

OPEN_PROFILE = "monitor"


@dataclass(frozen=True, slots=True)
class Making:
    """What a run is made with: the memory and what was mended in it, the stages, the folder, and the run's name.

    `lost` are the files that could not be made. A run that is made again has no memory of its own.
    """

    memory: Memory | None
    healed: tuple[str, ...]
    stage: Stages
    folder: Path
    run: str
    now: datetime
    lost: Losses = field(default_factory=Losses)


@dataclass(frozen=True, slots=True)
class Found:
    """What a run shows: the facts, the addresses of REDCap's pages, and when REDCap was read."""

    facts: Facts
    links: Links
    now: datetime


@dataclass(frozen=True, slots=True)
class Built:
    """What a run has written, in numbers, with its tasks, what is to be written back, and the exit code."""

    summary: Summary
    to_do: tuple[Task, ...]
    wanted: Changes
    code: int


class Book(NamedTuple):
    """A workbook before it is written."""

    sheets: tuple[SheetTable, ...]
    foot: str


def books(found: Found, lost: Losses) -> Mapping[str, Book]:
    """File name to its sheets and the foot of its pages; what can't be laid out is lost."""
    facts, config, today, cards = found.facts, found.facts.config, found.facts.common.day, found.facts.cards
    foot = footer(config, "{}", today) + (" · REHEARSAL" if config.envelopes.domain == "dev" else "")
    open_files = {OPEN_PROFILE: MONITOR, **{f"site:{site.code}": site_report(site.code) for site in config.sites}}
    packs = enrolment_packs(facts, tuple(open_files), lambda name, error: lost.tell(open_files[name], error))
    laid: Mapping[str, tuple[str, Callable[[], tuple[SheetTable, ...]]]] = {
        TODO: ("coordinator", lambda: coordinator_sheets(facts, found.links)),
        ENVELOPES: (
            "coordinator",
            lambda: coordinator_lists(config, cards.register, today, cards.findings, cards.held.versions),
        ),
        CALLS: ("research nurse", lambda: call_tables(facts.schedule, config, today, found.now)),
        **{open_files[reader]: (reader, partial(packs.__getitem__, reader)) for reader in packs},
    }
    made = {name: (lost.attempt(name, lay), foot.format(reader)) for name, (reader, lay) in laid.items()}
    return {name: Book(sheets, foot) for name, (sheets, foot) in made.items() if sheets is not None}


def build(making: Making, found: Found, books: Mapping[str, Book], words: str) -> Built:
    """All of a run but its records and the memory stands in the folder; what can't be written is lost."""
    folder, lost, facts = making.folder, making.lost, found.facts

    def written(name: str, book: Book) -> str:
        return save(folder / name, as_read(facts.config, book.sheets), book.foot)

    digests = {name: lost.attempt(name, partial(written, name, book)) for name, book in books.items()}
    keys, monitor = facts.config.sealed_for, books.get(MONITOR)
    if keys:
        enclosure = partial(enclosed, facts.cards, facts.config.trial.id, making.run)
        lost.attempt(REGISTER, lambda: place(folder / REGISTER, seal(enclosure(), keys)))
    if monitor:
        lost.attempt(FLOW, lambda: place(folder / FLOW, flow_svg(monitor.sheets).encode()))
    else:
        lost.files[FLOW] = f"it is drawn from {MONITOR}"
    place(folder / SERVER, refusals(words))
    wanted, to_do = changes(facts), tasks(facts)
    files = {name: digest for name, digest in digests.items() if digest is not None}
    if not files:
        raise OutputFailed(next(iter(lost.files.values())))
    summary = summarise(facts, making.run, found.now, str(wanted), files)
    page = partial(index_page, facts, found.links, found.now)
    told = asdict(replace(summary, lost=lost.files))
    lost.attempt(INDEX, lambda: place(folder / INDEX, page(told).encode()))
    code = worst(ending(facts), PARTIAL if lost.files else OK)
    return Built(replace(summary, lost=lost.files), to_do, wanted, code)


def write_records(making: Making, summary: Summary, redcap: str) -> None:
    """The counts, and how the run was made: once before it is published, once more with the stages after that."""
    done = [asdict(stage) for stage in making.stage.done]
    how = {"schema": 1, "run": making.run, "redcap": redcap, "memory": list(making.healed), "stages": done}
    for name, content in (("summary.json", summary.as_json(making.stage.done)), ("run.json", how)):
        place(making.folder / name, f"{json.dumps(content, ensure_ascii=False, indent=2)}\n".encode())


def refusals(words: str) -> bytes:
    """What REDCap refused, as the text of a file."""
    return f"{words or 'REDCap refused nothing.'}\n".encode()
