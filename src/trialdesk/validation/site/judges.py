"""What the answers say of each open fact that the API can settle: as we assume, otherwise, or nothing. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from redcap_rules.names import EVENT, INSTRUMENT
from trialdesk.redcap.replies import Reply
from trialdesk.validation.site.project import FIELDS, LATER, START
from trialdesk.validation.site.steps import CHANGED, KEPT, LETTERS, MADE

State = Literal["agrees", "differs", "could not be told"]
Replies = Mapping[str, Reply]
Rows = list[dict[str, object]]
_SYSTEM = ("Event Name", "Repeat Instrument", "Repeat Instance", "Data Access Group", "Survey Identifier")
_EAV = ["record", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "field_name", "value"]
_REFUSED = (400, 403)
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a fact, in a sentence."""

    state: State
    words: str


@dataclass(frozen=True, slots=True)
class Judge:
    """The steps it needs, and what it says of their answers."""

    needs: tuple[str, ...]
    says: Callable[[Replies], Seen]


class _Untold(Exception):
    """The answers do not say; the text is why."""


def judged(fact: str, replies: Replies) -> Seen:
    """What the answers say of a fact; nothing where a step is missing or somebody else than REDCap answered."""
    judge = JUDGES[fact]
    for name in judge.needs:
        if name not in replies:
            return Seen("could not be told", "it was not asked")
        if not replies[name].of_redcap:
            return Seen("could not be told", f"a web page or a crash answered, with status {replies[name].status}")
    try:
        return judge.says(replies)
    except _Untold as untold:
        return Seen("could not be told", str(untold))


def _agrees_if(holds: bool, words: str) -> Seen:
    return Seen("agrees" if holds else "differs", words)


def _xml_type(replies: Replies) -> Seen:
    if not _taken(replies["xml"]).text.lstrip().startswith("<"):
        raise _Untold("the answer is no XML")
    return _type(replies["xml"], "text/xml; charset=utf-8")


def _text_type(replies: Replies) -> Seen:
    if not re.fullmatch(r"\d+\.\d+\.\d+", _taken(replies["version"]).text.strip()):
        raise _Untold("the answer is no version")
    return _type(replies["version"], "text/html; charset=utf-8")


def _type(reply: Reply, assumed: str) -> Seen:
    return _agrees_if(re.sub(r"\s*;\s*", "; ", reply.kind.strip().lower()) == assumed, reply.kind or "none")


def _without_export(replies: Replies) -> Seen:
    reply = replies["unexported"]
    if reply.status == 200:
        raise _Untold("user B could still export: the right was not taken away")
    return _agrees_if(reply.status == 403, _refusal(reply))


def _letters(replies: Replies) -> Seen:
    text = _taken(replies["letters"]).text
    if [row.get("letters") for row in _rows(replies["letters"]) if row.get("letters")] != [LETTERS]:
        raise _Untold("the letters did not come back as they were sent")
    return _agrees_if(LETTERS not in text, "as they are" if LETTERS in text else "escaped")


def _group_number(replies: Replies) -> Seen:
    rows = _rows(replies["groups"])
    if not rows:
        raise _Untold("the project has no data access group")
    number = rows[0].get("data_access_group_id")
    kind = "a number" if isinstance(number, int) else "a text" if isinstance(number, str) else "neither"
    return _agrees_if(str(number).isdecimal(), kind if str(number).isdecimal() else f"no number, but {kind}")


def _labels(replies: Replies) -> Seen:
    header = _header(replies["labels"])
    first = next((place for place, name in enumerate(header) if name.startswith("Letters")), 0)
    words = header[1:first]
    if not words:
        raise _Untold("the header has no system columns")
    holds = {*words} <= {*_SYSTEM} and {"Event Name", "Data Access Group"} <= {*words}
    without = "" if "Survey Identifier" in words else " (no survey columns: the project has no surveys)"
    return _agrees_if(holds, ", ".join(words) + without)


def _base_row(replies: Replies) -> Seen:
    _need(replies["repeating"])
    rows = _rows(replies["repeating_read"])
    if not rows:
        return Seen("differs", "the record does not come at all")
    there = any(not row.get(INSTRUMENT) for row in rows)
    return _agrees_if(there, "it has a base row" if there else "it comes without a base row")


def _eav(replies: Replies) -> Seen:
    header = _header(replies["eav"])
    if not {"field_name", "value"} <= {*header}:
        raise _Untold("the answer is no table of fields and values")
    return _agrees_if(header == _EAV, ", ".join(header))


def _twice(replies: Replies) -> Seen:
    if not _accepted(replies["twice"]):
        return Seen("differs", _refusal(replies["twice"]))
    values = [row.get("first_number") for row in _rows(replies["twice_read"])]
    return _agrees_if(values == ["2"], {"1": "the first wins", "2": "the later wins"}.get(_one(values), "neither"))


def _sum_sent(replies: Replies) -> Seen:
    if not _accepted(replies["summed"]):
        return Seen("differs", _refusal(replies["summed"]))
    total = _one([row.get("total") for row in _rows(replies["summed_read"])])
    words = {"5": "it is ignored, and the sum is calculated", "": "it is ignored, and nothing is calculated"}
    return _agrees_if(total in words, words.get(total, f"{total} is stored"))


def _same_code(replies: Replies) -> Seen:
    _need(replies["made"])
    told = _object(replies["settings"])
    if told.get("secondary_unique_field") != "code":
        raise _Untold("the project has no secondary unique field `code`: the administrator sets it")
    return _refused(replies["same_code"])


def _renamed(replies: Replies) -> Seen:
    _need(replies["made"])
    _need(replies["repeating"])
    if replies["renamed"].status == 403:
        raise _Untold(f"user A may not rename: {_refusal(replies['renamed'])}")
    return _refused(replies["renamed"])


def _dictionary(replies: Replies) -> Seen:
    if replies["dictionary"].status == 403:
        raise _Untold(f"user A may not change the design: {_refusal(replies['dictionary'])}")
    return _refused(replies["dictionary"], len(FIELDS))


def _sum_made(replies: Replies) -> Seen:
    _need(replies["made"])
    rows = [row.get("total") for row in _rows(replies["sum_read"]) if row.get(EVENT) == START]
    words = {"5": "it is there at once", "": "it is blank right after"}
    return _agrees_if(_one(rows) in words, words.get(_one(rows), f"it is {_one(rows)}, where 5 is right"))


def _eventless(replies: Replies) -> Seen:
    if not _accepted(replies["eventless"]):
        return Seen("differs", _refusal(replies["eventless"]))
    events = [str(row.get(EVENT)) for row in _rows(replies["eventless_read"]) if row.get("first_number") == "4"]
    if not events:
        return Seen("differs", "it is taken, and stored nowhere")
    return _agrees_if(events == [START], "filed under the first event" if events == [START] else f"under {events[0]}")


def _into_forms(replies: Replies) -> Seen:
    _need(replies["made"])
    _blind(replies)
    rows = _rows(replies["words_read"])
    stored = {
        "hidden": [row.get("hidden_word") for row in rows if row.get(EVENT) == START],
        "readonly": [row.get("readonly_word") for row in rows if row.get(EVENT) == LATER and row.get(INSTRUMENT)],
    }
    told = {}
    for form, values in stored.items():
        reply, value = replies[f"into_{form}"], _one(values)
        if value not in (KEPT, CHANGED):
            raise _Untold(f"the word in `{form}` did not come back")
        done = "taken" if _accepted(reply) else _refusal(reply)
        told[form] = f"into `{form}`: {done}, and {'not stored' if value == KEPT else 'stored'}"
    refused = not any(_accepted(replies[f"into_{form}"]) for form in stored)
    return _agrees_if(refused and all(_one(values) == KEPT for values in stored.values()), "; ".join(told.values()))


def _filter(replies: Replies) -> Seen:
    _blind(replies)
    if not _found(replies["filter_of_a"]):
        raise _Untold("the filter does not find the record for user A either")
    right, wrong = replies["filter_right"], replies["filter_wrong"]
    refused = [reply.status in _REFUSED for reply in (right, wrong)]
    if all(refused):
        return Seen("agrees", _refusal(right))
    if any(refused):
        raise _Untold("one word is answered, the other refused")
    same = _found(right) == _found(wrong)
    return Seen("differs", f"it is answered, and tells {'nothing: the same for every word' if same else 'the word'}")


def _blind(replies: Replies) -> None:
    """User B sees the record, and of the form `hidden` nothing, as the table of rights says."""
    if not (rows := _rows(replies["hidden_read"])):
        raise _Untold("user B does not see the record: the user may be in a data access group")
    if any("hidden_word" in row for row in rows):
        raise _Untold("user B may export the form `hidden`: the rights are not those of the table")


def _found(reply: Reply) -> bool:
    return any(row.get("record_id") == MADE for row in _rows(reply))


def _taken(reply: Reply) -> Reply:
    if reply.status != 200:
        raise _Untold(f"what it needs was refused: {_refusal(reply)}")
    return reply


def _need(reply: Reply) -> None:
    """What was to be written for the question is there."""
    if not _accepted(reply):
        raise _Untold(f"what it needs was refused: {_refusal(reply)}")


def _accepted(reply: Reply, count: int = 1) -> bool:
    """Whether a change was taken, which REDCap says with the number of records or fields, or refused.

    Source: reference/redcap-api.md 3.4.
    """
    if reply.status in _REFUSED:
        return False
    try:
        told = json.loads(reply.text)
    except ValueError:
        told = None
    number = told.get("count") if isinstance(told, dict) else told
    if reply.status != 200 or str(number) != str(count):
        raise _Untold(f"the answer with status {reply.status} says neither that it was taken nor that it was refused")
    return True


def _refused(reply: Reply, count: int = 1) -> Seen:
    """As assumed if it is refused with status 400: the words are what is looked for."""
    if _accepted(reply, count):
        return Seen("differs", "it is taken")
    return _agrees_if(reply.status == 400, _refusal(reply))


def _refusal(reply: Reply) -> str:
    """Status and REDCap's own words, in one line."""
    try:
        told = json.loads(reply.text)
    except ValueError:
        told = reply.text
    words = " ".join(str(told.get("error", told) if isinstance(told, dict) else told).split())
    return f"refused with status {reply.status}: “{words[:_LONGEST]}{'…' if len(words) > _LONGEST else ''}”"


def _rows(reply: Reply) -> Rows:
    _taken(reply)
    try:
        told = json.loads(reply.text)
    except ValueError:
        raise _Untold("the answer is no JSON") from None
    if not isinstance(told, list) or not all(isinstance(row, dict) for row in told):
        raise _Untold("the answer is no list of rows")
    return told


def _object(reply: Reply) -> dict[str, object]:
    try:
        told = json.loads(_taken(reply).text)
    except ValueError:
        raise _Untold("the answer is no JSON") from None
    if not isinstance(told, dict):
        raise _Untold("the answer is no JSON object")
    return told


def _header(reply: Reply) -> list[str]:
    lines = list(csv.reader(io.StringIO(_taken(reply).text)))
    if not lines:
        raise _Untold("the answer is empty")
    return lines[0]


def _one(values: list[object]) -> str:
    """The one value there is.

    Raises:
        _Untold: there is none, or more than one.
    """
    if len(values) != 1:
        raise _Untold(f"{len(values)} rows came where one was expected")
    return str(values[0])


JUDGES: Mapping[str, Judge] = {
    "OF-01": Judge(("xml",), _xml_type),
    "OF-02": Judge(("version",), _text_type),
    "OF-03": Judge(("unexported",), _without_export),
    "OF-04": Judge(("letters",), _letters),
    "OF-05": Judge(("groups",), _group_number),
    "OF-06": Judge(("labels",), _labels),
    "OF-07": Judge(("repeating", "repeating_read"), _base_row),
    "OF-08": Judge(("eav",), _eav),
    "OF-09": Judge(("twice", "twice_read"), _twice),
    "OF-10": Judge(("summed", "summed_read"), _sum_sent),
    "OF-13": Judge(("made", "settings", "same_code"), _same_code),
    "OF-14": Judge(("made", "repeating", "renamed"), _renamed),
    "OF-17": Judge(("dictionary",), _dictionary),
    "OF-20": Judge(("made", "sum_read"), _sum_made),
    "OF-21": Judge(("eventless", "eventless_read"), _eventless),
    "OF-22": Judge(("made", "hidden_read", "into_hidden", "into_readonly", "words_read"), _into_forms),
    "OF-23": Judge(("hidden_read", "filter_of_a", "filter_right", "filter_wrong"), _filter),
}
"""One for each row of docs/reference/open-facts.csv that is settled with the API."""
