"""The packer's files and the folder of versions: private, checked, all or nothing, and public without secrets."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest
from pyrage import x25519
from ruamel.yaml import YAML

from frozen import FROZEN
from trialdesk.allocation.blocks import block_list
from trialdesk.allocation.making import PackerFiles, batch_told, blocks_told, make_version, open_tables
from trialdesk.allocation.manifest import Manifest
from trialdesk.allocation.scheme import list_key, scheme_of
from trialdesk.allocation.tables import by_pile
from trialdesk.allocation.verifying import verify
from trialdesk.allocation.versions import prove_filed, read_manifests
from trialdesk.config import Config, load
from trialdesk.errors import ConfigError, OutputFailed, PlanRefused, TableError
from trialdesk.model import Pile

pytestmark = pytest.mark.requirement("ENV-09", "ENV-05")

MASTER = bytes(range(7, 39))
FIRST_SCHEMA = Path(__file__).parents[1] / "data" / "tables-v1"
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
    return make_version(config, files, resupply, lambda: bytes(range(50, 82)), TODAY, freeze=True)


def everything(folder: Path) -> bytes:
    return b"\n".join(str(path).encode() + path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_first_run_makes_every_pile_and_a_second_only_the_new_site(configured: WriteConfig) -> None:
    """First run: all piles; new site: its piles; the manifest counts what was added."""
    first = make(configured(sites=1), identity=False)
    second = make(configured(sites=2))
    assert (first.version, len(first.piles)) == (1, 8)
    assert {count.count for count in first.piles} <= {5, 6, 7}
    assert {count.pile[:3] for count in second.piles} == {"RIG"}
    assert {(c.batch, c.first, c.last == c.count) for c in second.piles} == {(1, 1, True)}


def test_a_resupply_continues_the_pile_it_names(configured: WriteConfig) -> None:
    """--pile adds the next batch: running numbers go on, the batch number rises, other piles stay."""
    config = configured()
    before = next(count for count in make(config).piles if count.pile == "ODE-K2F")
    (made,) = make(config, "ODE-K2F").piles
    assert (made.pile, made.batch, made.first) == ("ODE-K2F", 2, before.last + 1)


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


@pytest.mark.parametrize(
    "damage", ["flip a digit of the root", "change a count", "another day", "older manifest", "foreign table"]
)
def test_a_version_that_is_not_what_its_manifest_says_is_refused(configured: WriteConfig, damage: str) -> None:
    """Counts, root, digest, day and chain of the manifest are those of the sealed table, or nothing is used."""
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
        case "another day":
            content["made"] = "2026-11-22"
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


def test_a_lost_newest_version_shows_by_the_filed_manifest(configured: WriteConfig) -> None:
    """Without it the folder looks whole, and a second v002 would be made."""
    config = configured()
    make(config)
    make(config, "ODE-K1N")
    folder, filed = config.home / "tables", config.home / "filed.json"
    shutil.copy(folder / "v002" / "manifest.json", filed)
    prove_filed(folder, filed)
    shutil.rmtree(folder / "v002")
    files = PackerFiles(config.home / "identity.txt", filed=filed)
    with pytest.raises(TableError, match="v002: was filed and is not here; restore it"):
        make_version(config, files, ["ODE-K1N"], lambda: MASTER, TODAY)
    assert sorted(path.name for path in folder.iterdir()) == ["v001"]
    make_version(config, replace(files, filed=None), ["ODE-K2N"], lambda: MASTER, TODAY)
    with pytest.raises(TableError, match="not the manifest that was filed"):
        prove_filed(folder, filed)
    filed.write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not a manifest"):
        prove_filed(folder, filed)


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


_MAKE = """
import resource, sys
from datetime import date
from pathlib import Path
from trialdesk.allocation.making import PackerFiles, make_version
from trialdesk.config import load
from trialdesk.errors import TrialError
config = load(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    make_version(config, PackerFiles(Path(sys.argv[3])), ("ODE-K1N",), lambda: b"", date(2026, 11, 23))
except TrialError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_a_disk_that_takes_no_more_bytes_leaves_no_version(configured: WriteConfig) -> None:
    """The operating system itself refuses the write in the middle of the sealed file."""
    config = configured()
    make(config)
    before = everything(config.home)
    words = [str(config.home / "config.yaml"), "200", str(config.home / "identity.txt")]
    ended = subprocess.run([sys.executable, "-c", _MAKE, *words], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (60, "")
    assert "can't be written (File too large); nothing was made" in ended.stdout
    assert everything(config.home) == before


def test_a_folder_nobody_may_write_is_said(configured: WriteConfig) -> None:
    """The operating system refuses the folder; nothing else is touched."""
    config = configured()
    folders = config.folders.model_copy(update={"tables": Path("/proc/tables")})
    with pytest.raises(OutputFailed, match=r"/proc/tables/v001: can't be written"):
        make(config.model_copy(update={"folders": folders}))


def test_no_public_file_holds_an_arm_a_block_size_or_the_master(configured: WriteConfig) -> None:
    """No card, block weight or master is in a file or file name of the tables folder; arms only as what there are."""
    private(configured().home / "blocks.yaml", "2: 7919\n4: 104729\n")
    config = configured()
    make(config)
    make(config, "ODE-K1N")
    public = everything(config.home / "tables")
    tables = open_tables(config, config.home / "identity.txt")
    codes = [made.card.code for table in tables for made in table.allocations]
    words = ["Yellow", "7919", "104729", "block", MASTER.hex(), str(PACKER), *codes]
    assert [word for word in words if word.lower().encode() in public.lower()] == []
    assert public.count(b"CANARY") == public.count(b"HEN") == 4  # code and stored value, once in each manifest


def test_codes_are_frozen_once_somebody_has_read_them(configured: WriteConfig) -> None:
    """The first version shows them and makes nothing; with the word it does, and later ones need it no more."""
    config = configured()
    files = PackerFiles(config.home / "identity.txt", config.home / "master.txt")
    with pytest.raises(PlanRefused, match=r"(?s)arms CANARY = Finch \(1\), HEN = Fowl \(1\).*--freeze"):
        make_version(config, files, (), lambda: b"", TODAY)
    assert not (config.home / "tables").exists()
    make(config)
    assert make_version(config, files, ("ODE-K1N",), lambda: b"", TODAY).version == 2


def swap(*way: str | int) -> Callable[[Any], None]:
    """A change of the configuration: the first two entries of a list exchange what they have under a name."""
    *place, name = way

    def change(tree: Any) -> None:
        for step in place:
            tree = tree[step]
        tree[0][name], tree[1][name] = tree[1][name], tree[0][name]

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (swap("strata", 0, "levels", "value"), "stored as another"),
        (swap("arms", "name"), "has the name that code"),
        (lambda t: t["strata"].reverse(), "their order"),
        (lambda t: t["sites"][0].update(code="ODA"), "ODE had envelopes made"),
        (lambda t: t["strata"][1]["levels"][1].update(code="4"), "is gone"),
    ],
    ids=["levels swapped", "arms swapped", "factors turned", "site renamed", "level gone"],
)
def test_codes_may_not_change_once_tables_are_made(
    configured: WriteConfig, change: Callable[[Any], object], words: str
) -> None:
    """Each would give a patient the envelope of another stratum or read a card as the other arm."""
    config = configured()
    make(config)
    tree = YAML(typ="rt").load((config.home / "config.yaml").read_text(encoding="utf-8"))
    change(tree)
    with (config.home / "config.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="rt").dump(tree, file)
    changed = load(config.home / "config.yaml")
    with pytest.raises(TableError, match=words):
        make(changed, str(changed.piles[0]))


def test_other_words_for_the_same_and_new_sites_and_levels_are_fine(configured: WriteConfig) -> None:
    """What is added or said better changes no list."""
    make(configured(sites=1))
    tree = YAML(typ="rt").load((configured(sites=2).home / "config.yaml").read_text(encoding="utf-8"))
    tree["arms"][0]["name"] = "Finch (yellow)"
    tree["strata"][0]["levels"].append({"code": "R", "value": "3", "label": "Relapsed"})
    home = configured(sites=2).home
    with (home / "config.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="rt").dump(tree, file)
    assert make(load(home / "config.yaml")).version == 2


@pytest.mark.parametrize(("batch", "reorder"), [(1, 0), (2, 1), (3, 2)])
def test_a_batch_that_is_too_small_is_refused(configured: WriteConfig, batch: int, reorder: int) -> None:
    """Shipments of one number more than the reorder level would come one by one."""
    with pytest.raises(ConfigError, match=r"batch: .* is too small"):
        make(configured(batch=batch, reorder_at=reorder))


def test_a_batch_that_is_large_enough_is_no_warning(configured: WriteConfig) -> None:
    """Other scripts go on with what was made, and say what make_tables would refuse."""
    config = configured()
    small = config.model_copy(update={"envelopes": config.envelopes.model_copy(update={"batch": 2})})
    assert [*batch_told(config)] == []
    assert ["too small for reorder_at 1; write 3" in line for line in batch_told(small)] == [True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("6: 1\n", ["single block size"]),
        ("2: 1\n", ["single block size", "smallest block"]),
        ("4: 1\n2: 1\n", ["smallest block"]),
        ("4: 1\n6: 1\n", []),
        ("", []),
    ],
)
def test_block_sizes_that_tell_too_much_are_thought_over(configured: WriteConfig, text: str, words: list[str]) -> None:
    """No size is told, and without the file there is nothing to say."""
    config = configured()
    (config.home / "blocks.yaml").unlink()
    if text:
        private(config.home / "blocks.yaml", text)
    found = list(blocks_told(config))
    assert [word in line for word, line in zip(words, found, strict=True)] == [True] * len(words)
    assert not any(character.isdigit() for line in found for character in line)


def test_tables_of_the_first_schema_are_read_and_continued(tmp_path: Path) -> None:
    """A folder of version 0.3 (two versions, cut on block ends): read byte for byte, and v003 goes on in its lists."""
    shutil.copytree(FIRST_SCHEMA, tmp_path / "tables")
    for name in ("identity.txt", "blocks.yaml"):
        (tmp_path / "tables" / name).chmod(0o600)
    config = load(tmp_path / "tables" / "config.yaml")
    files = PackerFiles(config.home / "identity.txt")
    before = by_pile(open_tables(config, files.identity))
    assert {table.schema for table in open_tables(config, files.identity)} == {1}
    with pytest.raises(PlanRefused):
        make_version(config, files, ("ODE-K1N",), lambda: b"", TODAY)
    made = make_version(config, files, ("ODE-K1N",), lambda: b"", TODAY, freeze=True)
    assert (made.version, made.schema) == (3, 2)
    after = by_pile(open_tables(config, files.identity))
    for pile, allocations in before.items():
        assert after[pile][: len(allocations)] == allocations
    arms = chain.from_iterable(
        block_list(scheme_of(config, ((2, 1), (4, 2))), list_key(bytes(range(32)), "PVP-MM", "dev", Pile("ODE", "K1N")))
    )
    grown = [one.card.arm for one in after[Pile("ODE", "K1N")]]
    assert grown == list(islice(arms, len(grown)))
    assert 3 <= len(grown) - len(before[Pile("ODE", "K1N")]) <= 5


def test_tables_are_proved_by_making_them_again(configured: WriteConfig) -> None:
    """Whole versions of both schemas; an arm, a code, a commitment or a cut that was changed is named."""
    config = configured()
    make(config)
    make(config, "ODE-K1N")
    tables = open_tables(config, config.home / "identity.txt")
    assert list(verify(tables)) == []
    old = load(FIRST_SCHEMA / "config.yaml")
    assert list(verify(open_tables(old, _own(FIRST_SCHEMA / "identity.txt")))) == []
    first = tables[0].allocations[0]
    other = next(made for made in tables[0].allocations if made.card.arm != first.card.arm)
    for changed in (
        replace(first, card=replace(first.card, arm=other.card.arm)),
        replace(first, card=replace(first.card, code="0" * 12)),
        replace(first, envelope=replace(first.envelope, commitment=other.envelope.commitment)),
    ):
        wrong = replace(tables[0], allocations=(changed, *tables[0].allocations[1:]))
        assert first.envelope.id in next(verify([wrong]))
    shorter = replace(tables[0], allocations=tables[0].allocations[1:])
    assert next(verify([shorter])).startswith("version 1: is not what its master gives")


def _own(path: Path) -> Path:
    """Git keeps no mode of 0600."""
    path.chmod(0o600)
    return path


def test_the_chain_is_proved_without_an_identity(configured: WriteConfig) -> None:
    """Counts and roots; a flipped bit of a sealed file, or a manifest out of its order, is named."""
    config = configured()
    make(config)
    make(config, "ODE-K1N")
    folder = config.home / "tables"
    assert [one.version for one in read_manifests(folder)] == [1, 2]
    sealed = folder / "v001" / "table.age"
    content = bytearray(sealed.read_bytes())
    content[-1] ^= 1
    sealed.write_bytes(bytes(content))
    with pytest.raises(TableError, match="v001: does not follow"):
        read_manifests(folder)


def test_a_sealed_table_with_any_bit_flipped_does_not_open(configured: WriteConfig) -> None:
    """Wherever it is: one clear error, and never another table."""
    config = configured()
    make(config)
    sealed = config.home / "tables" / "v001" / "table.age"
    whole = sealed.read_bytes()
    for place in random.Random(1).sample(range(8 * len(whole)), 60):
        content = bytearray(whole)
        content[place // 8] ^= 1 << place % 8
        sealed.write_bytes(bytes(content))
        with pytest.raises(TableError):
            open_tables(config, config.home / "identity.txt")
