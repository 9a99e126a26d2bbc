"""Sealing with age: what is sealed can be opened by the recipients of the configuration alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trialdesk.errors import ConfigError, TableError

SECRET = "AGE-SECRET-KEY-"  # noqa: S105 - the public beginning of every age identity


def new_identity() -> tuple[str, str]:
    """A new age identity, the line its owner keeps, and its public key, which anybody may have."""
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def seal(content: str | bytes, recipients: Sequence[str]) -> bytes:
    """The content, encrypted for the recipients (age public keys).

    Raises:
        ConfigError: There is no recipient, or one is not an age public key.
    """
    if not recipients:
        raise ConfigError(
            "envelopes: recipients is empty; write the age public keys of packer and custodian there "
            "(scripts/keygen.py makes one)"
        )
    import pyrage

    try:
        keys = [pyrage.x25519.Recipient.from_str(recipient) for recipient in recipients]
    except pyrage.RecipientError:
        raise ConfigError("recipients: an age public key is misspelled; copy it again (age1…)") from None
    return bytes(pyrage.encrypt(content.encode() if isinstance(content, str) else content, keys))


def identities(text: str) -> Mapping[str, str]:
    """Public key to identity, of the text of an age identity file.

    Raises:
        ConfigError: it holds none.
    """
    import pyrage

    lines = [line.strip() for line in text.splitlines() if line.strip().startswith(SECRET)]
    try:
        found = {str(pyrage.x25519.Identity.from_str(line).to_public()): line for line in lines}
    except pyrage.IdentityError:
        found = {}
    if not found:
        raise ConfigError(f"the identity file holds no usable line {SECRET}1…; scripts/keygen.py writes one")
    return found


def unseal(sealed: bytes, identity: str, source: str) -> str:
    """The text of a sealed file.

    Args:
        sealed: The encrypted file.
        identity: The text of an age identity file.
        source: What the file is called in an error.

    Raises:
        ConfigError: The identity is not an age identity.
        TableError: The file is sealed for someone else, or damaged.
    """
    import pyrage

    keys = [pyrage.x25519.Identity.from_str(line) for line in identities(identity).values()]
    try:
        return bytes(pyrage.decrypt(sealed, keys)).decode()
    except (pyrage.DecryptError, UnicodeDecodeError):
        raise TableError(
            f"{source}: does not open with this identity: it is sealed for someone else, or damaged"
        ) from None
