"""What is printed, read again by machine: every page rendered, text and QR codes compared with what they are of."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp

from trialdesk.allocation.cards import shown_code
from trialdesk.allocation.numbering import envelope_id
from trialdesk.allocation.tables import Allocation
from trialdesk.config import Config
from trialdesk.envelopes.printing import (
    accountability,
    accountability_sheet,
    cards,
    labels,
    opening_log,
    sample,
    shipment,
)
from trialdesk.errors import ConfigError
from trialdesk.model import Card, Envelope, EnvelopeStatus, Pile
from trialdesk.paper.engine import TEMPLATES, pdf
from trialdesk.paper.sheets import SHEETS, sheet_of
from trialdesk.paper.words import WORDS

pytestmark = pytest.mark.requirement("ENV-13")

DAY = date(2026, 11, 23)


def envelopes(config: Config, each: int, status: EnvelopeStatus = "made") -> list[Envelope]:
    """So many of each pile of the first two sites."""
    piles = [pile for pile in config.piles if pile.site in ("ODE", "RIG")]
    return [Envelope(p, n, envelope_id(p, n), 1, status, "00") for p in piles for n in range(1, each + 1)]


def allocations(config: Config, each: int) -> list[Allocation]:
    """Cards with arms in turn, each with a code of its own."""
    made = envelopes(config, each)
    codes = [f"{number:012d}".replace("0", "K")[:12] for number in range(len(made))]
    arms = [config.arms[number % 2].code for number in range(len(made))]
    return [Allocation(one, Card(one.id, arm, code)) for one, arm, code in zip(made, arms, codes, strict=True)]


def rehearsal(config: Config) -> Config:
    return config.model_copy(update={"envelopes": config.envelopes.model_copy(update={"domain": "dev"})})


def pages(content: bytes) -> Iterator[tuple[str, list[str]]]:
    """The text and the QR codes of every page, as a printer would put them on paper."""
    with pypdfium2.PdfDocument(content) as document:
        for page in document:
            text = page.get_textpage().get_text_bounded()
            picture = page.render(scale=300 / 72, grayscale=True).to_numpy()
            yield text, [code.text for code in zxingcpp.read_barcodes(picture)]


def everything(content: bytes) -> tuple[str, list[str]]:
    read = list(pages(content))
    return "\n".join(text for text, _ in read), [code for _, codes in read for code in codes]


@pytest.mark.parametrize("sheet", [*SHEETS, "70x37:3x8:0.5,0"])
@pytest.mark.parametrize("language", WORDS)
def test_every_label_can_be_read_and_scanned(frozen: Config, sheet: str, language: str) -> None:
    """None missing, doubled or swapped; no arm, and not how many there are."""
    made = envelopes(frozen, 2)
    text, codes = everything(pdf("labels", labels(frozen, made, sheet_of(sheet), language)))
    assert sorted(codes) == sorted(one.id for one in made)
    assert re.findall(r"[A-Z]{3}-[KN][12][NF]-\d{3}-.", text) == [one.id for one in made]
    assert not [arm.label for arm in frozen.arms if arm.label in text or f" {arm.name} " in text]
    assert not re.search(r"\d (of|af) \d", text)
    assert WORDS[language]["before"] in text


def test_a_rehearsal_says_so_on_every_label_and_card(frozen: Config) -> None:
    """TEST before every number, and across the card; the code holds the number alone."""
    made = envelopes(frozen, 1)
    text, codes = everything(pdf("labels", labels(rehearsal(frozen), made, sheet_of("L7160"), "da")))
    assert text.count("TEST ") == len(made)
    assert set(codes) == {one.id for one in made}
    drawn = allocations(frozen, 1)
    shown, _ = everything(pdf("cards", cards(rehearsal(frozen), drawn, "da")))
    assert shown.count("TEST") == 2 * len(drawn)


def test_every_card_has_its_own_number_arm_and_code(frozen: Config) -> None:
    """Read again from the print: number, arm and code of each card, and the same in its QR code."""
    drawn = allocations(frozen, 2)
    names = {arm.code: arm.label for arm in frozen.arms}
    read = list(pages(pdf("cards", cards(frozen, drawn, "en"))))
    assert len(read) == -(-len(drawn) // 2)
    for place, (text, codes) in enumerate(read):
        own = drawn[2 * place : 2 * place + 2]
        assert sorted(codes) == sorted(f"{one.envelope.id} {one.card.code}" for one in own)
        found = [
            (number, arm.strip("· "), code)
            for number, arm, code in zip(
                re.findall(r"[A-Z]{3}-[KN][12][NF]-\d{3}-.", text),
                re.findall(r"·+ (.+?) ·+", text),
                re.findall(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", text),
                strict=True,
            )
        ]
        assert found == [(one.envelope.id, names[one.card.arm], shown_code(one.card.code)) for one in own]


def test_cards_of_two_arms_differ_in_the_arm_s_words_alone(frozen: Config) -> None:
    """The same envelope with either arm: same lines, same length, the same pattern; only the words differ."""
    (one, *_) = allocations(frozen, 1)
    told = [
        cards(frozen, [Allocation(one.envelope, Card(one.envelope.id, arm.code, "K" * 12))], "da")
        for arm in frozen.arms
    ]
    first, second = (everything(pdf("cards", values))[0].splitlines() for values in told)
    assert len(first) == len(second)
    differing = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
    assert len(differing) == 1
    assert len({len(line.strip()) for line in differing[0]}) == 1
    assert {arm.label for arm in frozen.arms} == {line.strip("· ") for line in differing[0]}


def test_paper_in_a_language_has_the_labels_of_that_language(frozen: Config) -> None:
    """Arms and strata are configured words; where a language has none, the plain label stands."""
    words = {"1": "Perkutan vertebroplastik", "2": "Konservativ behandling"}
    arms = tuple(arm.model_copy(update={"labels": {"da": words[arm.code]}}) for arm in frozen.arms)
    known, *others = frozen.strata[0].levels
    levels = (known.model_copy(update={"labels": {"da": "Kendt myelomatose"}}), *others)
    strata = (frozen.strata[0].model_copy(update={"levels": levels}), *frozen.strata[1:])
    danish = frozen.model_copy(update={"arms": arms, "strata": strata})
    danish.__dict__.pop("stratum_levels", None)  # what the other has worked out comes with a copy
    (one, *_) = allocations(danish, 1)
    text, _ = everything(pdf("cards", cards(danish, [one], "da")))
    assert words[one.card.arm] in text
    assert danish.arms_by_code[one.card.arm].label not in text
    assert "Kendt myelomatose" in text
    text, _ = everything(pdf("labels", labels(danish, [one.envelope], sheet_of("L7160"), "en")))
    assert "Known myeloma" in text


def test_a_tenth_of_a_parcel_is_checked_by_a_draw_nobody_chooses(frozen: Config) -> None:
    """Drawn from the manifest; another manifest, another draw; every envelope stands on manifest and receipt."""
    made = [one for one in envelopes(frozen, 6) if one.pile.site == "ODE"]
    ids = [one.id for one in made]
    drawn = sample(ids, "manifest")
    assert (len(ids), len(drawn)) == (48, 5)
    assert drawn == sample(ids[::-1], "manifest") != sample(ids, "another")
    text, _ = everything(pdf("shipment", shipment(frozen, "ODE-v001", made, "manifest", "da")))
    assert all(text.count(name) == 3 for name in ids)
    assert WORDS["da"]["receipt"] in text
    assert not [arm.label for arm in frozen.arms if arm.label in text]


def test_envelopes_are_accounted_for_on_paper_and_in_excel(frozen: Config) -> None:
    """Counts by site and stratum; what still lies at the desk is not told."""
    register = [
        *envelopes(frozen, 1, "received"), Envelope(Pile("ODE", "K1N"), 2, "x", 1, "opened", "00"),
        Envelope(Pile("ODE", "K1N"), 3, "y", 1, "made", "00"),
    ]  # fmt: skip
    sheet = accountability_sheet(frozen, register, DAY, "en")
    assert [column.title for column in sheet.columns][2:5] == ["Sent", "At the site", "Opened"]
    assert sheet.lines[0].values == ("ODE", "Known myeloma, 1 level, No former fracture", 2, 1, 1, 0, 0, 0)
    text, _ = everything(pdf("accountability", accountability(frozen, register, DAY, "en")))
    assert "Accountability of envelopes" in text
    log, _ = everything(pdf("log", opening_log(frozen, "ODE", "da")))
    assert "Åbningslog" in log


def test_the_same_values_are_the_same_bytes_and_tell_nothing_beside(frozen: Config) -> None:
    """No date, no program's user and no path in the file; fonts are inside it."""
    values = labels(frozen, envelopes(frozen, 1), sheet_of("L7160"), "da")
    one, two = pdf("labels", values), pdf("labels", values)
    assert one == two
    with pypdfium2.PdfDocument(one) as document:
        told = document.get_metadata_dict(skip_empty=True)
    assert told.keys() <= {"Title", "Creator"}
    assert told["Title"] == frozen.trial.id
    assert b"FontFile" in one


def test_five_hundred_labels_are_made_in_a_moment(frozen: Config) -> None:
    """A second is the goal of the program that sets them; a slow machine gets three."""
    made = [Envelope(p, n, envelope_id(p, n), 1, "made", "00") for p in frozen.piles for n in range(1, 8)][:500]
    values = labels(frozen, made, sheet_of("L7160"), "da")
    begun = time.process_time()
    pdf("labels", values)
    assert len(made) == 500
    assert time.process_time() - begun < 6  # both processors


@pytest.mark.parametrize("sheet", ["A4", "63x38", "200x38:2x7:15,5", "63.5x38.1:3x9:15,7", "20x10:3x7:15,7"])
def test_a_sheet_that_is_none_is_refused(sheet: str) -> None:
    """In one line with the way out."""
    with pytest.raises(ConfigError, match="--sheet"):
        sheet_of(sheet)


def test_a_template_of_one_s_own_takes_the_place_of_ours(frozen: Config, tmp_path: Path) -> None:
    """It is given the same values; one that does not compile is named, without what is printed."""
    own = tmp_path / "own.typ"
    own.write_text("#let told = json(bytes(sys.inputs.told))\n#told.labels.len() labels", encoding="utf-8")
    values = labels(frozen, envelopes(frozen, 1), sheet_of("L7160"), "da")
    assert everything(pdf("labels", values, own))[0] == "16 labels"
    own.write_text("#nothing(", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"own\.typ: does not compile"):
        pdf("labels", values, own)
    with pytest.raises(ConfigError, match="can't be read"):
        pdf("labels", values, tmp_path / "none.typ")


def test_both_languages_have_all_words() -> None:
    """And every template is there."""
    assert WORDS["da"].keys() == WORDS["en"].keys()
    assert set(TEMPLATES) == {"labels", "cards", "shipment", "log", "accountability", "crf"}
