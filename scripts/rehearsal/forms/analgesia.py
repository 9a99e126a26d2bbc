"""Pain relief treatment by the step it has reached."""

from __future__ import annotations

from datetime import date

from rehearsal.sheets import Pen, Values

# Step of the ladder → opioids at choice: code, dose field, usual doses.
_OPIOIDS = {
    0: (),
    1: (("1", "an_d_tram", ("100", "150", "200", "300")), ("2", "an_d_code", ("60", "120"))),
    2: (
        ("3", "an_d_morp", ("20", "40", "60", "90")),
        ("4", "an_d_oxyc", ("20", "30", "40", "80")),
        ("8", "an_d_fent", ("12", "25", "50")),
        ("7", "an_d_tape", ("100", "200", "300")),
    ),
}


def step(burden: float) -> int:
    """0 without, 1 with a weak, 2 with a strong opioid, for a burden of 0–100."""
    return (burden > 30) + (burden > 50)


def registered(on: date) -> Values:
    """Nothing changed since the last registration."""
    return {"an_date": on.isoformat(), "an_change": "1"}


def changed(pen: Pen, on: date, level: int) -> Values:
    """The first registration, or a new one because the step has changed."""
    values = {
        "an_date": on.isoformat(),
        "an_change": "2",
        **pen.ticks("an_nonop", *pen.one_of("1", "1", "13", "14")),
        **pen.ticks("an_nondrug", pen.one_of("0", "1", "2", "2")),
    }
    if not _OPIOIDS[level]:
        return values | pen.ticks("an_op", "0")
    code, field, doses = pen.dice.choice(_OPIOIDS[level])
    return values | pen.ticks("an_op", code) | {field: pen.one_of(*doses)}
