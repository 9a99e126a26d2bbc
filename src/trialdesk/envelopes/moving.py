"""Moving envelopes: packed, shipped, received, void, lost, returned, each from where it may come (design.md 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from redcap_rules.record import Row
from trialdesk.allocation.manifest import Manifest
from trialdesk.allocation.numbering import tidy_envelope_id
from trialdesk.allocation.parcels import parcel_name
from trialdesk.envelopes.filing import ids_of
from trialdesk.envelopes.register import NOTE, RECORD_ID, STATUS, noted, read_register
from trialdesk.errors import ReleaseRefused, TableError, WriteBackFailed
from trialdesk.model import Envelope, EnvelopeStatus
from trialdesk.redcap.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Move:
    """One kind of move: from which statuses, to which, the field of its day, and whether a reason is asked for."""

    to: EnvelopeStatus
    before: tuple[EnvelopeStatus, ...]
    day: str = ""
    reason: bool = False


MOVES: Mapping[str, Move] = {
    "packed": Move("packed", ("made",), "env_packed_on"),
    "ship": Move("dispatched", ("packed", "made"), "env_dispatched_on"),
    "received": Move("received", ("dispatched",), "env_received_on"),
    "void": Move("void", ("made", "packed", "dispatched", "received", "released"), reason=True),
    "lost": Move("lost", ("packed", "dispatched", "received", "released"), reason=True),
    "returned": Move("returned", ("dispatched", "received"), reason=True),
}
"""What may happen to an envelope that was not opened; an opened one stays opened."""


@dataclass(frozen=True, slots=True)
class Said:
    """Who moved them, on which day, and why."""

    by: str
    on: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move does: `envelopes` as they will be, `already` those that were moved before."""

    move: Move
    said: Said
    envelopes: tuple[Envelope, ...]
    already: tuple[str, ...] = ()


def parcels(filed: Sequence[Manifest]) -> Mapping[str, tuple[str, ...]]:
    """The name of every filed parcel to its envelopes."""
    found: dict[str, list[str]] = {}
    for manifest in filed:
        for name in ids_of(manifest):
            found.setdefault(parcel_name(name.partition("-")[0], manifest.version), []).append(name)
    return {parcel: tuple(names) for parcel, names in found.items()}


def chosen(words: Iterable[str], filed: Sequence[Manifest], domain: str) -> tuple[str, ...]:
    """The envelopes that words name: numbers as typed or scanned, or names of whole parcels, each once, in order.

    Raises:
        TableError: a word that looks like a parcel is none that was filed.
    """
    known = parcels(filed)
    names: list[str] = []
    for word in filter(None, (word.strip() for word in words)):
        tidy = tidy_envelope_id(word, domain)
        parcel = next((name for name in known if name.upper() == tidy), "")
        if not parcel and tidy.count("-") == 1:
            raise TableError(f"{word}: no such parcel; parcels are {', '.join(known) or 'named by filed manifests'}")
        names += known[parcel] if parcel else [tidy]
    return tuple(dict.fromkeys(names))


def plan_move(kind: str, names: Sequence[str], register: Sequence[Envelope], said: Said) -> Moved:
    """What the move would change; nothing is written.

    Raises:
        ReleaseRefused: an envelope is not in the register, or can't be moved from where it is; one line each.
    """
    move, by_id = MOVES[kind], {envelope.id: envelope for envelope in register}
    problems, moved, already = [], [], []
    if move.reason and not said.reason:
        problems.append(f"{kind}: say why with --reason")
    for name in names:
        envelope = by_id.get(name)
        if envelope is None:
            problems.append(f"{name}: is not in the register; check the number")
        elif envelope.status == move.to:
            already.append(name)
        elif envelope.status not in move.before:
            problems.append(f"{name}: is {envelope.status}, and {kind} takes those that are {' or '.join(move.before)}")
        else:
            moved.append(_after(envelope, move, said))
    if problems:
        raise ReleaseRefused("\n".join(problems))
    return Moved(move, said, tuple(moved), tuple(already))


def carry_out(moved: Moved, register: Gateway) -> None:
    """The register holds the move: status, day, and a line of the note that says who, when and why.

    Raises:
        WriteBackFailed: the register does not read back as written.
    """
    names = [envelope.id for envelope in moved.envelopes]
    if not names:
        return
    register.write(RECORD_ID, [_row(envelope, moved) for envelope in moved.envelopes])
    held = {envelope.id: envelope.status for envelope in read_register(register, names)}
    wrong = [name for name in names if held.get(name) != moved.move.to]
    if wrong:
        raise WriteBackFailed(f"the register does not hold the move of {', '.join(wrong)}; look at it, and run again")


def _after(envelope: Envelope, move: Move, said: Said) -> Envelope:
    days = {"env_packed_on": "packed_on", "env_dispatched_on": "dispatched_on", "env_received_on": "received_on"}
    changes = {days[move.day]: said.on} if move.day else {}
    return replace(envelope, status=move.to, **changes)  # type: ignore[arg-type]  # the names are Envelope's own


def _row(envelope: Envelope, moved: Moved) -> Row:
    said, move = moved.said, moved.move
    line = f"{said.on} {move.to} by {said.by}" + (f": {said.reason}" if said.reason else "")
    values = {STATUS: move.to, NOTE: noted(envelope.note, line)}
    return Row(envelope.id, "", "", 0, values | ({move.day: said.on.isoformat()} if move.day else {}))
