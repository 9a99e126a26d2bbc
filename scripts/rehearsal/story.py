"""The story: who comes, when, and what goes wrong; the same seed always tells the same one.

Arms and card codes are not part of it: they are known only when an envelope is opened (`follow_up` takes the arm).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from rehearsal.cast import ORDINARY, Reach, Role, cast
from rehearsal.days import dice, open_day
from rehearsal.script import Turn
from rehearsal.setting import Setting
from trialdesk.model import Pile

_HOURS = range(9, 16)
_RELEASED_BEFORE = timedelta(minutes=12)
# The first two piles are used up and nearly used up: every third ordinary patient, so many in all.
_BUSY = (4, 3)


@dataclass(frozen=True, slots=True)
class Deviation:
    """Something the nightly job has to find: the record, the rule that finds it, and why it does."""

    record: str
    rule: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Life:
    """One patient's way up to the envelope; steps beyond the role's reach are never taken."""

    record: str
    site: str
    stratum: str
    role: Role
    screened: date
    consented: date
    assessed: date
    baseline: date
    opened: datetime

    @property
    def days(self) -> dict[str, date | None]:
        """The days of this life by the names a script gives them."""
        steps = {name: getattr(self, name) for name in ("screened", "consented", "assessed", "baseline")}
        return {**steps, "opened": self.opened.date()}

    @property
    def pile(self) -> Pile:
        """Site and stratum."""
        return Pile(self.site, self.stratum)

    @property
    def released(self) -> datetime:
        """When the coordinator is phoned: local time, without zone."""
        return self.opened - _RELEASED_BEFORE

    @property
    def played(self) -> datetime:
        """The moment that decides the order in which patients are played."""
        if self.role.reach >= Reach.RELEASED:
            return self.released
        last = {Reach.SCREENED: self.screened, Reach.CONSENTED: self.consented, Reach.ASSESSED: self.assessed}
        return datetime.combine(last.get(self.role.reach, self.baseline), time(8))


@dataclass(frozen=True, slots=True)
class Story:
    """All patients in the order in which they are played, as of `today`."""

    seed: int
    today: date
    setting: Setting
    lives: tuple[Life, ...]

    @property
    def first_day(self) -> date:
        """The day of the first screening: sites have to be open and envelopes received by then."""
        return min(life.screened for life in self.lives)

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """The planted deviations that do not depend on an arm."""
        return tuple(
            Deviation(life.record, rule, life.role.part.sentence)
            for life in self.lives
            for rule in life.role.part.rules
        )

    def turns(self, arms: Mapping[str, str]) -> dict[str, str]:
        """What happens to ordinary patients once arms are known: record to name of the turn, first come first served.

        An arm that becomes known later never changes the turn of an earlier patient.
        """
        left, found = dict(self.setting.script.turns), {}
        for life in self.lives:
            age = (self.today - life.opened.date()).days
            arm = arms.get(life.record)
            name = next((name for name, turn in left.items() if turn.arm == arm and turn.age <= age), None)
            if name and life.role.name == ORDINARY:
                del left[name]
                found[life.record] = name
        return found

    def deviations_of(self, arms: Mapping[str, str]) -> tuple[Deviation, ...]:
        """All planted deviations of a story played with these arms (record to arm code)."""
        turns: dict[str, Turn] = {record: self.setting.script.turns[name] for record, name in self.turns(arms).items()}
        return self.deviations + tuple(
            Deviation(record, rule, turn.sentence) for record, turn in turns.items() for rule in turn.rules
        )

    def use(self) -> Counter[Pile]:
        """How many envelopes of each pile the story takes."""
        return Counter(life.pile for life in self.lives if life.role.reach >= Reach.RELEASED)

    def dice(self, life: Life, scene: str) -> Random:
        """The dice of one patient's scene: its throws depend on seed, record and scene alone."""
        return dice(self.seed, life.record, scene)


def write_story(seed: int, patients: int, today: date, setting: Setting) -> Story:
    """The story of so many screened patients over about 14 months before `today`.

    Args:
        seed: Any number; the same seed, number of patients, day and setting give the same story.
        patients: How many are screened; about 35 are needed to see every part.
        today: The day on which the story ends; nothing is dated later.
        setting: The trial.
    """
    chance = dice(seed, patients, "story")
    roles = list(cast(patients, setting.script, setting.config))
    piles = _piles(roles, setting, chance)
    ages = _ages(roles, chance)
    taken: set[datetime] = set()
    lives = []
    for role, pile, age in sorted(zip(roles, piles, ages, strict=True), key=lambda part: -part[2]):
        lives.append(_life(role, pile, today, age, (chance, taken)))
    return Story(seed, today, setting, tuple(sorted(_named(lives), key=lambda life: (life.played, life.record))))


def _ages(roles: Sequence[Role], chance: Random) -> list[int]:
    """Days since the screening: ordinary patients evenly over the whole time, the others anywhere in theirs."""
    ordinary = sum(role.name == ORDINARY for role in roles)
    turn = iter(range(ordinary))
    ages = []
    for role in roles:
        oldest, youngest = role.part.age
        share = (next(turn) + chance.random()) / ordinary if role.name == ORDINARY else chance.random()
        ages.append(round(oldest - (oldest - youngest) * share))
    return ages


def _piles(roles: Sequence[Role], setting: Setting, chance: Random) -> list[Pile]:
    every = [Pile(site, stratum) for site in setting.sites for stratum in setting.strata]
    busy = [Pile(site, setting.strata[0]) for site in setting.sites[: len(_BUSY)]]
    kept = chance.sample(every[len(every) // 2 :], sum(role.part.alone for role in roles))
    shared = [pile for pile in every if pile not in {*busy, *kept}]
    weights = {pile: 1 / (2 + setting.sites.index(pile.site)) for pile in shared}
    planned = iter(_busy_places(busy))
    piles = []
    for role in roles:
        fitting = [pile for pile in shared if re.fullmatch(role.part.strata, pile.stratum)]
        pile = chance.choices(fitting, [weights[pile] for pile in fitting])[0]
        if role.part.alone:
            pile = kept.pop()
        elif role.name == ORDINARY:
            pile = next(planned, None) or pile
        piles.append(pile)
    return piles


def _busy_places(busy: Sequence[Pile]) -> Iterator[Pile | None]:
    for turn in range(max(_BUSY)):
        yield from (pile for pile, number in zip(busy, _BUSY, strict=False) if turn < number)
        yield None


def _life(role: Role, pile: Pile, today: date, age: int, shared: tuple[Random, set[datetime]]) -> Life:
    chance, taken = shared
    yesterday = open_day(today - timedelta(days=1), -1)

    def later(day: date, most: int) -> date:
        return min(open_day(day + timedelta(days=chance.randint(1, most))), yesterday)

    screened = open_day(today - timedelta(days=age), -1)
    consented = later(screened, 5)
    assessed = later(consented, 4)
    baseline = later(assessed, 4)
    opened = datetime.combine(later(baseline, 2), time(chance.choice(_HOURS), chance.randint(15, 55)))
    if role.reach == Reach.RELEASED:
        opened = datetime.combine(open_day(today, -1), time(8, 25))
    elif role.reach == Reach.OPENED:
        opened = _free(opened, taken)
    if (day := role.part.days.get("consented")) and day.after == "opened":
        consented = opened.date()
    return Life("", pile.site, pile.stratum, role, screened, consented, assessed, baseline, opened)


def _free(wanted: datetime, taken: set[datetime]) -> datetime:
    """`wanted`, or the next hour in which no other envelope is opened."""
    while (hour := wanted.replace(minute=0)) in taken:
        wanted += timedelta(hours=1)
        if wanted.hour not in _HOURS:
            following = open_day(wanted.date() + timedelta(days=1))
            wanted = datetime.combine(following, time(_HOURS[0], wanted.minute))
    taken.add(hour)
    return wanted


def _named(lives: Iterable[Life]) -> Iterator[Life]:
    """Site and running number in order of screening: nothing about the patient, nothing about the arm."""
    numbers: Counter[str] = Counter()
    for life in sorted(lives, key=lambda life: (life.screened, life.site)):
        numbers[life.site] += 1
        yield replace(life, record=f"{life.site}-{numbers[life.site]:03d}")
