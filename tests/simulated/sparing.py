"""What comes out the same every night, because nobody changes the projects' structure, is worked out once a trial.

Where a fault is planned everything is worked out anew: what is remembered must not hide it. The chances of the
accrual forecast are numbers of numbers, asked for again in every world of the blinding proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any
from unittest.mock import patch

from simulated.line import Line
from trialdesk.envelopes import release
from trialdesk.facts import deriving
from trialdesk.nightly import run
from trialdesk.redcap import gateway
from trialdesk.redcap.gateway import Gateway
from trialdesk.reports import accrual

_PARTS: tuple[tuple[Any, str], ...] = (
    (deriving, "read_rules"),
    (deriving, "read_labels"),
    (deriving, "read_translations"),
    (deriving, "in_own_words"),
    (run, "prove_fit"),
    (run, "prove_codes"),
    (release, "prove_fit"),
    (release, "prove_codes"),
)
"""Rules and words of the instruments, and whether configuration, frozen codes and project fit together."""


@contextmanager
def sparing(line: Line) -> Iterator[None]:
    """Nothing of this is worked out twice until the block ends, and nothing waits for an answer in a thread."""
    with ExitStack() as stack:
        for where, name in _PARTS:
            stack.enter_context(patch.object(where, name, _once(getattr(where, name), line)))
        stack.enter_context(patch.object(Gateway, "dictionary", _of_each(Gateway.dictionary, line)))
        stack.enter_context(patch.object(accrual, "reaching", lru_cache(100_000)(accrual.reaching)))
        stack.enter_context(patch.object(gateway, "within", lambda _, ask: ask()))
        yield


def _once(real: Callable[..., Any], line: Line) -> Callable[..., Any]:
    known: list[Any] = []

    def again(*given: Any) -> Any:
        if line.faulty.plan is not None:
            return real(*given)
        if not known:
            known.append(real(*given))
        return known[0]

    return again


def _of_each(real: Callable[[Gateway], Any], line: Line) -> Callable[[Gateway], Any]:
    known: dict[Gateway, Any] = {}

    def again(one: Gateway) -> Any:
        if line.faulty.plan is not None:
            return real(one)
        if one not in known:
            known[one] = real(one)
        return known[one]

    return again
