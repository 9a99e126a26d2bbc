"""Proof that tables are what their master gives: everything is made again and compared, to the last byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialdesk.allocation.tables import WHOLE_BLOCKS, Order, Table, by_pile, made_again, next_table, to_text
from trialdesk.errors import TableError


def verify(tables: Sequence[Table]) -> Iterator[str]:
    """What is wrong with each version, one sentence each; nothing for tables that are as they were made.

    A version that says how it was cut is made again whole. One of schema 1 does not say it: its numbers, arms, codes
    and commitments are made again, and only where its shipments ended is taken from itself.

    Args:
        tables: Every version, oldest first, opened with an identity.
    """
    for number, table in enumerate(tables):
        before = tables[:number]
        try:
            again = _again(before, table)
        except TableError as error:
            yield f"version {table.version}: {error}"
            continue
        if to_text(again) != to_text(table):
            differing = _differing(again, table)
            where = f" ({', '.join(differing[:5])})" if differing else ""
            yield f"version {table.version}: is not what its master gives{where}"


def _again(before: Sequence[Table], table: Table) -> Table:
    piles = tuple(dict.fromkeys(made.envelope.pile for made in table.allocations))
    if table.rule != WHOLE_BLOCKS and table.codes is not None:
        return next_table(before, table.scheme, table.master, Order(piles, table.batch, table.codes, table.made))
    earlier, own = by_pile(before), by_pile([table])
    sizes = {pile: len(own[pile]) for pile in piles}
    return made_again(table, {pile: earlier.get(pile, ()) for pile in piles}, sizes)


def _differing(again: Table, table: Table) -> list[str]:
    one, two = ({made.envelope.id: made for made in found.allocations} for found in (again, table))
    return sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
