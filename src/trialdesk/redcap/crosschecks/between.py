"""Checks between records: envelopes, overlapping randomisations, double entries, groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime, time
from itertools import pairwise

from redcap_rules.names import group_name
from trialdesk.model import Patient
from trialdesk.redcap.crosschecks.case import Case, Given

Hit = tuple[str, Case, str]  # rule, case, where

_ENVELOPE = re.compile(r"(?P<pile>.+)-(?P<number>\d+)-[0-9A-Z]")


def reused(cases: Sequence[Case], _given: Given) -> Iterator[Hit]:
    """Q28: an envelope used by more than one record; every record that used it is named."""
    for same in _alike(cases, lambda case: case.patient.envelope):
        yield from (("Q28", case, "") for case in same)


def disordered(cases: Sequence[Case], given: Given) -> Iterator[Hit]:
    """Q29: in a pile a lower number opened after a higher one, or a number left out below an opened one."""
    piles: dict[str, list[tuple[int, Case]]] = {}
    for case in cases:
        found = _ENVELOPE.fullmatch(case.patient.envelope)
        if found and case.patient.opened_on:
            piles.setdefault(found["pile"], []).append((int(found["number"]), case))
    for pile in sorted(piles):
        opened = sorted(piles[pile], key=lambda pair: (pair[0], pair[1].patient.record))
        gone = {
            int(found["number"])
            for name in given.unusable
            if (found := _ENVELOPE.fullmatch(name)) and found["pile"] == pile
        }
        numbers = {number for number, _ in opened}
        late = {case.patient.record for (_, case), (_, after) in pairwise(opened) if _opened(case) > _opened(after)}
        for number, case in opened:
            gap = number > 1 and not {number - 1} & (numbers | gone)
            if gap or case.patient.record in late:
                yield "Q29", case, ""


def overlapping(cases: Sequence[Case], _given: Given) -> Iterator[Hit]:
    """Q30: released while another release was open, or opened in the same minute as another."""
    for same in _alike(cases, lambda case: _moment(case.patient) if case.patient.opened_time else None):
        yield from (("Q30", case, "") for case in same)
    released = sorted((c.patient.released_at, c.patient.record, c) for c in cases if c.patient.released_at)
    open_until = datetime.min
    for at, _, case in released:
        if at < open_until:
            yield "Q30", case, ""
        open_until = max(open_until, _opened(case))


def double(cases: Sequence[Case], given: Given) -> Iterator[Hit]:
    """Q31: records of one site whose person looks the same."""

    def person(case: Case) -> tuple[str, ...]:
        facts = tuple(case.text(ref) for ref in given.meanings.same_person)
        return (case.patient.site, *facts) if all(facts) else ()

    for same in _alike(cases, person):
        yield from (("Q31", case, "") for case in same)


def misplaced(cases: Sequence[Case], _given: Given) -> Iterator[Hit]:
    """Q68: the data access group is not that of the site."""
    for case in cases:
        if case.patient.site and case.patient.group != group_name(case.patient.site):
            yield "Q68", case, ""


def _alike(cases: Iterable[Case], key: Callable[[Case], Hashable]) -> Iterator[list[Case]]:
    """The groups of two or more cases with the same key; a blank key is like no other."""
    groups: dict[Hashable, list[Case]] = {}
    for case in cases:
        groups.setdefault(key(case), []).append(case)
    yield from (same for value, same in groups.items() if value and len(same) > 1)


def _opened(case: Case) -> datetime:
    return _moment(case.patient) or datetime.max


def _moment(patient: Patient) -> datetime | None:
    if patient.opened_on is None:
        return None
    hours, _, minutes = patient.opened_time.partition(":")
    at = time(int(hours), int(minutes[:2])) if hours.isdigit() and minutes[:2].isdigit() else time()
    return datetime.combine(patient.opened_on, at)
