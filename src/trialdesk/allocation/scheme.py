"""What decides a list besides the master secret, and the key each list is drawn from."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from trialdesk.config import Config
from trialdesk.model import Pile

SCHEME = "trialdesk-list-v1"
MASTER_BYTES = 32

Weighted = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Scheme:
    """The trial's part of the scheme; block sizes never show in `repr`.

    Attributes:
        trial: The trial's id.
        domain: `dev` or `prod`; it enters every key, so a rehearsal never shows a real list.
        arms: (arm code, ratio) in configured order.
        blocks: (block size, integer weight) in the packer's order.
    """

    trial: str
    domain: str
    arms: tuple[tuple[str, int], ...]
    blocks: Weighted = field(repr=False)


def scheme_of(config: Config, blocks: Weighted) -> Scheme:
    """The scheme a configuration and the packer's blocks describe."""
    arms = tuple((arm.code, arm.ratio) for arm in config.arms)
    return Scheme(config.trial.id, config.envelopes.domain, arms, blocks)


def encode(*parts: str) -> bytes:
    """The parts as one unambiguous text: each as its length (4 bytes, big-endian) and its UTF-8 bytes.

    >>> encode("S1", "12") == encode("S11", "2")
    False
    """
    texts = [part.encode() for part in parts]
    return b"".join(len(text).to_bytes(4, "big") + text for text in texts)


def list_key(master: bytes, trial: str, domain: str, pile: Pile) -> bytes:
    """The key of one list, 32 bytes: HMAC-SHA256 of trial, domain, site and stratum under the master."""
    return hmac.digest(master, encode(SCHEME, trial, domain, pile.site, pile.stratum), "sha256")
