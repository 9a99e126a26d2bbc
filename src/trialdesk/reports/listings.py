"""The sheets that list: Patients, Completeness, Findings and About."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from trialdesk.config import Config
from trialdesk.facts.cohort import Cohort, Member, share
from trialdesk.facts.deriving import Facts
from trialdesk.facts.dueforms import FormCount, count
from trialdesk.facts.figures import same
from trialdesk.findings.lists import FindingList
from trialdesk.instruments.labels import Labels
from trialdesk.instruments.treatment import treatment_events
from trialdesk.memory.values import Known
from trialdesk.model import Finding
from trialdesk.reports.profiles import Profile
from trialdesk.workbook import Column, Line, SheetTable, Tone

_BANDS = (("up to 7 days", 0, 7), ("8 to 30 days", 8, 30), ("longer", 31, 10**6))


def patients(cohort: Cohort) -> SheetTable:
    """Every patient with dates, step and state; no arm, no envelope, nothing of the procedure."""
    columns = (
        Column("Record", width=12), Column("Site", width=8), Column("Last step", width=18),
        Column("Not randomised", width=26), Column("Reason given", width=30), Column("State", width=20),
        Column("Screened", "date", 12), Column("Consented", "date", 12), Column("Randomised", "date", 13),
        Column("Days in trial", "number", 14),
    )  # fmt: skip
    about = "Last step: the furthest reached without a gap. Days in trial count from randomisation to the data cut."
    lines = tuple(_patient(member, cohort) for member in cohort.members)
    return SheetTable("Patients", "Patients", about, columns, lines, empty="No patient yet.")


def findings(facts: Facts, found: FindingList, cohort: Cohort, profile: Profile) -> SheetTable:
    """What has to be looked at, errors first; since when, and whether it is accepted.

    Who may not learn arms is shown no envelope number, and of the treatment's findings nothing, not even how many; a
    site those of its own patients, outside every count and without what the memory knows.
    """
    columns = (
        Column("Severity", width=10), Column("Rule", width=10), Column("Site", width=8), Column("Record", width=11),
        Column("Where", width=24), Column("Finding", width=76), Column("Deviation", width=10),
        Column("Since", "date", 12), Column("Accepted", width=10),
    )  # fmt: skip
    known = _told(facts.lives, profile)
    mine = [one for one in (found.every if profile.unmasked else found.plain) if _shown(one, cohort, profile)]
    own = own_treatment(found, cohort.records) if profile.open and profile.treatment else ()

    def place(one: Finding) -> str:
        return facts.common.labels.place(one.where, numbered=profile.treatment)

    lines = [
        _finding(one, found.class_of(one.rule).deviation, known.get(same(one)), place(one))
        for one in _sorted((*mine, *own))
    ]
    errors = sum(one.severity == "error" for one in mine)
    closed = sum(_is_closed(one, profile) and _shown(one.finding, cohort, profile) for one in facts.lives)
    about = (
        f"{errors} to be solved, {len(mine) - errors} to be looked at{_counted(mine, known, closed)}. "
        "A finding goes away when REDCap is corrected."
    )
    return SheetTable("Findings", "Findings", about, columns, tuple(lines), keys=2)


def own_treatment(found: FindingList, records: Collection[str]) -> tuple[Finding, ...]:
    """The findings of treatment about some records."""
    return tuple(one for one in found.treatment if one.record in records)


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda one: (one.severity, one.site, one.record, one.rule, one.where, one.text))


def completeness(facts: Facts, cohort: Cohort, profile: Profile) -> SheetTable:
    """Every form of every contact event: how many are expected by now, entered, complete and missing.

    Who may not learn arms is not shown the events that follow a procedure: how many are expected tells how many had it.
    """
    config, mapping = facts.config, facts.common.mapping
    hidden = frozenset() if profile.unmasked else treatment_events(config)
    events = [rule.event for rule in config.contacts if rule.event not in hidden]
    named = {rule.event: rule.label for rule in config.contacts}
    places = [(event, form) for event in events for form in mapping.get(event, ())]
    columns = (
        Column("Event", width=24), Column("Form", width=24), Column("Expected", "number", 12),
        Column("Entered", "number", 12), Column("Complete", "number", 12), Column("Missing", "number", 12),
        Column("% complete", "percent", 12),
    )  # fmt: skip
    forms = facts.forms_as_held if profile.unmasked else facts.forms
    lines = tuple(_count(one, named, facts.common.labels) for one in count(forms, cohort.records, places))
    about = "Forms are expected once a contact is made or its time is over, while the patient is in the trial."
    return SheetTable("Completeness", "Completeness of follow-up", about, columns, lines, keys=2)


def about(cohort: Cohort, config: Config, profile: Profile, register: str | None) -> SheetTable:
    """What every number means, and what this report was made from.

    Args:
        cohort: The patients shown.
        config: The trial.
        profile: The reader.
        register: The run that told of envelopes, "" where the register was read itself; None for an earlier data cut.
    """
    trial, current = config.trial, register is not None
    facts = (
        ("Trial", f"{trial.id}: {trial.title}"),
        ("Profile", profile.name),
        ("Data cut", f"end of {cohort.as_of} ({trial.time_zone}); {_CUT}"),
        ("Records", f"{records(cohort)} in this report; {_later(cohort, profile)}"),
    )
    columns = (Column("Term", width=26), Column("Meaning", width=110))
    terms = (
        *facts,
        *_step_terms(config),
        *_TERMS,
        *(_CURRENT_TERMS if current else _PAST_TERMS),
        *(() if profile.unmasked or not current else _OPEN_CURRENT_TERMS[profile.treatment]),
        *((("Envelopes", _ENVELOPES.format(register)),) if register else ()),
        *(_OPEN_TERMS if profile.open else _CLOSED_TERMS if profile.unmasked else _MASKED_TERMS),
        *(() if current or profile.open else _CLOSED_PAST_TERMS),
    )
    lines = tuple(Line(term, tones={0: "strong"}) for term in terms)
    title, said = ("About this report", "") if profile.open else _CLOSED_TITLES[profile.masked]
    return SheetTable("About", title, f"{said}What it was made from, and what every number means.", columns, lines)


def records(cohort: Cohort) -> str:
    """How many are counted, and how many of them stand in no list."""
    unnamed = f" ({len(cohort.unnamed)} withdrawn from the use of data, in no list)" if cohort.unnamed else ""
    return f"{len(cohort.everyone)}{unnamed}"


def _later(cohort: Cohort, profile: Profile) -> str:
    return f"{cohort.later} began after the data cut" if profile.whole else "records of other sites are not counted"


def _step_terms(config: Config) -> Iterator[tuple[str, str]]:
    labels = [step.label for step in config.funnel]
    for number, label in enumerate(labels[:-1]):
        before = f" and every step before: {', '.join(labels[:number])}" if number else ""
        yield label, f"patients with this step recorded{before}"
    yield labels[-1], "envelope opened (day 0), whether or not an earlier step is missing; a missing one is a finding"


_CUT = (
    "facts with a later date are left out; what has no date of its own, or an end of study dated after the day of the "
    "pull, counts as REDCap has it now"
)
_TERMS = (
    ("Target", "patients planned, for the site or the whole trial, as configured"),
    ("% of …, % complete", "left blank where the denominator is under 10: n and N stand beside it"),
    ("Site-months", "days from the opening of the site to the data cut (or its closing), divided by 30.4"),
    (
        "A month",
        "randomised patients divided by the months since the site opened; in the last row, since the first did",
    ),
    ("A site-month", "randomised patients of the month divided by the months that sites were open in it"),
    ("Planned", "each site's target spread evenly from its opening to its closing or the planned end of recruitment"),
    ("Ahead or behind", "randomised so far minus planned so far"),
    ("Projection", "rate ~ Gamma(n + ½, site-months), patients to come negative binomial; open sites at a common rate"),
    ("Pending", "neither randomised nor recorded as declined, not eligible, not invited or out of the trial"),
    ("Left before randomisation", "an end-of-study form without an opened envelope"),
    ("In follow-up", "randomised and no end of study; withdrawal from the treatment alone stays in follow-up"),
    ("Withdrawn", "no further contact, or no further data"),
)
_CURRENT_TERMS = (
    ("Expected", "forms of contacts that are done or whose time (with grace) is over; not after death or withdrawal"),
    ("Entered, complete", "the form holds data; and its status is Complete. Missing: expected and empty"),
    ("Error, warning", "error: must be solved; warning: may be accepted after a look"),
    ("Deviation", "code of the protocol's list of deviations that the rule points to"),
)
_PAST_TERMS = (
    (
        "Completeness, Findings",
        "not in this report: they are about what REDCap holds now, and what it held at the data cut is not known",
    ),
)
_NUMBERS = ("Envelope numbers", "not in this report; the coordinator's envelope lists say which envelope it is about")
# Without and with the treatment findings of the reader's own patients.
_OPEN_CURRENT_TERMS = (
    (
        (
            "Treatment findings",
            "findings of rules that use the allocation, the procedure or a change of arm, and those in an event or a "
            "deviation that is not listed, are not in this report; the coordinator and the closed report have them",
        ),
        _NUMBERS,
    ),
    (
        (
            "Treatment findings",
            "findings of rules that use the allocation, the procedure or a change of arm, and those in an event or a "
            "deviation that only one arm can have, are listed for this site's own patients, and counted nowhere; they "
            "were proved to depend on no other site's patients",
        ),
        _NUMBERS,
    ),
)
_ENVELOPES = "openings, findings about envelopes and stock: {}"
_OPEN_TERMS = (("Blinding", "this report was made again without any treatment and came out the same"),)
_FOR = "Confidential: for the statistician and the data monitoring committee. "
_CLOSED_TITLES = (("Closed report, UNMASKED: by arm", _FOR), ("Closed report, masked: by group", _FOR))
_MASKED_TERMS = (
    (
        "Groups",
        "arms under secret letters, the same in every report; what only one arm has is left out: procedure, change of "
        "arm, exposure, states after the randomisation, and events, deviations and findings of treatment",
    ),
    ("Masked", "this report was made again with every group in the other arm and came out the same"),
)
_CLOSED_TERMS = (
    ("Unmasked", "shows patients by arm"),
    ("Followed", "days from the randomisation to the data cut, or to death or the end of the study if earlier"),
    ("Operated on, Changed arm", "days from the randomisation, of those with a date; early: before the protocol's day"),
)
_CLOSED_PAST_TERMS = (
    (
        "Outcomes by arm",
        "not in this report, nor baseline and completeness by arm: what REDCap held at the data cut is not known",
    ),
)


def _patient(member: Member, cohort: Cohort) -> Line:
    one = member.patient
    step = cohort.steps[member.steps - 1].label if member.steps else ""
    days = (cohort.as_of - one.opened_on).days if one.opened_on else None
    values = (
        one.record, one.site, step, member.reason, member.stated, member.state, one.screened_on, one.consented_on,
        one.opened_on, days,
    )  # fmt: skip
    return Line(values, "plain" if member.randomised or member.reason == "pending" else "quiet")


def _count(one: FormCount, events: Mapping[str, str], labels: Labels) -> Line:
    complete = share(one.complete, one.expected)
    values = (events[one.event], labels.form(one.form), one.expected, one.entered, one.complete, one.missing, complete)
    return Line(values, "plain" if one.expected else "quiet", {5: "warning"} if one.missing else {})


def _shown(finding: Finding, cohort: Cohort, profile: Profile) -> bool:
    """A site sees what is about its own patients and its own envelopes; the whole trial sees all."""
    if profile.whole:
        return True
    return finding.record in cohort.records if finding.record else finding.site == profile.sites[0].code


def _finding(one: Finding, deviation: str, known: Known | None, where: str) -> Line:
    tone: Tone = "alarm" if one.severity == "error" else "warning"
    since = (known.reopened or known.first) if known else None
    accepted = "accepted" if known and known.acceptance else None
    values = (one.severity, one.rule, one.site, one.record, where, one.text, deviation, since, accepted)
    return Line(values, "quiet" if accepted else "plain", {} if accepted else {0: tone})


def _is_closed(one: Known, profile: Profile) -> bool:
    """Whether it is over since the last issue, and a profile may know of it."""
    return one.change == "closed" and (profile.unmasked or not one.treatment)


def _told(lives: Sequence[Known], profile: Profile) -> Mapping[tuple[str, ...], Known]:
    """What the memory says of findings a profile lists: of rules that tell of treatment an open one takes nothing."""
    return {same(one.finding): one for one in lives if one.open and (profile.unmasked or not one.treatment)}


def _counted(mine: Sequence[Finding], known: Mapping[tuple[str, ...], Known], closed: int) -> str:
    """What is new and over since the last issue, how old the rest is, and what is accepted; "" without a memory."""
    lives = [known[same(one)] for one in mine if same(one) in known]
    if not lives and not closed:
        return ""
    fresh = sum(one.change in ("new", "reopened") for one in lives)
    ages = [(one.last - (one.reopened or one.first)).days for one in lives if one.acceptance is None]
    bands = ", ".join(f"{sum(low <= age <= high for age in ages)} {name}" for name, low, high in _BANDS)
    accepted = sum(one.acceptance is not None for one in lives)
    return f". Since the last issue {fresh} new, {closed} closed; open {bands}; {accepted} accepted"
