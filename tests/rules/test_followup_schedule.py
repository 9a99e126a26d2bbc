"""From a record to the nurse's sheet: whole schedules of small literal trials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from followup_records import DONE, EVENTS, WEEKS, cells, desk, entry, made, pulled, record, sheet, shown, statuses
from frozen import FROZEN
from redcap_rules.dictionary import join, read_dictionary
from redcap_rules.record import Row
from trialdesk.config import Config, ContactRule
from trialdesk.errors import ConfigError, SanityFailed
from trialdesk.followup.attempts import Booking
from trialdesk.followup.callplan import call_plan_values, next_contacts
from trialdesk.followup.contacts import Contact, Said
from trialdesk.followup.keeping import promises, version
from trialdesk.followup.schedule import Entry, Schedule, schedule
from trialdesk.followup.sheets import tables
from trialdesk.followup.windows import window
from trialdesk.model import Patient
from trialdesk.redcap.patients import patients
from trialdesk.workbook import digest, save

pytestmark = pytest.mark.requirement("CAL-01", "CAL-02", "CAL-04", "ARM-01")

FORMS = sorted((FROZEN / "instruments" / "trial").glob("[0-9]*.csv"))


def test_a_conservative_patient_on_day_18(frozen: Config) -> None:
    """Enrolled Mon 2 Feb: week 1 done, week 2 never entered, week 3 open from today, month 12 far away."""
    plan = made(frozen, "2026-02-20", ODE_1=record(w1=DONE))
    assert statuses(plan) == {
        "W01": "done", "W02": "missed", "W03": "open", "W04": "upcoming", "W05": "upcoming", "W06": "upcoming",
        "W07": "upcoming", "W08": "upcoming", "W09": "upcoming", "W10": "upcoming", "W11": "upcoming",
        "W12": "upcoming", "M03": "upcoming", "M12": "upcoming", "SC12": "not applicable",
    }  # fmt: skip
    assert entry(plan, "W03").may_change_arm_from == date(2026, 3, 2)
    assert {e.reached.key for e in plan.entries if e.reached} == {("ODE-1", "W01")}
    assert entry(plan, "W01").may_change_arm_from is None


def test_the_surgeon_control_follows_the_actual_operation_also_after_a_change_of_arm(frozen: Config) -> None:
    """Operated on day 40: calls stay anchored to enrolment, the control is 84 days after the operation."""
    operated = {"pvp_done": "1", "pvp_date": "2026-03-14"}
    changed = {"xo_dec": "1", "xo_date": "2026-03-10"}
    plan = made(frozen, "2026-05-25", ODE_1=record(op=operated, eos=changed))
    control = entry(plan, "SC12")
    assert (control.contact.window and control.contact.window.target, control.status) == (date(2026, 6, 6), "open")
    assert control.planned and control.planned.why == "target Sat 6 Jun 2026 is a Saturday; moved to Thu 4 Jun"
    assert {e.may_change_arm_from for e in plan.entries} == {None}
    assert entry(plan, "M12").contact.window == entry(made(frozen, "2026-05-25", ODE_1=record()), "M12").contact.window


def test_an_operation_that_was_planned_and_not_done_makes_no_control(frozen: Config) -> None:
    """Only an operation that took place is an anchor."""
    plan = made(frozen, "2026-05-25", ODE_1=record(arm="1", op={"pvp_done": "0", "pvp_date": "2026-02-10"}))
    assert entry(plan, "SC12").status == "not applicable"


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (
            {"eos_stat": "4", "eos_date": "2026-02-25", "eos_dth_date": "2026-02-24"},
            "done missed stopped stopped stopped",
        ),
        ({"eos_stat": "2", "eos_wd_type": "1", "eos_date": "2026-02-24"}, "done missed due upcoming upcoming"),
        ({"eos_stat": "2", "eos_wd_type": "2", "eos_date": "2026-02-24"}, "done missed withdrawn withdrawn withdrawn"),
        ({"eos_stat": "2", "eos_wd_type": "3", "eos_date": "2026-02-24"}, "done missed withdrawn withdrawn withdrawn"),
        ({"eos_stat": "5", "eos_date": "2026-02-24"}, "done missed withdrawn withdrawn withdrawn"),
        ({"eos_stat": "3", "eos_date": "2026-02-24"}, "done missed stopped upcoming upcoming"),
    ],
)
def test_how_follow_up_ends(frozen: Config, end: Mapping[str, str], expected: str) -> None:
    """Weeks 1 to 3, month 3 and month 12 on Mon 23 Feb 2026, when week 3 is due."""
    found = statuses(made(frozen, "2026-02-23", ODE_1=record(w1=DONE, eos=end)))
    assert [found[code] for code in ("W01", "W02", "W03", "M03", "M12")] == expected.split()


def test_a_sign_of_death_stops_the_calls_and_comes_first_on_the_sheet(frozen: Config) -> None:
    """A fatal event is enough; the nurse reads "do not call" before anything else."""
    fatal = Row("ODE-1", "logs_arm_1", "adverse_event", 1, {"ae_out": "4"})
    snapshot = pulled({"ODE-1": record(), "ODE-2": record()})
    snapshot = replace(snapshot, rows={**snapshot.rows, "ODE-1": (*snapshot.rows["ODE-1"], fatal)})
    plan = schedule(patients(snapshot, frozen), snapshot, frozen, date(2026, 2, 23))
    assert set(statuses(plan).values()) == {"stopped", "not applicable"}
    assert shown(sheet(frozen, plan, "Today")) == [
        ("ODE-1", "all", "VERIFY FIRST", "Do not call. Verify vital status: fatal adverse event"),
        ("ODE-2", "W03", "due", "2 contacts missed in a row; may change arm from 2026-03-02"),
    ]


def test_a_finished_patient_with_a_sign_of_death_is_not_verified_by_the_nurse(frozen: Config) -> None:
    """Nothing is left to call about."""
    made_all = dict.fromkeys((*WEEKS, "month_3_arm_1", "month_12_arm_1"), DONE)
    fatal = {"eos_dth_date": "2027-11-30"}  # a date of death, and an end of study that does not say died
    assert made(frozen, "2027-12-01", ODE_1={**record(eos=fatal), **made_all}).holds == ()
    assert made(frozen, "2027-12-01", ODE_1=record(eos={"eos_dth_date": "2026-02-10"})).holds != ()


def test_a_date_of_enrolment_ten_years_away_is_verified_and_breaks_nothing(frozen: Config) -> None:
    """A typing error such as 9999 plans no call."""
    plan = made(frozen, "2026-02-23", ODE_1=record(enrolled="9999-12-30"))
    assert plan.holds[0].reasons == ("enrolment: 9999-12-30 lies after today; correct it in REDCap",)
    assert plan.holds[0].undated
    assert {e.planned for e in plan.entries} == {None}


@pytest.mark.parametrize("ahead", ["2026-02-24", "2026-03-02", "2027-02-02"])
def test_an_opening_dated_after_today_plans_no_call_and_says_so(frozen: Config, ahead: str) -> None:
    """Five days ahead all calls would be five days late; the patient stands first on the sheet of the day instead."""
    plan = made(frozen, "2026-02-23", ODE_1=record(enrolled=ahead))
    today = tables(plan, desk(frozen), datetime(2026, 2, 23, 4, 30))[0]
    first = cells(today, today.lines[0])
    assert (first["Record"], first["Status"]) == ("ODE-1", "CHECK DATE FIRST")
    assert ahead in str(first["Remark"])
    assert {entry.planned for entry in plan.entries} == {None}


@pytest.mark.parametrize(
    ("form", "code", "status", "last"),
    [
        ({"nc_stat": "1"}, "W03", "done", None),
        ({"nc_stat": "1", "nc_date": "2026-03-04"}, "W03", "done late", date(2026, 3, 4)),
        ({"nc_stat": "2", "nc_date": "2026-02-22", "nc_tries": "2"}, "W03", "due", date(2026, 2, 22)),
        ({"nc_stat": "3", "nc_date": "2026-02-22"}, "W03", "missed", date(2026, 2, 22)),
        ({"nc_stat": "2", "nc_date": "sometime", "nc_tries": "many"}, "W03", "due", None),
        ({"nurse_contact_complete": "0"}, "W03", "due", None),
    ],
)
def test_what_the_form_of_a_week_says(
    frozen: Config, form: Mapping[str, str], code: str, status: str, last: date | None
) -> None:
    """Done needs the nurse's word, not the form's colour; an attempt leaves the call due."""
    found = entry(made(frozen, "2026-02-23", ODE_1=record(w3=form)), code)
    assert (found.status, found.contact.said.on) == (status, last)


def test_a_date_in_another_week_is_remarked_and_not_moved(frozen: Config) -> None:
    """The week declared in REDCap decides; a contradiction is a question, never a new label."""
    plan = made(frozen, "2026-03-10", ODE_1=record(w3={"nc_stat": "1", "nc_date": "2026-03-02"}))
    odd = "CHECK FIRST: Week 3 is dated 2026-03-02, in the window of Week 4: check which contact it was"
    assert odd in entry(plan, "W05").flags
    assert entry(plan, "W04").status == "missed"


def test_a_callback_belongs_to_the_contact_whose_window_holds_it(frozen: Config) -> None:
    """Said in week 3 about Sat 28 Feb, a day of week 4: week 4 is booked, and the weekend is remarked."""
    asked = {"nc_stat": "1", "nc_date": "2026-02-23", "nc_cb_date": "2026-02-28", "nc_cb_time": "10:30"}
    plan = made(frozen, "2026-02-28", ODE_1=record(w3=asked))
    booked = entry(plan, "W04")
    assert (booked.status, booked.due, booked.planned and booked.planned.on) == (
        "due",
        date(2026, 2, 28),
        date(2026, 3, 2),
    )
    assert booked.flags == ("the patient asked for Sat 28 Feb 2026, which is a Saturday",)
    today = sheet(frozen, plan, "Today")
    assert cells(today, today.lines[0])["Promised"] == datetime(2026, 2, 28, 10, 30)


def test_a_callback_that_fits_no_open_contact_is_still_called(frozen: Config) -> None:
    """Done on Monday and asked to be called again on Wednesday: on Wednesday it stands on the sheet, then no more."""
    asked = {"nc_stat": "1", "nc_date": "2026-02-23", "nc_cb_date": "2026-02-25"}
    remark = "asked to be called on 2026-02-25, a day no open contact covers"
    for today, expected in (("2026-02-25", [("ODE-1", "W03", "done", remark)]), ("2026-02-26", [])):
        assert shown(sheet(frozen, made(frozen, today, ODE_1=record(w3=asked)), "Today")) == expected
    ahead = shown(sheet(frozen, made(frozen, "2026-02-24", ODE_1=record(w3=asked)), "Next 14 days"))
    assert [line[1] for line in ahead] == ["W03", "W04", "W05"]
    dead = record(w3=asked, eos={"eos_stat": "4", "eos_dth_date": "2026-02-24"})
    assert shown(sheet(frozen, made(frozen, "2026-02-25", ODE_1=dead), "Today")) == []


@pytest.mark.parametrize(
    ("week", "asked", "booked"),
    [
        ("week_3_arm_1", "2026-02-17", None),  # a day of week 2, which is behind: a typing error
        ("week_12_arm_1", "2026-05-20", "M03"),  # in the days of grace of month 3
        ("week_12_arm_1", "2026-06-10", None),  # a day of the surgeon's control, which the nurse does not book
    ],
)
def test_a_callback_books_no_earlier_contact_and_none_of_another_form(
    frozen: Config, week: str, asked: str, booked: str | None
) -> None:
    """Only what is still to come, by the same telephone."""
    operated = {"pvp_done": "1", "pvp_date": "2026-03-14"}
    values = {"nc_stat": "2", "nc_date": "2026-02-23", "nc_cb_date": asked}
    plan = made(frozen, "2026-02-23", ODE_1={**record(op=operated), week: values})
    assert [e.contact.rule.code for e in plan.entries if e.contact.booking] == ([booked] if booked else [])
    assert sum(e.contact.recall is not None for e in plan.entries) == (booked is None)


def test_the_latest_preference_counts_for_all_calls(frozen: Config) -> None:
    """Tuesday said in week 1, Thursday afternoon in week 2; the surgeon's control does not ask the nurse's form."""
    first = {**DONE, "nc_pref_day": "2", "nc_pref_time": "1"}
    second = {"nc_stat": "1", "nc_date": "2026-02-16", "nc_pref_day": "4", "nc_pref_time": "3"}
    operated = {"pvp_done": "1", "pvp_date": "2026-02-10"}
    plan = made(frozen, "2026-02-20", ODE_1=record(w1=first, w2=second, op=operated))
    assert entry(plan, "W03").due == date(2026, 2, 26)
    assert entry(plan, "SC12").due == date(2026, 5, 5)
    every = sheet(frozen, plan, "All contacts")
    times = {cells(every, line)["Contact"]: cells(every, line)["Best time"] for line in every.lines}
    assert (times["Week 3"], times[entry(plan, "SC12").contact.rule.label]) == ("Thu afternoon", None)


def test_weeks_missed_in_a_row_are_remarked_once_on_the_next_contact(frozen: Config) -> None:
    """Two are enough to tell the coordinator (reference/trial-operations.md 3.4)."""
    plan = made(frozen, "2026-02-23", ODE_1=record())
    remark = "2 contacts missed in a row"
    assert [e.contact.rule.code for e in plan.entries if remark in e.flags] == ["W03"]
    once = made(frozen, "2026-02-23", ODE_1=record(w1=DONE))
    assert entry(once, "W03").flags == ()


def test_the_sheet_of_a_day_in_the_order_of_the_calls(frozen: Config) -> None:
    """Promised calls by time, then the primary week 4, then what closes first."""
    booked = {"nc_stat": "2", "nc_date": "2026-02-22", "nc_cb_date": "2026-02-23", "nc_cb_time": "09:15"}
    plan = made(
        frozen,
        "2026-02-23",
        ODE_1=record("2026-02-02"),  # week 3 due
        ODE_2=record("2026-02-01"),  # week 3 was on Sunday, moved to Monday
        ODE_3=record("2026-01-26"),  # week 4 due
        ODE_4=record("2026-02-02", w3=booked),
        ODE_5=record("2026-01-30"),  # week 3 on Friday 20 February: overdue
        ODE_6=record("2026-02-03"),  # week 3 tomorrow
    )
    assert [line[:3] for line in shown(sheet(frozen, plan, "Today"))] == [
        ("ODE-4", "W03", "due"),
        ("ODE-3", "W04", "due"),
        ("ODE-5", "W03", "overdue"),
        ("ODE-2", "W03", "due"),
        ("ODE-1", "W03", "due"),
    ]


def test_which_days_the_next_fourteen_are(frozen: Config) -> None:
    """On Mon 23 Feb week 3 is on Today only; Mon 9 March is the fourteenth day."""
    plan = made(frozen, "2026-02-23", ODE_1=record(), ODE_2=record("2026-02-03"))
    ahead = [(line[0], line[1]) for line in shown(sheet(frozen, plan, "Next 14 days"))]
    assert ahead == [("ODE-2", "W03"), ("ODE-1", "W04"), ("ODE-2", "W04"), ("ODE-1", "W05")]


def test_only_randomised_patients_are_called(frozen: Config) -> None:
    """A screened patient has no day 0."""
    snapshot = pulled({"ODE-1": {"screening_arm_1": {"elig_site": "ODE"}}})
    plan = schedule(patients(snapshot, frozen), snapshot, frozen, date(2026, 2, 23))
    assert plan == Schedule(date(2026, 2, 23), (), ())


def test_a_site_sees_its_own_patients_on_the_days_of_the_whole_trial_s_plan(frozen: Config) -> None:
    """The load is the trial's; the sheet is the site's."""
    one_a_day = frozen.model_copy(update={"calls": frozen.calls.model_copy(update={"a_day": 1})})
    plan = made(
        one_a_day, "2026-02-09", ODE_1=record(), RIG_1=record("2026-02-03", site="RIG"), RIG_2=record(site="RIG")
    )
    at_rig = plan.at_site("RIG")
    assert {e.contact.site for e in at_rig.entries} == {"RIG"}
    assert [e for e in plan.entries if e.contact.site == "RIG"] == list(at_rig.entries)
    assert entry(at_rig, "W01", "RIG-2").due == date(2026, 2, 10)


def test_shuffling_records_changes_no_byte_of_the_sheets(frozen: Config) -> None:
    """Row order of the export does not matter (reference/trial-operations.md 3.9)."""
    records = {f"ODE-{n}": record(f"2026-02-{n:02}") for n in range(2, 12)}
    both = []
    for order in (list(records), list(records)[::-1]):
        snapshot = pulled({name: records[name] for name in order})
        plan = schedule(patients(snapshot, frozen), snapshot, frozen, date(2026, 2, 23))
        both.append(digest(tables(plan, desk(frozen), datetime(2026, 2, 23, 2))))
    assert both[0] == both[1]


def test_the_workbook_holds_dates_drop_downs_and_how_old_the_data_are(frozen: Config, tmp_path: Path) -> None:
    """What the nurse opens: real dates, white cells to write in, and a warning when the data are of another day."""
    plan = made(frozen, "2026-02-23", ODE_1=record())
    save(tmp_path / "calls.xlsx", tables(plan, desk(frozen), datetime(2026, 2, 20, 2, 30)), "footer")
    book = load_workbook(tmp_path / "calls.xlsx")
    assert book.sheetnames == [
        *("Today", "Next 14 days", "Overdue", "Callbacks", "Verify first", "Patients", "All contacts", "Load")
    ]
    assert book["All contacts"]["G5"].value == datetime(2026, 2, 12)
    page = book["Today"]
    assert str(page["A2"].value).startswith("NOT THIS DAY'S DATA. Data read from REDCap 2026-02-20 02:30.")
    assert page["C5"].value == datetime(2026, 2, 26)
    assert page.row_dimensions[5].height >= 24
    lists = [rule.formula1 for rule in page.data_validations.dataValidation]
    assert len(lists) == 2
    assert all(len(text) <= 255 for text in lists)


def test_the_last_day_is_that_of_the_window_and_its_grace(frozen: Config) -> None:
    """Month 3 on Mon 18 May: its window ended on 16 May, and it is chased until 30 May; the heading says which."""
    late = sheet(frozen, made(frozen, "2026-05-18", ODE_1=record()), "Overdue")
    shows = [cells(late, late.lines[0])[title] for title in ("Contact", "Window to", "Last day")]
    assert shows == ["Month 3", date(2026, 5, 16), date(2026, 5, 30)]


def test_neither_arm_nor_card_code_stands_on_a_sheet(frozen: Config) -> None:
    """The day from which a patient may change arm is all a sheet tells."""
    secret = {"rand_code": "ABCD-EFGH-JKMN", "rand_env": "ODE-K2F-003-X"}
    plan = made(frozen, "2026-02-23", ODE_1=record(plan=secret), ODE_2=record(arm="1", plan=secret))
    text = repr([line for table in tables(plan, desk(frozen), datetime(2026, 2, 23)) for line in table.lines])
    assert not any(word in text for word in ("ABCD", "K2F", "PVP", "onservative"))


def test_a_project_without_the_fields_or_events_is_named_at_once(frozen: Config) -> None:
    """Every problem in one go, each with its way out."""
    snapshot = replace(pulled({"ODE-1": record()}), events=EVENTS[:-2])
    with pytest.raises(ConfigError, match="contacts: M12: event month_12_arm_1 is not in the project"):
        schedule((), snapshot, frozen, date(2026, 2, 23))
    absent = ("15_nurse_contact.csv", "13_call_plan.csv")
    thin = join(read_dictionary(path.read_text("utf-8")) for path in FORMS if path.name not in absent)
    with pytest.raises(ConfigError) as caught:
        schedule((), replace(snapshot, events=EVENTS, dictionary=thin), frozen, date(2026, 2, 23))
    for field in ("nc_stat", "cp_planned"):
        assert f"{field}: no such field in the project; correct the configuration" in caught.value.problems


def test_no_schedule_is_made_while_redcap_hides_where_deaths_are_written(frozen: Config) -> None:
    """A token without the export right would make the nurse call the dead."""
    snapshot = replace(pulled({"ODE-1": record()}), missing=frozenset({"eos_stat", "odi_pct"}))
    with pytest.raises(SanityFailed, match="REDCap did not send eos_stat; give the token's user the export right"):
        schedule((), snapshot, frozen, date(2026, 2, 23))


def crowd(
    config: Config, names: Sequence[str], stored: Mapping[str, Mapping[str, str]], enrolled: str = "2026-02-04"
) -> Schedule:
    records = {name: record(enrolled, plan=stored.get(name, {})) for name in names}
    snapshot = pulled(records)
    promised = promises(snapshot, config.call_plan)
    return schedule(patients(snapshot, config), snapshot, config, date(2026, 2, 8), promised)


def test_the_plan_written_last_night_is_the_plan_of_tonight(frozen: Config) -> None:
    """Zero writes on the second run, and a patient entered late moves no promised call."""
    two_a_day = frozen.model_copy(update={"calls": frozen.calls.model_copy(update={"a_day": 2})})
    names = [f"ODE-{n}" for n in range(5, 10)]
    first = call_plan_values(crowd(two_a_day, names, {}), frozen.call_plan)
    assert sorted(v["cp_planned"][-2:] for v in first.values()) == ["09", "10", "11", "11", "12"]
    assert call_plan_values(crowd(two_a_day, names, first), frozen.call_plan) == first
    late = call_plan_values(crowd(two_a_day, ["ODE-1", "ODE-2", *names], first), frozen.call_plan)
    assert {name: late[name] for name in names} == first


def test_a_new_wish_is_a_cause_to_plan_anew_and_a_booking_leaves_the_planned_day_alone(frozen: Config) -> None:
    """Week 2 promised for Mon 16 Feb; then the patient prefers Wednesdays, or asks for Tuesday 17 Feb."""
    promised = call_plan_values(made(frozen, "2026-02-09", ODE_1=record(w1=DONE)), frozen.call_plan)["ODE-1"]
    assert promised["cp_planned"] == "2026-02-16"
    for wish, planned, due in (
        ({"nc_pref_day": "3"}, date(2026, 2, 18), date(2026, 2, 18)),
        ({"nc_cb_date": "2026-02-17"}, date(2026, 2, 16), date(2026, 2, 17)),
    ):
        written = promised
        for _night in range(2):
            plan = made(frozen, "2026-02-10", ODE_1=record(w1={**DONE, **wish}, plan=written))
            found = entry(plan, "W02")
            assert (found.planned and found.planned.on, found.due) == (planned, due)
            written = call_plan_values(plan, frozen.call_plan)["ODE-1"]


@pytest.mark.parametrize(
    "change", [{"rand_date": "2026-02-05"}, {"cp_version": "tampered"}, {"cp_planned": "2026-02-12"}]
)
def test_a_promise_falls_with_its_cause(frozen: Config, change: Mapping[str, str]) -> None:
    """A corrected enrolment or a value nobody planned: the contact is planned anew, near its own target."""
    kept = call_plan_values(made(frozen, "2026-02-08", ODE_1=record("2026-02-04")), frozen.call_plan)["ODE-1"]
    moved = {**kept, "cp_planned": "2026-02-10"}  # no version belongs to this day
    plan = made(frozen, "2026-02-08", ODE_1=record("2026-02-04", plan={**moved, **change}))
    found = entry(plan, "W01")
    assert found.contact.window
    assert found.due == found.contact.window.target


def test_every_patient_of_the_schedule_has_a_next_contact_line(frozen: Config) -> None:
    """Also those with nothing to come: blanks clear what REDCap still shows."""
    plan = made(frozen, "2026-02-23", ODE_1=record(), ODE_2=record(m12=DONE))
    assert [(n.record, n.code) for n in next_contacts(plan)] == [("ODE-1", "W03"), ("ODE-2", "W03")]
    plan = made(frozen, "2029-02-23", ODE_1=record(), ODE_2=record(eos={"eos_stat": "4"}))
    assert [(n.record, n.code) for n in next_contacts(plan)] == [("ODE-1", ""), ("ODE-2", "")]


def test_patients_of_a_pull_keep_their_arm_out_of_the_schedule_s_repr(frozen: Config) -> None:
    """What is logged by accident names no arm."""
    snapshot = pulled({"ODE-1": record(arm="2")})
    found: tuple[Patient, ...] = patients(snapshot, frozen)
    assert "arm='2'" not in repr(found) + repr(schedule(found, snapshot, frozen, date(2026, 2, 23)))


def test_the_version_of_a_promise_is_the_same_for_ever() -> None:
    """Literal values: written by version 0.1.0, they stand in REDCap; other ones would break every promise at once."""
    rule = ContactRule(
        code="W04", label="Week 4", event="e", form="call", anchor="enrolment", days=28, window=(-3, 3), primary=True
    )
    plain = Contact("ODE-1", "ODE", date(2026, 2, 2), rule, window(rule, date(2026, 2, 2)), Said())
    wished = replace(plain, booking=Booking(date(2026, 3, 4)), weekday=3)
    timed = replace(plain, booking=Booking(date(2026, 3, 4), "10:30"))
    found = [version(one, date(2026, 3, 2)) for one in (plain, wished, timed, replace(plain, window=None))]
    assert found == ["e778e589", "dc23715e", "826f02a6", "5c649dd4"]


def test_next_contacts_of_many_patients_take_time_in_proportion(frozen: Config) -> None:
    """Ten times the patients: not a hundred times the work, counted in looks at entries and not in seconds."""
    looks = []
    for number in (10, 100):
        plan = crowd(frozen, [f"ODE-{n}" for n in range(1, number + 1)], {})
        counted = Counting(plan.entries)
        next_contacts(replace(plan, entries=counted))
        looks.append(counted.looks)
    assert looks[1] == 10 * looks[0]


class Counting(tuple[Entry, ...]):
    """Entries that count how often one is looked at."""

    looks = 0

    def __iter__(self) -> Iterator[Entry]:
        for one in super().__iter__():
            self.looks += 1
            yield one
