"""The logic of fields as JavaScript: branching, formulas in the order to compute them, fills and defaults."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from redcap_forms.javascript import compiled, literal
from redcap_forms.tags import tags
from redcap_rules.calculation import CalculationCycle, Calculations
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.formulas import formula_of
from redcap_rules.logic import LogicError, parse

WHEN = re.compile(r"@IF\s*\((.*),\s*@([A-Z-]+)\s*,\s*(?:''|\"\")\s*\)", re.DOTALL)


def logic(
    dictionary: Dictionary, form: str = "", fixed: Mapping[str, bool] | None = None, unknown: Collection[str] = ()
) -> str:
    """JavaScript objects: branching, formulas in the order to compute them, conditions of fills, defaults.

    Args:
        dictionary: The fields.
        form: Only the fields of this form; all when it is blank.
        fixed: Fields whose branching is already decided: it asks for values that may not reach the browser.
        unknown: Calculated fields that the browser cannot compute, for the same reason.
    """
    fields = dictionary.form(form) if form else dictionary.fields
    branches = {f.name: _script(f.branching) for f in fields if f.branching}
    branches |= {name: str(int(holds)) for name, holds in (fixed or {}).items()}
    computed = {f.name for f in fields}.difference(unknown)
    formulas = [
        f"[{literal(f.name)},{literal(f.form)},r=>{_formula(f)}]" for f in _calculated(dictionary) if f.name in computed
    ]
    fills = {f.name: _script(found[1]) for f in fields if (found := WHEN.search(f.annotation))}
    defaults = {f.name: _default(value) for f in fields if (value := tags(f.annotation).get("DEFAULT"))}
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


def _calculated(dictionary: Dictionary) -> Sequence[Field]:
    try:
        return [formula.field for formula in Calculations(dictionary).formulas]
    except CalculationCycle:
        return [field for field in dictionary.fields if field.kind == "calc"]


def _default(value: str) -> str:
    """A default piped from one field is read as logic, anything else is its own text."""
    reference = re.fullmatch(r"(\[[\w-]+\])?\[[\w-]+(\(\w+\))?(:value)?\]", value)
    return _script(value) if reference else literal(value)
