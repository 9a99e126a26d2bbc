"""The action tags of a field, and `@IF` decided for one record (reference/redcap-validation-facts.md 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from redcap_rules.formulas import tag_arguments
from redcap_rules.logic import LogicError

FILLS = ("TODAY", "TODAY-SERVER", "TODAY-UTC", "NOW", "NOW-SERVER", "NOW-UTC", "USERNAME")
_TAG = re.compile(r"(?<![\w.])@([A-Z][A-Z0-9-]*)(?:\s*=\s*('[^']*'|\"[^\"]*\"|[\w.]+))?")
_IF = re.compile(r"@IF\s*\(")
_MOST = 100  # a field has a few; what never ends is a mistake in the annotation


def tags(annotation: str) -> Mapping[str, str]:
    """The tags by name with their values; '' for a tag without one."""
    return {found[1]: (found[2] or "").strip("'\"") for found in _TAG.finditer(annotation)}


def decided(annotation: str, holds: Callable[[str], bool]) -> str:
    """The annotation with every `@IF(condition, this, that)` replaced by what it stands for.

    Args:
        annotation: The field's annotation.
        holds: Whether a condition is true where the form is opened.
    """
    for _ in range(_MOST):
        found = _IF.search(annotation)
        if found is None:
            break
        try:
            arguments, end = tag_arguments(annotation, found.end())
        except LogicError:
            break  # its parenthesis is never closed: `check` says so, the page shows the field without it
        chosen = ""
        if len(arguments) >= 3:
            chosen = arguments[1] if holds(arguments[0]) else ",".join(arguments[2:])
        chosen = "" if chosen.strip() in {"''", '""'} else chosen
        annotation = annotation[: found.start()] + chosen + annotation[end:]
    return annotation
