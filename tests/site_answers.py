"""For each open fact that the API can settle: answers that are as we assume, and answers that are otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping

from trialdesk.redcap.replies import Reply
from trialdesk.validation.site.project import LATER, START
from trialdesk.validation.site.steps import CHANGED, KEPT, LETTERS, MADE, REPEATING

Told = Mapping[str, Reply]


def said(told: object, status: int = 200) -> Reply:
    """An answer as JSON, with letters escaped."""
    return Reply(status, "application/json; charset=utf-8", json.dumps(told))


def refused(words: str, status: int = 400) -> Reply:
    """A refusal of REDCap's."""
    return said({"error": words}, status)


def csv_of(header: str) -> Reply:
    """A table without rows."""
    return Reply(200, "text/csv; charset=utf-8", f"{header}\n")


def row(record: str = MADE, event: str = START, **values: str) -> dict[str, str]:
    """An exported row."""
    return {
        "record_id": record,
        "redcap_event_name": event,
        "redcap_repeat_instrument": "",
        "redcap_repeat_instance": "",
        **values,
    }


def repeated(record: str = MADE, **values: str) -> dict[str, str]:
    """An exported row of the repeating form."""
    return row(record, LATER) | {"redcap_repeat_instrument": "readonly", "redcap_repeat_instance": "1"} | values


def words(hidden: str, readonly: str) -> Reply:
    """What user A reads of the two forms."""
    blank = {"hidden_word": "", "readonly_word": ""}
    bases = (row(**blank | {"hidden_word": hidden}), row(event=LATER, **blank))
    return said([*bases, repeated(**blank | {"readonly_word": readonly})])


COUNTED = said({"count": 1})
NO = refused("You may not")
UNESCAPED = Reply(200, "application/json", json.dumps([row(letters=LETTERS)], ensure_ascii=False))
GROUP = {"data_access_group_name": "Check group", "unique_group_name": "check_group"}
BLIND = {"hidden_read": said([row()]), "made": COUNTED}
FILTERS = {**BLIND, "filter_of_a": said([row()])}

ANSWERS: Mapping[str, tuple[Told, Told]] = {
    "OF-01": (
        {"xml": Reply(200, "text/xml;charset=UTF-8", "<records></records>")},
        {"xml": Reply(200, "application/xml", "<records></records>")},
    ),
    "OF-02": (
        {"version": Reply(200, "text/html; charset=utf-8", "16.1.9")},
        {"version": Reply(200, "text/plain; charset=utf-8", "16.1.9")},
    ),
    "OF-03": ({"unexported": refused("No export", 403)}, {"unexported": refused("No export", 400)}),
    "OF-04": ({"letters": said([row(letters=LETTERS)])}, {"letters": UNESCAPED}),
    "OF-05": (
        {"groups": said([{**GROUP, "data_access_group_id": 7}])},
        {"groups": said([{**GROUP, "data_access_group_id": None}])},
    ),
    "OF-06": (
        {"labels": csv_of('Record,"Event Name","Repeat Instrument","Repeat Instance","Data Access Group",Letters')},
        {"labels": csv_of("Record,Event,Instrument,Instance,DAG,Letters")},
    ),
    "OF-07": (
        {"repeating": COUNTED, "repeating_read": said([row(REPEATING, LATER), repeated(REPEATING)])},
        {"repeating": COUNTED, "repeating_read": said([repeated(REPEATING)])},
    ),
    "OF-08": (
        {"eav": csv_of("record,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,field_name,value")},
        {"eav": csv_of("record,field_name,value,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance")},
    ),
    "OF-09": (
        {"twice": COUNTED, "twice_read": said([row(first_number="2")])},
        {"twice": COUNTED, "twice_read": said([row(first_number="1")])},
    ),
    "OF-10": (
        {"summed": COUNTED, "summed_read": said([row(total="5")])},
        {"summed": COUNTED, "summed_read": said([row(total="99")])},
    ),
    "OF-13": (
        {"made": COUNTED, "settings": said({"secondary_unique_field": "code"}), "same_code": NO},
        {"made": COUNTED, "settings": said({"secondary_unique_field": "code"}), "same_code": COUNTED},
    ),
    "OF-14": (
        {"made": COUNTED, "repeating": COUNTED, "renamed": NO},
        {"made": COUNTED, "repeating": COUNTED, "renamed": said(1)},
    ),
    "OF-17": ({"dictionary": NO}, {"dictionary": said(8)}),
    "OF-20": (
        {"made": COUNTED, "sum_read": said([row(total=""), row(event=LATER, total="")])},
        {"made": COUNTED, "sum_read": said([row(total="23"), row(event=LATER, total="")])},
    ),
    "OF-21": (
        {"eventless": COUNTED, "eventless_read": said([row(first_number="4")])},
        {"eventless": COUNTED, "eventless_read": said([row(event=LATER, first_number="4")])},
    ),
    "OF-22": (
        {**BLIND, "into_hidden": NO, "into_readonly": refused("No", 403), "words_read": words(KEPT, KEPT)},
        {**BLIND, "into_hidden": NO, "into_readonly": COUNTED, "words_read": words(KEPT, CHANGED)},
    ),
    "OF-23": (
        {**FILTERS, "filter_right": NO, "filter_wrong": NO},
        {**FILTERS, "filter_right": said([row()]), "filter_wrong": said([])},
    ),
}
"""Fact to answers for, and answers against; the latter never need two answers to one step."""
