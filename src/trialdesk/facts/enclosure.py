"""What the closed report is told of envelopes: sealed by the night, opened by the statistician.

The statistician's token sees the trial and not the register; the night's sees the register. So every run encloses what
it knew of openings, envelope findings and stock, for the keys of the closed report alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from trialdesk.envelopes.filing import Held
from trialdesk.errors import TableError
from trialdesk.facts.cards import Cards

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Enclosure:
    """The cards of a run, with the trial and the run they are of."""

    trial: str
    run: str
    cards: Cards
    schema: int = SCHEMA


def enclosed(cards: Cards, trial: str, run: str) -> str:
    """The text that is sealed, JSON with a schema version: never an arm or a card code, which the run does not see.

    Args:
        cards: What the run knew.
        trial: The id of the trial.
        run: The name of the run.
    """
    from pydantic import TypeAdapter

    findings = tuple(replace(finding, evidence="") for finding in cards.findings)
    told = Enclosure(trial, run, replace(cards, opened=(), findings=findings, held=Held()))
    return TypeAdapter(Enclosure).dump_json(told).decode()


def unclosed(text: str, trial: str) -> Cards:
    """What a run enclosed.

    Raises:
        TableError: the text is of another trial, of another version, or damaged.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        told = TypeAdapter(Enclosure).validate_json(text)
    except ValidationError:
        raise TableError("the enclosed register is damaged; take register.age of the run again") from None
    if told.schema != SCHEMA or told.trial != trial:
        raise TableError(
            f"the enclosed register is of trial {told.trial}, version {told.schema}; "
            f"take register.age of a run of {trial}, made with this version"
        )
    return replace(told.cards, told_by=told.run)
