"""The randomisation form, before and after the envelope is opened."""

from __future__ import annotations

from datetime import datetime

from rehearsal.forms.screening import POPULATIONS
from rehearsal.sheets import Pen, Values, same

_FORMER = {"N": "0", "F": "1"}


def before(stratum: str) -> Values:
    """What the clinician confirms before asking for the release."""
    return {
        **same("1", "rand_elig_ok", "rand_base_ok"),
        "rand_grp": POPULATIONS[stratum[0]],
        "rand_lvl": stratum[1],
        "rand_for": _FORMER[stratum[2]],
    }


def opened(pen: Pen, envelope: str, at: datetime, card: tuple[str, str]) -> Values:
    """What the clinician types after opening: the number outside, arm and code inside."""
    arm, code = card
    day = at.date().isoformat()
    referral = {"rand_ref_date": day} | pen.pick("rand_ref_site") if arm == "1" else {}
    return {
        "rand_env": envelope,
        "rand_env_ok": "1",
        "rand_by": f"{envelope[0]}{pen.one_of('H', 'K', 'M')}",
        "rand_date": day,
        "rand_time": f"{at:%H:%M}",
        "rand_arm": arm,
        "rand_code": grouped(code),
        "rand_told": day,
        **referral,
    }


def grouped(code: str) -> str:
    """A card code in groups of four, as printed."""
    bare = code.replace("-", "").replace(" ", "")
    return "-".join(bare[start : start + 4] for start in range(0, len(bare), 4))


def mistyped(code: str) -> str:
    """The card code with another last character, as printed."""
    return grouped(code)[:-1] + ("7" if not code.endswith("7") else "8")
