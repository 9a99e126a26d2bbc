"""What all workbooks of a night cost: laid out, and written, read back and digested; each apart, in processor seconds.

The trial is that of `night.py` in its folder. Pulling, deriving and the blinding proof are not in it.

    .venv/bin/python benchmarks/night.py 2000
    .venv/bin/python benchmarks/all_workbooks.py 2000
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, TypeVar

import typer
from night import DAY, serving

from trialdesk.config import Config, load
from trialdesk.envelopes.lists import coordinator_lists
from trialdesk.envelopes.testmarks import as_read
from trialdesk.facts.deriving import past
from trialdesk.facts.pulling import pull_both
from trialdesk.nightly.kept import Kept
from trialdesk.nightly.pack import Found, found_in
from trialdesk.redcap.gateway import open_gateway
from trialdesk.reports.coordinator import coordinator_sheets
from trialdesk.reports.pack import sheets
from trialdesk.reports.profiles import profile
from trialdesk.workbook import SheetTable, save

T = TypeVar("T")


def found(folder: Path) -> tuple[Config, Found]:
    """The trial of a folder as a night derives it."""
    server = serving(folder)
    try:
        config = load(folder / "config.yaml")
        trial, register = open_gateway(config, "trial"), open_gateway(config, "register")
        kept = Kept(pull_both(config, trial, register), None, trial.version(), datetime.now(UTC))
    finally:
        server.terminate()
        server.wait()
    return config, found_in(kept, past(config, kept.pull.snapshot), config, DAY)


def laid_out(config: Config, about: Found) -> list[tuple[SheetTable, ...]]:
    """Every workbook of the night as its sheets."""
    facts, cards = about.facts, about.facts.cards
    readers = [profile(name, config) for name in ("monitor", *(f"site:{site.code}" for site in config.sites))]
    lists = coordinator_lists(config, cards.register, DAY, cards.findings, cards.held.versions)
    return [
        *(reader.show(sheets(facts, reader)) for reader in readers),
        coordinator_sheets(facts, about.links),
        lists,
        *(lay() for lay in about.calling.books.values()),
    ]


def written(config: Config, books: list[tuple[SheetTable, ...]]) -> None:
    """All of them as files, read back and digested, and thrown away."""
    with TemporaryDirectory() as place:
        for number, book in enumerate(books):
            save(Path(place) / f"{number}.xlsx", as_read(config, book), "foot")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Processor seconds, and what came of it."""
    begun = time.process_time()
    made = work()
    return time.process_time() - begun, made


def main(
    size: Annotated[int, typer.Argument(help="Patients screened: a trial `night.py` has made.")],
    folder: Annotated[Path, typer.Option(help="Where databases are kept.")] = Path("night-benchmark"),
    times: Annotated[int, typer.Option(help="How often; the fastest counts.")] = 3,
) -> None:
    """One line."""
    config, about = found(folder / str(size))
    gc.set_threshold(100_000, 50, 100)  # as every command runs

    best = (float("inf"), float("inf"))
    for _ in range(times):
        laid, books = timed(partial(laid_out, config, about))
        wrote, _ = timed(partial(written, config, books))
        best = min(best, (laid, wrote), key=sum)
    cells = sum(len(line.values) for book in books for one in book for block in one.tables for line in block.lines)
    print(f"{size} patients, {len(books)} workbooks, {cells:,} cells: laid out {best[0]:.1f} s, "
          f"written, read back and digested {best[1]:.1f} s, together {sum(best):.1f} s")  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
