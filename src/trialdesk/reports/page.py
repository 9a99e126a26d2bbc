"""One page for the morning: self-contained, readable on a telephone and in print, the coordinator's alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from trialdesk.allocation.numbering import printed
from trialdesk.facts.deriving import Facts
from trialdesk.facts.links import Links
from trialdesk.facts.todo import tasks
from trialdesk.followup.morning import today as calls_of
from trialdesk.reports.delivery import FILES, INDEX, MEMORY, REGISTER, File, of_site

_WIDTH, _HEIGHT = 640, 200


@dataclass(frozen=True, slots=True)
class Picture:
    """An accrual curve as points of an SVG of 640 × 200: randomised so far, and the straight way to the target."""

    line: str
    plan: str
    until: date
    top: int


@cache
def _environment() -> Environment:
    made = Environment(loader=PackageLoader("trialdesk.reports", "."), autoescape=True, undefined=StrictUndefined)
    made.filters["printed"] = printed
    return made


def index_page(facts: Facts, links: Links, now: datetime, summary: Mapping[str, object]) -> str:
    """The page as HTML.

    Args:
        facts: What was derived.
        links: Addresses of REDCap's own forms.
        now: When the data were read.
        summary: The counts of the run, as in summary.json.
    """
    found = tasks(facts)
    today = facts.schedule.today
    files = _files(facts)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            trial=facts.config.trial,
            domain=facts.config.envelopes.domain,
            rehearsal=facts.config.envelopes.domain == "dev",
            now=now,
            tasks=[(task, links.form(task.record, task.event, task.form)) for task in found],
            states=facts.cohort.states,
            steps=[(step.label, facts.cohort.reached(number)) for number, step in enumerate(facts.cohort.steps)],
            picture=picture(facts.cohort.opened_on, facts.config.trial.starts, today, facts.config.trial.target),
            randomised=facts.cohort.randomised,
            stock=[pile for pile in facts.cards.stock if pile.action],
            calls=[(call, links.form(call.record, call.first.contact.rule.event)) for call in calls_of(facts.schedule)],
            holds=facts.schedule.holds,
            files=files,
            summary=summary,
        )
    )


def _files(facts: Facts) -> dict[str, File]:
    """The files of the run that a person opens, every site's by itself."""
    shown = {
        n: file for n, file in FILES.items() if "/" in n and "CODE" not in n and n not in (INDEX, MEMORY, REGISTER)
    }
    own = {name: file for name, file in FILES.items() if "CODE" in name}
    return shown | {
        of_site(name, site.code): file._replace(reader=site.name)
        for site in facts.config.sites
        for name, file in own.items()
    }


def picture(opened: Sequence[date], starts: date, today: date, target: int) -> Picture:
    """The accrual curve from the start of the trial to today; days ahead of today are drawn at its end."""
    days = max((today - starts).days, 1)
    top = max(len(opened), 1)
    points = [f"0,{_HEIGHT}"]
    for number, day in enumerate(sorted(opened), 1):
        x = min(max((day - starts).days, 0), days) * _WIDTH / days
        points += [
            f"{x:.1f},{_HEIGHT - (number - 1) * _HEIGHT / top:.1f}",
            f"{x:.1f},{_HEIGHT - number * _HEIGHT / top:.1f}",
        ]
    points.append(f"{_WIDTH},{_HEIGHT - len(opened) * _HEIGHT / top:.1f}")
    return Picture(" ".join(points), f"of {target}", today, top)
