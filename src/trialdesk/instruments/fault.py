"""What is wrong with the instrument files, said so that it can be mended without asking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from trialdesk.errors import InstrumentError

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault: file, row as a spreadsheet counts (1 is the header), column, rule, what is wrong, the way out."""

    file: str
    row: int
    column: str
    rule: str
    what: str
    way_out: str
    severity: Severity = "error"

    def __str__(self) -> str:
        column = f", {self.column}" if self.column else ""
        return f"{self.file} row {self.row}{column}: {self.what}; {self.way_out}"


class Unreadable(InstrumentError):
    """Files can't be used; `faults` says why, one line each in the message."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))


def refuse(faults: Iterable[Fault]) -> None:
    """Nothing happens when there is no error among the faults.

    Raises:
        Unreadable: with every error, one a line.
    """
    errors = sorted(fault for fault in faults if fault.severity == "error")
    if errors:
        raise Unreadable(errors)


def counted(faults: Sequence[Fault]) -> str:
    """How many errors and warnings, in words."""
    errors = sum(fault.severity == "error" for fault in faults)
    return f"{errors} error(s), {len(faults) - errors} warning(s)"
