"""Fields as the plain data that `form.js.j2` draws."""

from __future__ import annotations

from collections.abc import Mapping

from redcap_forms.logic import WHEN
from redcap_forms.markup import shown
from redcap_forms.tags import FILLS, tags
from redcap_forms.words import WORDS, Words, option_in, refusal_in
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.validation import TYPES

Json = Mapping[str, object]


def script_words(words: Words = WORDS) -> Json:
    """The words that the script shows by itself."""
    return {name: words[name] for name in WORDS}


def form_model(dictionary: Dictionary, form: str, words: Words = WORDS) -> list[Json]:
    """The fields of a form, in order, with REDCap's own words in that language."""
    return [field_model(field, dictionary, words) for field in dictionary.form(form)]


def field_model(field: Field, dictionary: Dictionary, words: Words) -> Json:
    """One field: what is shown of it, what it takes, and how its action tags make it behave."""
    kind = TYPES.get(field.validation) if field.kind == "text" else None
    return {
        "name": field.name,
        "form": field.form,
        "kind": field.kind,
        "section": shown(field.section, dictionary),
        "label": shown(field.label, dictionary),
        "note": shown(field.note, dictionary),
        "options": [[option.code, shown(option_in(option.label, field, words))] for option in field.options],
        "labels": [part.strip() for part in field.choices.split("|")] if field.kind == "slider" else [],
        "validation": field.validation,
        "type": kind.data_type if kind else "",
        "pattern": kind.pattern if kind else "",
        "format": kind.label if kind else "",
        "message": refusal_in(field, words),
        "minimum": field.minimum,
        "maximum": field.maximum,
        "required": field.required,
        "alignment": field.alignment or "RV",
        "matrix": field.matrix,
        "branching": field.branching,
        "formula": field.choices if field.kind == "calc" else "",
        "code": "autocomplete" if field.validation == "autocomplete" else "",
        **_behaviour(field),
    }


def _behaviour(field: Field) -> Json:
    found = tags(field.annotation)
    when = WHEN.search(field.annotation)
    return {
        "readonly": "READONLY" in found or {"CALCTEXT", "CALCDATE"} & found.keys() != set(),
        "readonlySurvey": "READONLY-SURVEY" in found,
        "readonlyForm": "READONLY-FORM" in found,
        "hidden": "HIDDEN" in found,
        "hiddenSurvey": "HIDDEN-SURVEY" in found,
        "hiddenForm": "HIDDEN-FORM" in found,
        "none": _codes(found.get("NONEOFTHEABOVE", "")),
        "without": _codes(found.get("HIDECHOICE", "")),
        "placeholder": found.get("PLACEHOLDER", ""),
        "letters": found.get("CHARLIMIT", ""),
        "fill": when[2] if when else next((name for name in FILLS if name in found), ""),
    }


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.split(",") if code.strip()]
