"""Card codes and the commitments that prove a card without showing it (reference/design.md 5)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from trialdesk.allocation.scheme import encode

COMMIT = "trialdesk-commit-v1"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base 32: no I, L, O, U
CODE_LENGTH = 12
_READ_AS = str.maketrans("ILO", "110", "- \t\u00a0\u2010\u2011\u2012\u2013\u2014\u2212")


def card_code(key: bytes, number: int) -> str:
    """The 12 characters (60 bits) on the card of the `number`-th envelope of a list."""
    digest = hmac.digest(key, encode("card", str(number)), "sha256")
    bits = int.from_bytes(digest, "big") >> (8 * len(digest) - 5 * CODE_LENGTH)
    return "".join(ALPHABET[bits >> shift & 31] for shift in range(5 * (CODE_LENGTH - 1), -1, -5))


def shown_code(code: str) -> str:
    """A card code as it is printed: three groups of four.

    >>> shown_code("7K2MQ9XD04TB")
    '7K2M-Q9XD-04TB'
    """
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def tidy_code(typed: str) -> str:
    """A card code as people type it, as it was committed to: capitals, no separators, I and L read 1, O reads 0.

    >>> tidy_code("7k2m q9xd-o4tb")
    '7K2MQ9XD04TB'
    """
    return typed.upper().translate(_READ_AS)


def commitment(trial: str, envelope: str, arm: str, code: str) -> str:
    """What the register shows of a card: 64 hexadecimal digits that tell nothing without the card."""
    return hashlib.scrypt(
        encode(envelope, arm, code), salt=encode(COMMIT, trial, envelope), n=2**10, r=8, p=1, dklen=32
    ).hex()


def verify_card(committed: str, trial: str, envelope: str, arm: str, code: str) -> bool:
    """Whether arm and card code are those sealed in the envelope; the code may be as typed."""
    return hmac.compare_digest(committed.encode(), commitment(trial, envelope, arm, tidy_code(code)).encode())


def merkle_root(commitments: Mapping[str, str]) -> str:
    """The root over all commitments, leaves in order of envelope id; 64 hexadecimal digits.

    A leaf is SHA-256(0x00 ‖ commitment), a node SHA-256(0x01 ‖ left ‖ right); an odd node moves up unchanged.

    Args:
        commitments: Envelope id to commitment.

    Raises:
        ValueError: There is no commitment.
    """
    if not commitments:
        msg = "a Merkle root needs at least one commitment"
        raise ValueError(msg)
    level = [hashlib.sha256(b"\0" + bytes.fromhex(commitments[name])).digest() for name in sorted(commitments)]
    while len(level) > 1:
        pairs = [level[start : start + 2] for start in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\1" + pair[0] + pair[1]).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0].hex()
