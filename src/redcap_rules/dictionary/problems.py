"""What can be wrong with a dictionary."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of a dictionary: the row (1 is the header), its column, what is wrong and the way out."""

    row: int
    column: str
    what: str
    way_out: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.column}: {self.what}; {self.way_out}"


class DictionaryError(ValueError):
    """A dictionary cannot be read or joined; `problems` holds every fault found."""

    def __init__(self, problems: Iterable[Problem], source: str = "") -> None:
        self.problems = tuple(problems)
        self.source = source
        place = f"{source}: " if source else ""
        super().__init__("\n".join(f"{place}{problem}" for problem in self.problems))
