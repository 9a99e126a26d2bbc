"""Keyed digests: the memory knows again what it saw, and holds none of it.

HMAC-SHA256 under a secret of this memory alone (RFC 2104), cut to what a name needs: a digest of a short value such as
an arm can't be looked up in a table made elsewhere.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from collections.abc import Iterable
from hashlib import sha256

from trialdesk.model import Finding

_NAME = 8  # letters of a finding's id: 40 bits


def keyed(secret: bytes, parts: Iterable[str]) -> str:
    """A digest of texts in their order."""
    return hmac.new(secret, "\x1f".join(parts).encode(), sha256).hexdigest()[:32]


def forgotten(secret: bytes, record: str) -> str:
    """What is left of a record's id when it was forgotten: enough to know it again, not to tell it."""
    return keyed(secret, ("forgotten", record))


def naming(names: Iterable[str]) -> re.Pattern[str]:
    """Finds any of the ids in a text, and no longer id that one of them is part of."""
    return re.compile("|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in names))


def finding_id(secret: bytes, finding: Finding, record: str) -> str:
    """The id of a finding, of its rule, place and what it is about: the same for ever, whatever its text says.

    `record` is the id under which the record was first seen, so that a renamed record keeps its findings.
    """
    about = (finding.rule, record, finding.where, finding.field, finding.envelope, finding.other)
    made = hmac.new(secret, "\x1f".join(about).encode(), sha256).digest()
    return b32encode(made).decode()[:_NAME]
