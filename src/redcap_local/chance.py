"""The source of tokens and names that nobody can guess, and how they are compared."""

from __future__ import annotations

import hmac
import secrets

HEX = "0123456789ABCDEF"
"""The digits of tokens."""


def random_text(alphabet: str, length: int) -> str:
    """A random text of that length over the alphabet."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def same(sent: str, expected: str) -> bool:
    """Whether two secrets are equal, without telling how far."""
    return hmac.compare_digest(sent.encode(), expected.encode())
