"""The instrument files of a project, read into a design.

Every CSV of the folder is a part of the data dictionary, in file-name order, except those named here and translations,
which are named like a language: `da.csv`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from redcap_rules.dictionary import Dictionary, DictionaryError, Field, join, read_dictionary
from redcap_rules.names import event_name
from trialdesk.config import Config
from trialdesk.instruments.change import digest_of
from trialdesk.instruments.design import Arm, Design, Event, Repeat, Slot
from trialdesk.instruments.fault import Fault, refuse
from trialdesk.instruments.labels import EVENT, INSTRUMENT, Labels
from trialdesk.instruments.overlay import read_overlays, worded
from trialdesk.instruments.roles import FORM_RIGHTS, LABEL, ROLES, read_roles
from trialdesk.instruments.table import Numbered, read_table, read_text, rows_of
from trialdesk.instruments.translation import COLUMNS, is_translation, translated

ProjectName = Literal["trial", "register"]
PROJECTS: tuple[ProjectName, ...] = ("trial", "register")

ARMS, EVENTS, MAPPING, REPEATING = "arms.csv", "events.csv", "mapping.csv", "repeating.csv"
GROUPS = "groups.csv"  # where it is missing, the sites of the configuration are the groups
# Quality rules and form display logic: REDCap's API takes neither, a person uploads them.
QUALITY, DISPLAY = "dq_rules.csv", "display_logic.csv"
CLASSES = "dq_classes.csv"  # how the desk treats each rule
LABELS = "labels.csv"  # instruments and events in words
LICENCES = "licences.csv"  # the neutral labels of each licensed questionnaire, as regular expressions
COMPANIONS = ("dq_", "display_")
# File to the columns it must have; the other columns of the API are optional.
STRUCTURE = {
    ARMS: ("arm_num", "name"),
    EVENTS: ("event_name", "arm_num"),
    MAPPING: ("unique_event_name", "form"),
    REPEATING: ("form_name",),
    GROUPS: ("data_access_group_name",),
    ROLES: (LABEL, *FORM_RIGHTS),
    QUALITY: ("rule_name", "rule_logic"),
    CLASSES: ("rule", "severity"),
    DISPLAY: ("form_name", "event_name", "control_condition"),
    LICENCES: ("licence", "label"),
    LABELS: ("kind", "name", "label"),
}

# What no other file refers to.
_ASIDE = frozenset({GROUPS, ROLES, QUALITY, CLASSES, DISPLAY, LICENCES, LABELS})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a field or a row of structure stands."""

    file: str
    row: int


@dataclass(frozen=True)
class Folder:
    """A read folder: the design, where each field stands, and the rows of the other files with their numbers.

    `unread` holds what kept parts of it from being read; `whole` says that forms and events are not among them.
    `translations` are the rows of each language's file.
    """

    path: Path
    design: Design
    places: Mapping[str, Origin]
    tables: Mapping[str, Numbered]
    unread: tuple[Fault, ...] = ()
    whole: bool = True
    translations: Mapping[str, Numbered] = field(default_factory=dict)


def folder_of(config: Config, project: ProjectName) -> Path:
    """The folder with the instruments of a project."""
    return config.path(config.folders.instruments / project)


def sites_as_groups(config: Config, project: ProjectName) -> tuple[str, ...] | None:
    """The codes of the sites for the trial project; None for the register, which has no groups.

    Source: reference/design.md 4.
    """
    return tuple(site.code for site in config.sites) if project == "trial" else None


def read_design(config: Config, project: ProjectName, language: str = "", *, wording: bool = True) -> Design:
    """What the project must hold: its folder, the local wording, and the sites of the configuration as groups.

    Args:
        config: The configuration.
        project: Which of the two projects.
        language: That of a translation in the folder; "" for the words of the instruments themselves.
        wording: Whether the local wording is merged, in that language, else in the trial's.

    Raises:
        InstrumentError: with every fault of the files that keeps them from being read; there is no such translation,
            or it does not say everything the instruments say.
    """
    found = read_folder(folder_of(config, project), sites_as_groups(config, project))
    design = translated(found.design, language, found.translations) if language else found.design
    overlays = read_overlays(config, language or config.trial.language) if wording else ()
    return replace(design, dictionary=worded(design.dictionary, overlays))


def read_folder(folder: Path, groups: tuple[str, ...] | None = None) -> Folder:
    """The design in a folder, with the place of each field.

    Raises:
        InstrumentError: with every fault of the files that keeps them from being read.
    """
    found = survey(folder, groups)
    refuse(found.unread)
    return found


def survey(folder: Path, groups: tuple[str, ...] | None = None) -> Folder:
    """As much of a folder as can be read; what keeps the rest from being read is in `unread`."""
    faults: list[Fault] = []
    dictionary, places = _dictionary(folder, faults)
    tables = {name: read_table(folder / name, needed, faults) for name, needed in STRUCTURE.items()}
    events = _events(tables[EVENTS], faults)
    translations = _translations(folder, faults)
    whole = all(fault.file in _ASIDE or is_translation(fault.file) for fault in faults)
    # a form of a file that can't be read is no wrong name in a role
    roles = read_roles(tables[ROLES], dictionary.forms, faults) if whole else None
    design = Design(
        dictionary,
        _arms(tables[ARMS], events),
        events,
        tuple(Slot(row["unique_event_name"], row["form"]) for _, row in tables[MAPPING]),
        tuple(
            Repeat(row.get("event_name", ""), row["form_name"], row.get("custom_form_label", ""))
            for _, row in tables[REPEATING]
        ),
        tuple(row["data_access_group_name"] for _, row in tables[GROUPS]) or groups,
        roles,
        _quality(folder / QUALITY, tables[QUALITY]),
        _labels(tables[LABELS], events),
    )
    return Folder(folder, design, places, tables, tuple(sorted(faults)), whole, translations)


def dictionary_files(folder: Path) -> tuple[Path, ...]:
    """The CSV files of a folder that hold instruments, in file-name order."""
    return tuple(
        path
        for path in sorted(folder.glob("*"))
        if path.suffix.lower() == ".csv"
        and path.name not in STRUCTURE
        and not path.name.startswith(COMPANIONS)
        and not is_translation(path.name)
    )


def read_labels(folder: Path, language: str = "") -> Labels:
    """What people call the instruments and events of a folder, in a translation's words if a language is given.

    Raises:
        InstrumentError: the file of labels or that of events can't be read; there is no such translation, or it does
            not say everything the instruments say.
    """
    if language:
        whole = read_folder(folder)
        return translated(whole.design, language, whole.translations).labels
    faults: list[Fault] = []
    labels, events = (read_table(folder / name, STRUCTURE[name], faults) for name in (LABELS, EVENTS))
    found = _labels(labels, _events(events, faults))
    refuse(faults)
    return found


def read_translations(folder: Path) -> Mapping[str, Numbered]:
    """The rows of every translation in a folder, by language.

    Raises:
        InstrumentError: one can't be read.
    """
    faults: list[Fault] = []
    found = _translations(folder, faults)
    refuse(faults)
    return found


def _translations(folder: Path, faults: list[Fault]) -> Mapping[str, Numbered]:
    paths = (path for path in sorted(folder.glob("*.csv")) if is_translation(path.name))
    return {path.stem: read_table(path, COLUMNS, faults) for path in paths}


def _labels(table: Numbered, events: tuple[Event, ...]) -> Labels:
    """The words of a file; an event without any has those that REDCap shows."""
    words = {
        kind: {row["name"]: row["label"] for _, row in table if row["kind"] == kind} for kind in (INSTRUMENT, EVENT)
    }
    shown = {event.name: words[EVENT].get(event.name) or event.label for event in events}
    return Labels(words[INSTRUMENT], shown)


def _quality(path: Path, table: Numbered) -> str:
    return f"{path.name} ({len(table)} rules, digest {digest_of(read_text(path, []) or '')})" if table else ""


def _dictionary(folder: Path, faults: list[Fault]) -> tuple[Dictionary, dict[str, Origin]]:
    parts: list[Dictionary] = []
    rows: list[tuple[Field, Origin]] = []  # of the joined dictionary
    for path in dictionary_files(folder):
        text = read_text(path, faults)
        if text is None:
            continue
        try:
            part = read_dictionary(text, path.name)
        except DictionaryError as error:
            faults.extend(Fault(path.name, p.row, p.column, "dictionary", p.what, p.way_out) for p in error.problems)
            continue
        places = (Origin(path.name, row) for row in _filled_rows(text))
        mine = list(zip(part.fields, places, strict=True))
        # a part may repeat the record id, which is taken once
        rows += mine[1:] if parts and part.record_id == parts[0].record_id else mine
        parts.append(part)
    if not parts:
        if not faults:
            what = f"there is no instrument in {folder}"
            faults.append(Fault(folder.name, 1, "", "file", what, "check folders in the configuration"))
        return Dictionary(()), {}
    if faults:  # without every file, nothing is known of the record id, and names may stand twice
        return Dictionary(tuple(field for field, _ in rows)), {field.name: place for field, place in rows}
    try:
        return join(parts), {field.name: place for field, place in rows}
    except DictionaryError as error:
        for p in error.problems:
            place = rows[p.row - 2][1]
            faults.append(Fault(place.file, place.row, p.column, "dictionary", p.what, p.way_out))
        return Dictionary(()), {}


def _filled_rows(text: str) -> list[int]:
    rows = rows_of(text)
    return [number for number, row in enumerate(rows, start=1) if number > 1 and any(cell.strip() for cell in row)]


def _events(table: Numbered, faults: list[Fault]) -> tuple[Event, ...]:
    if len(table) == 1:
        what = "one event makes no longitudinal project"
        faults.append(Fault(EVENTS, 2, "event_name", "structure", what, "add the other events or delete the file"))
    taken: list[str] = []
    events = []
    for number, row in table:
        arm = row["arm_num"]
        if not (arm.isascii() and arm.isdigit() and int(arm) > 0):
            what = f"{arm!r} is not the number of an arm"
            faults.append(Fault(EVENTS, number, "arm_num", "structure", what, "write 1 for the first arm"))
            continue
        name = row.get("unique_event_name") or event_name(row["event_name"], int(arm), taken)
        taken.append(name)
        offsets = (row.get("day_offset", ""), row.get("offset_min", ""), row.get("offset_max", ""))
        events.append(Event(name, row["event_name"], arm, *offsets, row.get("custom_event_label", "")))
    return tuple(events)


def _arms(table: Numbered, events: tuple[Event, ...]) -> tuple[Arm, ...]:
    named = {row["arm_num"]: row["name"] for _, row in table}
    numbers = sorted({event.arm for event in events}, key=int)
    return tuple(Arm(number, named.get(number, "")) for number in numbers)
