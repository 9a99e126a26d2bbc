"""What a run has read, as a file: it comes back whole, also from a file of an earlier version."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from frozen import FROZEN, trial_rows
from rehearsed import rehearsed
from smaller import kept_small
from trialdesk.config import load
from trialdesk.errors import ConfigError
from trialdesk.facts.dueforms import forms_by_event
from trialdesk.facts.pulling import Pull
from trialdesk.nightly.kept import Kept, pieces, read
from trialdesk.redcap.answers import Removals
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot

CONFIG = load(FROZEN / "config.yaml")
AT = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def kept() -> Kept:
    (snapshot,) = kept_small(rehearsed(3, date(2026, 11, 23)))
    pull = Pull(snapshot, patients(snapshot, CONFIG), (), forms_by_event(trial_rows("mapping.csv")))
    return Kept(pull, Removals("2026-11-22 10:00", {"ODE-9": "2026-11-20 by somebody"}), "14.5.5", AT)


def values(snapshot: Snapshot) -> dict[str, list[tuple[object, ...]]]:
    return {
        record: [(row.record, row.event, row.instrument, row.instance, dict(row.values)) for row in rows]
        for record, rows in snapshot.rows.items()
    }


def content_of(kept: Kept) -> dict[str, Any]:
    content: dict[str, Any] = json.loads("".join(pieces(CONFIG, kept)))
    return content


def test_what_was_read_comes_back_whole(kept: Kept) -> None:
    """Rows, patients and deletions; rows that held data in the same columns share their shape again."""
    again = read("".join(pieces(CONFIG, kept)), CONFIG)
    before = kept.pull.snapshot
    assert values(again.pull.snapshot) == values(before)
    assert replace(again.pull.snapshot, rows={}) == replace(before, rows={})
    assert (again.pull.patients, again.removals, again.version, again.at) == (
        kept.pull.patients, kept.removals, kept.version, kept.at,
    )  # fmt: skip
    rows = [row for own in again.pull.snapshot.rows.values() for row in own]
    columns = {tuple(row.values) for row in rows}
    assert len({id(getattr(row.values, "shape", None)) for row in rows}) == len(columns) < len(rows)


def test_rows_that_are_dicts_are_kept_the_same_way(kept: Kept) -> None:
    """Tests and other programs make such; blanks are left out."""
    snapshot = kept.pull.snapshot
    as_dicts = {
        record: tuple(replace(row, values={**row.values, "con_note": ""}) for row in own)
        for record, own in snapshot.rows.items()
    }
    other = replace(kept, pull=replace(kept.pull, snapshot=replace(snapshot, rows=as_dicts)))
    assert values(read("".join(pieces(CONFIG, other)), CONFIG).pull.snapshot) == values(snapshot)


def test_the_names_of_columns_are_told_once_for_all_rows_that_hold_the_same(kept: Kept) -> None:
    """A snapshot is half as large so; every name list is another, and numbers count them."""
    rows = content_of(kept)["rows"]
    told = [tuple(row[4]) for row in rows if isinstance(row[4], list)]
    assert len({*told}) == len(told) < len(rows) / 2
    numbers = [row[4] for row in rows if isinstance(row[4], int)]
    assert max(numbers) < len(told)


def test_a_snapshot_of_an_earlier_version_is_read(kept: Kept) -> None:
    """There, every row holds its values under their names: sealed snapshots of three months are such."""
    content = content_of(kept)
    content["rows"] = [list(row) for own in values(kept.pull.snapshot).values() for row in own]
    assert values(read(json.dumps(content), CONFIG).pull.snapshot) == values(kept.pull.snapshot)


@pytest.mark.parametrize("wrong", [["ODE-1", "e", "", 0, 7, ["x"]], ["ODE-1", "e"], "x"])
def test_a_damaged_row_is_one_line_with_a_way_out(kept: Kept, wrong: object) -> None:
    """A number nobody gave, a row cut short, no row at all."""
    content = content_of(kept)
    content["rows"] = [wrong]
    with pytest.raises(ConfigError, match=r"^the snapshot can't be read; run without it$"):
        read(json.dumps(content), CONFIG)
