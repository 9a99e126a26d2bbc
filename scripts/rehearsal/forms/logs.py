"""Change of arm, adverse events, treatments, deviations and end of study."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from rehearsal.sheets import Pen, Values

_DAY = timedelta(days=1)
_INVESTIGATOR = "IH"


@dataclass(frozen=True, slots=True)
class Event:
    """One adverse event: term, type, CTCAE grade, days until it is over."""

    term: str
    category: str
    grade: str
    days: int
    serious: bool = False


EVENTS = (
    Event("Constipation", "9", "2", 12),
    Event("Nausea", "9", "1", 6),
    Event("Fall at home", "10", "1", 3),
    Event("Rib fracture", "10", "2", 30),
    Event("Urinary tract infection", "8", "2", 8),
)
PNEUMONIA = Event("Pneumonia", "8", "3", 10, serious=True)
PROGRESSION = Event("Progression of myeloma", "11", "5", 9, serious=True)
TREATMENTS = (("1", "Next line of treatment"), ("3", "Zoledronic acid"), ("6", "Prednisolone"), ("7", "Brace"))


def adverse_event(pen: Pen, event: Event, start: date, *, treated: bool, reported_after: int = 1) -> Values:
    """One event; grade 5 ends in death. `reported_after` is days from knowledge to report."""
    end = start + event.days * _DAY
    fatal = event.grade == "5"
    values = {
        "ae_term": event.term,
        "ae_cat": event.category,
        "ae_start": start.isoformat(),
        "ae_out": "4" if fatal else "1",
        "ae_end": end.isoformat(),
        "ae_grade": event.grade,
        "ae_rel": "1" if treated else "0",
        **pen.ticks("ae_act", "3" if event.serious else "1"),
        "ae_ser": str(int(event.serious)),
        "ae_inv": _INVESTIGATOR,
    }
    if not event.serious:
        return values
    aware = end if fatal else start
    return values | {
        **pen.ticks("ae_ser_crit", "1" if fatal else "3"),
        "ae_aware": aware.isoformat(),
        "ae_spons": (aware + reported_after * _DAY).isoformat(),
        "ae_vek": "0",
        "ae_narr": "Admitted to the haematology ward and treated.",
    }


def treatment(pen: Pen, start: date) -> Values:
    """One treatment that can change pain or bone."""
    kind, name = pen.dice.choice(TREATMENTS)
    line = {"ct_line": pen.one_of("2", "3")} if kind == "1" else {}
    return {"ct_type": kind, "ct_name": name, "ct_start": start.isoformat(), "ct_ongo": "1"} | line


def change_of_arm(pen: Pen, requested: date, assessed: date, treated: date) -> Values:
    """A conservative patient asks after week 4, is assessed again and treated."""
    return {
        "xo_req": "1",
        "xo_req_date": requested.isoformat(),
        **pen.ticks("xo_rsn", "1", "2"),
        "xo_w4_done": "1",
        "xo_sa": "1",
        "xo_sa_date": assessed.isoformat(),
        "xo_dec": "1",
        "xo_date": treated.isoformat(),
    }


def deviation(code: str, on: date, found: date, sentence: str) -> Values:
    """A deviation as the data manager enters it."""
    return {
        "dev_code": code,
        "dev_date": on.isoformat(),
        "dev_found": found.isoformat(),
        "dev_desc": f"{sentence[0].upper()}{sentence[1:]}.",
        "dev_grade": "2",
        "dev_rsn": "2",
        "dev_pp": "9",
    }


def end_of_study(pen: Pen, status: str, on: date, withdrawal: str = "") -> Values:
    """The last form: 1 completed, 2 withdrew (with its scope), 3 lost, 4 died, 6 not randomised."""
    day = on.isoformat()
    values = {"eos_stat": status, "eos_date": day, "eos_last": day, "eos_sign": _INVESTIGATOR, "eos_sign_dt": day}
    if status == "4":
        return values | {"eos_dth_date": day, "eos_dth_cause": "1"}
    if status == "2":
        values |= {"eos_wd_type": withdrawal, "eos_wd_rsn": pen.one_of("1", "2", "3")}
    return values | pen.pick("eos_mm", "eos_bp")
