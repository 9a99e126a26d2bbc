"""Permuted blocks: every order equally likely, whole blocks balanced, batches never cut one."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import chain, islice, pairwise, permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialdesk.allocation.blocks import Below, block_list, next_block, numbers, shuffled
from trialdesk.allocation.scheme import Scheme, encode, list_key, scheme_of
from trialdesk.config import Config
from trialdesk.model import Pile

pytestmark = pytest.mark.requirement("ENV-01")

ARMS = (("1", 1), ("2", 1))
MANY = 20_000


def scheme(*sizes: int, arms: tuple[tuple[str, int], ...] = ARMS) -> Scheme:
    return Scheme("T", "dev", arms, tuple((size, 1) for size in sizes))


def key(text: object) -> bytes:
    return hashlib.sha256(str(text).encode()).digest()


def drawing(numbers_drawn: Sequence[int]) -> Below:
    """A stubbed stream that gives these numbers one after another."""
    draws = iter(numbers_drawn)
    return lambda _: next(draws)


def chi_square(observed: Counter[str], expected: dict[str, float]) -> float:
    return sum((observed[cell] - many) ** 2 / many for cell, many in expected.items())


def critical(freedom: int) -> float:
    """The chi-square that chance exceeds once in a million (Wilson and Hilferty's approximation)."""
    spread = 2 / (9 * freedom)
    return freedom * (1 - spread + 4.753 * math.sqrt(spread)) ** 3


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6])
def test_every_order_comes_from_exactly_one_way_of_drawing(size: int) -> None:
    """All draws of the shuffle, one after another, give every order once: no order is favoured."""
    ways = product(*(range(i + 1) for i in range(size - 1, 0, -1)))
    orders = [shuffled(range(size), drawing(way)) for way in ways]
    assert Counter(orders) == Counter(permutations(range(size)))


@pytest.mark.parametrize(("size", "orders"), [(4, 6), (6, 20)])
def test_the_orders_of_a_block_are_equally_frequent(size: int, orders: int) -> None:
    """Among 20 000 blocks each order of the arms appears as often as the others (α = 10⁻⁶)."""
    blocks = islice(block_list(scheme(size), key("blocks")), MANY)
    observed = Counter("".join(block) for block in blocks)
    assert len(observed) == orders
    assert chi_square(observed, dict.fromkeys(observed, MANY / orders)) < critical(orders - 1)


def test_block_sizes_follow_their_weights_and_not_each_other() -> None:
    """Sizes 2 and 4 with weights 1 and 2: a third and two thirds, whatever the size before (α = 10⁻⁶)."""
    weighted = Scheme("T", "dev", ARMS, ((2, 1), (4, 2)))
    sizes = [len(block) for block in islice(block_list(weighted, key("sizes")), MANY + 1)]
    share = {2: 1 / 3, 4: 2 / 3}
    observed = Counter(f"{a}{b}" for a, b in pairwise(sizes))
    expected = {f"{a}{b}": MANY * share[a] * share[b] for a in share for b in share}
    assert chi_square(observed, expected) < critical(3)


@pytest.mark.parametrize("sizes", [(2, 4), (2, 4, 6)])
def test_the_first_eight_allocations_follow_the_exact_law(sizes: tuple[int, ...]) -> None:
    """20 000 lists begin as often with each of the 256 patterns as probability theory says (α = 10⁻⁶)."""

    @cache
    def chance(pattern: str) -> float:
        if not pattern:
            return 1.0
        total = 0.0
        for size in sizes:
            seen = pattern[:size]
            left = size // 2 - seen.count("1")
            if 0 <= left <= size - len(seen):
                ways = math.comb(size - len(seen), left) / math.comb(size, size // 2)
                total += ways * chance(pattern[size:]) / len(sizes)
        return total

    lists = (chain.from_iterable(block_list(scheme(*sizes), key(n))) for n in range(MANY))
    observed = Counter("".join(islice(arms, 8)) for arms in lists)
    patterns = ("".join(pattern) for pattern in product("12", repeat=8))
    expected = {pattern: MANY * chance(pattern) for pattern in patterns if chance(pattern)}
    assert sum(expected.values()) == pytest.approx(MANY)
    assert set(observed) <= set(expected)
    assert chi_square(observed, expected) < critical(len(expected) - 1)


def test_lists_of_different_piles_agree_as_often_as_chance() -> None:
    """At a position two lists hold the same arm half of the time: no list follows another (α = 10⁻⁶)."""
    piles = [Pile(f"S{site}", stratum) for site in range(60) for stratum in ("K1", "N2")]
    lists = [
        list(islice(chain.from_iterable(block_list(scheme(4), list_key(key("m"), "T", "dev", p))), 40)) for p in piles
    ]
    same = sum(a == b for one, two in pairwise(lists) for a, b in zip(one, two, strict=True))
    tries = 40 * (len(lists) - 1)
    assert abs(same - tries / 2) < 4.9 * math.sqrt(tries / 4)
    assert len(set(map(tuple, lists))) == len(lists)


class Words:
    """A stream of chosen words in place of the keyed one."""

    def __init__(self, words: Sequence[int]) -> None:
        self.words = iter(words)

    def digest(self, *_: object) -> bytes:
        return b"".join(next(self.words).to_bytes(4, "big") for _ in range(8))


@pytest.mark.parametrize(
    ("n", "word", "taken"),
    [
        (3, 2**32 - 1, False),  # 2³² mod 3 = 1: only the last word is unfair
        (3, 2**32 - 2, True),
        (6, 2**32 - 4, False),  # 2³² mod 6 = 4
        (6, 2**32 - 5, True),
        (4, 2**32 - 1, True),
        (1, 2**32 - 1, True),
    ],
)
def test_words_that_favour_small_numbers_are_skipped(
    n: int, word: int, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word is used only below the largest multiple of n that fits in 32 bits."""
    monkeypatch.setattr("trialdesk.allocation.blocks.hmac", Words([word, 7, 0, 0, 0, 0, 0, 0]))
    assert numbers(b"any")(n) == (word % n if taken else 7 % n)


@given(st.integers(0, 10**9), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_a_block_holds_the_arms_in_their_ratio(seed: int, a: int, b: int, times: int) -> None:
    """With ratio a:b a block of a multiple of a+b holds exactly that ratio."""
    unequal = scheme((a + b) * times, arms=(("A", a), ("B", b)))
    assert Counter(next_block(unequal, numbers(key(seed)))) == {"A": a * times, "B": b * times}


@given(st.lists(st.text()), st.lists(st.text()))
def test_no_two_lists_of_words_are_encoded_alike(one: list[str], two: list[str]) -> None:
    """Neighbouring codes never share a key: S1 + 12 is not S11 + 2."""
    assert (encode(*one) == encode(*two)) == (one == two)


@pytest.mark.parametrize(
    ("trial", "domain", "site", "stratum"),
    [
        ("T2", "prod", "ODE", "K1N"),
        ("T", "dev", "ODE", "K1N"),
        ("T", "prod", "OD", "EK1N"),
        ("T", "prod", "ODE", "K1F"),
    ],
)
def test_trial_domain_site_and_stratum_each_enter_the_key(trial: str, domain: str, site: str, stratum: str) -> None:
    """A rehearsal, another trial, site or stratum has another list."""
    master = key("master")
    assert list_key(master, trial, domain, Pile(site, stratum)) != list_key(master, "T", "prod", Pile("ODE", "K1N"))


def test_a_scheme_is_what_the_configuration_says(frozen: Config) -> None:
    """Trial, domain, arms with their ratios in order; the block sizes are the packer's."""
    made = scheme_of(frozen, ((2, 1), (4, 2)))
    arms = tuple((arm.code, arm.ratio) for arm in frozen.arms)
    assert made == Scheme(frozen.trial.id, frozen.envelopes.domain, arms, ((2, 1), (4, 2)))
