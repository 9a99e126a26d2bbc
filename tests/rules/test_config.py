"""config.yaml: what is read from it, and what is said when it is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from frozen import FROZEN
from trialdesk.config import Config, FieldRef, load, wording
from trialdesk.errors import ConfigError
from trialdesk.model import Pile

SHIPPED = FROZEN / "config.yaml"


def changed(folder: Path, old: str, new: str) -> Path:
    """The frozen configuration with one text changed."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path = folder / "config.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def problems(path: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.problems


def test_the_trial_has_eight_strata_in_the_order_of_its_factors(frozen: Config) -> None:
    """Stratum code = level codes of population, planned levels, former fractures."""
    assert list(frozen.stratum_levels) == ["K1N", "K1F", "K2N", "K2F", "N1N", "N1F", "N2N", "N2F"]
    assert frozen.stratum_label("K2F") == "Known myeloma, 2–4 levels, Former fracture"


def test_every_site_has_a_pile_for_every_stratum(frozen: Config) -> None:
    """Nine sites by eight strata."""
    assert len(frozen.piles) == 72
    assert frozen.piles[0] == Pile("ODE", "K1N")


@pytest.mark.parametrize(
    ("values", "code"),
    [(("1", "1", "0"), "K1N"), (("2", "2", "1"), "N2F"), (("1", "", "0"), ""), (("1", "3", "0"), "")],
)
def test_a_stratum_is_known_only_when_every_factor_is(frozen: Config, values: tuple[str, ...], code: str) -> None:
    """A blank or unknown factor leaves the patient without a stratum."""
    assert frozen.stratum_of(values) == code


def test_a_field_is_named_with_its_event(frozen: Config) -> None:
    """[event][field] is the one way to name a field."""
    assert frozen.facts.opened_on == FieldRef("randomisation_arm_1", "rand_date")


def test_the_trial_asks_for_one_hundred_patients_at_nine_sites(frozen: Config) -> None:
    """Site targets add up to the trial's target."""
    assert frozen.trial.target == sum(site.target for site in frozen.sites) == 100


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("target: 100 ", "target: -1 ", "trial.target: has to be more than 0; found -1"),
        ("title: Vert", "titel: Vert", "trial.titel: is not a setting"),
        ("code: W03", "code: W02", "contacts.2.code: W02 stands twice"),
        ("form: control, anchor", "form: controll, anchor", "controll is not under contact_forms (call, control)"),
        ("https://redcap", "http://redcap", "a token may only travel over https://"),
        ("https://redcap", "http://127.0.0.1:x@redcap", "holds no user name"),
        ("https://redcap", "https://me:secret@redcap", "holds no user name"),
        ("id: PVP-MM ", "id:  ", "trial.id: is blank"),
        (
            "opens: 2026-01-05}\n  - {code: RIG",
            "opens: 2026-01-05, closes: 2025-01-05}\n  - {code: RIG",
            "closes before it opens",
        ),
        ("example.org/api/", "example.org/api", "it ends in /api/"),
        ("Europe/Copenhagen", "Europe/Kopenhagen", "is not a time zone"),
        ("days: 21, window", "days: 21, months: 1, window", "W03: give either days or months"),
        ("window: [-1, 14]", "window: [1, 14]", "has to be 0 or less"),
        ('"[screening_arm_1][elig_site]"', '"[elig_site]"', "is not [event][field]"),
        ("[elig_outcome]='2'\"", "[elig_outcome='2'\"", "states.declined: REDCap logic can't be read"),
        ("profile: monitor", "profile: site:XXX", "there is no site XXX"),
        ("recipients: []", "recipients: [age1abc]", "is not an age public key"),
        ('arms:\n  - {code: "1"', "arms:\n  - {code: 1", "1 is read as a number or date; put it in quotes"),
        ("closed_days: [12-24", "closed_days: [24-12", "is not month-day"),
    ],
)
def test_a_mistake_is_named_with_its_way_out(tmp_path: Path, old: str, new: str, said: str) -> None:
    """One line a problem: what, where, what to do."""
    found = problems(changed(tmp_path, old, new))
    assert any(said in line for line in found), found


def test_a_problem_names_its_line(tmp_path: Path) -> None:
    """The line is that of the setting, counted from 1."""
    path = changed(tmp_path, "  target: 100 ", "  target: none ")
    line = 1 + next(n for n, text in enumerate(path.read_text(encoding="utf-8").splitlines()) if "target: none" in text)
    assert problems(path)[0].startswith(f"config.yaml:{line}: trial.target")


def test_all_problems_are_listed_at_once_each_with_its_line(tmp_path: Path) -> None:
    """Nobody corrects a file one mistake at a time: wrong values, and blocks that do not fit one another."""
    path = changed(tmp_path, "target: 100 ", "target: 0 ")
    text = path.read_text(encoding="utf-8").replace("batch: 100 ", "batch: 0 ").replace("code: W03", "code: W02")
    path.write_text(text.replace("code: GOD", "code: ODE"), encoding="utf-8")
    found = problems(path)
    places = ["trial.target", "redcap.batch", "sites.8.code", "contacts.2.code"]
    assert [line.split(": ")[1] for line in found] == places
    lines = text.splitlines()
    assert "code: GOD" in lines[int(found[2].split(":")[1]) - 1]


def test_a_list_is_not_called_short_because_of_one_member(tmp_path: Path) -> None:
    """One wrong ratio is one problem."""
    assert len(problems(changed(tmp_path, "ratio: 1}", "ratio: 0}"))) == 1


@pytest.mark.parametrize("text", ["trial: [", "- a\n- b\n", "trial: {}\ntrial: {}\n", ""])
def test_a_file_that_is_no_configuration_gets_one_line(tmp_path: Path, text: str) -> None:
    """Broken YAML, a list, a doubled key, an empty file."""
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    assert problems(path)[0].startswith("config.yaml:")


def test_a_missing_file_says_which_option_names_it(tmp_path: Path) -> None:
    """The way out is --config."""
    assert "--config" in problems(tmp_path / "none.yaml")[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("target: 100 ", "target: many ", "trial.target: has to be a whole number; found many"),
        ("starts: 2026-01-05 ", "starts: soon ", "trial.starts: has to be a date, for example 2026-01-05; found soon"),
        ("window: [-3, 3]}", "window: -3}", "contacts.0.window: has to be a list"),
        ("domain: prod", "domain: live", "envelopes.domain: has to be dev or prod; found live"),
        ("country: DK", "country: Denmark", "has to be two capital letters, for example DK; found Denmark"),
        ("code: ODE,", "code: ode,", "sites.0.code: has to be capital letters and digits; found ode"),
        ("grace: 14", "grace: -1", "grace: has to be 0 or more; found -1"),
        ("primary: true", "primary: maybe", "primary: has to be true or false; found maybe"),
        ("connect_seconds: 10", "connect_seconds: fast", "redcap.connect_seconds: has to be a number; found fast"),
        ("  a_day: 12", "  - 12", "calls: has to be a block of settings, name: value; found 1 entry"),
        ("funnel:", "funnel: []\nfunnels:", "funnel: needs at least 1 entry; found 0 entries"),
        ("tokens_file: local/tokens.env", "tokens_file: [a]", "tokens_file: has to be the name of a file or folder"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_told_in_words_of_the_trial(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """What it has to be and what was found; never Python's names for it."""
    told = problems(changed(tmp_path, old, new))
    assert any(said in line for line in told), told
    assert not re.search(r"tuple|dict|string should|input should|instance|valid", " ".join(told))


def test_every_pattern_of_the_configuration_has_words() -> None:
    """A new pattern needs its sentence."""
    folder = Path(wording.__file__).parent
    used = {
        found for path in folder.glob("*.py") for found in re.findall(r'pattern=r"([^"]+)"', path.read_text("utf-8"))
    }
    assert used == set(wording.PATTERNS)
