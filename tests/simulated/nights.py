"""The nights of a simulated trial: the real run, with tables in place of files on all but every thirtieth."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from unittest.mock import patch

from simulated.world import World
from trialdesk.errors import SanityFailed, WriteBackFailed
from trialdesk.facts.deriving import Facts
from trialdesk.facts.todo import ending, tasks
from trialdesk.nightly import run as running
from trialdesk.nightly.losses import Losses
from trialdesk.nightly.pack import Book, Built, Found, Making, books, build
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.run import Order, Outcome, nightly
from trialdesk.nightly.summary import summarise
from trialdesk.nightly.writeback import changes
from trialdesk.reports import pack
from trialdesk.reports.delivery import MEMORY
from trialdesk.workbook import digest

_ACCEPT = re.compile(r"--accept-writes (\d+)")


@dataclass
class Night:
    """What one run found: its facts, its exit code, and the tables that were laid out, by file."""

    facts: Facts
    code: int = 0
    laid: Mapping[str, Book] = field(default_factory=dict)
    whole: bool = False


@dataclass
class Nights:
    """The runs of one trial, each in its own second; only the newest is kept."""

    world: World
    number: int = 0
    braked: int = 0

    def run(self, *, tables: bool, whole: bool, accepted: tuple[str, ...] = ()) -> Night:
        """A run that nobody disturbs.

        Args:
            tables: Whether all sheets are laid out and the open ones proved blind.
            whole: Whether they are also written, and published as files.
            accepted: Records that may have lost what they had.
        """
        seen: list[Night] = []
        with _watched(seen, tables=tables, whole=whole):
            outcome = self._nightly(accepted)
        self._forget_older()
        (night,) = seen
        night.code = outcome.exit_code
        return night

    def disturbed(self, *, tables: bool, whole: bool) -> Night:
        """A run while the line is faulty.

        Raises:
            TrialError: as the run ends.
        """
        seen: list[Night] = []
        with _watched(seen, tables=tables, whole=whole):
            outcome = self._nightly(())
        self._forget_older()
        seen[0].code = outcome.exit_code
        return seen[0]

    def true_again(self, accepted: tuple[str, ...], *, tables: bool, whole: bool) -> Night:
        """The first run after lies: what they left in the memory is accepted, as a person would."""
        try:
            return self.run(tables=tables, whole=whole)
        except SanityFailed:
            return self.run(tables=tables, whole=whole, accepted=accepted)

    def _nightly(self, accepted: tuple[str, ...]) -> Outcome:
        self.number += 1
        config, world = self.world.stage.config, self.world
        now = world.line.now.replace(second=self.number % 60, tzinfo=config.trial.zone)
        words = ("a lie was believed", "the coordinator") if accepted else ("", "")
        order = Order(world.today, now, accepted, *words)
        try:
            return nightly(config, order, world.trial, world.register, lambda _: None)
        except WriteBackFailed as held_back:
            number = _ACCEPT.search(str(held_back))
            if not number:
                raise
        self.braked += 1
        self.number += 1
        again = replace(order, now=now.replace(second=self.number % 60), writes=int(number[1]), by="the coordinator")
        return nightly(config, again, world.trial, world.register, lambda _: None)

    def _forget_older(self) -> None:
        reports = self.world.stage.config.reports
        latest = (reports / LATEST).resolve()
        for path in reports.glob("[0-9]*_[0-9]*"):
            if path != latest and path.is_dir():
                shutil.rmtree(path)


@contextmanager
def _watched(seen: list[Night], *, tables: bool, whole: bool) -> Iterator[None]:
    """A run tells its facts and tables; unless it is whole, no workbook is written."""

    def laid_out(found: Found, lost: Losses) -> Mapping[str, Book]:
        return books(found, lost) if tables or whole else {}

    def built(making: Making, found: Found, laid: Mapping[str, Book], words: str) -> Built:
        seen[:] = [Night(found.facts, 0, laid, whole)]
        return build(making, found, laid, words) if whole else _counted(making, found, laid)

    with ExitStack() as stack:
        stack.enter_context(patch.object(running, "books", laid_out))
        stack.enter_context(patch.object(running, "build", built))
        if not whole:
            stack.enter_context(patch.object(pack, "other_worlds", lambda _: iter(())))
        if not (tables or whole):  # nobody takes up a quick night
            stack.enter_context(patch.object(running, "put_by", lambda *_: None))
        yield


def _counted(making: Making, found: Found, laid: Mapping[str, Book]) -> Built:
    """What `build` says of a run, without a file."""
    (making.folder / MEMORY).parent.mkdir(mode=0o700, exist_ok=True)
    wanted = changes(found.facts)
    digests = {name: digest(book.sheets) for name, book in laid.items()}
    summary = summarise(found.facts, making.run, found.now, str(wanted), digests)
    return Built(summary, tasks(found.facts), wanted, ending(found.facts))
