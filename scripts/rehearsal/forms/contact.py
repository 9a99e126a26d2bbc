"""The research nurse's contact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from rehearsal.sheets import Pen, Values, same

DONE, NOT_REACHED, DECLINED = "1", "2", "3"
_LONGER = 45  # a burden above this needs an aid, above 75 the bed


@dataclass(frozen=True, slots=True)
class Since:
    """What the patient tells of the time since the last contact; `wish` is the wish to change arm, "" if not asked."""

    event: bool = False
    admitted: bool = False
    treatment: bool = False
    wish: str = ""


def reached(pen: Pen, on: date, burden: float, since: Since) -> Values:
    """A contact that took place."""
    values = {
        "nc_stat": DONE,
        "nc_date": on.isoformat(),
        "nc_tries": pen.one_of("1", "1", "1", "2"),
        "nc_mode": pen.one_of("1", "1", "1", "1", "2", "3"),
        "nc_ae": str(int(since.event)),
        "nc_hosp": str(int(since.admitted)),
        "nc_tx": str(int(since.treatment)),
        **same("0", "nc_newpain"),
        **pen.ticks("nc_redflag", "0"),
        "nc_mob": str(1 + (burden > _LONGER) + 2 * (burden > 90)),
        **({"nc_xo": since.wish} if since.wish else {}),
    }
    return values | pen.pick("nc_pref_day", "nc_pref_time") if pen.happens(15) else values


def failed(pen: Pen, on: date, status: str) -> Values:
    """A contact that did not take place; who was not reached is called back."""
    values = {"nc_stat": status, "nc_date": on.isoformat(), "nc_tries": pen.one_of("3", "4", "5")}
    if status == NOT_REACHED and pen.happens(40):
        values |= {"nc_cb_date": (on + timedelta(days=1)).isoformat(), "nc_cb_time": "10:30"}
    return values
