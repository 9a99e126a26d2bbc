"""All files of a run: laid out, proved blind, written and read back; what can't be made is lost, the rest stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

from trialdesk.allocation.sealing import seal
from trialdesk.config import Config
from trialdesk.envelopes.lists import coordinator_lists
from trialdesk.envelopes.testmarks import as_read
from trialdesk.errors import OK, PARTIAL, OutputFailed, worst
from trialdesk.facts.deriving import Facts, Past, derive
from trialdesk.facts.enclosure import enclosed
from trialdesk.facts.links import Links, links_of
from trialdesk.facts.todo import Task, ending, tasks
from trialdesk.followup.calendars import lost as lost_key
from trialdesk.followup.keys import keys
from trialdesk.memory.store import Memory
from trialdesk.nightly.calling import CallPack, call_pack
from trialdesk.nightly.kept import Kept
from trialdesk.nightly.losses import Losses
from trialdesk.nightly.stages import Stages
from trialdesk.nightly.summary import Summary, summarise
from trialdesk.nightly.writeback import Changes, changes
from trialdesk.private import place
from trialdesk.reports.coordinator import coordinator_sheets
from trialdesk.reports.delivery import ENVELOPES, FLOW, INDEX, MONITOR, REGISTER, SERVER, SITE, TODO, of_site
from trialdesk.reports.flowsvg import flow_svg
from trialdesk.reports.pack import enrolment_packs, footer
from trialdesk.reports.page import index_page
from trialdesk.tripwire import proved
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
    """What a run shows: the facts, the addresses of REDCap's pages, when it was read, and what callers are given."""

    facts: Facts
    links: Links
    now: datetime
    calling: CallPack


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


def found_in(kept: Kept, before: Past, config: Config, day: date) -> Found:
    """What is shown of what was read.

    Args:
        kept: What REDCap said.
        before: What earlier runs left.
        config: The trial.
        day: The day of the run.

    Raises:
        ConfigError, SanityFailed, InstrumentError: as `derive`; the calls' key can't be read.
    """
    own = keys(config.path(config.calls.key))
    told = replace(before, rekeyed=lost_key(own, before.remembered.calendar))
    facts, links = derive(kept.pull, told, config, day), links_of(config, kept.pull, kept.version)
    return Found(facts, links, kept.at, call_pack(facts, links, own, kept.at))


def books(found: Found, lost: Losses) -> Mapping[str, Book]:
    """File name to its sheets and the foot of its pages; what can't be laid out is lost."""
    facts, config, today, cards = found.facts, found.facts.config, found.facts.common.day, found.facts.cards
    foot = footer(config, "{}", today)
    open_files = {OPEN_PROFILE: MONITOR, **{f"site:{site.code}": of_site(SITE, site.code) for site in config.sites}}
    packs = enrolment_packs(facts, tuple(open_files), lambda name, error: lost.tell(open_files[name], error))
    laid: Mapping[str, tuple[str, Callable[[], tuple[SheetTable, ...]]]] = {
        TODO: ("coordinator", lambda: coordinator_sheets(facts, found.links)),
        ENVELOPES: (
            "coordinator",
            lambda: coordinator_lists(config, cards.register, today, cards.findings, cards.held.versions),
        ),
        **{name: ("calls", lay) for name, lay in found.calling.books.items()},
        **{open_files[reader]: (reader, partial(packs.__getitem__, reader)) for reader in packs},
    }
    made = {name: (lost.attempt(name, lay), foot.format(reader)) for name, (reader, lay) in laid.items()}
    return {name: Book(sheets, foot) for name, (sheets, foot) in made.items() if sheets is not None}


def build(making: Making, found: Found, books: Mapping[str, Book], words: str) -> Built:
    """All of a run but its records and the memory stands in the folder; what can't be written is lost."""
    folder, lost, facts = making.folder, making.lost, found.facts

    counting, done = making.stage.counting("workbooks"), count(1)

    def written(name: str, book: Book) -> str:
        counting(next(done), len(books))
        return save(folder / name, as_read(facts.config, book.sheets), f"{book.foot} · run {making.run}")

    digests = {name: lost.attempt(name, partial(written, name, book)) for name, book in books.items()}
    sealed_for, monitor = facts.config.sealed_for, books.get(MONITOR)
    if sealed_for:
        enclosure = partial(enclosed, facts.cards, facts.config.trial.id, making.run)
        lost.attempt(REGISTER, lambda: place(folder / REGISTER, seal(enclosure(), sealed_for)))
    if monitor:
        lost.attempt(FLOW, partial(_put, folder, FLOW, lambda: [flow_svg(monitor.sheets).encode()]))
    else:
        lost.files[FLOW] = f"it is drawn from {MONITOR}"
    for name, make in found.calling.texts.items():
        lost.attempt(name, partial(_put, folder, name, make))
    place(folder / SERVER, refusals(words))
    wanted, to_do = changes(facts), tasks(facts)
    files = {name: digest for name, digest in digests.items() if digest is not None}
    if not files:
        raise OutputFailed(next(iter(lost.files.values())))
    summary = summarise(facts, making.run, found.now, str(wanted), files)
    page = partial(index_page, facts, found.links, found.now)
    told = asdict(replace(summary, lost=lost.files))
    lost.attempt(INDEX, partial(_put, folder, INDEX, lambda: [page(told).encode()]))
    code = worst(ending(facts), PARTIAL if lost.files else OK)
    return Built(replace(summary, lost=lost.files), to_do, wanted, code)


def _put(folder: Path, name: str, make: Callable[[], Iterable[bytes]]) -> None:
    """A file of text stands in the folder, proved to hold no number of a person."""
    place(folder / name, proved(name, make()))


def write_records(making: Making, summary: Summary, redcap: str) -> None:
    """The counts, and how the run was made: once before it is published, once more with the stages after that."""
    done = [asdict(stage) for stage in making.stage.done]
    how = {"schema": 1, "run": making.run, "redcap": redcap, "memory": list(making.healed), "stages": done}
    for name, content in (("summary.json", summary.as_json(making.stage.done)), ("run.json", how)):
        place(making.folder / name, f"{json.dumps(content, ensure_ascii=False, indent=2)}\n".encode())


def refusals(words: str) -> bytes:
    """What REDCap refused, as the text of a file."""
    return f"{words or 'REDCap refused nothing.'}\n".encode()
