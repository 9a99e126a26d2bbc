"""Everything REDCap says at one moment: the trial's records, its structure and the envelope register."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trialdesk.config import Config
from trialdesk.envelopes.register import read_register
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.model import Envelope, Patient
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot, pull


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull of both projects; `mapping` is event to its forms."""

    snapshot: Snapshot
    patients: tuple[Patient, ...]
    register: tuple[Envelope, ...]
    mapping: Mapping[str, tuple[str, ...]]


def pull_both(config: Config, trial: Gateway, register: Gateway) -> Pull:
    """What both projects hold now; neither identifiers nor allocations are asked for.

    Args:
        config: The trial.
        trial: The trial project.
        register: The envelope register, with a token that was proved blind.

    Raises:
        ConfigError: the configuration's logic names something the project does not have.
        TableError: a record of the register is not an envelope.
    """
    snapshot = pull(trial)
    mapping = forms_by_event(trial.mapping())
    return Pull(snapshot, patients(snapshot, config), read_register(register), mapping)
