"""Where a report's findings come from: the same for the nightly run and for a report made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial

from trialdesk.config import Config
from trialdesk.envelopes.openings import settle
from trialdesk.envelopes.reconcile import reconcile
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.findings.rules import read_rules
from trialdesk.model import Envelope, Patient
from trialdesk.nightly.due import contacts_over, crosschecks
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.pack import Sources


def sources(
    config: Config,
    snapshot: Snapshot,
    envelopes: Sequence[Envelope],
    mapping: Iterable[Mapping[str, str]],
    today: date,
) -> Sources:
    """The rules, checks, envelope findings and expected contacts of one pull.

    Args:
        config: The trial.
        snapshot: One pull of the trial project.
        envelopes: The register of the same moment.
        mapping: REDCap's rows of event and form.
        today: The day of the pull.

    Raises:
        InstrumentError: a rule can't be read or does not fit the project.
    """
    everyone = patients(snapshot, config)
    return Sources(
        today,
        read_rules(config.path(config.folders.instruments) / "trial", snapshot.dictionary, config),
        crosschecks=crosschecks(config, today),
        envelopes=tuple(reconcile(everyone, settled(everyone, envelopes, config), config)),
        due=partial(contacts_over, config, today),
        mapping=forms_by_event(mapping),
    )


def settled(everyone: Sequence[Patient], envelopes: Sequence[Envelope], config: Config) -> tuple[Envelope, ...]:
    """The register as it is once the nightly run has written back what the records say."""
    opened = {envelope.id: envelope for envelope in settle(everyone, envelopes, config.trial.id)}
    return tuple(opened.get(envelope.id, envelope) for envelope in envelopes)
