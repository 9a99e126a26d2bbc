"""The packer's secrets: files nobody else can read, masters drawn by chance, and what opens for whom."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyrage import x25519

from trialdesk.allocation.private import is_weak, read_blocks, read_master
from trialdesk.allocation.sealing import SECRET, new_identity, seal, unseal
from trialdesk.errors import ConfigError, TableError
from trialdesk.private import read_private

pytestmark = pytest.mark.requirement("ENV-09")

PACKER = x25519.Identity.generate()
CHANCE = bytes((7 * number + 3) % 251 for number in range(32))


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ("2: 1\n", 0o644, "others can read"),
        ("2: 1\n", 0o640, "others can read"),
        ("3: 1\n", 0o600, "not a list of block sizes"),
        ("0: 1\n", 0o600, "not a list of block sizes"),
        ("2: 0\n", 0o600, "not a list of block sizes"),
        ("2: 1.5\n", 0o600, "not a list of block sizes"),
        ("2: yes\n", 0o600, "not a list of block sizes"),
        ("- 2\n", 0o600, "not a list of block sizes"),
        ("{}\n", 0o600, "not a list of block sizes"),
        ("2: [1\n", 0o600, "not a list of block sizes"),
        ("2: 1\n2: 1\n", 0o600, "not a list of block sizes"),
    ],
)
def test_a_blocks_file_that_is_not_usable_is_refused(tmp_path: Path, text: str, mode: int, message: str) -> None:
    """Sizes are multiples of the arms' parts, weights whole and positive, and nobody else can read the file."""
    with pytest.raises(ConfigError, match=message):
        read_blocks(private(tmp_path / "blocks.yaml", text, mode), 2)


def test_the_blocks_keep_their_order(tmp_path: Path) -> None:
    """The order of the file is part of the scheme."""
    assert read_blocks(private(tmp_path / "b", "{4: 2, 2: 1}\n"), 2) == ((4, 2), (2, 1))
    assert read_blocks(private(tmp_path / "b", "{0x4: 2}\n"), 2) == ((4, 2),)


def test_a_missing_blocks_file_says_what_to_write(tmp_path: Path) -> None:
    """The packer learns what the file holds."""
    with pytest.raises(ConfigError, match=r"no such file; the packer writes it .*size: weight.*multiples of 3"):
        read_blocks(tmp_path / "none.yaml", 3)


@pytest.mark.parametrize("text", ["", "12345", "xyz", "20261123", "ab" * 31, "ab" * 33])
def test_a_master_of_another_length_is_refused(tmp_path: Path, text: str) -> None:
    """Exactly 32 bytes in hexadecimal: a date or a small number is no secret."""
    with pytest.raises(ConfigError, match="random source") as caught:
        read_master(private(tmp_path / "master", text))
    assert not text or text not in str(caught.value)


def test_a_folder_is_not_a_private_file(tmp_path: Path) -> None:
    """Whatever can't be read is one line."""
    tmp_path.chmod(0o700)
    with pytest.raises(ConfigError, match="is not a file"):
        read_private(tmp_path, "write it")


def test_what_is_sealed_opens_for_each_recipient_and_nobody_else() -> None:
    """Packer and custodian can each open the table alone."""
    custodian = x25519.Identity.generate()
    sealed = seal("secret æøå", [str(PACKER.to_public()), str(custodian.to_public())])
    assert b"secret" not in sealed
    assert unseal(sealed, str(custodian), "t") == unseal(sealed, str(PACKER), "t") == "secret æøå"
    with pytest.raises(TableError, match="t: does not open"):
        unseal(sealed, str(x25519.Identity.generate()), "t")
    with pytest.raises(ConfigError, match="no usable line"):
        unseal(sealed, "AGE-SECRET-KEY-1QQQ", "t")
    with pytest.raises(ConfigError, match="misspelled"):
        seal("x", ["age1" + "q" * 58])


@pytest.mark.parametrize("text", ["00" * 32, "ab" * 32, "abcd" * 16, "00" * 20 + "1f" * 12, "0123456789abcdef" * 4])
def test_a_weak_master_is_refused(tmp_path: Path, text: str) -> None:
    """Constant, periodic, or mostly zeros."""
    with pytest.raises(ConfigError, match="is no chance"):
        read_master(private(tmp_path / "master", text))


def test_sizes_and_weights_have_bounds(tmp_path: Path) -> None:
    """A slip of the finger asks for no more memory than there is."""
    assert read_blocks(private(tmp_path / "b", "{1000: 1000000, 1: 1}\n"), 1) == ((1000, 1_000_000), (1, 1))
    for text in ("1001: 1\n", "2: 1000001\n", "-2: 1\n", "2: -1\n", "yes: 1\n", "'2': 1\n"):
        with pytest.raises(ConfigError, match="sizes from 1 to 1000"):
            read_blocks(private(tmp_path / "b", text), 1)


def test_a_refused_blocks_file_is_named_without_its_sizes(tmp_path: Path) -> None:
    """And what it ought to hold is said."""
    with pytest.raises(ConfigError, match="multiples of 4") as caught:
        read_blocks(private(tmp_path / "blocks", "66: 1\n"), 4)
    assert str(caught.value).startswith(f"{tmp_path / 'blocks'}: ")
    assert "66" not in str(caught.value).replace(str(tmp_path), "")


def test_a_master_is_read_as_it_was_written(tmp_path: Path) -> None:
    """64 digits, whatever blanks stand around them."""
    assert read_master(private(tmp_path / "m", f" {CHANCE.hex().upper()}\n")) == CHANCE
    with pytest.raises(ConfigError, match=r"no such file; .*64 hexadecimal digits"):
        read_master(tmp_path / "none")


@pytest.mark.parametrize(("text", "words"), [("xy" * 32, "is not hexadecimal"), ("ab" * 31, "31 bytes instead of 32"),
                                             ("00" * 32, "no chance")])  # fmt: skip
def test_what_is_wrong_with_a_master_is_said_with_its_file(tmp_path: Path, text: str, words: str) -> None:
    """Never with its digits."""
    with pytest.raises(ConfigError, match=words) as caught:
        read_master(private(tmp_path / "m", text))
    assert str(caught.value).startswith(f"{tmp_path / 'm'}: ")
    assert "hexadecimal digits" in str(caught.value)


@pytest.mark.parametrize("period", range(1, 17))
def test_a_master_that_repeats_itself_is_weak_at_every_period(period: int) -> None:
    """Up to half of it; a single other byte at the end, and it is none that repeats."""
    repeated = (CHANCE[:period] * 32)[:32]
    assert is_weak(repeated)
    assert not is_weak(repeated[:-1] + b"\xfe") or period == 1
    assert not is_weak(CHANCE)
    assert not is_weak((CHANCE[:17] * 2)[:32])  # more than half of it is no repetition


def test_a_master_of_zeros_mostly_is_weak() -> None:
    """Seventeen of 32 are too many, sixteen are not."""
    assert is_weak(bytes(17) + CHANCE[:15])
    assert not is_weak(bytes(16) + CHANCE[:16])
    assert not is_weak(b"\1" * 17 + CHANCE[:15])


def test_a_new_identity_opens_what_is_sealed_for_it() -> None:
    """Another one every time; the owner's line is that of an identity file."""
    line, key = new_identity()
    assert line.startswith(SECRET)
    assert unseal(seal(b"text", [key]), f"# made today\n  {line}\n", "t") == "text"
    assert new_identity()[0] != line


def test_one_of_several_identities_of_a_file_is_enough() -> None:
    """Lines that are none are read over."""
    first, other = new_identity(), new_identity()
    both = f"# {first[1]}\n{first[0]}\n\n{other[0]}\n"
    assert unseal(seal("text", [other[1]]), both, "t") == "text"


def test_nothing_is_sealed_for_nobody_and_nothing_damaged_opens() -> None:
    """Each says where to look."""
    line, key = new_identity()
    with pytest.raises(ConfigError, match="recipients is empty"):
        seal("text", [])
    with pytest.raises(TableError, match=r"^v001: does not open"):
        unseal(seal("text", [key])[:-1], line, "v001")
    with pytest.raises(TableError, match=r"^v001: does not open"):
        unseal(seal(b"\xff\xfe", [key]), line, "v001")
    with pytest.raises(ConfigError, match=f"no usable line {SECRET}1"):
        unseal(seal("text", [key]), "", "v001")
