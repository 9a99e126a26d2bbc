"""Everything REDCap says at one moment: the trial's records, its structure and the envelope register."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trialdesk.allocation.manifest import Manifest
from trialdesk.config import Config
from trialdesk.envelopes.filing import read_filed
from trialdesk.envelopes.register import DOMAIN, missing, read_register
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.model import Envelope, Patient
from trialdesk.redcap.answers import Rows
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Counted, Snapshot, pull


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull of both projects; `mapping` is event to its forms, `structure` what REDCap said of events and forms.

    `missing` are envelopes the register ought to show and does not, `register_project` the id of its project, `filed`
    the manifests it is held against, `counted` the patients without an id of whom nothing but the number is shown.
    """

    snapshot: Snapshot
    patients: tuple[Patient, ...]
    register: tuple[Envelope, ...]
    mapping: Mapping[str, tuple[str, ...]]
    structure: Mapping[str, Rows] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    register_project: str = ""
    filed: tuple[Manifest, ...] = ()
    counted: tuple[Patient, ...] = ()


def pull_both(
    config: Config, trial: Gateway, register: Gateway, expected: Sequence[str] = (), progress: Counted | None = None
) -> Pull:
    """What both projects hold now; neither identifiers nor allocations are asked for.

    Args:
        config: The trial.
        trial: The trial project.
        register: The envelope register, with a token that was proved blind.
        expected: The envelopes it showed to the last run; where one is missing it is asked once more.
        progress: Told how many of how many records of the trial have come.

    Raises:
        ConfigError: the configuration's logic names something the project does not have.
        TableError: a record of the register is not an envelope.
    """
    told = _trial(config, trial, pull(trial, progress=progress))
    more = [name for name in (DOMAIN,) if name in register.dictionary()]
    envelopes = read_register(register, more=more)
    if missing(envelopes, expected):
        envelopes = read_register(register, more=more)
    return replace(
        told,
        register=envelopes,
        missing=missing(envelopes, expected),
        register_project=register.project().get("project_id", ""),
        filed=read_filed(config),
    )


def pull_trial(config: Config, trial: Gateway, *, groups: bool = False) -> Pull:
    """What the trial project holds now, without the register, and without data access groups if they are not asked for.

    Without them it needs no right but that to export. Raises what `pull_both` does.
    """
    return _trial(config, trial, pull(trial, groups=groups))


def _trial(config: Config, trial: Gateway, snapshot: Snapshot) -> Pull:
    mapping = trial.mapping(filled=True)
    structure = {"events": trial.events(filled=True), "mapping": mapping, "repeating": _repeating(trial)}
    return Pull(snapshot, patients(snapshot, config), (), forms_by_event(mapping), structure)


def _repeating(trial: Gateway) -> Rows:
    """What repeats; REDCap refuses the question where nothing does."""
    return trial.repeating() if trial.project().get("has_repeating_instruments_or_events") == "1" else []
