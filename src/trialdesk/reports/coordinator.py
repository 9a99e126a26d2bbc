"""The coordinator's workbook: To do, Findings, Changes, Accepted. It names records, envelopes and treatments."""

from __future__ import annotations

from collections.abc import Iterator

from trialdesk.facts.deriving import Facts
from trialdesk.facts.links import Links
from trialdesk.facts.todo import KINDS, STEPS, UNRANDOMISED, Task, tasks
from trialdesk.followup.columns import reached
from trialdesk.followup.escalation import DAYS, TIMES_OF_DAY, TRIES, Escalation, escalations
from trialdesk.memory.values import Known
from trialdesk.workbook import Column, Line, Link, SheetTable, Tone, Value

_ALARMING = KINDS[: KINDS.index(UNRANDOMISED) + 4]
_OPEN = "open"


def coordinator_sheets(facts: Facts, links: Links) -> tuple[SheetTable, ...]:
    """The five sheets in the order of reading."""
    return (
        _todo(facts, links),
        _missed(facts, links),
        _findings(facts, links),
        _changes(facts, links),
        _accepted(facts, links),
    )


def _todo(facts: Facts, links: Links) -> SheetTable:
    columns = (
        Column("What", width=20), Column("Site", width=6), Column("Record", width=11), Column("Envelope", width=16),
        Column("Why", width=46), Column("What to do", width=36), Column("Owner", width=11),
        Column("Since", "date", 11), Column("New", width=6), Column("REDCap", width=8),
    )  # fmt: skip
    found = tasks(facts)
    about = f"{len(found)} to do, {sum(task.new for task in found)} of them new since the last run; worst first."
    lines = tuple(_task(task, links) for task in found)
    return SheetTable("To do", "To do", about, columns, lines, keys=3, empty="Nothing to do.")


def _task(task: Task, links: Links) -> Line:
    tone: Tone = "alarm" if task.kind in _ALARMING else "warning" if task.new else "plain"
    values: tuple[Value, ...] = (
        task.kind.name, task.site, task.record, task.envelope, task.why, task.kind.what, task.kind.owner, task.since,
        "new" if task.new else None, _link(links.form(task.record, task.event, task.form)),
    )  # fmt: skip
    return Line(values, tones={0: tone})


def _missed(facts: Facts, links: Links) -> SheetTable:
    columns = (
        Column("Record", width=11), Column("Site", width=6), Column("Step", width=18), Column("Missed", width=25),
        Column("In a row", "number", 7), Column("Tried", width=20), Column("Last try", width=20),
        Column("Last reached", width=15), Column("Owner", width=12), Column("What to do", width=29),
        Column("REDCap", width=8),
    )  # fmt: skip
    about = (
        f"Two contacts missed in a row go to the coordinator, three to the site. Suspected lost: at least {TRIES} "
        f"tries on {DAYS} days at {TIMES_OF_DAY} times of day as well. Only a person says that a patient is lost."
    )
    lines = tuple(_in_a_row(one, links) for one in escalations(facts.schedule))
    empty = "Nobody was missed twice in a row."
    return SheetTable("Missed in a row", "Missed in a row", about, columns, lines, 2, empty)


def _in_a_row(one: Escalation, links: Links) -> Line:
    last, kind = one.missed[-1], STEPS[one.step]
    words = ", ".join(entry.contact.rule.label for entry in one.missed)
    values: tuple[Value, ...] = (
        one.record, one.site, kind.name, words, len(one.missed), one.tried, str(last.tried) if last.tried else None,
        reached(last) or None, kind.owner, kind.what, _link(links.form(one.record, last.contact.rule.event)),
    )  # fmt: skip
    return Line(values, tones={2: "warning" if one.step == "coordinator" else "alarm"})


def _findings(facts: Facts, links: Links) -> SheetTable:
    columns = (
        Column("Id", width=11), Column("Severity", width=10), Column("Rule", width=8), Column("Site", width=6),
        Column("Record", width=10), Column("Where", width=22), Column("Finding", width=50), Column("Owner", width=11),
        Column("Since", "date", 11), Column("Days", "number", 6), Column("State", width=9),
        Column("Deviation", width=10), Column("REDCap", width=7),
    )  # fmt: skip
    now = [one for one in facts.lives if one.open]
    now.sort(key=lambda one: (one.acceptance is not None, one.finding.severity, one.finding))
    about = (
        "All rules, all records. A finding closes by itself when REDCap is corrected; findings.py accept ID accepts it."
    )
    lines = tuple(_finding(one, facts, links) for one in now)
    return SheetTable("Findings", "Findings", about, columns, lines, keys=3)


def _finding(one: Known, facts: Facts, links: Links) -> Line:
    finding, day = one.finding, facts.common.day
    state = "accepted" if one.acceptance else one.change or ("reopened" if one.reopened else _OPEN)
    deviation = facts.found.class_of(finding.rule).deviation if facts.found else ""
    tone: Tone = "quiet" if one.acceptance else "alarm" if finding.severity == "error" else "warning"
    since, link = one.reopened or one.first, _to(finding.record, finding.where, links)
    values: tuple[Value, ...] = (
        one.id, finding.severity, finding.rule, finding.site, finding.record,
        facts.common.labels.place(finding.where), finding.text,
        owner(one), since, one.age(day), state, deviation, link,
    )  # fmt: skip
    return Line(values, tones={1: tone})


def owner(one: Known) -> str:
    """Who mends a finding: the packer what is about the register, the nurse what is about contacts, else the site."""
    if one.finding.rule in _OF_THE_PACKER:
        return "packer"
    if one.finding.rule in _OF_THE_COORDINATOR or not one.finding.record:
        return "coordinator"
    return "nurse" if one.finding.rule in _OF_THE_NURSE else "site"


_OF_THE_PACKER = frozenset({"R25", "R28", "R30"})
_OF_THE_COORDINATOR = frozenset({"R20", "R21", "R49", "R50", "R51"})
_OF_THE_NURSE = frozenset({"Q43", "Q47", "Q48", "Q57", "R58", "R60", "R62", "R63", "R64"})


def _changes(facts: Facts, links: Links) -> SheetTable:
    columns = (
        Column("What", width=22), Column("Record", width=12), Column("Detail", width=70), Column("REDCap", width=8),
    )  # fmt: skip
    about = "What is other than in the last published run: records, groups, states, structure, and findings."
    lines = tuple(Line((what, record, text, _link(links.form(record)))) for what, record, text in _moved(facts))
    return SheetTable("Changes", "Changes", about, columns, lines, keys=2, empty="Nothing has changed.")


def _moved(facts: Facts) -> Iterator[tuple[str, str, str]]:
    moves = facts.common.past.moves
    yield from (("vanished", record, moves.removals.get(record, "")) for record in moves.gone)
    yield from (("vanished in the pull", record, "") for record in facts.snapshot.vanished)
    yield from (("renamed", record, f"was {old}") for record, old in moves.renamed.items())
    yield from (("new", record, "") for record in moves.fresh)
    yield from (("moved", r, f"group {a or 'none'} to {b or 'none'}") for r, (a, b) in moves.moved.items())
    yield from (("lost", r, ", ".join(sorted(states)).replace("_", " ")) for r, states in moves.lost.items())
    yield from (("values gone", "", f"{less} of {of} in {place}") for place, (less, of) in moves.emptied.items())
    yield from (("structure", "", f"{part} is other than last night") for part in moves.structure)
    yield from (("envelope missing", "", name) for name in facts.missing)
    changed = (one for one in facts.lives if one.change)
    yield from ((f"finding {c.change}", c.finding.record, f"{c.finding.rule} {c.finding.text}") for c in changed)


def _accepted(facts: Facts, links: Links) -> SheetTable:
    columns = (
        Column("Id", width=11), Column("Rule", width=8), Column("Record", width=12), Column("Finding", width=53),
        Column("Reason", width=39), Column("By", width=16), Column("On", "date", 12), Column("Until", "date", 12),
        Column("REDCap", width=8),
    )  # fmt: skip
    about = "Findings a person lets stand, until what they rest on changes, or until the last day."
    lines = tuple(Line(tuple(_acceptance(one, links))) for one in facts.lives if one.open and one.acceptance)
    return SheetTable("Accepted", "Accepted findings", about, columns, lines, empty="No finding is accepted.")


def _acceptance(one: Known, links: Links) -> Iterator[Value]:
    finding, given = one.finding, one.acceptance
    yield from (one.id, finding.rule, finding.record, finding.text)
    yield from (given.reason, given.by, given.on, given.until) if given else (None,) * 4
    yield _to(finding.record, finding.where, links)


def _to(record: str, place: str, links: Links) -> Value:
    event, _, rest = place.partition(" ")
    form, _, instance = rest.partition(" ")
    return _link(links.form(record, event, form, int(instance) if instance.isdecimal() else 0))


def _link(url: str) -> Value:
    return Link("open", url) if url else None
