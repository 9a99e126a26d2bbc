"""The source of tokens and names that nobody can guess."""

from __future__ import annotations

import secrets

HEX = "0123456789ABCDEF"
"""The digits of tokens."""


def random_text(alphabet: str, length: int) -> str:
    """A random text of that length over the alphabet."""
    return "".join(secrets.choice(alphabet) for _ in range(length))
