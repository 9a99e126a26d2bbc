"""The target of a randomization on its form: not yet or already randomized, and the dialog that asks for the strata."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from redcap_local.columns import plain
from redcap_local.contents import randomize
from redcap_local.intake.entering import enter
from redcap_local.pages.answers import Spot, event_columns
from redcap_local.pages.visit import Visit
from redcap_local.places import find_record
from redcap_local.project import Event, Group
from redcap_local.storage import randomization, records
from redcap_local.storage.randomization import Model
from redcap_local.storage.records import Record
from redcap_rules.choices import Choice
from redcap_rules.names import GROUP


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum in the dialog: its field and event, and the value the record has now."""

    name: str
    event: Event
    label: str
    options: tuple[Choice, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A target on the form: whether the record is randomized, and what the dialog asks if the user may do it."""

    id: int
    field: str
    done: bool
    allowed: bool
    strata: tuple[Stratum, ...]
    groups: tuple[Group, ...]


def offers(visit: Visit, where: Spot, *, frozen: bool) -> list[Offer]:
    """The targets on the form, in order of their randomizations."""
    return [
        _offer(visit, where, model, frozen=frozen)
        for model in randomize.models_in_use(visit.call)
        if visit.project.event_named(model.target_event).id == where.event.id
        and visit.project.columns[model.target_field].form == where.form
    ]


def settled(visit: Visit, where: Spot) -> set[str]:
    """The fields of the form that nobody types into: targets, and the strata of who is randomized."""
    found: set[str] = set()
    for model in randomize.models_in_use(visit.call):
        if visit.project.event_named(model.target_event).id == where.event.id:
            found.add(model.target_field)
        if _is_done(visit, where, model):
            found |= {field for field, event in model.strata if visit.project.event_named(event).id == where.event.id}
    return found


def perform(visit: Visit, where: Spot) -> None:
    """The strata stand as they were given in the dialog, and the record has the next allocation of its stratum.

    Raises:
        ApiError: The user may not, or REDCap's reasons against it.
    """
    visit.needs("random_perform")
    record = find_record(visit.call, where.name)
    for model in randomize.models_in_use(visit.call):
        if str(model.id) == visit.text("rid"):
            id_field = visit.project.dictionary.record_id
            given = [*_given_strata(visit, where, model), *_given_group(visit, where, model, record)]
            enter(visit.call, [{id_field: where.name, **row} for row in given])
    randomize.randomize(visit.asking(record=where.name, randomization_id=visit.text("rid")))


def _given_strata(visit: Visit, where: Spot, model: Model) -> Iterator[dict[str, str]]:
    for name, event_name in model.strata:
        event, chosen = visit.project.event_named(event_name), visit.text(f"stratum__{name}")
        if chosen and chosen != _value(visit, where, name, event):
            yield {**event_columns(visit.project, event, visit.project.columns[name].form, 1), name: chosen}


def _given_group(visit: Visit, where: Spot, model: Model, record: Record) -> Iterator[dict[str, str]]:
    if model.by_group and record.group is None and visit.text("group"):
        yield {**event_columns(visit.project, where.event, "", 1), GROUP: visit.text("group")}


def _offer(visit: Visit, where: Spot, model: Model, *, frozen: bool) -> Offer:
    done = _is_done(visit, where, model)
    may = visit.user.rights.changes("random_perform") and where.record is not None and not frozen and not done
    strata = tuple(_stratum(visit, where, *named) for named in model.strata)
    asks = model.by_group and where.record is not None and where.record.group is None and visit.user.group is None
    return Offer(model.id, model.target_field, done, may, strata, visit.project.groups if asks else ())


def _is_done(visit: Visit, where: Spot, model: Model) -> bool:
    if where.record is None:
        return False
    slot = randomization.slot_of_record(
        visit.call.connection, model.id, where.record.id, production=visit.project.in_production
    )
    return slot is not None


def _stratum(visit: Visit, where: Spot, name: str, event_name: str) -> Stratum:
    field, event = visit.project.dictionary.get(name), visit.project.event_named(event_name)
    return Stratum(name, event, plain(field.label), field.options, _value(visit, where, name, event))


def _value(visit: Visit, where: Spot, name: str, event: Event) -> str:
    if where.record is None:
        return ""
    found = records.values(visit.call.connection, [where.record.id], [name], [event.id])
    return next((value for *_, value in found), "")
