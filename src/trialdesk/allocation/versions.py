"""The folder of table versions: v001, v002 …, each a sealed table and its public manifest; written once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from trialdesk.allocation import manifest, tables
from trialdesk.allocation.manifest import Manifest
from trialdesk.allocation.sealing import seal, unseal
from trialdesk.allocation.tables import Table
from trialdesk.errors import ConfigError, OutputFailed, TableError

SEALED = "table.age"
MANIFEST = "manifest.json"


def version_folders(folder: Path) -> tuple[Path, ...]:
    """The version folders, oldest first; () when nothing has been made.

    Raises:
        TableError: A version between others is missing.
    """
    found = sorted(path for path in folder.glob("v[0-9][0-9][0-9]") if path.is_dir())
    for path, name in zip(found, map(_name, range(1, len(found) + 1)), strict=True):
        if path.name != name:
            raise TableError(f"{folder / name}: is missing though {path.name} is there; restore it from the copy")
    return tuple(found)


def read_tables(folder: Path, identity: str) -> tuple[Table, ...]:
    """Every version, oldest first, each checked against its manifest.

    Args:
        folder: Where the versions are.
        identity: The text of an age identity file; "" is enough while nothing has been made.

    Raises:
        ConfigError: Tables exist and the identity is missing or unusable.
        TableError: A version is missing, sealed for someone else, damaged, or not what its manifest says.
    """
    folders = version_folders(folder)
    if folders and not identity:
        raise ConfigError(f"{folder}: holds sealed tables; name your age identity with --identity FILE")
    made: list[Table] = []
    previous = ""
    for path in folders:
        table, previous = _read(path, identity, previous)
        if table.version != len(made) + 1:
            raise TableError(f"{path}: holds another version than its name; restore it from the copy")
        made.append(table)
    return tuple(made)


def read_manifests(folder: Path) -> tuple[Manifest, ...]:
    """Every manifest, oldest first, checked against the one before it and against the sealed file beside it.

    Raises:
        TableError: one is missing, damaged, or does not follow; or a sealed file is another than it says.
    """
    made: list[Manifest] = []
    previous = ""
    for path in version_folders(folder):
        try:
            public = (path / MANIFEST).read_text(encoding="utf-8")
            sealed = (path / SEALED).read_bytes()
            one = manifest.from_text(public)
        except (OSError, ValueError) as error:
            raise TableError(f"{path}: is not complete ({type(error).__name__}); restore it from the copy") from None
        follows = sha256(previous.encode()).hexdigest() if previous else ""
        if one.previous_sha256 != follows or one.sealed_sha256 != sha256(sealed).hexdigest():
            raise TableError(f"{path}: does not follow the version before, or its sealed file is another; restore both")
        made.append(one)
        previous = public
    if not made:
        raise TableError(f"{folder}: holds no version; make the first with make_tables.py")
    return tuple(made)


def prove_filed(folder: Path, filed: Path) -> None:
    """Nothing happens where the folder holds the version that was filed, as it was filed.

    Args:
        folder: Where the versions are.
        filed: The newest manifest that was filed, kept apart from the folder.

    Raises:
        ConfigError: The file is no manifest.
        TableError: The version is missing from the folder, or is another there.
    """
    try:
        public = filed.read_text(encoding="utf-8")
        known = manifest.from_text(public)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{filed}: is not a manifest ({type(error).__name__}); name the filed one") from None
    place = folder / _name(known.version) / MANIFEST
    if not place.is_file():
        raise TableError(f"{place.parent}: was filed and is not here; restore it from the copy before you make another")
    if place.read_text(encoding="utf-8") != public:
        raise TableError(f"{place}: is not the manifest that was filed; restore the version from the copy")


def _read(path: Path, identity: str, previous: str) -> tuple[Table, str]:
    try:
        sealed = (path / SEALED).read_bytes()
        public = (path / MANIFEST).read_text(encoding="utf-8")
        made = manifest.made_on(public)
    except (OSError, ValueError) as error:
        raise TableError(f"{path}: is not complete ({type(error).__name__}); restore it from the copy") from None
    table = tables.from_text(unseal(sealed, identity, str(path / SEALED)))
    # Only a version of schema 1 has its day from the manifest alone.
    if manifest.to_text(manifest.describe(table, sealed, table.made or made, previous)) != public:
        raise TableError(
            f"{path}: manifest and sealed table do not belong together or follow another version; "
            "restore both from the copy"
        )
    return table, public


def write_version(folder: Path, table: Table, recipients: Sequence[str]) -> Manifest:
    """The version folder of `table` is there, complete and on disk, or nothing has changed.

    Args:
        folder: Where the versions are; made when missing.
        table: The table to seal.
        recipients: Age public keys.

    Raises:
        ConfigError: There is no usable recipient.
        OutputFailed: The folder can't be written, or another packer made this version meanwhile.
    """
    before = version_folders(folder)
    previous = (before[-1] / MANIFEST).read_text(encoding="utf-8") if before else ""
    sealed = seal(tables.to_text(table), recipients)
    public = manifest.describe(table, sealed, table.made, previous)
    place = folder / _name(table.version)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".making-") as scratch:
            partial = Path(scratch, place.name)
            partial.mkdir()
            _write(partial / SEALED, sealed)
            _write(partial / MANIFEST, manifest.to_text(public).encode())
            _settle(partial)
            partial.rename(place)
        _settle(folder)
    except OSError as error:
        raise OutputFailed(f"{place}: can't be written ({error.strerror}); nothing was made, try again") from None
    return public


def _name(version: int) -> str:
    return f"v{version:03d}"


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """The names in `folder` are on disk, where the system can promise it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
