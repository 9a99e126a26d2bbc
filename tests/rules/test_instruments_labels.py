"""What people call instruments and events: read, checked, and used where people read."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from frozen import FROZEN
from trialdesk.config import load
from trialdesk.errors import InstrumentError
from trialdesk.instruments.checks import check_projects
from trialdesk.instruments.folder import read_folder, read_labels
from trialdesk.instruments.labels import Labels
from trialdesk.instruments.preview.model import model

HEADER = "kind,name,label\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy of the frozen trial to spoil."""
    return Path(copytree(FROZEN, tmp_path / "trial"))


def found(home: Path, old: str, new: str) -> list[tuple[str, int, str, str]]:
    """What check says of labels.csv with one text replaced."""
    path = home / "instruments" / "trial" / "labels.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    faults = check_projects(load(home / "config.yaml"), ("trial",))
    return [(one.severity, one.row, one.column, one.what) for one in faults if one.file == "labels.csv"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("instrument,odi,Disability (ODI)\n", "", ("warning", 1, "name", "the instrument odi has no words")),
        ("event,week_4_arm_1,Week 4\n", "", ("warning", 1, "name", "the event week_4_arm_1 has no words")),
        ("instrument,odi,", "instrument,ody,", ("error", 9, "name", "there is no instrument 'ody'")),
        ("event,week_4_arm_1,", "event,odi,", ("error", 31, "name", "there is no event 'odi'")),
        ("instrument,odi,", "form,odi,", ("error", 9, "kind", "'form' is no kind")),
        ("odi,Disability (ODI)", "odi,", ("warning", 9, "label", "instrument odi has no words")),
        ("odi,Disability (ODI)", "odi,consent", ("warning", 9, "label", "2 rows call their instrument 'consent'")),
    ],
)  # fmt: skip
def test_check_names_what_has_no_words_and_words_for_nothing(
    home: Path, old: str, new: str, said: tuple[str, int, str, str]
) -> None:
    """Without words a name is shown; a row for what is not there is a slip of typing."""
    assert said in found(home, old, new)


def test_a_trial_without_the_file_is_told_once(home: Path) -> None:
    """An existing project that was pulled has none."""
    path = home / "instruments" / "trial" / "labels.csv"
    said = found(home, path.read_text(encoding="utf-8"), HEADER)
    assert [(severity, row) for severity, row, *_ in said] == [("warning", 1)]
    assert said[0][3].startswith("no words for 42 instruments and events")


def test_what_has_no_words_is_told_by_its_name() -> None:
    """Never an underscore, never the number of an arm."""
    labels = Labels({"vas_pain": "Pain (VAS)"}, {"logs_arm_1": "Logs"})
    assert [labels.form("vas_pain"), labels.form("mm_status")] == ["Pain (VAS)", "Mm status"]
    assert [labels.event("logs_arm_1"), labels.event("week_10_arm_1b")] == ["Logs", "Week 10"]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("week_4_arm_1", "Week 4"),
        ("logs_arm_1 adverse_event 3", "Logs · Adverse event · no. 3"),
        ("logs_arm_1 2", "Logs · no. 2"),
        ("", ""),
    ],
)
def test_the_place_of_a_finding_is_told_in_words(where: str, words: str) -> None:
    """Event, instrument and instance, as all findings name them."""
    assert read_labels(FROZEN / "instruments" / "trial").place(where) == words


def test_an_event_without_words_is_told_as_redcap_shows_it(home: Path) -> None:
    """Its label in events.csv."""
    found(home, "event,pvp_procedure_arm_1,Vertebroplasty\n", "")
    assert read_labels(home / "instruments" / "trial").event("pvp_procedure_arm_1") == "PVP procedure"


def test_labels_that_cannot_be_read_are_refused(home: Path) -> None:
    """With the file and the row."""
    (home / "instruments" / "trial" / "labels.csv").write_bytes(b"kind,name,label\ninstrument,odi,\x81\n")
    with pytest.raises(InstrumentError, match=r"labels\.csv row 2"):
        read_labels(home / "instruments" / "trial")


def test_the_preview_shows_words() -> None:
    """Instruments and events as people call them."""
    shown = model(read_folder(FROZEN / "instruments" / "trial").design, "Trial")
    labels, events = shown["labels"], shown["events"]
    assert isinstance(labels, dict)
    assert isinstance(events, list)
    assert (labels["vas_pain"], labels["qlq_c30"]) == ("Pain (VAS)", "Quality of life (QLQ-C30)")
    assert {event["name"]: event["label"] for event in events}["pvp_procedure_arm_1"] == "Vertebroplasty"
