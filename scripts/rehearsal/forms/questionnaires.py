"""Answers to the patient's questionnaires, all drawn from one burden so that they agree with each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rehearsal.sheets import Pen, Values


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its answer at no burden, at full burden, and how much harder it hits than the pain itself."""

    field: str
    none: int
    full: int
    bias: float = 0
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """One form: the stem of its completion fields and its items."""

    stem: str
    items: tuple[Item, ...]


# Symptoms that have little to do with the back weigh less; the numbers are shifts on the burden of 0–100.
_ODI = (5, -15, 10, -5, -5, 5, -10, 0, 0, 5)
_C30 = {1: 15, 5: -25, 8: -30, 9: 10, 10: 0, 12: 0, 13: -25, 14: -40, 15: -45, 16: -10, 17: -40, 18: 0, 19: 10,
        20: -30, 25: -35, 21: -20, 22: -15, 23: -25, 24: -20, 28: -45}  # fmt: skip
_EQ = {"mb": 0, "sc": -20, "ua": 0, "pd": 5, "ad": -30}

QUESTIONNAIRES = {
    "vas_pain": Questionnaire("vas", (Item("vas_back", 0, 100), Item("vas_leg", 0, 100, -45))),
    "odi": Questionnaire("odi", tuple(Item(f"odi_{n}", 0, 5, bias, n == 8) for n, bias in enumerate(_ODI, start=1))),
    "eq5d5l": Questionnaire(
        "eq",
        (
            *(Item(f"eq5d_{part}_5l_den_dan", 1, 5, bias) for part, bias in _EQ.items()),
            Item("eq5d5l_vas2_den_dan", 95, 15, -10),
        ),
    ),
    "qlq_c30": Questionnaire(
        "c30",
        (
            *(Item(f"c30_{n}", 1, 4, _C30.get(n, -5)) for n in range(1, 29)),
            Item("c30_29", 7, 1, -15),
            Item("c30_30", 7, 1, -15),
        ),
    ),
    "qlq_my20": Questionnaire(
        "my20", tuple(Item(f"my20_{n}", 1, 4, -5 if n <= 36 else -30, n == 42) for n in range(31, 51))
    ),
}


def answered(pen: Pen, form: str, on: date, burden: float) -> Values:
    """The answers of a patient with that burden (0–100); now and then an optional item stays blank."""
    sheet = QUESTIONNAIRES[form]
    mood = pen.dice.gauss(0, 5)
    return {
        f"{sheet.stem}_stat": pen.one_of("1", "1", "1", "2"),
        f"{sheet.stem}_date": on.isoformat(),
        **{
            item.field: _answer(pen, item, burden + mood)
            for item in sheet.items
            if not (item.optional and pen.happens(25))
        },
    }


def not_done(pen: Pen, form: str) -> Values:
    """The form says that and why there are no answers."""
    stem = QUESTIONNAIRES[form].stem
    return {f"{stem}_stat": "3", f"{stem}_nd_rsn": pen.one_of("1", "2", "4")}


def _answer(pen: Pen, item: Item, burden: float) -> str:
    share = min(max((burden + item.bias + pen.dice.gauss(0, 7)) / 100, 0.0), 1.0)
    return str(round(item.none + (item.full - item.none) * share))
