"""How a parcel is cut: the published vectors, from this code and from a second implementation."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialdesk.allocation.blocks import block_list
from trialdesk.allocation.parcels import DIVIDED, DRAWS, cut, imbalance, parcel_key, parcel_name, vectors
from trialdesk.allocation.scheme import Scheme, list_key
from trialdesk.model import Pile

pytestmark = pytest.mark.requirement("ENV-04")

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "docs" / "reference" / "parcel-vectors.json").read_text(encoding="utf-8")
)
BY_NAME = [pytest.param(one, id=one["name"][:24]) for one in VECTORS]
TWO = Scheme("T", "prod", (("1", 1), ("2", 1)), ((2, 1), (4, 2)))


def scheme(vector: dict[str, Any]) -> Scheme:
    arms, blocks = (tuple(map(tuple, vector[name])) for name in ("arms", "block_sizes"))
    return Scheme(vector["trial"], vector["domain"], arms, blocks)


def ahead(vector: dict[str, Any], stratum: str) -> list[str]:
    """The arms of a list after those made so far, drawn from the master."""
    master = bytes.fromhex(vector["master"])
    key = list_key(master, vector["trial"], vector["domain"], Pile(vector["site"], stratum))
    arms = (arm for block in block_list(scheme(vector), key) for arm in block)
    skipped = vector["so_far"].get(stratum, 0)
    return list(islice(arms, skipped, skipped + vector["batch"] + 1))


@pytest.mark.parametrize("vector", BY_NAME)
def test_the_published_parcels(vector: dict[str, Any]) -> None:
    """Key, first draw and sizes, for ever."""
    key = parcel_key(bytes.fromhex(vector["master"]), scheme(vector), vector["site"], vector["version"])
    assert key.hex() == vector["parcel_key"]
    assert list(next(vectors(key, len(vector["piles"])))) == vector["first_vector"]
    lists = {stratum: ahead(vector, stratum) for stratum in vector["piles"]}
    for stratum, arms in lists.items():
        made = vector["so_far"].get(stratum, 0)
        assert arms[: len(vector["lists"][stratum]) - made] == vector["lists"][stratum][made:]
    assert dict(cut(key, scheme(vector), vector["batch"], lists)) == vector["sizes"]


@pytest.mark.parametrize("vector", BY_NAME)
def test_a_second_implementation_cuts_the_same(vector: dict[str, Any]) -> None:
    """Written again from reference/design.md 5: the standard library alone, one loop."""
    master, strata = bytes.fromhex(vector["master"]), sorted(vector["piles"])
    words = ("trialdesk-parcel-v1", vector["trial"], vector["domain"], vector["site"], str(vector["version"]))
    message = b"".join(len(word.encode()).to_bytes(4, "big") + word.encode() for word in words)
    key = hmac.new(master, message, hashlib.sha256).digest()
    stream = b"".join(hmac.new(key, n.to_bytes(8, "big"), hashlib.sha256).digest() for n in range(4200))
    steps = iter(
        [
            u % 3 - 1
            for at in range(0, len(stream), 4)
            if (u := int.from_bytes(stream[at : at + 4], "big")) < 2**32 - 2**32 % 3
        ]
    )
    total, best, least = sum(ratio for _, ratio in vector["arms"]), {}, None
    for _ in range(4096 if len(strata) >= 4 else 1):
        sizes = {stratum: vector["batch"] + next(steps) for stratum in strata}
        arms = [arm for stratum in strata for arm in ahead(vector, stratum)[: sizes[stratum]]]
        off = sum(abs(arms.count(code) * total - len(arms) * ratio) for code, ratio in vector["arms"])
        if least is None or off < least:
            best, least = sizes, off
        if not least:
            break
    assert best == vector["sizes"]


@given(st.binary(min_size=32, max_size=32), st.integers(1, 9), st.integers(2, 12), st.integers(4, 8))
def test_every_pile_gets_a_batch_give_or_take_one(key: bytes, version: int, batch: int, piles: int) -> None:
    """And a parcel of four piles or more is hardly ever off by more than one."""
    names = [f"S{number}" for number in range(piles)]
    lists = {name: arms(key, name, batch + 1) for name in names}
    own = parcel_key(key, TWO, "ODE", version)
    sizes = cut(own, TWO, batch, lists)
    assert list(sizes) == names
    assert set(sizes.values()) <= {batch - 1, batch, batch + 1}
    counts = [[lists[name][: sizes[name]].count(code) for code in "12"] for name in names]
    assert imbalance(counts, TWO) <= 4 * piles


def arms(key: bytes, name: str, number: int) -> list[str]:
    blocks = block_list(TWO, list_key(key, "T", "prod", Pile("ODE", name)))
    return list(islice((arm for block in blocks for arm in block), number))


def test_first_parcels_are_equally_divided() -> None:
    """Eight piles, batch 6, a hundred masters: nearly always exactly (97 to 99.5 % of them), else by one."""
    off = []
    for number in range(100):
        master = hashlib.sha256(str(number).encode()).digest()
        names = [f"K{n}" for n in range(8)]
        lists = {name: arms(master, name, 7) for name in names}
        sizes = cut(parcel_key(master, TWO, "ODE", 1), TWO, 6, lists)
        off.append(imbalance([[lists[n][: sizes[n]].count(code) for code in "12"] for n in names], TWO))
    assert sum(one == 0 for one in off) >= 90
    assert max(off) <= 4  # one envelope more of an arm than half


def test_a_small_parcel_takes_the_first_draw() -> None:
    """Three piles or fewer, whatever the arms: what is made may be searched for by nobody."""
    key = bytes(range(32))
    lists: dict[str, Sequence[str]] = {name: "1111111" for name in ("A", "B", "C")}
    assert len(lists) < DIVIDED
    first = next(vectors(key, 3))
    assert dict(cut(key, TWO, 6, lists)) == dict(zip(lists, (6 + step for step in first), strict=True))


def test_of_equally_good_draws_the_earliest_is_taken() -> None:
    """A pile of one arm alone can't be divided: eight of 81 draws are off least, and the first of them is taken."""
    key, lists = bytes(range(32)), {"A": "1111111", "B": "2121212", "C": "2121212", "D": "2121212"}
    good = [draw for draw in islice(vectors(key, 4), DRAWS) if draw[0] == -1 and 0 not in draw[1:]]
    assert len(set(good)) == 8
    assert list(cut(key, TWO, 6, lists).values()) == [6 + step for step in good[0]]


def test_what_comes_later_in_a_list_does_not_matter() -> None:
    """A cut looks at a batch and one more."""
    key, lists = bytes(range(32)), {name: arms(bytes(32), name, 7) for name in "ABCD"}
    longer = {name: [*some, "1", "1", "1"] for name, some in lists.items()}
    assert cut(key, TWO, 6, longer) == cut(key, TWO, 6, lists)


def test_a_parcel_has_a_name() -> None:
    """Site and version."""
    assert parcel_name("ODE", 3) == "ODE-v003"
