"""What a check looks at, and how it says where a fault is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from redcap_rules.dictionary import API_COLUMNS, CSV_HEADERS, Dictionary, Field
from redcap_rules.dictionary.columns import ATTRIBUTES
from trialdesk.config import Config, lines
from trialdesk.instruments.design import Design
from trialdesk.instruments.fault import Fault, Severity
from trialdesk.instruments.folder import Folder
from trialdesk.instruments.overlay import Overlay

HEADERS = {ATTRIBUTES[api]: header for api, header in zip(API_COLUMNS, CSV_HEADERS, strict=True)}


@dataclass(frozen=True)
class Subject:
    """A folder to check; `config` is there for the trial project only, whose fields it names, `source` is its file."""

    folder: Folder
    config: Config | None = None
    overlays: tuple[Overlay, ...] = ()
    source: Path | None = None

    @property
    def design(self) -> Design:
        """What the folder says."""
        return self.folder.design

    @property
    def dictionary(self) -> Dictionary:
        """The dictionary of the folder."""
        return self.folder.design.dictionary

    @cached_property
    def events_of(self) -> Mapping[str, frozenset[str]]:
        """Form to the events it stands in."""
        events: dict[str, set[str]] = {form: set() for form in self.dictionary.forms}
        for slot in self.design.mapping:
            events.setdefault(slot.form, set()).add(slot.event)
        return {form: frozenset(names) for form, names in events.items()}

    @cached_property
    def repeating(self) -> frozenset[str]:
        """Forms that repeat somewhere."""
        return frozenset(repeat.form for repeat in self.design.repeating if repeat.form)

    @cached_property
    def event_names(self) -> frozenset[str]:
        """The unique names of the events."""
        return frozenset(event.name for event in self.design.events)

    def at(
        self, field: Field, attribute: str, what: str, way_out: str, *, rule: str, severity: Severity = "error"
    ) -> Fault:
        """A fault in one cell of the dictionary."""
        place = self.folder.places[field.name]
        return Fault(place.file, place.row, HEADERS[attribute], rule, f"{field.name}: {what}", way_out, severity)

    def in_settings(
        self, place: Sequence[str | int], rule: str, what: str, way_out: str, severity: Severity = "error"
    ) -> Fault:
        """A fault in one setting of the configuration; places in lists count from 0, and are shown from 1."""
        column = ""
        for step in place:
            column += f" {step + 1}" if isinstance(step, int) else f".{step}"
        return Fault(self.settings, self._line(tuple(place)), column.lstrip("."), rule, what, way_out, severity)

    @cached_property
    def _line(self) -> Callable[[tuple[str | int, ...]], int]:
        return lines(self.source) if self.source else lambda _: 1

    @property
    def settings(self) -> str:
        """The file name of the configuration."""
        return self.source.name if self.source else "config.yaml"


Check = Callable[[Subject], Iterator[Fault]]
