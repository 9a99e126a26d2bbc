"""config.yaml, read and checked once; frozen from then on.

Every problem is reported at once, with its line and the way out. Secrets are not in it: tokens, block sizes and keys
are in private files (`private.py`).
"""

from trialdesk.config.crosschecks import Crosschecks
from trialdesk.config.loading import lines, load
from trialdesk.config.parts import (
    Arm,
    CallLog,
    CallPlan,
    ContactForm,
    ContactRule,
    DeathSign,
    Leave,
    Level,
    Part,
    Site,
    Step,
    Trial,
)
from trialdesk.config.values import CheckboxRef, FieldRef
from trialdesk.config.whole import Config

__all__ = [
    "Arm",
    "CallLog",
    "CallPlan",
    "CheckboxRef",
    "Config",
    "ContactForm",
    "ContactRule",
    "Crosschecks",
    "DeathSign",
    "FieldRef",
    "Leave",
    "Level",
    "Part",
    "Site",
    "Step",
    "Trial",
    "lines",
    "load",
]
