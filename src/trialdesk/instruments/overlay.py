"""Other words for the fields of a dictionary, and the local wording of licensed questionnaires.

Source: reference/instruments.md 10.3.

A file `<instrument>.<language>.csv` in the overlay folder replaces labels, answers and notes by field name; it never
enters the repository. A translation (`translation.py`) goes into the dictionary the same way.
"""

from __future__ import annotations

import re
import subprocess  # only ever runs git ls-files
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from redcap_rules.choices import parse_choices
from redcap_rules.dictionary import Dictionary, Field
from trialdesk.config import Config
from trialdesk.instruments.compare import LICENSED_MARK
from trialdesk.instruments.fault import Fault, refuse
from trialdesk.instruments.table import read_table

FOLDER = Path("local/licensed")
_MARK = re.compile(rf"{LICENSED_MARK}\s+(\w+)")


@dataclass(frozen=True, slots=True)
class Words:
    """The wording of one field; blank keeps what the repository says."""

    row: int
    label: str
    choices: str
    note: str
    section: str = ""


@dataclass(frozen=True)
class Overlay:
    """Words for the fields of one instrument, from one file."""

    file: str
    instrument: str
    words: Mapping[str, Words]

    @property
    def texts(self) -> Iterator[str]:
        """Every text that is long enough to be wording."""
        for words in self.words.values():
            answers = (part.partition(",")[2] for part in words.choices.split("|"))
            yield from (text for text in (words.label, words.note, *answers) if len(plain(text)) > 12)


def licence(field: Field) -> str:
    """The licence a field's wording is under, "" for free wording."""
    found = _MARK.search(field.annotation)
    return found[1] if found else ""


def answers(field: Field) -> tuple[str, ...]:
    """The words of the answers: labels of choices, or those of a slider."""
    if field.kind == "slider":
        return tuple(label.strip() for label in field.choices.split("|"))
    return tuple(option.label for option in field.options)


def plain(text: str) -> str:
    """A text without capitals and spacing, to recognise it by."""
    return "".join(character for character in text.casefold() if character.isalnum())


def overlay_folder(config: Config) -> Path:
    """Where the local wording is; a folder git ignores."""
    return config.path(FOLDER)


def read_overlays(config: Config, language: str) -> tuple[Overlay, ...]:
    """The local wording in a language (`*` for all), in file-name order; () where there is none.

    Raises:
        InstrumentError: a file can't be read.
    """
    faults: list[Fault] = []
    found = []
    for path in sorted(overlay_folder(config).glob(f"*.{language}.csv")):
        language = path.name.split(".")[-2]
        columns = ("field_name", f"label_{language}", f"choices_{language}", f"note_{language}")
        table = read_table(path, columns, faults)
        words = {row[columns[0]]: Words(number, *(row[name] for name in columns[1:])) for number, row in table}
        found.append(Overlay(path.name, path.name.split(".")[0], words))
    refuse(faults)
    return tuple(found)


def worded(dictionary: Dictionary, overlays: Iterable[Overlay]) -> Dictionary:
    """The dictionary with the words given for its instruments, the last of a field's; codes and logic stay.

    Raises:
        InstrumentError: a field is not there, or its codes are not those of the repository.
    """
    mine = [overlay for overlay in overlays if overlay.instrument in dictionary.forms]
    refuse(fault for overlay in mine for fault in misfits(dictionary, overlay))
    fields = {field.name: field for field in dictionary.fields}
    for overlay in mine:
        fields |= {name: _worded(fields[name], words) for name, words in overlay.words.items()}
    return replace(dictionary, fields=tuple(fields.values()))


def misfits(dictionary: Dictionary, overlay: Overlay) -> Iterator[Fault]:
    """What keeps an overlay from being merged."""
    for name, words in overlay.words.items():
        if name not in dictionary or dictionary.get(name).form != overlay.instrument:
            what = f"{overlay.instrument} has no field {name}"
            yield Fault(overlay.file, words.row, "field_name", "overlay", what, "correct the name")
            continue
        field = dictionary.get(name)
        if words.choices and field.kind not in ("radio", "dropdown", "checkbox", "slider"):
            what = f"{name} is a {field.kind} field, whose answers have no words"
            yield Fault(overlay.file, words.row, "choices", "overlay", what, "leave the cell blank")
            continue
        wanted = [option.code for option in field.options]
        try:
            given = [choice.code for choice in parse_choices(words.choices)] if words.choices and wanted else wanted
        except ValueError as error:
            yield Fault(overlay.file, words.row, "choices", "overlay", f"{name}: {error}", "write `code, label | …`")
            continue
        if given != wanted:
            what = f"{name}: the codes {', '.join(given)} are not {', '.join(wanted)}"
            yield Fault(overlay.file, words.row, "choices", "overlay", what, "give every answer its own code")


def _worded(field: Field, words: Words) -> Field:
    return replace(
        field,
        section=words.section or field.section,
        label=words.label or field.label,
        choices=words.choices or field.choices,
        note=words.note or field.note,
    )


def tracked(config: Config) -> tuple[Fault, ...]:
    """A fault for each file of local wording that git would commit; () without git."""
    folder = overlay_folder(config)
    if not folder.is_dir():
        return ()
    try:
        command = ("git", "-C", str(folder), "ls-files", "--cached", "--others", "--exclude-standard", "--", ".")
        found = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(
        Fault(name, 1, "", "licensed", "git would commit this local wording", f"add /{FOLDER.parent}/ to .gitignore")
        for name in sorted(found.stdout.splitlines())
    )
