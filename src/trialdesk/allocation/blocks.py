"""Permuted blocks of random size, drawn from a list key (reference/design.md 5; reference/randomisation.md 4.1)."""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TypeVar

from trialdesk.allocation.scheme import Scheme

Item = TypeVar("Item")
Below = Callable[[int], int]

WORDS = 2**32


def numbers(key: bytes) -> Below:
    """A function `below(n)` that gives the next unbiased number 0 … n−1 of the key's stream.

    The stream is HMAC-SHA256(key, counter) for counter 0, 1, 2 … (8 bytes, big-endian), read in words of 4 bytes;
    words that would favour small numbers are skipped.
    """
    stream: Iterator[int] = (
        word
        for counter in count()
        for word in struct.unpack(">8I", hmac.digest(key, counter.to_bytes(8, "big"), "sha256"))
    )

    def below(n: int) -> int:
        fair = WORDS - WORDS % n
        return next(word for word in stream if word < fair) % n

    return below


def shuffled(items: Sequence[Item], below: Below) -> tuple[Item, ...]:
    """The items in one of their orders, each equally likely (Fisher and Yates, downwards, j in 0 … i inclusive)."""
    order = list(items)
    for i in range(len(order) - 1, 0, -1):
        j = below(i + 1)
        order[i], order[j] = order[j], order[i]
    return tuple(order)


def next_block(scheme: Scheme, below: Below) -> tuple[str, ...]:
    """The arm codes of one block: a size by its weight, then the arms in their ratio, shuffled."""
    bag = [size for size, weight in scheme.blocks for _ in range(weight)]
    size = bag[below(len(bag))]
    share = size // sum(ratio for _, ratio in scheme.arms)
    return shuffled([arm for arm, ratio in scheme.arms for _ in range(ratio * share)], below)


def block_list(scheme: Scheme, key: bytes) -> Iterator[tuple[str, ...]]:
    """The endless list of a key, block by block."""
    below = numbers(key)
    while True:
        yield next_block(scheme, below)
