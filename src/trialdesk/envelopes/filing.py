"""The filed manifests: what the register is held against at every run and every release (reference/design.md 4).

A manifest is public. The coordinator files it with the Merkle root typed from the paper that was filed before the
first envelope was sent; from then on nobody can exchange a commitment without being seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trialdesk.allocation.cards import merkle_root
from trialdesk.allocation.codes import changed, codes_of, misfits
from trialdesk.allocation.manifest import Manifest, from_text, to_text
from trialdesk.allocation.numbering import envelope_id, parse_envelope_id
from trialdesk.config import Config
from trialdesk.errors import ConfigError, TableError
from trialdesk.model import Envelope, Pile
from trialdesk.private import place
from trialdesk.redcap.gateway import Gateway

FOLDER = "filed"
_DIGITS = 16
"""So many hexadecimal digits know a commitment again."""
FETCH = "ask the packer for manifest.json and file it: envelope_lists.py file MANIFEST --root ROOT"


@dataclass(frozen=True, slots=True)
class Held:
    """The register held against the filed manifests.

    `lacking` are filed envelopes the register does not show, `unfiled` those it shows of no filed version, `differing`
    the versions whose commitments are not those that were filed, `waiting` filed versions nothing of which is there
    yet.
    """

    filed: int = 0
    lacking: tuple[str, ...] = ()
    unfiled: tuple[str, ...] = ()
    differing: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()
    versions: Mapping[str, int] = field(default_factory=dict)
    empty: bool = False

    @property
    def wrong(self) -> bool:
        """Whether the register is not what was filed: then a run ends with 45."""
        return bool(self.lacking or self.differing) or (not self.filed and not self.empty)

    def against(self, envelope: str) -> str:
        """Why an envelope may not be released; "" if it may."""
        if not self.filed:
            return f"no manifest is filed: {FETCH}"
        if envelope not in self.versions:
            return f"{envelope} is of a version that is not filed: {FETCH}"
        if self.versions[envelope] in self.differing:
            return f"version {self.versions[envelope]} is not in the register as it was filed; tell the packer"
        return ""


def read_filed(config: Config) -> tuple[Manifest, ...]:
    """Every filed manifest, oldest first; () before the first.

    Raises:
        TableError: one is damaged, missing between others, or of another trial or domain.
    """
    texts = _texts(config.state / FOLDER)
    before = ["", *(text for _, text in texts)]
    return tuple(_checked(config, path, text, one) for (path, text), one in zip(texts, before, strict=False))


def file_manifest(config: Config, path: Path, root: str) -> Manifest:
    """The manifest is filed: the next of the chain, with the root that stands on the filed paper.

    Args:
        config: The trial.
        path: The packer's manifest.json.
        root: The Merkle root, typed from the paper; spaces and capitals are no matter.

    Raises:
        ConfigError: the file can't be read.
        TableError: it is no manifest, does not follow those that are filed, or has another root.
    """
    filed = _texts(config.state / FOLDER)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read ({type(error).__name__}); name the packer's manifest.json") from None
    made = _checked(config, path, text, filed[-1][1] if filed else "")
    if made.merkle_root != "".join(root.split()).lower():
        raise TableError(f"{path}: its root is not the one that was typed; compare both with the paper that was filed")
    place(config.state / FOLDER / f"v{made.version:03d}.json", text.encode())
    return made


def prove_codes(config: Config, trial: Gateway) -> None:
    """The trial's project offers the codes that were frozen when its tables were made, under labels of their own.

    Raises:
        TableError: one line for every code that is gone, is new, or has the label of another.
    """
    frozen = next((manifest.codes for manifest in read_filed(config) if manifest.codes), None)
    problems = misfits(frozen, config, trial.dictionary()) if frozen else ()
    if problems:
        raise TableError("\n".join(f"REDCap: {line}; put it right before anybody is randomised" for line in problems))


def held(filed: Sequence[Manifest], envelopes: Sequence[Envelope]) -> Held:
    """What the register shows, held against what was filed.

    Args:
        filed: The manifests, oldest first.
        envelopes: The whole register.
    """
    shown = {envelope.id: envelope.commitment for envelope in envelopes}
    versions = {name: manifest.version for manifest in filed for name in ids_of(manifest)}
    lacking = [name for name in versions if name not in shown]
    there = {versions[name] for name in shown if name in versions}
    waiting = [manifest.version for manifest in filed[-1:] if manifest.version not in there]
    missed = [name for name in lacking if versions[name] not in waiting]
    differing = [
        m.version
        for m in filed
        if m.version not in waiting and all(name in shown for name in ids_of(m)) and not _is_whole(m, shown)
    ]
    return Held(
        len(filed),
        tuple(sorted(missed)),
        tuple(sorted(name for name in shown if name not in versions)),
        tuple(differing),
        tuple(waiting),
        versions,
        not envelopes,
    )


def fingerprints(envelopes: Sequence[Envelope], found: Held, before: Mapping[str, str]) -> Mapping[str, str]:
    """Envelope id to a digest of its commitment, as the memory keeps it.

    One of a version that differs keeps the digest it had `before`: so every later night can still name it.
    """
    known = {
        envelope.id: hashlib.sha256(envelope.commitment.encode()).hexdigest()[:_DIGITS]
        for envelope in envelopes
        if found.versions.get(envelope.id) not in found.differing
    }
    return {**before, **known}


def exchanged(version: int, envelopes: Sequence[Envelope], found: Held, before: Mapping[str, str]) -> tuple[str, ...]:
    """The envelopes of a version that have another commitment than the memory has; () where it can't tell."""
    own = [envelope for envelope in envelopes if found.versions.get(envelope.id) == version]
    now = fingerprints(own, Held(versions=found.versions), {})
    return tuple(sorted(name for name, digest in now.items() if before.get(name, digest) != digest))


def ids_of(manifest: Manifest) -> tuple[str, ...]:
    """The envelopes a version made."""
    return tuple(
        envelope_id(Pile(*count.pile.split("-", 1)), number)
        for count in manifest.piles
        for number in range(count.first, count.last + 1)
    )


def _is_whole(manifest: Manifest, shown: Mapping[str, str]) -> bool:
    """Whether the register's commitments of a version have the filed root."""
    try:
        return merkle_root({name: shown[name] for name in ids_of(manifest)}) == manifest.merkle_root
    except ValueError:  # a commitment that is no hexadecimal number
        return False


def _texts(folder: Path) -> list[tuple[Path, str]]:
    paths = sorted(folder.glob("v[0-9][0-9][0-9].json"))
    try:
        return [(path, path.read_text(encoding="utf-8")) for path in paths]
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{folder}: a filed manifest can't be read ({type(error).__name__}); {FETCH}") from None


def _checked(config: Config, path: Path, text: str, before: str) -> Manifest:
    """The manifest of a text that follows the one before it, and is of this trial."""
    try:
        made = from_text(text)
        whole = to_text(made) == text
        for count in made.piles:
            parse_envelope_id(envelope_id(Pile(*count.pile.split("-", 1)), count.first))
    except (ValueError, TypeError):
        raise TableError(f"{path}: is no manifest; {FETCH}") from None
    follows = hashlib.sha256(before.encode()).hexdigest() if before else ""
    if not whole or made.previous_sha256 != follows:
        raise TableError(f"{path}: does not follow the manifests that are filed; file every version in its order")
    if (made.trial, made.domain) != (config.trial.id, config.envelopes.domain):
        raise TableError(
            f"{path}: is of {made.trial}, {made.domain}, and this is {config.trial.id}, {config.envelopes.domain}; "
            "tables of a rehearsal never become those of a trial"
        )
    problems = changed(made.codes, codes_of(config)) if made.codes else ()
    if problems:
        raise TableError("\n".join(f"{path.name}: {line}; put it back" for line in problems))
    return made
