"""Completeness: every form of every event that all arms go through, and who lacks it; by arm for the closed report."""

from __future__ import annotations

from collections.abc import Sequence

from redcap_rules.dictionary import Dictionary
from trialdesk.facts.cohort import share
from trialdesk.facts.deriving import Facts
from trialdesk.facts.dueforms import FormCount, count, countable, missing
from trialdesk.facts.tracks import shared
from trialdesk.instruments.treatment import Telling
from trialdesk.reports.profiles import Profile
from trialdesk.reports.recruitment import records_by_arm
from trialdesk.workbook import Column, Line, SheetTable, Tone


def completeness(facts: Facts, reader: Profile) -> SheetTable:
    """Expected, entered, complete and missing forms, and at which sites they are missing."""
    sites = [site.code for site in reader.sites]
    columns = (
        Column("Event", width=22), Column("Form", width=28), Column("Expected", "number", 10),
        Column("Entered", "number", 9), Column("Complete", "number", 10), Column("Missing", "number", 9),
        Column("% complete", "percent", 10), *(Column(f"Missing {code}", "number", 8) for code in sites),
    )  # fmt: skip
    places = _places(facts)
    counted = list(count(facts.forms, facts.cohort.records, places))
    site_of = {record: code for code in sites for record in facts.cohort.at(code).records}
    by_site = missing(facts.forms, site_of)
    lines = tuple(_line(one, [by_site[code, one.event, one.form] for code in sites], facts) for one in counted)
    about = (
        "Forms up to the randomisation are expected of every randomised patient; those of a contact once it is made "
        "or its time is over, while the patient is in the trial."
    )
    return SheetTable("Completeness", "Completeness", about, columns, lines, keys=2)


def by_arm(facts: Facts, telling: Telling) -> SheetTable:
    """Every form of every event but those that tell an arm, by arm as randomised; for the closed report alone.

    Where nothing has to be hidden a form counts as entered by whatever it holds. One that only programs write is no
    person's to fill in, and is left out.
    """
    columns = (
        Column("Event", width=24), Column("Form", width=30), Column("Arm", width=30),
        Column("Expected", "number", 12), Column("Entered", "number", 12), Column("Complete", "number", 12),
        Column("Missing", "number", 12), Column("% complete", "percent", 12),
    )  # fmt: skip
    forms = facts.forms_as_held if telling == Telling() else facts.forms
    dictionary = facts.snapshot.dictionary
    due = {(form.event, form.form) for form in forms if _typed(dictionary, form.form)}
    places = [
        (event, form)
        for event in facts.snapshot.events
        for form in facts.common.mapping.get(event, ())
        if (event, form) in due and event not in telling.events and countable(dictionary, form, telling.columns)
    ]
    arms = {
        arm: list(count(forms, frozenset(own), places))
        for arm, own in records_by_arm(facts.cohort, facts.config).items()
    }
    lines = tuple(_of_arm(found[number], arm, facts) for number in range(len(places)) for arm, found in arms.items())
    about = "As randomised. Expected: the contact is made or its time is over, while in the trial. Confidential."
    return SheetTable("Completeness by arm", "Completeness by arm", about, columns, lines, keys=3)


def _typed(dictionary: Dictionary, form: str) -> bool:
    """Whether people type anything into a form."""
    return any(f.columns and "@READONLY" not in f.annotation for f in dictionary.fields if f.form == form)


def _of_arm(one: FormCount, arm: str, facts: Facts) -> Line:
    labels = facts.common.labels
    values = (
        labels.event(one.event), labels.form(one.form), arm, one.expected, one.entered, one.complete, one.missing,
        share(one.complete, one.expected),
    )  # fmt: skip
    return Line(values, "plain" if one.expected else "quiet", {6: "warning"} if one.missing else {})


def _places(facts: Facts) -> list[tuple[str, str]]:
    """The events up to the enrolment and those of contacts that all arms have, with the forms that can be counted."""
    events, telling = facts.snapshot.events, facts.common.telling
    enrolment = facts.config.facts.opened_on.event
    until = events.index(enrolment) + 1 if enrolment in events else 0
    wanted = [*(e for e in events[:until] if e not in telling.events), *(r.event for r in shared(facts.config))]
    return [
        (event, form)
        for event in dict.fromkeys(wanted)
        for form in facts.common.mapping.get(event, ())
        if countable(facts.snapshot.dictionary, form, telling.columns)
    ]


def _line(one: FormCount, here: Sequence[int], facts: Facts) -> Line:
    labels = facts.common.labels
    values = (
        labels.event(one.event), labels.form(one.form), one.expected, one.entered, one.complete, one.missing,
        share(one.complete, one.expected), *here,
    )  # fmt: skip
    tones: dict[int, Tone] = {number: "quiet" for number, value in enumerate(values) if number > 6 and not value}
    return Line(values, "plain" if one.expected else "quiet", tones | ({5: "warning"} if one.missing else {}))
