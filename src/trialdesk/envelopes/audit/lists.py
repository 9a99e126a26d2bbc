"""Whether the lists are what they should be, and were followed: R32, R44, R48, and runs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from trialdesk.allocation.verifying import verify
from trialdesk.envelopes.audit.case import Answer, Case, Verdict


def drift(case: Case) -> Answer:
    """R48: every list is what its master gives."""
    problems = list(verify(case.tables))
    made = sum(len(table.allocations) for table in case.tables)
    told = "; ".join(problems) or f"all {made} envelopes of {len(case.tables)} version(s) made again, to the last byte"
    return Answer("R48", "Are the sealed lists those their master gives?", told, _verdict(bool(problems)))


def followed(case: Case) -> Answer:
    """R44: the arms of the records are those of the lists, envelope for envelope."""
    opened = case.all_opened
    wrong = [one for one in opened if one.opening.patient.arm and not one.right]
    told = f"{len(opened) - len(wrong)} of {len(opened)} opened envelopes have the arm of their list"
    if wrong:
        told += ": not " + ", ".join(f"{one.made.envelope.id} ({one.opening.patient.record})" for one in wrong)
    question = "Did the patients get the arms of the lists, in the order of the lists?"
    return Answer("R44", question, told, _verdict(bool(wrong)) if opened else "nothing to ask")


def early_batches(case: Case) -> Answer:
    """R32: no envelope of a later batch was opened while one of an earlier was left; void ones are not seen."""
    found = list(_overtaken(case))
    told = "; ".join(found) or "every pile was used batch by batch"
    question = "Was an earlier batch used up before the next was begun?"
    return Answer("R32", question, told, _verdict(bool(found)) if case.opened else "nothing to ask")


def _overtaken(case: Case) -> Iterator[str]:
    for pile, opened in case.opened.items():
        done = {one.made.envelope.number for one in opened}
        last = opened[-1].made.envelope
        left = [one.envelope.id for one in case.lists[pile] if one.envelope.number not in done]
        earlier = [one for one in case.lists[pile] if one.envelope.id in left and one.envelope.batch < last.batch]
        if earlier:
            names = ", ".join(one.envelope.id for one in earlier)
            yield f"{last.id} was opened, and {names} of an earlier batch was not (unless it is void)"


def runs(case: Case) -> Answer:
    """No list has a longer run of one arm than two blocks can give: else it was sorted, or is of another scheme."""
    if not case.tables:
        return Answer("4.4", "Is any list sorted?", "there are no lists", "nothing to ask")
    scheme = case.tables[-1].scheme
    parts, largest = sum(ratio for _, ratio in scheme.arms), max(size for size, _ in scheme.blocks)
    found = []
    longest = 0
    for pile, made in case.lists.items():
        for arm, run in groupby(one.card.arm for one in made):
            length = len(list(run))
            longest = max(longest, length)
            if length > 2 * largest * dict(scheme.arms)[arm] // parts:
                found.append(f"{pile}: {length} of one arm in a row")
    told = "; ".join(found) or f"the longest run of one arm in any list is {longest}, as two blocks in a row can give"
    return Answer("4.4", "Is any list sorted?", told, _verdict(bool(found)))


def _verdict(wrong: bool) -> Verdict:
    return "look at this" if wrong else "as expected"
