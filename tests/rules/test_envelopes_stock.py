"""Stock and lists: what lies where, what to send, and what a sheet shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from math import exp, factorial
from pathlib import Path

import pytest
from openpyxl import load_workbook

from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import Config
from trialdesk.envelopes.forecast import DELIVERY, forecast, more_than
from trialdesk.envelopes.lists import coordinator_lists, site_list
from trialdesk.envelopes.stock import PileStock, proposals, stock
from trialdesk.model import Envelope, EnvelopeStatus, Finding, Pile
from trialdesk.workbook import HEADER_ROW, save

pytestmark = pytest.mark.requirement("ENV-05")

PILE = Pile("ODE", "K1N")
TODAY = date(2026, 11, 23)
WORDS: dict[str, EnvelopeStatus] = {
    "m": "made", "p": "packed", "d": "dispatched", "R": "received", "r": "released", "o": "opened",
    "v": "void", "l": "lost", "b": "returned",
}  # fmt: skip


def pile(states: str, where: Pile = PILE) -> list[Envelope]:
    """Envelopes 1, 2, 3 … in these states, a space between batches."""
    envelopes: list[Envelope] = []
    for batch, part in enumerate(states.split(), start=1):
        for letter in part:
            number = len(envelopes) + 1
            envelopes.append(Envelope(where, number, envelope_id(where, number), batch, WORDS[letter], "00"))
    return envelopes


@pytest.mark.parametrize(
    ("states", "reorder_at", "level", "action", "send"),
    [
        ("RRRR", 1, "OK", "", []),
        ("ooRR", 1, "OK", "", []),
        ("oooR", 1, "LOW", "make", []),
        ("oooR mmmm", 1, "LOW", "send", [5, 6, 7, 8]),
        ("oooR ppmm mmmm", 1, "LOW", "send", [5, 6, 7, 8]),
        ("oooR dddd", 1, "LOW", "on its way", []),
        ("oooo mmmm", 1, "EMPTY", "send", [5, 6, 7, 8]),
        ("ooor mmmm", 1, "EMPTY", "send", [5, 6, 7, 8]),  # released is not left
        ("ovlb", 1, "EMPTY", "make", []),
        ("", 1, "EMPTY", "make", []),
        ("oooR mmmm", 0, "OK", "", []),  # the protocol's literal "when all are used"
        ("oooo mmmm", 0, "EMPTY", "send", [5, 6, 7, 8]),
        ("ooRRR mmmm", 3, "LOW", "send", [6, 7, 8, 9]),
    ],
)
def test_a_pile_is_resupplied_at_its_reorder_level(
    frozen: Config, states: str, reorder_at: int, level: str, action: str, send: list[int]
) -> None:
    """EMPTY with none received left, LOW up to the reorder level; the next whole batch is sent, once."""
    envelopes = frozen.envelopes.model_copy(update={"reorder_at": reorder_at})
    config = frozen.model_copy(update={"envelopes": envelopes})
    found = {state.pile: state for state in stock(config, pile(states), TODAY)}
    assert found[PILE] == PileStock(PILE, level, action, tuple(envelope_id(PILE, number) for number in send))  # type: ignore[arg-type]  # words of the table
    assert list(found) == list(config.piles)


def test_a_closed_site_needs_no_envelopes(frozen: Config) -> None:
    """After its last day a site has no line."""
    sites = tuple(s.model_copy(update={"closes": date(2026, 11, 22)}) if s.code == "ODE" else s for s in frozen.sites)
    config = frozen.model_copy(update={"sites": sites})
    assert {state.pile.site for state in stock(config, [], TODAY)} == {s.code for s in sites} - {"ODE"}
    assert "ODE" in {state.pile.site for state in stock(config, [], date(2026, 11, 22))}


def test_the_coordinators_workbook_has_dates_words_and_what_to_send(frozen: Config, tmp_path: Path) -> None:
    """One sheet says where every envelope is, with the stratum in words; one says what to send or make."""
    envelopes = pile("oR mm")
    envelopes[0] = replace(
        envelopes[0],
        record="=ODE-001",
        received_on=date(2026, 1, 5),
        released_at=datetime(2026, 3, 2, 9, 30),
        opened_on=date(2026, 3, 2),
    )
    save(tmp_path / "e.xlsx", coordinator_lists(frozen, envelopes, TODAY), "PVP-MM")
    book = load_workbook(tmp_path / "e.xlsx")
    assert book.sheetnames == ["Envelopes", "To send", "To make", "Outlook"]
    sheet = book["Envelopes"]
    titles = [cell.value for cell in sheet[HEADER_ROW]]
    first = dict(zip(titles, (cell.value for cell in sheet[HEADER_ROW + 1]), strict=True))
    assert first["Stratum"] == "Known myeloma, 1 level, No former fracture"
    assert (first["Number"], first["Envelope"]) == (1, envelope_id(PILE, 1))
    assert (first["Received"], first["Opened"]) == (datetime(2026, 1, 5), datetime(2026, 3, 2))
    assert first["Released"] == datetime(2026, 3, 2, 9, 30)
    assert first["Record"] == "=ODE-001"
    rows = [[cell.value for cell in row] for row in book["To send"].iter_rows(min_row=HEADER_ROW + 1)]
    assert rows[0][3:] == ["LOW", "send", None, f"{envelope_id(PILE, 3)}, {envelope_id(PILE, 4)}"]
    assert len(rows) == len(frozen.piles)


def test_a_site_sees_its_own_envelopes_and_no_batch(frozen: Config) -> None:
    """A site's list has what was sent to it, without the cut of shipments and without what still lies at the desk."""
    envelopes = [*pile("oRd mp"), *pile("RR", Pile("RIG", "N2F"))]
    (table,) = site_list(frozen, envelopes, "ODE", TODAY)
    titles = [column.title for column in table.columns]
    assert "Batch" not in titles
    assert "Packed" not in titles
    assert [line.values[titles.index("Envelope")] for line in table.lines] == [envelope_id(PILE, n) for n in (1, 2, 3)]


def test_no_list_names_an_arm(frozen: Config) -> None:
    """Arm names and labels of the configuration are in no sheet."""
    envelopes = pile("oRdmpvlb")
    tables = (*coordinator_lists(frozen, envelopes, TODAY), *site_list(frozen, envelopes, "ODE", TODAY))
    shown = repr(tables)
    assert [arm.label for arm in frozen.arms if arm.label in shown or f"'{arm.name}'" in shown] == []
    assert not any("arm" in column.title.lower().split() for table in tables for column in table.columns)


def test_the_coordinator_reads_findings_with_their_envelopes(frozen: Config) -> None:
    """Errors first; without a reconciliation there is no such sheet, and a site never has it."""
    found = [
        Finding("R50", "ODE", "ODE-002", "", "warning", "ODE-K1N-002-X is released in the record"),
        Finding("R02", "RIG", "RIG-001", "", "error", "RIG-K1N-002-X was opened"),
    ]
    *_, page = coordinator_lists(frozen, pile("RR"), TODAY, found)
    assert [line.values for line in page.lines] == [
        ("error", "R02", "RIG", "RIG-001", "RIG-K1N-002-X was opened"),
        ("warning", "R50", "ODE", "ODE-002", "ODE-K1N-002-X is released in the record"),
    ]
    assert [table.name for table in coordinator_lists(frozen, pile("RR"), TODAY)] == [
        "Envelopes", "To send", "To make", "Outlook",
    ]  # fmt: skip
    assert [table.name for table in coordinator_lists(frozen, pile("RR"), TODAY, [])][4:] == ["Findings"]
    assert [table.name for table in site_list(frozen, pile("RR"), "ODE", TODAY)] == ["Envelopes"]


def clinic(**piles: str) -> list[Envelope]:
    """The envelopes of one clinic by stratum."""
    return [one for stratum, states in piles.items() for one in pile(states, Pile("ODE", stratum))]


FULL = "RRRRRR"


@pytest.mark.parametrize(
    ("piles", "wanted"),
    [
        # the pile in need first, then those with fewest left
        ({"K1N": "oooR", "K1F": "RRRRR", "K2N": "RRRR", "K2F": "RRR"}, ["K1N", "K2F", "K2N", "K1F", "N1N", "N1F"]),
        # what a parcel holds that is underway is in no new one
        ({"K1N": "oooR", "K1F": "RR mm", "K2N": "RR dd", "K2F": "RR pp"}, ["K1N", "N1N", "N1F", "N2N", "N2F"]),
        # more than six in need are one parcel
        (
            dict.fromkeys(("K1N", "K1F", "K2N", "K2F", "N1N", "N1F", "N2N"), "ooo"),
            ["K1N", "K1F", "K2N", "K2F", "N1N", "N1F", "N2N"],
        ),
        ({"K1N": "oooR mmm"}, []),
    ],
)
def test_a_new_parcel_holds_six_piles_or_more(frozen: Config, piles: dict[str, str], wanted: list[str]) -> None:
    """Or all the clinic has; nothing is proposed for a clinic that needs nothing."""
    stocked = {**dict.fromkeys(("K1N", "K1F", "K2N", "K2F", "N1N", "N1F", "N2N", "N2F"), FULL), **piles}
    others = [one for site in frozen.sites[1:] for code in stocked for one in pile(FULL, Pile(site.code, code))]
    found = proposals(frozen, [*clinic(**stocked), *others], TODAY)
    assert [p.stratum for one in found for p in one.piles] == wanted
    assert len(found) <= 1


def test_a_parcel_is_sent_whole(frozen: Config) -> None:
    """Every pile in need names the same parcel, by the version that made it."""
    envelopes = clinic(K1N="oooR mmm", K1F="ooo ppp")
    versions = {one.id: one.batch for one in envelopes}
    found = {
        state.pile.stratum: state for state in stock(frozen, envelopes, TODAY, versions) if state.pile.site == "ODE"
    }
    assert [found[code].parcel for code in ("K1N", "K1F", "K2N")] == ["ODE-v002", "ODE-v002", ""]


def test_the_outlook_of_a_pile_follows_from_what_was_opened(frozen: Config) -> None:
    """Against the sum in the docstring, by hand: more used and less left is likelier empty; closed sites have none."""
    sites = tuple(s.model_copy(update={"opens": date(2026, 5, 27)}) if s.code == "ODE" else s for s in frozen.sites)
    config = frozen.model_copy(update={"sites": sites})
    envelopes = [*clinic(K1N="oooooooooR", K1F="oRRRRRR")]
    found = {one.pile: one.empty for one in forecast(config, envelopes, TODAY)}
    mean = 10.5 / 180 * DELIVERY * 9.5 / 14
    assert found[PILE] == pytest.approx(1 - exp(-mean) * (1 + mean))
    assert found[PILE] > 0.1 > found[Pile("ODE", "K1F")]
    assert len(found) == len(config.piles)
    gone = tuple(s.model_copy(update={"closes": date(2026, 11, 22)}) if s.code == "RIG" else s for s in sites)
    later = forecast(config.model_copy(update={"sites": gone}), envelopes, TODAY)
    assert {one.pile.site for one in later} == {s.code for s in sites} - {"RIG"}


@pytest.mark.parametrize(("number", "mean"), [(0, 0.5), (3, 2.0), (10, 4.0), (0, 0.0)])
def test_a_poisson_tail_is_what_a_long_sum_gives(number: int, mean: float) -> None:
    """Against the tail summed term by term."""
    tail = sum(exp(-mean) * mean**k / factorial(k) for k in range(number + 1, 120))
    assert more_than(number, mean) == pytest.approx(tail, abs=1e-12)
