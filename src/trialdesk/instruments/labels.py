"""What people call instruments and events: REDCap knows an instrument by a name its API makes a label of by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

INSTRUMENT, EVENT = "instrument", "event"  # the kinds of rows in files of words
_ARM = re.compile(r"_arm_\d+[a-z]*$")


@dataclass(frozen=True, slots=True)
class Labels:
    """Unique names of instruments and events to their words; what has none is told by its name with spaces."""

    forms: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)

    def form(self, name: str) -> str:
        """An instrument in words.

        >>> Labels({"vas_pain": "Pain (VAS)"}).form("vas_pain"), Labels().form("end_of_study")
        ('Pain (VAS)', 'End of study')
        """
        return self.forms.get(name) or name.replace("_", " ").capitalize()

    def event(self, name: str) -> str:
        """An event in words.

        >>> Labels().event("week_4_arm_1")
        'Week 4'
        """
        return self.events.get(name) or _ARM.sub("", name).replace("_", " ").capitalize()

    def place(self, where: str, *, numbered: bool = True) -> str:
        """A place in a record in words: an event, with the instrument and the number of the instance where it repeats.

        Not `numbered` for whoever is not shown every instance: no. 3 of an event that is listed alone tells of others.

        >>> Labels({"adverse_event": "Adverse event"}).place("logs_arm_1 adverse_event 3")
        'Logs · Adverse event · no. 3'
        """
        event, *rest = where.split()[:3] or [""]
        told = (self.form(part) if not part.isdecimal() else f"no. {part}" if numbered else "" for part in rest)
        return " · ".join(filter(None, [self.event(event), *told]))
