"""Imaging, surgical assessment, vertebroplasty and surgeon control, as a spine surgeon fills them in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from rehearsal.sheets import Pen, Values, same

LEVELS = tuple(str(code) for code in range(6, 18))  # T6 to L5, as the dictionary codes them
_CONTRAINDICATIONS = (
    "sa_ci_inf", "sa_ci_coag", "sa_ci_all", "sa_ci_cord", "sa_ci_stab", "sa_ci_prone", "sa_ci_tech", "sa_ci_oth",
)  # fmt: skip


def planned_levels(pen: Pen, stratum: str) -> tuple[str, ...]:
    """The neighbouring levels planned for treatment: one, or two to four, as the stratum says."""
    number = 1 if stratum[1] == "1" else int(pen.one_of("2", "2", "3", "4"))
    first = pen.dice.randrange(1, len(LEVELS) - number + 1)  # T6 stays free for a former fracture
    return LEVELS[first : first + number]


def former_fractures(pen: Pen, *, found: bool) -> Values:
    """The only former fracture the rehearsal knows is T6, which is never planned."""
    return pen.ticks("img_former", *LEVELS[: int(found)])


def imaging(pen: Pen, on: date, levels: Sequence[str], stratum: str) -> Values:
    """New, planned and former levels, and the parts of the instability score."""
    return {
        **pen.ticks("img_mod", "1", pen.one_of("2", "3", "4")),
        "img_date": on.isoformat(),
        **pen.ticks("img_new", *levels),
        **pen.ticks("img_plan", *levels),
        **former_fractures(pen, found=stratum.endswith("F")),
        "img_active": pen.one_of("1", "1", "1", "9"),
        "img_genant": pen.one_of("1", "2", "2", "3"),
        "img_hloss": pen.between(12, 55),
        "img_wall": pen.one_of("0", "0", "1"),
        "img_epi": pen.one_of("0", "0", "0", "1"),
        "img_s_pain": pen.one_of("3", "3", "1"),
        "img_s_les": pen.one_of("2", "2", "1"),
        "img_s_ali": pen.one_of("0", "0", "2"),
        "img_s_post": pen.one_of("0", "0", "1"),
        **pen.pick("img_s_loc", "img_s_col"),
    }


def assessment(pen: Pen, on: date, levels: Sequence[str], *, fit: bool) -> Values:
    """The surgeon's conclusion; an unfit patient cannot lie prone."""
    values = {
        **pen.pick("sa_site", "sa_tender", "sa_anticoag"),
        "sa_date": on.isoformat(),
        "sa_asa": pen.one_of("2", "2", "3", "3", "4"),
        "sa_inr": pen.between(0.9, 1.3, 1),
        "sa_lab_date": on.isoformat(),
        **same("0", *_CONTRAINDICATIONS),
        "sa_n_lvl": str(len(levels)),
        "sa_one_sess": "1",
        "sa_risk_info": "1",
        "sa_risk_date": on.isoformat(),
        "sa_fit": "1",
    }
    return values if fit else values | {"sa_ci_prone": "1", "sa_n_lvl": "0", "sa_fit": "0"}


def procedure(pen: Pen, on: date, levels: Sequence[str], why: str) -> Values:
    """A vertebroplasty of all planned levels without complication."""
    values = {
        "pvp_why": why,
        "pvp_done": "1",
        "pvp_date": on.isoformat(),
        **pen.pick("pvp_site", "pvp_guid", "pvp_biopsy"),
        "pvp_op": pen.one_of("SK", "TN", "MA"),
        "pvp_anaes": pen.one_of("1", "2", "2", "3"),
        "pvp_abx": "1",
        "pvp_cement": f"Cement, lot {pen.between(10000, 99999)}",
        "pvp_n_lvl": str(len(levels)),
        "pvp_ct": pen.one_of("1", "2", "2"),
        **pen.ticks("pvp_compl", "0"),
        "pvp_disch": on.isoformat(),
    }
    for place, level in enumerate(levels, start=1):
        block = f"pvp_l{place}"
        values |= {f"{block}_lvl": level, f"{block}_ml": pen.between(1.8, 5.8, 1)} | pen.pick(f"{block}_app")
        values |= pen.ticks(f"{block}_leak", pen.one_of("0", "0", "0", "1", "3"))
    return values


def no_procedure() -> Values:
    """The allocated vertebroplasty was given up because the pain had resolved."""
    return {"pvp_why": "1", "pvp_done": "0", "pvp_nd_rsn": "1"}


def control(pen: Pen, on: date) -> Values:
    """The control with long-standing radiographs 12 weeks after the vertebroplasty."""
    fracture = pen.happens(10)
    return {
        "sf_stat": "1",
        "sf_date": on.isoformat(),
        **same("0", "sf_neuro", "sf_wound", "sf_cement", "sf_refx", "sf_retx"),
        "sf_tender": pen.one_of("0", "0", "0", "1"),
        "sf_xr": "1",
        "sf_xr_date": (on - timedelta(days=pen.dice.randrange(2))).isoformat(),
        **pen.pick("sf_reader"),
        "sf_kyph": pen.between(3, 24, 1),
        "sf_tk": pen.between(25, 62, 1),
        "sf_ll": pen.between(28, 60, 1),
        "sf_sva": pen.between(5, 95),
        "sf_hloss": pen.between(10, 45),
        "sf_newfx": str(int(fracture)),
        **(pen.ticks("sf_newfx_lv", pen.one_of("4", "5")) if fracture else {}),
    }


def missed_control() -> Values:
    """The patient did not come to the control."""
    return {"sf_stat": "2"}
