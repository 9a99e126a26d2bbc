"""Baseline by arm and Baseline measures by arm: who was randomised, by the characteristics of the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from redcap_rules.choices import checkbox_column
from redcap_rules.dictionary import Field
from trialdesk.config.values import FieldRef
from trialdesk.facts.cohort import share
from trialdesk.facts.deriving import Facts
from trialdesk.instruments.treatment import Telling
from trialdesk.reports.outcomes import DESCRIBED, by_arm, decimals_of, measured
from trialdesk.reports.recruitment import records_by_arm
from trialdesk.workbook import Column, Line, SheetTable

_NOT_RECORDED = "Not recorded"


def baseline(facts: Facts, telling: Telling) -> tuple[SheetTable, SheetTable]:
    """Every characteristic of the configuration by arm as randomised: answers counted, and on another sheet measures.

    One that tells an arm is left out.

    Nothing is tested: a difference between randomised arms is chance (CONSORT 2025, item 25).
    """
    arms, dictionary = records_by_arm(facts.cohort, facts.config), facts.snapshot.dictionary
    named = [
        (ref, dictionary.get(ref.field))
        for ref in facts.config.baseline
        if ref.field in dictionary and ref.field not in telling.fields and ref.event not in telling.events
    ]
    columns = (
        Column("Characteristic", width=36), Column("Answer", width=34), Column("Arm", width=26),
        Column("Randomised", "number", 12), Column("Patients", "number", 10), Column("% of randomised", "percent", 12),
    )  # fmt: skip
    measures = (
        Column("Characteristic", width=40), Column("Time point", width=20), Column("Arm", width=26),
        Column("Randomised", "number", 12), Column("Measured", "number", 10), *DESCRIBED,
    )  # fmt: skip
    answers = tuple(line for ref, field in named if field.options for line in _answers(ref, field, facts, arms))
    numbers = tuple(line for ref, field in named if not field.options for line in _numbers(ref, field, facts, arms))
    about = "As randomised; a patient may have several answers where a form lets tick several. Confidential."
    return (
        SheetTable("Baseline by arm", "Baseline characteristics by arm", about, columns, answers, keys=2),
        SheetTable(
            "Baseline measures by arm", "Baseline measures by arm", "As randomised. Confidential.", measures, numbers,
            keys=2, empty="The configuration names no measure.",
        ),
    )  # fmt: skip


def _answers(ref: FieldRef, field: Field, facts: Facts, arms: Mapping[str, Sequence[str]]) -> Iterator[Line]:
    """A line for each answer and arm, answers nobody gave too, and how many gave none of them."""
    ticks, stored = field.kind == "checkbox", _stored(ref.event, facts)
    left = {arm: set(records) for arm, records in arms.items()}
    for option in field.options:
        column, wanted = (checkbox_column(ref.field, option.code), "1") if ticks else (ref.field, option.code)
        for arm, records in arms.items():
            found = {record for record in records if stored.get(record, {}).get(column, "") == wanted}
            left[arm] -= found
            yield _counted((field.label, option.label, arm), len(records), len(found))
    for arm, records in arms.items():
        yield _counted((field.label, _NOT_RECORDED, arm), len(records), len(left[arm]))


def _counted(head: tuple[str, str, str], randomised: int, found: int) -> Line:
    return Line((*head, randomised, found, share(found, randomised)), "plain" if found else "quiet")


def _numbers(ref: FieldRef, field: Field, facts: Facts, arms: Mapping[str, Sequence[str]]) -> Iterator[Line]:
    held = measured(ref.field, facts.snapshot).get(ref.event, {})
    return by_arm((field.label, facts.common.labels.event(ref.event)), held, arms, decimals_of(held.values()))


def _stored(event: str, facts: Facts) -> Mapping[str, Mapping[str, str]]:
    """Record to what its row of the event holds, rows that repeat left out."""
    rows = ((record, row) for record, own in facts.snapshot.rows.items() for row in own)
    return {record: row.values for record, row in rows if row.event == event and not row.instance}
