"""What the coordinator has to do, ordered by consequence: what can harm a patient or the allocation first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, NamedTuple

from trialdesk.envelopes.filing import exchanged
from trialdesk.envelopes.stock import PileStock
from trialdesk.errors import OK, OK_WITH_WARNINGS, TableError
from trialdesk.facts.deriving import Facts
from trialdesk.followup.escalation import Step, escalations
from trialdesk.memory.values import Known

Owner = Literal["coordinator", "packer", "site", "nurse"]
PENDING = timedelta(days=14)
ENDING = timedelta(days=3)


class Kind(NamedTuple):
    """One kind of task: its name in counts, what a person does about it, and who."""

    name: str
    what: str
    owner: Owner = "coordinator"


UNRANDOMISED = Kind("no longer randomised", "Look in REDCap's log who did it; an opened envelope stays opened")
MISSING = Kind(
    "envelope missing", "Ask the packer; nothing is released from that pile until the register shows it", "packer"
)
UNPROVED = Kind("register not as filed", "Ask the packer; nothing is released of what differs", "packer")
UNFILED = Kind("manifest to file", "Ask the packer for manifest.json; envelope_lists.py file MANIFEST --root ROOT")
VERIFY = Kind("verify first", "Verify with the site before anybody calls")
WRONG_NUMBER = Kind(
    "wrong number", "Have the site correct the telephone number in REDCap; the next try ends this", "site"
)
LOST_CONTACT = Kind("suspected lost", "Decide with the site; only a person enters lost to follow-up in End of study")
THREE_MISSED = Kind(
    "missed three times", "Ask the site to reach the patient or a relative, and to tell the nurse", "site"
)
TWO_MISSED = Kind("missed twice", "Ask the nurse what was tried, and the site for another number or time of day")
RELEASE = Kind("release open", "Ask the site whether the envelope was opened, and have it entered; else --take-back")
TREATMENT = Kind("deviation of treatment", "Have the site confirm it and enter the deviation", "site")
ERROR = Kind("error", "Have the site correct it in REDCap; it closes by itself", "site")
GONE = Kind("vanished record", "Ask the site; a deleted record can't be brought back from here")
RENAMED = Kind("renamed record", "Nothing, if it was meant; findings and envelope go with it")
LOST = Kind("record that lost something", "Nothing, if it was a correction; else ask the site")
PRIMARY = Kind("primary outcome late", "Ask the nurse for the form, or for the reason why there is none", "nurse")
ENDED = Kind("acceptance ending", "Accept it again, or have it corrected")
PENDINGS = Kind("pending for long", "Ask the site what became of the patient", "site")
SEND = Kind("parcel to send", "Send the whole parcel: envelope_lists.py ship --parcel NAME --by YOU")
MAKE = Kind("parcel to make", "Ask the packer for a parcel of these piles", "packer")
STRUCTURE = Kind("project changed", "Nothing, if it was meant; else compare with push_instruments.py plan")
SETTING = Kind("setting of the project", "Have it switched off in REDCap: Project Setup, additional customizations")
CALENDARS = Kind("calendars to renew", "Delete the calendars of the calls everywhere and take them in anew")
NIGHTS = Kind("night that failed", "Read the message of that night; docs/nightly.md says what each exit code means")
KINDS: tuple[Kind, ...] = (
    UNRANDOMISED, MISSING, UNPROVED, UNFILED, VERIFY, RELEASE, WRONG_NUMBER, SETTING, TREATMENT, ERROR, GONE, LOST,
    LOST_CONTACT, THREE_MISSED, PRIMARY, TWO_MISSED, ENDED, PENDINGS, SEND, MAKE, RENAMED, STRUCTURE,
    CALENDARS, NIGHTS,
)  # fmt: skip
"""In the order of their consequence."""


@dataclass(frozen=True, slots=True)
class Task:
    """One row of the list: `key` stays the same from night to night, `new` is what the last published run had not.

    `since` is the day of what it is about, else the day it was first told.
    """

    kind: Kind
    key: str
    why: str
    site: str = ""
    record: str = ""
    envelope: str = ""
    event: str = ""
    form: str = ""
    since: date | None = None
    new: bool = True


def tasks(facts: Facts) -> tuple[Task, ...]:
    """Everything to do, by consequence, then site and record."""
    night, today = facts.common.past.remembered.night, facts.common.day
    told = night.told if night else {}
    every = [task for find in FINDERS for task in find(facts)]
    marked = [
        replace(
            task, new=task.key not in told, since=task.since or date.fromisoformat(told.get(task.key) or str(today))
        )
        for task in every
    ]
    return tuple(sorted(marked, key=lambda task: (KINDS.index(task.kind), task.site, task.record, task.key)))


def since(found: Iterable[Task]) -> Mapping[str, str]:
    """The key of every task to the day since when, as the memory keeps it."""
    return {task.key: str(task.since) for task in found}


def ending(facts: Facts) -> int:
    """The exit code of a run that is published: the register is not whole, something is new, or nothing."""
    if facts.missing or facts.cards.held.wrong:
        return TableError.exit_code
    return OK_WITH_WARNINGS if urgent_new(facts) else OK


def urgent_new(facts: Facts) -> bool:
    """Whether something is new or reopened since the last published run; calls never count."""
    return any(one.change in ("new", "reopened") and one.urgent for one in facts.lives) or any(
        task.new for task in tasks(facts)
    )


def counts(found: tuple[Task, ...]) -> Mapping[str, int]:
    """Kind to number, in the order of consequence."""
    return {kind.name: sum(task.kind == kind for task in found) for kind in KINDS if any(t.kind == kind for t in found)}


def _moved(facts: Facts) -> Iterator[Task]:
    moves, sites = facts.common.past.moves, {patient.record: patient.site for patient in facts.patients}
    for record in moves.unrandomised:
        why = "was randomised, and is gone or not randomised any more" + _by(moves.removals, record)
        yield Task(UNRANDOMISED, f"unrandomised {record}", why, sites.get(record, ""), record)
    for record in moves.gone:
        if record not in moves.unrandomised:
            yield Task(GONE, f"gone {record}", "is not in REDCap any more" + _by(moves.removals, record), "", record)
    for record in facts.snapshot.vanished:
        yield Task(GONE, f"gone {record}", "vanished while REDCap was read", "", record)
    for record, old in moves.renamed.items():
        yield Task(RENAMED, f"renamed {old} {record}", f"was {old} last night", sites.get(record, ""), record)
    for record, states in moves.lost.items():
        if record not in moves.unrandomised:
            why = f"is no longer: {', '.join(sorted(states)).replace('_', ' ')}"
            yield Task(LOST, f"lost {record} {' '.join(sorted(states))}", why, sites.get(record, ""), record)
    if codes := facts.snapshot.missing_codes:
        why = f"missing data codes are switched on ({' '.join(codes.split())}): formulas take them for values"
        yield Task(SETTING, "missing data codes", why)
    for part in moves.structure:
        yield Task(STRUCTURE, f"structure {part} {facts.common.day}", f"the project's {part} is other than last night")


def _by(removals: Mapping[str, str], record: str) -> str:
    return f"; deleted {removals[record]}" if record in removals else ""


def _filed(facts: Facts) -> Iterator[Task]:
    held, night = facts.cards.held, facts.common.past.remembered.night
    known = night.commitments if night else {}
    for name in held.lacking:
        if name not in facts.missing:
            yield Task(MISSING, f"missing {name}", f"{name} was filed and is not in the register", envelope=name)
    for version in held.differing:
        why = f"the commitments of version {version} are not those that were filed"
        others = exchanged(version, facts.cards.register, held, known)
        for name in others:
            told = f"{name} has another commitment than last night; {why}"
            yield Task(UNPROVED, f"exchanged {name}", told, name.split("-")[0], envelope=name)
        if not others:
            yield Task(UNPROVED, f"differing {version}", why)
    for version in held.waiting:
        yield Task(
            UNFILED, f"waiting {version}", f"version {version} is filed, and nothing of it is in the register yet"
        )
    if held.unfiled and held.filed:
        parcels = sorted({name[: name.rindex("-", 0, -2)] for name in held.unfiled})
        why = f"{len(held.unfiled)} envelope(s) are of a version that is not filed: {', '.join(parcels[:5])}"
        yield Task(UNFILED, f"unfiled {len(held.unfiled)} {parcels[0]}", why)
    if not held.filed:
        why = "no manifest is filed" + ("; the register is empty" if held.empty else ", so nothing is released")
        yield Task(UNFILED, f"no manifest {held.empty}", why)


def _envelopes(facts: Facts) -> Iterator[Task]:
    for name in facts.missing:
        yield Task(
            MISSING, f"missing {name}", f"{name} is not in the register's answer", name.split("-")[0], envelope=name
        )
    for envelope in facts.cards.register:
        # one whose record names another envelope, or can't prove this one, is an error with words of its own
        if envelope.status == "released" and envelope.record in facts.open_releases:
            since = envelope.released_at.date() if envelope.released_at else None
            days = (facts.common.day - since).days if since else 0
            why = f"{envelope.id} is released and not recorded as opened, for {days} day(s)"
            place = facts.config.facts.opened_on
            key = f"release {envelope.id} {envelope.record}"
            yield Task(RELEASE, key, why, envelope.pile.site, envelope.record, envelope.id, place.event, since=since)
    yield from _supplies(facts)


def _supplies(facts: Facts) -> Iterator[Task]:
    """Parcels to send, each once whatever the number of its piles in need, and parcels to make."""
    parcels: dict[str, list[PileStock]] = {}
    for pile in facts.cards.stock:
        if pile.action == "send":
            parcels.setdefault(pile.parcel or str(pile.pile), []).append(pile)
    for parcel, piles in parcels.items():
        why = ", ".join(map(_level, piles))
        yield Task(SEND, f"send {parcel}", f"parcel {parcel}: {why}" if piles[0].parcel else why, piles[0].pile.site)
    levels = {state.pile: state for state in facts.cards.stock if state.action == "make"}
    for proposal in facts.cards.proposed:
        why = ", ".join(_level(levels[pile]) for pile in proposal.piles if pile in levels)
        yield Task(MAKE, f"make {proposal.site}", f"{why}; make_tables.py {proposal}", proposal.site)


def _level(state: PileStock) -> str:
    return f"{state.pile} is {'empty' if state.level == 'EMPTY' else 'nearly empty'}"


def _held(facts: Facts) -> Iterator[Task]:
    for hold in facts.schedule.holds:
        why = "; ".join(hold.reasons)
        yield Task(VERIFY, f"verify {hold.record} {why}", why, hold.site, hold.record)


def _numbers(facts: Facts) -> Iterator[Task]:
    """Patients whose last try went to a wrong number, while somebody is still to be called."""
    for record, entries in facts.schedule.by_record.items():
        waiting = next((entry for entry in entries if entry.active), None)
        last = waiting.tried if waiting else None
        if waiting and last and last.outcome == "wrong_number":
            why = f"nobody can be reached under the number called on {last.on}"
            yield Task(WRONG_NUMBER, f"number {record} {last.on}", why, waiting.contact.site, record, since=last.on)


STEPS: Mapping[Step, Kind] = {"lost": LOST_CONTACT, "site": THREE_MISSED, "coordinator": TWO_MISSED}


def _missed(facts: Facts) -> Iterator[Task]:
    """Patients who were not reached at two contacts in a row, or more."""
    for one in escalations(facts.schedule):
        words = ", ".join(entry.contact.rule.label for entry in one.missed)
        key = f"missed {one.step} {one.record} {one.missed[0].contact.rule.code}"
        why = f"{len(one.missed)} contacts missed in a row: {words}; {one.tried}"
        event = one.missed[-1].contact.rule.event
        yield Task(STEPS[one.step], key, why, one.site, one.record, event=event, since=one.since)


def _found(facts: Facts) -> Iterator[Task]:
    if facts.found is None:
        return
    ending = facts.common.day + ENDING
    for one in facts.lives:
        accepted = one.acceptance
        if one.open and accepted and accepted.until and accepted.until <= ending:
            yield _of(one, ENDED, f"accepted until {accepted.until}: {one.finding.text}")
        if not one.urgent or one.finding.severity != "error":
            continue
        if one.treatment and facts.found.class_of(one.finding.rule).deviation:
            yield _of(one, TREATMENT, one.finding.text)
        elif one.change in ("new", "reopened") or one.first == facts.common.day:
            yield _of(one, ERROR, one.finding.text)


def _of(one: Known, kind: Kind, why: str) -> Task:
    finding = one.finding
    return Task(
        kind, f"{kind.name} {one.id} {one.reopened or one.first}", f"{finding.rule} {why}", finding.site,
        finding.record, finding.envelope, finding.where.partition(" ")[0], since=one.reopened or one.first,
    )  # fmt: skip


def _patients(facts: Facts) -> Iterator[Task]:
    for member in facts.cohort.members:
        screened = member.patient.screened_on
        if member.reason == "pending" and screened and facts.common.day - screened > PENDING:
            days = (facts.common.day - screened).days
            why = f"screened {screened}, {days} days ago, and nothing since"
            yield Task(
                PENDINGS, f"pending {member.patient.record}", why, member.site, member.patient.record, since=screened
            )
    primary = {rule.event: rule for rule in facts.config.contacts if rule.primary}
    sites = {patient.record: patient.site for patient in facts.patients}
    late: dict[tuple[str, str], list[str]] = {}
    for form, records in facts.forms.items():
        if form.event in primary and not form.complete:
            said = f"{facts.common.labels.form(form.form)} {'not complete' if form.entered else 'empty'}"
            for record in records:
                late.setdefault((record, form.event), []).append(said)
    for (record, event), forms in late.items():
        why = f"{primary[event].label}: {', '.join(forms)}"
        yield Task(PRIMARY, f"primary {record} {event}", why, sites.get(record, ""), record, event=event)


def _nights(facts: Facts) -> Iterator[Task]:
    if facts.common.past.rekeyed:
        yield Task(CALENDARS, f"calendars {facts.common.day}", "the calls' key is another than last night (calls.key)")
    for run in facts.common.past.remembered.unpublished:
        how = "died in its middle" if run.status == "died" else f"failed in {run.stage} (exit code {run.exit_code})"
        yield Task(NIGHTS, f"night {run.run}", f"run {run.run} {how}", since=date.fromisoformat(run.day))


FINDERS: tuple[Callable[[Facts], Iterator[Task]], ...] = (
    _moved,
    _filed,
    _envelopes,
    _held,
    _numbers,
    _missed,
    _found,
    _patients,
    _nights,
)
