"""Call backs of the contact forms that go into the call log: which are open, which are there, which a person types."""

from __future__ import annotations

from datetime import date

import pytest

from followup_records import Record, planned, pulled, record, tried
from trialdesk.config import Config
from trialdesk.errors import ConfigError
from trialdesk.followup.bringing import Brought, Try
from trialdesk.followup.copying import sort_out_bookings
from trialdesk.followup.keys import Keys
from trialdesk.redcap.snapshot import Snapshot

pytestmark = pytest.mark.requirement("CAL-08")

OWN, MONDAY = Keys(b"k" * 32), date(2026, 2, 23)
ASKED = {"nc_stat": "2", "nc_date": "2026-02-20", "nc_cb_date": "2026-02-24", "nc_cb_time": "10:30"}
NEXT = {"nc_stat": "1", "nc_date": "2026-02-16", "nc_cb_date": "2026-02-25"}


def found(config: Config, snapshot: Snapshot) -> Brought:
    views = {name: snapshot.view(name) for name in snapshot.records}
    return sort_out_bookings(views, config, OWN, MONDAY)


def entered(one: Try) -> dict[str, str]:
    """The instance of the log that is written for a call back."""
    made, back = one.attempt, one.attempt.callback
    assert back is not None
    return {"contact": made.contact, "date": str(made.on), "out": one.code, "cb_date": str(back.on), "cb_time": back.at,
            "key": one.key, "note": one.note}  # fmt: skip


@pytest.mark.parametrize(
    ("whose", "line"),
    [
        (record(w3=ASKED), "ODE-1 W03 2026-02-20 asks to be called later, call back 2026-02-24 10:30"),
        (record(w2=NEXT), "ODE-1 W02 2026-02-16 asks to be called later, call back 2026-02-25"),
    ],
    ids=["not reached", "reached, and asks for the next"],
)
def test_an_open_call_back_is_copied_once_and_the_plan_stays(frozen: Config, whose: Record, line: str) -> None:
    """Contact, day and time of the next call are the same from the log as from the form."""
    snapshot = pulled({"ODE-1": whose})
    (one,) = found(frozen, snapshot).new
    assert (str(one), one.attempt.at) == (line, None)
    assert one.note.startswith("Copied from nc_cb_date in week_")
    after = tried(snapshot, entered(one))
    assert (found(frozen, after).new, found(frozen, after).known) == ((), 1)
    plans = [planned(frozen, pull, str(MONDAY)) for pull in (snapshot, after)]
    said = [
        [(e.contact.key, e.status, e.contact.booking, e.planned and e.planned.on) for e in p.entries] for p in plans
    ]
    assert said[0] == said[1]
    assert any(booking for _, _, booking, _ in said[0])


def test_a_call_back_that_was_kept_is_none(frozen: Config) -> None:
    """A contact of the same form reached the patient on its day or later."""
    snapshot = pulled(
        {"ODE-1": record(w2={**NEXT, "nc_cb_date": "2026-02-18"}, w3={"nc_stat": "1", "nc_date": "2026-02-19"})}
    )
    assert found(frozen, snapshot) == Brought()


@pytest.mark.parametrize("dated", ["", "2026-02-24"], ids=["not at all", "ahead"])
def test_a_form_without_the_day_of_the_try_is_left_to_a_person(frozen: Config, dated: str) -> None:
    """No day is invented; the line says what was agreed."""
    left = found(frozen, pulled({"ODE-1": record(w3={**ASKED, "nc_date": dated})}))
    assert (left.new, left.known) == ((), 0)
    assert left.open == (
        "ODE-1 W03: nc_cb_date in week_3_arm_1 is not dated; type the call back 2026-02-24 10:30 into the log",
    )


def test_two_of_one_patient_go_one_after_the_other(frozen: Config) -> None:
    """REDCap takes one new instance of a record in a request."""
    both = found(frozen, pulled({"ODE-1": record(w2=NEXT, w3=ASKED)})).new
    assert [(one.attempt.contact, one.number) for one in both] == [("W02", 1), ("W03", 2)]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"note": None}, "call_log: note: name the field"), ({"outcomes": {"2": "no_answer"}}, "none means later")],
)
def test_a_log_that_can_t_hold_them_says_what_is_missing(frozen: Config, change: dict[str, object], said: str) -> None:
    """Nothing is read then."""
    assert frozen.call_log is not None
    config = frozen.model_copy(update={"call_log": frozen.call_log.model_copy(update=change)})
    with pytest.raises(ConfigError, match=said):
        found(config, pulled({}))


def test_without_a_field_for_call_backs_nothing_is_looked_for(frozen: Config) -> None:
    """The answer that there are 0 to write would be taken for: none is open."""
    forms = {name: form.model_copy(update={"callback_date": None}) for name, form in frozen.contact_forms.items()}
    with pytest.raises(ConfigError, match="none names callback_date"):
        found(frozen.model_copy(update={"contact_forms": forms}), pulled({}))


def test_a_newer_agreement_in_the_log_is_enough(frozen: Config) -> None:
    """The form's older one is not copied beside it."""
    newer = {"contact": "W03", "date": "2026-02-21", "time": "09:00", "out": "1", "cb_date": "2026-02-26"}
    assert (held := found(frozen, tried(pulled({"ODE-1": record(w3=ASKED)}), newer))).new == ()
    assert held.known == 1
