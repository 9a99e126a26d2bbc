"""A dictionary read from CSV or from metadata rows, with all its faults found at once."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from redcap_rules.choices import parse_choices
from redcap_rules.dictionary.columns import API_COLUMNS, ATTRIBUTES, REQUIRED_COLUMNS, api_column
from redcap_rules.dictionary.model import FIELD_TYPES, Dictionary, Field
from redcap_rules.dictionary.problems import DictionaryError, Problem
from redcap_rules.names import form_name

# Spreadsheets put `sep=;` and blank lines before the header.
_BEFORE_HEADER = re.compile(r"(?:[ \t]*\n|sep=.[ \t]*\n)+", re.IGNORECASE)
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_LONGEST_NAME = 100
_OLD_TYPES = {"textarea": "notes", "select": "dropdown", "advcheckbox": "truefalse"}
_OLD_VALIDATIONS = {
    "date": "date_ymd",
    "datetime": "datetime_ymd",
    "datetime_seconds": "datetime_seconds_ymd",
    "int": "integer",
    "float": "number",
}
_FLAGS = {
    **dict.fromkeys(("y", "yes", "1", "true"), True),
    **dict.fromkeys(("", "n", "no", "0", "false"), False),
}
_FLAG_COLUMNS = ("identifier", "required_field", "matrix_ranking")
# Labels and choices keep their inner blanks; names and types are compared, so theirs go.
_TRIMMED = frozenset(API_COLUMNS) - {"section_header", "field_label", "field_note", "field_annotation"}

Cells = Mapping[str, str]
Fault = tuple[str, str, str]  # column, what is wrong, way out


def read_dictionary(text: str, source: str = "") -> Dictionary:
    """The dictionary written in a CSV with any known header spelling, delimiter and line end.

    Understood: a byte-order mark, comma, semicolon or tab, a `sep=;` line or blank lines before the header, quoted
    line breaks, missing optional columns, columns in any order, the API's column names, old names of types and
    validations.

    Args:
        text: The whole file.
        source: Where it came from, for messages.

    Raises:
        DictionaryError: With every problem found; rows count as in a spreadsheet, 1 is the header.
    """
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    before = _BEFORE_HEADER.match(plain)
    first = before.group().count("\n") + 1 if before else 1
    table = _table(plain[before.end() :] if before else plain, source)
    if not table:
        raise DictionaryError([Problem(1, "header", "the file is empty", "export it again")], source)
    columns, problems = _columns(table[0])
    if not set(REQUIRED_COLUMNS) <= set(columns):
        raise DictionaryError(sorted(problems), source)  # rows would only repeat it
    rows: list[tuple[int, Cells]] = []
    for number, row in enumerate(table[1:], start=first + 1):
        if any(cell.strip() for cell in row):
            cells = dict(zip(columns, row, strict=False))
            rows.append((number, {column: cell for column, cell in cells.items() if column}))
            problems.extend(_surplus(number, row, len(columns)))
    return _dictionary(rows, problems, source)


def from_api(rows: Iterable[Mapping[str, str]], source: str = "") -> Dictionary:
    """The dictionary of metadata rows as the API exports them (reference/redcap-api.md 9).

    Raises:
        DictionaryError: With every problem found; the first field is row 2, as in the CSV.
    """
    return _dictionary(list(enumerate(rows, start=2)), [], source)


def _table(text: str, source: str) -> list[list[str]]:
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        problem = Problem(1, "file", f"not a CSV ({error})", "close every quote and save it as CSV again")
        raise DictionaryError([problem], source) from error


def _columns(headers: Sequence[str]) -> tuple[list[str], list[Problem]]:
    columns: list[str] = []
    problems: list[Problem] = []
    for header in headers:
        try:
            column = api_column(header)
        except KeyError:
            column = ""
            problems.append(Problem(1, header, "not a column of a dictionary", "rename or delete the column"))
        if column and column in columns:
            problems.append(Problem(1, header, f"second column for {column}", "keep one of them"))
        columns.append(column)
    problems.extend(
        Problem(1, required, "the column is missing", "add it; every row needs a value there")
        for required in REQUIRED_COLUMNS
        if required not in columns
    )
    return columns, problems


def _surplus(number: int, row: Sequence[str], width: int) -> Iterator[Problem]:
    if any(cell.strip() for cell in row[width:]):
        yield Problem(number, "row", f"{len(row)} cells under {width} headers", "quote cells that hold the delimiter")


def _dictionary(rows: Sequence[tuple[int, Cells]], problems: list[Problem], source: str) -> Dictionary:
    fields: list[Field] = []
    names: set[str] = set()
    forms: list[str] = []
    for number, raw in rows:
        cells = {column: _text(column, raw.get(column)) for column in API_COLUMNS}
        field = _field(cells)
        problems.extend(Problem(number, *fault) for fault in _faults(cells, field, names, forms))
        fields.append(field)
        names.add(field.name)
        if forms[-1:] != [field.form]:
            forms.append(field.form)
    if not rows and not problems:
        problems.append(Problem(2, "field_name", "there is no field", "give at least the record id"))
    if problems:
        raise DictionaryError(sorted(problems), source)
    return Dictionary(tuple(fields))


def _text(column: str, cell: object) -> str:
    text = "" if cell is None else str(cell)
    return text.strip() if column in _TRIMMED else text


def _field(cells: Cells) -> Field:
    texts = {ATTRIBUTES[column]: cells[column] for column in API_COLUMNS if column not in _FLAG_COLUMNS}
    kind = texts["kind"].lower()
    validation = texts["validation"].lower()
    texts["kind"] = _OLD_TYPES.get(kind, kind)
    texts["validation"] = _OLD_VALIDATIONS.get(validation, validation)
    if not _FIELD_NAME.fullmatch(texts["form"]):
        texts["form"] = form_name(texts["form"])
    return Field(
        identifier=_FLAGS.get(cells["identifier"].lower(), False),
        required=_FLAGS.get(cells["required_field"].lower(), False),
        ranking=_FLAGS.get(cells["matrix_ranking"].lower(), False),
        **texts,
    )


def _faults(cells: Cells, field: Field, names: set[str], forms: Sequence[str]) -> Iterator[Fault]:
    """What is wrong with a row, given the names used before it and the forms in order up to it."""
    yield from _name_faults(field, names)
    yield from _form_faults(field, forms)
    if field.kind not in FIELD_TYPES:
        known = f"use one of {', '.join(FIELD_TYPES)}"
        yield "field_type", f"{cells['field_type']!r} is not a field type", known
    if field.kind in {"radio", "dropdown", "checkbox"}:
        yield from _choice_faults(field)
    for column in _FLAG_COLUMNS:
        if cells[column].lower() not in _FLAGS:
            yield column, f"{cells[column]!r} is not a flag", "write y or leave it blank"


def _name_faults(field: Field, names: set[str]) -> Iterator[Fault]:
    if not _FIELD_NAME.fullmatch(field.name) or len(field.name) > _LONGEST_NAME:
        rule = "start with a letter; use a-z, 0-9 and _ only, at most 100 characters"
        yield "field_name", f"{field.name!r} is not a field name", rule
    elif field.name in names:
        yield "field_name", f"{field.name!r} is used twice", "give one of them another name"


def _form_faults(field: Field, forms: Sequence[str]) -> Iterator[Fault]:
    if not field.form:
        yield "form_name", f"{field.name!r} has no form", "name the form it belongs to"
    elif field.form in forms[:-1] and field.form != forms[-1]:
        yield "form_name", f"form {field.form!r} begins a second time", "keep the rows of one form together"


def _choice_faults(field: Field) -> Iterator[Fault]:
    column = "select_choices_or_calculations"
    try:
        options = parse_choices(field.choices)
    except ValueError as error:
        yield column, str(error), "write `code, label | code, label` with every code once"
    else:
        if not options:
            yield (
                column,
                f"{field.kind} field {field.name!r} has no choices",
                "write `code, label | code, label`",
            )
