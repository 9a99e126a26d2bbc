"""Entry delay: from the day a contact was made to the night that first saw its form, kept from night to night."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.record import Row
from trialdesk.config import load
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.entering import Delays, Entry, delays, entries
from trialdesk.facts.pulling import Pull
from trialdesk.memory.values import Remembered, Scope
from trialdesk.redcap.observing import moves, observe, settled
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.pack import enrolment_packs

pytestmark = pytest.mark.requirement("REP-01")

CONFIG = load(FROZEN / "config.yaml")
EVENTS = tuple(row["unique_event_name"] for row in trial_rows("events.csv"))
MAPPING = forms_by_event(trial_rows("mapping.csv"))
SCOPE = Scope(CONFIG.trial.id, CONFIG.redcap.url)
BEGIN = Remembered(SCOPE, b"secret")
Places = Mapping[str, Mapping[str, str]]


def opened(site: str, on: str, **contacts: str) -> dict[str, dict[str, str]]:
    """The rows of a randomised patient by event: the day of each contact by its event."""
    screened = {"elig_site": site, "elig_date": on, "elig_ok": "1"}
    made = {f"{event}_arm_1": {"nc_stat": "1", "nc_date": day} for event, day in contacts.items()}
    return {"screening_arm_1": screened, "randomisation_arm_1": {"rand_date": on, "rand_arm": "2"}, **made}


def night(records: Mapping[str, Places], before: Remembered, day: str) -> tuple[Facts, Remembered]:
    """What a night derives, and what the next one remembers."""
    rows: Mapping[str, tuple[Row, ...]] = {
        name: tuple(Row(name, event, "", 0, dict(values)) for event, values in places.items())
        for name, places in records.items()
    }
    snapshot = Snapshot("1", "", trial_dictionary(), EVENTS, rows, {name: name[:3].lower() for name in records})
    everyone = patients(snapshot, CONFIG)
    seen = observe(snapshot, everyone, {}, CONFIG, before)
    found = moves(before.night, seen)
    pull = Pull(snapshot, everyone, (), MAPPING)
    facts = derive(pull, past(CONFIG, snapshot, before, found), CONFIG, date.fromisoformat(day))
    return facts, Remembered(SCOPE, b"secret", settled(seen, before, found, day, day))


def took(facts: Facts) -> dict[tuple[str, str], int]:
    return {(one.record, one.event.removesuffix("_arm_1")): one.delay for one in entries(facts)}


ODE = opened("ODE", "2026-03-02")
FIRST, BEGUN = night({"ODE-1": ODE}, BEGIN, "2026-03-03")
CALLED = {"ODE-1": opened("ODE", "2026-03-02", week_1="2026-03-09")}
SECOND, SEEN = night(CALLED, BEGUN, "2026-03-12")
MORE = {
    "ODE-1": opened("ODE", "2026-03-02", week_1="2026-03-09", week_2="2026-03-16"),
    "RIG-1": opened("RIG", "2026-03-08"),
}
THIRD, LAST = night(MORE, SEEN, "2026-03-20")
SCREENED = {("RIG-1", "screening"): 12}
"""Screened on the day of the randomisation, and seen the same night."""


def test_what_stood_there_when_the_memory_began_has_no_delay() -> None:
    """Nobody knows since when."""
    assert took(FIRST) == {}
    assert took(SECOND) == {("ODE-1", "week_1"): 3}


def test_a_delay_stays_what_it_was_and_a_new_record_s_forms_have_theirs() -> None:
    assert took(THIRD) == {("ODE-1", "week_1"): 3, ("ODE-1", "week_2"): 4, ("RIG-1", "randomisation"): 12, **SCREENED}


def test_a_renamed_record_keeps_its_days() -> None:
    renamed = {"ODE-9": MORE["ODE-1"], "RIG-1": MORE["RIG-1"]}
    facts, _ = night(renamed, LAST, "2026-03-25")
    assert took(facts) == {("ODE-9", "week_1"): 3, ("ODE-9", "week_2"): 4, ("RIG-1", "randomisation"): 12, **SCREENED}


def test_a_form_entered_before_its_day_took_none() -> None:
    """A contact dated after the night that saw it is another finding; here it is no negative delay."""
    early = {"ODE-1": opened("ODE", "2026-03-02", week_1="2026-03-12")}
    facts, kept = night(early, BEGUN, "2026-03-12")
    later = {"ODE-1": opened("ODE", "2026-03-02", week_1="2026-03-14")}
    corrected, _ = night(later, kept, "2026-03-20")
    assert (took(facts), took(corrected)) == ({("ODE-1", "week_1"): 0}, {("ODE-1", "week_1"): 0})


def test_a_form_with_a_date_of_its_own_counts_from_that() -> None:
    """A baseline has no other day; and what was completed at home on the day before the contact was."""
    filled = opened("ODE", "2026-03-02", week_1="2026-03-09")
    filled["baseline_arm_1"] = {"vas_date": "2026-03-01", "vas_back": "7", "odi_1": "3"}
    filled["week_4_arm_1"] = {"nc_stat": "1", "nc_date": "2026-03-30", "vas_date": "2026-03-29", "vas_back": "5"}
    facts, _ = night({"ODE-1": filled}, BEGUN, "2026-04-02")
    took = {(one.event.removesuffix("_arm_1"), one.form): one.delay for one in entries(facts)}
    assert took == {
        ("baseline", "vas_pain"): 32,
        ("week_1", "nurse_contact"): 24,
        ("week_4", "nurse_contact"): 3,
        ("week_4", "vas_pain"): 4,
    }


def test_the_monitor_reads_them_by_form_and_by_site() -> None:
    """3, 4 and twice 12 days: two of four over ten; at ODE none."""
    made = {table.name: table for table in enrolment_packs(THIRD, ["monitor"])["monitor"]}
    total = made["Entry delay"].lines[-1].values
    assert (total[0], total[2:6]) == ("All", (4, 8, 12, 2))
    conduct = next(block for block in made["Sites"].more if block.title == "Conduct")
    by_site = {line.values[0]: line.values[-2:] for line in conduct.lines}
    assert (by_site["ODE"], by_site["RIG"], by_site["All"]) == ((3.5, 4), (12, 12), (8, 12))
    assert by_site[CONFIG.sites[-1].code] == (None, None)


def test_nine_of_ten_is_the_day_by_which_nine_tenths_stand_there() -> None:
    """Of the days 0 to 19, 18 are at most 17: the nearest rank."""
    assert delays(Entry("", "", "", day) for day in range(20)) == Delays(20, 9.5, 17, 9)
    assert delays([]) == Delays(0, None, None, 0)
