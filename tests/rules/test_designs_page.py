"""The pages: an open one that says no block size, a sealed one that does, and the command that writes them."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import compare_designs
from designs import blocks
from trialdesk.allocation.sealing import new_identity, unseal
from trialdesk.config import Config
from trialdesk.designs.comparing import Run, compare
from trialdesk.designs.page import Played, open_page, sealed_page
from trialdesk.designs.plan import Coming, Design, Resupply
from trialdesk.designs.plots import axis, plane
from trialdesk.designs.summary import Figure, Row, figure, leading, rows, schemes
from trialdesk.designs.table import written
from trialdesk.errors import ConfigError

DESIGNS = """
designs:
  - {name: Hidden, structure: site-stratum, blocks: {34: 977, 38: 1}, resupply: {batch: 6}}
  - {name: Yardstick, structure: minimisation, coin: 0.8}
"""
SENT = Resupply(6, 1, 1, 7, 4, "pile")


def played(config: Config) -> Played:
    """Ten patients of the trial."""
    shares = (1 / len(config.sites),) * len(config.sites)
    return Played(config, Coming(10, 100, shares, ((0.5, 0.5),) * 3, (1, 1)), Run(20, 1), date(2026, 11, 23))


class Whole(HTMLParser):
    """Every element that is opened is closed, and nothing comes from elsewhere."""

    ALONE = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {name for name, _ in attrs} & {"src", "href"}
        if tag not in self.ALONE:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        assert tag not in self.ALONE, "HTML's own need no slash"
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_open_page_depends_on_figures_and_not_on_blocks(frozen: Config) -> None:
    """With the same figures and other blocks it is the same page; the sealed one is not."""
    about = played(frozen)
    measured = compare(about.coming, [blocks(2, resupply=SENT)], about.run)
    one, two = blocks(2, resupply=SENT), blocks(34, 38, resupply=SENT)
    assert open_page(about, rows([one], measured)) == open_page(about, rows([two], measured))
    sealed = [sealed_page(about, rows([design], measured), schemes([design], measured)) for design in (one, two)]
    assert "<h2>Block sizes" not in open_page(about, rows([one], measured))
    assert "2 (weight 1)" in sealed[0]
    assert "34 (weight 1), 38 (weight 1)" in sealed[1]


@pytest.mark.parametrize(
    "designs",
    [
        [blocks(4, resupply=SENT), Design("Yardstick & <more>", "minimisation", coin=0.8)],
        [Design("H", "simple")],
        [Design("F", "stratum", ((2, 1),)), Design("E", "site", ((2, 1),), resupply=SENT)],
    ],
)
def test_the_page_is_whole_and_needs_nothing_else(designs: list[Design], frozen: Config) -> None:
    """Whatever is compared: closed elements, no file or address of elsewhere, names escaped."""
    about = played(frozen)
    measured = compare(about.coming, designs, about.run)
    page = open_page(about, rows(designs, measured))
    reader = Whole()
    reader.feed(page)
    assert not reader.open
    assert "http" not in page
    assert "<more>" not in page
    assert "nan" not in re.findall(r"[a-z]+", page.lower())


def test_the_command_writes_both_pages_and_the_sealed_one_opens_with_the_key(frozen: Config, tmp_path: Path) -> None:
    """Neither the open page nor the terminal says a size or weight; the sealed file opens for its recipient."""
    identity, public = new_identity()
    found, shown = typed(frozen, tmp_path, f"[{public}]")
    page = (found / "designs.html").read_text(encoding="utf-8")
    assert not re.search(r"\b977\b|weight \d", re.sub(r"<[^>]*>", " ", page) + shown)
    assert "A  Hidden: one list for each stratum at each site; 5 to 7 envelopes to a pile with at most 1 left" in shown
    assert "30 simulated trials of 12 patients" in page
    sealed = (found / "designs-sealed.html.age").read_bytes()
    assert b"weight" not in sealed
    assert "34 (weight 977), 38 (weight 1)" in unseal(sealed, identity, "designs-sealed.html.age")


def test_without_recipients_only_the_open_page_is_written(frozen: Config, tmp_path: Path) -> None:
    """And it is said."""
    found, shown = typed(frozen, tmp_path, "[]")
    assert [path.name for path in found.iterdir()] == ["designs.html"]
    assert "recipients is empty" in shown


def test_a_file_that_is_not_there_is_one_line(frozen: Config, tmp_path: Path) -> None:
    """The error names the file."""
    refused = CliRunner().invoke(
        compare_designs.app, ["--config", str(frozen.home / "config.yaml"), "--designs", str(tmp_path / "none.yaml")]
    )
    assert isinstance(refused.exception, ConfigError)
    assert "none.yaml" in str(refused.exception)


def typed(frozen: Config, folder: Path, recipients: str) -> tuple[Path, str]:
    """The command in a folder with the frozen configuration; where the pages are, and what was shown."""
    text = (frozen.home / "config.yaml").read_text(encoding="utf-8")
    config, designs = folder / "config.yaml", folder / "mine.yaml"
    config.write_text(re.sub(r"recipients: \[.*\]", f"recipients: {recipients}", text), encoding="utf-8")
    designs.write_text(DESIGNS, encoding="utf-8")
    asked = ["--config", str(config), "--designs", str(designs), "--patients", "12", "--trials", "30"]
    done = CliRunner().invoke(compare_designs.app, [*asked, "--processes", "1"], catch_exceptions=False)
    assert done.exit_code == 0
    return folder / "reports" / "designs", done.output


def row(letter: str, overall: float, informed: float = 0.5, *, at_sites: bool = True) -> Row:
    figures = {"overall": Figure(overall, overall, 0.01), "informed": Figure(informed, informed, 0.001)}
    return Row(letter, letter, "", at_sites, "", figures)


def test_designs_that_cannot_be_told_apart_lead_together() -> None:
    """And yardsticks lead only where nothing else is compared."""
    near = [row("A", 4.0), row("B", 4.09), row("C", 4.2), row("G", 1.0, at_sites=False)]
    assert [one.letter for one in leading(near, "overall", 0.1)] == ["A", "B"]
    assert [one.letter for one in leading(near[3:], "overall", 0.1)] == ["G"]
    assert leading(near, "made", 1) == []


def test_a_figure_is_the_mean_a_limit_that_occurred_and_an_error() -> None:
    """Of 0 … 99: 49.5, 94, and the spread by the root of a hundred."""
    found = figure(np.arange(100.0))
    assert (found.mean, found.high) == (49.5, 94)
    assert found.error == pytest.approx(np.arange(100.0).std(ddof=1) / 10)


@pytest.mark.parametrize(
    ("mean", "how", "text"),
    [
        (4.26, "range", "4.3 (9)"),
        (0.633, "share", "63 %"),
        (0.004, "share", "< 1 %"),
        (0.0, "share", "0 %"),
        (99.6, "count", "100"),
        (3.94, "one decimal", "3.9"),
    ],
)
def test_figures_are_written_as_they_are_read(mean: float, how: str, text: str) -> None:
    """And – where there is none."""
    assert written(Figure(mean, 9, 0.1), how) == text
    assert written(None, how) == "–"


def test_axes_hold_their_values_and_letters_keep_apart() -> None:
    """Round ends; dots at the same place have their letters at different ones."""
    assert axis(0, 0.9, 100).ticks == (0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert axis(50, 50, 100, 5).ticks == (50, 55)
    drawn = plane([row("A", 5, 0.6), row("B", 5, 0.6), row("C", 5, 0.6)], 0.5)
    assert len({spot.label for spot in drawn.spots}) == 3
    assert {(spot.x, spot.y) for spot in drawn.spots} == {(drawn.across.at(5), 340 - drawn.up.at(60))}
