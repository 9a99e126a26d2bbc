"""What the browser is given of a form: its fields, its logic, and the values of the record that they ask for.

Values of forms the user may not see never leave the server. Branching that asks for them is decided here, and what is
calculated from them is left as it is until the form is saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from redcap_forms.logic import logic
from redcap_forms.markup import piped_references, shown
from redcap_forms.model import Json, form_model, script_words
from redcap_forms.tags import decided, tags
from redcap_local.columns import STATUS_LABELS
from redcap_local.pages import smart
from redcap_local.pages.answers import Spot
from redcap_local.pages.visit import Visit
from redcap_local.project import Project
from redcap_local.storage import records
from redcap_local.view import Cells, cells, record_view
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.formulas import formula_of
from redcap_rules.logic import LogicError, evaluate, is_true, parse, references
from redcap_rules.record import RecordView


@dataclass(frozen=True)
class Scene:
    """A form of a record as one user sees it: the record's rows, and the values of smart variables."""

    project: Project
    where: Spot
    seen: frozenset[str]
    rows: Cells
    view: RecordView
    smart: Mapping[str, str]
    visit: Visit

    def holds(self, text: str) -> bool:
        """Whether a condition is true here; one that cannot be read is not."""
        event, form = self.where.event, self.where.form
        instrument = self.project.row_instrument(event.id, form)
        now = self.visit.call.now
        try:
            value = evaluate(
                parse(text), self.view, event=self.project.rule_event(event), instrument=instrument or "",
                instance=0 if instrument is None else self.where.instance, today=now.date(), now=now, smart=self.smart,
            )  # fmt: skip
        except LogicError:
            return False
        return is_true(value)


def scene(visit: Visit, where: Spot) -> Scene:
    """The form of that spot, for the user of the visit."""
    project, record = visit.project, where.record
    stored = records.values(visit.call.connection, [record.id]) if record else ()
    rows = cells(project, (value[1:] for value in stored))
    seen = frozenset(form for form in project.dictionary.forms if visit.user.rights.views(form))
    return Scene(project, where, seen, rows, record_view(project, where.name, rows), smart.of_form(visit, where), visit)


def decided_dictionary(here: Scene) -> Dictionary:
    """The project's dictionary with `@IF` of the form's fields decided for this record."""
    dictionary = here.project.dictionary
    fields = [
        replace(field, annotation=decided(field.annotation, here.holds))
        if field.form == here.where.form and "@IF" in field.annotation
        else field
        for field in dictionary.fields
    ]
    return replace(dictionary, fields=tuple(fields))


def model(here: Scene, dictionary: Dictionary, readonly: Iterable[str]) -> Json:
    """The data that the form is drawn from.

    Args:
        here: The form.
        dictionary: The dictionary with `@IF` decided.
        readonly: Fields that nobody types into, whatever their tags.
    """
    project, form = here.project, here.where.form
    asked = set(_asked(dictionary, form))
    fixed = {dictionary.record_id, *readonly}
    fields = [{**one, "readonly": one["readonly"] or one["name"] in fixed} for one in form_model(dictionary, form)]
    events = [event for event in project.shown_events if event.arm == here.where.event.arm]
    return {
        "labels": {form: project.form_label(form)},
        "events": [
            {
                "name": project.rule_event(event),
                "label": event.label if project.longitudinal else "",
                "forms": [form] if event.id == here.where.event.id else [],
            }
            for event in events
        ],
        "repeats": [[project.rule_event(project.events_by_id[event]), kind] for event, kind in project.repeating],
        "forms": {form: [*fields, _status(project, form)]},
        "others": [_other(one) for one in dictionary.fields if one.form != form and one.name in asked],
        "words": script_words(),
        "commas": sorted(dictionary.comma_decimals),
        "missing": [[choice.code, shown(choice.label)] for choice in dictionary.missing_codes],
        "clock": project.settings["display_today_now_button"] == "1",
    }


def scripts(here: Scene, dictionary: Dictionary) -> str:
    """The form's logic as JavaScript."""
    form = here.where.form
    fields = dictionary.form(form)
    secret = [f for f in fields if not _may_know(here, _of_logic(f.branching))]
    fixed = {f.name: here.holds(f.branching) for f in secret}
    unknown = [f.name for f in fields if not _may_know(here, _of_formula(f))]
    return logic(dictionary, form, fixed, unknown)


def values(here: Scene, dictionary: Dictionary) -> Json:
    """The rows of the record, as far as the form's logic and labels ask for them: by event, and of what repeats."""
    project, where = here.project, here.where
    wanted = {column for name in _asked(dictionary, where.form) for column in _columns(dictionary, name)}
    single: dict[str, dict[str, str]] = {}
    several: dict[str, dict[str, dict[int, dict[str, str]]]] = {}
    for (event, instrument, instance), row in here.rows.items():
        if project.events_by_id[event].arm != where.event.arm:
            continue
        name = project.rule_event(project.events_by_id[event])
        kept = {column: value for column, value in row.items() if _is_given(here, wanted, column)}
        kept[dictionary.record_id] = where.name
        if instance:
            several.setdefault(name, {}).setdefault(instrument, {})[instance] = kept
        else:
            single[name] = kept
    return {"values": single, "instances": several}


def _is_given(here: Scene, wanted: set[str], column: str) -> bool:
    form = here.project.columns[column].form
    return form in here.seen and (form == here.where.form or column in wanted)


def _asked(dictionary: Dictionary, form: str) -> list[str]:
    """The fields and statuses that logic and labels of a form ask for."""
    found: dict[str, None] = {dictionary.record_id: None}
    for field in dictionary.form(form):
        default = tags(field.annotation).get("DEFAULT", "")
        names = [*_of_logic(field.branching), *_of_formula(field)]
        texts = (field.section, field.label, field.note, default)
        names += [reference.field for text in texts for reference in piped_references(text)]
        found |= dict.fromkeys(names)
    return list(found)


def _of_logic(text: str) -> list[str]:
    if not text.strip():
        return []
    try:
        return [reference.field for reference in references(parse(text))]
    except LogicError:
        return []


def _of_formula(field: Field) -> list[str]:
    try:
        formula = formula_of(field)
    except LogicError:
        return []
    return [reference.field for reference in formula.references] if formula else []


def _may_know(here: Scene, names: Iterable[str]) -> bool:
    """Whether the user may see every one of the fields."""
    columns = here.project.dictionary
    forms = {f.name: f.form for f in columns.fields} | {columns.status_field(form): form for form in columns.forms}
    return all(forms.get(name, here.where.form) in here.seen for name in names)


def _columns(dictionary: Dictionary, name: str) -> tuple[str, ...]:
    return dictionary.columns_of(dictionary.get(name)) if name in dictionary else (name,)


def _other(field: Field) -> Json:
    """What piping and logic need to know of a field of another form."""
    return {
        "name": field.name,
        "form": field.form,
        "kind": field.kind,
        "validation": field.validation,
        "options": [[option.code, shown(option.label)] for option in field.options],
    }


def _status(project: Project, form: str) -> Json:
    """The form's status as its last field."""
    name = project.dictionary.status_field(form)
    choices = " | ".join(f"{code}, {label}" for code, label in STATUS_LABELS.items())
    field = Field(name, form, "dropdown", section="Form Status", label="Complete?", choices=choices)
    return form_model(Dictionary((field,)), form)[0]
