"""The cast: which parts are played, how far each one gets, and which of them breaks the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain, cycle, islice


class Reach(IntEnum):
    """How far a patient gets."""

    SCREENED = 1
    CONSENTED = 2
    ASSESSED = 3
    BASELINE = 4
    READY = 5
    RELEASED = 6
    OPENED = 7


@dataclass(frozen=True, slots=True)
class Role:
    """One part.

    `days` is how long before today the screening was, oldest and youngest. `strata` is a pattern the stratum code
    has to match. `alone` keeps the pile for this patient. `rules` are the findings the part must lead to, `code`
    the deviation code of reference/instruments.md 9.
    """

    name: str
    reach: Reach
    days: tuple[int, int]
    outcome: str = "1"
    strata: str = "..."
    alone: bool = False
    rules: tuple[str, ...] = ()
    code: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens to an ordinary patient once the arm is known, from so many days after the opening."""

    name: str
    arm: str
    age: int
    rules: tuple[str, ...] = ()
    code: str = ""
    sentence: str = ""


ORDINARY = "ordinary"
PVP, CONSERVATIVE = "1", "2"

_OPENED = (430, 27)
_SETTLED = (300, 90)
_ROLES = (
    Role(ORDINARY, Reach.OPENED, _OPENED),
    Role("screened", Reach.SCREENED, (3, 0)),
    Role("consented", Reach.CONSENTED, (9, 6)),
    Role("ready", Reach.READY, (17, 15)),
    Role("released", Reach.RELEASED, (17, 15), alone=True),
    Role("criteria", Reach.SCREENED, _OPENED, outcome="3"),
    Role("declined", Reach.SCREENED, _OPENED, outcome="2"),
    Role("not_invited", Reach.SCREENED, _OPENED, outcome="4"),
    Role("unfit", Reach.ASSESSED, _SETTLED),
    Role("not_randomised", Reach.BASELINE, _SETTLED),
    Role("dead", Reach.OPENED, _SETTLED),
    Role("lost", Reach.OPENED, _SETTLED),
    Role("withdrawn_treatment", Reach.OPENED, _SETTLED),
    Role("withdrawn_contact", Reach.OPENED, _SETTLED),
    Role("withdrawn_data", Reach.OPENED, _SETTLED),
    Role("baseline_first", Reach.OPENED, _SETTLED, rules=("Q01",), code="1",
         sentence="baseline questionnaires were answered before the consent"),
    Role("long_pain", Reach.OPENED, _SETTLED, strata="K..", rules=("Q08",), code="2",
         sentence="the pain had lasted longer than 92 days at consent"),
    Role("corrected_imaging", Reach.OPENED, _SETTLED, strata="..N", rules=("Q25",), code="5",
         sentence="a former fracture was found on the images after the envelope was opened"),
    Role("unreleased", Reach.OPENED, (60, 40), alone=True, rules=("Q27", "R21"), code="4",
         sentence="the envelope was opened without a release"),
    Role("other_envelope", Reach.OPENED, (34, 28), alone=True, rules=("Q26", "R02", "R49"), code="4",
         sentence="the next envelope of the pile was opened instead of the released one"),
    Role("wrong_code", Reach.OPENED, _SETTLED, rules=("R11",), code="4",
         sentence="a card code was typed that is not on the card"),
    Role("late_week_4", Reach.OPENED, _SETTLED, rules=("Q45",), code="9",
         sentence="the ODI of week 4 was answered after day 35"),
    Role("late_report", Reach.OPENED, _SETTLED, rules=("Q65",), code="13",
         sentence="a serious event reached the sponsor four days after the site knew"),
    Role("other_site", Reach.SCREENED, _SETTLED, outcome="2", rules=("R52",),
         sentence="the site field names another department than the data access group"),
)  # fmt: skip
ROLES = {role.name: role for role in _ROLES}

TURNS = (
    Turn("changed_arm", CONSERVATIVE, 75),
    Turn("early_procedure", CONSERVATIVE, 45, ("Q33", "Q34", "Q46"), "8",
         "vertebroplasty in the conservative arm before day 28, without an approved change"),
    Turn("late_procedure", PVP, 40, ("Q36",), "7", "the allocated vertebroplasty came after day 14"),
    Turn("late_control", PVP, 130, ("Q56",), "11", "the surgeon control came later than day 98"),
    Turn("no_procedure", PVP, 40, ("Q35",), "6", "the allocated vertebroplasty was not performed"),
)  # fmt: skip

# In order of importance: a small cast still shows the most. After the bill the filling is repeated.
_BILL = (
    *("released", "ready", ORDINARY, "unreleased", "other_envelope", "wrong_code", "declined", ORDINARY, "dead"),
    *("late_week_4", "baseline_first", "unfit", ORDINARY, "long_pain", "corrected_imaging", "late_report"),
    *("other_site", "criteria", "screened", ORDINARY, "withdrawn_treatment", "withdrawn_contact"),
    *("withdrawn_data", "lost", "not_invited", "consented", "not_randomised", *[ORDINARY] * 10),
    *("screened", "declined", ORDINARY),
)
_FILLING = (*[ORDINARY] * 3, "declined", *[ORDINARY] * 3, "criteria")


def cast(patients: int) -> Iterator[Role]:
    """The parts of a trial with so many screened patients."""
    return (ROLES[name] for name in islice(chain(_BILL, cycle(_FILLING)), patients))
