"""What comes out the same every night, because nobody changes the projects' structure, is worked out once a trial.

Where a fault is planned everything is worked out anew: what is remembered must not hide it. The chances of the
accrual forecast are numbers of numbers, asked for again in every world of the blinding proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from simulated.keeping import Courses, Holding, Observed, Patients, Records, Ruled
from simulated.line import Line
from trialdesk.allocation import cards
from trialdesk.allocation import tables as making
from trialdesk.config import Config
from trialdesk.envelopes import filing, release
from trialdesk.facts import deriving, pulling
from trialdesk.findings.ruled import ruled
from trialdesk.followup import schedule
from trialdesk.followup.contacts import course
from trialdesk.nightly import run
from trialdesk.redcap import gateway
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.observing import observe
from trialdesk.redcap.patients import patients
from trialdesk.redcap.tables import Tables
from trialdesk.reports import accrual

_PARTS: tuple[tuple[Any, str], ...] = (
    (deriving, "read_rules"),
    (deriving, "read_labels"),
    (deriving, "read_translations"),
    (deriving, "in_own_words"),
    (run, "prove_blind"),
    (run, "prove_fit"),
    (run, "prove_codes"),
    (release, "prove_blind"),
    (release, "prove_fit"),
    (release, "prove_codes"),
)
"""Rules and words of the instruments, what the register's token may see, and whether all of it fits together."""
_OF_PROJECTS = ("dictionary", "events", "mapping", "repeating", "project", "version")
"""What a project says of itself, parsed."""


@contextmanager
def sparing(line: Line) -> Iterator[None]:
    """Nothing of this is worked out twice until the block ends, and nothing waits for an answer in a thread."""
    with ExitStack() as stack:
        for where, name in _PARTS:
            stack.enter_context(patch.object(where, name, _once(getattr(where, name), line)))
        sealed = lru_cache(None)(cards.commitment)
        for where in (cards, making):
            stack.enter_context(patch.object(where, "commitment", sealed))
        for name in _OF_PROJECTS:
            stack.enter_context(patch.object(Gateway, name, _of_each(getattr(Gateway, name), line)))
        records = Records(line)
        stack.enter_context(patch.object(Gateway, "records", _method(records.of)))
        stack.enter_context(patch.object(Gateway, "ids", _method(records.ids)))
        stack.enter_context(patch.object(pulling, "patients", Patients(patients, line).of))
        stack.enter_context(patch.object(run, "observe", Observed(observe, line).of))
        stack.enter_context(patch.object(deriving, "ruled", Ruled(ruled, line).of))
        stack.enter_context(patch.object(schedule, "course", Courses(course, line).of))
        stack.enter_context(patch.object(Tables, "holds", _method(Holding(Tables.holds, line).of)))
        stack.enter_context(patch.object(accrual, "reaching", lru_cache(100_000)(accrual.reaching)))
        stack.enter_context(patch.object(gateway, "_ends_whole", _unless_cut_off(line)))
        stack.enter_context(patch.object(filing, "_checked", _of_text(filing._checked)))
        stack.enter_context(patch.object(filing, "ids_of", _of_same(filing.ids_of)))
        stack.enter_context(patch.object(gateway, "within", lambda _, ask: ask()))
        yield


def _method(stand_in: Callable[..., Any]) -> Callable[..., Any]:
    """A function, which a class binds to its objects as it does not bind another object's method."""

    def method(*given: Any, **how: Any) -> Any:
        return stand_in(*given, **how)

    return method


def _unless_cut_off(line: Line) -> Callable[..., bool]:
    """Whether an answer ends with a whole record, which is asked once more only where it can have been cut off."""
    real = gateway._ends_whole
    return lambda *asked: (line.sparing and not line.anew) or real(*asked)


def _of_text(real: Callable[..., Any]) -> Callable[..., Any]:
    """A manifest, which is parsed and checked again only where its text or the one before is another."""
    known: dict[tuple[str, str], Any] = {}

    def again(config: Config, path: Path, text: str, before: str) -> Any:
        if (text, before) not in known:
            known[text, before] = real(config, path, text, before)
        return known[text, before]

    return again


def _of_same(real: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What is made of one object, which is kept as long as that."""
    known: dict[int, tuple[Any, Any]] = {}

    def again(one: Any) -> Any:
        if id(one) not in known:
            known[id(one)] = one, real(one)
        return known[id(one)][1]

    return again


def _once(real: Callable[..., Any], line: Line) -> Callable[..., Any]:
    known: list[Any] = []

    def again(*given: Any) -> Any:
        if not line.sparing:
            return real(*given)
        if not known:
            known.append(real(*given))
        return known[0]

    return again


def _of_each(real: Callable[..., Any], line: Line) -> Callable[..., Any]:
    known: dict[tuple[object, ...], Any] = {}

    def again(one: Gateway, **how: Any) -> Any:
        if not line.sparing:
            return real(one, **how)
        key = one._secret.get_secret_value(), *how.items()
        if key not in known:
            known[key] = real(one, **how)
        return known[key]

    return again
