"""The sanity gate: whether a pull can be right, before anything is derived from it.

Source: reference/trial-operations.md 4.3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from trialdesk.errors import SanityFailed
from trialdesk.model import Patient, Tally
from trialdesk.redcap.snapshot import Snapshot

KEPT_SHARE = 0.95
# A site's typing error must not stop the nurse's calls; many dates ahead of today mean a wrong clock or a wrong export.
AHEAD_SHARE = 0.05


def tally(snapshot: Snapshot, patients: tuple[Patient, ...]) -> Tally:
    """The counts of one pull; records without a data access group count under ""."""
    return Tally(
        project=snapshot.project_id,
        records=len(patients),
        randomised=sum(patient.randomised for patient in patients),
        by_group=dict(sorted(Counter(patient.group for patient in patients).items())),
    )


def gate(
    snapshot: Snapshot, patients: tuple[Patient, ...], last: Tally | None, today: date, accepted_drop: int = 0
) -> Tally:
    """The tally of a pull that can be right.

    Args:
        snapshot: The pull.
        patients: The same pull as patients.
        last: The tally of the last good run, None before the first.
        today: The day in the trial's time zone; nothing may be dated after it.
        accepted_drop: How many records a person has said may be missing since the last run.

    Raises:
        SanityFailed: one line for every reason not to believe the pull; record ids are named, values never.
    """
    now = tally(snapshot, patients)
    problems = [*_shape(snapshot), *_dates(patients, today), *(_losses(now, last, accepted_drop) if last else ())]
    if problems:
        raise SanityFailed("\n".join(f"sanity: {problem}" for problem in problems))
    return now


def _shape(snapshot: Snapshot) -> Iterator[str]:
    if snapshot.missing:
        some = ", ".join(sorted(snapshot.missing)[:5])
        yield f"REDCap left out {len(snapshot.missing)} column(s) ({some}); give the token's user full export rights"
    if not snapshot.has_groups:
        yield "REDCap named no data access groups: the token's user sits in one and sees a single site; take it out"


def _losses(now: Tally, last: Tally, accepted_drop: int) -> Iterator[str]:
    if now.project != last.project:
        yield f"this is project {now.project}, the last run saw project {last.project}; check redcap.url and the token"
        return
    kept = last.records - accepted_drop
    if now.records < kept * KEPT_SHARE:
        yield (
            f"{last.records - now.records} of {last.records} records are gone; "
            "if that is right, run with --accept-drop N --reason TEXT"
        )
    for group, count in last.by_group.items():
        if count > accepted_drop and not now.by_group.get(group):
            yield f"data access group {group or '(none)'} had {count} record(s) and now has none"
    if now.randomised < last.randomised - accepted_drop:
        yield f"{now.randomised} randomised, the last run had {last.randomised}; an opened envelope can't be undone"


def _dates(patients: tuple[Patient, ...], today: date) -> Iterator[str]:
    names = ("screened_on", "consented_on", "opened_on", "procedure_on", "died_on", "left_on")
    ahead = [p.record for p in patients if any((day := getattr(p, name)) is not None and day > today for name in names)]
    if len(ahead) > max(3, AHEAD_SHARE * len(patients)):
        yield f"{len(ahead)} records have dates after {today} ({', '.join(ahead[:5])} …); check the clock and --today"
