"""One patient of the story, with a chart that fills while the story is played."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rehearsal.chart import Chart, Page
from rehearsal.course import Course
from rehearsal.script import Happening, of_all
from rehearsal.story import Life, Story
from rehearsal.writing import Scene


@dataclass(frozen=True)
class Patient:
    """A life, what is written of it, and the story it belongs to."""

    story: Story
    life: Life
    chart: Chart

    def course(self, treated: date | None = None) -> Course:
        """How this patient's complaint goes; before the envelope is opened it does not depend on the arm."""
        chance = self.story.dice(self.life, "course")
        start = min(max(chance.gauss(70, 8), 55), 88)
        return Course(start, chance.uniform(0.15, 0.45), chance.uniform(0.45, 0.75), self.life.opened.date(), treated)

    def scene(self, name: str, on: date, place: Page, **known: Any) -> Scene:
        """A scene of this patient's, with dice of its own."""
        dice = self.story.dice(self.life, f"{name} {' '.join(map(str, place))}")
        told = {"days": self.life.days, "burden": self.course().start, **known}
        return Scene(self.story.setting, dice, self.chart, place, on, self.life.stratum, **told)

    def special(self, name: str, happening: Happening) -> Mapping[str, Any]:
        """What a part or turn of that name fills in otherwise than all others."""
        variants = happening.variants or ({},)
        return of_all(happening.values, self.story.dice(self.life, f"variant {name}").choice(variants))


def enter(story: Story, life: Life) -> Patient:
    """A patient of whom nothing is written yet."""
    return Patient(story, life, Chart(life.record, story.setting.dictionary, story.setting.calculations))
