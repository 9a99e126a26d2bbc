"""The annotated case report form: every form with the name, codes, limits and condition of each field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape

from redcap_forms.words import Words, option_in
from redcap_rules.dictionary import Field
from trialdesk.instruments.design import Design
from trialdesk.instruments.documents.wording import in_words
from trialdesk.instruments.words import open_texts, words_of

_TAG = re.compile(r"<[^>]*>")
_KINDS = {"radio": "one", "dropdown": "one", "sql": "one", "checkbox": "any", "descriptive": ""}  # others by their name


def crf(design: Design, title: str, version: str) -> Mapping[str, object]:
    """What the template `crf` is given: forms with their fields, and the events each form is filled in at.

    Args:
        design: The project, with or without local wording.
        title: The trial's id and title.
        version: What tells this version from others, such as the digest of the dictionary.
    """
    dictionary, labels, words = design.dictionary, design.labels, words_of(design.language)
    events = [event.name for event in design.events] or [""]
    taken = {(slot.event, slot.form) for slot in design.mapping}
    repeats = {repeat.form for repeat in design.repeating}
    return {
        "title": title,
        "version": version,
        "words": words,
        "open_texts": open_texts(design),
        "events": [labels.event(name) if name else words["every_visit"] for name in events],
        "grid": [
            {"form": labels.form(form), "at": [not name or (name, form) in taken for name in events]}
            for form in dictionary.forms
        ],
        "forms": [
            {
                "name": form,
                "label": labels.form(form),
                "events": [labels.event(name) for name in events if (name, form) in taken],
                "repeats": form in repeats,
                "fields": list(_fields(design, form, words)),
            }
            for form in dictionary.forms
        ],
    }


def _fields(design: Design, form: str, words: Words) -> Iterator[Mapping[str, object]]:
    for field in design.dictionary.form(form):
        yield {
            "name": field.name,
            "section": plain(field.section),
            "label": plain(field.label),
            "kind": _kind(field, words),
            "options": [
                {"code": option.code, "label": plain(option_in(option.label, field, words))} for option in field.options
            ],
            "note": plain(field.note),
            "required": field.required,
            "identifier": field.identifier,
            "formula": field.choices if field.kind == "calc" else "",
            "shown": in_words(field.branching, design) if field.branching else "",
            "tags": field.annotation,
        }


def _kind(field: Field, words: Words) -> str:
    kind = field.validation or _KINDS.get(field.kind, field.kind)
    stem, _, form = kind.partition("_")
    told = " ".join((words.get(stem, stem), *form.split("_"))).strip()
    bounds = [words.get(bound, bound) for bound in (field.minimum, field.maximum)]
    return ", ".join(part for part in (told, "–".join(bounds) if any(bounds) else "") if part)


def plain(text: str) -> str:
    """A label without its mark-up."""
    return unescape(_TAG.sub("", text)).strip()
