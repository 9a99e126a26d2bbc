"""Several dictionaries made one."""

from collections.abc import Iterable

from redcap_rules.dictionary.model import Dictionary, Field
from redcap_rules.dictionary.problems import DictionaryError, Problem


def join(parts: Iterable[Dictionary]) -> Dictionary:
    """One dictionary of all parts' forms one after another, the first part's first field as record id.

    A later part may repeat the record id as its first field; it is taken once.

    Raises:
        DictionaryError: No field at all, a record id that is not text, or a field or form that two parts
            define. Rows count from 2 over all parts, as in the joined CSV.
    """
    fields: list[Field] = []
    ended: set[str] = set()
    problems: list[Problem] = []
    for part in parts:
        known = {field.name for field in fields}
        repeats_record_id = bool(fields and part.fields) and part.record_id == fields[0].name
        mine = part.fields[1:] if repeats_record_id else part.fields
        for row, field in enumerate(mine, start=len(fields) + 2):
            problems.extend(_clash(row, field, known, ended))
        fields.extend(mine)
        ended.update(part.forms)
    if not fields:
        problems.append(Problem(1, "field_name", "there is no field", "give at least the record id"))
    elif fields[0].kind != "text":
        what = f"the record id {fields[0].name!r} is a {fields[0].kind} field"
        problems.append(Problem(2, "field_type", what, "make the first field a text field"))
    if problems:
        raise DictionaryError(problems)
    return Dictionary(tuple(fields))


def _clash(row: int, field: Field, known: set[str], ended: set[str]) -> Iterable[Problem]:
    if field.name in known:
        what = f"{field.name!r} is already a field of an earlier part"
        yield Problem(row, "field_name", what, "give one of them another name")
    if field.form in ended:
        what = f"form {field.form!r} of {field.name!r} is already in an earlier part"
        yield Problem(row, "form_name", what, "keep each form in one part")
