"""combineCheckboxOptions: all ticked options of a checkbox in one column (reference/redcap-api.md 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from redcap_local.columns import Column
from redcap_local.storage.records import StoredValue

# Between the codes of one value. A code holds no comma: it ends at the first one where options are defined.
BETWEEN_CODES = ","


def combined_columns(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns, each checkbox being one, named after its field, where its first option was."""
    found: dict[str, Column] = {}
    for column in columns:
        if column.code and column.field is not None:
            name = column.field.name
            parts = (*found[name].parts, column) if name in found else (column,)
            found[name] = Column(name, column.form, column.field, parts=parts)
        else:
            found[column.name] = column
    return tuple(found.values())


def combined_values(columns: Iterable[Column], stored: Iterable[StoredValue]) -> list[StoredValue]:
    """What is stored for a record, the ticks of each combined column as one value: its codes in order of options."""
    options = {
        part.name: (column.name, place, part.code) for column in columns for place, part in enumerate(column.parts)
    }
    kept: list[StoredValue] = []
    ticked: dict[tuple[int, int, int, str], list[tuple[int, str]]] = {}
    for value in stored:
        option = options.get(value[3])
        if option is None:
            kept.append(value)
        else:
            ticked.setdefault((*value[:3], option[0]), []).append(option[1:])
    kept += [(*key, BETWEEN_CODES.join(code for _, code in sorted(codes))) for key, codes in ticked.items()]
    return kept


def shown_together(labels: Mapping[str, str], delimiter: str) -> Callable[[str], str]:
    """A function that shows a combined value: the labels of its codes, or the codes themselves."""
    return lambda value: delimiter.join(labels.get(code, code) for code in value.split(BETWEEN_CODES))
