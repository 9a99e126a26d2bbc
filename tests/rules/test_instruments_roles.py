"""User roles in files and plans: what is read, what is compared, what is said to a person."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redcap_rules.dictionary import Dictionary, Field, write_dictionary
from trialdesk.errors import InstrumentError
from trialdesk.instruments.byhand import setup_steps
from trialdesk.instruments.change import Plan, digest_of
from trialdesk.instruments.checks import check
from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.design import Design, Role
from trialdesk.instruments.fault import Fault
from trialdesk.instruments.folder import Folder, read_folder
from trialdesk.instruments.live import Live
from trialdesk.instruments.plan import plan
from trialdesk.instruments.pulling import pulled
from trialdesk.instruments.rendering import to_json, to_markdown, what
from trialdesk.instruments.roles import FORM_RIGHTS, SWITCHES, csv_rows, read_roles, role_of, role_row, words
from trialdesk.instruments.stakes import Holdings

pytestmark = pytest.mark.requirement("INS-04")

FORMS = ("envelope", "card")
FIELDS = (Field("id", "envelope", "text", label="Id"), Field("arm", "card", "text", label="Arm"))
HEADER = "role_label,design,user_rights,forms,forms_export"
NURSE = 'Nurse,0,0,"envelope:1,card:0","envelope:3,card:0"'
DESIGN = Design(Dictionary(FIELDS))


def folder(home: Path, *lines: str, header: str = HEADER) -> Folder:
    for number, form in enumerate(FORMS, start=1):
        part = Dictionary(tuple(field for field in FIELDS if field.form == form))
        (home / f"{number:02}_{form}.csv").write_text(write_dictionary(part), encoding="utf-8")
    (home / "roles.csv").write_text("\n".join((header, *lines)), encoding="utf-8")
    return read_folder(home)


def role(label: str = "Nurse", forms: str = "envelope:1,card:0", export: str = "envelope:3,card:0", **on: str) -> Role:
    rights = {"design": "0", "user_rights": "0", **on}
    return role_of({"role_label": label, **rights, "forms": forms, "forms_export": export}, FORMS)


def made(desired: Role | None, *live: Role, records: int = 0, shown: bool = True) -> Plan:
    wanted = replace(DESIGN, roles=None if desired is None else (desired,))
    there = Live("7", "Register", False, replace(DESIGN, roles=live if shown else None))
    return plan("register", wanted, there, lambda _: Holdings(records))


def told(found: Plan) -> list[tuple[str, str, str, str]]:
    return [(change.name, change.attribute, change.before, change.after) for change in found.changes]


def test_roles_are_read_from_the_csv_redcap_writes(tmp_path: Path) -> None:
    """Rights by name, forms packed; the unique name is REDCap's and is not kept."""
    header = "unique_role_name,role_label,design,user_rights,forms,forms_export"
    assert folder(tmp_path, f"U-8JH3,{NURSE}", header=header).design.roles == (role(),)


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        (',0,0,"envelope:1,card:0","envelope:1,card:0"', "role_label", "a role without a label"),
        ('A,yes,0,"envelope:1,card:0","envelope:1,card:0"', "design", "'yes' is no code of this right"),
        ('A,2,0,"envelope:1,card:0","envelope:1,card:0"', "design", "write 0 (off), 1 (on)"),
        ('A,0,3,"envelope:1,card:0","envelope:1,card:0"', "user_rights", "write 0 (off), 1 (on), 2 (read only)"),
        ('A,0,0,"envelop:1,card:0","envelope:1,card:0"', "forms", "there is no form 'envelop'"),
        ('A,0,0,"envelope:7,card:0","envelope:1,card:0"', "forms", "'7' is no code for envelope"),
        ('A,0,0,"envelope,card:0","envelope:1,card:0"', "forms", "'' is no code for envelope"),
        ('A,0,0,"envelope:1,card:0","envelope:129,card:0"', "forms_export", "'129' is no code for envelope"),
        ('A,0,0,"card:1,card:0","envelope:1,card:0"', "forms", "card is named twice"),
        ('Nurse,0,0,"envelope:1,card:0","envelope:1,card:0"', "", "the same as row 2"),
    ],
)
def test_a_fault_in_a_role_is_found_in_its_cell(line: str, column: str, words: str, tmp_path: Path) -> None:
    """Nobody gets a right by a misspelling: such a file is not used at all."""
    with pytest.raises(InstrumentError) as caught:
        folder(tmp_path, NURSE, line)
    place = f"roles.csv row 3, {column}: " if column else "roles.csv row 3: "
    assert any(text.startswith(place) and words in text for text in str(caught.value).splitlines())


def test_all_faults_of_the_roles_are_said_at_once(tmp_path: Path) -> None:
    """A right that REDCap does not know, and both faults of a row."""
    with pytest.raises(InstrumentError) as caught:
        folder(tmp_path, 'A,0,x,"card:1,cart:0","card:9"', header=HEADER.replace("design", "desing"))
    texts = str(caught.value).splitlines()
    assert "roles.csv row 1, desing: 'desing' is no user right of REDCap; did you mean design?" in texts
    assert len(texts) == 4


def test_a_form_a_role_does_not_name_is_out_of_reach_and_check_says_so(tmp_path: Path) -> None:
    """A form added to the dictionary and forgotten in the roles would be seen by nobody."""
    found = folder(tmp_path, 'Nurse,0,0,"envelope:1","envelope:3"')
    assert found.design.roles == (role(),)
    faults = [fault for fault in check(Subject(found)) if fault.file == "roles.csv"]
    assert [(f.row, f.column, f.severity) for f in faults] == [(2, "forms", "warning"), (2, "forms_export", "warning")]
    assert "card not named, which means no access" in faults[0].what


def test_a_folder_without_roles_leaves_those_of_redcap_alone(tmp_path: Path) -> None:
    """No file, no rows: roles are then managed in REDCap."""
    assert folder(tmp_path).design.roles is None
    assert made(None, role()).empty
    assert made(None, role()).notes == ()


@pytest.mark.parametrize(
    ("legacy", "mask"), [("0", "128"), ("1", "130"), ("2", "129"), ("3", "138")], ids=["none", "edit", "read", "survey"]
)
def test_old_and_new_form_rights_that_mean_the_same_are_no_difference(legacy: str, mask: str) -> None:
    """REDCap codes form rights 0 to 3, and from 15.6 as a bit mask (reference/redcap-api.md 11.4)."""
    assert made(role(forms=f"envelope:{legacy},card:0"), role(forms=f"envelope:{mask},card:128")).empty
    wider = made(role(forms=f"envelope:{legacy},card:0"), role(forms="envelope:146,card:0"))
    assert [change.before for change in wider.changes] == ["view and edit, delete"]


def test_each_right_that_differs_is_one_change_in_words() -> None:
    """Which role, which right, before and after."""
    found = made(role(design="1"), role(forms="envelope:1,card:2", export="envelope:1,card:0", user_rights="2"))
    assert told(found) == [
        ("Nurse", "design", "off", "on"),
        ("Nurse", "user_rights", "read only", "off"),
        ("Nurse", "forms card", "read only", "no access"),
        ("Nurse", "forms_export envelope", "full", "no identifiers"),
    ]
    assert {change.risk for change in found.changes} == {"safe"}  # nothing to see yet


def test_another_right_in_a_project_with_records_needs_care() -> None:
    """Somebody will see or do something else."""
    (change,) = made(role(design="1"), role(), records=3).changes
    assert (change.risk, change.records) == ("care", 3)


def test_a_right_the_file_does_not_name_is_off_and_one_the_server_does_not_know_is_no_difference() -> None:
    """Columns depend on REDCap's version and on the modules of the project."""
    assert told(made(role(), role(logging="1"))) == [("Nurse", "logging", "on", "off")]
    assert made(role(email_logging="1"), role()).empty
    assert made(role(), role(some_new_right="1")).empty


def test_a_new_form_gets_its_right_in_every_role() -> None:
    """REDCap decides by itself who sees a new form; the plan says who shall, even if nobody."""
    one = Design(Dictionary(FIELDS[:1]), roles=(role_of({"role_label": "Nurse", "forms": "envelope:1"}, FORMS[:1]),))
    wanted = replace(DESIGN, roles=(replace(role(), switches={}),))
    found = plan("register", wanted, Live("7", "Register", False, one), lambda _: Holdings(5))
    assert ("role", "update", "Nurse", "forms card", "", "no access", "safe") in [
        (c.part, c.kind, c.name, c.attribute, c.before, c.after, c.risk) for c in found.changes
    ]


def test_a_new_role_is_told_in_full_and_enters_the_digest() -> None:
    """A reader of the plan sees every right of it."""
    found = made(role(design="1", user_rights="2"))
    (change,) = found.changes
    assert (change.part, change.kind, change.name, change.risk) == ("role", "create", "Nurse", "safe")
    text = (
        "rights on: design · rights read only: user_rights · forms view and edit: envelope · forms no access: card · "
        "forms_export no identifiers: envelope · forms_export none: card"
    )
    assert what(change, 10_000) == text
    assert text in to_markdown(found)
    assert "## Roles" in to_markdown(found)
    assert text in to_json(found)
    assert found.digest != made(role(design="1")).digest


def test_a_role_that_is_not_in_the_file_is_a_step_for_a_person_and_no_change() -> None:
    """Deleting it would give its users back personal rights that nobody has read."""
    found = made(role(), role(), role("Monitor"))
    assert found.empty
    assert [note.split(":")[0] for note in found.notes] == [
        "Role Monitor is not in the files, or more than one role of REDCap is called so"
    ]
    assert len(made(role(), role(), role()).notes) == 1


def test_roles_that_the_token_may_not_see_are_not_compared() -> None:
    """Not knowing is not the same as there being none."""
    assert made(role(), shown=False).empty


def test_the_plan_names_the_file_of_quality_rules_with_its_digest(tmp_path: Path) -> None:
    """REDCap's API can't show the rules, so a person compares the digest with that of the last upload."""
    (tmp_path / "dq_rules.csv").write_text("rule_name,rule_logic\nR1,[id]=''\n", encoding="utf-8")
    desired = folder(tmp_path, NURSE).design
    digest = digest_of((tmp_path / "dq_rules.csv").read_text(encoding="utf-8"))
    live = Live("7", "Register", False, replace(desired, quality=""))
    (note,) = plan("register", desired, live, lambda _: Holdings(0)).notes
    assert note.startswith(f"dq_rules.csv (1 rules, digest {digest}): ")
    steps = setup_steps(tmp_path, "register").steps
    assert f"upload `dq_rules.csv` (digest {digest})" in steps[0]
    assert steps[1].endswith("then assign every user to a role")


def test_what_is_sent_names_every_right_the_server_shows() -> None:
    """A right that is left out of an import keeps its old value, so it is sent as off."""
    live = {"unique_role_name": "U-1", "role_label": "Nurse", "design": "1", "logging": "1", "new_right": "1"}
    assert role_row(role(email_logging="1"), live) == {
        "unique_role_name": "U-1",
        "role_label": "Nurse",
        "design": "0",
        "logging": "0",
        "forms": {"envelope": 1, "card": 0},
        "forms_export": {"envelope": 3, "card": 0},
    }
    assert role_row(role(), {})["unique_role_name"] == ""


ANY_ROLE = st.builds(
    Role,
    st.text("Abc dé-,:\"'", min_size=1).filter(lambda label: label == label.strip()),
    st.fixed_dictionaries({right: st.sampled_from(sorted(codes)) for right, codes in SWITCHES.items()}),
    st.fixed_dictionaries(
        {
            right: st.fixed_dictionaries({form: st.sampled_from(sorted(codes)) for form in FORMS})
            for right, codes in FORM_RIGHTS.items()
        }
    ),
)


@given(st.lists(ANY_ROLE, min_size=1, max_size=4, unique_by=lambda role: role.label))
def test_roles_written_by_pull_are_read_back_as_they_were(roles: list[Role]) -> None:
    """Pull → read is the identity, and the plan is empty."""
    text = pulled(replace(DESIGN, roles=tuple(roles)), "da").files["roles.csv"]
    faults: list[Fault] = []
    table = list(enumerate(csv.DictReader(io.StringIO(text, newline="")), start=2))
    assert read_roles(table, FORMS, faults) == tuple(roles)
    assert faults == []
    assert [words(role) for role in roles] == [words(role_of(row, FORMS)) for row in csv_rows(roles)]
