"""The text of a message, from the template of the trial's language; its HTML is made of the same text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from trialdesk.config import Config
from trialdesk.config.parts import CLOSED, COORDINATOR, Mail, Recipient
from trialdesk.errors import EXITS
from trialdesk.notices.due import Ending, Kind
from trialdesk.reports.delivery import INDEX, MONITOR, REGISTER, SITE, of_site

_FILES: Mapping[str, str] = {COORDINATOR: INDEX, "monitor": MONITOR, CLOSED: REGISTER}


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one address."""

    to: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some lines of a message: sentences, or pairs of words and what they are."""

    lines: Sequence[str]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Each line in two; empty for sentences."""
        indented = all(line.startswith("  ") for line in self.lines)
        return [(name.strip(), what.strip()) for name, _, what in (x.partition(":") for x in self.lines)] * indented


def write(config: Config, mail: Mail, kind: Kind, reader: Recipient, ending: Ending) -> Letter:
    """The message; in it are counts, a code and a place, and never a record, a value, a name or an arm."""
    text = _environment().get_template(f"notice.{config.trial.language}.txt.j2")
    written = text.render(
        trial=config.trial.id,
        rehearsal=config.envelopes.domain == "dev",
        kind=kind,
        reader=reader.profile.partition(":")[0],
        day=ending.day,
        code=ending.code,
        published=ending.published,
        exit=EXITS[ending.code],
        counts=_counts(ending, reader),
        place=_place(mail, reader),
    )
    subject, _, body = written.strip().partition("\n")
    parts = ([line for line in part.splitlines() if line.strip()] for part in body.split("\n\n"))
    paragraphs = [Paragraph(lines) for lines in parts if lines]
    html = (
        _environment()
        .get_template("notice.html.j2")
        .render(language=config.trial.language, subject=subject, paragraphs=paragraphs)
    )
    plain = "\n\n".join("\n".join(part.lines) for part in paragraphs)
    return Letter(reader.email or "", subject, f"{plain}\n", html)


def _counts(ending: Ending, reader: Recipient) -> Mapping[str, Any] | None:
    """Numbers alone, of what the summary of a run holds; of findings of treatment, in the coordinator's alone.

    Beside the number that stands in the monitor's report another one would tell how many there are of treatment.
    """
    told = ending.counts
    if told is None:
        return None
    found = told["findings" if reader.profile == COORDINATOR else "open_findings"]
    return {
        "randomised": told["recruitment"].get("randomised", 0),
        "target": told["target"],
        "todo": sum(told["todo"].values()),
        "new": told["new"],
        "calls": told["calls"]["today"] + told["calls"]["overdue"],
        "errors": sum(found.get("error", {}).values()),
        "warnings": sum(found.get("warning", {}).values()),
        "send": len(told["envelopes_to_send"]),
        "make": len(told["envelopes_to_make"]),
        "lost": len(told["lost"]),
    }


def _place(mail: Mail, reader: Recipient) -> str:
    kind, _, site = reader.profile.partition(":")
    name = of_site(SITE, site) if site else _FILES[kind]
    slash = "\\" if mail.files.startswith("\\\\") else "/"
    return f"{mail.files.rstrip(slash)}{slash}{name.replace('/', slash)}" if mail.files else name


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("trialdesk.notices", "."),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
