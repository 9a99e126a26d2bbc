"""Addresses in REDCap's own pages: one click from a list to the form it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from trialdesk.config import Config
from trialdesk.facts.pulling import Pull


@dataclass(frozen=True, slots=True)
class Links:
    """How forms of a project are addressed: `web` ends in a slash, `events` is event to REDCap's own number of it.

    `forms` is event to its forms, the first of which is opened where none is named.
    """

    web: str = ""
    version: str = ""
    project: str = ""
    events: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def form(self, record: str, event: str = "", form: str = "", instance: int = 0) -> str:
        """The form of a record in an event; without one the first form of the project; "" where pages are unknown."""
        event = event if self.events.get(event) else next(iter(self.events), "")
        page = form or next(iter(self.forms.get(event, ())), "")
        if not (self.web and self.version and record and page):
            return ""
        asked = {"pid": self.project, "id": record, "event_id": self.events[event], "page": page}
        asked |= {"instance": str(instance)} if instance else {}
        return f"{self.web}redcap_v{self.version}/DataEntry/index.php?{urlencode(asked)}"


def links_of(config: Config, pull: Pull, version: str) -> Links:
    """How REDCap's own pages of this trial are addressed."""
    events = {row["unique_event_name"]: row.get("event_id", "") for row in pull.structure.get("events", ())}
    web = config.redcap.web or config.redcap.url.removesuffix("api/")
    return Links(web, version, pull.snapshot.project_id, events, pull.mapping)
