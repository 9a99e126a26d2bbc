"""Background imports: every record without a fault is stored (reference/redcap-validation-facts.md 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.intake.plan import Incoming, Plan
from redcap_local.intake.saving import save
from redcap_local.messages import ApiError


def save_what_is_right(call: Call, plan: Plan) -> None:
    """The records without a fault are stored; the log says how many, and names the faults of the others."""
    mine = replace(call, user=replace(call.user, username=f"SYSTEM ({call.user.username})"))
    wrong = {line.record for line in plan.lines}
    right = [record for record in plan.records.values() if record.name not in wrong]
    refused = list(_saved(mine, right))
    counted = messages.BACKGROUND.text.format(len(right) - len(refused), len(wrong) + len(refused))
    mine.note("manage", "Manage/Design ", "\n".join([counted, *map(str, plan.lines), *refused]))


def _saved(call: Call, records: Sequence[Incoming]) -> Iterator[str]:
    """The faults of records that cannot be stored; all others are."""
    try:
        save(call, records)
    except ApiError:
        # Nothing is written before every fault is told, so each can be tried alone.
        for record in records:
            try:
                save(call, [record])
            except ApiError as fault:
                yield fault.text
