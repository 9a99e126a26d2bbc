"""The trial as it was when the rules were written; tests of rules read this one, whatever is shipped today."""

from __future__ import annotations

import csv
from pathlib import Path

from redcap_rules.dictionary import Dictionary, join, read_dictionary

FROZEN = Path(__file__).parent / "data" / "trial"
TRIAL = FROZEN / "instruments" / "trial"


def trial_dictionary(folder: Path = TRIAL) -> Dictionary:
    """All instruments of the trial as one dictionary, in the order of their files."""
    return join(read_dictionary(path.read_text("utf-8"), path.name) for path in sorted(folder.glob("[0-9]*.csv")))


def trial_rows(name: str, folder: Path = TRIAL) -> list[dict[str, str]]:
    """The rows of events.csv, mapping.csv, repeating.csv or dq_rules.csv."""
    return list(csv.DictReader((folder / name).read_text("utf-8").splitlines()))
