"""Smart variables that tell of a record's randomization.

Source: reference/redcap-api.md 8.1, reference/randomisation.md 2f.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from redcap_local.call import Call
from redcap_local.storage import randomization
from redcap_local.storage.randomization import Model, Slot
from redcap_local.storage.records import Record
from redcap_rules.logic.expression import Expression
from redcap_rules.logic.syntax import Smart

_VARIABLE = re.compile(r"(rand-number|rand-time|rand-utc-time)(?::([0-9]{1,4}))?(?::value)?", re.ASCII)


class Allocations:
    """What the randomization variables of a formula stand for.

    `:n` names the n-th model of the project in order of creation, the first when left out. `targets` are the
    fields of these models, which a user has to be allowed to export.
    """

    def __init__(self, call: Call, expression: Expression) -> None:
        """Read the allocations of the models that the formula asks for; of no others."""
        models = randomization.models(call.connection, call.project.id)
        self._variables: dict[str, tuple[str, Model]] = {}
        for node in expression.nodes:
            asked = _VARIABLE.fullmatch(node.name) if isinstance(node, Smart) else None
            place = int(asked[2] or 1) if asked else 0
            if asked and isinstance(node, Smart) and 1 <= place <= len(models):
                self._variables[node.name] = asked[1], models[place - 1]
        wanted = {model.id: model for _, model in self._variables.values()}
        self.targets = sorted({model.target_field for model in wanted.values()})
        self._slots = {
            (model, slot.record): slot
            for model in wanted
            for slot in randomization.slots(call.connection, model, production=call.project.in_production)
            if slot.record is not None
        }

    def smart(self, record: Record) -> Mapping[str, str]:
        """The values of the variables for a record; those of models it has not been randomised by are left out."""
        found = {
            name: (variable, self._slots.get((model.id, record.id)))
            for name, (variable, model) in self._variables.items()
        }
        return {name: _value(variable, slot) for name, (variable, slot) in found.items() if slot is not None}


def _value(variable: str, slot: Slot) -> str:
    if variable == "rand-number":
        return slot.number
    if variable == "rand-time":
        return slot.used
    return datetime.fromisoformat(slot.used).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
