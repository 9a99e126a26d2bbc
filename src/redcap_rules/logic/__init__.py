"""REDCap's logic language: branching, calculations, filters and data-quality rules (reference/instruments.md 2.2)."""

from redcap_rules.logic.errors import LogicError
from redcap_rules.logic.evaluation import Given, evaluate
from redcap_rules.logic.expression import Expression, references
from redcap_rules.logic.parsing import parse
from redcap_rules.logic.printing import to_text
from redcap_rules.logic.syntax import Reference, Span
from redcap_rules.logic.table import compile_table
from redcap_rules.logic.values import Value, is_true, number_text

__all__ = [
    "Expression",
    "Given",
    "LogicError",
    "Reference",
    "Span",
    "Value",
    "compile_table",
    "evaluate",
    "is_true",
    "number_text",
    "parse",
    "references",
    "to_text",
]
