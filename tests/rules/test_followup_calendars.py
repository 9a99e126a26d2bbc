"""Calendars of calls: the rules of RFC 5545, read by two programs that nobody here wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import icalendar
import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st

from followup_records import DONE, Record, made, planned, pulled, record
from trialdesk.config import Config
from trialdesk.errors import ConfigError
from trialdesk.followup.calendars import at_site, calendar, entries, lost
from trialdesk.followup.keys import Keys, keys, printed
from trialdesk.memory.values import Dated

pytestmark = pytest.mark.requirement("CAL-09")

OWN = Keys(b"k" * 32)
NOON = datetime(2026, 2, 23, 11, 0, tzinfo=UTC)
BOOKED = {"nc_stat": "2", "nc_date": "2026-02-22", "nc_cb_date": "2026-02-24", "nc_cb_time": "10:30"}
OPERATED = {"pvp_done": "1", "pvp_date": "2026-02-10"}


def dated(
    config: Config,
    records: dict[str, Record],
    day: str = "2026-02-23",
    before: Sequence[Dated] = (),
    moment: datetime = NOON,
) -> tuple[Dated, ...]:
    return entries(planned(config, pulled(records), day), config, OWN, before, moment)


def file_of(found: Sequence[Dated], config: Config, name: str) -> bytes:
    return b"".join(calendar(found, config, name))


def test_two_readers_find_every_entry_and_no_name(frozen: Config) -> None:
    """A whole day that leaves its owner free, and a promised time in the trial's own zone."""
    found = dated(frozen, {"ODE-1": record(w3=BOOKED)})
    text = file_of(found, frozen, "PVP-MM calls")
    first = {str(one["summary"]): one for one in icalendar.Calendar.from_ical(text).walk("VEVENT")}
    second = {one.summary.value: one for one in vobject.readOne(text.decode()).vevent_list}
    assert first.keys() == second.keys() == {f"{one.contact} – ODE-1" for one in found}
    assert second["W03 – ODE-1"].dtstart.value == datetime(2026, 2, 24, 10, 30, tzinfo=frozen.trial.zone)
    assert second["W03 – ODE-1"].transp.value == "OPAQUE"
    assert first["W04 – ODE-1"].decoded("dtstart") == date(2026, 3, 2)
    assert first["W04 – ODE-1"].decoded("dtend") == date(2026, 3, 3)
    assert str(first["W04 – ODE-1"]["transp"]) == "TRANSPARENT"
    assert {str(one["class"]) for one in first.values()} == {"PRIVATE"}
    assert {name for one in first.values() for name in one} <= {
        *("UID", "SUMMARY", "SEQUENCE", "DTSTAMP", "LAST-MODIFIED", "DTSTART", "DTEND", "TRANSP", "CLASS", "STATUS")
    }


def test_lines_end_and_fold_as_the_rule_says(frozen: Config) -> None:
    """CRLF, at most 75 octets a line, no letter cut in two; a record may have any letters (RFC 5545 3.1, 3.3.11)."""
    name = "ÅRHUS;ø,æ\\" * 9
    text = file_of(dated(frozen, {name: record()}), frozen, "Ø" * 80)
    assert text.endswith(b"END:VCALENDAR\r\n")
    lines = text.split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)
    assert [line.decode() for line in lines]  # each is whole by itself
    assert {one.summary.value[6:] for one in vobject.readOne(text.decode()).vevent_list} == {name}


def test_the_clock_changes_are_told_for_the_whole_trial(frozen: Config) -> None:
    """Summer 2026 begins on 29 March at 02:00, winter on 25 October at 03:00 (EU rule)."""
    zone = icalendar.Calendar.from_ical(file_of(dated(frozen, {"ODE-1": record(w3=BOOKED)}), frozen, "x")).walk(
        "VTIMEZONE"
    )
    assert [str(one["tzid"]) for one in zone] == ["Europe/Copenhagen"]
    made_zone = zone[0].to_tz()  # type: ignore[attr-defined]
    for moment, hours in ((datetime(2026, 3, 29, 1, 59), 1), (datetime(2026, 3, 29, 3, 0), 2),
                          (datetime(2028, 10, 29, 1, 59), 2), (datetime(2028, 10, 29, 3, 1), 1)):  # fmt: skip
        assert made_zone.utcoffset(moment) == timedelta(hours=hours)


def test_nothing_changed_gives_the_same_bytes(frozen: Config) -> None:
    """Whenever it is made, in whatever order records come."""
    records = {f"ODE-{n}": record(f"2026-02-{n:02}", w1=DONE) for n in range(2, 6)}
    first = dated(frozen, records)
    again = dated(frozen, dict(reversed(records.items())), before=first, moment=NOON + timedelta(hours=9))
    assert file_of(again, frozen, "x") == file_of(first, frozen, "x")


def test_a_number_rises_with_a_change_alone_and_a_cancelled_entry_stays_sixty_days(frozen: Config) -> None:
    """First known: minutes since 2026; a new time: one more; a death: cancelled, then gone."""
    first = {one.contact: one for one in dated(frozen, {"ODE-1": record()})}
    assert {one.sequence for one in first.values()} == {
        int((NOON - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds() // 60)
    }
    moved = {one.contact: one for one in dated(frozen, {"ODE-1": record(w3=BOOKED)}, before=tuple(first.values()))}
    assert {code: moved[code].sequence - first[code].sequence for code in moved} == {
        code: int(code == "W03") for code in moved
    }
    assert all(moved[code].uid == first[code].uid for code in moved)
    dead = record(w3=BOOKED, eos={"eos_stat": "4", "eos_date": "2026-02-25", "eos_dth_date": "2026-02-25"})
    after = dated(frozen, {"ODE-1": dead}, "2026-02-26", tuple(moved.values()))
    assert {one.contact for one in after if one.cancelled} == {*moved} - {"W01", "W02", "W03"}
    again = dated(frozen, {"ODE-1": dead}, "2026-02-27", after)
    assert again == after
    statuses = {str(one["status"]) for one in icalendar.Calendar.from_ical(file_of(after, frozen, "x")).walk("VEVENT")}
    assert statuses == {"CANCELLED", "CONFIRMED"}
    assert dated(frozen, {"ODE-1": dead}, "2027-06-01", after) == ()


def test_a_deleted_record_is_cancelled_in_its_site_s_calendar(frozen: Config) -> None:
    """And nothing of it stands in another site's."""
    before = dated(frozen, {"ODE-1": record(), "RIG-1": record(site="RIG")})
    plan = made(frozen, "2026-02-23", RIG_1=record(site="RIG"))
    after = entries(plan, frozen, OWN, before, NOON)
    assert {one.record for one in after if one.cancelled} == {"ODE-1"}
    assert {one.record for one in at_site(after, plan, "RIG")} == {"RIG-1"}
    assert {one.record for one in at_site(after, plan, "ODE")} == {"ODE-1"}


def test_contacts_that_one_arm_has_stay_out(frozen: Config) -> None:
    """Unless the trial says that its calendars show treatment."""
    operated = {"ODE-1": record(arm="1", op=OPERATED)}
    assert "SC12" not in {one.contact for one in dated(frozen, operated)}
    shows = frozen.model_copy(update={"calendars": frozen.calendars.model_copy(update={"treatment": True})})
    assert "SC12" in {one.contact for one in dated(shows, operated)}


def test_what_was_made_stays_in_the_past_and_what_was_made_early_leaves_the_future(frozen: Config) -> None:
    """Week 3 was planned for Mon 23 February: done on the Sunday before, its entry of Monday is cancelled."""
    before = dated(frozen, {"ODE-1": record()}, "2026-02-21")
    early = {"nc_stat": "1", "nc_date": "2026-02-22"}
    after = {one.contact: one for one in dated(frozen, {"ODE-1": record(w3=early)}, "2026-02-22", before)}
    assert (after["W03"].cancelled, after["W04"].cancelled) == (True, False)
    late = {"nc_stat": "1", "nc_date": "2026-02-24"}
    kept = {one.contact: one for one in dated(frozen, {"ODE-1": record(w3=late)}, "2026-02-24", before)}
    assert (kept["W03"].cancelled, kept["W03"].day) == (False, date(2026, 2, 23))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["same", "booked", "done", "gone", "dead"]), min_size=1, max_size=6))
def test_numbers_never_fall_and_names_never_change(frozen: Config, nights: list[str]) -> None:
    """Over any nights: a changed entry has a higher number, an unchanged one the same bytes."""
    kinds: dict[str, dict[str, Record]] = {
        "same": {"ODE-1": record()},
        "booked": {"ODE-1": record(w3=BOOKED)},
        "done": {"ODE-1": record(w3={"nc_stat": "1", "nc_date": "2026-02-22"})},
        "gone": {},
        "dead": {"ODE-1": record(eos={"eos_stat": "4", "eos_dth_date": "2026-02-22", "eos_date": "2026-02-22"})},
    }
    before: tuple[Dated, ...] = ()
    for number, night in enumerate(nights):
        after = dated(frozen, kinds[night], before=before, moment=NOON + timedelta(days=number))
        for one in after:
            old = next((other for other in before if other.uid == one.uid), None)
            if old is not None:
                assert (one == old) or one.sequence > old.sequence
        assert len({one.uid for one in after}) == len(after)
        before = after


def test_a_name_is_stable_unguessable_and_another_with_another_key(frozen: Config) -> None:
    """It holds neither record nor date; a lost key is noticed, and what it made counts for nothing."""
    before = dated(frozen, {"ODE-1": record()})
    assert all(re.fullmatch(r"[0-9a-f]{24}@pvp-mm\.invalid", one.uid) for one in before)
    other = Keys(b"x" * 32)
    assert (lost(OWN, before), lost(other, before), lost(other, ())) == (False, True, False)
    plan = made(frozen, "2026-02-23", ODE_1=record())
    assert not {one.uid for one in entries(plan, frozen, other, before, NOON)} & {one.uid for one in before}


def test_the_key_is_made_once_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    """Anything else in its place is said, never replaced."""
    path = tmp_path / "own" / "calls.key"
    made_keys = keys(path)
    assert (keys(path), path.stat().st_mode & 0o777) == (made_keys, 0o600)
    assert repr(made_keys) == "Keys()"
    path.write_text("something", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not the calls' key"):
        keys(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others can read this file"):
        keys(path)


def test_the_key_of_a_row_is_of_its_record_contact_and_minute() -> None:
    """What was changed in any part fits nothing."""
    row = OWN.row(datetime(2026, 2, 23, 4, 30), "ODE-1", "W03")
    codes = ("W02", "W03", "W04")
    assert (OWN.contact(row, "ODE-1", codes), printed(row)) == ("W03", datetime(2026, 2, 23, 4, 30))
    changed = [row.replace("20260223", "20260224"), row[:-1] + ("0" if row[-1] != "0" else "1"), "", "x-y", row.upper()]
    assert [OWN.contact(key, "ODE-1", codes) for key in changed] == [""] * 5
    assert OWN.contact(row, "ODE-2", codes) == ""
    assert [printed(key) for key in ("", "x-y", "2026-1")] == [None] * 3
