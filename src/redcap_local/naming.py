"""The names REDCap gives new records (reference/redcap-api.md 7)."""

from __future__ import annotations

from collections.abc import Iterable


def next_name(names: Iterable[str], group: int | None) -> str:
    """The highest whole-number name plus one; `<group id>-<n>` for a user in a data access group."""
    prefix = "" if group is None else f"{group}-"
    numbers = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    highest = max((int(n) for n in numbers if n.isascii() and n.isdigit() and len(n) < 16), default=0)
    return f"{prefix}{highest + 1}"
