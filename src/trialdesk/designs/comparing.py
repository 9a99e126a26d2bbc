"""Every design played in parts, by one process or more; the result is the same for a seed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context

from trialdesk.designs.plan import Coming, Design
from trialdesk.designs.playing import Measures, joined, play

_PART, _PATIENTS = 500, 100_000
"""A part has at most so many trials, and so many patients in all: it depends on nothing of the machine."""

_DEAF = (signal.SIGINT, signal.SIG_IGN)
"""Ctrl-C is for the process that waits for the others."""


@dataclass(frozen=True, slots=True)
class Run:
    """How many trials of each design, from which seed, by how many processes."""

    trials: int
    seed: int
    processes: int = 1


def compare(
    coming: Coming, designs: Sequence[Design], run: Run, played: Callable[[int], None] = lambda _: None
) -> list[Measures]:
    """The measures of each design.

    Args:
        coming: The patients who are expected.
        designs: What is compared.
        run: How it is played.
        played: Told after each part how many trials were played.
    """
    parts = list(_parts(run.trials, coming.patients))
    jobs = [(coming, design, trials, (run.seed, part)) for design in designs for part, trials in enumerate(parts)]
    done: list[Measures] = []
    with ExitStack() as stack:
        for one in _played(jobs, run.processes, stack):
            done.append(one)
            played(len(one.overall))
    return [joined(done[first : first + len(parts)]) for first in range(0, len(done), len(parts))]


def _parts(trials: int, patients: int) -> Iterator[int]:
    most = max(1, min(_PART, _PATIENTS // patients))
    while trials > 0:
        yield min(most, trials)
        trials -= most


def _played(
    jobs: Sequence[tuple[Coming, Design, int, tuple[int, int]]], processes: int, stack: ExitStack
) -> Iterator[Measures]:
    if processes == 1:
        return (play(*job) for job in jobs)
    # Fresh processes on every machine; a copy of this one would copy its threads in the middle of their work. The pool
    # ends its processes whatever ends this one.
    pool = stack.enter_context(get_context("spawn").Pool(min(processes, len(jobs)), signal.signal, _DEAF))
    return pool.imap(_play, jobs)


def _play(job: tuple[Coming, Design, int, tuple[int, int]]) -> Measures:
    return play(*job)
