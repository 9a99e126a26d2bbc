"""The sheet Outcomes by arm: what was measured, time point by time point; for the closed report alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean, median, quantiles, stdev

from redcap_rules.logic.values import number
from trialdesk.facts.deriving import Facts
from trialdesk.instruments.treatment import Telling
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.recruitment import records_by_arm
from trialdesk.workbook import Column, Line, SheetTable, Value

DESCRIBED = (
    Column("Mean", "number", 9), Column("SD", "number", 9), Column("Lowest", "number", 9),
    Column("Lower quartile", "number", 9), Column("Median", "number", 9), Column("Upper quartile", "number", 9),
    Column("Highest", "number", 9),
)  # fmt: skip
"""What `described` tells beside the number of values."""


def outcomes(facts: Facts, telling: Telling) -> SheetTable:
    """Every outcome of the configuration at every event that holds it and tells no arm, arm by arm as randomised.

    Nothing is tested, imputed or compared: it is what REDCap holds of randomised patients today.
    """
    columns = (
        Column("Outcome", width=40), Column("Time point", width=20), Column("Arm", width=26),
        Column("Randomised", "number", 13), Column("Measured", "number", 11), *DESCRIBED,
    )  # fmt: skip
    about = "As randomised, whatever was changed later; nothing imputed or tested; no form that repeats. Confidential."
    arms = records_by_arm(facts.cohort, facts.config)
    shown = [name for name in facts.config.outcomes if name not in telling.fields]
    events = [event for event in facts.snapshot.events if event not in telling.events]
    lines = tuple(line for name in shown for line in _outcome(name, events, facts, arms))
    return SheetTable("Outcomes by arm", "Outcomes by arm and time point", about, columns, lines, keys=3)


def described(values: Sequence[float], decimals: int) -> tuple[Value, ...]:
    """Number, mean, SD, lowest, quartiles around the median, highest; None where there are too few for it.

    Quartiles take the lowest and the highest as the ends (Hyndman and Fan, type 7, as R and Excel do).

    >>> described([1, 2, 3, 4], 3)
    (4, 2.5, 1.291, 1, 1.75, 2.5, 3.25, 4)
    >>> described([7.5], 1), described([], 1)[:2]
    ((1, 7.5, None, 7.5, None, 7.5, None, 7.5), (0, None))
    """
    if not values:
        return (0, *[None] * 7)
    lower = upper = spread = None
    if len(values) > 1:
        lower, _, upper = quantiles(values, n=4, method="inclusive")
        spread = stdev(values)
    told = (fmean(values), spread, min(values), lower, median(values), upper, max(values))
    return (len(values), *(None if one is None else round(one, decimals) for one in told))


def _outcome(name: str, events: Sequence[str], facts: Facts, arms: Mapping[str, Sequence[str]]) -> Iterator[Line]:
    if name not in facts.snapshot.dictionary:
        return
    label = facts.snapshot.dictionary.get(name).label or name
    found = measured(name, facts.snapshot)
    decimals = decimals_of(one for values in found.values() for one in values.values())
    for event in events:
        if event in found:
            yield from by_arm((label, facts.common.labels.event(event)), found[event], arms, decimals)


def by_arm(
    head: tuple[str, str], held: Mapping[str, float], arms: Mapping[str, Sequence[str]], decimals: int
) -> Iterator[Line]:
    """A line for each arm: what is described and when, the arm, its records, and its values (record to value)."""
    for arm, records in arms.items():
        values = [held[record] for record in records if record in held]
        yield Line((*head, arm, len(records), *described(values, decimals)))


def decimals_of(values: Iterable[float]) -> int:
    """With how many decimals these read best: counts and scores to 100 with one, an index around 1 with three."""
    held = tuple(values)
    return 1 if any(abs(one) >= 10 for one in held) or all(float(one).is_integer() for one in held) else 3


def measured(name: str, snapshot: Snapshot) -> Mapping[str, Mapping[str, float]]:
    """Event to record to value; codes of missing data are no values."""
    found: dict[str, dict[str, float]] = {}
    absent = {choice.code for choice in snapshot.dictionary.missing_codes}
    for record, rows in snapshot.rows.items():
        for row in rows:
            text = row.values.get(name, "")
            value = number(text)
            if value is not None and not row.instance and text not in absent:
                found.setdefault(row.event, {})[record] = value
    return found
