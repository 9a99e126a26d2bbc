"""A snapshot as patients: the configuration says which field means what, so no field name stands here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache

from redcap_rules.logic import Expression, LogicError, evaluate, is_true
from trialdesk.config import Config, DeathSign, FieldRef
from trialdesk.errors import ConfigError
from trialdesk.model import Patient, Withdrawal
from trialdesk.redcap.snapshot import Snapshot

Condition = tuple[str, str]
"""`state` or `step`, and its name."""


def patients(snapshot: Snapshot, config: Config) -> tuple[Patient, ...]:
    """Every record as a patient, in the server's order; conditions are evaluated for all records at once.

    Raises:
        ConfigError: the configuration's logic names something the project does not have.
    """
    tables = snapshot.tables
    try:
        held = {name: tables.holds(logic, tables.records) for name, logic in _conditions(config).items()}
        signs = _signs(config, snapshot)
    except LogicError as error:
        raise ConfigError(f"the configuration's logic does not fit the project: {error}") from None
    return tuple(
        _patient(snapshot, config, record, frozenset(name for name, column in held.items() if column[number]), signs)
        for number, record in enumerate(snapshot.records)
    )


def patient(snapshot: Snapshot, config: Config, record: str) -> Patient:
    """One record as a patient, from what was pulled of it alone: the same as `patients` makes of it."""
    alone = replace(snapshot, rows={record: snapshot.rows[record]})
    view = alone.view(record)
    held = frozenset(name for name, logic in _conditions(config).items() if is_true(evaluate(logic, view)))
    return _patient(alone, config, record, held, _signs(config, alone))


def _conditions(config: Config) -> Mapping[Condition, Expression]:
    """What is true or not of a whole record: its states and the steps of recruitment."""
    states = {("state", name): logic for name, logic in config.states.known.items()}
    return {**states, **{("step", step.code): step.logic for step in config.funnel}}


def _patient(
    snapshot: Snapshot,
    config: Config,
    record: str,
    held: frozenset[Condition],
    signs: Mapping[str, tuple[str, ...]],
) -> Patient:
    view = snapshot.view(record)
    facts = config.facts

    def text(ref: FieldRef | None) -> str:
        return view.value(ref.field, ref.event) if ref else ""

    states = frozenset(name for kind, name in held if kind == "state")
    return Patient(
        record=record,
        site=text(facts.site),
        group=snapshot.groups.get(record, ""),
        reached=tuple(step.code for step in config.funnel if ("step", step.code) in held),
        states=states,
        screened_on=day(text(facts.screened_on)),
        not_enrolled_reason=text(facts.not_enrolled_reason),
        consented_on=day(text(facts.consented_on)),
        stratum=config.stratum_of([text(factor.field) for factor in config.strata]),
        released_envelope=text(facts.released_envelope),
        released_at=moment(text(facts.released_at)),
        envelope=text(facts.envelope),
        opened_on=day(text(facts.opened_on)),
        opened_time=text(facts.opened_time),
        arm=text(facts.arm),
        card_code=text(facts.card_code),
        procedure_on=day(text(facts.procedure_on)) if "procedure_done" in states else None,
        arm_change_on=day(text(facts.arm_change_on)) if "arm_changed" in states else None,
        anchors=tuple((name, on) for name, anchor in config.anchors.items() if (on := day(text(anchor.date)))),
        died_on=day(text(facts.died_on)),
        left_on=day(text(facts.left_on)),
        death_signs=signs.get(record, ()),
        withdrawal=_withdrawal(states),
    )


@lru_cache(maxsize=2**16)
def day(text: str) -> date | None:
    """The day a stored date or datetime names; None for a blank or a value that is no date."""
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None


def moment(text: str) -> datetime | None:
    """The minute a stored datetime names; None for a blank or a value that is none."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _withdrawal(states: frozenset[str]) -> Withdrawal:
    levels: tuple[Withdrawal, ...] = ("data", "contact", "treatment")
    return next((level for level in levels if f"withdrawn_from_{level}" in states), "")


def _signs(config: Config, snapshot: Snapshot) -> Mapping[str, tuple[str, ...]]:
    """Record to the labels of its signs of death, in configured order."""
    found: dict[str, tuple[str, ...]] = {}
    for sign in config.death_signs:
        for record in _dying(sign, snapshot):
            found[record] = (*found.get(record, ()), sign.label)
    return found


def _dying(sign: DeathSign, snapshot: Snapshot) -> Iterator[str]:
    """The records in which a sign is true in a row that holds its form, each once."""
    dictionary = snapshot.dictionary
    columns = {column for field in dictionary.form(sign.instrument) for column in dictionary.columns_of(field)}
    records: dict[str, None] = {}
    for (_, instrument), rows in snapshot.tables.kinds.items():
        if instrument not in ("", sign.instrument):
            continue
        places = rows if instrument else snapshot.tables.holding(rows, columns)
        held = snapshot.tables.holds(sign.logic, places)
        records.update((row.record, None) for row, true in zip(places, held, strict=True) if true)
    yield from records
