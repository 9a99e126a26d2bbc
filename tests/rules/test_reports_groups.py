"""The masked closed report: groups under secret letters, and the same whichever arm each has."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from frozen import FROZEN, trial_dictionary, trial_rows
from redcap_rules.record import Row
from rehearsed import rehearsed
from trialdesk.allocation.sealing import identities, new_identity
from trialdesk.config import Config, load
from trialdesk.config.parts import Closed
from trialdesk.errors import ConcealmentBroken, ConfigError
from trialdesk.facts.deriving import Facts, derive, past
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.pulling import Pull
from trialdesk.instruments.treatment import Telling
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports import completing, harms
from trialdesk.reports.groups import letters, own_secret
from trialdesk.reports.pack import enrolment_packs
from trialdesk.workbook import SheetTable

pytestmark = pytest.mark.requirement("REP-02", "REP-04")

CONFIG = load(FROZEN / "config.yaml").model_copy(update={"closed": Closed(masked=True)})
DAY = date(2026, 11, 23)
SECRET = "AGE-SECRET-KEY-1MADEUP"
BY_GROUP = {
    "By arm", "Events by arm", "Completeness by arm", "Outcomes by arm", "Outcome curves", "Outcome means",
}  # fmt: skip


def facts_of(snapshot: Snapshot, config: Config = CONFIG) -> Facts:
    pull = Pull(snapshot, patients(snapshot, config), (), forms_by_event(trial_rows("mapping.csv")))
    return derive(pull, past(config, snapshot), config, DAY)


def operated(snapshot: Snapshot) -> Snapshot:
    """The trial with a leak of cement for everybody in the first arm, as the adverse event it is."""
    rows = dict(snapshot.rows)
    for record, own in snapshot.rows.items():
        if any(row.values.get("rand_arm") == CONFIG.arms[0].code for row in own):
            leak = {"ae_start": "2026-11-01", "ae_cat": "1", "ae_grade": "1"}
            rows[record] = (*own, Row(record, "logs_arm_1", "adverse_event", 9, leak))
    return replace(snapshot, rows=rows)


@pytest.fixture(scope="module")
def facts() -> Facts:
    return facts_of(operated(rehearsed(3, DAY)))


@pytest.fixture(scope="module")
def report(facts: Facts) -> dict[str, SheetTable]:
    return {table.name: table for table in enrolment_packs(facts, ["closed"], secret=SECRET)["closed"]}


def words(tables: dict[str, SheetTable]) -> set[str]:
    cells = {str(v) for table in tables.values() for block in table.tables for line in block.lines for v in line.values}
    heads = {column.title for table in tables.values() for block in table.tables for column in block.columns}
    charts = {word for table in tables.values() for chart in table.charts for word in (chart.alt, *chart.series)}
    return cells | heads | charts | {word for table in tables.values() for word in (table.title, table.about)}


def test_no_word_of_it_names_an_arm_or_what_only_one_has(report: dict[str, SheetTable]) -> None:
    """Nor exposure, states after the randomisation by group, and events that only PVP can bring."""
    told = " ".join(words(report))
    assert not [arm.label for arm in CONFIG.arms if arm.label in told]
    assert "Group A" in told
    assert {name for name in report if name in BY_GROUP} == BY_GROUP
    assert "Exposure by arm" not in report
    assert [column.title for column in report["By arm"].columns] == ["Arm", "Randomised"]
    codes = {code: value.field for value in CONFIG.treatment_values for code in value.codes}
    listed = CONFIG.logs.events.category if CONFIG.logs.events else ""
    labels = {o.label for o in trial_dictionary().get(str(listed)).options if codes.get(o.code) == listed}
    assert labels
    assert not labels & words({"Events by arm": report["Events by arm"]})


def test_it_says_on_its_first_page_that_it_is_masked(facts: Facts, report: dict[str, SheetTable]) -> None:
    """And the other one that it is not."""
    assert next(iter(report.values())).title == "1 · Closed report, masked: by group"
    bare = facts_of(facts.snapshot, load(FROZEN / "config.yaml"))
    assert enrolment_packs(bare, ["closed"])["closed"][0].title == "1 · Closed report, UNMASKED: by arm"


def test_groups_are_the_arms_under_their_letters(facts: Facts, report: dict[str, SheetTable]) -> None:
    """As many randomised in each as in its arm, by the mapping the statistician's identity gives."""
    arms = Counter(v for own in facts.snapshot.rows.values() for row in own if (v := row.values.get("rand_arm")))
    named = letters(CONFIG, SECRET)
    assert {line.values[0]: line.values[1] for line in report["By arm"].lines} == {
        group: arms[code] for code, group in named.items()
    }
    assert [line.values[0] for line in report["By arm"].lines] == ["Group A", "Group B"]


def test_letters_repeat_and_every_order_is_as_likely() -> None:
    """Of 400 secrets about half give the first arm the first letter: 200 ± 4 standard deviations."""
    assert letters(CONFIG, SECRET) == letters(CONFIG, SECRET)
    first = Counter(next(iter(letters(CONFIG, f"secret {n}"))) for n in range(400))
    assert set(first) == {arm.code for arm in CONFIG.arms}
    assert all(160 <= number <= 240 for number in first.values())
    other = CONFIG.model_copy(update={"trial": CONFIG.trial.model_copy(update={"id": "OTHER"})})
    assert any(letters(CONFIG, str(n)) != letters(other, str(n)) for n in range(20))


@pytest.mark.parametrize(("room", "name"), [(harms, "harms"), (completing, "by_arm")], ids=["events", "forms"])
def test_what_tells_a_group_s_arm_is_found_by_the_proof(
    facts: Facts, room: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sheet made without hiding anything would show which group is operated on."""
    plain = getattr(room, name)
    monkeypatch.setattr(room, name, lambda told, _: plain(told, Telling()))
    with pytest.raises(ConcealmentBroken, match="by arm"):
        enrolment_packs(facts, ["closed"], secret=SECRET)


def test_another_s_identity_decides_no_letters() -> None:
    """Only one the closed report is sealed for; else two reports would have other letters."""
    (mine, public), (other, _) = new_identity(), new_identity()
    config = load(FROZEN / "config.yaml")
    one = config.recipients[0].model_copy(update={"profile": "closed", "age": public})
    config = config.model_copy(update={"recipients": (one,)})
    assert own_secret(config, identities(f"# made by hand\n{mine}\n")) == mine
    with pytest.raises(ConfigError, match="sealed for"):
        own_secret(config, identities(other))
