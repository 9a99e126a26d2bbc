"""Eligibility, consent and myeloma status, as a haematologist fills them in."""

from __future__ import annotations

from datetime import date, timedelta

from rehearsal.sheets import Pen, Values, same

POPULATIONS = {"K": "1", "N": "2"}
_CRITERIA = ("elig_inc_mm", "elig_inc_vcf", "elig_inc_relpain", "elig_inc_lvl", "elig_inc_cap")
_EXCLUSIONS = ("elig_exc_neuro", "elig_exc_psych", "elig_exc_lang", "elig_exc_prior")
_REASONS = {"2": ("1", "2", "3", "3", "4"), "3": ("6",), "4": ("4", "5")}  # screening outcome → main reason
_FAILURES = (("elig_inc_relpain", "0"), ("elig_inc_lvl", "0"), ("elig_exc_neuro", "1"), ("elig_exc_lang", "1"))
_INFORMATION = "2.0"


def eligibility(pen: Pen, site: str, on: date, *, stratum: str, outcome: str, onset: date) -> Values:
    """The screening form; with outcome 3 one criterion is not met."""
    known = stratum.startswith("K")
    values = {
        "elig_site": site,
        "elig_date": on.isoformat(),
        "elig_yob": str(on.year - int(pen.between(48, 86))),
        **pen.pick("elig_sex"),
        **same("1", *_CRITERIA),
        **same("0", *_EXCLUSIONS),
        "elig_group": POPULATIONS[stratum[0]],
        "elig_pain_onset": onset.isoformat(),
        **({"elig_inc_pain3m": "1"} if known else {}),
        "elig_pain_0100": pen.between(55, 92),
        "elig_outcome": outcome,
    }
    if outcome == "1":
        return values | {"elig_ref_date": on.isoformat()}
    failed = dict([pen.dice.choice(_FAILURES)]) if outcome == "3" else {}
    return values | failed | {"elig_np_rsn": pen.one_of(*_REASONS[outcome])}


def consent(pen: Pen, site: str, informed: date, signed: date) -> Values:
    """The consent form: informed on one day, signed on another; contact details are invented."""
    return {
        **pen.pick("con_info_role", "con_mode"),
        **same(informed.isoformat(), "con_oral_date", "con_writ_date"),
        **same(_INFORMATION, "con_info_ver", "con_ver"),
        **same("1", "con_comp_off", "con_reflect", "con_given", "con_record"),
        "con_date": signed.isoformat(),
        "con_time": "08:15",
        "con_by": f"{site[0]}{pen.one_of('H', 'K', 'M')}",
        "con_phone": f"00 00 {pen.between(10, 99)} {pen.between(10, 99)}",
        "con_email": f"{pen.between(1000, 9999)}@example.org",
    }


def myeloma(pen: Pen, on: date, stratum: str) -> Values:
    """Stage, treatment and bone-targeted treatment on the day of the screening."""
    known = stratum.startswith("K")
    diagnosed = on - timedelta(days=int(pen.between(500, 2600) if known else pen.between(5, 40)))
    return {
        "mm_date": diagnosed.isoformat(),
        **pen.pick("mm_heavy", "mm_light"),
        **_stage(pen),
        **(_treated(pen, on) if known else _new(pen)),
        "mm_ecog": pen.one_of("0", "1", "1", "2", "2", "3"),
        "mm_lab_date": on.isoformat(),
        "mm_hb": pen.between(5.2, 8.9, 1),
        "mm_plt": pen.between(90, 380),
        "mm_crea": pen.between(50, 190),
        "mm_ca": pen.between(1.15, 1.38, 2),
        "mm_rt_spine": "0",
    }


def _stage(pen: Pen) -> Values:
    b2m, albumin = pen.between(1.8, 9.5, 1), pen.between(26, 44)
    light = "1" if float(albumin) >= 35 else "2"
    stage = "3" if float(b2m) >= 5.5 else "2" if float(b2m) >= 3.5 else light
    return {
        "mm_dx_b2m": b2m,
        "mm_dx_alb": albumin,
        "mm_dx_ldh": pen.between(120, 320),
        "mm_dx_ldh_uln": "205",
        "mm_iss_rec": stage,
        **{
            name: pen.one_of("0", "0", "0", "1", "9")
            for name in ("mm_fish_17p", "mm_fish_414", "mm_fish_1416", "mm_fish_1q")
        },
    }


def _new(pen: Pen) -> Values:
    return {
        **same("0", "mm_lines", "mm_asct", "mm_on_tx", "mm_resp"),
        "mm_bp_stat": pen.one_of("0", "3", "3"),
    }


def _treated(pen: Pen, on: date) -> Values:
    classes = pen.dice.sample(("1", "2", "3", "5"), 2)
    return {
        "mm_lines": pen.one_of("1", "1", "2", "2", "3", "4"),
        **pen.pick("mm_asct"),
        "mm_on_tx": "1",
        **pen.ticks("mm_tx_class", *sorted(classes), "6"),
        "mm_tx_start": (on - timedelta(days=int(pen.between(60, 400)))).isoformat(),
        "mm_resp": pen.one_of("3", "4", "4", "6", "7", "7"),
        "mm_resp_date": (on - timedelta(days=int(pen.between(3, 40)))).isoformat(),
        "mm_bp_stat": "1",
        "mm_bp_agent": pen.one_of("1", "1", "1", "4"),
        "mm_bp_start": (on - timedelta(days=int(pen.between(200, 450)))).isoformat(),
        "mm_bp_last": (on - timedelta(days=int(pen.between(5, 60)))).isoformat(),
        "mm_bp_int": pen.one_of("4", "4", "12"),
    }
