"""The day's calls as a page to print: the rows of Today, with boxes to tick."""

from __future__ import annotations

from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from trialdesk.followup.columns import Desk, best_time
from trialdesk.followup.morning import Call, today
from trialdesk.followup.opendays import day_text
from trialdesk.followup.schedule import Schedule


def day_sheet(plan: Schedule, desk: Desk, read_at: datetime, site: str = "") -> str:
    """The page as HTML: A4 across when printed, whoever is to be verified first, then the rows of Today in their order.

    How old the data are stands in a banner; it turns red by itself when they are older than 24 hours.

    Args:
        plan: The schedule, of all sites or one.
        desk: Whose page it is.
        read_at: When the data were read, with its time zone.
        site: The site it is for, as a word; "" for all.
    """
    names = {rule.code: rule.label for rule in desk.config.contacts}
    environment = Environment(
        loader=PackageLoader("trialdesk.followup", "."), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("day_sheet.html.j2").render(
        trial=desk.config.trial,
        day_text=day_text(plan.today),
        site=site,
        read_at=read_at,
        old=read_at.date() != plan.today,
        holds=plan.holds,
        calls=today(plan),
        address=desk.address,
        linked=_linked,
        contact=lambda call: _contact(desk, call),
        words=lambda codes: ", ".join(names[code] for code in codes) or "all",
        best_time=best_time,
    )


def _contact(desk: Desk, call: Call) -> Markup:
    rule = call.first.contact.rule
    form = desk.config.contact_forms[rule.form].instrument
    return _linked(call.words, desk.address(call.record, rule.event, form))


def _linked(text: str, url: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(url, text) if url else Markup("{}").format(text)
