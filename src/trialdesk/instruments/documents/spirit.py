"""The schedule of enrolment, interventions and assessments (SPIRIT 2025), from events, mapping and contacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trialdesk.config import Config, ContactRule
from trialdesk.config.parts import ENROLMENT
from trialdesk.instruments.design import Design
from trialdesk.workbook import Column, Line, SheetTable, Tone

ENROL, INTERVENE, ASSESS = "Enrolment", "Interventions", "Assessments"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The columns (event in words, and when it is) and the rows: heading, form in words, and where it is filled in."""

    events: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, str, tuple[bool, ...]], ...]


def spirit(design: Design, config: Config) -> Schedule:
    """The schedule of a trial.

    A form of the events up to the randomisation alone is enrolment, the form of a procedure or of a change of arm an
    intervention, every other an assessment.
    """
    labels, by_event = design.labels, {rule.event: rule for rule in config.contacts}
    events = [event.name for event in design.events] or [""]
    taken = {(slot.event, slot.form) for slot in design.mapping}
    until = events.index(config.facts.opened_on.event) if config.facts.opened_on.event in events else 0
    changed = config.facts.arm_change_on
    given = {ref.field for ref in (*config.delivered().values(), *((changed,) if changed else ()))}
    delivered = {design.dictionary.form_of(name) for name in given if name in design.dictionary}
    rows = []
    for form in design.dictionary.forms:
        at = tuple((name, form) in taken for name in events)
        used = [number for number, on in enumerate(at) if on]
        kind = ENROL if used and max(used) <= until else ASSESS
        rows.append((INTERVENE if form in delivered else kind, labels.form(form), at))
    order = (ENROL, INTERVENE, ASSESS)
    rows.sort(key=lambda row: order.index(row[0]))
    told = tuple((labels.event(name), _when(by_event.get(name), events.index(name), until)) for name in events)
    return Schedule(told, tuple(rows))


def _when(rule: ContactRule | None, number: int, until: int) -> str:
    """When an event is, as the contacts have it: −t before the randomisation, 0 on it."""
    if rule is None:
        return "−t" if number < until else "0" if number == until else ""
    length = f"{rule.days} d" if rule.days is not None else f"{rule.months} mo"
    before, after = (f"{days:+}".replace("-", "−") for days in rule.window)
    return "\n".join([length, f"{before}/{after} d", *([] if rule.anchor == ENROLMENT else [f"after {rule.anchor}"])])


def sheet(schedule: Schedule, title: str) -> SheetTable:
    """The schedule as a sheet: a cross where a form is filled in."""
    columns = (
        Column("Part", width=13),
        Column("Form", width=30),
        *(Column(name, width=_wide(f"{name} {when}")) for name, when in schedule.events),
    )
    when: Line = Line(("", "When", *(told for _, told in schedule.events)), "strong")
    head = f"{title} · schedule of enrolment, interventions and assessments"
    about = "SPIRIT 2025. × where a form is filled in; a contact's target and window stand in the first row."
    return SheetTable("Schedule", head, about, columns, (when, *_lines(schedule)), keys=2)


def _wide(text: str) -> int:
    """No wider than the longest word: a trial has many events, and print is to be read."""
    return max(6, *(len(word) + 1 for word in text.split()))


def _lines(schedule: Schedule) -> Iterator[Line]:
    for kind, form, at in schedule.rows:
        tones: Mapping[int, Tone] = {2 + number: "good" for number, on in enumerate(at) if on}
        yield Line((kind, form, *("×" if on else None for on in at)), tones=tones)


def svg(schedule: Schedule, title: str) -> str:
    """The schedule as a picture."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("trialdesk.instruments.documents", "."), autoescape=True, undefined=StrictUndefined
    )
    return made.get_template("spirit.svg.j2").render(
        title=title, events=schedule.events, groups=list(_grouped(schedule.rows))
    )


def _grouped(
    rows: Sequence[tuple[str, str, tuple[bool, ...]]],
) -> Iterator[tuple[str, list[tuple[str, tuple[bool, ...]]]]]:
    for kind in dict.fromkeys(kind for kind, _, _ in rows):
        yield kind, [(form, at) for own, form, at in rows if own == kind]
