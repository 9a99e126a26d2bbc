"""The packer's files and the folder of versions: private, checked, all or nothing, and public without secrets."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pyrage import x25519
from ruamel.yaml import YAML

from frozen import FROZEN
from trialdesk.allocation.making import PackerFiles, make_version, open_tables
from trialdesk.allocation.manifest import Manifest
from trialdesk.allocation.private import read_blocks, read_master
from trialdesk.allocation.sealing import seal, unseal
from trialdesk.allocation.tables import by_pile
from trialdesk.config import Config, load
from trialdesk.errors import ConfigError, OutputFailed, TableError
from trialdesk.private import read_private

MASTER = bytes(range(7, 39))
TODAY = date(2026, 11, 23)
PACKER = x25519.Identity.generate()
WriteConfig = Callable[..., Config]


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.fixture
def configured(tmp_path: Path) -> WriteConfig:
    """Writes the trial's configuration with two sites, arms that stand out, and changes."""
    private(tmp_path / "blocks.yaml", "6: 1\n")
    private(tmp_path / "identity.txt", f"# public key: {PACKER.to_public()}\n{PACKER}\n")
    private(tmp_path / "master.txt", MASTER.hex() + "\n")

    def write(sites: int = 1, **changes: object) -> Config:
        yaml = YAML(typ="rt")
        tree = yaml.load((FROZEN / "config.yaml").read_text(encoding="utf-8"))
        tree["sites"] = tree["sites"][:sites]
        tree["recipients"] = []
        tree["arms"] = [
            {"code": "CANARY", "name": "Finch", "label": "Yellow bird"},
            {"code": "HEN", "name": "Fowl", "label": "Brown bird"},
        ]
        tree["envelopes"] |= {"recipients": [str(PACKER.to_public())], "blocks_file": "blocks.yaml"} | changes
        tree["folders"]["tables"] = "tables"
        with (tmp_path / "config.yaml").open("w", encoding="utf-8") as file:
            yaml.dump(tree, file)
        return load(tmp_path / "config.yaml")

    return write


def make(config: Config, *resupply: str, identity: bool = True, master: str | None = "master.txt") -> Manifest:
    files = PackerFiles(config.home / "identity.txt" if identity else None, config.home / master if master else None)
    return make_version(config, files, resupply, lambda: bytes(range(50, 82)), TODAY)


def everything(folder: Path) -> bytes:
    return b"\n".join(str(path).encode() + path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_first_run_makes_every_pile_and_a_second_only_the_new_site(configured: WriteConfig) -> None:
    """First run: all piles; new site: its piles; the manifest counts what was added."""
    first = make(configured(sites=1), identity=False)
    second = make(configured(sites=2))
    assert (first.version, first.envelopes, len(first.piles)) == (1, 8 * 6, 8)
    assert {count.pile[:3] for count in second.piles} == {"RIG"}
    assert {(c.batch, c.first, c.last, c.count) for c in second.piles} == {(1, 1, 6, 6)}


def test_a_resupply_continues_the_pile_it_names(configured: WriteConfig) -> None:
    """--pile adds the next batch: running numbers go on, the batch number rises, other piles stay."""
    config = configured()
    make(config)
    made = make(config, "ODE-K2F")
    assert [(c.pile, c.batch, c.first, c.last) for c in made.piles] == [("ODE-K2F", 2, 7, 12)]


def test_a_run_with_nothing_to_make_is_refused_and_leaves_no_trace(configured: WriteConfig) -> None:
    """When every pile has its first batch, the run says so and writes nothing."""
    config = configured()
    make(config)
    before = everything(config.home)
    with pytest.raises(TableError, match="nothing to make"):
        make(config)
    assert everything(config.home) == before


def test_a_pile_that_is_not_configured_is_named(configured: WriteConfig) -> None:
    """A misspelled pile is refused before anything else."""
    with pytest.raises(ConfigError, match="--pile ODE-XYZ: no such pile"):
        make(configured(), "ODE-XYZ")


def test_the_master_comes_from_the_sealed_tables_once_they_exist(configured: WriteConfig) -> None:
    """The first version draws a master when none is given; later ones use the sealed one, and refuse another."""
    config = configured()
    make(config, master=None)
    make(config, "ODE-K1N", master=None)
    tables = open_tables(config, config.home / "identity.txt")
    assert {table.master for table in tables} == {bytes(range(50, 82))}
    with pytest.raises(TableError, match="master: not what version 2 was made with"):
        make(config, "ODE-K1N")


def test_the_blocks_file_may_be_gone_once_tables_exist_but_not_changed(configured: WriteConfig) -> None:
    """The sealed tables hold the blocks; a file that is there has to agree, and no message shows a size."""
    config = configured()
    make(config)
    blocks = config.home / "blocks.yaml"
    blocks.unlink()
    make(config, "ODE-K1N")
    private(blocks, "8: 1\n")
    with pytest.raises(TableError, match="block sizes") as caught:
        make(config, "ODE-K1N")
    assert "6" not in str(caught.value)
    assert "8" not in str(caught.value)


def test_a_rehearsal_never_shares_a_folder_or_a_list_with_the_trial(configured: WriteConfig) -> None:
    """Domain dev gives other lists from the same master, and is refused where prod tables are."""
    prod = configured()
    make(prod)
    with pytest.raises(TableError, match="domain"):
        make(configured(domain="dev"), "ODE-K1N")
    real = by_pile(open_tables(prod, prod.home / "identity.txt"))
    shutil.rmtree(prod.home / "tables")
    make(configured(domain="dev"))
    test = by_pile(open_tables(prod, prod.home / "identity.txt"))
    for pile, allocations in real.items():
        assert [m.card.arm for m in allocations] != [m.card.arm for m in test[pile]]
        assert {m.card.code for m in allocations}.isdisjoint(m.card.code for m in test[pile])


def test_tables_need_the_identity_they_were_sealed_for(configured: WriteConfig) -> None:
    """Without an identity, or with another one, no table opens and the way out is named."""
    config = configured()
    make(config)
    with pytest.raises(ConfigError, match="--identity"):
        make(config, "ODE-K1N", identity=False)
    private(config.home / "identity.txt", f"{x25519.Identity.generate()}\n")
    with pytest.raises(TableError, match="sealed for someone else"):
        make(config, "ODE-K1N")


def test_a_configuration_without_recipients_makes_nothing(configured: WriteConfig) -> None:
    """Tables nobody can open again are not made."""
    config = configured(recipients=[])
    with pytest.raises(ConfigError, match="recipients is empty"):
        make(config)
    assert not (config.home / "tables").exists()


@pytest.mark.parametrize("damage", ["flip a digit of the root", "change a count", "older manifest", "foreign table"])
def test_a_version_that_is_not_what_its_manifest_says_is_refused(configured: WriteConfig, damage: str) -> None:
    """Counts, root, digest and chain of the manifest are those of the sealed table, or nothing is used."""
    config = configured()
    make(config)
    make(config, "ODE-K1N")
    first, second = (config.home / "tables" / name for name in ("v001", "v002"))
    content = json.loads((second / "manifest.json").read_text(encoding="utf-8"))
    match damage:
        case "flip a digit of the root":
            content["merkle_root"] = content["merkle_root"][::-1]
        case "change a count":
            content["piles"][0]["count"] += 1
        case "older manifest":
            content["previous_sha256"] = ""
        case "foreign table":
            shutil.copy(first / "table.age", second / "table.age")
    (second / "manifest.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    with pytest.raises(TableError, match="v002: manifest and sealed table do not belong together"):
        open_tables(config, config.home / "identity.txt")


@pytest.mark.parametrize(
    ("gone", "message"),
    [("v001", "v001: is missing"), ("v001/table.age", "v001: is not complete"), ("v002/manifest.json", "not complete")],
)
def test_a_missing_part_is_named(configured: WriteConfig, gone: str, message: str) -> None:
    """A version or file that is gone stops everything and is named."""
    config = configured()
    make(config)
    make(config, "ODE-K1N")
    part = config.home / "tables" / gone
    shutil.rmtree(part) if part.is_dir() else part.unlink()
    with pytest.raises(TableError, match=message):
        open_tables(config, config.home / "identity.txt")


def test_a_broken_write_leaves_no_version(configured: WriteConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails before the end leaves the folder as it was: no half version, no scratch."""
    config = configured()
    make(config)
    before = everything(config.home)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trialdesk.allocation.versions.os.fsync", full)
    with pytest.raises(OutputFailed, match="No space left on device"):
        make(config, "ODE-K1N")
    assert everything(config.home) == before
    assert [path.name for path in (config.home / "tables").iterdir()] == ["v001"]


def test_no_public_file_holds_an_arm_a_block_size_or_the_master(configured: WriteConfig) -> None:
    """Planted arm names, a rare block weight and the master are in no file or file name of the tables folder."""
    private(configured().home / "blocks.yaml", "2: 7919\n4: 104729\n")
    config = configured()
    make(config)
    make(config, "ODE-K1N")
    public = everything(config.home / "tables")
    tables = open_tables(config, config.home / "identity.txt")
    codes = [made.card.code for table in tables for made in table.allocations]
    words = ["CANARY", "HEN", "Finch", "Yellow", "7919", "104729", "block", MASTER.hex(), str(PACKER), *codes]
    assert [word for word in words if word.lower().encode() in public.lower()] == []


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
