"""The packer's own files: blocks, master, age identity. Read only while nobody else can."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from trialdesk.allocation.scheme import MASTER_BYTES, Weighted
from trialdesk.errors import ConfigError
from trialdesk.private import read_private

# Far above anything real; without bounds a slip of the finger asks for all the memory there is.
MOST_SIZE, MOST_WEIGHT = 1_000, 1_000_000


def read_blocks(path: Path, parts: int) -> Weighted:
    """(block size, weight) in the order of the file; sizes never appear in an error.

    Args:
        path: YAML that maps each block size to its integer weight.
        parts: The sum of the arms' ratios; every size has to be a multiple of it.

    Raises:
        ConfigError: The file is missing, open to others, or not such a mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    what = (
        "the packer writes it (mode 0600, kept from everyone else): one line `size: weight` for each block size, "
        f"sizes multiples of {parts}"
    )
    text = read_private(path, what)
    try:
        sizes = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        sizes = None
    if not isinstance(sizes, Mapping) or not sizes or not all(_is_pair(pair, parts) for pair in sizes.items()):
        raise ConfigError(f"{path}: is not a list of block sizes; {what}, sizes from 1 to {MOST_SIZE}, weights from 1")
    return tuple(sizes.items())


def _is_pair(pair: tuple[object, object], parts: int) -> bool:
    size, weight = pair
    if type(size) is not int or type(weight) is not int:
        return False
    return 0 < size <= MOST_SIZE and 0 < weight <= MOST_WEIGHT and size % parts == 0


def read_master(path: Path) -> bytes:
    """The 32 secret bytes all lists are drawn from.

    Raises:
        ConfigError: The file is missing, open to others, or not 64 hexadecimal digits.
    """
    what = "it holds 64 hexadecimal digits from a random source, for example `openssl rand -hex 32` (mode 0600)"
    text = read_private(path, what)
    try:
        master = bytes.fromhex(text.strip())
    except ValueError:
        raise ConfigError(f"{path}: is not hexadecimal; {what}") from None
    if len(master) != MASTER_BYTES:
        raise ConfigError(f"{path}: holds {len(master)} bytes instead of {MASTER_BYTES}; {what}")
    if is_weak(master):
        raise ConfigError(f"{path}: is no chance: it repeats itself or is mostly zeros; {what}")
    return master


def is_weak(master: bytes) -> bool:
    """Whether a master was surely not drawn by chance: constant, periodic, or mostly zeros."""
    periods = range(1, MASTER_BYTES // 2 + 1)
    repeats = any(master == (master[:period] * MASTER_BYTES)[:MASTER_BYTES] for period in periods)
    return repeats or master.count(0) > MASTER_BYTES // 2
