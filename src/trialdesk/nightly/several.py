"""Several trials: each night in a process of its own, with its own tokens, state and lock."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from trialdesk.errors import EXITS, INTERNAL, ConfigError, worst
from trialdesk.nightly import machines
from trialdesk.notices import post as mail
from trialdesk.redcap.tokens import VARIABLES

_OF_ONE = frozenset({*VARIABLES.values(), mail.PASSWORD, machines.PASSWORD})
"""Secrets that would be of one trial alone."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How the night of one trial ended: its configuration, exit code, seconds, and what it said last."""

    config: Path
    code: int
    seconds: float
    said: str = ""


def configurations(folder: Path) -> tuple[Path, ...]:
    """The configurations in a folder, in order of their names: its own YAML files, and `config.yaml` of its folders.

    Raises:
        ConfigError: there is none.
    """
    found = {*folder.glob("*.yaml"), *folder.glob("*/config.yaml")}
    if not found:
        raise ConfigError(f"{folder}: holds no configuration (NAME.yaml, or NAME/config.yaml)")
    return tuple(sorted(found))


def run_all(
    configs: Sequence[Path], command: Sequence[str], jobs: int, told: Callable[[Ended], None]
) -> tuple[Ended, ...]:
    """Every trial's night has ended, at most `jobs` at one time; the results in order of the configurations.

    Tokens and passwords in the environment would be of one trial and are kept from all: each reads its own files.

    Args:
        configs: The configurations.
        command: What runs one night; `--config FILE` is added.
        jobs: How many run at one time.
        told: Told of each as it ends.
    """
    running: list[subprocess.Popen[str]] = []

    def one(config: Path) -> Ended:
        ended = night(config, command, running)
        told(ended)
        return ended

    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(one, config) for config in configs]
        try:
            return tuple(future.result() for future in waiting)
        except BaseException:
            for future in waiting:
                future.cancel()
            for process in running:
                process.terminate()
            raise


def night(
    config: Path, command: Sequence[str], running: list[subprocess.Popen[str]], stdin: int = subprocess.DEVNULL
) -> Ended:
    """The night of one trial has ended.

    Args:
        config: The configuration.
        command: What runs one night; `--config FILE` is added.
        running: The process is put there.
        stdin: What it reads.
    """
    begun = time.monotonic()
    process = _started(config, command, stdin)
    running.append(process)
    out, err = process.communicate()
    return Ended(config, _known(process.returncode), time.monotonic() - begun, _last(err) or _last(out))


def lines(ended: Sequence[Ended]) -> Iterator[str]:
    """One line a trial, and what the worst of them means."""
    wide = max(len(name(one)) for one in ended)
    for one in ended:
        yield f"{name(one):{wide}}  {one.code:>3}  {one.seconds:6.1f} s  {EXITS[one.code].meaning}"
    yield f"{len(ended)} trial(s), worst exit code {worst(*(one.code for one in ended))}"


def name(one: Ended) -> str:
    """What a trial is called among others: its folder, or its file."""
    return one.config.parent.name if one.config.name == "config.yaml" else one.config.stem


def _started(config: Path, command: Sequence[str], stdin: int) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own script
        [*command, "--config", str(config)],
        env={name: value for name, value in os.environ.items() if name not in _OF_ONE},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _known(code: int) -> int:
    """A code of the table; what was killed, or is not in it, is a defect."""
    return code if code in EXITS else INTERNAL


def _last(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")
