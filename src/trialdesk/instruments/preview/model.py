"""What the page shows: events, forms and fields as plain data, and their logic as JavaScript."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from redcap_rules.calculation import CalculationCycle, calculation_order
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.formulas import formula_of
from redcap_rules.logic import LogicError, parse
from redcap_rules.validation import TYPES
from trialdesk.instruments.design import Design
from trialdesk.instruments.preview.javascript import compiled, literal
from trialdesk.instruments.words import Words, option_in, words_of

Json = Mapping[str, object]

# REDCap shows simple mark-up in labels; attributes are dropped and everything else is text.
_MARKUP = re.compile(
    r"&lt;(/?)(b|i|u|em|strong|br|p|div|span|h[1-6]|ul|ol|li|sub|sup)(?:\s.*?)?\s*/?&gt;", re.IGNORECASE
)
_MESSAGES = {"number": "not_a_number", "integer": "not_an_integer", "email": "not_an_email"}
_FILLS = ("TODAY", "TODAY-SERVER", "TODAY-UTC", "NOW", "NOW-SERVER", "NOW-UTC", "USERNAME")
_TAG = re.compile(r"(?<![\w.])@([A-Z][A-Z0-9-]*)(?:\s*=\s*('[^']*'|\"[^\"]*\"|[\w.]+))?")
_WHEN = re.compile(r"@IF\s*\((.*),\s*@([A-Z-]+)\s*,\s*(?:''|\"\")\s*\)", re.DOTALL)


def model(design: Design, title: str) -> Json:
    """The page's data: events with their forms, forms with their fields."""
    dictionary, words = design.dictionary, words_of(design.language)
    return {
        "title": title,
        "words": {name: words[name] for name in ("repeats", "shown_if", "required", "reset", "upload")},
        "labels": {form: design.labels.form(form) for form in dictionary.forms},
        "events": list(_events(design)) or [{"name": "", "label": "", "forms": list(dictionary.forms)}],
        "repeating": sorted({repeat.form for repeat in design.repeating}),
        "forms": {form: [_field(field, words) for field in dictionary.form(form)] for form in dictionary.forms},
        "messages": {"range": words["out_of_range"]},
        "commas": sorted(name for name in (f.name for f in dictionary.fields) if name in dictionary.comma_decimals),
    }


def _events(design: Design) -> Iterator[Json]:
    """The events that hold a form of the dictionary, with their forms."""
    for event in design.events:
        slots = (slot for slot in design.mapping if slot.event == event.name)
        forms = [slot.form for slot in slots if slot.form in design.dictionary.forms]
        if forms:
            yield {"name": event.name, "label": design.labels.events.get(event.name, event.label), "forms": forms}


def logic(dictionary: Dictionary) -> str:
    """JavaScript objects: branching, formulas in the order to compute them, conditions of fills, defaults."""
    branches = {f.name: _script(f.branching) for f in dictionary.fields if f.branching}
    formulas = [f"[{literal(f.name)},{literal(f.form)},r=>{_formula(f)}]" for f in _calculated(dictionary)]
    fills = {f.name: _script(found[1]) for f in dictionary.fields if (found := _WHEN.search(f.annotation))}
    defaults = {f.name: _default(value) for f in dictionary.fields if (value := _tags(f).get("DEFAULT"))}
    return "\n".join((
        f"const BRANCHING = {_functions(branches)};",
        f"const CALCULATIONS = [{','.join(formulas)}];",
        f"const FILLS = {_functions(fills)};",
        f"const DEFAULTS = {_functions(defaults)};",
    ))  # fmt: skip


def _functions(codes: Mapping[str, str]) -> str:
    # without a prototype, a field called `constructor` finds nothing of JavaScript's own
    members = ("__proto__:null", *(f"{literal(name)}:r=>{code}" for name, code in codes.items()))
    return f"{{{','.join(members)}}}"


def _script(text: str) -> str:
    try:
        return compiled(parse(text))
    except LogicError:
        return '""'  # `check` says what is wrong; the page shows the formula as it stands


def _formula(field: Field) -> str:
    try:
        formula = formula_of(field)
        codes = [compiled(expression) for expression in formula.expressions] if formula else ['""']
    except LogicError:
        return '""'
    if len(codes) > 1:  # @CALCDATE
        return f"date({','.join(codes)})"
    return f"number({codes[0]})" if field.kind == "calc" else f"text({codes[0]})"


def _calculated(dictionary: Dictionary) -> Iterator[Field]:
    try:
        yield from calculation_order(dictionary)
    except (CalculationCycle, LogicError):
        yield from (field for field in dictionary.fields if field.kind == "calc")


def _default(value: str) -> str:
    """A default piped from one field is read as logic, anything else is its own text."""
    reference = re.fullmatch(r"(\[[\w-]+\])?\[[\w-]+(\(\w+\))?(:value)?\]", value)
    return _script(value) if reference else literal(value)


def _tags(field: Field) -> Mapping[str, str]:
    return {found[1]: (found[2] or "").strip("'\"") for found in _TAG.finditer(field.annotation)}


def _field(field: Field, words: Words) -> Json:
    tags = _tags(field)
    kind = TYPES.get(field.validation) if field.kind == "text" else None
    when = _WHEN.search(field.annotation)
    return {
        "name": field.name,
        "kind": field.kind,
        "section": _shown(field.section),
        "label": _shown(field.label),
        "note": _shown(field.note),
        "options": [[option.code, _shown(option_in(option.label, field, words))] for option in field.options],
        "labels": [part.strip() for part in field.choices.split("|")] if field.kind == "slider" else [],
        "validation": field.validation,
        "type": kind.data_type if kind else "",
        "pattern": kind.pattern if kind else "",
        "message": words[_MESSAGES.get(field.validation, "wrong_format")],
        "minimum": field.minimum,
        "maximum": field.maximum,
        "required": field.required,
        "alignment": field.alignment or "RV",
        "matrix": field.matrix,
        "branching": field.branching,
        "formula": field.choices if field.kind == "calc" else "",
        "readonly": "READONLY" in tags or {"CALCTEXT", "CALCDATE"} & tags.keys() != set(),
        "readonlySurvey": "READONLY-SURVEY" in tags,
        "hidden": "HIDDEN" in tags,
        "hiddenSurvey": "HIDDEN-SURVEY" in tags,
        "none": [code.strip() for code in tags.get("NONEOFTHEABOVE", "").split(",") if code.strip()],
        "fill": when[2] if when else next((name for name in _FILLS if name in tags), ""),
        "code": "autocomplete" if field.validation == "autocomplete" else "",
    }


def _shown(text: str) -> str:
    """A text as safe mark-up."""
    return _MARKUP.sub(lambda m: f"<{m[1]}{m[2].lower()}>", html.escape(text, quote=False)).replace("\n", "<br>")
