"""The annotated case report form: every form with the name, codes, limits and condition of each field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape

from redcap_rules.dictionary import Field
from trialdesk.instruments.design import Design
from trialdesk.instruments.documents.wording import in_words

_TAG = re.compile(r"<[^>]*>")
_KINDS = {
    "text": "text", "notes": "long text", "radio": "one answer", "dropdown": "one answer", "checkbox": "any answers",
    "yesno": "yes or no", "truefalse": "true or false", "calc": "calculated", "slider": "slider 0–100", "file": "file",
    "descriptive": "", "sql": "one answer",
}  # fmt: skip


def crf(design: Design, title: str, version: str) -> Mapping[str, object]:
    """What the template `crf` is given: forms with their fields, and the events each form is filled in at.

    Args:
        design: The project, with or without local wording.
        title: The trial's id and title.
        version: What tells this version from others, such as the digest of the dictionary.
    """
    dictionary, labels = design.dictionary, design.labels
    events = [event.name for event in design.events] or [""]
    taken = {(slot.event, slot.form) for slot in design.mapping}
    repeats = {repeat.form for repeat in design.repeating}
    return {
        "title": title,
        "version": version,
        "events": [labels.event(name) if name else "Every visit" for name in events],
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
                "fields": list(_fields(design, form)),
            }
            for form in dictionary.forms
        ],
    }


def _fields(design: Design, form: str) -> Iterator[Mapping[str, object]]:
    for field in design.dictionary.form(form):
        yield {
            "name": field.name,
            "section": plain(field.section),
            "label": plain(field.label),
            "kind": _kind(field),
            "options": [{"code": option.code, "label": plain(option.label)} for option in field.options],
            "note": plain(field.note),
            "required": field.required,
            "identifier": field.identifier,
            "formula": field.choices if field.kind == "calc" else "",
            "shown": in_words(field.branching, design.dictionary, design.labels) if field.branching else "",
            "tags": field.annotation,
        }


def _kind(field: Field) -> str:
    words = _KINDS.get(field.kind, field.kind)
    limits = "–".join((field.minimum, field.maximum)) if field.minimum or field.maximum else ""
    return ", ".join(part for part in (field.validation.replace("_", " ") or words, limits) if part)


def plain(text: str) -> str:
    """A label without its mark-up."""
    return unescape(_TAG.sub("", text)).strip()
