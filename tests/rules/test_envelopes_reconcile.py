"""Reconciliation: each rule fires on its deviation, keeps quiet otherwise, and never tells an arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialdesk.allocation.cards import commitment
from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import Config
from trialdesk.envelopes import proofs
from trialdesk.envelopes.openings import settle
from trialdesk.envelopes.proofs import Proofs
from trialdesk.envelopes.reconcile import OWN, RULES, reconcile
from trialdesk.model import FORGOTTEN, Envelope, Patient, Pile

pytestmark = pytest.mark.requirement("ENV-12", "ARM-01")

ODE, RIG = Pile("ODE", "K1N"), Pile("RIG", "N2F")
DAY = date(2026, 3, 2)
CODE = "7K2MQ9XD01TB"
MOVED = "2026-02-19 packed by A. Bee"


def envelope(number: int, pile: Pile = ODE, **facts: object) -> Envelope:
    """A received envelope; its card says arm 1."""
    name = envelope_id(pile, number)
    proof = commitment("PVP-MM", name, "1", CODE)
    plain = Envelope(pile, number, name, 1, "received", proof, received_on=date(2026, 1, 5))
    return replace(plain, **facts)  # type: ignore[arg-type]  # a test names any fact


def patient(record: str, number: int, day: date = DAY, at: str = "10:00", pile: Pile = ODE, **facts: object) -> Patient:
    """A patient who opened that envelope properly, half an hour after its release."""
    name, hour = envelope_id(pile, number), int(at[:2] or 9) - 1
    plain = Patient(
        record=record,
        site=pile.site,
        group=pile.site.lower(),
        consented_on=date(2026, 2, 1),
        stratum=pile.stratum,
        released_envelope=name,
        released_at=datetime(day.year, day.month, day.day, hour, 30),
        envelope=name,
        opened_on=day,
        opened_time=at,
        arm="1",
        card_code=CODE,
    )
    return replace(plain, **facts)  # type: ignore[arg-type]  # a test names any fact


def done(number: int, record: str, day: date = DAY, pile: Pile = ODE, **facts: object) -> Envelope:
    """An envelope the register knows as opened for the record."""
    return envelope(number, pile, **{"status": "opened", "record": record, "opened_on": day, **facts})


def test_envelopes_of_forgotten_records_are_opened_and_no_findings(frozen: Config) -> None:
    """Each is one that no record names, and two are not of one; what is said of one names no record and no event."""
    used = [done(1, FORGOTTEN), done(2, FORGOTTEN)]
    assert reconcile([], used, frozen) == []
    noted = done(3, FORGOTTEN, note="unsealed by AB")
    (found,) = reconcile([], [noted], frozen)
    assert (found.rule, found.record, found.where) == ("R59", "", "")
    named = patient("A", 1)
    assert [one.rule for one in reconcile([named], [done(1, FORGOTTEN)], frozen)] == ["R51"]


def test_a_trial_that_went_as_planned_has_no_findings(frozen: Config) -> None:
    """Two patients of one pile in order, one elsewhere, one released and waiting, one not randomised."""
    waiting = Patient(
        "R-3", "ODE", "ode", stratum="K1N", released_envelope=envelope(3).id, released_at=datetime(2026, 3, 9, 9, 0)
    )
    patients = [
        patient("R-1", 1),
        patient("R-2", 2, date(2026, 3, 4)),
        patient("R-9", 1, date(2026, 3, 5), pile=RIG),
        waiting,
        Patient("R-4", "RIG", "rig"),
    ]
    envelopes = [
        done(1, "R-1"),
        done(2, "R-2", date(2026, 3, 4)),
        done(1, "R-9", date(2026, 3, 5), RIG),
        envelope(3, status="released", record="R-3"),
        envelope(4),
        envelope(2, RIG),
    ]
    assert reconcile(patients, envelopes, frozen) == []


LATER, SENT = date(2026, 3, 4), date(2026, 1, 2)
WAITING = Patient("A", "ODE", "ode", stratum="K1N", consented_on=DAY)
CASES: list[tuple[str, str, list[Patient], list[Envelope]]] = [
    # rule, record it is found in, patients, register
    ("R01", "B", [patient("A", 1, LATER), patient("B", 2)], [done(1, "A", LATER), done(2, "B")]),
    ("R01", "B", [patient("A", 1, at="11:00", released_at=datetime(2026, 3, 2, 10, 0)), patient("B", 2)],
     [done(1, "A"), done(2, "B")]),
    ("R01", "C", [patient("A", 1, date(2026, 3, 6)), patient("B", 2, date(2026, 3, 9)), patient("C", 3)],
     [done(1, "A", date(2026, 3, 6)), done(2, "B", date(2026, 3, 9)), done(3, "C")]),
    ("R02", "B", [patient("B", 2)], [envelope(1), done(2, "B")]),
    ("R02", "B", [patient("B", 3)], [envelope(1, status="lost"), envelope(2), done(3, "B")]),
    ("R03", "B", [patient("A", 1), patient("B", 2, at="")], [done(1, "A"), done(2, "B")]),
    ("R04", "A", [patient("A", 1, stratum="K2N")], [done(1, "A")]),
    ("R06", "A", [patient("A", 1, site="RIG", group="rig")], [done(1, "A")]),
    ("R07", "B", [patient("A", 1), patient("B", 1, LATER)], [done(1, "A")]),
    ("R08", "A", [patient("A", 1)], [done(1, "A"), done(2, "A")]),
    ("R08", "A", [patient("A", 1)], [done(1, "A"), envelope(2, status="released", record="A")]),
    ("R10", "A", [patient("A", 1)], [done(1, "A", domain="dev")]),
    ("R09", "A", [patient("A", 1, envelope="ODE-K1N-001-0")], []),
    ("R09", "A", [patient("A", 1, envelope="envelope 1")], []),
    ("R09", "A", [patient("A", 1)], []),
    ("R11", "A", [patient("A", 1, arm="2")], [done(1, "A")]),
    ("R11", "A", [patient("A", 1, card_code="7K2MQ9XD01TC")], [done(1, "A")]),
    ("R11", "A", [patient("A", 1, card_code="")], [done(1, "A")]),
    ("R13", "A", [patient("A", 1, consented_on=LATER)], [done(1, "A")]),
    ("R13", "A", [patient("A", 1, consented_on=None)], [done(1, "A")]),
    ("R20", "B", [patient("A", 1, at="12:00", released_at=datetime(2026, 3, 2, 8, 0)), patient("B", 1, pile=RIG)],
     [done(1, "A"), done(1, "B", pile=RIG)]),
    ("R20", "B", [patient("A", 1, LATER, released_at=datetime(2026, 3, 2, 8, 0)),
                  patient("B", 1, pile=RIG, released_envelope="", released_at=None)],
     [done(1, "A", LATER), done(1, "B", pile=RIG)]),
    ("R20", "B", [Patient("A", "ODE", "ode", stratum="K1N", released_envelope=envelope(1).id,
                          released_at=datetime(2026, 3, 1, 9, 0)), patient("B", 1, pile=RIG)],
     [envelope(1, status="released", record="A"), done(1, "B", pile=RIG)]),
    ("R21", "A", [patient("A", 1, released_envelope="", released_at=None)], [done(1, "A")]),
    ("R21", "A", [patient("A", 1, released_at=datetime(2026, 3, 3, 9, 0))], [done(1, "A")]),
    ("R24", "A", [patient("A", 1, at="23:10")], [done(1, "A")]),
    ("R24", "A", [patient("A", 1, date(2026, 3, 7))], [done(1, "A", date(2026, 3, 7))]),
    ("R25", "A", [Patient("A", "ODE", "ode")], [done(1, "A")]),
    ("R26", "A", [patient("A", 1, envelope="", released_envelope="")], [envelope(1)]),
    ("R28", "A", [patient("A", 1)], [envelope(1, status="void")]),
    ("R29", "", [], [envelope(1, dispatched_on=SENT), envelope(2, dispatched_on=SENT),
                     envelope(1, RIG, status="dispatched", dispatched_on=SENT, received_on=None),
                     envelope(3, status="dispatched", dispatched_on=SENT, received_on=None)]),
    ("R31", "A", [WAITING], [envelope(1, status="opened", record="B"), envelope(2, status="dispatched")]),
    ("R61", "", [], [envelope(1, status="lost")]),
    ("R30", "A", [patient("A", 1)], [envelope(1, status="dispatched", received_on=None)]),
    ("R30", "A", [patient("A", 1)], [done(1, "A", received_on=LATER)]),
    ("R49", "A", [patient("A", 1, released_envelope=envelope_id(ODE, 2))], [done(1, "A"), envelope(2)]),
    ("R50", "A", [Patient("A", "ODE", "ode")], [envelope(1, status="released", record="A")]),
    ("R50", "", [], [envelope(1, status="released")]),
    ("R50", "A", [Patient("A", "ODE", "ode", released_envelope=envelope(1).id)], [envelope(1)]),
    ("R51", "A", [patient("A", 1)], [done(1, "B")]),
    ("R52", "A", [patient("A", 1, group="rig")], [done(1, "A")]),
    ("R52", "A", [Patient("A", "ODE", "")], []),
    ("R53", "A", [patient("A", 1, opened_on=None)], [envelope(1, status="released", record="A")]),
    ("R59", "", [], [envelope(1, note="2026-03-02 unsealed by AB: card torn")]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "record", "patients", "envelopes"), CASES)
def test_a_deviation_is_found_by_its_rule(
    frozen: Config, rule: str, record: str, patients: list[Patient], envelopes: list[Envelope]
) -> None:
    """Each deviation is found once by its rule, at the record a person has to look at."""
    found = [finding.record for finding in reconcile(patients, envelopes, frozen) if finding.rule == rule]
    assert found.count(record) == 1
    assert len(found) == (2 if rule == "R07" else 1)


ONE, TWO, THREE = (envelope_id(ODE, number) for number in (1, 2, 3))
ABOUT: list[tuple[str, str, str, tuple[str, ...]]] = [
    # site, envelope, other, what the text names; one for each case above
    ("ODE", TWO, ONE, (f"{TWO} was", f"before {ONE}")),
    ("ODE", TWO, ONE, (f"{TWO} was", f"before {ONE}")),
    ("ODE", THREE, ONE, (f"{THREE} was", f"before {ONE}")),
    ("ODE", TWO, ONE, (f"{TWO} was", f"while {ONE}")),
    ("ODE", THREE, TWO, (f"{THREE} was", f"while {TWO}")),
    ("ODE", TWO, "", (f"{TWO} was", "2026-03-02", f"was {ONE}:")),
    ("ODE", ONE, "", (f"{ONE} is of stratum K1N", "record of K2N")),
    ("RIG", ONE, "", (f"{ONE} belongs to ODE", "record to RIG")),
    ("ODE", ONE, "A", (ONE, "for A")),
    ("ODE", "", "", (f"register: {ONE} (opened), {TWO} (opened)",)),
    ("ODE", "", "", (f"register: {ONE} (opened), {TWO} (released)",)),
    ("ODE", ONE, "", (ONE, "for dev", "is prod")),
    ("ODE", "ODE-K1N-001-0", "", ("'ODE-K1N-001-0'", "check character")),
    ("ODE", "ENVELOPE1", "", ("'ENVELOPE1' is not an envelope number",)),
    ("ODE", ONE, "", (f"{ONE} is not in the register",)),
    ("ODE", ONE, "", ("do not belong",)),
    ("ODE", ONE, "", ("do not belong",)),
    ("ODE", ONE, "", ("code is missing",)),
    ("ODE", "", "", ("opened 2026-03-02, consent 2026-03-04",)),
    ("ODE", "", "", ("opened 2026-03-02, no date of consent",)),
    ("RIG", "", "A", ("of A",)),
    ("RIG", "", "A", ("of A",)),
    ("RIG", "", "A", ("of A",)),
    ("ODE", ONE, "", (f"{ONE} was opened without a release",)),
    ("ODE", ONE, "", (f"{ONE} was opened 2026-03-02 10:00", "release 2026-03-03 09:00")),
    ("ODE", ONE, "", (ONE, "Monday 2026-03-02 at 23:10")),
    ("ODE", ONE, "", (ONE, "Saturday 2026-03-07 at 10:00")),
    ("ODE", ONE, "", (f"{ONE} is opened in the register",)),
    ("ODE", "", "", ("without an envelope number",)),
    ("ODE", ONE, "", (f"{ONE} was opened, and is void",)),
    ("ODE", THREE, "", ("2026-01-02: 1 of 3", THREE)),
    ("ODE", "", "", ("pile ODE-K1N",)),
    ("ODE", ONE, "", (f"{ONE} is lost",)),
    ("ODE", ONE, "", (ONE, "no day")),
    ("ODE", ONE, "", (f"{ONE} was opened 2026-03-02, and received 2026-03-04",)),
    ("ODE", ONE, TWO, (f"{TWO} was released, {ONE} opened",)),
    ("ODE", ONE, "", (f"{ONE} is released for A in the register",)),
    ("ODE", ONE, "", (f"{ONE} is released for no record",)),
    ("ODE", ONE, "", (f"{ONE} is released in the record",)),
    ("ODE", ONE, "", (ONE,)),
    ("ODE", "", "", ("field ODE", "group rig")),
    ("ODE", "", "", ("field ODE", "group none")),
    ("ODE", "", "", ("date of opening is missing",)),
    ("ODE", ONE, "", (f"{ONE} was unsealed", "by AB: card torn")),
]


@pytest.mark.parametrize(("case", "about"), list(zip(CASES, ABOUT, strict=True)))
def test_a_finding_names_site_envelope_and_what_else_is_concerned(
    frozen: Config,
    case: tuple[str, str, list[Patient], list[Envelope]],
    about: tuple[str, str, str, tuple[str, ...]],
) -> None:
    """Where a person looks first; severity and event are those of the rule, and the text is the evidence."""
    rule, record, patients, envelopes = case
    site, name, other, words = about
    (found,) = [one for one in reconcile(patients, envelopes, frozen) if (one.rule, one.record) == (rule, record)]
    assert (found.site, found.envelope, found.other) == (site, name, other)
    assert [word for word in words if word not in found.text] == []
    nowhere = not record or rule in ("R31", "R52")
    assert found.where == ("" if nowhere else frozen.facts.envelope.event)
    assert (found.severity, found.evidence, found.field) == (OWN[rule].severity, found.text, "")


def test_every_rule_has_a_deviation_that_fires_it() -> None:
    """No rule is in the table without a case above."""
    assert {rule for rule, *_ in CASES} == set(RULES)


QUIET: list[tuple[str, list[Patient], list[Envelope]]] = [
    ("R01", [patient("A", 1, at=""), patient("B", 2, at="09:00")], [done(1, "A"), done(2, "B")]),
    ("R01", [patient("A", 1, at="14:00"), patient("B", 2, at="")], [done(1, "A"), done(2, "B")]),
    ("R01", [patient("A", 1), patient("B", 2)], [done(1, "A"), done(2, "B")]),  # in one minute
    ("R02", [patient("B", 2)], [envelope(1, received_on=DAY), done(2, "B")]),
    ("R21", [patient("A", 1, released_at=datetime(2026, 3, 2, 10, 0))], [done(1, "A")]),
    ("R21", [patient("A", 1, at="", released_at=datetime(2026, 3, 2, 10, 0))], [done(1, "A")]),
    ("R52", [Patient("A", "", "")], []),
    ("R30", [patient("A", 1)], [done(1, "A", received_on=DAY)]),
    ("R02", [patient("B", 2)], [envelope(1, status="void"), done(2, "B")]),
    ("R02", [patient("B", 2)], [envelope(1, received_on=LATER), done(2, "B")]),
    ("R02", [patient("B", 2)], [envelope(1, status="dispatched"), done(2, "B")]),
    ("R04", [patient("A", 1, stratum="")], [done(1, "A")]),
    ("R59", [], [envelope(1, note="2026-03-02 void by AB: the seal was torn")]),
    ("R09", [patient("A", 1, envelope=" ode-k1n-001" + envelope(1).id[-2:].lower())], [done(1, "A")]),
    ("R11", [patient("A", 1, card_code="7k2m q9xd oltb")], [done(1, "A")]),
    ("R11", [patient("A", 1, arm="")], [done(1, "A")]),
    ("R13", [patient("A", 1, consented_on=DAY)], [done(1, "A")]),
    ("R20", [patient("A", 1, at="10:00"),
             patient("B", 1, pile=RIG, released_at=datetime(2026, 3, 2, 10, 0), at="10:20")],
     [done(1, "A"), done(1, "B", pile=RIG)]),
    ("R20", [patient("A", 1, at=""), patient("B", 1, at="", pile=RIG, released_at=datetime(2026, 3, 2, 10, 0))],
     [done(1, "A"), done(1, "B", pile=RIG)]),
    ("R51", [patient("A", 1)], [done(1, "A")]),
    ("R03", [patient("A", 1, at=""), patient("B", 2, LATER, at="")], [done(1, "A"), done(2, "B", LATER)]),
    ("R03", [patient("A", 1), patient("B", 2, at="11:00")], [done(1, "A"), done(2, "B")]),
    ("R03", [patient("A", 1, at=""), patient("B", 1, at="", pile=RIG)], [done(1, "A"), done(1, "B", pile=RIG)]),
    ("R08", [patient("A", 1)], [done(1, "A"), envelope(2, status="void", record="A")]),
    ("R08", [], [envelope(1, status="released"), envelope(2, status="released")]),  # of no record, not of one
    ("R08", [patient("A", 1, released_envelope=envelope_id(ODE, 2))],
     [done(1, "A"), envelope(2, status="released", record="A")]),  # R49 tells it
    ("R10", [patient("A", 1)], [done(1, "A", domain="prod"), envelope(2, domain="dev")]),
    ("R24", [patient("A", 1, at="")], [done(1, "A")]),
    ("R24", [patient("A", 1, at="06:00"), patient("B", 2, at="21:59")], [done(1, "A"), done(2, "B")]),
    ("R29", [], [envelope(1, dispatched_on=SENT),
                 envelope(2, status="dispatched", dispatched_on=LATER, received_on=None)]),
    ("R29", [], [envelope(1, status="dispatched", dispatched_on=SENT, received_on=None)]),
    ("R31", [WAITING], [envelope(1)]),
    ("R31", [WAITING], [envelope(1, status="released", record="B")]),
    *[("R31", [replace(WAITING, **over)], [envelope(1, RIG)])
      for over in ({"states": frozenset({"dead"})}, {"left_on": DAY}, {"withdrawal": "data"},
                   {"not_enrolled_reason": "1"}, {"released_envelope": "x"}, {"envelope": "x"},
                   {"site": ""}, {"stratum": ""})],
    ("R31", [replace(WAITING, states=frozenset({"declined"}))], [envelope(1, RIG)]),
    ("R31", [replace(WAITING, consented_on=None)], [envelope(1, RIG)]),
    ("R31", [WAITING], []),
    ("R61", [], [envelope(1, status="lost", note="2026-03-02 lost by AB: fell into the river")]),
    ("R61", [], [envelope(1, status="lost", note=f"{MOVED}\nThe parcel never arrived.")]),
    ("R61", [], [envelope(1, status="lost", note=f"{MOVED}: the porter dropped it")]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "patients", "envelopes"), QUIET)
def test_what_is_no_deviation_is_left_alone(
    frozen: Config, rule: str, patients: list[Patient], envelopes: list[Envelope]
) -> None:
    """Careless spelling, a missing time, a void envelope, one release after another: not a finding of that rule."""
    assert [finding for finding in reconcile(patients, envelopes, frozen) if finding.rule == rule] == []


def test_a_rule_about_the_record_names_no_event(frozen: Config) -> None:
    """A patient who was never randomised has no place in the event of randomisation."""
    found = reconcile([Patient("A", "ODE", "rig"), patient("B", 2)], [envelope(1), done(2, "B")], frozen)
    assert [(one.rule, one.where) for one in found] == [("R02", frozen.facts.envelope.event), ("R52", "")]


def test_that_an_envelope_was_packed_and_sent_says_nothing_of_why_it_is_lost(frozen: Config) -> None:
    """The desk notes every move; a parcel that is then marked lost by hand still lacks its reason."""
    lost = envelope(1, status="lost", note=f"{MOVED}\n2026-02-20 dispatched by A. Bee")
    assert [one.rule for one in reconcile([], [lost], frozen)] == ["R61"]


def test_with_scope_site_two_sites_may_open_at_one_time(frozen: Config) -> None:
    """`scope: site` looks at each site alone."""
    per_site = frozen.model_copy(update={"envelopes": frozen.envelopes.model_copy(update={"scope": "site"})})
    patients = [patient("A", 1, at="12:00", released_at=datetime(2026, 3, 2, 8, 0)), patient("B", 1, pile=RIG)]
    envelopes = [done(1, "A"), done(1, "B", pile=RIG)]
    assert [finding.rule for finding in reconcile(patients, envelopes, frozen)] == ["R20"]
    assert reconcile(patients, envelopes, per_site) == []


def test_no_finding_tells_an_arm_or_a_card_code(frozen: Config) -> None:
    """With arms that stand out, no text of any rule names one, nor a card code."""
    renamed = [replace(who, arm="CANARY") for _, _, patients, _ in CASES for who in patients]
    envelopes = list({one.id: one for *_, part in CASES for one in part}.values())
    texts = "\n".join(finding.text for finding in reconcile(renamed, envelopes, frozen))
    assert "CANARY" not in texts
    assert CODE not in texts
    assert "arm and card code do not belong to this envelope" in texts


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8, deadline=None)
def test_findings_do_not_depend_on_the_order_of_the_data(frozen: Config, data: st.DataObject) -> None:
    """The same records and envelopes in any order give the same findings in the same order."""
    patients = [replace(who, record=f"{n}-{who.record}") for n, case in enumerate(CASES) for who in case[2]]
    envelopes = list({one.id: one for case in CASES for one in case[3]}.values())
    mixed = data.draw(st.permutations(patients)), data.draw(st.permutations(envelopes))
    assert reconcile(*mixed, frozen) == reconcile(patients, envelopes, frozen)


def test_a_card_that_was_proved_is_not_proved_again_and_another_one_is(
    frozen: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known again by everything that was proved; arm, code or commitment corrected since are proved anew."""
    proved = Proofs(frozen.trial.id, b"secret")
    right, wrong = patient("A", 1), patient("A", 1, card_code="7K2MQ9XD01TC")
    assert reconcile([right], [done(1, "A")], frozen, proved) == []
    again = Proofs(frozen.trial.id, b"secret", proved.proved)
    asked: list[str] = []

    def refuses(_: str, __: str, name: str, *___: str) -> bool:
        asked.append(name)
        return False

    monkeypatch.setattr(proofs, "verify_card", refuses)
    assert reconcile([right], [done(1, "A")], frozen, again) == []
    assert not asked
    found = reconcile([wrong], [done(1, "A")], frozen, again)
    assert ([one.rule for one in found], asked) == (["R11"], [envelope(1).id])
    other = Proofs(frozen.trial.id, b"secret", proved.proved)
    assert not other.fits(replace(envelope(1), commitment="00" * 32), right.arm, right.card_code)


SETTLED: list[tuple[str, Sequence[Patient], Sequence[Envelope], list[tuple[str, str]]]] = [
    ("released and opened", [patient("A", 1)], [envelope(1, status="released", record="A")], [(envelope(1).id, "A")]),
    ("opened without release", [patient("A", 1)], [envelope(1)], [(envelope(1).id, "A")]),
    ("opened on its way", [patient("A", 1)], [envelope(1, status="dispatched")], [(envelope(1).id, "A")]),
    ("settled already", [patient("A", 1)], [done(1, "A")], []),
    ("void: a person decides", [patient("A", 1)], [envelope(1, status="void")], []),
    ("no date yet", [patient("A", 1, opened_on=None)], [envelope(1, status="released", record="A")], []),
    ("two records: a person decides", [patient("A", 1), patient("B", 1)], [envelope(1)], []),
    ("not in the register", [patient("A", 1)], [envelope(2)], []),
    ("another card: a person decides", [patient("A", 1, card_code="7K2MQ9XD01TC")], [envelope(1)], []),
    ("released for another", [patient("A", 1)], [envelope(1, status="released", record="B")], []),
]


@pytest.mark.parametrize(("what", "patients", "envelopes", "expected"), SETTLED, ids=[case[0] for case in SETTLED])
def test_the_register_follows_what_the_records_say_was_opened(
    frozen: Config,
    what: str,
    patients: Sequence[Patient],
    envelopes: Sequence[Envelope],
    expected: list[tuple[str, str]],
) -> None:
    """An envelope a record shows opened becomes `opened` for that record; a doubtful one waits for a person."""
    changes = settle(patients, envelopes, frozen)
    assert [(change.id, change.record) for change in changes] == expected
    assert all((change.status, change.opened_on) == ("opened", DAY) for change in changes)
    released = [change.released_at for change in changes]
    assert released == [e.released_at for e in envelopes if e.id in {change.id for change in changes}]


RENAMED: list[tuple[str, Envelope, list[tuple[str, str]]]] = [
    ("opened for the old id", done(1, "OLD"), [(envelope(1).id, "A")]),
    ("released for the old id", envelope(1, status="released", record="OLD"), [(envelope(1).id, "A")]),
    ("void for the old id: a person decides", envelope(1, status="void", record="OLD"), []),
    ("opened for another", done(1, "X"), []),
    ("opened for nobody", done(1, ""), []),
    ("received", envelope(1), [(envelope(1).id, "A")]),
]


@pytest.mark.parametrize(("what", "held", "expected"), RENAMED, ids=[case[0] for case in RENAMED])
def test_an_envelope_follows_a_record_that_was_renamed(
    frozen: Config, what: str, held: Envelope, expected: list[tuple[str, str]]
) -> None:
    """Opened or released for the old id it becomes opened for the new one."""
    changes = settle([patient("A", 1)], [held], frozen, {"A": "OLD", "B": "X"})
    assert [(change.id, change.record) for change in changes] == expected
    assert settle([patient("A", 1)], [done(1, "OLD")], frozen) == ()
    assert settle([patient("A", 1)], [done(1, "")], frozen, {"B": ""}) == ()


def test_the_word_before_a_rehearsals_number_is_read_over_in_a_rehearsal_alone(frozen: Config) -> None:
    """It is printed there; on a real envelope it is a misreading."""
    typed = patient("A", 1, envelope=f"TEST {envelope(1).id}")
    rehearsal = frozen.model_copy(update={"envelopes": frozen.envelopes.model_copy(update={"domain": "dev"})})
    assert settle([typed], [envelope(1)], frozen) == ()
    assert [change.id for change in settle([typed], [envelope(1)], rehearsal)] == [envelope(1).id]


def test_openings_are_settled_in_the_order_of_their_envelopes(frozen: Config) -> None:
    """Whatever the order of the records."""
    changes = settle([patient("A", 2), patient("B", 1)], [envelope(1), envelope(2)], frozen)
    assert [change.record for change in changes] == ["B", "A"]


def test_every_envelope_that_did_not_arrive_is_named(frozen: Config) -> None:
    """In their order, by site and day of sending."""
    late = [envelope(n, status="dispatched", dispatched_on=SENT, received_on=None) for n in (3, 2)]
    (found,) = reconcile([], [envelope(1, dispatched_on=SENT), *late], frozen)
    assert found.text.endswith(f"2 of 3 envelopes were not received with the others: {TWO}, {THREE}")
    assert found.envelope == TWO


def test_a_rehearsal_reads_over_the_word_before_a_number(frozen: Config) -> None:
    """Nothing is misread then."""
    rehearsal = frozen.model_copy(update={"envelopes": frozen.envelopes.model_copy(update={"domain": "dev"})})
    typed = patient("A", 1, envelope=f"TEST {ONE}")
    assert reconcile([typed], [done(1, "A")], rehearsal) == []
    assert "R09" in {one.rule for one in reconcile([typed], [done(1, "A")], frozen)}


def test_everybody_who_used_an_envelope_is_named(frozen: Config) -> None:
    """Each with all the others."""
    found = reconcile([patient(name, 1) for name in "ABC"], [done(1, "A")], frozen)
    assert {one.record: one.other for one in found if one.rule == "R07"} == {"A": "B, C", "B": "A, C", "C": "A, B"}


def test_two_envelopes_of_two_sites_for_one_record_are_told_to_the_first_of_them(frozen: Config) -> None:
    """In the order of the piles."""
    (found,) = [
        one for one in reconcile([patient("A", 1)], [done(2, "A", pile=RIG), done(1, "A")], frozen) if one.rule == "R08"
    ]
    assert found.site == "ODE"


SURE: list[tuple[str, list[Patient], list[Envelope], str]] = [
    ("R02", [patient("B", 2)], [envelope(1, status="released", record="C"), done(2, "B")], ""),
    ("R02", [patient("B", 2)], [envelope(1, received_on=None), done(2, "B")], ""),
    ("R02", [patient("B", 2, opened_on=None)], [envelope(1), done(2, "B")], ""),
    ("R03", [patient("A", 1, at=""), patient("B", 2), patient("C", 3)], [done(1, "A"), done(2, "B"), done(3, "C")],
     f"as was {TWO}, {THREE}:"),
    ("R21", [patient("A", 1, released_at=datetime(2026, 3, 2, 10, 1))], [done(1, "A")], ""),
    ("R21", [patient("A", 1, at="", released_at=datetime(2026, 3, 3, 0, 0))], [done(1, "A")], ""),
    ("R24", [patient("0", 2, opened_on=None), patient("A", 1, at="22:00")], [done(1, "A"), envelope(2)], "at 22:00:"),
    ("R24", [patient("A", 1, date(2026, 3, 7), at="")], [done(1, "A")], "on Saturday 2026-03-07: "),
    ("R52", [Patient("A", "", "rig")], [], "field blank"),
    ("R30", [patient("A", 1), patient("B", 2)], [done(1, "A"), done(2, "B", received_on=LATER)], TWO),
    ("R53", [Patient("A", "ODE", "ode", arm="1")], [], ""),
    ("R53", [Patient("A", "ODE", "ode", envelope=ONE)], [envelope(1)], ""),
    ("R20", [patient("A", 1, date(2026, 2, 27)), patient("B", 2, at="12:00"), patient("C", 1, pile=RIG, at="11:40")],
     [done(1, "A", date(2026, 2, 27)), done(2, "B"), done(1, "C", pile=RIG)], "of C"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "patients", "envelopes", "words"), SURE)
def test_a_deviation_at_the_edge_of_its_rule_is_one(
    frozen: Config, rule: str, patients: list[Patient], envelopes: list[Envelope], words: str
) -> None:
    """Released and lying there, received on a day nobody wrote, a minute too early, ten at night."""
    (found,) = [one for one in reconcile(patients, envelopes, frozen) if one.rule == rule]
    assert words in found.text
