"""Everything that is asked of the server: one call a step, in this order. Static."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from redcap_rules.names import EVENT, INSTANCE, INSTRUMENT
from trialdesk.validation.site.project import LATER, PREFIX, START

User = Literal["A", "B"]
Values = Mapping[str, str]

LETTERS, KEPT, CHANGED = "æøå", "kept", "changed"
TAKEN = f"{PREFIX}code"
MADE, REPEATING, TWICE, SUMMED, SAME_CODE, EVENTLESS = (f"{PREFIX}{number}" for number in range(1, 7))
"""The records, each for one question."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call: who asks, with which parameters, and in words what it writes; "" for what only reads."""

    name: str
    user: User
    parameters: Values
    writes: str = ""


def _reads(name: str, record: str, *fields: str, user: User = "A", **more: str) -> Step:
    """An export of one record: of all its fields, or of the named ones and its id."""
    named = {f"fields[{place}]": field for place, field in enumerate(("record_id", *fields) if fields else ())}
    return Step(name, user, {"content": "record", "records[0]": record, **named, **more})


def _writes(name: str, words: str, *rows: Values, user: User = "A") -> Step:
    """An import of rows, as REDCap counts them."""
    sent = json.dumps(rows, ensure_ascii=False)
    return Step(name, user, {"content": "record", "returnContent": "count", "data": sent}, words)


def _filtered(name: str, user: User, word: str) -> Step:
    """An export of record ids where the hidden word is that word."""
    logic = f"[hidden_word] = '{word}'"
    return Step(name, user, {"content": "record", "fields[0]": "record_id", "filterLogic": logic})


def _row(record: str, event: str = START, **values: str) -> Values:
    return {"record_id": record, **({EVENT: event} if event else {}), **values}


def _repeated(record: str, word: str) -> Values:
    return {**_row(record, LATER), INSTRUMENT: "readonly", INSTANCE: "1", "readonly_word": word}


TRIED = _writes(
    "tried", f"{MADE}, which is deleted at once: without the right to delete nothing more is done", _row(MADE)
)
"""One record, before anything else."""

ALL = Step("all", "A", {"content": "record"})
"""Every row of the project, so that no record is missed that has repeating rows alone."""

STEPS: tuple[Step, ...] = (
    Step("version", "A", {"content": "version"}),
    Step("settings", "A", {"content": "project"}),
    Step("groups", "A", {"content": "dag"}),
    _writes(
        "made",
        f"{MADE}: letters, a code, two numbers, a word in `hidden`, a word in `readonly`",
        _row(MADE, letters=LETTERS, code=TAKEN, first_number="2", second_number="3", hidden_word=KEPT),
        _repeated(MADE, KEPT),
    ),
    _reads("sum_read", MADE, "total"),
    _reads("xml", MADE, format="xml"),
    _reads("letters", MADE, "letters"),
    _reads(
        "labels",
        MADE,
        format="csv",
        rawOrLabelHeaders="label",
        exportDataAccessGroups="true",
        exportSurveyFields="true",
    ),
    _reads("eav", MADE, format="csv", type="eav"),
    _writes("repeating", f"{REPEATING}: a word in `readonly` and nothing else", _repeated(REPEATING, KEPT)),
    _reads("repeating_read", REPEATING, "readonly_word"),
    _writes(
        "twice", f"{TWICE}: the same number twice in one import", *(_row(TWICE, first_number=one) for one in ("1", "2"))
    ),
    _reads("twice_read", TWICE, "first_number"),
    _writes(
        "summed",
        f"{SUMMED}: two numbers, and another total than theirs",
        _row(SUMMED, first_number="2", second_number="3", total="99"),
    ),
    _reads("summed_read", SUMMED, "total"),
    _writes("same_code", f"{SAME_CODE}: the code of {MADE}; it should be refused", _row(SAME_CODE, code=TAKEN)),
    _writes("eventless", f"{EVENTLESS}: a number without an event", _row(EVENTLESS, "", first_number="4")),
    _reads("eventless_read", EVENTLESS, "first_number"),
    _reads("hidden_read", MADE, "hidden_word", user="B"),
    _writes(
        "into_hidden",
        f"{MADE}, as user B: another word in `hidden`; it should be refused",
        _row(MADE, hidden_word=CHANGED),
        user="B",
    ),
    _writes(
        "into_readonly",
        f"{MADE}, as user B: another word in `readonly`; it should be refused",
        _repeated(MADE, CHANGED),
        user="B",
    ),
    _reads("words_read", MADE, "hidden_word", "readonly_word"),
    _filtered("filter_of_a", "A", KEPT),
    _filtered("filter_right", "B", KEPT),
    _filtered("filter_wrong", "B", f"not {KEPT}"),
    Step(
        "renamed",
        "A",
        {"content": "record", "action": "rename", "record": REPEATING, "new_record_name": MADE},
        f"{REPEATING}: the name {MADE}; it should be refused",
    ),
)

PAUSED = _reads("unexported", MADE, "letters", user="B")
"""Asked while user B may not export."""


def deletion(records: tuple[str, ...]) -> Step:
    """The records are deleted."""
    named = {f"records[{place}]": record for place, record in enumerate(records)}
    return Step("deleted", "A", {"content": "record", "action": "delete", **named})


def dictionary(name: str, fields: object) -> Step:
    """The project's fields are these."""
    return Step(name, "A", {"content": "metadata", "data": json.dumps(fields, ensure_ascii=False)})


def written() -> tuple[str, ...]:
    """What a run writes, in words."""
    last = "the project's own dictionary with `Record_ID` for `record_id`; it should be refused, and is put back if not"
    return (*(step.writes for step in (TRIED, *STEPS) if step.writes), last)
