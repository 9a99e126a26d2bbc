"""The one line that is written into the configuration: the numbers REDCap gave the projects."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from frozen import FROZEN
from trialdesk.config import load
from trialdesk.config.noting import note_project, with_projects
from trialdesk.config.parts import Projects
from trialdesk.errors import OutputFailed

BOTH = Projects(trial="12", envelopes="13")


def test_a_number_is_one_line_more_and_nothing_else(tmp_path: Path) -> None:
    """Comments, order and mode stay; the second project goes into the same line; saying it again changes nothing."""
    path = tmp_path / "config.yaml"
    shutil.copy(FROZEN / "config.yaml", path)
    path.chmod(0o640)
    before = path.read_text(encoding="utf-8").splitlines()
    assert note_project(path, "trial", "12")
    assert note_project(path, "envelopes", "13")
    assert not note_project(path, "envelopes", "13")
    after = path.read_text(encoding="utf-8").splitlines()
    more = [line for line in after if line not in before]
    assert more == ['  projects: {trial: "12", envelopes: "13"}']
    assert [line for line in after if line not in more] == before
    assert load(path).redcap.projects == BOTH
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "held",
    [
        'redcap:\n  url: https://a/api/\n  projects: {trial: "1"}   # of the old server\n  batch: 5\n',
        'redcap:\n    projects:\n        trial: "1"\n        envelopes: "2"\n    url: https://a/api/\n    batch: 5\n',
        "redcap:\n  url: https://a/api/\n  batch: 5\n",
    ],
)
def test_an_earlier_line_is_replaced_however_it_is_written(held: str) -> None:
    """As a block, in one line, or not there at all."""
    from ruamel.yaml import YAML

    made = YAML(typ="safe").load(with_projects(held, BOTH))
    assert made == {"redcap": {"url": "https://a/api/", "projects": {"trial": "12", "envelopes": "13"}, "batch": 5}}


def test_a_file_that_cannot_be_changed_says_which_line_to_add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the file is as it was."""
    path = tmp_path / "config.yaml"
    shutil.copy(FROZEN / "config.yaml", path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputFailed, match=r"write `projects: \{trial: \"12\"\}` under redcap"):
        note_project(path, "trial", "12")
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["config.yaml"]
