"""Documents made from instruments: the annotated CRF and the SPIRIT schedule, with everything the instruments hold."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pypdfium2
import pytest
from openpyxl import load_workbook

from frozen import FROZEN, trial_dictionary
from trialdesk.config import load
from trialdesk.instruments.design import Design
from trialdesk.instruments.documents.crf import crf, plain
from trialdesk.instruments.documents.spirit import ASSESS, ENROL, INTERVENE, sheet, spirit, svg
from trialdesk.instruments.documents.wording import in_words
from trialdesk.instruments.folder import folder_of, read_folder
from trialdesk.paper.engine import pdf
from trialdesk.workbook import save
from trialdesk.workbook.measures import widths

CONFIG = load(FROZEN / "config.yaml")


@pytest.fixture(scope="module")
def design() -> Design:
    return read_folder(folder_of(CONFIG, "trial")).design


@pytest.mark.parametrize(
    ("logic", "words"),
    [
        ("[con_given]='1'", "Written informed consent signed is Yes"),
        ("[con_given]<>''", "Written informed consent signed is filled in"),
        ("[con_given]=''", "Written informed consent signed is blank"),
        ("[cl_out]='1' or [cl_out]='5'", "Outcome is Asks to be called later or Outcome is Relative answered"),
        ("[con_given]='1' and ([cl_out]='1' or [cl_out]='5')",
         "Written informed consent signed is Yes and "
         "(Outcome is Asks to be called later or Outcome is Relative answered)"),
        ("not [con_given]='1'", "not (Written informed consent signed is Yes)"),
        ("[screening_arm_1][con_given]='1'", "Written informed consent signed (Screening) is Yes"),
        ("datediff([con_date],[elig_date],'d')>3", None),  # more than a comparison: the formula stands
        ("[no_such_field]='1'", None),
        ("[con_given", None),
    ],
)  # fmt: skip
def test_a_condition_in_words(logic: str, words: str | None) -> None:
    """Comparisons joined by and, or; what has no words is shown as it is written."""
    assert in_words(logic, Design(trial_dictionary())) == (words or logic)


def test_every_field_code_and_form_is_on_the_pages(design: Design) -> None:
    """Read again from the PDF; two runs give the same bytes."""
    told = crf(design, "PVP-MM", "abc")
    made = pdf("crf", told)
    assert made == pdf("crf", told)
    with pypdfium2.PdfDocument(made) as book:
        text = "".join(page.get_textpage().get_text_range() for page in book)
    joined = "".join(text.split())
    for field in design.dictionary.fields:
        assert field.name in joined, field.name
        for option in field.options:
            assert "".join(plain(option.label).split()) in joined, (field.name, option.label)
    assert all("".join(design.labels.form(form).split()) in joined for form in design.dictionary.forms)
    assert "Shownif:" in joined


def test_the_grid_is_the_mapping(design: Design) -> None:
    """A dot where a form is filled in."""
    told = crf(design, "x", "y")
    grid = {row["form"]: row["at"] for row in told["grid"]}  # type: ignore[attr-defined]
    events = [event.name for event in design.events]
    for form in design.dictionary.forms:
        at = {slot.event for slot in design.mapping if slot.form == form}
        assert grid[design.labels.form(form)] == [name in at for name in events]


def test_the_schedule_tells_enrolment_interventions_and_assessments(design: Design) -> None:
    """The procedure and the change of arm are interventions, screening enrolment, pain an assessment."""
    found = spirit(design, CONFIG)
    kinds = {form: kind for kind, form, _ in found.rows}
    labels = design.labels
    assert kinds[labels.form("pvp_procedure")] == kinds[labels.form("crossover")] == INTERVENE
    assert {kinds[labels.form(name)] for name in ("eligibility", "consent", "randomisation")} == {ENROL}
    assert {kinds[labels.form(name)] for name in ("vas_pain", "nurse_contact", "adverse_event")} == {ASSESS}
    when = dict(found.events)
    assert when[labels.event("week_4_arm_1")] == "28 d\n−3/+3 d"
    assert when[labels.event("month_3_arm_1")] == "3 mo\n−1/+14 d"
    assert when[labels.event("surgeon_control_arm_1")].endswith("after procedure")
    marks = sum(sum(at) for _, _, at in found.rows)
    assert marks == len({(slot.event, slot.form) for slot in design.mapping if slot.form in design.dictionary.forms})


def test_picture_and_sheet_show_the_same_crosses(design: Design, tmp_path: Path) -> None:
    """The picture is well-formed XML, and the workbook opens again."""
    found = spirit(design, CONFIG)
    marks = sum(sum(at) for _, _, at in found.rows)
    root = ElementTree.fromstring(svg(found, "PVP-MM"))  # noqa: S314 - made just now
    assert sum((one.text or "") == "×" for one in root.iter()) == marks
    save(tmp_path / "s.xlsx", (sheet(found, "PVP-MM"),), "x")
    page = load_workbook(tmp_path / "s.xlsx")["Schedule"]
    columns = sheet(found, "PVP-MM").columns[2:]
    assert all(column.width > max(map(len, column.title.split())) for column in columns)  # no word is broken
    assert sum(widths(sheet(found, "PVP-MM"))) <= 200  # twenty events: print keeps eight points
    assert sum(cell.value == "×" for row in page.rows for cell in row) == marks
