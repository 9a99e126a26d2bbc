"""Everything the desk reports to its user, as one tree with stable exit codes (reference/trial-operations.md 4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

OK = 0
WRONG_USE = 2
OK_WITH_WARNINGS = 10
PARTIAL = 11
INTERNAL = 70


class Exit(NamedTuple):
    """What an exit code means, and what the person who reads it does."""

    meaning: str
    way_out: str


EXITS: Mapping[int, Exit] = {
    70: Exit("a defect of ours", "report the line; it holds no data"),
    42: Exit("a token, right or file shows an allocation", "stop; tell the packer"),
    60: Exit("a result could not be written or read back", "close the file, check rights and disk"),
    45: Exit("tables or register are missing, damaged or do not fit", "ask the packer"),
    20: Exit("configuration, token or private file", "every problem is listed with its place"),
    21: Exit("instrument files", "every problem is listed with its place"),
    22: Exit("the plan was refused: unsafe, changed, or production", "read the plan again"),
    31: Exit("REDCap refused the token or a right", "ask who gives rights in REDCap"),
    32: Exit("REDCap refused the request", "the reason is in the line, without values"),
    30: Exit("REDCap did not answer with data", "try again later; nothing was changed"),
    76: Exit("no proof that no other machine is at work", "look at the server of `machines`; nothing was published"),
    40: Exit("the pull can't be right", "read which check; nothing was published"),
    41: Exit("what was asked may not be done with this envelope or record now", "the reasons are listed"),
    50: Exit("REDCap does not hold what was to be written, or it was held back", "do what the line says, run again"),
    11: Exit("published, without a file that could not be made", "the summary names the file; the others are right"),
    61: Exit("published, but the mail was not sent", "read why in the summary; the files are where they always are"),
    75: Exit("another run is at work", "wait for it to end"),
    12: Exit("the newest run is older than it may be", "look why: nightly_sync.py doctor"),
    1: Exit("a test failed", "the first page of the validation package names it"),
    10: Exit("done, with something a person has to look at", "read the findings"),
    0: Exit("done", "–"),
}
"""Exit codes, worst first; beside them 2, wrong use of the command."""


def worst(*codes: int) -> int:
    """The worst of some exit codes of the table."""
    return min(codes, key=[*EXITS].index)


class TrialError(Exception):
    """Anything the desk reports to its user in one line; `exit_code` is what the shell gets."""

    exit_code = 1
    names_records = False
    """Whether the text may name records or envelopes: then it is for a terminal and for no log."""
    account: Path | None = None
    """Where a run that was stopped has written the whole text, for its owner alone."""


class ConfigError(TrialError):
    """The configuration, a token or a private file is not usable; `problems` holds one line each."""

    exit_code = 20

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class InstrumentError(TrialError):
    """The instrument files are not usable; one line a problem."""

    exit_code = 21


class PlanRefused(TrialError):
    """The plan is unsafe, is not the one that was shown, or may not be applied to this project."""

    exit_code = 22


class RedcapUnreachable(TrialError):
    """The server did not answer with data; nothing was learned and it is safe to try again.

    `retry_after` are the seconds after which the server asked to be tried again; 0 if it did not say.
    """

    exit_code = 30

    def __init__(self, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class TooMuch(RedcapUnreachable):
    """The server had no memory for what was asked at once."""


class Stale(TrialError):
    """The newest published run is older than was allowed, or there is none."""

    exit_code = 12


class NotAllowed(TrialError):
    """REDCap does not know the token, or its user lacks a right."""

    exit_code = 31


class RedcapRefused(TrialError):
    """REDCap understood the request and refused it; `reason` is REDCap's own text, which may quote values."""

    exit_code = 32

    def __init__(self, message: str, reason: str = "") -> None:
        self.reason = reason
        super().__init__(message)


class SanityFailed(TrialError):
    """What was pulled can't be right, so nothing is published and nothing is changed."""

    exit_code = 40
    names_records = True


class ReleaseRefused(TrialError):
    """No envelope may be released, moved or confirmed now."""

    exit_code = 41


class ConcealmentBroken(TrialError):
    """A token, a right or a file shows an allocation to someone who must not see it."""

    exit_code = 42


class TableError(TrialError):
    """The allocation tables are missing, damaged, sealed for someone else or do not fit the configuration."""

    exit_code = 45
    names_records = True


class WriteBackFailed(TrialError):
    """REDCap does not hold what was to be written: it did not arrive, or was held back as too much at once."""

    exit_code = 50
    names_records = True


class OutputFailed(TrialError):
    """A result could not be written, or reads back differently."""

    exit_code = 60


class DiskFull(OutputFailed):
    """Nothing can be written any more: the disk is full, over its quota, or open for reading alone."""


class MailFailed(TrialError):
    """The mail server did not take a message, or is not the one it says it is."""

    exit_code = 61


class LockHeld(TrialError):
    """Another run is at work."""

    exit_code = 75


class LockUnproved(TrialError):
    """It can't be proved, or not any more, that no other machine is at work on the trial."""

    exit_code = 76


ALONE: tuple[type[TrialError], ...] = (LockHeld, LockUnproved)
"""What may keep a command from being alone with a trial."""

REDCAP: tuple[type[TrialError], ...] = (RedcapUnreachable, NotAllowed, RedcapRefused)
"""What may go wrong whenever REDCap is asked."""

NIGHT: tuple[type[TrialError], ...] = (
    *REDCAP,
    InstrumentError,
    SanityFailed,
    ConcealmentBroken,
    TableError,
    WriteBackFailed,
    OutputFailed,
    MailFailed,
    *ALONE,
)
"""What may end a nightly run."""
