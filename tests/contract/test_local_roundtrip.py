"""Whatever goes in by one format comes out by every other (reference/redcap-api.md 3, 5, 6)."""

from __future__ import annotations

import csv
import io
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.requirement("RCP-02")

START, WEEK, PHONE = "start_arm_1", "week_1_arm_1", "phone_arm_1"
# Anything XML 1.0 can carry; a bare carriage return would come back from XML as a line feed.
TEXT = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="".join(map(chr, (*range(9), *range(11, 32), 127)))
                  + "\ufffe\uffff"), min_size=1, max_size=12,
)  # fmt: skip
NUMBER = st.integers(0, 999)

BASE = {
    "name": TEXT,
    "sex": st.sampled_from("12"),
    "smoker": st.sampled_from("01"),
    "born": st.dates().map(lambda day: day.isoformat()),
    "fears___1": st.sampled_from("01"),
    "fears____99": st.sampled_from("01"),
    "remark": TEXT,
    "intake_complete": st.sampled_from("012"),
}
VISIT = {
    "weight": NUMBER.map(lambda n: f"{n}.5"),
    "height": NUMBER.map(str),
    "pain": st.integers(0, 100).map(str),
    "visit_complete": st.sampled_from("012"),
}
MEDICINE = {"drug": TEXT, "dose": NUMBER.map(str), "medicine_complete": st.sampled_from("012")}


def _row(event: str, fields: dict[str, Any], instrument: str = "", repeats: bool = False) -> Any:
    place = {"redcap_event_name": st.just(event)}
    if repeats:
        place["redcap_repeat_instrument"] = st.just(instrument)
        place["redcap_repeat_instance"] = st.integers(1, 3).map(str)
    return st.fixed_dictionaries({"record_id": st.sampled_from(["1", "2", "10", "a-b"]), **place}, optional=fields)


ROWS = st.lists(
    st.one_of(
        _row(START, {**BASE, **VISIT}),
        _row(WEEK, VISIT),
        _row(PHONE, VISIT, repeats=True),
        _row(START, MEDICINE, "medicine", repeats=True),
    ),
    min_size=1,
    max_size=8,
)


def as_csv(rows: list[dict[str, str]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_xml(rows: list[dict[str, str]]) -> str:
    items = "".join("<item>" + "".join(f"<{k}>{escape(v)}</{k}>" for k, v in row.items()) + "</item>" for row in rows)
    return f"<records>{items}</records>"


def as_eav(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    place = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")
    return [
        {"record": row["record_id"], **{p: row[p] for p in place if p in row}, "field_name": name, "value": value}
        for row in rows
        for name, value in row.items()
        if name not in place
    ]


def from_xml(text: str) -> list[dict[str, str]]:
    return [{child.tag: child.text or "" for child in item} for item in ElementTree.fromstring(text)]  # noqa: S314


def texts(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{key: str(value) for key, value in row.items()} for row in rows]


@pytest.fixture(scope="module")
def shared(new_clinic: Any) -> Any:
    """One clinic for all examples: each starts by deleting what the last one left."""
    return new_clinic()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_every_format_stores_and_shows_the_same(shared: Any, rows: list[dict[str, str]]) -> None:
    """csv, json and xml, flat and eav, are six ways to say one thing."""
    admin = shared.admin
    ways: list[dict[str, Any]] = [
        {"format": "json", "data": rows},
        {"format": "csv", "data": as_csv(rows)},
        {"format": "xml", "data": as_xml(rows)},
        {"format": "json", "type": "eav", "data": as_eav(rows)},
        {"format": "csv", "type": "eav", "data": as_csv(as_eav(rows))},
        {"format": "xml", "type": "eav", "data": as_xml(as_eav(rows))},
    ]
    seen = []
    for way in ways:
        there = sorted({row["record_id"] for row in admin.rows(fields=["record_id"])})
        if there:
            admin.ok(content="record", action="delete", records=there)
        assert admin.ok(content="record", **way) == {"count": len({row["record_id"] for row in rows})}
        seen.append(admin.rows())
    assert all(shown == seen[0] for shown in seen)
    shown_csv = admin.post(content="record", format="csv").content.decode()
    assert list(csv.DictReader(io.StringIO(shown_csv, newline=""))) == texts(seen[0])
    assert from_xml(admin.post(content="record", format="xml").text) == texts(seen[0])
    back = admin.rows(type="eav")
    eav_csv = admin.post(content="record", format="csv", type="eav").content.decode()
    assert list(csv.DictReader(io.StringIO(eav_csv, newline=""))) == texts(back)
    assert from_xml(admin.post(content="record", format="xml", type="eav").text) == texts(back)
    admin.ok(content="record", action="delete", records=sorted({row["record"] for row in back}))
    admin.ok(content="record", data=back, type="eav")
    assert admin.rows() == seen[0]
