"""A translation of the instruments: complete, held to what it translates, and changing nothing but words."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from shutil import copytree

import pytest

from followup_records import pulled, record, tried
from frozen import FROZEN, trial_dictionary
from redcap_rules.choices import parse_choices
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.record import Row
from trialdesk.config import Config, load
from trialdesk.errors import InstrumentError
from trialdesk.facts.cards import Cards
from trialdesk.facts.deriving import Past, derive
from trialdesk.facts.pulling import Pull
from trialdesk.instruments.byhand import setup_steps
from trialdesk.instruments.checks import check_projects
from trialdesk.instruments.checks.run import errors_in
from trialdesk.instruments.design import Design
from trialdesk.instruments.documents.crf import crf
from trialdesk.instruments.documents.wording import in_words
from trialdesk.instruments.folder import folder_of, read_design, read_folder, read_translations
from trialdesk.instruments.live import Live
from trialdesk.instruments.overlay import overlay_folder
from trialdesk.instruments.plan import plan
from trialdesk.instruments.preview.model import model
from trialdesk.instruments.preview.page import render
from trialdesk.instruments.stakes import Holdings
from trialdesk.instruments.table import Numbered
from trialdesk.instruments.translation import CHOICES, COLUMNS, PARTS, TO_APPROVE, Key, faults, in_own_words, texts
from trialdesk.instruments.words import WORDS
from trialdesk.redcap.patients import patients
from trialdesk.reports.pack import enrolment_packs

pytestmark = pytest.mark.requirement("INS-03")

Rows = list[list[str]]
BARE = read_folder(FROZEN / "instruments" / "trial").design
WANTED = texts(BARE)


def foreign(design: Design) -> Rows:
    """A translation that says every text with an å in front, approved nowhere."""
    return [[*key, text, _foreign(design, key, text), TO_APPROVE] for key, text in texts(design).items()]


def _foreign(design: Design, key: Key, text: str) -> str:
    if key[2] == CHOICES and design.dictionary.get(key[1]).options:
        return " | ".join(f"{one.code}, å {one.label}" for one in parse_choices(text))
    return f"å {text}"


def numbered(rows: Rows) -> Numbered:
    return [(number, dict(zip(COLUMNS, row, strict=True))) for number, row in enumerate(rows, start=2)]


def write(home: Path, rows: Rows) -> None:
    with (home / "instruments" / "trial" / "da.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


@pytest.fixture(scope="module")
def danish(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The frozen trial with such a translation; nobody changes it."""
    home = Path(copytree(FROZEN, tmp_path_factory.mktemp("danish") / "trial"))
    write(home, foreign(BARE))
    return load(home / "config.yaml")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """One to spoil."""
    return Path(copytree(FROZEN, tmp_path / "trial"))


def said(home: Path) -> list[tuple[int, str]]:
    found = check_projects(load(home / "config.yaml"), ("trial",))
    return [(one.row, one.what) for one in found if one.file == "da.csv"]


def test_every_text_with_words_and_without_a_licence_is_to_be_translated() -> None:
    """Instruments, events, labels, choices, headers, notes, the ends of a slider; numbers say the same everywhere."""
    assert WANTED["instrument", "odi", "label"] == "Disability (ODI)"
    assert WANTED["event", "week_4_arm_1", "label"] == "Week 4"
    assert WANTED["field", "elig_sex", "choices"] == "1, Female | 2, Male"
    assert WANTED["field", "vas_back", "choices"] == "No pain | | Worst pain"
    assert ("field", "mm_ecog", "label") in WANTED and ("field", "mm_ecog", "choices") not in WANTED
    licensed = {name for kind, name, part in WANTED if kind == "field" and name.startswith("odi_1")}
    assert licensed == {"odi_1"}
    assert [part for _, name, part in WANTED if name == "odi_1"] == ["section"]
    assert not any(part == "choices" and BARE.dictionary.get(name).kind == "calc" for _, name, part in WANTED)


def test_a_translation_changes_words_and_nothing_else(danish: Config) -> None:
    """Codes, logic, validation, structure and the names REDCap makes event names of stay."""
    design = read_design(danish, "trial", "da")
    assert design.language == "da" and design.unapproved == len(WANTED)
    assert (design.events, design.mapping, design.repeating) == (BARE.events, BARE.mapping, BARE.repeating)
    assert design.labels.form("odi") == "å Disability (ODI)" and design.labels.event("week_4_arm_1") == "å Week 4"
    for ours, theirs in zip(BARE.dictionary.fields, design.dictionary.fields, strict=True):
        assert _wordless(ours) == _wordless(theirs)
        assert [one.code for one in ours.options] == [one.code for one in theirs.options]
        for part in PARTS:
            wanted = ("field", ours.name, part) in WANTED
            assert (getattr(ours, part) != getattr(theirs, part)) == wanted, (ours.name, part)
    assert read_design(danish, "trial").dictionary == BARE.dictionary


def _wordless(field: Field) -> Field:
    return replace(field, section="", label="", choices="", note="")


def test_the_local_wording_of_that_language_goes_on_top(home: Path) -> None:
    """A licensed questionnaire is in the language of the form around it."""
    write(home, foreign(BARE))
    config = load(home / "config.yaml")
    overlay_folder(config).mkdir(parents=True)
    for language in ("da", "sv"):
        text = f"field_name,label_{language},choices_{language},note_{language}\nodi_1,Ordlyd {language},,\n"
        (overlay_folder(config) / f"odi.{language}.csv").write_text(text, encoding="utf-8")
    design = read_design(config, "trial", "da")
    assert design.dictionary.get("odi_1").label == "Ordlyd da"
    assert design.dictionary.get("odi_stat").label == "å Completion status"
    assert read_design(config, "trial", "da", wording=False).dictionary.get("odi_1").label == "ODI section 1 (pain)"


def drop(rows: Rows, at: int) -> None:
    del rows[at]


def put(column: int, text: str) -> Callable[[Rows, int], None]:
    def change(rows: Rows, at: int) -> None:
        rows[at][column] = text

    return change


@pytest.mark.parametrize(
    ("key", "spoil", "words"),
    [
        (("field", "elig_yob", "label"), drop, "the label of field elig_yob is not translated"),
        (("instrument", "odi", "label"), drop, "the label of instrument odi is not translated"),
        (("event", "week_4_arm_1", "label"), drop, "the label of event week_4_arm_1 is not translated"),
        (("field", "elig_yob", "label"), put(3, "Birth year"), "the label of elig_yob is another now: Year of birth"),
        (("field", "elig_yob", "label"), put(4, ""), "the label of elig_yob has no words"),
        (("field", "elig_yob", "label"), put(1, "elig_jahr"), "there is no label of field elig_jahr to translate"),
        (("field", "elig_yob", "label"), put(0, "fields"), "there is no label of fields elig_yob to translate"),
        (("field", "elig_yob", "label"), put(2, "note"), "there is no note of field elig_yob to translate"),
        (("field", "elig_yob", "label"), put(5, ""), "the label of elig_yob does not say whether it is approved"),
        (("field", "elig_yob", "label"), put(4, "Født <b>år</b>"), "the label of elig_yob has other mark-up"),
        (("field", "elig_yob", "label"), put(4, "Født [elig_sex]"), "the label of elig_yob has other mark-up"),
        (("field", "elig_yob", "label"), put(4, "Født | år"), "the label of elig_yob has 1 | and the original 0"),
        (("field", "elig_sex", "choices"), put(4, "1, Kvinde | 3, Mand"), "elig_sex: the codes 1, 3 are not 1, 2"),
        (("field", "elig_sex", "choices"), put(4, "1, Kvinde | 1, Mand"), "elig_sex: choice 2: code '1' is already"),
        (("field", "vas_back", "choices"), put(4, "Ingen | Værst"), "the choices of vas_back has 1 | and the"),
        (("field", "elig_yob", "label"), put(1, "odi_2"), "the label of odi_2 is under the licence odi_2_1a"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_translation_is_named(key: Key, spoil: Callable[[Rows, int], None], words: str) -> None:
    """Missing, surplus, out of date, other codes, other mark-up, licensed: each with its row."""
    rows = foreign(BARE)
    assert list(faults(BARE, "da.csv", numbered(rows))) == []
    at = next(number for number, row in enumerate(rows) if tuple(row[:3]) == key)
    spoil(rows, at)
    found = [(fault.row, fault.what) for fault in faults(BARE, "da.csv", numbered(rows))]
    assert any(row == (1 if spoil is drop else at + 2) and what.startswith(words) for row, what in found), found


def test_a_translation_that_is_not_right_is_told_by_check_and_shown_nowhere(home: Path) -> None:
    """It counts as an error of the files, which brakes a push; in that language nothing is made at all."""
    rows = foreign(BARE)
    write(home, rows)
    config = load(home / "config.yaml")
    assert said(home) == [] and errors_in(config, "trial") == 0
    write(home, rows[1:])
    assert said(home) == [(1, "the label of instrument eligibility is not translated")]
    assert errors_in(config, "trial") == 1
    with pytest.raises(InstrumentError, match=r"da\.csv row 1, name: the label of instrument eligibility"):
        read_design(config, "trial", "da")
    assert read_design(config, "trial").dictionary == BARE.dictionary


def test_a_text_that_is_translated_twice_is_found(home: Path) -> None:
    """The second would win without anybody's knowing."""
    rows = foreign(BARE)
    write(home, [*rows, rows[3]])
    assert (len(rows) + 2, "the same as row 5") in said(home)


def test_a_text_that_changes_leaves_its_translation_behind(home: Path) -> None:
    """Whoever edits an instrument is told the row to translate again."""
    write(home, foreign(BARE))
    path = home / "instruments" / "trial" / "01_eligibility.csv"
    path.write_text(path.read_text("utf-8").replace("2, Male", "2, Male | 3, Other"), encoding="utf-8")
    stale, codes = sorted(what for _, what in said(home))[::-1]
    assert stale == "the choices of elig_sex is another now: 1, Female | 2, Male | 3, Other"
    assert codes == "elig_sex: the codes 1, 2 are not 1, 2, 3"


def test_mark_up_and_piped_fields_stay_where_a_label_has_them(home: Path) -> None:
    """They may stand elsewhere in the sentence."""
    path = home / "instruments" / "trial" / "01_eligibility.csv"
    path.write_text(path.read_text("utf-8").replace("Year of birth", "<b>Year</b> of [elig_sex]"), encoding="utf-8")
    rows = foreign(read_folder(path.parent).design)
    at = next(number for number, row in enumerate(rows) if row[1] == "elig_yob")
    rows[at][4] = "For [elig_sex]: <b>år</b>"
    write(home, rows)
    assert said(home) == []
    rows[at][4] = "For [elig_age]: <b>år</b>"
    write(home, rows)
    assert [number for number, _ in said(home)] == [at + 2]


def test_licensed_wording_in_a_translation_is_found(home: Path) -> None:
    """Among the answers too."""
    rows = foreign(BARE)
    label = next(number for number, row in enumerate(rows) if row[1] == "elig_yob")
    rows[label][4] = "Et spørgsmål, som INGEN må se"
    choices = next(number for number, row in enumerate(rows) if row[:3] == ["field", "elig_sex", "choices"])
    rows[choices][4] = "1, Kvinde | 2, Et svar, ingen må se"
    write(home, rows)
    assert said(home) == []
    folder = overlay_folder(load(home / "config.yaml"))
    folder.mkdir(parents=True)
    codes = "0, Et svar, ingen må se | 1, b | 2, c | 3, d | 4, e | 5, f"
    text = f'field_name,label_da,choices_da,note_da\nodi_1,"Et spørgsmål, som ingen må se","{codes}",\n'
    (folder / "odi.da.csv").write_text(text, encoding="utf-8")
    assert [number for number, _ in said(home)] == [label + 2, choices + 2]


def test_a_damaged_translation_is_told_once(home: Path) -> None:
    """Not once for every text it would have had; no other file suffers."""
    (home / "instruments" / "trial" / "da.csv").write_bytes(b"kind,name\n\x81")
    found = check_projects(load(home / "config.yaml"), ("trial",))
    assert [(one.file, one.rule) for one in found] == [("da.csv", "encoding")]
    with pytest.raises(InstrumentError, match=r"da\.csv"):
        read_translations(home / "instruments" / "trial")


def test_another_language_is_refused_with_those_there_are(danish: Config) -> None:
    """No page is half in another language."""
    with pytest.raises(InstrumentError, match=r"no sv\.csv .*\(languages there: da\)"):
        read_design(danish, "trial", "sv")
    with pytest.raises(InstrumentError, match=r"no da\.csv .*\(languages there: none\)"):
        read_design(danish, "register", "da")


def test_a_live_project_in_danish_is_read_in_the_instruments_own_words(danish: Config) -> None:
    """Word for word; what somebody changed in REDCap stays as it is there."""
    tables = read_translations(folder_of(danish, "trial"))
    live = read_design(danish, "trial", "da").dictionary
    assert in_own_words(live, tables.values()) == BARE.dictionary
    sex = replace(live.get("elig_sex"), label="Mandens køn", choices="1, å Female | 2, Herre | 3, å Male")
    changed = Dictionary(tuple(sex if field.name == "elig_sex" else field for field in live.fields))
    found = in_own_words(changed, tables.values()).get("elig_sex")
    assert (found.label, found.choices) == ("Mandens køn", "1, Female | 2, Herre | 3, å Male")


def test_a_monitor_reads_the_same_whatever_language_the_sites_see(danish: Config) -> None:
    """Sheets keep the instruments' own words."""

    def packs(config: Config, dictionary: Dictionary) -> object:
        told = tried(pulled({"ODE-1": record(w1={"nc_stat": "1", "nc_date": "2026-02-09"})}), {})
        event = Row(
            "ODE-1", "logs_arm_1", "adverse_event", 1, {"ae_cat": "9", "ae_start": "2026-02-10", "ae_grade": "2"}
        )
        rows = {"ODE-1": (*told.rows["ODE-1"], event)}
        snapshot = replace(told, dictionary=dictionary, rows=rows)
        pull = Pull(snapshot, patients(snapshot, config), (), {})
        day = date(2026, 3, 1)
        return enrolment_packs(derive(pull, Past(), config, day, cards=Cards()), ["monitor"])["monitor"]

    live = read_design(danish, "trial", "da").dictionary
    own = packs(danish, trial_dictionary())
    assert "Analgesic side effect" in str(own)
    assert packs(danish, live) == own
    assert "å Analgesic side effect" in str(packs(load(FROZEN / "config.yaml"), live))


def test_a_plan_says_that_its_words_are_not_approved(danish: Config) -> None:
    """Until the last row is."""
    design = read_design(danish, "trial", "da")
    live = Live("1", "Trial", in_production=False, design=Design(Dictionary((BARE.dictionary.fields[0],))))
    notes = plan("trial", design, live, lambda _: Holdings(0)).notes
    assert [note for note in notes if note.startswith(f"{design.unapproved} texts of da.csv are to be approved")]
    approved = replace(design, unapproved=0)
    assert not any("approved" in note for note in plan("trial", approved, live, lambda _: Holdings(0)).notes)


def test_an_approved_row_is_no_longer_counted(home: Path) -> None:
    """With the day and initials."""
    rows = foreign(BARE)
    rows[0][5] = "approved 2027-01-11 ABC"
    write(home, rows)
    assert said(home) == []
    assert read_design(load(home / "config.yaml"), "trial", "da").unapproved == len(rows) - 1


def test_the_preview_speaks_danish_around_danish_forms(danish: Config) -> None:
    """Yes and No, what a field demands, messages, and that the trial team has not approved it."""
    design = read_design(danish, "trial", "da", wording=False)
    shown = model(design, "Trial")
    fields = {field["name"]: field for field in shown["forms"]["eligibility"]}  # type: ignore[index]
    assert fields["elig_inc_mm"]["options"] == [["1", "Ja"], ["0", "Nej"]]
    assert fields["elig_sex"]["options"] == [["1", "å Female"], ["2", "å Male"]]
    assert fields["elig_yob"]["message"] == "Værdien er ikke et helt tal. Prøv igen."
    page = render(design, "Trial")
    assert '<html lang="da">' in page and "som patienten ser det" in page
    assert f"endnu skal godkende: {len(WANTED)}." in page
    assert "approved by the trial team" not in page and "must provide value" not in page
    assert "approved by the trial team" not in render(BARE, "Trial")


def test_the_case_report_form_speaks_danish(danish: Config) -> None:
    """Kinds, limits, conditions and fixed answers; names and codes are the database's."""
    told = crf(read_design(danish, "trial", "da", wording=False), "PVP-MM", "abc")
    forms = {form["name"]: form for form in told["forms"]}  # type: ignore[attr-defined]
    fields = {field["name"]: field for form in forms.values() for field in form["fields"]}
    assert forms["odi"]["label"] == "å Disability (ODI)"
    assert fields["elig_date"]["kind"] == "dato dmy, –i dag"
    assert fields["elig_inc_mm"]["options"] == [{"code": "1", "label": "Ja"}, {"code": "0", "label": "Nej"}]
    assert fields["con_date"]["shown"] == "å Written informed consent signed er Ja"
    assert told["open_texts"] and told["words"] == WORDS["da"]


@pytest.mark.parametrize(
    ("logic", "words"),
    [
        ("[con_given]<>''", "Written informed consent signed er udfyldt"),
        ("[con_given]='0' or [elig_sex]<>'1'", "Written informed consent signed er Nej eller Sex er ikke Female"),
        ("not [an_op(1)]='1'",
         "ikke (Opioids, mean use over the last 7 days, rescue doses included: Tramadol er afkrydset)"),
        ("[an_op(1)]='0' and [elig_yob]>=1950",
         "Opioids, mean use over the last 7 days, rescue doses included: Tramadol er ikke afkrydset og "
         "Year of birth er mindst 1950"),
    ],
)  # fmt: skip
def test_a_condition_in_danish_words(logic: str, words: str) -> None:
    """Joined and compared as a Dane would."""
    assert in_words(logic, replace(BARE, language="da")) == words


def test_both_languages_have_every_word() -> None:
    """English needs none for what REDCap itself calls things."""
    assert WORDS["en"].keys() <= WORDS["da"].keys()
    assert all(text.strip() for words in WORDS.values() for text in words.values())


def test_the_steps_by_hand_name_instruments_in_the_language(danish: Config) -> None:
    """And the language of the project, which Yes and No follow."""
    done = setup_steps(folder_of(danish, "trial"), "trial", "da")
    assert any("`odi`: å Disability (ODI)" in step and "`da.csv`" in step for step in done.steps)
    assert any("the project's language is 'da'" in step for step in done.steps)
    assert "da.csv" in done.files and "labels.csv" not in done.files
