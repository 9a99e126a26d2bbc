"""The comparison as one self-contained page: an open one without block sizes, and one with them, to be sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from trialdesk.config import Config
from trialdesk.designs.comparing import Run
from trialdesk.designs.plan import Coming
from trialdesk.designs.plots import HEIGHT, WIDTH, intervals, plane, stacks
from trialdesk.designs.summary import Row, Scheme, leading
from trialdesk.designs.table import BALANCE, GUESSING, SENDING, written


@dataclass(frozen=True, slots=True)
class Played:
    """What was played, for whom, when."""

    config: Config
    coming: Coming
    run: Run
    day: date


@cache
def _environment() -> Environment:
    return Environment(loader=PackageLoader("trialdesk.designs", "."), autoescape=True, undefined=StrictUndefined)


def open_page(played: Played, rows: Sequence[Row]) -> str:
    """The page for the steering committee, as HTML: rows hold no block sizes, so neither does the page."""
    return _page(played, rows, ())


def sealed_page(played: Played, rows: Sequence[Row], schemes: Sequence[Scheme]) -> str:
    """The same page with the blocks of each design; whoever reads it can predict allocations."""
    return _page(played, rows, schemes)


def _page(played: Played, rows: Sequence[Row], schemes: Sequence[Scheme]) -> str:
    coming = played.coming
    least = max(coming.ratio) / sum(coming.ratio)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            trial=played.config.trial,
            day=played.day,
            run=played.run,
            coming=coming,
            sites=list(zip(played.config.sites, coming.sites, strict=True)),
            factors=[
                (factor, list(zip(factor.levels, shares, strict=True)))
                for factor, shares in zip(played.config.strata, coming.factors, strict=True)
            ],
            strata=len(coming.strata),
            ratio=" : ".join(map(str, coming.ratio)),
            least=least,
            rows=rows,
            schemes=schemes,
            parts=[("Balance", BALANCE), ("Guessing", GUESSING), ("Envelopes", SENDING)],
            written=written,
            short=_short(rows),
            error=_error(rows),
            plane=plane(rows, least),
            intervals=intervals(rows),
            stacks=stacks(rows),
            width=WIDTH,
            height=HEIGHT,
        )
    )


_SHORT = (
    ("Arms nearest to each other", "overall", "one decimal", 0.1, "patients apart on average"),
    ("Arms nearest in the worst stratum", "stratum", "one decimal", 0.1, "patients apart on average"),
    ("Hardest to guess, even for one who knows the method", "informed", "share", 0.01, "guessed right"),
    ("Fewest envelopes left over", "unused", "count", 1, "of them on average"),
)
_MANY_BLOCKED = 0.5


def _short(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """What stands out, in a line each."""
    lines = [
        (label, "; ".join(f"{row.letter} {row.name} ({written(row.figures[name], how)} {unit})" for row in best))
        for label, name, how, alike, unit in _SHORT
        if (best := leading(rows, name, alike))
    ]
    blocked = [row for row in rows if "blocked" in row.figures and row.figures["blocked"].mean >= _MANY_BLOCKED]
    told = "; ".join(f"{row.letter} {row.name} ({written(row.figures['blocked'], 'one decimal')})" for row in blocked)
    return [*lines, ("Patients lost because a pile was empty", told)] if blocked else lines


def _error(rows: Sequence[Row]) -> tuple[float, float]:
    """The largest standard error of a mean in patients, and in percentage points."""
    patients = max(row.figures[name].error for row in rows for name in ("overall", "site", "stratum"))
    points = max(row.figures[name].error for row in rows for name in ("clinician", "observer", "informed", "certain"))
    return patients, points * 100
