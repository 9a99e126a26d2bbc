"""A project's data dictionary: its fields and forms, in order."""

from dataclasses import dataclass
from functools import cached_property

from redcap_rules.choices import TRUE_FALSE, YES_NO, Choice, checkbox_column, parse_choices
from redcap_rules.names import status_field

FIELD_TYPES = (
    "text", "notes", "radio", "dropdown", "calc", "file", "checkbox", "yesno", "truefalse", "descriptive",
    "slider", "sql",
)  # fmt: skip
_FIXED_OPTIONS = {"yesno": YES_NO, "truefalse": TRUE_FALSE}
_CODED = frozenset({"radio", "dropdown", "checkbox"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the dictionary; attributes are the 18 columns of reference/redcap-api.md 9 under shorter names.

    `choices` is the raw cell: choices, calculation or slider labels.
    """

    name: str
    form: str
    kind: str
    section: str = ""
    label: str = ""
    choices: str = ""
    note: str = ""
    validation: str = ""
    minimum: str = ""
    maximum: str = ""
    identifier: bool = False
    branching: str = ""
    required: bool = False
    alignment: str = ""
    question: str = ""
    matrix: str = ""
    ranking: bool = False
    annotation: str = ""

    @property
    def options(self) -> tuple[Choice, ...]:
        """The answers of a radio, dropdown, checkbox, yesno or truefalse field; else ()."""
        if self.kind in _CODED:
            return parse_choices(self.choices)
        return _FIXED_OPTIONS.get(self.kind, ())

    @property
    def columns(self) -> tuple[str, ...]:
        """The export columns: the name, or one per option of a checkbox; () for a descriptive field."""
        if self.kind == "checkbox":
            return tuple(checkbox_column(self.name, option.code) for option in self.options)
        return () if self.kind == "descriptive" else (self.name,)


@dataclass(frozen=True)
class Dictionary:
    """The fields of a project in order, the first being the record id, and its missing-data codes.

    A missing-data code can be the value of any field, and one more option of every checkbox
    (reference/redcap-validation-facts.md 2).
    """

    fields: tuple[Field, ...]
    missing_codes: tuple[Choice, ...] = ()

    @property
    def record_id(self) -> str:
        """The name of the record-id field."""
        return self.fields[0].name

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """The instruments in order of first appearance."""
        return tuple(self._by_form)

    def form(self, name: str) -> tuple[Field, ...]:
        """The fields of an instrument in order; KeyError if there is no such instrument."""
        return self._by_form[name]

    def get(self, name: str) -> Field:
        """The field of that name; KeyError if there is none."""
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def form_of(self, column: str) -> str:
        """The instrument of an export column, also for `x___1` and `<form>_complete`; else KeyError."""
        return self._form_of_column[column]

    def ticks(self, field: Field) -> dict[str, Choice]:
        """What can be ticked in a checkbox by its export column: its options, then the missing-data codes."""
        found: dict[str, Choice] = {}
        for option in (*field.options, *self.missing_codes):
            # A code spelled like an option of the field has no column of its own.
            found.setdefault(checkbox_column(field.name, option.code), option)
        return found

    def columns_of(self, field: Field) -> tuple[str, ...]:
        """The export columns of a field, those of the missing-data codes of a checkbox included."""
        return tuple(self.ticks(field)) if field.kind == "checkbox" else field.columns

    def status_field(self, form: str) -> str:
        """The name of an instrument's form-status column."""
        return status_field(form)

    @cached_property
    def comma_decimals(self) -> frozenset[str]:
        """The fields whose numbers are stored with a comma."""
        return frozenset(field.name for field in self.fields if field.validation.endswith("comma_decimal"))

    def label_of(self, name: str, code: str) -> str:
        """The label of a field's stored code, or of a missing-data code; the code itself where there is none."""
        options = self.get(name).options if name in self else ()
        return next((option.label for option in (*options, *self.missing_codes) if option.code == code), code)

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    @cached_property
    def _by_form(self) -> dict[str, tuple[Field, ...]]:
        forms: dict[str, list[Field]] = {}
        for field in self.fields:
            forms.setdefault(field.form, []).append(field)
        return {form: tuple(fields) for form, fields in forms.items()}

    @cached_property
    def _form_of_column(self) -> dict[str, str]:
        forms = {self.status_field(form): form for form in self.forms}
        for field in self.fields:
            forms[field.name] = field.form
            forms.update(dict.fromkeys(self.columns_of(field), field.form))
        return forms
