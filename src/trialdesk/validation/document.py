"""The validation package as one page of HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import Environment, PackageLoader, StrictUndefined

from trialdesk.validation.judging import Outcome, Part, Traced, Verdict


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of something a person opens, as an address of its data."""

    name: str
    source: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class About:
    """What the package is of: title and version, the commit and whether all is in it, the machine, the day."""

    title: str
    version: str
    commit: str
    clean: bool
    platform: str
    made_on: str
    trial: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the document shows beside the verdict."""

    outcomes: Sequence[Outcome]
    parts: Sequence[Part]
    limits: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    touched: Sequence[tuple[Traced, str]] = ()


def document(about: About, verdict: Verdict, evidence: Evidence) -> str:
    """The page: what failed or lacks first, then requirements with their tests, pictures, digests, a page to sign."""
    made = Environment(loader=PackageLoader("trialdesk.validation", "."), autoescape=True, undefined=StrictUndefined)
    shown = {name: getattr(about, name) for name in About.__dataclass_fields__}
    shown |= {name: getattr(evidence, name) for name in Evidence.__dataclass_fields__}
    return made.get_template("document.html.j2").render(verdict=verdict, **shown)
