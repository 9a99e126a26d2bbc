"""The check between records that is not about envelopes.

Q28 to Q30 and Q68 compare records too; the envelope room finds them as R07, R01 with R02, R20 and R52.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trialdesk.findings.crosschecks.case import Case, Given


class Hit(NamedTuple):
    """A check that fires: in which record and place; `detail` says more than the rule's own text."""

    rule: str
    case: Case
    where: str = ""
    detail: str = ""


def double(cases: Sequence[Case], given: Given) -> Iterator[Hit]:
    """Q31: records of one site whose person looks the same; a blank fact is like no other."""
    if given.meanings.same_person is None:
        return
    people: dict[tuple[str, ...], list[Case]] = {}
    for case in cases:
        facts = (case.patient.site, *(case.text(ref) for ref in given.meanings.same_person))
        if all(facts):
            people.setdefault(facts, []).append(case)
    yield from (Hit("Q31", case) for same in people.values() if len(same) > 1 for case in same)
