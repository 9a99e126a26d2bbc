"""A snapshot as patients: the configuration says which field means what, so no field name stands here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from redcap_rules.logic import Expression, LogicError, evaluate, is_true
from redcap_rules.record import RecordView, Row
from trialdesk.config import Config, DeathSign, FieldRef
from trialdesk.errors import ConfigError
from trialdesk.model import Patient, Withdrawal
from trialdesk.redcap.snapshot import Snapshot


def patients(snapshot: Snapshot, config: Config) -> tuple[Patient, ...]:
    """Every record as a patient, in the server's order.

    Raises:
        ConfigError: the configuration's logic names something the project does not have.
    """
    try:
        return tuple(patient(snapshot, config, record) for record in snapshot.records)
    except LogicError as error:
        raise ConfigError(f"the configuration's logic does not fit the project: {error}") from None


def patient(snapshot: Snapshot, config: Config, record: str) -> Patient:
    """One record as a patient."""
    view = snapshot.view(record)
    facts = config.facts

    def text(ref: FieldRef) -> str:
        return view.value(ref.field, ref.event)

    def true(logic: Expression) -> bool:
        return is_true(evaluate(logic, view))

    states = frozenset(name for name in type(config.states).model_fields if true(getattr(config.states, name)))
    return Patient(
        record=record,
        site=text(facts.site),
        group=snapshot.groups.get(record, ""),
        reached=tuple(step.code for step in config.funnel if true(step.logic)),
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
        died_on=day(text(facts.died_on)),
        left_on=day(text(facts.left_on)),
        death_signs=tuple(_signs(config, snapshot, view)),
        withdrawal=_withdrawal(states),
    )


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


def _signs(config: Config, snapshot: Snapshot, view: RecordView) -> Iterator[str]:
    for sign in config.death_signs:
        if any(
            is_true(evaluate(sign.logic, view, event=row.event, instrument=row.instrument, instance=row.instance))
            for row in _rows(sign, snapshot, view)
        ):
            yield sign.label


def _rows(sign: DeathSign, snapshot: Snapshot, view: RecordView) -> Iterator[Row]:
    """The rows of the record that hold the sign's form."""
    columns = {column for field in snapshot.dictionary.form(sign.instrument) for column in field.columns}
    for row in view.rows:
        if row.instrument == sign.instrument or (not row.instrument and columns & row.values.keys()):
            yield row
