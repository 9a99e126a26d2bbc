"""The statistician's audit: exact chances, and each question answered on trials with and without its fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain, islice, permutations
from pathlib import Path

import pytest
from openpyxl import load_workbook

from trialdesk.allocation.codes import codes_of
from trialdesk.allocation.foreseeing import counted, foreseen
from trialdesk.allocation.scheme import Scheme, scheme_of
from trialdesk.allocation.tables import Allocation, Order, Table, next_table
from trialdesk.config import Config
from trialdesk.envelopes.audit.balance import shares
from trialdesk.envelopes.audit.case import Answer, Case
from trialdesk.envelopes.audit.sheets import answers, audit_sheets
from trialdesk.model import Patient
from trialdesk.workbook import save

pytestmark = pytest.mark.requirement("ENV-18")

MASTER = bytes(range(40, 72))
DAY = date(2026, 3, 2)
TWO = (("1", 1), ("2", 1))


def scheme(*blocks: tuple[int, int], arms: tuple[tuple[str, int], ...] = TWO) -> Scheme:
    return Scheme("T", "prod", arms, blocks)


def every_list(made: Scheme, length: int) -> Iterator[tuple[str, float]]:
    """Every beginning of a list of that length with its chance, block by block: the slow and plain way."""
    parts, weights = sum(r for _, r in made.arms), sum(w for _, w in made.blocks)

    def go(sofar: str, chance: float) -> Iterator[tuple[str, float]]:
        if len(sofar) >= length:
            yield sofar[:length], chance
            return
        for size, weight in made.blocks:
            orders = list(permutations("".join(arm * (size * ratio // parts) for arm, ratio in made.arms)))
            for order in orders:
                yield from go(sofar + "".join(order), chance * weight / weights / len(orders))

    yield from go("", 1.0)


SCHEMES = [
    scheme((2, 1)), scheme((4, 1)), scheme((2, 1), (4, 1)), scheme((2, 3), (4, 1)),
    scheme((3, 1), arms=(("1", 2), ("2", 1))), scheme((3, 1), arms=(("1", 1), ("2", 1), ("3", 1))),
]  # fmt: skip


@pytest.mark.parametrize("made", SCHEMES)
def test_what_can_be_foreseen_is_what_every_list_gives(made: Scheme) -> None:
    """For each beginning of a list: the share of each arm among the lists that go on from it."""
    length = 5
    lists: dict[str, float] = {}
    for arms, chance in every_list(made, length):
        lists[arms] = lists.get(arms, 0.0) + chance
    for arms in lists:
        for at, chances in enumerate(islice(foreseen(made, arms), length)):
            going = {a: c for a, c in lists.items() if a.startswith(arms[:at])}
            whole = sum(going.values())
            for code, chance in chances.items():
                wanted = sum(c for a, c in going.items() if a[at] == code) / whole
                assert chance == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("made", SCHEMES)
def test_the_law_of_a_beginning_is_what_every_list_gives(made: Scheme) -> None:
    """How many of an arm are among the first numbers."""
    for numbers in range(6):
        wanted = [0.0] * (numbers + 1)
        for arms, chance in every_list(made, numbers):
            wanted[arms.count("1")] += chance
        assert counted(made, "1", numbers) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("blocks", "right", "certain"),
    [
        (((2, 1), (4, 1)), 0.7135, 0.0938),
        (((2, 1), (4, 1), (6, 1)), 0.6862, 0.0296),
        (((4, 1), (6, 1)), 0.6677, 0.0594),
    ],
)
def test_the_published_guesser_of_lists_of_eight(
    blocks: tuple[tuple[int, int], ...], right: float, certain: float
) -> None:
    """reference/randomisation.md 4.3: share of right guesses, and of certain ones, for one who knows the set."""
    made = scheme(*blocks)
    beginnings = {"": 1.0}
    guessed = sure = 0.0
    for _ in range(8):
        longer: dict[str, float] = {}
        for arms, chance in beginnings.items():
            *_, following = foreseen(made, arms)
            guessed += chance * max(following.values()) / 8
            sure += chance * (max(following.values()) > 1 - 1e-9) / 8
            for code, likely in following.items():
                if likely > 0:
                    longer[arms + code] = longer.get(arms + code, 0.0) + chance * likely
        beginnings = longer
    assert [guessed, sure] == pytest.approx([right, certain], abs=6e-5)


def tables(config: Config) -> tuple[Table, ...]:
    """Two versions of every pile of the first site."""
    made = scheme_of(config, ((2, 1), (4, 1)))
    piles = tuple(pile for pile in config.piles if pile.site == config.sites[0].code)
    one = next_table((), made, MASTER, Order(piles, 6, codes_of(config), "2026-01-02"))
    return one, next_table((one,), made, MASTER, Order(piles, 6, codes_of(config), "2026-02-02"))


def opener(number: int, one: Allocation, **facts: object) -> Patient:
    """The patient who opened this envelope, as it should be."""
    pile, day = one.envelope.pile, DAY + timedelta(days=number)
    plain = Patient(
        f"{pile}-{one.envelope.number:02}", pile.site, pile.site.lower(), stratum=pile.stratum, consented_on=day,
        envelope=one.envelope.id, opened_on=day, opened_time="10:00", arm=one.card.arm, card_code=one.card.code,
    )  # fmt: skip
    return replace(plain, **facts)  # type: ignore[arg-type]  # a test names any fact


def case_of(config: Config, made: Sequence[Table], piles: int = 8, each: int = 6) -> Case:
    """The first numbers of each pile opened, one a day in turn."""
    lists = Case(config, tuple(made), ()).lists
    first = chain.from_iterable(zip(*(own[:each] for own in list(lists.values())[:piles]), strict=True))
    return Case(config, tuple(made), tuple(opener(day, one) for day, one in enumerate(first)))


def told(case: Case) -> dict[str, Answer]:
    return {answer.rule: answer for answer in answers(case)}


def test_a_trial_that_followed_its_lists_has_nothing_to_look_at(frozen: Config, tmp_path: Path) -> None:
    """Every question is answered as expected, and the workbook reads back."""
    case = case_of(frozen, tables(frozen))
    said = answers(case)
    assert {answer.rule for answer in said} == {"R32", "R42", "R43", "R44", "R45", "R46", "R48", "4.4"}
    assert not [answer for answer in said if answer.verdict == "look at this"]
    save(tmp_path / "audit.xlsx", audit_sheets(case, said), "foot")
    book = load_workbook(tmp_path / "audit.xlsx")
    assert book.sheetnames == ["Answers", "Balance", "Lists"]
    assert shares(case)[0].counts.total() == 48
    assert shares(case)[0].rarity > 0.05


def test_an_arm_that_is_not_the_list_s_is_named(frozen: Config) -> None:
    """R44: the record has the other arm."""
    case = case_of(frozen, tables(frozen))
    who = case.patients[3]
    wrong = replace(case, patients=(*case.patients[:3], replace(who, arm="2" if who.arm == "1" else "1")))
    answer = told(wrong)["R44"]
    assert answer.verdict == "look at this"
    assert who.record in answer.answer
    assert "3 of 4" in answer.answer


def test_a_batch_begun_before_the_earlier_is_used_up_is_named(frozen: Config) -> None:
    """R32: an envelope of the second version with one of the first unopened."""
    case = case_of(frozen, tables(frozen))
    pile, own = next(iter(case.lists.items()))
    later = next(one for one in own if one.envelope.batch == 2)
    (skipped, *rest) = [who for who in case.patients if who.record.startswith(str(pile))]
    patients = tuple(who for who in case.patients if who != skipped)
    answer = told(replace(case, patients=(*patients, opener(90, later))))["R32"]
    assert answer.verdict == "look at this"
    assert later.envelope.id in answer.answer
    assert skipped.envelope in answer.answer
    assert rest


def test_lists_that_were_sorted_or_exchanged_are_found(frozen: Config) -> None:
    """R48, R43 and the runs: one arm for everybody is no list of this scheme."""
    made = tables(frozen)
    sorted_one = replace(
        made[0], allocations=tuple(replace(one, card=replace(one.card, arm="1")) for one in made[0].allocations)
    )
    found = told(case_of(frozen, (sorted_one, made[1]), each=5))
    assert {rule for rule, answer in found.items() if answer.verdict == "look at this"} == {"R48", "R43", "4.4"}


def test_a_baseline_that_goes_with_what_could_be_foreseen_is_found(frozen: Config) -> None:
    """R45: the younger were put where PVP was likely; a value that has nothing to do with it is left alone."""
    case = case_of(frozen, tables(frozen))
    best = {}
    for own in case.opened.values():
        for one, chances in zip(own, foreseen(case.tables[0].scheme, [o.made.card.arm for o in own]), strict=False):
            best[one.opening.patient.record] = chances["1"]
    age = {record: 70 - 20 * chance for record, chance in best.items()}
    height = {record: float(160 + at * 37 % 11) for at, record in enumerate(best)}
    found = [a for a in answers(replace(case, baseline={"age": age, "height": height})) if a.rule == "R45"]
    assert [answer.verdict for answer in found] == ["look at this", "as expected"]


def test_patients_turned_away_when_the_next_arm_was_certain_are_found(frozen: Config) -> None:
    """R46: twelve came when the next arm of their pile was easy to foresee, and were not enrolled."""
    case = case_of(frozen, tables(frozen))
    sure: list[Patient] = []
    for pile, own in case.opened.items():
        known = list(foreseen(case.tables[0].scheme, [one.made.card.arm for one in own]))
        for at, chances in enumerate(known[1:], 1):
            last = own[at - 1].opening.patient.opened_on
            if max(chances.values()) > 0.9 and last:
                day = last + timedelta(days=1)
                sure.append(Patient(f"X{len(sure)}", pile.site, "ode", stratum=pile.stratum, consented_on=day))
    assert len(sure) >= 10
    assert told(replace(case, patients=(*case.patients, *sure)))["R46"].verdict == "look at this"


def test_before_the_first_patient_there_is_nothing_to_ask(frozen: Config) -> None:
    """The lists alone are proved."""
    found = told(Case(frozen, tables(frozen), ()))
    assert {rule for rule, answer in found.items() if answer.verdict != "nothing to ask"} == {"R48", "4.4"}
    assert told(Case(frozen, (), ()))["4.4"].verdict == "nothing to ask"
