"""The consistency checks REDCap can't make: they compare records, instances or due dates.

Source: reference/instruments.md 8, kind B.
"""

from trialdesk.findings.crosschecks.run import OWN, cross_findings

__all__ = ["OWN", "cross_findings"]
