"""Reading the `data` parameter: JSON, CSV and XML all become rows of texts."""

from __future__ import annotations

import csv
import json
from io import StringIO
from xml.etree import ElementTree

from redcap_local import messages
from redcap_local.messages import ApiError
from redcap_local.wire.parameters import Parameters
from redcap_local.wire.text import clean

DataRow = dict[str, str]
csv.field_size_limit(2**31 - 1)


def rows(parameters: Parameters, *, maps: bool = False) -> list[DataRow]:
    """The items of the `data` parameter in the format of the request, every value a text.

    A single JSON object counts as one item. With `maps` a value may be an object, as the rights by form of users and
    roles are; it becomes the text `form:right,form:right`.

    Raises:
        ApiError: The text is not what the format promises.
    """
    text, form = parameters.text("data"), parameters.format
    if not text.strip():
        return []
    if "\0" in text:
        raise ApiError(messages.BAD_DATA, "it holds a NUL character")
    if form == "json":
        return _json_rows(text, maps)
    return _csv_rows(clean(text), parameters.delimiter) if form == "csv" else _xml_rows(clean(text), maps)


def is_single_object(text: str, form: str) -> bool:
    """True for one JSON object where a list of objects is expected."""
    return form == "json" and text.lstrip().startswith("{")


def _json_rows(text: str, maps: bool) -> list[DataRow]:
    try:
        parsed = json.loads(text, parse_constant=lambda name: name)
    except (ValueError, RecursionError) as error:
        raise ApiError(messages.BAD_DATA, f"JSON, {error}") from None
    items = [parsed] if isinstance(parsed, dict) else parsed
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ApiError(messages.BAD_DATA, "JSON must be a list of objects")
    return [{clean(key): _json_value(value, maps) for key, value in item.items()} for item in items]


def _json_value(value: object, maps: bool = False) -> str:
    if isinstance(value, str):
        return value if value.isascii() and "\0" not in value else clean(value.replace("\0", ""))
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int | float):
        return _number_text(value)
    if isinstance(value, dict) and maps:
        return ",".join(f"{clean(key)}:{_json_value(right)}" for key, right in value.items())
    raise ApiError(messages.BAD_DATA, "JSON values must be texts, numbers or booleans")


def _number_text(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # whole numbers of more than 4 300 digits
        raise ApiError(messages.BAD_DATA, "JSON holds a number that is too long") from None


def _csv_rows(text: str, delimiter: str) -> list[DataRow]:
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True)
    try:
        # A spreadsheet leaves lines of nothing but delimiters behind (reference/redcap-validation-facts.md 3).
        lines = [line for line in reader if any(map(str.strip, line))]
    except csv.Error as error:
        raise ApiError(messages.BAD_DATA, f"CSV line {reader.line_num}, {error}") from None
    if not lines:
        return []
    header = [name.strip() for name in lines[0]]
    width = len(header)
    for place, line in enumerate(lines[1:], start=2):
        if len(line) > width:
            raise ApiError(messages.BAD_DATA, f"CSV row {place} has {len(line)} cells under {width} headers")
    # Of two columns of one name the later counts.
    return [dict(zip(header, line, strict=False)) for line in lines[1:]]


def _xml_rows(text: str, maps: bool) -> list[DataRow]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ApiError(messages.BAD_DATA, "XML must not declare a document type")
    try:
        root = ElementTree.fromstring(text.strip().encode())  # noqa: S314 - without a DTD there are no entities
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ApiError(messages.BAD_DATA, f"XML, {error}") from None
    items = [root] if root.tag == "item" else root.findall("item")
    return [{child.tag: _xml_value(child, maps) for child in item} for item in items]


def _xml_value(element: ElementTree.Element, maps: bool) -> str:
    if len(element) and not maps:
        raise ApiError(messages.BAD_DATA, f"XML, <{element.tag}> holds elements instead of a text")
    if len(element):
        return ",".join(f"{child.tag}:{child.text or ''}" for child in element)
    return element.text or ""
