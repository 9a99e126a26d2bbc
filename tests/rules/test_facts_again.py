"""What is not found again in another world, or for one site alone, would come out the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from followup_records import pulled, record
from frozen import FROZEN, trial_rows
from redcap_rules.logic import parse
from rehearsed import rehearsed
from trialdesk.config import Config, load
from trialdesk.facts.deriving import Facts, derive, found_alone, other_worlds, past
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.pulling import Pull
from trialdesk.facts.worlds import differing, exchanged, worlds
from trialdesk.findings.ruled import ruled, touched
from trialdesk.followup.contacts import Said, heard
from trialdesk.followup.schedule import schedule
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.pack import sheets
from trialdesk.reports.profiles import profile

CONFIG = load(FROZEN / "config.yaml")
DAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def facts() -> Facts:
    snapshot = rehearsed(3, DAY)
    return derived(snapshot)


def derived(snapshot: Snapshot) -> Facts:
    pull = Pull(snapshot, patients(snapshot, CONFIG), (), forms_by_event(trial_rows("mapping.csv")))
    return derive(pull, past(CONFIG, snapshot), CONFIG, DAY)


def both(facts: Facts) -> Iterator[tuple[Snapshot, Facts]]:
    """Every world with its facts."""
    return zip(worlds(facts.snapshot, CONFIG, facts.common.telling), other_worlds(facts), strict=True)


def test_rules_that_read_nothing_of_what_differs_find_the_same(facts: Facts) -> None:
    """Every rule evaluated again in every world, beside those that only had to be."""
    rules = facts.common.rules
    for world, other in both(facts):
        assert other.ruled == ruled(rules, world, CONFIG, DAY)
        again = touched(rules, differing(facts.snapshot, world), world.dictionary, CONFIG)
        assert 0 < len(again.rules) < len(rules.rules)


def test_a_rule_that_reads_the_arm_under_whatever_name_is_evaluated_again(facts: Facts) -> None:
    """It is the data that decide, not what the rule is said to tell: also one wrongly called free of it."""
    rules = facts.common.rules
    reading = {rule.id for rule in rules.rules if rule.treatment}
    for world in worlds(facts.snapshot, CONFIG, facts.common.telling):
        again = {rule.id for rule in touched(rules, differing(facts.snapshot, world), world.dictionary, CONFIG).rules}
        assert again & reading


def test_what_contacts_said_is_read_again_where_it_may_be_another(facts: Facts) -> None:
    """The schedule of every world, with and without what was read in the real one; and most of it is not read again."""
    for world, other in both(facts):
        everyone = patients(world, CONFIG)
        assert other.schedule == schedule(everyone, world, CONFIG, DAY, facts.common.past.promised)
        columns = differing(facts.snapshot, world)
        known = heard(facts.schedule.courses, columns, world.dictionary, CONFIG)
        said = sum(len(one.said) for one in known.values())
        assert sum(entry.contact.said != Said() for entry in other.schedule.entries) * 0.9 < said


@pytest.mark.parametrize("column", ["nc_date", "cl_out"])
def test_a_form_is_read_again_where_a_column_of_it_is_another(facts: Facts, column: str) -> None:
    """Of the contact's own form it is read again; of the call log, all of them are."""
    known = heard(facts.schedule.courses, {column}, facts.snapshot.dictionary, CONFIG)
    form_of = {rule.code: rule.form for rule in CONFIG.contacts}
    forms = {form_of[code] for one in known.values() for code in one.said}
    assert forms == ({"control"} if column.startswith("nc") else set())


def test_a_form_that_is_there_in_another_world_alone_is_read(frozen: Config) -> None:
    """Held nothing in the real one, where nobody could read it; here it is empty, and the condition is true of that."""
    form = frozen.contact_forms["call"].model_copy(update={"done": parse("[nc_stat] <> '1'")})
    config = frozen.model_copy(update={"contact_forms": {**frozen.contact_forms, "call": form}})
    without, there = pulled({"ODE-1": record()}), pulled({"ODE-1": record(w3={"ae_cat": "9"})})
    real, other = (schedule(patients(one, config), one, config, date(2026, 3, 1)) for one in (without, there))
    known = heard(real.courses, {"ae_cat"}, without.dictionary, config)
    assert real != other == schedule(patients(there, config), there, config, date(2026, 3, 1), before=known)


def test_what_rules_find_in_a_record_is_read_from_it_alone(facts: Facts) -> None:
    """A third of the records, evaluated as if REDCap held no other."""
    some = frozenset(facts.snapshot.records[::3])
    alone = Snapshot(
        "1", "", facts.snapshot.dictionary, facts.snapshot.events,
        {record: rows for record, rows in facts.snapshot.rows.items() if record in some}, facts.snapshot.groups,
    )  # fmt: skip
    own = tuple(one for one in facts.ruled if one.record in some)
    assert own == ruled(facts.common.rules, alone, CONFIG, DAY)
    assert {one for one in found_alone(facts, some).every if one.rule in {o.rule for o in own}} >= set(own) - set(
        facts.cards.findings
    )


def test_rows_that_tell_nothing_stay_as_they_are(facts: Facts) -> None:
    """The same objects, so that what is worked out of them is worked out once; and what differs is what tells."""
    for world in worlds(facts.snapshot, CONFIG, facts.common.telling):
        kept = sum(a is b for r, rows in world.rows.items() for a in rows for b in facts.snapshot.rows[r])
        assert kept > sum(map(len, world.rows.values())) / 3
        assert CONFIG.facts.arm.field in differing(facts.snapshot, world)


def test_a_monitor_s_report_is_the_same_with_treatments_the_trial_does_not_have(facts: Facts) -> None:
    """More than a night proves: treatments exchanged, and everybody in each arm, which shows a sum by arms."""
    real, reader = facts.snapshot, profile("monitor", CONFIG)
    shown = reader.show(sheets(facts, reader))
    arms = (everybody_in(arm.code, real) for arm in CONFIG.arms)
    for world in (exchanged(real, CONFIG, facts.common.telling), *arms):
        other = derived(world)
        assert other.patients != facts.patients
        assert reader.show(sheets(other, reader)) == shown


def everybody_in(arm: str, real: Snapshot) -> Snapshot:
    """The pull with everybody in one arm, whatever was done with them."""
    name = CONFIG.facts.arm.field
    rows = {
        record: tuple(replace(row, values={**row.values, name: arm}) if name in row.values else row for row in own)
        for record, own in real.rows.items()
    }
    return replace(real, rows=rows)
