"""The consistency checks REDCap can't make: they compare records, instances or due dates.

Source: reference/instruments.md 8, kind B.
"""

from trialdesk.findings.crosschecks.run import SEVERITIES, TEXTS, cross_findings

__all__ = ["SEVERITIES", "TEXTS", "cross_findings"]
