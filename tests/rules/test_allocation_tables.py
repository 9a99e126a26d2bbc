"""Tables: what is made stays as it was made, whatever is added later."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, islice

import pytest

from trialdesk.allocation.blocks import block_list
from trialdesk.allocation.cards import card_code, verify_card
from trialdesk.allocation.codes import Codes, Word
from trialdesk.allocation.parcels import cut, parcel_key
from trialdesk.allocation.scheme import Scheme, list_key
from trialdesk.allocation.tables import (
    WHOLE_BLOCKS,
    Allocation,
    Order,
    Table,
    by_pile,
    from_text,
    frozen_codes,
    made_again,
    next_table,
    to_text,
)
from trialdesk.allocation.verifying import verify
from trialdesk.errors import TableError
from trialdesk.model import Pile

pytestmark = pytest.mark.requirement("ENV-02", "ENV-05")

MASTER = bytes(range(100, 132))
SCHEME = Scheme("PVP-MM", "prod", (("1", 1), ("2", 1)), ((2, 1), (4, 2)))
A, B, C = Pile("ODE", "K1N"), Pile("ODE", "N2F"), Pile("RIG", "K1N")


def make(*rounds: Sequence[Pile], scheme: Scheme = SCHEME, master: bytes = MASTER, least: int = 4) -> list[Table]:
    """One version for each round of piles."""
    tables: list[Table] = []
    for piles in rounds:
        tables.append(next_table(tables, scheme, master, ordered(piles, least, scheme)))
    return tables


def ordered(piles: Sequence[Pile], batch: int = 4, scheme: Scheme = SCHEME) -> Order:
    """These piles for a trial of that scheme."""
    arms = tuple(Word(code, code, f"Arm {code}") for code, _ in scheme.arms)
    ratios = tuple(ratio for _, ratio in scheme.arms)
    codes = Codes(scheme.trial, scheme.domain, ("ODE", "RIG"), (), arms, ratios)
    return Order(tuple(piles), batch, codes, "2026-11-23")


def contents(tables: Sequence[Table], pile: Pile) -> list[tuple[str, str, str, str]]:
    return [
        (made.envelope.id, made.card.arm, made.card.code, made.envelope.commitment) for made in by_pile(tables)[pile]
    ]


def test_every_envelope_of_a_table_proves_its_card() -> None:
    """Numbers run from 1 without a gap, a pile has a batch of them give or take one, each card fits its commitment."""
    table = make([A, B, C])[0]
    for pile, allocations in by_pile([table]).items():
        arms = [made.card.arm for made in allocations]
        assert [made.envelope.number for made in allocations] == list(range(1, len(arms) + 1))
        assert 3 <= len(arms) <= 5
        assert {made.envelope.pile for made in allocations} == {pile}
    for made in table.allocations:
        card = made.card
        assert card.envelope == made.envelope.id
        assert verify_card(made.envelope.commitment, SCHEME.trial, card.envelope, card.arm, card.code)


@pytest.mark.parametrize(
    "rounds",
    [
        [[A], [B]],  # a stratum is added
        [[A], [C]],  # a site is added
        [[B, C, A]],  # the configuration names them in another order
        [[A], [A], [A, B]],  # batches are added
        [[C], [B], [A]],
    ],
)
def test_adding_sites_strata_and_batches_changes_no_list(rounds: list[list[Pile]]) -> None:
    """A pile's first envelopes are the same whatever else was made before, with it, or after it."""
    long = contents(make([A], least=40), A)
    made = contents(make(*rounds), A)
    assert made == long[: len(made)]


def test_batches_continue_the_list_a_larger_first_batch_would_have_had() -> None:
    """Three batches hold the beginning of one long list, numbered on and on, batch numbers 1, 2, 3."""
    resupplied, long = make([A], [A], [A]), make([A], least=40)
    pieces = contents(resupplied, A)
    assert pieces == contents(long, A)[: len(pieces)]
    batches = [made.envelope.batch for made in by_pile(resupplied)[A]]
    assert sorted(batches) == batches
    assert set(batches) == {1, 2, 3}


def test_the_batch_size_may_change_between_batches() -> None:
    """Another batch size cuts the same list elsewhere."""
    tables = make([A])
    tables.append(next_table(tables, SCHEME, MASTER, ordered([A], 10)))
    pieces = contents(tables, A)
    assert pieces == contents(make([A], least=40), A)[: len(pieces)]
    assert 12 <= len(pieces) <= 16


@pytest.mark.parametrize(
    ("other", "word"),
    [
        (replace(SCHEME, trial="OTHER"), "trial id"),
        (replace(SCHEME, domain="dev"), "domain"),
        (replace(SCHEME, arms=(("2", 1), ("1", 1))), "arms"),
        (replace(SCHEME, blocks=((4, 2), (2, 1))), "block sizes"),
    ],
)
def test_a_version_of_another_scheme_is_refused(other: Scheme, word: str) -> None:
    """Trial, domain, arms and blocks are fixed with the first version; the error shows no size."""
    tables = make([A])
    with pytest.raises(TableError, match=word) as caught:
        next_table(tables, other, MASTER, ordered([B]))
    assert "block sizes ((" not in str(caught.value)


def test_another_master_is_refused() -> None:
    """All versions come from one master."""
    with pytest.raises(TableError, match="master"):
        next_table(make([A]), SCHEME, bytes(32), ordered([B]))


def test_nothing_to_make_is_said() -> None:
    """A run without piles makes no empty version."""
    with pytest.raises(TableError, match="nothing to make"):
        next_table(make([A]), SCHEME, MASTER, ordered([]))


@pytest.mark.parametrize("damage", ["swapped", "missing"])
def test_a_sealed_list_that_is_not_its_masters_is_refused(damage: str) -> None:
    """A resupply draws the list again and stops when what is sealed differs."""
    table = make([A])[0]
    made = list(table.allocations)
    first, other = made[0], next(m for m in made if m.card.arm != made[0].card.arm)
    arms = {first.envelope.id: other.card.arm, other.envelope.id: first.card.arm}
    swapped = tuple(Allocation(m.envelope, replace(m.card, arm=arms.get(m.envelope.id, m.card.arm))) for m in made)
    damaged = replace(table, allocations=swapped if damage == "swapped" else tuple(made[1:]))
    with pytest.raises(TableError, match="not the one its master gives"):
        next_table([damaged], SCHEME, MASTER, ordered([A]))


def test_a_table_reads_back_as_written_byte_for_byte() -> None:
    """The sealed text is canonical: the same inputs give the same bytes."""
    table = make([A, C])[0]
    assert from_text(to_text(table)) == table
    assert to_text(make([C, A])[0]) == to_text(table)


def test_a_version_is_cut_as_its_parcels_say() -> None:
    """Number, batch and day are the order's; each parcel is cut with the key of its site and version."""
    piles = [Pile("ODE", stratum) for stratum in ("K1F", "K1N", "K2F", "K2N")] + [C]
    tables = make(piles, piles, piles)
    assert [(table.version, table.batch, table.made) for table in tables] == [(n, 4, "2026-11-23") for n in (1, 2, 3)]
    so_far: Counter[Pile] = Counter()
    for table in tables:
        ahead = {pile: arms_of(pile)[so_far[pile] : so_far[pile] + 9] for pile in piles}
        for site in ("ODE", "RIG"):
            lists = {pile.stratum: ahead[pile] for pile in piles if pile.site == site}
            sizes = cut(parcel_key(MASTER, SCHEME, site, table.version), SCHEME, 4, lists)
            made = Counter(one.envelope.pile.stratum for one in table.allocations if one.envelope.pile.site == site)
            assert made == sizes
        so_far.update(one.envelope.pile for one in table.allocations)


def arms_of(pile: Pile) -> list[str]:
    """The beginning of a list."""
    blocks = block_list(SCHEME, list_key(MASTER, SCHEME.trial, SCHEME.domain, pile))
    return list(islice(chain.from_iterable(blocks), 40))


def test_a_card_has_the_code_of_its_number() -> None:
    """Drawn from the key of its list, on through the batches."""
    key = list_key(MASTER, SCHEME.trial, SCHEME.domain, A)
    made = by_pile(make([A], [A]))[A]
    assert [one.card.code for one in made] == [card_code(key, number) for number in range(1, len(made) + 1)]


def test_a_version_is_drawn_again_from_its_master() -> None:
    """The same envelopes and cards, after what older versions made of their piles."""
    first, second = make([A, C], [A, B])
    earlier = {**by_pile([first]), B: ()}
    sizes = Counter(one.envelope.pile for one in second.allocations)
    bare = replace(second, allocations=())
    assert made_again(bare, earlier, sizes) == second
    damaged = {**earlier, A: earlier[A][1:]}
    with pytest.raises(TableError, match="not the one its master gives"):
        made_again(bare, damaged, sizes)


def test_a_version_that_says_how_it_was_cut_is_held_against_that() -> None:
    """Its last envelope too; of one that does not say it, only where it ended is believed."""
    first, second = make([A, B], [A])
    assert list(verify([first, second])) == []
    last = first.allocations[-1].envelope.id
    shorter = replace(first, allocations=first.allocations[:-1])
    assert list(verify([shorter])) == [f"version 1: is not what its master gives ({last})"]
    old = replace(first, codes=None, rule=WHOLE_BLOCKS)
    assert list(verify([old])) == list(verify([replace(old, allocations=old.allocations[:-1])])) == []
    later = replace(second, codes=None, rule=WHOLE_BLOCKS)
    assert list(verify([old, later])) == []
    assert list(verify([replace(first, rule="another")])) == ["version 1: is not what its master gives"]
    assert list(verify([replace(first, codes=None)])) == []


def test_every_version_is_looked_at_and_five_envelopes_of_each_are_named() -> None:
    """In the order of their ids; one that does not follow from the others hides none behind it."""
    first, second = make([A, B], [A])
    swapped = replace(
        first, allocations=tuple(replace(m, card=replace(m.card, code="0" * 12)) for m in first.allocations)
    )
    names = sorted(made.envelope.id for made in first.allocations)
    one, _ = verify([swapped, replace(second, master=bytes(32))])
    assert one == f"version 1: is not what its master gives ({', '.join(names[:5])})"
    told = list(verify([replace(first, scheme=replace(SCHEME, arms=(("2", 1), ("1", 1)))), swapped, second]))
    assert [line.partition(":")[0] for line in told][:2] == ["version 1", "version 1"]
    foreign = replace(first, version=2)
    lines = list(verify([swapped, replace(foreign, master=bytes(range(1, 33))), foreign]))
    assert len(lines) == 3
    assert "master" in lines[1]


def test_codes_are_those_of_the_first_version_that_holds_them() -> None:
    """Arms whose order is another by now are refused, once, whatever the number of versions."""
    tables = make([A], [A])
    old = replace(tables[0], codes=None)
    assert frozen_codes([]) is None
    assert frozen_codes([old]) is None
    assert frozen_codes([old, tables[1]]) == tables[1].codes
    order = ordered([A])
    turned = replace(order, codes=replace(order.codes, arms=order.codes.arms[::-1]))
    with pytest.raises(TableError) as caught:
        next_table(tables, SCHEME, MASTER, turned)
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["arms"]


def test_everything_that_differs_is_a_line() -> None:
    """Held against the newest version alone."""
    with pytest.raises(TableError) as caught:
        next_table(make([A], [A]), replace(SCHEME, trial="OTHER", domain="dev"), bytes(32), ordered([B]))
    told = [line.partition(":")[0].partition(" (")[0] for line in str(caught.value).splitlines()]
    assert told == ["master", "trial id", "domain"]


def test_the_sealed_text_is_the_same_for_ever() -> None:
    """Order of keys, indents, letters: a table of 2026 has these bytes."""
    order = ordered([A, C])
    codes = replace(order.codes, arms=(Word("1", "1", "Vertebroplastik på hospital"), Word("2", "2", "Ingen")))
    text = to_text(next_table([], SCHEME, MASTER, replace(order, codes=codes)))
    assert "Vertebroplastik på hospital" in text
    assert text.startswith('{\n "arms": [')
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "d919614f845b18c6a58c67456e5f24bb2779c92760ce23d559fd692c105af7e2"
    )


def test_a_table_of_the_first_schema_is_read_for_ever() -> None:
    """It says nothing of codes, batch and day, was cut at whole blocks, and is written again as it was."""
    content = json.loads(to_text(make([A])[0])) | {"schema": 1}
    text = json.dumps({k: v for k, v in content.items() if k not in ("codes", "rule", "made", "size_of_batch")})
    table = from_text(text)
    assert (table.schema, table.codes, table.batch, table.rule, table.made) == (1, None, 0, WHOLE_BLOCKS, "")
    assert json.loads(to_text(table)) == json.loads(text)


@pytest.mark.parametrize("field", ["schema", "scheme", "master", "envelopes", "arms", "blocks", "version", "trial"])
def test_a_table_with_a_part_missing_is_damaged(field: str) -> None:
    """A damaged table is one line without its content."""
    content = json.loads(to_text(make([A])[0]))
    del content[field]
    with pytest.raises(TableError) as caught:
        from_text(json.dumps(content))
    assert MASTER.hex() not in str(caught.value)
    assert "damaged" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_of_another_scheme_is_refused() -> None:
    """A later scheme is not read as this one."""
    content = json.loads(to_text(make([A])[0])) | {"scheme": "trialdesk-list-v2"}
    with pytest.raises(TableError, match="not of scheme"):
        from_text(json.dumps(content))


def test_nothing_secret_shows_when_a_table_is_printed() -> None:
    """Repr of table, allocation and scheme holds no master, arm, code or block size."""
    table = make([A], scheme=replace(SCHEME, arms=(("CANARY", 1), ("HEN", 1)), blocks=((66, 1),)))[0]
    made = table.allocations[0]
    shown = f"{table!r} {made!r} {table.scheme.blocks and made.card!r}"
    for secret in (repr(MASTER), MASTER.hex(), made.card.code, "66"):
        assert secret not in shown.replace(made.envelope.commitment, "")
