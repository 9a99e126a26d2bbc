"""Where the forms of a record stand: no data, incomplete, unverified or complete, by event and instance."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from redcap_local.columns import STATUS_LABELS
from redcap_local.project import Event, Project
from redcap_local.storage.records import StoredValue

NO_DATA = ""
WORDS = {NO_DATA: "no data saved", **{code: label for code, label in STATUS_LABELS.items()}}

Place = tuple[int, str]
"""Event id and form."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A form in an event of one record: its status by instance, the only one being 1 where nothing repeats.

    `disabled` is what form display logic says.
    """

    event: Event
    form: str
    repeats: bool
    statuses: Mapping[int, str]
    disabled: bool = False

    @property
    def status(self) -> str:
        """The status of all instances together: that of the only one, or what all have in common, else incomplete."""
        found = set(self.statuses.values())
        return found.pop() if len(found) == 1 else ("0" if found else NO_DATA)

    @property
    def words(self) -> str:
        """The status in words."""
        count = f", {len(self.statuses)} instances" if len(self.statuses) > 1 else ""
        return WORDS[self.status] + count + (", disabled" if self.disabled else "")

    @property
    def next_instance(self) -> int:
        """The number of a new instance."""
        return max(self.statuses, default=0) + 1


def standings(project: Project, stored: Iterable[StoredValue]) -> dict[int, dict[Place, dict[int, str]]]:
    """The statuses of every form with data, by record id, place and instance.

    Args:
        project: The project.
        stored: Form statuses and, for forms that hold values without a status, any values.
    """
    found: dict[int, dict[Place, dict[int, str]]] = {}
    known = project.columns
    record_id = project.dictionary.record_id
    for record, event, instance, column, value in stored:
        if column not in known or column == record_id:
            continue
        form = known[column].form
        at = found.setdefault(record, {}).setdefault((event, form), {})
        if column == project.dictionary.status_field(form):
            at[instance] = value
        else:
            at.setdefault(instance, "0")
    return found


def of_record(
    project: Project,
    forms: Iterable[str],
    arm: int,
    found: Mapping[Place, Mapping[int, str]],
    off: Collection[Place] = (),
) -> Iterator[Standing]:
    """Every designated form of an arm's events, in order, as it stands in one record; those in `off` are disabled."""
    wanted = list(forms)
    for event in project.shown_events:
        if event.arm != arm:
            continue
        for form in wanted:
            if form in project.forms_of(event):
                repeats = project.row_instrument(event.id, form) is not None
                statuses = dict(sorted(found.get((event.id, form), {}).items()))
                yield Standing(event, form, repeats, statuses, (event.id, form) in off)
