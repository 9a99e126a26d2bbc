"""What ties a row of the day's sheet, a try, or an entry of a calendar to a record and a contact without naming them.

The secret is a file of its own, outside the reports. Whoever loses it deletes the calendars and takes them in anew; a
sheet of before is typed into REDCap by hand.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from trialdesk.errors import ConfigError
from trialdesk.private import read_private, write_private

_STAMP = "%Y%m%dT%H%M"
_HEX = 24  # 96 bits


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one trial; `secret` is never shown."""

    secret: bytes = field(repr=False)

    def of(self, purpose: str, *parts: str) -> str:
        """96 bits of HMAC-SHA256 over purpose and parts, as 24 hexadecimal digits; parts hold no NUL."""
        message = "\0".join((purpose, *parts)).encode()
        return hmac.new(self.secret, message, "sha256").hexdigest()[:_HEX]

    def row(self, printed: datetime, record: str, contact: str) -> str:
        """The key of a row of Today: when the sheet was made, to the minute, and what only we can have written."""
        stamp = printed.strftime(_STAMP)
        return f"{stamp}-{self.of('row', stamp, record, contact)}"

    def contact(self, row: str, record: str, contacts: Sequence[str]) -> str:
        """The contact that the key of a row was made for; "" if it was not made for this record."""
        stamp, _, _ = row.partition("-")
        mine = (code for code in contacts if hmac.compare_digest(row, f"{stamp}-{self.of('row', stamp, record, code)}"))
        return next(mine, "")

    @property
    def name(self) -> str:
        """What tells this secret from another one, and nothing of it."""
        return self.of("name")


def printed(row: str) -> datetime | None:
    """When the sheet of a row's key was made; None if that is no key."""
    try:
        return datetime.strptime(row.partition("-")[0], _STAMP)
    except ValueError:
        return None


def keys(path: Path) -> Keys:
    """The keys of the secret in a file; it is made where there is none.

    Raises:
        ConfigError: others can read it, it can't be made, or holds anything else than 64 hexadecimal digits.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_private(path, secrets.token_hex(32) + "\n")
        except ConfigError:
            if not path.exists():  # another run may have made it at this moment
                raise
    text = read_private(path, "the calls' key; a run makes it").strip()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ConfigError(f"{path}: is not the calls' key; bring it back from the backup, or delete it for a new one")
    return Keys(bytes.fromhex(text))
