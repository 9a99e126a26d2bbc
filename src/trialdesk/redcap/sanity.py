"""The sanity gate: whether a pull can be right, before anything is derived from it.

Source: reference/trial-operations.md 4.3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from redcap_rules.dictionary import Dictionary
from trialdesk.config import Config
from trialdesk.config.parts import Projects
from trialdesk.errors import NotAllowed, SanityFailed
from trialdesk.memory.values import Night
from trialdesk.model import Patient, Tally
from trialdesk.redcap.observing import Moves
from trialdesk.redcap.snapshot import Snapshot

KEPT_SHARE = 0.95
# A site's typing error must not stop the nurse's calls; many dates ahead of today mean a wrong clock or a wrong export.
AHEAD_SHARE = 0.05
# More than this in one night is no correction: a wrong import, or the wrong data.
LOST_STATES, LOST_CELLS, LOST_SHARE = 3, 20, 0.05
CLOCK = timedelta(hours=2)
_NAMED = 5


def same_projects(seen: tuple[str, str], last: Night | None, named: Projects) -> None:
    """Nothing happens when both tokens are of the projects they were of.

    Args:
        seen: The ids of trial and register tonight.
        last: The last published run.
        named: The ids in the configuration, which go before those of the last run.

    Raises:
        NotAllowed: a token is of another project, or the two are twisted.
    """
    before = (last.tally.project, last.register) if last else ("", "")
    known = (named.trial or before[0], named.envelopes or before[1])
    for what, is_now, was in zip(("trial", "register"), seen, known, strict=True):
        same_project(what, is_now, was)
    if seen[0] == seen[1]:
        raise NotAllowed(f"both tokens are of project {seen[0]}; the envelope register has a token of its own")


def same_project(what: str, is_now: str, was: str) -> None:
    """Nothing happens when a token is of the project that is meant, or when that is not known.

    Raises:
        NotAllowed: it is of another one.
    """
    if was and is_now and is_now != was:
        raise NotAllowed(
            f"the {what} token is of project {is_now}, not of project {was}; check redcap.url, and whether the tokens "
            "are twisted"
        )


@dataclass(frozen=True, slots=True)
class Beside:
    """Tonight beside the last published run (None before the first), and what differs between the two."""

    now: Night
    last: Night | None = None
    found: Moves = field(default_factory=Moves)


def gate(
    snapshot: Snapshot, patients: Sequence[Patient], beside: Beside, today: date, accepted: Collection[str] = ()
) -> None:
    """Nothing happens for a pull that can be right.

    Args:
        snapshot: The pull.
        patients: The same pull as patients.
        beside: The same pull as the memory will keep it, beside the last one.
        today: The day in the trial's time zone.
        accepted: Records (or `event form` places) that a person has said may have lost what they had; a number of
            records where the last run kept counts alone.

    Raises:
        SanityFailed: one line for every reason not to believe the pull; record ids are named, values never.
    """
    now, last, found = beside.now, beside.last, beside.found
    losses = _losses(now, last, found, accepted) if last and last.records is not None else ()
    counts = _counts(now.tally, last.tally, accepted) if last and last.records is None else ()
    problems = [*_shape(snapshot), *_dates(patients, today), *losses, *counts, *_clock(now, last)]
    if problems:
        raise SanityFailed("\n".join(f"sanity: {problem}" for problem in problems))


def own_places(config: Config, dictionary: Dictionary) -> frozenset[str]:
    """Each `event:form` in which the desk alone writes: what is gone there it has taken out itself, a night before.

    A form with any other field is none: what people typed there is never the desk's to lose.
    """
    fields: dict[tuple[str, str], set[str]] = {}
    for _, ref in config.call_plan or ():
        if ref.field in dictionary:
            fields.setdefault((ref.event, dictionary.form_of(ref.field)), set()).add(ref.field)
    return frozenset(
        f"{event}:{form}"
        for (event, form), own in fields.items()
        if own >= {one.name for one in dictionary.form(form) if one.columns}
    )


def _shape(snapshot: Snapshot) -> Iterator[str]:
    if snapshot.missing:
        some = ", ".join(sorted(snapshot.missing)[:_NAMED])
        yield f"REDCap left out {len(snapshot.missing)} column(s) ({some}); give the token's user full export rights"
    if not snapshot.has_groups:
        yield "REDCap named no data access groups: the token's user sits in one and sees a single site; take it out"


def _losses(now: Night, last: Night, found: Moves, accepted: Collection[str]) -> Iterator[str]:
    """What no correction explains, record by record."""
    size = last.tally.records
    undone = [record for record in found.unrandomised if record not in accepted]
    if undone:
        yield (
            f"randomised before, and gone or not randomised now: {', '.join(undone)}; an opened envelope can't be "
            f"undone; if it is right, run with --accept-drop {' '.join(undone)} --reason TEXT --by NAME"
        )
    gone = [record for record in found.gone if record not in accepted and record not in undone]
    if len(gone) > (1 - KEPT_SHARE) * size and len(gone) > LOST_STATES:
        yield (
            f"{len(gone)} of {size} records are gone: {_some(gone)}; if it is right, run with --accept-drop RECORD… "
            "--reason TEXT --by NAME"
        )
    groups = now.tally.by_group
    emptied = [group for group in last.tally.by_group if not groups.get(group)]
    for group in emptied:
        if any(record in found.gone and record not in accepted for record in _members(last, group)):
            yield f"data access group {group or '(none)'} had {len(_members(last, group))} record(s) and now has none"
    lost = [record for record in found.lost if record not in accepted and record not in undone]
    if len(lost) > max(LOST_STATES, LOST_SHARE * size):
        yield (
            f"{len(lost)} records lost in one night what was true of them: {_some(lost)}; if it is right, run with "
            "--accept-drop RECORD… --reason TEXT --by NAME"
        )
    for place, (less, of) in found.emptied.items():
        if less > max(LOST_CELLS, LOST_SHARE * of) and place.replace(" ", ":") not in accepted:
            name = place.replace(" ", ":")
            way = f"if it is right, run with --accept-drop {name} --reason TEXT --by NAME"
            yield f"{less} of {of} values of {name} are gone; {way}"


def _members(last: Night, group: str) -> list[str]:
    return [one.record for one in (last.records or {}).values() if one.group == group]


def _counts(now: Tally, last: Tally, accepted: Collection[str]) -> Iterator[str]:
    """The same for a run that kept counts alone."""
    drop = sum(int(word) for word in accepted if word.isdecimal())
    kept = last.records - drop
    if now.records < kept * KEPT_SHARE:
        yield (
            f"{last.records - now.records} of {last.records} records are gone; "
            "if that is right, run with --accept-drop N --reason TEXT --by NAME"
        )
    for group, count in last.by_group.items():
        if count > drop and not now.by_group.get(group):
            yield f"data access group {group or '(none)'} had {count} record(s) and now has none"
    if now.randomised < last.randomised - drop:
        yield f"{now.randomised} randomised, the last run had {last.randomised}; an opened envelope can't be undone"


def _dates(patients: Sequence[Patient], today: date) -> Iterator[str]:
    names = ("screened_on", "consented_on", "opened_on", "procedure_on", "died_on", "left_on")
    ahead = [p.record for p in patients if any((day := getattr(p, name)) is not None and day > today for name in names)]
    if len(ahead) > max(3, AHEAD_SHARE * len(patients)):
        yield f"{len(ahead)} records have dates after {today} ({_some(ahead)}); check the clock and --today"


def is_older(stamp: str, last: Night | None) -> bool:
    """Whether the newest entry of REDCap's log is older than that of the last run: older data were put back."""
    if last is None or not (stamp and last.stamp):
        return False
    return datetime.fromisoformat(last.stamp) - datetime.fromisoformat(stamp) > CLOCK


def _clock(now: Night, last: Night | None) -> Iterator[str]:
    if last and is_older(now.stamp, last):
        yield (
            f"the newest entry of REDCap's log is of {now.stamp}, last night's was of {last.stamp}: older data were "
            "put back; ask who runs the server"
        )


def _some(records: Sequence[str]) -> str:
    return ", ".join(records[:_NAMED]) + (" …" if len(records) > _NAMED else "")
