"""The words of a project in another language: a file `<language>.csv` beside the instruments.

A row is one text: whose it is, what the instruments say, what that is in the language, and whether the trial team has
approved it. Since the text of the instruments stands in the row, a text that changed leaves its translation behind and
is found. Licensed wording has no row: it comes from the local overlay.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from redcap_rules.choices import parse_choices
from redcap_rules.dictionary import Dictionary, Field
from trialdesk.errors import InstrumentError
from trialdesk.instruments.design import Design
from trialdesk.instruments.fault import Fault, refuse
from trialdesk.instruments.labels import EVENT, INSTRUMENT, Labels
from trialdesk.instruments.overlay import FOLDER, Overlay, Words, answers, licence, misfits, worded
from trialdesk.instruments.table import Numbered

COLUMNS = ("kind", "name", "part", "original", "translation", "state")
FIELD = "field"  # besides instrument and event, a kind of row
LABEL, CHOICES = "label", "choices"
PARTS = ("section", LABEL, CHOICES, "note")  # of a field; instruments and events have a label
LICENSED_PARTS = frozenset({LABEL, CHOICES, "note"})
TO_APPROVE = "to be approved by the trial team"
APPROVED = "approved"  # and then when and by whom

Key = tuple[str, str, str]
_FILE = re.compile(r"[a-z]{2}\.csv")
# Mark-up and piped fields, which a translation must keep.
_MARKS = re.compile(r"</?[a-zA-Z][^>]*>|\[[^\]]*\]")


def is_translation(file: str) -> bool:
    """Whether a file is named like a language.

    >>> is_translation("da.csv"), is_translation("01_visit.csv")
    (True, False)
    """
    return bool(_FILE.fullmatch(file))


def texts(design: Design) -> dict[Key, str]:
    """Every text that a translation must say: of each instrument and its fields, then of the events."""
    found: dict[Key, str] = {}
    for form in design.dictionary.forms:
        found[INSTRUMENT, form, LABEL] = design.labels.forms.get(form, "")
        for field in design.dictionary.form(form):
            found |= {(FIELD, field.name, part): text for part, text in _texts(field)}
    found |= {(EVENT, event.name, LABEL): design.labels.events.get(event.name, "") for event in design.events}
    return {key: _flat(text) for key, text in found.items() if text}


def _texts(field: Field) -> Iterator[tuple[str, str]]:
    """The texts of a field that have words and no licence."""
    own = {"section"} if licence(field) else set(PARTS)
    if field.kind not in ("radio", "dropdown", "checkbox", "slider"):
        own.discard(CHOICES)
    for part in PARTS:
        said = " ".join(answers(field)) if part == CHOICES else getattr(field, part)
        if part in own and any(character.isalpha() for character in said):
            yield part, getattr(field, part)


def _flat(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def translated(design: Design, language: str, translations: Mapping[str, Numbered]) -> Design:
    """The design in a language; codes, logic and the names REDCap knows events by stay.

    Args:
        design: In the words of its files.
        language: That of the translation.
        translations: The rows of each language.

    Raises:
        InstrumentError: there is no such translation, or it does not say what the instruments say.
    """
    if language not in translations:
        known = ", ".join(sorted(translations)) or "none"
        raise InstrumentError(f"there is no {language}.csv beside the instruments (languages there: {known})")
    table = translations[language]
    refuse(faults(design, f"{language}.csv", table))
    said = {(row["kind"], row["name"]): row["translation"] for _, row in table if row["kind"] != FIELD}
    return replace(
        design,
        dictionary=worded(design.dictionary, _overlays(design.dictionary, f"{language}.csv", table)),
        labels=Labels(
            {name: said.get((INSTRUMENT, name), label) for name, label in design.labels.forms.items()},
            {name: said.get((EVENT, name), label) for name, label in design.labels.events.items()},
        ),
        language=language,
        unapproved=sum(row["state"] == TO_APPROVE for _, row in table),
    )


def _overlays(dictionary: Dictionary, file: str, table: Numbered) -> Iterator[Overlay]:
    """The rows of fields as words for them, each on its own, so that a fault names its row."""
    for number, row in table:
        if row["kind"] == FIELD and row["name"] in dictionary:
            texts = {part: row["translation"] if part == row["part"] else "" for part in PARTS}
            yield Overlay(file, dictionary.get(row["name"]).form, {row["name"]: Words(number, **texts)})


def faults(design: Design, file: str, table: Numbered) -> Iterator[Fault]:
    """What a translation lacks, has too much, or says of a text that is another now."""
    wanted = texts(design)
    there = {(row["kind"], row["name"], row["part"]): number for number, row in table}
    for number, row in table:
        key = (row["kind"], row["name"], row["part"])
        if key in wanted:
            yield from _row_faults(file, number, row, wanted[key])
        else:
            yield _surplus(design.dictionary, file, number, row)
    for kind, name, part in wanted.keys() - there.keys():
        what = f"the {part} of {kind} {name} is not translated"
        yield Fault(file, 1, "name", "translation", what, f"add a row {kind},{name},{part} with both texts")
    known = [(number, row) for number, row in table if (row["kind"], row["name"], row["part"]) in wanted]
    for overlay in _overlays(design.dictionary, file, known):
        yield from misfits(design.dictionary, overlay)


def _surplus(dictionary: Dictionary, file: str, number: int, row: Mapping[str, str]) -> Fault:
    licensed = row["kind"] == FIELD and row["name"] in dictionary and licence(dictionary.get(row["name"]))
    if licensed and row["part"] in LICENSED_PARTS:
        what = f"the {row['part']} of {row['name']} is under the licence {licensed}"
        return Fault(file, number, "part", "licensed", what, f"delete the row; such wording belongs into {FOLDER}")
    what = f"there is no {row['part'] or 'text'} of {row['kind'] or 'a'} {row['name']} to translate"
    return Fault(file, number, "name", "translation", what, "correct it or delete the row")


def _row_faults(file: str, number: int, row: Mapping[str, str], said: str) -> Iterator[Fault]:
    original, translation, state = (row[name] for name in COLUMNS[3:])
    whose = f"the {row['part']} of {row['name']}"
    if _flat(original) != said:
        what = f"{whose} is another now: {said}"
        yield Fault(file, number, "original", "translation", what, "translate it again, and put that text here")
    elif not translation:
        yield Fault(file, number, "translation", "translation", f"{whose} has no words", "write them")
    elif Counter(_MARKS.findall(original)) != Counter(_MARKS.findall(translation)):
        what = f"{whose} has other mark-up or piped fields than the original"
        yield Fault(file, number, "translation", "translation", what, "keep each <…> and […] as it stands")
    elif translation.count("|") != original.count("|"):
        what = f"{whose} has {translation.count('|')} | and the original {original.count('|')}"
        yield Fault(file, number, "translation", "translation", what, "put a | only where the original has it")
    if state != TO_APPROVE and not state.startswith(f"{APPROVED} "):
        way_out = f"write {TO_APPROVE!r}, or {APPROVED!r} with the day and initials"
        yield Fault(file, number, "state", "translation", f"{whose} does not say whether it is approved", way_out)


def in_own_words(dictionary: Dictionary, translations: Iterable[Numbered]) -> Dictionary:
    """A live dictionary with the instruments' own words where it shows those of a translation; others stay.

    Readers of sheets have one language, whichever the sites see in REDCap.
    """
    back: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for table in translations:
        for _, row in table:
            if row["kind"] == FIELD:
                back.setdefault((row["name"], row["part"]), []).append(row)
    if not back:
        return dictionary
    return replace(dictionary, fields=tuple(_in_own_words(field, back) for field in dictionary.fields))


def _in_own_words(field: Field, back: Mapping[tuple[str, str], list[Mapping[str, str]]]) -> Field:
    said = {part: getattr(field, part) for part in PARTS}
    for part in PARTS:
        for row in back.get((field.name, part), ()):
            if part == CHOICES and field.options:
                said[part] = _choices(said[part], row)
            elif _flat(said[part]) == row["translation"]:
                said[part] = row["original"]
    return replace(field, **said)


def _choices(text: str, row: Mapping[str, str]) -> str:
    """The choices with the words of the original for each that has those of the translation."""
    try:
        original = {one.code: one.label for one in parse_choices(row["original"])}
        own = {one: original.get(one.code, one.label) for one in parse_choices(row["translation"])}
    except ValueError:
        return text  # `check` says so
    return " | ".join(f"{one.code}, {own.get(one, one.label)}" for one in parse_choices(text))
