"""Everything the desk reports to its user, as one tree with stable exit codes.

    TrialError                     1
    ├── ConfigError               20  config.yaml, tokens or a private file is not usable
    ├── InstrumentError           21  the instrument files are not usable
    ├── PlanRefused               22  the plan is unsafe, has changed, or may not be applied
    ├── RedcapUnreachable         30  the server did not answer with data; safe to try again
    ├── NotAllowed                31  REDCap refused the token or lacks a right
    ├── RedcapRefused             32  REDCap refused the request itself
    ├── SanityFailed              40  what was pulled can't be right; nothing is published
    ├── ReleaseRefused            41  no envelope may be released for this record now
    ├── ConcealmentBroken         42  a token or a file shows what it must not
    ├── TableError                45  the allocation tables are missing, damaged or do not fit
    ├── WriteBackFailed           50  REDCap did not hold what was written
    ├── OutputFailed              60  a result could not be written or read back
    └── LockHeld                  75  another run is at work

Codes follow trial-operations.md §4.4; 10 means done with warnings, 2 wrong usage, 70 a defect of ours.
"""

from __future__ import annotations

OK = 0
OK_WITH_WARNINGS = 10
INTERNAL = 70


class TrialError(Exception):
    """Anything the desk reports to its user in one line; `exit_code` is what the shell gets."""

    exit_code = 1


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
    """The server did not answer with data; nothing was learned and it is safe to try again."""

    exit_code = 30


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


class ReleaseRefused(TrialError):
    """No envelope may be released for this record now."""

    exit_code = 41


class ConcealmentBroken(TrialError):
    """A token, a right or a file shows an allocation to someone who must not see it."""

    exit_code = 42


class TableError(TrialError):
    """The allocation tables are missing, damaged, sealed for someone else or do not fit the configuration."""

    exit_code = 45


class WriteBackFailed(TrialError):
    """REDCap does not hold what was written."""

    exit_code = 50


class OutputFailed(TrialError):
    """A result could not be written, or reads back differently."""

    exit_code = 60


class LockHeld(TrialError):
    """Another run is at work."""

    exit_code = 75
