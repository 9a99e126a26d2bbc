"""Passwords, needed only where people enter from other machines; kept as salted scrypt."""

from __future__ import annotations

import hashlib
import secrets

from redcap_local.chance import same

SHORTEST = 10
_WORK = {"n": 2**14, "r": 8, "p": 1, "maxmem": 2**26}  # about 50 ms


def kept(password: str) -> str:
    """What is stored of a password."""
    salt = secrets.token_hex(16)
    return f"{salt}${_stretched(password, salt)}"


def is_right(password: str, stored: str) -> bool:
    """Whether it is the password of which that is stored; nobody enters without one."""
    salt, _, stretched = stored.partition("$")
    # As long for an account without a password, so that the time tells nothing.
    return same(_stretched(password, salt or "none"), stretched) and bool(stretched)


def _stretched(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=salt.encode(), **_WORK).hex()
