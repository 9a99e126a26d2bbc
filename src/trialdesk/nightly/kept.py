"""What a run has read of REDCap, kept until one is published: so that a run that failed after it can be taken up again.

It holds what the trial's patients are in REDCap, without identifiers: it lies in `folders.state`, for its owner alone,
only the newest, and never longer than two days.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from redcap_rules.choices import missing_codes
from redcap_rules.dictionary import from_api, to_api
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.envelopes.filing import read_filed
from trialdesk.errors import ConfigError
from trialdesk.facts.pulling import Pull
from trialdesk.memory.values import Scope
from trialdesk.model import Envelope, Patient
from trialdesk.private import place, read_private
from trialdesk.redcap.answers import Removals
from trialdesk.redcap.cells import Cells, Pool, Shape
from trialdesk.redcap.patients import patients
from trialdesk.redcap.snapshot import Snapshot

FILE = "open_snapshot.json"
LASTS = timedelta(hours=48)
_SCHEMA = 1
_ENVELOPES = TypeAdapter(tuple[Envelope, ...])
_PATIENTS = TypeAdapter(tuple[Patient, ...])


@dataclass(frozen=True, slots=True)
class Kept:
    """What REDCap said at one moment: both projects, the deletions in its log, and its version."""

    pull: Pull
    removals: Removals | None
    version: str
    at: datetime


def put_by(config: Config, kept: Kept) -> None:
    """The state folder holds it, and no older one.

    Raises:
        OutputFailed: it can't be written.
    """
    place(config.state / FILE, (piece.encode() for piece in pieces(config, kept)))


def take_up(config: Config, now: datetime) -> Kept:
    """What the newest run that was not published has read.

    Raises:
        ConfigError: there is none, it is older than two days, or it is of another trial, server or version.
    """
    path = config.state / FILE
    clear_away(config, now)
    if not path.is_file():
        raise ConfigError(f"{path}: no run of the last 48 hours has left a snapshot; run without --resume")
    return read(read_private(path, "the snapshot of a run"), config)


def clear_away(config: Config, now: datetime | None = None) -> None:
    """No snapshot is left: none at all, or with `now` none that is older than two days."""
    path = config.state / FILE
    with suppress(OSError):
        if now is None or now - datetime.fromtimestamp(path.stat().st_mtime, UTC) > LASTS:
            path.unlink()


def pieces(config: Config, kept: Kept) -> Iterator[str]:
    """As JSON text, a record after another: as a whole it would be larger than all that is read.

    What is worked out from the rest, or stands in filed manifests, is left out.
    """
    pull, snapshot = kept.pull, kept.pull.snapshot
    content = {
        "schema": _SCHEMA,
        "scope": str(Scope(config.trial.id, config.redcap.url)),
        "at": kept.at.isoformat(),
        "redcap": kept.version,
        "removals": asdict(kept.removals) if kept.removals else None,
        "register": _ENVELOPES.dump_python(pull.register, mode="json"),
        "counted": _PATIENTS.dump_python(pull.counted, mode="json"),
        "mapping": pull.mapping,
        "structure": pull.structure,
        "missing": pull.missing,
        "register_project": pull.register_project,
        "dictionary": to_api(snapshot.dictionary),
        "snapshot": {
            "project_id": snapshot.project_id,
            "title": snapshot.title,
            "events": snapshot.events,
            "groups": snapshot.groups,
            "missing": sorted(snapshot.missing),
            "has_groups": snapshot.has_groups,
            "vanished": snapshot.vanished,
            "missing_codes": snapshot.missing_codes,
        },
    }
    yield f'{_json(content).removesuffix("}")},"rows":['
    before, shapes = "", _Shapes()
    for rows in filter(None, snapshot.rows.values()):
        told = [(row.record, row.event, row.instrument, row.instance, *shapes.told(row.values)) for row in rows]
        yield f"{before}{_json(told)[1:-1]}"
        before = ","
    yield "]}"


class _Shapes:
    """Values of rows as two parts: their columns, or the number of these once they were told; and their texts."""

    def __init__(self) -> None:
        self._numbers: dict[Shape, int] = {}
        self._pool = Pool()

    def told(self, values: Mapping[str, str]) -> tuple[list[str] | int, tuple[str, ...]]:
        cells = values if isinstance(values, Cells) else self._pool.of(values)
        if cells.shape in self._numbers:
            return self._numbers[cells.shape], cells.texts
        self._numbers[cells.shape] = len(self._numbers)
        return [*cells.shape.columns], cells.texts


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def read(text: str | bytes, config: Config) -> Kept:
    """What was kept, as patients of this configuration and held against the manifests that are filed now.

    Raises:
        ConfigError: it is no snapshot of this version, or one of another trial or server.
    """
    try:
        content = json.loads(text)
        if (content["schema"], content["scope"]) != (_SCHEMA, str(Scope(config.trial.id, config.redcap.url))):
            raise ConfigError("the snapshot is of another trial, server or version of this program; run without it")
        snapshot = _snapshot(content)
        removals = Removals(**content["removals"]) if content["removals"] else None
        pull = Pull(
            snapshot,
            (),
            _ENVELOPES.validate_python(content["register"]),
            {event: tuple(forms) for event, forms in content["mapping"].items()},
            content["structure"],
            tuple(content["missing"]),
            content["register_project"],
            counted=_PATIENTS.validate_python(content.get("counted", ())),
        )
        at = datetime.fromisoformat(content["at"])
    except (ValueError, KeyError, TypeError, IndexError):
        raise ConfigError("the snapshot can't be read; run without it") from None
    whole = replace(pull, patients=patients(snapshot, config), filed=read_filed(config))
    return Kept(whole, removals, content["redcap"], at)


def _snapshot(content: Mapping[str, Any]) -> Snapshot:
    told, rows = content["snapshot"], dict[str, list[Row]]()
    for row in _rows(content["rows"]):
        rows.setdefault(row.record, []).append(row)
    return Snapshot(
        **{
            **told,
            "dictionary": replace(from_api(content["dictionary"]), missing_codes=missing_codes(told["missing_codes"])),
            "events": tuple(told["events"]),
            "missing": frozenset(told["missing"]),
            "vanished": tuple(told["vanished"]),
            "rows": {record: tuple(part) for record, part in rows.items()},
        }
    )


def _rows(kept: Iterable[Sequence[Any]]) -> Iterator[Row]:
    """The rows; those that an earlier version kept hold their values under their names."""
    pool, shapes = Pool(), list[tuple[str, ...]]()
    for record, event, instrument, instance, *told in kept:
        if len(told) == 1:
            cells = pool.of(*told)
        else:
            columns, texts = told
            if isinstance(columns, list):
                shapes.append(tuple(columns))
            cells = pool.cells(shapes[columns] if isinstance(columns, int) else shapes[-1], texts)
        yield Row(record, event, instrument, instance, cells)
