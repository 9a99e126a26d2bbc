"""The instruments as they are shipped, for tests of the rules that read them."""

from __future__ import annotations

import csv
from pathlib import Path

from redcap_rules.dictionary import Dictionary, join, read_dictionary

TRIAL = Path(__file__).parents[1] / "instruments" / "trial"


def trial_dictionary() -> Dictionary:
    """All instruments of the trial as one dictionary, in the order of their files."""
    return join(read_dictionary(path.read_text("utf-8"), path.name) for path in sorted(TRIAL.glob("[0-9]*.csv")))


def trial_rows(name: str) -> list[dict[str, str]]:
    """The rows of events.csv, mapping.csv, repeating.csv or dq_rules.csv."""
    return list(csv.DictReader((TRIAL / name).read_text("utf-8").splitlines()))
