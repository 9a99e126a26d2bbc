"""Whether the configuration and the live project are about the same trial."""

from __future__ import annotations

from pathlib import Path

from trialdesk.config import Config
from trialdesk.errors import ConfigError
from trialdesk.instruments.checks.configuration import codes, configuration, swapped
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.fault import Fault
from trialdesk.instruments.folder import Folder, Origin
from trialdesk.instruments.live import live_design
from trialdesk.redcap.gateway import Gateway


def prove_fit(config: Config, trial: Gateway) -> None:
    """Every field, event, form and code the configuration names is in the live project.

    A misspelt event would count nobody, a misspelt field would stop a run in its middle. A project that does not fit is
    asked for once more: an answer may lack rows.

    Raises:
        ConfigError: one line for everything that is not there.
    """
    faults = _misfits(config, trial) and _misfits(config, trial)
    if faults:
        raise ConfigError(*(f"{_where(fault.file, fault.column)}: {fault.what}; {fault.way_out}" for fault in faults))


def _misfits(config: Config, trial: Gateway) -> list[Fault]:
    design = live_design(trial, groups=False, roles=False, filled=True)
    places = {field.name: Origin("the project in REDCap", 0) for field in design.dictionary.fields}
    subject = Subject(Folder(Path(), design, places, {}), config)
    found = (*configuration(subject), *codes(subject, surplus=False), *swapped(subject))
    return [fault for fault in found if fault.severity == "error"]


def _where(file: str, column: str) -> str:
    return f"{file}: {column}" if column else file
