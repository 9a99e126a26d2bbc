"""One small change of a project, and the whole plan of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Part = Literal["settings", "metadata", "arm", "event", "mapping", "repeating", "group", "role"]
# The order REDCap accepts: a mapping needs its events and forms, a repeating form needs its mapping,
# and a role the forms it names.
PARTS: tuple[Part, ...] = ("settings", "metadata", "arm", "event", "mapping", "repeating", "group", "role")
Kind = Literal["create", "update", "delete", "move"]
Risk = Literal["safe", "care", "destroys"]

TOUCHED_LIMIT = 0.30
_DIGEST_LENGTH = 12


def digest_of(text: str) -> str:
    """Twelve hexadecimal digits that stand for a text, the first of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


@dataclass(frozen=True, slots=True)
class Change:
    """One change; `before` and `after` are texts, `records` how many records hold data in it (None: not known).

    `risk`: safe = no stored answer changes its meaning; care = a person has to think; destroys = stored answers are
    deleted or can no longer be reached. `why` gives the reason of a risk in words.
    """

    part: Part
    kind: Kind
    name: str
    attribute: str = ""
    before: str = ""
    after: str = ""
    risk: Risk = "safe"
    records: int | None = None
    why: str = ""


@dataclass(frozen=True)
class Plan:
    """The changes that make a live project what the files say, in the order they are applied.

    `fields` and `records` are how many the live project has now; `notes` is what a person has to do in REDCap;
    `errors` is how many `check` finds in the files.
    """

    project: str
    project_id: str
    title: str
    in_production: bool
    fields: int
    records: int
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
    errors: int = 0

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits that stand for exactly these changes to this project.

        The number of records is left out: data entry goes on while a plan is read. Its risk is not.
        """
        facts = [[c.part, c.kind, c.name, c.attribute, c.before, c.after, c.risk] for c in self.changes]
        return digest_of(json.dumps([self.project, self.project_id, facts], ensure_ascii=False))

    @property
    def empty(self) -> bool:
        """Whether the project already is what the files say."""
        return not self.changes

    def of(self, part: Part, *kinds: Kind) -> tuple[Change, ...]:
        """The changes of a part, of the kinds named (default: all)."""
        return tuple(c for c in self.changes if c.part == part and (not kinds or c.kind in kinds))

    @property
    def brakes(self) -> tuple[str, ...]:
        """Why the plan needs `--force`; empty when it does not. Without records no data can be lost."""
        reasons = [f"`check` finds {self.errors} error(s) in the files"] if self.errors and self.changes else []
        if not self.records:
            return tuple(reasons)
        losing = [c for c in self.changes if c.risk == "destroys"]
        if losing:
            reasons.append(f"{len(losing)} change(s) destroy data, the first in {losing[0].name}")
        touched = len({c.name for c in self.of("metadata", "update", "delete")})
        if self.fields and touched / self.fields > TOUCHED_LIMIT:
            reasons.append(f"{touched} of {self.fields} fields would be touched (limit {TOUCHED_LIMIT:.0%})")
        return tuple(reasons)
