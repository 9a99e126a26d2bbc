"""Rows that a person has entered on a page, stored as an import that overwrites would store them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from redcap_local.call import Call
from redcap_local.intake.columns import sheet
from redcap_local.intake.plan import Plan, refuse
from redcap_local.intake.saving import save
from redcap_local.wire.data import DataRow


def enter(call: Call, rows: Sequence[DataRow], computed: Iterable[str] = ()) -> None:
    """All values are stored, blank ones erased, and calculations follow.

    Args:
        call: The request.
        rows: Rows as an import has them, with the record id in each.
        computed: Calculated fields that are saved with their form, also those that no field is needed for.

    Raises:
        ApiError: Whatever an import would be refused for.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    plan = Plan(call, sheet(call.project, names), overwrite=True, date_format="YMD")
    for row in rows:
        plan.add(row)
    refuse(plan.lines)
    for incoming in plan.records.values():
        incoming.computed = frozenset(computed)
    save(call, plan.records.values())
