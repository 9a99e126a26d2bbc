"""The day's calls on paper: the page in headless Chromium, its PDF, and its age."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe

from browser import page_of
from followup_records import desk, planned, pulled, record
from trialdesk.config import Config
from trialdesk.followup.day_sheet import day_sheet
from trialdesk.followup.morning import today
from trialdesk.followup.schedule import Schedule

pytestmark = pytest.mark.requirement("CAL-05")

A4_ACROSS = (841.9, 595.3)
BOOKED = {"nc_stat": "2", "nc_date": "2026-02-22", "nc_cb_date": "2026-02-23", "nc_cb_time": "09:15"}
DEAD = {"eos_stat": "1", "eos_dth_date": "2026-02-20"}


@dataclass(frozen=True)
class Printed:
    """The page of a morning with 30 patients to call and one to verify, and its PDF."""

    plan: Schedule
    html: Path
    pdf: Path


def morning(config: Config) -> Schedule:
    records = {f"ODE-{n}": record(w3=BOOKED if n == 7 else {}) for n in range(1, 31)}
    many = config.model_copy(update={"calls": config.calls.model_copy(update={"a_day": 40})})
    return planned(many, pulled({**records, "ODE-31": record(eos=DEAD)}), "2026-02-23")


@pytest.fixture(scope="module")
def sheet(frozen: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Printed]:
    folder = tmp_path_factory.mktemp("day")
    plan, read_at = morning(frozen), datetime(2026, 2, 23, 4, 30, tzinfo=frozen.trial.zone)
    (folder / "day.html").write_text(day_sheet(plan, desk(frozen), read_at), encoding="utf-8")
    with page_of() as page:
        page.goto((folder / "day.html").as_uri())
        page.pdf(path=folder / "day.pdf", prefer_css_page_size=True, print_background=True)
    yield Printed(plan, folder / "day.html", folder / "day.pdf")


def test_every_row_of_today_is_on_paper_in_its_order_with_the_pages_numbered(sheet: Printed) -> None:
    """A4 across; who is to be verified stands before anybody who is called."""
    book = pypdfium2.PdfDocument(sheet.pdf)
    texts = [page.get_textpage().get_text_range() for page in book]
    assert {tuple(round(side) for side in page.get_size()) for page in book} == {tuple(map(round, A4_ACROSS))}
    assert len(texts) > 1
    for number, text in enumerate(texts, 1):
        assert f"page {number} of {len(texts)}" in text
        assert "shred after use" in text
    whole = "\n".join(texts)
    calls = [call.record for call in today(sheet.plan)]
    places = [
        whole.index(f"{name}\r\n") if f"{name}\r\n" in whole else whole.index(name) for name in ["ODE-31", calls[0]]
    ]
    assert len(calls) == 30
    assert places == sorted(places)
    assert calls[0] == "ODE-7"
    assert all(name in whole for name in calls)
    book.close()


def test_what_is_read_from_paper_is_at_least_eleven_points(sheet: Printed) -> None:
    """All letters of the table; the foot of the page may be smaller."""
    with page_of() as page:
        page.goto(sheet.html.as_uri())
        page.emulate_media(media="print")
        sizes = page.eval_on_selector_all("main *", "all => all.map(one => parseFloat(getComputedStyle(one).fontSize))")
    assert min(sizes) * 72 / 96 >= 11 - 1e-6


def test_the_banner_turns_red_by_itself_after_a_day(sheet: Printed) -> None:
    """Red, and in words: data of more than 24 hours ago send the nurse to REDCap first."""
    for hours, red in ((23, False), (25, True)):
        with page_of() as page:
            page.clock.install(time=datetime.fromisoformat("2026-02-23T04:30:00+01:00") + timedelta(hours=hours))
            page.goto(sheet.html.as_uri())
            assert page.locator("#stale").is_visible() == red
            colour = page.eval_on_selector("#age", "one => getComputedStyle(one).backgroundColor")
            assert (colour == "rgb(179, 0, 0)") == red


@pytest.mark.parametrize("width", [1280, 390])
def test_it_can_be_read_with_a_screen_reader_and_on_a_telephone(sheet: Printed, width: int) -> None:
    """Axe finds nothing serious, and the page itself does not scroll sideways."""
    with page_of(width) as page:
        page.goto(sheet.html.as_uri())
        found = Axe().run(page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_data_of_another_day_are_red_from_the_start_without_any_script(frozen: Config) -> None:
    """Also where scripts don't run: on paper of Monday, made of Friday's data."""
    read_at = datetime(2026, 2, 20, 4, 30, tzinfo=frozen.trial.zone)
    text = day_sheet(morning(frozen), desk(frozen), read_at)
    assert 'class="banner old"' in text
    assert "NOT THIS DAY&#39;S DATA" in text or "NOT THIS DAY'S DATA" in text


def test_a_record_s_name_is_text_whatever_it_holds(frozen: Config) -> None:
    """Nothing from REDCap becomes markup."""
    plan = planned(frozen, pulled({"<b>&1": record()}), "2026-02-23")
    text = day_sheet(plan, desk(frozen), datetime(2026, 2, 23, 4, 30, tzinfo=frozen.trial.zone))
    assert "&lt;b&gt;&amp;1" in text
    assert "<b>&1" not in text
