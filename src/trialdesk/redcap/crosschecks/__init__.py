"""The consistency checks REDCap can't make: they compare records, instances or due dates (instruments.md 8, kind B)."""

from trialdesk.redcap.crosschecks.case import ContactStanding, Given
from trialdesk.redcap.crosschecks.meanings import Meanings
from trialdesk.redcap.crosschecks.run import ARM_REVEALING, SEVERITIES, TEXTS, cross_findings

__all__ = ["ARM_REVEALING", "SEVERITIES", "TEXTS", "ContactStanding", "Given", "Meanings", "cross_findings"]
