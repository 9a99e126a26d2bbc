"""Licensed questionnaires: the repository holds numbers, codes and neutral labels only.

Source: reference/instruments.md 10.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from redcap_rules.dictionary import Field
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.compare import LICENSED_MARK
from trialdesk.instruments.fault import Fault
from trialdesk.instruments.folder import LICENCES
from trialdesk.instruments.overlay import answers, licence, plain

# Which item it is and no more: an abbreviation, an item number, a scale or a few neutral words.
_NEUTRAL = re.compile(
    r"[A-Z][A-Z0-9-]+( [A-Z]+)?( (item|section|question) \d+)?"
    r"( \([a-z0-9 ,-]{1,30}\)| \[[A-Z0-9]+\]| [a-z][a-z -]{1,30})?"
)
_CHOICE = re.compile(r"\d+|Level \d+|")


def is_neutral(field: Field) -> bool:
    """Whether the label of a licensed field says nothing but which item it is."""
    return bool(_NEUTRAL.fullmatch(field.label))


def wording(subject: Subject) -> Iterator[Fault]:
    """Wording that is not neutral on a field marked as licensed, and fields that lost the mark."""
    own = _patterns(subject)
    way_out = "keep the wording in the local overlay; here only the neutral label"
    stems: dict[tuple[str, str], str] = {}
    for field in subject.dictionary.fields:
        name = licence(field)
        if not name:
            continue
        stems[field.form, _stem(field)] = name
        pattern = own.get(name)
        if not is_neutral(field) or (pattern and not pattern.fullmatch(field.label)):
            yield subject.at(field, "label", f"not the neutral label of {name}", way_out, rule="licensed")
        if not all(_CHOICE.fullmatch(label) for label in answers(field)):
            yield subject.at(field, "choices", f"answers of {name} in words", way_out, rule="licensed")
        if field.note:
            yield subject.at(field, "note", f"a note on an item of {name}", way_out, rule="licensed")
    for field in subject.dictionary.fields:
        name = stems.get((field.form, _stem(field)), "")
        if name and not licence(field) and field.kind in ("radio", "slider", "dropdown"):
            what = f"named like the items of {name} and not marked {LICENSED_MARK}"
            yield subject.at(field, "annotation", what, f"add {LICENSED_MARK} {name}", rule="licensed")


def _patterns(subject: Subject) -> dict[str, re.Pattern[str] | None]:
    """The labels each questionnaire may have; None for what is no regular expression."""
    return {row["licence"]: _pattern(row["label"]) for _, row in subject.folder.tables.get(LICENCES, ())}


def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:
        return None


def patterns(subject: Subject) -> Iterator[Fault]:
    """Patterns of labels that are none, or that no field is held to."""
    marks = {licence(field) for field in subject.dictionary.fields}
    for number, row in subject.folder.tables.get(LICENCES, ()):
        if row["licence"] not in marks and subject.folder.whole:
            what = f"no field is marked {LICENSED_MARK} {row['licence']}"
            yield Fault(LICENCES, number, "licence", "licensed", what, "write the name as the fields do")
        if _pattern(row["label"]) is None:
            what = f"{row['label']!r} is no regular expression"
            yield Fault(LICENCES, number, "label", "licensed", what, "correct it, or delete the row")


def leaks(subject: Subject) -> Iterator[Fault]:
    """Wording of the local overlay that stands in the repository, wherever it stands."""
    licensed = {plain(text) for overlay in subject.overlays for text in overlay.texts}
    for field in subject.dictionary.fields:
        texts = {"section": [field.section], "label": [field.label], "note": [field.note], "choices": answers(field)}
        for attribute, found in texts.items():
            if any(plain(text) in licensed for text in found):
                what = "wording of the local overlay stands in the repository"
                yield subject.at(field, attribute, what, "put the neutral text back before you commit", rule="licensed")
    for language, table in subject.folder.translations.items():
        for number, row in table:
            if any(plain(text) in licensed for text in (row["translation"], *_answers(row["translation"]))):
                what = f"wording of the local overlay stands in the translation of {row['name']}"
                way_out = "delete the row before you commit; where nothing of it is licensed, delete the local file"
                yield Fault(f"{language}.csv", number, "translation", "licensed", what, way_out)


def _answers(choices: str) -> Iterator[str]:
    return (part.partition(",")[2] for part in choices.split("|"))


def _stem(field: Field) -> str:
    return re.sub(r"\d+", "#", field.name)
