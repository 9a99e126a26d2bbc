"""What stands behind a key figure: the records it counts, and the rule by which they are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from trialdesk.facts.deriving import Facts
from trialdesk.facts.figures import OLD, Figures, OpenFinding
from trialdesk.facts.logged import Event
from trialdesk.facts.tracks import DONE

_WRONG = {*DONE, "missed"} - {"in window"}
Row = tuple[str, str, str]
"""Record ("" for what is of no patient), site, and why it is counted."""


@dataclass(frozen=True, slots=True)
class Behind:
    """One figure: the rule in a sentence, and what gives its rows."""

    rule: str
    rows: Callable[[Facts, Figures], Iterable[Row]]


def explained(name: str, facts: Facts, whole: Figures) -> tuple[str, tuple[Row, ...]] | None:
    """The rule and the rows behind a figure (its id, as F-09), by site and record; None where there are none."""
    behind = BEHIND.get(name)
    return (behind.rule, tuple(sorted(behind.rows(facts, whole), key=lambda row: (row[1], row[0])))) if behind else None


def _screened(facts: Facts, _: Figures) -> Iterable[Row]:
    return ((m.patient.record, m.site, f"screened {m.patient.screened_on}") for m in facts.cohort.members if m.steps)


def _randomised(facts: Facts, _: Figures) -> Iterable[Row]:
    members = (member for member in facts.cohort.members if member.randomised)
    return ((m.patient.record, m.site, f"opened {m.patient.opened_on}") for m in members)


def _lately(facts: Facts, whole: Figures) -> Iterable[Row]:
    first = facts.cohort.as_of - timedelta(days=91)
    opened = {m.patient.record: m.patient.opened_on for m in facts.cohort.members}
    return (row for row in _randomised(facts, whole) if (on := opened[row[0]]) and first < on <= facts.cohort.as_of)


def _pending(_: Facts, whole: Figures) -> Iterable[Row]:
    return ((member.patient.record, member.site, f"{days} days since screening") for member, days in whole.pending)


def _out_of_window(_: Facts, whole: Figures) -> Iterable[Row]:
    """Those expected and not made in their window: what keeps the figure from being 100 %."""
    for track in whole.tracks:
        wrong = [
            f"{code} {stand}" for code, stand in track.stands.items() if stand in {*DONE, "missed"} - {"in window"}
        ]
        if wrong:
            yield track.record, track.site, ", ".join(wrong)


def _primary(facts: Facts, whole: Figures) -> Iterable[Row]:
    sites = {patient.record: patient.site for patient in facts.patients}
    return (
        (record, sites.get(record, ""), f"{event} not complete")
        for (record, event), done in whole.primary.items()
        if not done
    )


def _findings(found: Iterable[OpenFinding]) -> Iterable[Row]:
    return (
        (one.finding.record, one.finding.site, f"{one.finding.rule} {one.finding.text}, {one.days} days")
        for one in found
    )


def _deviations(_: Facts, whole: Figures) -> Iterable[Row]:
    yield from _findings(whole.automatic)
    for one in whole.deviations.listed:
        yield one.record, one.site, f"{one.code} reported by the site, study day {one.study_day}"


def _events(only: Callable[[Event], bool]) -> Callable[[Facts, Figures], Iterable[Row]]:
    def rows(_: Facts, whole: Figures) -> Iterable[Row]:
        for one in whole.events.listed:
            if only(one):
                yield one.record, one.site, f"{one.category}, study day {one.study_day}, {one.report or 'not serious'}"

    return rows


def _dead(facts: Facts, _: Figures) -> Iterable[Row]:
    return ((m.patient.record, m.site, f"died {m.patient.died_on}") for m in facts.cohort.members if m.patient.dead)


def _wrong(facts: Facts, _: Figures) -> Iterable[Row]:
    return ((one.record, one.site, f"{one.rule} {one.envelope}") for one in facts.cards.findings)


BEHIND: Mapping[str, Behind] = {
    "F-01": Behind("every record that reached the first step of recruitment", _screened),
    "F-02": Behind("an envelope is recorded as opened by the data cut", _randomised),
    "F-03": Behind("screened more than 14 days before the data cut, and nothing since", _pending),
    "F-05": Behind("opened in the 91 days up to the data cut", _lately),
    "F-09": Behind("contacts made or missed by now; listed are those not made in their window", _out_of_window),
    "F-10": Behind("every form of the primary contact complete; listed are those that are not", _primary),
    "F-11": Behind("findings of open rules that nobody has accepted", lambda _, whole: _findings(whole.open)),
    "F-12": Behind(
        f"the same, open for more than {OLD} days",
        lambda _, whole: _findings(one for one in whole.open if one.days > OLD),
    ),
    "F-13": Behind("findings of rules that are deviations, and deviations reported", _deviations),
    "F-15": Behind("adverse events with a day or a category; those related to treatment are not listed",
                   _events(lambda _: True)),
    "F-16": Behind("the serious ones; those related to treatment are not listed",
                   _events(lambda one: one.serious)),
    "F-17": Behind("serious, and reported to the sponsor late or not yet though due",
                   _events(lambda one: one.report in ("late", "overdue"))),
    "F-18": Behind("a death is recorded by the data cut", _dead),
    "F-20": Behind("register and records disagree by a rule of docs/envelopes.md", _wrong),
}  # fmt: skip
