"""The life of findings: new, open, closed by itself when REDCap is corrected, reopened, accepted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from trialdesk.memory.digests import finding_id, keyed
from trialdesk.memory.values import Acceptance, Known, Remembered
from trialdesk.model import Finding


def lives(
    found: Iterable[tuple[Finding, bool]], past: Remembered, day: date, renamed: Mapping[str, str] | None = None
) -> tuple[Known, ...]:
    """Every finding of tonight with its life, and those that are over, sorted.

    The first night of a memory is a baseline: nothing is new on it. An acceptance ends with the evidence it was given
    for, and on the morning after its last day.

    Args:
        found: Tonight's findings, each with whether it tells of treatment.
        past: What earlier runs knew.
        day: The day of the pull.
        renamed: New id to old id of records that go by another name since last night; their findings go with them.
    """
    tonight = _by_id(found, past, renamed or {})
    before = {known.id: known for known in past.known}
    baseline = past.night is None or past.night.records is None
    given = {one.finding: one for one in past.acceptances}
    living = [_living(known, before.get(known.id), day, baseline=baseline) for known in tonight.values()]
    judged = [_judged(known, given.get(known.id), day) for known in living]
    over = [_over(known, day) for name, known in before.items() if name not in tonight]
    return tuple(sorted((*judged, *over), key=lambda one: (one.finding, one.id)))


def _by_id(found: Iterable[tuple[Finding, bool]], past: Remembered, renamed: Mapping[str, str]) -> dict[str, Known]:
    first = past.aliases
    first = {**first, **{record: first.get(old, old) for record, old in renamed.items()}}
    ids: dict[str, list[tuple[Finding, bool]]] = {}
    for finding, treatment in found:
        record = first.get(finding.record, finding.record)
        ids.setdefault(finding_id(past.secret, finding, record), []).append((finding, treatment))
    return {name: _known(name, sorted(same, key=lambda one: one[0]), past) for name, same in ids.items()}


def _known(name: str, same: list[tuple[Finding, bool]], past: Remembered) -> Known:
    finding, treatment = same[0]
    rests_on = [part for one, _ in same for part in (one.severity, one.text, one.evidence)]
    return Known(name, finding, treatment, keyed(past.secret, rests_on))


def _living(known: Known, before: Known | None, day: date, *, baseline: bool) -> Known:
    if before is None:
        return replace(known, first=day, last=day, change="" if baseline else "new")
    if before.closed is not None:
        return replace(known, first=before.first, last=day, reopened=day, change="reopened")
    return replace(known, first=before.first, last=day, reopened=before.reopened)


def _over(known: Known, day: date) -> Known:
    """A finding that is not there any more; one that was closed earlier says nothing new."""
    if known.closed is not None:
        return replace(known, change="", acceptance=None)
    return replace(known, closed=day, change="closed", acceptance=None)


def _judged(known: Known, acceptance: Acceptance | None, day: date) -> Known:
    holds = acceptance is not None and acceptance.holds(known.evidence, day)
    return replace(known, acceptance=acceptance) if holds else known
