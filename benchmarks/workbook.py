"""What a workbook of 100 000 cells costs, beside an older version of the code, and that both write the same cells.

Each version runs in a process of its own over the same tables: made, saved, read back and digested. The older one is
taken from git; the best of three runs in turn counts. With `--compare` both files are read whole and held against one
another: values, types, formats, fonts, fills, borders, alignment, links, heights, widths, panes, filters, drop-downs
and print set-up.

    .venv/bin/python benchmarks/workbook.py --before 5dc7e99 --compare
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Annotated, Any

import typer

OLD = "src/trialdesk/workbook.py"
ROWS, PER_SHEET, TIMES = 10_000, 5_000, 3
TEXTS = (
    "Correct the date of the consent: it lies after the opening of the envelope, and before the first screening visit",
    "=HYPERLINK is what this begins like", "ok", "", "Ærø sygehus, hæmatologisk afdeling\nsecond line",
)  # fmt: skip


def module(source: str) -> ModuleType:
    """The code as a module of its own; blank: what is installed."""
    if not source:
        from trialdesk import workbook

        return workbook
    spec = importlib.util.spec_from_loader("older_workbook", loader=None)
    made = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    sys.modules["older_workbook"] = made
    exec(compile(source, "older_workbook", "exec"), made.__dict__)  # noqa: S102  (our own code of another day)
    return made


def tables(book: ModuleType, rows: int) -> list[Any]:
    """Sheets as a trial has them: ten columns of every kind, long texts, links, blanks, tones and drop-downs."""
    columns = (
        book.Column("Record", width=12), book.Column("Site", width=6), book.Column("Finding", width=60),
        book.Column("Since", "date", 12), book.Column("Booked", "datetime"), book.Column("Days", "number", 8),
        book.Column("Share", "percent", 9), book.Column("Outcome", width=14, choices=("Reached", "No answer")),
        book.Column("REDCap", width=8), book.Column("Why and what to do"),
    )  # fmt: skip
    return [
        book.SheetTable(f"Sheet {first}", "A title", "What it is about", columns, tuple(lines(book, first, rows)), 2)
        for first in range(0, rows, PER_SHEET)
    ]


def lines(book: ModuleType, first: int, rows: int) -> Iterator[Any]:
    """One sheet's rows."""
    tones = ("plain", "quiet", "plain", "alarm", "plain", "warning", "strong")
    for n in range(first, min(first + PER_SHEET, rows)):
        day = date(2026, 1, 5) + timedelta(n % 900)
        moment = datetime(day.year, day.month, day.day, 9, 30) if n % 3 else None
        link = book.Link("open", f"https://redcap.example.org/?id={n}") if n % 20 == 0 else None
        text = TEXTS[n % 3] + f" ({n})" * (n % 3 == 0)
        yield book.Line(
            (f"ODE-{n:05}", "ODE", text, day, moment, n % 90, n / rows, "Reached", link, TEXTS[n % 5]),
            tones[n % 7], {1: "good"} if n % 2 else {},
        )  # fmt: skip


def measure(source: str, rows: int, path: str, found: Any) -> None:
    """Sends processor seconds and megabytes that saving took; the tables themselves stand ready before."""
    book = module(source)
    ready = tables(book, rows)
    book.save(Path(path), tables(book, 10), "warm")
    begin, most = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = book.save(Path(path), ready, "PVP-MM & co · monitor")
    spent = time.process_time() - begin
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most) / 1024
    found.send((spent, grown, said))


def run(source: str, rows: int, path: Path) -> tuple[float, float, str]:
    """Seconds, megabytes and digest of one version, in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    child = spawn.Process(target=measure, args=(source, rows, str(path), there))
    child.start()
    told: tuple[float, float, str] = here.recv()
    child.join()
    return told


def parts(sheet: Any) -> Iterator[tuple[str, object]]:
    """Everything of a sheet that a reader sees or a printer obeys, by place."""
    for row in sheet.iter_rows():
        for cell in row:
            look = (cell.font, cell.fill, cell.border, cell.alignment, cell.number_format, cell.quotePrefix)
            link = cell.hyperlink.target if cell.hyperlink else None
            yield cell.coordinate, (cell.value, cell.data_type, link, *map(repr, look))
    yield "heights", {number: one.height for number, one in sheet.row_dimensions.items()}
    yield "widths", {name: one.width for name, one in sheet.column_dimensions.items()}
    filtered = [sheet.auto_filter.ref, *(table.autoFilter.ref for table in sheet.tables.values())]
    yield "panes and filter", (sheet.freeze_panes, [ref for ref in filtered if ref])
    yield "drop-downs", [(str(one.sqref), one.formula1) for one in sheet.data_validations.dataValidation]
    yield "print", (sheet.print_area, sheet.print_title_rows, repr(sheet.page_setup), repr(sheet.page_margins))
    yield "foot", (sheet.oddFooter.left.text, sheet.oddFooter.right.text)


def differences(before: Path, after: Path) -> Iterator[str]:
    """Every place in which two workbooks differ."""
    from openpyxl import load_workbook

    old, new = load_workbook(before), load_workbook(after)
    if old.sheetnames != new.sheetnames:
        yield f"sheets {old.sheetnames} and {new.sheetnames}"
    for name in old.sheetnames:
        one, two = dict(parts(old[name])), dict(parts(new[name]))
        yield from (f"{name} {place}" for place in one.keys() | two.keys() if one.get(place) != two.get(place))


def show(name: str, told: Sequence[Any], cells: int) -> None:
    """One line of figures for 100 000 cells."""
    share = 100_000 / cells
    print(f"{name}: {told[0] * share:.2f} processor s, {told[1] * share:.0f} MB for 100 000 cells")


def main(
    before: Annotated[str, typer.Option(help="Commit of the older version.")] = "5dc7e99",
    rows: Annotated[int, typer.Option(help="Rows of ten cells.")] = ROWS,
    compare: Annotated[bool, typer.Option(help="Also hold the two files against one another.")] = False,
) -> None:
    """Print what both versions cost."""
    source = subprocess.run(["git", "show", f"{before}:{OLD}"], check=True, capture_output=True, text=True).stdout  # noqa: S607
    with TemporaryDirectory() as folder:
        old, new = Path(folder) / "old.xlsx", Path(folder) / "new.xlsx"
        pairs = [(run(source, rows, old), run("", rows, new)) for _ in range(TIMES)]
        first, second = (min(told) for told in zip(*pairs, strict=True))
        show(f"before ({before})", first, rows * 10)
        show("now", second, rows * 10)
        same = "equal" if first[2] == second[2] else "differ"
        print(f"now takes {second[0] / first[0]:.2f} of the time; digests {same}")
        if compare:
            found = list(differences(old, new))
            print(f"{len(found)} differences in cells and formats", *found[:20], sep="\n  ")


if __name__ == "__main__":
    typer.run(main)
