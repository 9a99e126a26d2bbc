"""Making versions of a trial with one pile: what is asked of the packer's files, what is written, read and refused."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from frozen import FROZEN
from trialdesk.allocation.codes import codes_of
from trialdesk.allocation.making import PackerFiles, batch_told, blocks_told, make_version, open_tables
from trialdesk.allocation.manifest import Manifest, from_text, to_text
from trialdesk.allocation.scheme import scheme_of
from trialdesk.allocation.sealing import new_identity
from trialdesk.allocation.tables import by_pile
from trialdesk.allocation.versions import (
    prove_filed,
    read_manifests,
    read_tables,
    version_folders,
    write_version,
)
from trialdesk.config import Config, load
from trialdesk.errors import ConfigError, OutputFailed, PlanRefused, TableError
from trialdesk.model import Pile

pytestmark = pytest.mark.requirement("ENV-02", "ENV-05", "ENV-09")

WHOLE = load(FROZEN / "config.yaml")
IDENTITY, KEY = new_identity()
MASTER = bytes((7 * number + 3) % 251 for number in range(32))
TODAY = date(2026, 11, 23)


def trial(folder: Path, levels: int = 1, **changes: object) -> Config:
    """One site and one factor with so many levels, in a folder of its own."""
    factor = WHOLE.strata[0].model_copy(update={"levels": WHOLE.strata[0].levels[:levels]})
    envelopes = WHOLE.envelopes.model_copy(
        update={"batch": 3, "recipients": (KEY,), "blocks_file": Path("blocks.yaml"), **changes}
    )
    folders = WHOLE.folders.model_copy(update={"tables": Path("tables")})
    made = {"home": folder, "sites": WHOLE.sites[:1], "strata": (factor,), "envelopes": envelopes, "folders": folders}
    config = WHOLE.model_copy(update=made)
    for name in ("piles", "stratum_levels", "sites_by_code", "arms_by_code"):
        config.__dict__.pop(name, None)  # copied with the rest where they were asked for before
    return config


def private(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def config(tmp_path: Path) -> Config:
    private(tmp_path / "blocks.yaml", "2: 1\n4: 1\n")
    private(tmp_path / "identity.txt", f"{IDENTITY}\n")
    private(tmp_path / "master.txt", MASTER.hex())
    return trial(tmp_path)


def make(
    config: Config,
    *piles: str,
    identity: bool = True,
    master: bool = True,
    freeze: bool = True,
    filed: Path | None = None,
) -> Manifest:
    files = PackerFiles(
        config.home / "identity.txt" if identity else None, config.home / "master.txt" if master else None, filed
    )
    return make_version(config, files, piles, lambda: MASTER[::-1], TODAY, freeze=freeze)


def tables_of(config: Config) -> Path:
    return config.home / "tables"


def test_a_version_is_made_of_configuration_and_packers_files(config: Config) -> None:
    """Scheme, codes, batch, day and piles; what is returned is what was filed beside the sealed table."""
    told = make(config, identity=False)
    (table,) = open_tables(config, config.home / "identity.txt")
    assert (table.master, table.scheme) == (MASTER, scheme_of(config, ((2, 1), (4, 1))))
    assert (table.batch, table.made, table.codes, table.version) == (3, "2026-11-23", codes_of(config), 1)
    assert {made.envelope.pile for made in table.allocations} == {Pile("ODE", "K")}
    assert told == from_text((tables_of(config) / "v001" / "manifest.json").read_text(encoding="utf-8"))
    assert (told.made, told.previous_sha256) == ("2026-11-23", "")


def test_later_versions_follow_and_fill_what_is_new(config: Config) -> None:
    """A named pile goes on; a pile that has none is begun where no pile is named."""
    make(config, identity=False)
    second = make(config, "ODE-K")
    assert [(one.pile, one.batch) for one in second.piles] == [("ODE-K", 2)]
    first = (tables_of(config) / "v001" / "manifest.json").read_text(encoding="utf-8")
    assert second.previous_sha256 == sha256(first.encode()).hexdigest()
    more = trial(config.home, levels=2)
    third = make(more)
    assert [(one.pile, one.batch) for one in third.piles] == [("ODE-N", 1)]
    assert len(by_pile(open_tables(more, config.home / "identity.txt"))) == 2


def test_a_master_is_drawn_given_or_known(config: Config) -> None:
    """Drawn where there is none; from then on it is that of the tables, and another one is refused."""
    make(config, identity=False, master=False)
    files = PackerFiles(config.home / "identity.txt")
    make_version(config, files, ("ODE-K",), lambda: bytes(32), TODAY)
    assert {table.master for table in open_tables(config, config.home / "identity.txt")} == {MASTER[::-1]}
    with pytest.raises(TableError, match="master"):
        make(config, "ODE-K")


def test_blocks_are_the_files_or_those_of_the_tables(config: Config) -> None:
    """They have to fit the arms; a file that is gone is no matter any more once there are tables."""
    blocks = config.home / "blocks.yaml"
    blocks.unlink()
    with pytest.raises(ConfigError, match="multiples of 2"):
        make(config, identity=False)
    private(blocks, "3: 1\n")
    with pytest.raises(ConfigError, match="not a list of block sizes"):
        make(config, identity=False)
    private(blocks, "2: 1\n4: 1\n")
    make(config, identity=False)
    blocks.unlink()
    assert make(config, "ODE-K").version == 2
    private(blocks, "4: 1\n2: 1\n")
    with pytest.raises(TableError, match="block sizes"):
        make(config, "ODE-K")


def test_codes_are_shown_once_before_they_are_frozen(config: Config) -> None:
    """Nothing is made before a person has read them."""
    with pytest.raises(PlanRefused, match=r"(?s)^PVP-MM, prod.*--freeze"):
        make_version(config, PackerFiles(), (), lambda: MASTER, TODAY)
    assert not tables_of(config).exists()
    make(config, identity=False)
    assert make(config, "ODE-K", freeze=False).version == 2


def test_every_pile_that_is_not_one_is_named(config: Config) -> None:
    """With an example of one; the right ones are not."""
    with pytest.raises(ConfigError) as caught:
        make(config, "ODE-X", "ODE-K", "Y", identity=False)
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["--pile ODE-X", "--pile Y"]
    assert all(line.endswith("for example ODE-K") for line in lines)


@pytest.mark.parametrize(
    ("batch", "reorder", "least"), [(1, 0, 2), (2, 1, 3), (4, 3, 5), (2, 0, 0), (3, 1, 0), (5, 3, 0)]
)
def test_a_batch_is_more_than_the_level_at_which_it_is_ordered(
    config: Config, batch: int, reorder: int, least: int
) -> None:
    """By two at least, and never one."""
    small = trial(config.home, batch=batch, reorder_at=reorder)
    told = list(batch_told(small))
    assert [f"{least} or more" in line and f"batch: {batch} " in line for line in told] == ([True] if least else [])
    if least:
        with pytest.raises(ConfigError, match="too small"):
            make(small, identity=False)


def test_block_sizes_that_tell_too_much_are_told(config: Config) -> None:
    """A single one, or one as small as can be; nothing without a file."""
    assert ["smallest" in line for line in blocks_told(config)] == [True]
    private(config.home / "blocks.yaml", "4: 1\n6: 1\n")
    assert list(blocks_told(config)) == []
    private(config.home / "blocks.yaml", "2: 1\n")
    assert ["single" in line for line in blocks_told(config)] == [True, False]
    (config.home / "blocks.yaml").unlink()
    assert list(blocks_told(config)) == []


def test_a_version_that_was_filed_has_to_be_there(config: Config, tmp_path: Path) -> None:
    """Before another is made."""
    make(config, identity=False)
    make(config, "ODE-K")
    filed = tmp_path / "filed.json"
    shutil.copy(tables_of(config) / "v002" / "manifest.json", filed)
    assert make(config, "ODE-K", filed=filed).version == 3
    for number in (2, 3):
        shutil.rmtree(tables_of(config) / f"v00{number}")
    with pytest.raises(TableError, match="v002: was filed and is not here"):
        make(config, "ODE-K", filed=filed)
    with pytest.raises(TableError, match="v002: was filed"):
        prove_filed(tables_of(config), filed)
    filed.write_text("1", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"filed.json: is not a manifest \(ValueError\)"):
        prove_filed(tables_of(config), filed)
    with pytest.raises(ConfigError, match=r"is not a manifest \(FileNotFoundError\)"):
        prove_filed(tables_of(config), tmp_path / "none")
    shutil.copy(tables_of(config) / "v001" / "manifest.json", filed)
    prove_filed(tables_of(config), filed)
    filed.write_text(to_text(replace(from_text(filed.read_text("utf-8")), made="2026-11-24")), encoding="utf-8")
    with pytest.raises(TableError, match=r"v001.manifest.json: is not the manifest that was filed"):
        prove_filed(tables_of(config), filed)


def two(config: Config) -> tuple[Path, Path]:
    """Two versions, and where they are."""
    make(config, identity=False)
    make(config, "ODE-K")
    first, second = version_folders(tables_of(config))
    return first, second


def test_versions_are_read_in_their_order_and_none_may_lack(config: Config) -> None:
    """With an identity, or the manifests without; folders of other names are nobody's."""
    folder = tables_of(config)
    assert (version_folders(folder), read_tables(folder, "")) == ((), ())
    with pytest.raises(TableError, match="holds no version"):
        read_manifests(folder)
    first, second = two(config)
    (folder / "v1").mkdir()
    (folder / "v009").write_text("a file", encoding="utf-8")
    assert [path.name for path in version_folders(folder)] == ["v001", "v002"]
    assert [table.version for table in read_tables(folder, IDENTITY)] == [1, 2]
    assert [one.version for one in read_manifests(folder)] == [1, 2]
    with pytest.raises(ConfigError, match=r"tables: holds sealed tables; .*--identity"):
        read_tables(folder, "")
    shutil.move(first, folder / "gone")
    for read in (lambda: read_tables(folder, IDENTITY), lambda: read_manifests(folder)):
        with pytest.raises(TableError, match=r"v001: is missing though v002 is there"):
            read()
    assert second.exists()


def changed(path: Path, **change: object) -> None:
    told = json.loads(path.read_text(encoding="utf-8")) | change
    path.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")


@pytest.mark.parametrize("change", [{"made": "2026-11-22"}, {"previous_sha256": ""}, {"version": 1}, {"envelopes": 9}])
def test_a_manifest_that_is_not_of_its_table_is_refused(config: Config, change: dict[str, object]) -> None:
    """Day, chain, number, counts."""
    _, second = two(config)
    changed(second / "manifest.json", **change)
    with pytest.raises(TableError, match=r"v002: manifest and sealed table do not belong together"):
        read_tables(tables_of(config), IDENTITY)


@pytest.mark.parametrize("part", ["table.age", "manifest.json"])
def test_a_part_that_is_gone_is_told_with_its_version(config: Config, part: str) -> None:
    """By both ways of reading."""
    _, second = two(config)
    (second / part).unlink()
    with pytest.raises(TableError, match=r"v002: is not complete \(FileNotFoundError\)"):
        read_tables(tables_of(config), IDENTITY)
    with pytest.raises(TableError, match=r"v002: is not complete \(FileNotFoundError\)"):
        read_manifests(tables_of(config))


def test_a_sealed_file_of_somebody_else_is_told_with_its_name(config: Config) -> None:
    """And one whose manifest is no text."""
    _, second = two(config)
    with pytest.raises(TableError, match=r"v001.table.age: does not open"):
        read_tables(tables_of(config), new_identity()[0])
    (second / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(TableError, match=r"v002: is not complete \(ValueError\)"):
        read_tables(tables_of(config), IDENTITY)
    with pytest.raises(TableError, match=r"v002: is not complete \(ValueError\)"):
        read_manifests(tables_of(config))


@pytest.mark.parametrize("way", ["sealed", "chain", "first"])
def test_the_chain_of_manifests_is_proved_without_an_identity(config: Config, way: str) -> None:
    """A sealed file that is another, or a manifest that follows another."""
    first, second = two(config)
    if way == "sealed":
        (second / "table.age").write_bytes(b"another")
    elif way == "chain":
        changed(second / "manifest.json", previous_sha256="00")
    else:
        changed(first / "manifest.json", previous_sha256="00")
    name = "v001" if way == "first" else "v002"
    with pytest.raises(TableError, match=f"{name}: does not follow"):
        read_manifests(tables_of(config))


def test_a_version_in_the_wrong_folder_is_told(config: Config) -> None:
    """A copy of the first as the second follows nothing; a table of another number is named."""
    make(config, identity=False)
    (table,) = open_tables(config, config.home / "identity.txt")
    write_version(tables_of(config) / "other", replace(table, version=2), (KEY,))
    shutil.move(tables_of(config) / "other" / "v002", tables_of(config) / "other" / "v001")
    with pytest.raises(TableError, match="v001: holds another version than its name"):
        read_tables(tables_of(config) / "other", IDENTITY)


def test_a_version_is_written_whole_or_not_at_all(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is on disk before its name is; a folder that is there is kept, and nothing else is left."""
    synced: list[str] = []

    def note(handle: int) -> None:
        synced.append(os.path.realpath(f"/proc/self/fd/{handle}"))

    monkeypatch.setattr("trialdesk.allocation.versions.os.fsync", note)
    make(config, identity=False)
    where = [Path(one).relative_to(tables_of(config)).parts for one in synced]
    assert [parts[-1:] for parts in where] == [("table.age",), ("manifest.json",), ("v001",), ()]
    assert all(parts[0].startswith(".making-") for parts in where[:3])  # no other program takes it for a version
    (table,) = open_tables(config, config.home / "identity.txt")
    with pytest.raises(OutputFailed, match=r"v001: can't be written \(Directory not empty\)"):
        write_version(tables_of(config), table, (KEY,))
    assert [path.name for path in tables_of(config).iterdir()] == ["v001"]
    assert sorted(path.name for path in (tables_of(config) / "v001").iterdir()) == ["manifest.json", "table.age"]
    with pytest.raises(ConfigError, match="recipients is empty"):
        write_version(tables_of(config), replace(table, version=2), ())


def test_the_folder_of_versions_is_made_with_all_above_it(config: Config) -> None:
    """Wherever the configuration wants it."""
    make(config, identity=False)
    (table,) = open_tables(config, config.home / "identity.txt")
    write_version(config.home / "a" / "b", table, (KEY,))
    assert read_tables(config.home / "a" / "b", IDENTITY) == (table,)


def test_without_an_identity_the_way_to_one_is_told(config: Config) -> None:
    """And a file that is not there too."""
    with pytest.raises(ConfigError, match="keygen"):
        open_tables(config, config.home / "none")
    make(config, identity=False)
    with pytest.raises(ConfigError, match="--identity FILE"):
        open_tables(config, None)


def test_the_digest_in_a_manifest_is_that_of_its_sealed_file(config: Config) -> None:
    """And every recipient can open it."""
    other = new_identity()
    many: Sequence[str] = (KEY, other[1])
    told = make(trial(config.home, recipients=many), identity=False)
    sealed = (tables_of(config) / "v001" / "table.age").read_bytes()
    assert told.sealed_sha256 == sha256(sealed).hexdigest()
    assert read_tables(tables_of(config), other[0]) == read_tables(tables_of(config), IDENTITY)
