"""Local wording: merged by field name, refused when codes differ, never in the repository."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from frozen import FROZEN
from redcap_rules.dictionary import Dictionary, Field
from trialdesk.config import Config, load
from trialdesk.errors import InstrumentError, OutputFailed
from trialdesk.instruments.byhand import setup_steps, write_checklist
from trialdesk.instruments.checks import check_projects
from trialdesk.instruments.design import Design
from trialdesk.instruments.folder import PROJECTS, folder_of, read_design
from trialdesk.instruments.overlay import overlay_folder
from trialdesk.instruments.pulling import Pulled, pulled, write_pulled

pytestmark = pytest.mark.requirement("QOL-03")

HOME = Path(__file__).parents[2]
WORDING = "Et spørgsmål, som ingen må se"
HEADER = "field_name,label_da,choices_da,note_da,source_version,licence_ref,date_received\n"
SIX = "0, Slet ingen | 1, Lidt | 2, Nogle | 3, Mange | 4, Flere | 5, Alle"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The trial with its own copy of everything but the local wording."""
    copytree(FROZEN / "instruments", tmp_path / "instruments")
    (tmp_path / "config.yaml").write_text((FROZEN / "config.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return load(tmp_path / "config.yaml")


def give(config: Config, *rows: str, name: str = "odi.da.csv") -> None:
    overlay_folder(config).mkdir(parents=True, exist_ok=True)
    (overlay_folder(config) / name).write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")


def test_the_wording_replaces_label_answers_and_note_and_nothing_else(config: Config) -> None:
    """Codes, branching, calculations and marks stay those of the repository."""
    bare = read_design(config, "trial").dictionary
    give(config, f'odi_1,"{WORDING}","{SIX}",Vælg ét svar')
    worded = read_design(config, "trial").dictionary
    expected = replace(bare.get("odi_1"), label=WORDING, choices=SIX, note="Vælg ét svar")
    assert worded.get("odi_1") == expected
    assert [f for f in worded.fields if f.name != "odi_1"] == [f for f in bare.fields if f.name != "odi_1"]


def test_a_blank_cell_keeps_what_the_repository_says(config: Config) -> None:
    """A translation may come in parts."""
    bare = read_design(config, "trial").dictionary.get("odi_1")
    give(config, f'odi_1,"{WORDING}",,')
    assert read_design(config, "trial").dictionary.get("odi_1") == replace(bare, label=WORDING)


def test_wording_of_another_language_is_left_alone(config: Config) -> None:
    """The configuration's language decides."""
    give(config, "odi_1,Something,,", name="odi.en.csv")
    assert read_design(config, "trial").dictionary.get("odi_1").label == "ODI section 1 (pain)"


def test_wording_of_every_language_is_kept_out_of_the_repository(config: Config) -> None:
    """The English original is licensed too."""
    header = HEADER.replace("_da", "_en")
    give(config, "odi_1,Something nobody may see,,")
    (overlay_folder(config) / "odi.da.csv").rename(overlay_folder(config) / "odi.en.csv")
    english = overlay_folder(config) / "odi.en.csv"
    english.write_text(english.read_text(encoding="utf-8").replace(HEADER, header), encoding="utf-8")
    path = folder_of(config, "trial") / "15_nurse_contact.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("Entered by", "Something nobody may see"), encoding="utf-8"
    )
    (fault,) = check_projects(config, ("trial",))
    assert (fault.file, fault.rule) == ("15_nurse_contact.csv", "licensed")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('odi_1,X,"1, A | 2, B",', "the codes 1, 2 are not 0, 1, 2, 3, 4, 5"),
        ('odi_1,X,"0, A | 0, B",', "code '0' is already the code"),
        ("odi_11,X,,", "odi has no field odi_11"),
        ("elig_sex,X,,", "odi has no field elig_sex"),
        ("odi_pct,X,[odi_1]*2,", "odi_pct is a calc field"),
    ],
)
def test_wording_that_does_not_fit_is_refused_with_its_row(config: Config, row: str, words: str) -> None:
    """What patients answered must never change its code."""
    give(config, row)
    with pytest.raises(InstrumentError, match=r"odi\.da\.csv row 2") as caught:
        read_design(config, "trial")
    assert words in str(caught.value)
    assert words in " ".join(str(fault) for fault in check_projects(config, ("trial",)))


@pytest.mark.parametrize("name", ["odii.da.csv", "ODI.da.csv"])
def test_wording_no_instrument_gets_is_found(config: Config, name: str) -> None:
    """A misspelt file name would leave patients with item numbers; the register's instruments count too."""
    give(config, 'odi_1,"X",,', name=name)
    give(config, 'env_id,"X",,', name="envelope.da.csv")
    (fault,) = check_projects(config, ("trial",))
    assert (fault.file, fault.rule) == (name, "overlay")


def test_wording_in_the_repository_is_found_wherever_it_stands(config: Config) -> None:
    """Also on a field without the mark, in other capitals and spacing."""
    give(config, f'odi_1,"{WORDING}",,')
    assert [fault for fault in check_projects(config, ("trial",)) if fault.rule == "licensed"] == []
    path = folder_of(config, "trial") / "15_nurse_contact.csv"
    text = path.read_text(encoding="utf-8").replace("Entered by", f'"{WORDING.upper().replace(" ", "  ")}"')
    path.write_text(text, encoding="utf-8")
    (fault,) = [fault for fault in check_projects(config, ("trial",)) if fault.rule == "licensed"]
    assert (fault.file, fault.column) == ("15_nurse_contact.csv", "Field Label")
    assert WORDING.casefold() not in str(fault).casefold()


@pytest.mark.parametrize(("ignored", "faults"), [("", 1), ("/local/\n", 0)])
def test_wording_git_would_commit_is_found(config: Config, ignored: str, faults: int) -> None:
    """The folder has to be ignored."""
    subprocess.run(["git", "init", "-q", str(config.home)], check=True)
    (config.home / ".gitignore").write_text(ignored, encoding="utf-8")
    give(config, f'odi_1,"{WORDING}",,')
    assert len([f for f in check_projects(config, PROJECTS) if "git would commit" in f.what]) == faults


def test_the_repository_ignores_the_folder_of_local_wording() -> None:
    """What git does not see can't be pushed."""
    assert "/local/" in (HOME / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_pulled_files_never_overwrite(tmp_path: Path) -> None:
    """A folder with files is refused; an overlay that is there stays."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "old.csv").write_text("", encoding="utf-8")
    with pytest.raises(OutputFailed, match="is not empty"):
        write_pulled(Pulled({"a.csv": "x"}, {}), tmp_path / "there", tmp_path / "local")
    with pytest.raises(OutputFailed, match="NotADirectoryError"):
        write_pulled(Pulled({"a.csv": "x"}, {}), tmp_path / "there" / "old.csv", tmp_path / "local")
    (tmp_path / "local").mkdir()
    mine = tmp_path / "local" / "odi.da.csv"
    mine.write_text("mine", encoding="utf-8")
    files = Pulled({"a.csv": "x"}, {"odi.da.csv": "new", "my20.da.csv": "new"})
    assert write_pulled(files, tmp_path / "new", tmp_path / "local") == (mine,)
    assert (tmp_path / "local" / "odi.da.csv").read_text(encoding="utf-8") == "mine"


def test_a_classic_project_pulls_without_structure() -> None:
    """No events, no mapping; one file a form."""
    fields = (Field("id", "first", "text"), Field("a", "second", "text"))
    assert list(pulled(Design(Dictionary(fields)), "da").files) == ["01_first.csv", "02_second.csv"]


def test_a_checklist_of_nothing_or_of_damaged_files_is_refused(config: Config) -> None:
    """One line instead of an empty list or a traceback."""
    folder = folder_of(config, "trial")
    with pytest.raises(InstrumentError, match="there is no folder"):
        setup_steps(folder / "nowhere", "trial")
    (folder / "by_hand.md").write_bytes(b"- \x81\n")
    (folder / "dq_rules.csv").write_bytes(b"rule_name,rule_logic\n\x81")
    with pytest.raises(InstrumentError, match=r"(?s)by_hand\.md row 1.*dq_rules\.csv row 2"):
        setup_steps(folder, "trial")


def test_the_checklist_numbers_what_the_api_cannot_set(config: Config, tmp_path: Path) -> None:
    """Files to upload first, then the steps of the trial."""
    page = write_checklist(setup_steps(folder_of(config, "trial"), "trial"), tmp_path / "out")
    text = page.read_text(encoding="utf-8")
    assert "1. [ ] Data Quality → Upload or download rules → upload `dq_rules.csv`" in text
    assert "2. [ ] Online Designer → Form Display Logic → upload `display_logic.csv`" in text
    assert "then assign every user to a role" in text
    assert "enable as survey, in this order: Pain (VAS) (`vas_pain`), Disability (ODI) (`odi`)," in text
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "steps.md",
        "dq_rules.csv",
        "display_logic.csv",
        "roles.csv",
        "labels.csv",
    }
