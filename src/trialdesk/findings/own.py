"""How the rules written in code are treated, all of them; a trial's dq_classes.csv may change a line and needs none."""

from __future__ import annotations

from collections.abc import Mapping

from trialdesk.envelopes import reconcile
from trialdesk.findings import crosschecks, dates
from trialdesk.instruments.rules import RuleClass

CLASSES: Mapping[str, RuleClass] = {**reconcile.OWN, **crosschecks.OWN, **dates.OWN}
