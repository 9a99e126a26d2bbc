"""Making a version: the first tables, the piles of a new site, or a resupply."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from trialdesk.allocation.codes import codes_of
from trialdesk.allocation.manifest import Manifest
from trialdesk.allocation.private import read_blocks, read_master
from trialdesk.allocation.scheme import Weighted, scheme_of
from trialdesk.allocation.tables import Order, Table, by_pile, frozen_codes, next_table
from trialdesk.allocation.versions import prove_filed, read_tables, write_version
from trialdesk.config import Config
from trialdesk.errors import ConfigError, PlanRefused
from trialdesk.model import Pile
from trialdesk.private import read_private

IDENTITY = "scripts/keygen.py FILE writes an age identity"


@dataclass(frozen=True, slots=True)
class PackerFiles:
    """Where the packer's own files are; the blocks file is named in the configuration."""

    identity: Path | None = None
    master: Path | None = None
    filed: Path | None = None
    """The newest manifest that was filed: a version that was lost shows by it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the sealed tables and the packer's files say; nothing of it shows in `repr`."""

    tables: tuple[Table, ...] = field(repr=False)
    master: bytes = field(repr=False)
    blocks: Weighted = field(repr=False)


def open_tables(config: Config, identity: Path | None) -> tuple[Table, ...]:
    """Every table made so far, oldest first, opened and checked.

    Raises:
        ConfigError: Tables exist and the identity is missing or unusable.
        TableError: A table is missing, damaged, or sealed for someone else.
    """
    text = read_private(identity, IDENTITY) if identity else ""
    return read_tables(config.path(config.folders.tables), text)


def make_version(
    config: Config,
    files: PackerFiles,
    resupply: Sequence[str],
    draw: Callable[[], bytes],
    today: date,
    *,
    freeze: bool = False,
) -> Manifest:
    """The next version is sealed in the tables folder.

    The first version fixes master and blocks. From then on the sealed tables hold them: files may be missing, and
    where they are given they have to agree.

    Args:
        config: The trial.
        files: The packer's own files.
        resupply: Piles, `SITE-STRATUM`, that get their next batch; empty for the first batch of every pile that
            has none.
        draw: Gives 32 random bytes; asked when there are neither tables nor a master file.
        today: The day written in the manifest.
        freeze: Whether the meaning of the codes was shown and is right; asked for once, by the first version of all.

    Raises:
        ConfigError: A file of the packer, a recipient, a pile's name or the size of a batch is not usable.
        PlanRefused: The codes are not frozen yet, and nobody has confirmed them.
        TableError: Nothing would be made, files and configuration are not those of the tables, or a version that was
            filed is missing.
        OutputFailed: The version can't be written.
    """
    check_batch(config)
    if files.filed:
        prove_filed(config.path(config.folders.tables), files.filed)
    piles = _named(config, resupply)
    known = _known(config, files, draw)
    begun = by_pile(known.tables)
    wanted = piles or [pile for pile in config.piles if pile not in begun]
    scheme = scheme_of(config, known.blocks)
    codes = codes_of(config)
    if frozen_codes(known.tables) is None and not freeze:
        raise PlanRefused(f"{codes}\nThese codes will be frozen for ever: read them, then run again with --freeze")
    order = Order(tuple(wanted), config.envelopes.batch, codes, today.isoformat())
    table = next_table(known.tables, scheme, known.master, order)
    return write_version(config.path(config.folders.tables), table, config.envelopes.recipients)


def check_batch(config: Config) -> None:
    """Nothing happens for a batch that can be cut where blocks do not matter.

    Raises:
        ConfigError: It is too small: a pile would be sent its next envelopes one by one.
    """
    for line in batch_told(config):
        raise ConfigError(line)


def batch_told(config: Config) -> Iterator[str]:
    """What is wrong with the size of a batch: no version can be made with it; what was made goes on."""
    envelopes = config.envelopes
    least = max(2, envelopes.reorder_at + 2)
    if envelopes.batch < least:
        yield (
            f"envelopes: batch: {envelopes.batch} is too small for reorder_at {envelopes.reorder_at}; "
            f"write {least} or more (6 is usual)"
        )


def _known(config: Config, files: PackerFiles, draw: Callable[[], bytes]) -> Known:
    tables = open_tables(config, files.identity)
    given = read_master(files.master) if files.master else None
    blocks_file = config.path(config.envelopes.blocks_file)
    if tables and not blocks_file.exists():
        blocks = tables[-1].scheme.blocks
    else:
        blocks = read_blocks(blocks_file, sum(arm.ratio for arm in config.arms))
    return Known(tables, given or (tables[-1].master if tables else draw()), blocks)


def blocks_told(config: Config) -> Iterator[str]:
    """What is to be thought over about the block sizes, where the file is there; no size is told."""
    path, parts = config.path(config.envelopes.blocks_file), sum(arm.ratio for arm in config.arms)
    sizes = [size for size, _ in read_blocks(path, parts)] if path.exists() else []
    if len(sizes) == 1:
        yield "there is a single block size: who knows it can tell the end of every block; use two or three"
    if sizes and min(sizes) == parts:
        yield "the smallest block is as small as can be: its last envelopes are soon certain; use larger ones too"


def _named(config: Config, names: Sequence[str]) -> list[Pile]:
    piles = {str(pile): pile for pile in config.piles}
    unknown = [name for name in names if name not in piles]
    if unknown:
        example = next(iter(piles))
        raise ConfigError(
            *(f"--pile {name}: no such pile; a pile is SITE-STRATUM, for example {example}" for name in unknown)
        )
    return [piles[name] for name in names]
