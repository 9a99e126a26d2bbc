"""REDCap's own data quality rules, which every project has (reference/redcap-validation-facts.md 2, C.4.18.0300).

Blank values are looked for where a form has data and branching shows the field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

from redcap_local.pages.discrepancies import Discrepancy, Outcome, Seen, every_record
from redcap_local.pages.visit import Visit
from redcap_local.project import Project
from redcap_local.view import RowPlace
from redcap_rules.dictionary import Field
from redcap_rules.formulas import is_computed
from redcap_rules.logic import LogicError, parse
from redcap_rules.validation import TYPES, out_of_range, refusal

_CHOICES = frozenset({"radio", "dropdown", "yesno", "truefalse"})
_ASKED = _CHOICES | {"text", "notes", "slider", "file"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A field in a row of a record, in a form with data."""

    seen: Seen
    place: RowPlace
    field: Field

    @property
    def project(self) -> Project:
        """The project it is in."""
        return self.seen.visit.project

    @property
    def value(self) -> str:
        """What it holds; of a checkbox the codes of what is ticked."""
        row = self.seen.rows[self.place]
        if self.field.kind != "checkbox":
            return row.get(self.field.name, "")
        ticks = self.project.dictionary.ticks(self.field)
        return ",".join(option.code for column, option in ticks.items() if row.get(column) == "1")

    @property
    def shown(self) -> bool:
        """Whether branching shows it; so it does when its logic cannot be read."""
        try:
            return not self.field.branching or self.seen.holds(parse(self.field.branching), self.place)
        except LogicError:
            return True

    @property
    def missing(self) -> bool:
        """Whether it holds a missing-data code."""
        codes = {choice.code for choice in self.project.dictionary.missing_codes}
        return not codes.isdisjoint(self.value.split(",") if self.field.kind == "checkbox" else [self.value])


@dataclass(frozen=True, slots=True)
class OwnRule:
    """A rule with its letter, REDCap's name for it, and the cells that it finds among all."""

    letter: str
    name: str
    finds: Callable[[Iterable[Cell]], Iterable[Cell]]


def _each(holds: Callable[[Cell], bool]) -> Callable[[Iterable[Cell]], Iterable[Cell]]:
    """A rule that looks at every cell by itself."""
    return lambda cells: filter(holds, cells)


def _is_blank(cell: Cell) -> bool:
    asked = cell.field.kind in _ASKED and not is_computed(cell.field)
    return asked and not cell.value and cell.shown


def _is_required(cell: Cell) -> bool:
    return cell.field.required and _is_blank(cell)


def _is_of_wrong_type(cell: Cell) -> bool:
    asked = cell.field.kind in {"text", "slider"} and not cell.missing
    return asked and refusal(cell.field, cell.value) is not None


def _is_out_of_range(cell: Cell) -> bool:
    asked = cell.field.kind in {"text", "slider"} and not cell.missing
    return asked and out_of_range(cell.field, cell.value, cell.seen.visit.call.now.date())


def _is_hidden(cell: Cell) -> bool:
    return cell.field.kind != "calc" and bool(cell.value) and not cell.shown


def _is_no_choice(cell: Cell) -> bool:
    return cell.field.kind in _CHOICES and not cell.missing and refusal(cell.field, cell.value) is not None


def _is_miscalculated(cell: Cell) -> bool:
    return is_computed(cell.field) and cell.field.name in cell.seen.miscalculated.get(cell.place, ())


def _outliers(cells: Iterable[Cell]) -> Iterator[Cell]:
    """Numbers more than two standard deviations from the mean of their field."""
    by_field: dict[str, list[tuple[Cell, float]]] = {}
    for cell in cells:
        number = None if cell.missing else _number(cell)
        if number is not None:
            by_field.setdefault(cell.field.name, []).append((cell, number))
    for found in by_field.values():
        numbers = [number for _, number in found]
        mean, spread = fmean(numbers), stdev(numbers) if len(numbers) > 1 else 0.0
        yield from (cell for cell, number in found if abs(number - mean) > 2 * spread)


def _number(cell: Cell) -> float | None:
    kind = TYPES.get(cell.field.validation)
    numeric = cell.field.kind in {"calc", "slider"} or (kind is not None and kind.data_type in {"number", "integer"})
    try:
        return float(cell.value.replace(",", ".")) if numeric else None
    except ValueError:
        return None


OWN_RULES: Mapping[str, OwnRule] = {
    rule.letter: rule
    for rule in (
        OwnRule("A", "Blank values", _each(_is_blank)),
        OwnRule("B", "Blank values (required fields only)", _each(_is_required)),
        OwnRule("C", "Field validation errors (incorrect data type)", _each(_is_of_wrong_type)),
        OwnRule("D", "Field validation errors (out of range)", _each(_is_out_of_range)),
        OwnRule("E", "Outliers for numerical fields", _outliers),
        OwnRule("F", "Hidden fields that contain values", _each(_is_hidden)),
        OwnRule("G", "Multiple choice fields with invalid values", _each(_is_no_choice)),
        OwnRule("H", "Incorrect values for calculated fields", _each(_is_miscalculated)),
        OwnRule("I", "Fields containing missing data codes", _each(lambda cell: cell.missing)),
    )
}


def execute_own(visit: Visit, rule: OwnRule) -> Outcome:
    """The fields for which the rule holds, in the forms and records that the user sees."""
    every = (cell for seen in every_record(visit) for cell in _cells(seen))
    return Outcome(found=tuple(map(_discrepancy, rule.finds(every))))


def _cells(seen: Seen) -> Iterator[Cell]:
    project, rights = seen.visit.project, seen.visit.user.rights
    for place, row in seen.rows.items():
        for form in filter(rights.views, _forms_of_row(project, place)):
            if project.dictionary.status_field(form) in row:
                fields = project.dictionary.form(form)
                yield from (Cell(seen, place, field) for field in fields if field.kind != "descriptive")


def _forms_of_row(project: Project, place: RowPlace) -> Iterator[str]:
    event, instrument, instance = place
    for form in project.dictionary.forms:
        kind = project.row_instrument(event, form)
        if form in project.forms_of(project.events_by_id[event]) and (kind or "", kind is None) == (
            instrument, not instance,
        ):  # fmt: skip
            yield form


def _discrepancy(cell: Cell) -> Discrepancy:
    return cell.seen.discrepancy(cell.place, cell.field.form, f"{cell.field.name} = {cell.value!r}")
