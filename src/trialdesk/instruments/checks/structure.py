"""Events, mapping, what repeats, groups, roles: names that fit one another and REDCap's slugs.

Source: reference/instruments.md 2.3.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from redcap_rules.names import event_name, form_name, group_name
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.fault import Fault
from trialdesk.instruments.folder import ARMS, DISPLAY, EVENTS, GROUPS, MAPPING, REPEATING
from trialdesk.instruments.roles import LABEL, ROLES, unnamed


def events(subject: Subject) -> Iterator[Fault]:
    """Events REDCap would name or sort otherwise, and arms without any."""
    for number, row in subject.folder.tables[ARMS]:
        if row["arm_num"] not in {event.arm for event in subject.design.events}:
            yield Fault(ARMS, number, "arm_num", "structure", f"arm {row['arm_num']} has no event", "delete the row")
    seen: dict[tuple[str, str], str] = {}
    numbers = [number for number, _ in subject.folder.tables[EVENTS]]
    for number, event in zip(numbers, subject.design.events, strict=True):
        made = event_name(event.label, int(event.arm))
        if event.name != made:
            what = f"REDCap makes {made} of the label {event.label!r}, not {event.name}"
            yield Fault(EVENTS, number, "unique_event_name", "slug", what, "correct the name or the label")
        for column, days in (("day_offset", event.day), ("offset_min", event.before), ("offset_max", event.after)):
            if days and not re.fullmatch(r"-?\d+(\.0+)?", days, re.ASCII):
                yield Fault(EVENTS, number, column, "offset", f"{days!r} is no number of days", "write a whole number")
        if not event.day:
            continue
        other = seen.setdefault((event.arm, event.day), event.name)
        if other != event.name:
            what = f"{event.name} has the day offset of {other}, and REDCap sorts them by alphabet"
            yield Fault(EVENTS, number, "day_offset", "order", what, "give each its own offset", "warning")


def slugs(subject: Subject) -> Iterator[Fault]:
    """Labels REDCap would give the same unique name."""
    labels = [(event_name(e.label, int(e.arm)), e.name) for e in subject.design.events]
    for slug, times in sorted(Counter(slug for slug, _ in labels).items()):
        if times > 1:
            what = f"{times} events get the name {slug}; REDCap adds letters to tell them apart"
            yield Fault(EVENTS, 1, "event_name", "slug", what, "differ within the first 18 characters")
    groups = Counter(group_name(label) for label in subject.design.groups or ())
    for slug, times in sorted(groups.items()):
        if times > 1:
            what = f"{times} sites get the data access group {slug}"
            yield subject.in_settings(("sites",), "slug", what, "give the sites other codes")
    for form in subject.dictionary.forms:
        if form != form_name(form):
            field = subject.dictionary.form(form)[0]
            what = f"REDCap would call the form {form_name(form)}"
            yield subject.at(field, "form", what, "use that name", rule="slug")


def mapping(subject: Subject) -> Iterator[Fault]:
    """Forms and events that are not there, and forms nobody can reach."""
    known = subject.event_names
    arm_of = subject.design.arm_of
    for number, row in subject.folder.tables[MAPPING]:
        event, form = row["unique_event_name"], row["form"]
        if event not in known:
            yield Fault(MAPPING, number, "unique_event_name", "mapping", f"there is no event {event}", "correct it")
        elif row.get("arm_num", arm_of[event]) != arm_of[event]:
            yield Fault(MAPPING, number, "arm_num", "mapping", f"{event} is in arm {arm_of[event]}", "correct it")
        if form not in subject.dictionary.forms:
            yield Fault(MAPPING, number, "form", "mapping", f"there is no form {form}", "correct it")
    if not subject.design.longitudinal:
        return
    for form in subject.dictionary.forms:
        if not subject.events_of[form]:
            field = subject.dictionary.form(form)[0]
            what = f"the form {form} stands in no event"
            yield subject.at(field, "form", what, f"add it to {MAPPING}", rule="mapping", severity="warning")
    for event in sorted(known - {slot.event for slot in subject.design.mapping}):
        yield Fault(MAPPING, 1, "unique_event_name", "mapping", f"{event} holds no form", "add one", "warning")


def repeating(subject: Subject) -> Iterator[Fault]:
    """Repeats of what is not there, or of a form inside an event that already repeats."""
    whole = {repeat.event for repeat in subject.design.repeating if not repeat.form}
    for number, row in subject.folder.tables[REPEATING]:
        event, form = row.get("event_name", ""), row["form_name"]
        if subject.design.longitudinal and event not in subject.event_names:
            yield Fault(REPEATING, number, "event_name", "repeating", f"there is no event {event!r}", "correct it")
        elif form and event not in subject.events_of.get(form, ()) and subject.design.longitudinal:
            yield Fault(REPEATING, number, "form_name", "repeating", f"{event} does not hold {form!r}", "correct it")
        elif form and event in whole and subject.design.longitudinal:
            what = f"{event} already repeats as a whole"
            yield Fault(REPEATING, number, "form_name", "repeating", what, "keep one of the two")
        elif form and form not in subject.dictionary.forms:
            yield Fault(REPEATING, number, "form_name", "repeating", f"there is no form {form!r}", "correct it")


def display(subject: Subject) -> Iterator[Fault]:
    """Form display logic for a form that is not there."""
    for number, row in subject.folder.tables[DISPLAY]:
        event, form = row["event_name"], row["form_name"]
        if form not in subject.dictionary.forms:
            yield Fault(DISPLAY, number, "form_name", "display", f"there is no form {form!r}", "correct it")
        elif event and event not in subject.events_of[form]:
            yield Fault(DISPLAY, number, "event_name", "display", f"{event} does not hold {form}", "correct it")


def groups(subject: Subject) -> Iterator[Fault]:
    """A pulled list of groups that is not the list of sites."""
    pulled = [row["data_access_group_name"] for _, row in subject.folder.tables[GROUPS]]
    if not pulled or subject.config is None:
        return
    sites = [site.code for site in subject.config.sites]
    for label in sorted(set(pulled) ^ set(sites)):
        what = f"{label} is {'a site without a group' if label in sites else 'a group without a site'}"
        yield Fault(GROUPS, 1, "data_access_group_name", "groups", what, "make sites and groups the same")


def roles(subject: Subject) -> Iterator[Fault]:
    """Forms that are out of reach of a role because nobody wrote them down."""
    for number, row in subject.folder.tables[ROLES]:
        for right, forms in unnamed(row, subject.dictionary.forms):
            what = f"{row[LABEL]}: {', '.join(forms)} not named, which means no access"
            yield Fault(ROLES, number, right, "role", what, f"add the code, as in {forms[0]}:0", "warning")
