"""What a person has to do in REDCap, because its API can't: numbered steps with the files to upload."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from redcap_rules.dictionary import write_dictionary
from trialdesk.errors import InstrumentError, OutputFailed
from trialdesk.instruments.change import Part, Plan, digest_of
from trialdesk.instruments.design import Design
from trialdesk.instruments.fault import Fault, refuse
from trialdesk.instruments.folder import DISPLAY, EVENTS, LABELS, MAPPING, QUALITY, read_labels
from trialdesk.instruments.labels import Labels
from trialdesk.instruments.rendering import summary, what
from trialdesk.instruments.roles import ROLES
from trialdesk.instruments.table import read_text

_UPLOADS: tuple[tuple[str, Part], ...] = ((EVENTS, "event"), (MAPPING, "mapping"))
# In development REDCap may change the unique name together with the label.
_RENAME = "Online Designer → once the project is in production, in draft mode: name the instruments as in"
_NAMED = re.compile(r"`(\w+)`")
NOTES = "by_hand.md"  # steps of this trial that no file describes: surveys, alerts, locking


@dataclass(frozen=True)
class Checklist:
    """Numbered steps and the files they upload, by name."""

    title: str
    steps: tuple[str, ...]
    files: Mapping[str, str]

    def to_markdown(self) -> str:
        """The checklist as a page with boxes to tick."""
        return "\n".join(
            [f"# {self.title}", "", *(f"{n}. [ ] {step}" for n, step in enumerate(self.steps, start=1)), ""]
        )


def setup_steps(folder: Path, project: str, language: str = "") -> Checklist:
    """What is left to do in REDCap after `apply`, from the files of a folder that the API does not take.

    Args:
        folder: The instruments.
        project: `trial` or `register`, for the reader.
        language: That of the translation that was pushed; "" for the words of the instruments themselves.

    Raises:
        InstrumentError: there is no such folder or translation, or a file can't be read.
    """
    if not folder.is_dir():
        raise InstrumentError(f"there is no folder {folder}; check folders in the configuration")
    steps: list[str] = []
    files: dict[str, str] = {}
    faults: list[Fault] = []
    labels = read_labels(folder, language)
    for name, step in (
        (QUALITY, "Data Quality → Upload or download rules → upload {}; compare the number of rules"),
        (DISPLAY, "Online Designer → Form Display Logic → upload {}"),
        (ROLES, "User Rights → where `plan` could not compare roles, upload {}; then assign every user to a role"),
        (f"{language}.csv" if language else LABELS, f"{_RENAME} {{}}{_names(labels)}"),
    ):
        if (folder / name).exists():
            files[name] = read_text(folder / name, faults) or ""
            steps.append(step.format(f"`{name}` (digest {digest_of(files[name])})"))
    if language:
        steps.append(f"an administrator: the project's language is {language!r}, in which REDCap says Yes and No")
    if (folder / NOTES).exists():
        lines = (read_text(folder / NOTES, faults) or "").splitlines()
        steps += [_worded(line.removeprefix("- ").strip(), labels) for line in lines if line.startswith("- ")]
    refuse(faults)
    return Checklist(f"By hand in REDCap: {project}", tuple(steps), files)


def _names(labels: Labels) -> str:
    return "".join(f"; `{name}`: {label}" for name, label in labels.forms.items())


def _worded(line: str, labels: Labels) -> str:
    """The line with every instrument in backticks told in words as well."""
    return _NAMED.sub(lambda m: f"{labels.forms[m[1]]} ({m[0]})" if m[1] in labels.forms else m[0], line)


def draft_steps(plan: Plan, desired: Design, folder: Path) -> Checklist:
    """How a project in production takes a plan: the dictionary for draft mode, then structure step by step."""
    files: dict[str, str] = {}
    steps: list[str] = []
    if plan.of("metadata"):
        name = f"{plan.project}_dictionary.csv"
        files[name] = write_dictionary(desired.dictionary)
        steps += [
            "Online Designer → Enter Draft Mode",
            f"Data Dictionary → upload `{name}` → read REDCap's own list of changes against the plan → Commit",
            "Submit Changes for Review; where data is at stake an administrator has to approve them",
        ]
    for name, part in _UPLOADS:
        if plan.of(part) and (folder / name).exists():
            files[name] = (folder / name).read_text(encoding="utf-8")
            steps.append(
                f"Project Setup → Define My Events, or Designate Instruments → upload `{name}` (an administrator)"
            )
    steps += [f"{where}: {words}" for where, words in _clicks(plan)]
    steps += [*plan.notes, "run `push_instruments plan` again: it has nothing left to change"]
    return Checklist(f"Draft mode: {summary(plan)}", tuple(steps), files)


def _clicks(plan: Plan) -> Iterator[tuple[str, str]]:
    pages = {
        "settings": "Project Setup",
        "arm": "Define My Events",
        "repeating": "Project Setup → Repeating instruments and events",
        "group": "Data Access Groups",
        "role": "User Rights",
    }
    for change in plan.changes:
        # an uploaded list of events takes none away
        page = "Define My Events" if (change.part, change.kind) == ("event", "delete") else pages.get(change.part)
        if page:
            told = what(change)
            yield page, f"{change.kind} {change.name}{f' ({told})' if told else ''}"


def write_checklist(checklist: Checklist, folder: Path) -> Path:
    """The page and its files stand in the folder; the page's path is returned.

    Raises:
        OutputFailed: the folder can't be written.
    """
    page = folder / "steps.md"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        page.write_text(checklist.to_markdown(), encoding="utf-8")
        for name, text in checklist.files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputFailed(f"{folder}: can't be written ({type(error).__name__})") from None
    return page
