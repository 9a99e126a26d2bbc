"""The sanity gate: what no correction explains stops a night, at its exact measure; what a person may do does not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from frozen import FROZEN, trial_dictionary
from redcap_rules.dictionary import Dictionary
from trialdesk.config import load
from trialdesk.config.parts import Projects
from trialdesk.errors import NotAllowed, SanityFailed
from trialdesk.memory.values import Night, Seen
from trialdesk.model import Patient, Tally
from trialdesk.redcap.observing import Moves
from trialdesk.redcap.sanity import Beside, gate, is_older, own_places, same_project, same_projects
from trialdesk.redcap.snapshot import Snapshot

pytestmark = pytest.mark.requirement("NGT-02")

TODAY = date(2026, 7, 1)
PULL = Snapshot("7", "T", trial_dictionary(), (), {}, {})


def night(groups: Mapping[str, int], randomised: int = 0, stamp: str = "", *, counted: bool = False) -> Night:
    """So many records in each group; `counted` is a night of before there was a memory."""
    names = [(f"{group.upper()}-{number}", group) for group, many in groups.items() for number in range(1, many + 1)]
    records = None if counted else {name: Seen(name, group) for name, group in names}
    return Night("r", "d", Tally("7", len(names), randomised, dict(groups)), records, stamp=stamp)


def told(
    now: Night | None = None,
    last: Night | None = None,
    found: Moves | None = None,
    *,
    snapshot: Snapshot = PULL,
    patients: Sequence[Patient] = (),
    accepted: Collection[str] = (),
) -> list[str]:
    """The reasons not to believe a pull."""
    beside = Beside(now or night({}), last, found or Moves())
    try:
        gate(snapshot, patients, beside, TODAY, accepted)
    except SanityFailed as failed:
        lines = str(failed).splitlines()
        assert {line.partition(": ")[0] for line in lines} == {"sanity"}
        return [line.partition(": ")[2] for line in lines]
    return []


def test_a_first_pull_and_the_same_again_are_believed() -> None:
    """Without a night before there is nothing to compare with."""
    same = night({"ode": 4, "rig": 2}, 3, "2026-07-01 02:00")
    assert told(same) == []
    assert told(same, same) == []
    assert told(same, replace(same, records=None)) == []


def test_columns_that_did_not_come_are_counted_and_five_named() -> None:
    """In the order of their names."""
    (line,) = told(snapshot=replace(PULL, missing=frozenset("gfedcba")))
    assert "7 column" in line
    assert "(a, b, c, d, e)" in line


def test_a_pull_without_groups_is_that_of_one_site() -> None:
    """The token's user sits in a group."""
    (line,) = told(snapshot=replace(PULL, has_groups=False))
    assert "data access groups" in line


def ahead(many: int, of: int, **day: date) -> list[Patient]:
    """Of these patients so many have a date."""
    return [Patient(f"P{n}", "ODE", "ode", **(day if n < many else {})) for n in range(of)]  # type: ignore[arg-type]


TOMORROW = TODAY + timedelta(days=1)


@pytest.mark.parametrize("name", ["screened_on", "consented_on", "opened_on", "procedure_on", "died_on", "left_on"])
def test_four_dates_ahead_of_today_mean_a_wrong_clock(name: str) -> None:
    """Three may be slips of the pen, and today is no day ahead."""
    (line,) = told(patients=ahead(4, 40, **{name: TOMORROW}))
    assert "4 records have dates after 2026-07-01" in line
    assert "P0, P1, P2, P3)" in line
    assert told(patients=ahead(3, 40, **{name: TOMORROW})) == []
    assert told(patients=ahead(9, 40, **{name: TODAY})) == []


def test_in_a_large_trial_one_record_of_twenty_may_be_dated_ahead() -> None:
    """Six of a hundred are too many, and the first five are named."""
    assert told(patients=ahead(5, 100, died_on=TOMORROW)) == []
    (line,) = told(patients=ahead(6, 100, died_on=TOMORROW))
    assert "P0, P1, P2, P3, P4 …" in line


def test_who_was_randomised_and_is_not_any_more_stops_the_night() -> None:
    """Every one is named, with the word that lets it through; what is accepted is left out."""
    both = Moves(unrandomised=("A", "B"), gone=("A",))
    last = night({"ode": 5})
    (line,) = told(last, last, both)
    assert "not randomised now: A, B;" in line
    assert "--accept-drop A B --reason" in line
    (line,) = told(last, last, both, accepted=("A",))
    assert "now: B;" in line
    assert told(last, last, both, accepted=("A", "B")) == []


def test_more_than_one_record_of_twenty_may_not_go_in_a_night() -> None:
    """And never fewer than four; those that were randomised are told as such, and accepted ones do not count."""
    last = night({"ode": 100})
    gone = tuple(f"ODE-{n}" for n in range(1, 7))
    assert told(last, last, Moves(gone=gone[:5])) == []
    (line,) = told(last, last, Moves(gone=gone))
    assert "6 of 100 records are gone: ODE-1, ODE-2, ODE-3, ODE-4, ODE-5 …" in line
    assert told(last, last, Moves(gone=gone), accepted=gone[:1]) == []
    small = night({"ode": 20})
    assert told(small, small, Moves(gone=gone[:3])) == []
    assert "4 of 20 records are gone" in told(small, small, Moves(gone=gone[:4]))[0]
    medium = night({"ode": 60})
    assert "ODE-5; if" in told(medium, medium, Moves(gone=gone[:5]))[0]
    (line,) = told(last, last, Moves(gone=gone, unrandomised=gone[:1]))
    assert "randomised before" in line


def test_a_group_that_is_empty_by_now_stops_the_night() -> None:
    """Its records went, not those of a person who said so; who moved to another group is not gone."""
    last, now = night({"ode": 30, "rig": 2, "": 1}), night({"ode": 30})
    (line,) = told(now, last, Moves(gone=("RIG-2",)))
    assert "group rig had 2 record(s)" in line
    (line,) = told(now, last, Moves(gone=("-1",)))
    assert "(none) had 1 record" in line
    assert told(now, last, Moves()) == []
    assert told(now, last, Moves(gone=("RIG-1", "RIG-2")), accepted=("RIG-1", "RIG-2")) == []
    assert len(told(now, last, Moves(gone=("RIG-1", "RIG-2")), accepted=("RIG-1",))) == 1
    zero = replace(now, tally=replace(now.tally, by_group={"ode": 30, "rig": 0}))
    assert len(told(zero, last, Moves(gone=("RIG-2",)))) == 1


def lost(*records: str) -> Moves:
    return Moves(lost={record: frozenset({"x"}) for record in records})


def test_what_was_true_of_four_records_does_not_end_in_one_night() -> None:
    """Or of more than one of twenty; the first five are named, what is accepted or told above is not counted."""
    last, names = night({"ode": 20}), [f"ODE-{n}" for n in range(1, 8)]
    assert told(last, last, lost(*names[:3])) == []
    (line,) = told(last, last, lost(*names[:4]))
    assert "4 records lost in one night" in line
    assert "ODE-1, ODE-2, ODE-3, ODE-4;" in line
    assert told(last, last, lost(*names[:4]), accepted=names[:1]) == []
    assert len(told(last, last, replace(lost(*names[:4]), unrandomised=(names[0],)))) == 1
    large = night({"ode": 120})
    assert told(large, large, lost(*names[:6])) == []
    assert "ODE-5 …" in told(large, large, lost(*names))[0]


def test_many_values_of_a_form_do_not_go_in_one_night() -> None:
    """More than twenty, and more than one of twenty; named as it is accepted, and every form is looked at."""
    last = night({"ode": 5})
    few = {"a_arm_1 form": (20, 100)}
    assert told(last, last, Moves(emptied=few)) == []
    assert told(last, last, Moves(emptied={"a_arm_1 form": (25, 500)})) == []
    many = {**few, "b_arm_1 other": (21, 100), "c_arm_1 third": (26, 500)}
    first, second = told(last, last, Moves(emptied=many))
    assert "21 of 100 values of b_arm_1:other are gone" in first
    assert "--accept-drop b_arm_1:other --reason" in first
    assert "c_arm_1:third" in second
    assert len(told(last, last, Moves(emptied=many), accepted=("b_arm_1:other",))) == 1


def test_what_the_desk_takes_out_of_its_own_form_is_no_loss() -> None:
    """Four patients whose calls end lose six values each in one night; nobody is to be asked about that."""
    config = load(FROZEN / "config.yaml")
    dictionary = trial_dictionary()
    (own,) = own_places(config, dictionary)
    ours = [ref for _, ref in config.call_plan or ()]
    assert own == f"{ours[0].event}:{dictionary.form_of(ours[0].field)}"
    assert own_places(config.model_copy(update={"call_plan": None}), dictionary) == frozenset()
    last, emptied = night({"ode": 40}), Moves(emptied={own.replace(":", " "): (24, 288), "a_arm_1 form": (24, 288)})
    (line,) = told(last, last, emptied, accepted=own_places(config, dictionary))
    assert "a_arm_1:form" in line


def test_a_form_with_a_field_of_people_is_not_the_desks_alone() -> None:
    """One more field in it, and its losses count again; a project without the plan's fields has no such form."""
    config, dictionary = load(FROZEN / "config.yaml"), trial_dictionary()
    (form,) = {dictionary.form_of(ref.field) for _, ref in config.call_plan or ()}
    more = replace(dictionary.form(form)[0], name="typed_by_people")
    assert own_places(config, Dictionary((*dictionary.fields, more))) == frozenset()
    assert own_places(config, Dictionary(dictionary.fields[:1])) == frozenset()


def test_a_night_that_kept_counts_alone_is_compared_by_them() -> None:
    """Nineteen of twenty have to be there, each group that was filled, and whoever was randomised."""
    last = night({"ode": 90, "rig": 10}, 30, counted=True)
    assert told(night({"ode": 85, "rig": 10}, 30), last) == []
    (line,) = told(night({"ode": 84, "rig": 10}, 30), last)
    assert "6 of 100 records are gone" in line
    (line,) = told(night({"ode": 99}, 30), last)
    assert "group rig had 10 record(s)" in line
    (line,) = told(night({"ode": 90, "rig": 10}, 29), last)
    assert "29 randomised" in line
    assert "had 30" in line


def test_a_number_of_records_is_accepted_where_counts_alone_are_known() -> None:
    """So many may be gone of all, of a group and of the randomised; words are no numbers."""
    last = night({"ode": 90, "rig": 10}, 30, counted=True)
    assert told(night({"ode": 76, "rig": 10}, 30), last, accepted=("10", "ODE-1")) == []
    assert len(told(night({"ode": 76, "rig": 10}, 30), last, accepted=("9",))) == 1
    assert told(night({"ode": 99}, 30), last, accepted=("10",)) == []
    assert told(night({"ode": 99}, 30), last, accepted=("4", "6")) == []
    assert len(told(night({"ode": 99}, 30), last, accepted=("9",))) == 1
    assert told(night({"ode": 90, "rig": 10}, 29), last, accepted=("1",)) == []
    assert len(told(night({"ode": 90, "rig": 10}, 28), last, accepted=("1",))) == 1


def test_a_group_without_a_name_is_told_as_none() -> None:
    """Where counts alone are known too."""
    (line,) = told(night({"ode": 99}), night({"ode": 97, "": 2}, counted=True))
    assert "(none) had 2" in line


@pytest.mark.parametrize(
    ("stamp", "last", "older"),
    [
        ("2026-06-30 22:59", "2026-07-01 01:00", True),
        ("2026-06-30 23:00", "2026-07-01 01:00", False),
        ("2026-07-01 02:00", "2026-07-01 01:00", False),
        ("", "2026-07-01 01:00", False),
        ("2026-07-01 01:00", "", False),
    ],
)
def test_a_log_that_ends_hours_before_the_last_nights_is_of_older_data(stamp: str, last: str, older: bool) -> None:
    """Two hours may be a clock that was put back."""
    before, now = night({}, stamp=last), night({}, stamp=stamp)
    assert is_older(stamp, before) is older
    assert not is_older(stamp, None)
    assert [all(text in line for text in (stamp, last)) for line in told(now, before)] == ([True] if older else [])


def test_every_reason_is_told_at_once() -> None:
    """One line each."""
    last = night({"ode": 5}, stamp="2026-07-01 01:00")
    lines = told(
        night({"ode": 5}, stamp="2026-06-01 01:00"),
        last,
        Moves(unrandomised=("A",)),
        snapshot=replace(PULL, has_groups=False),
        patients=ahead(4, 4, died_on=TOMORROW),
    )
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("now", "was", "fits"), [("7", "7", True), ("7", "8", False), ("7", "", True), ("", "7", True)]
)
def test_a_token_is_of_the_project_that_is_meant(now: str, was: str, fits: bool) -> None:
    """Where both are known; what differs is named."""
    if fits:
        same_project("trial", now, was)
        return
    with pytest.raises(NotAllowed, match=r"trial token is of project 7, not of project 8"):
        same_project("trial", now, was)


def test_the_configuration_goes_before_the_last_night() -> None:
    """Each for its own project."""
    last = Night("r", "d", Tally("7", 0, 0), register="9")
    same_projects(("7", "9"), last, Projects())
    same_projects(("1", "2"), None, Projects())
    same_projects(("1", "2"), last, Projects(trial="1", envelopes="2"))
    with pytest.raises(NotAllowed, match="trial token is of project 1, not of project 7"):
        same_projects(("1", "9"), last, Projects())
    with pytest.raises(NotAllowed, match="register token is of project 2, not of project 9"):
        same_projects(("7", "2"), last, Projects())
    with pytest.raises(NotAllowed, match="register token is of project 2, not of project 3"):
        same_projects(("7", "2"), last, Projects(envelopes="3"))


def test_two_tokens_of_one_project_are_refused() -> None:
    """It is named."""
    with pytest.raises(NotAllowed, match="project 7"):
        same_projects(("7", "7"), None, Projects())
