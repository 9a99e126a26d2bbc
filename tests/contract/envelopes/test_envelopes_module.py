"""Files for REDCap's Randomization module, taken by the local REDCap's own upload check."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import make_tables
from contract.envelopes.conftest import World
from trialdesk.allocation.making import open_tables
from trialdesk.allocation.modulefile import DEVELOPMENT, PRODUCTION, module_files
from trialdesk.allocation.tables import by_pile
from trialdesk.errors import ConfigError

pytestmark = pytest.mark.requirement("RCP-02")

SCRIPTS = Path(__file__).parents[3] / "scripts"
STRATA = [f"{name}@randomisation_arm_1" for name in ("rand_grp", "rand_lvl", "rand_for")]


def written(desk: World, folder: Path, *more: str) -> Result:
    home = desk.config.home
    words = ["module", str(folder), "--identity", str(home / "identity.txt"), "--config", str(home / "config.yaml")]
    return CliRunner().invoke(make_tables.app, [*words, *more])


def local(desk: World, *words: str) -> str:
    place = ["--db", str(desk.config.home / "redcap.db"), "--project", desk.trial().project()["project_id"]]
    command = [sys.executable, str(SCRIPTS / "local_redcap.py"), "randomization", words[0], *place, *words[1:]]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.stdout + ended.stderr


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_module_takes_both_tables(desk: World, tmp_path: Path) -> None:
    """Group before the strata, group ids of this server, dev other than prod; uploaded, and refused where exchanged."""
    said = written(desk, tmp_path)
    assert said.exit_code == 0, said.output
    model = [word for stratum in STRATA for word in ("--stratum", stratum)]
    rid = local(desk, "define", "--target", "rand_arm@randomisation_arm_1", *model, "--by-group").strip()
    for name, status in ((DEVELOPMENT, "--development"), (PRODUCTION, "--production")):
        assert "Success!" in local(desk, "upload", "--rid", rid, status, str(tmp_path / name))
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    assert "Duplicate allocation table" in local(
        desk, "upload", "--rid", rid, "--production", str(tmp_path / DEVELOPMENT)
    )
    lists = by_pile(open_tables(desk.config, desk.config.home / "identity.txt"))
    made = [one for pile in lists.values() for one in pile]
    found = rows(tmp_path / PRODUCTION)
    assert list(found[0]) == [
        "redcap_randomization_number", "redcap_randomization_group", "redcap_data_access_group",
        "rand_grp", "rand_lvl", "rand_for",
    ]  # fmt: skip
    assert [(r["redcap_randomization_number"], r["redcap_randomization_group"]) for r in found] == [
        (one.envelope.id, one.card.arm) for one in made
    ]
    ids = {row["unique_group_name"]: str(row["data_access_group_id"]) for row in desk.trial().groups()}
    assert {(r["redcap_randomization_number"][:3].lower(), r["redcap_data_access_group"]) for r in found} == {
        ("ode", ids["ode"]), ("rig", ids["rig"]),
    }  # fmt: skip
    tried = rows(tmp_path / DEVELOPMENT)
    assert Counter(r["redcap_data_access_group"] for r in tried) == Counter(
        r["redcap_data_access_group"] for r in found
    )
    assert all(r["redcap_randomization_number"].startswith("TEST ") for r in tried)
    assert [r["redcap_randomization_group"] for r in tried] != [r["redcap_randomization_group"] for r in found]


def test_an_older_redcap_has_the_other_header(desk: World) -> None:
    """Before 14.7: the target field, the strata, the group; no number."""
    tables = open_tables(desk.config, desk.config.home / "identity.txt")
    groups = {"ode": "41", "rig": "42"}
    files = module_files(desk.config, tables, groups, "14.5.11")
    assert files[PRODUCTION].splitlines()[0] == "rand_arm,rand_grp,rand_lvl,rand_for,redcap_data_access_group"
    assert {line.rsplit(",", 1)[1] for line in files[PRODUCTION].splitlines()[1:]} == {"41", "42"}
    assert list(module_files(desk.config, tables, groups, "16.1.9", append=True)) == [PRODUCTION]


@pytest.mark.parametrize(
    ("groups", "version", "words"),
    [
        ({"ode": "41"}, "15.0.12", "RIG is no data access group"),
        ({"ode": "41", "rig": ""}, "15.0.12", "tells no numbers"),
        ({"ode": "41", "rig": "42"}, "unknown", "no header is known"),
    ],
)
def test_what_the_server_does_not_tell_is_no_guess(
    desk: World, groups: dict[str, str], version: str, words: str
) -> None:
    """A missing group, a group without a number, a version that is none."""
    tables = open_tables(desk.config, desk.config.home / "identity.txt")
    with pytest.raises(ConfigError, match=words):
        module_files(desk.config, tables, groups, version)


def test_the_files_do_not_stand_among_the_reports(desk: World) -> None:
    """Reports are handed on; these name arms."""
    assert written(desk, desk.config.reports / "module").exit_code == 2
