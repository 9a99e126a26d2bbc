"""The envelope register: a REDCap project with one record per envelope, in the words of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from redcap_rules.record import Row
from trialdesk.allocation.numbering import envelope_id, parse_envelope_id
from trialdesk.errors import ConcealmentBroken, NotAllowed, TableError, WriteBackFailed
from trialdesk.model import ENVELOPE_STATUSES, Envelope, EnvelopeStatus, Pile
from trialdesk.redcap.gateway import FILTERED, LOG_SEEN, USERS_SEEN, Gateway
from trialdesk.redcap.patients import day, moment

RECORD_ID = "env_id"
STATUS = "env_status"
ARM, CODE = "env_arm", "env_code"
COMMITMENT = "env_commitment"
NOTE = "env_note"
SEALED_FORM_STATUS = "allocation_complete"

DOMAIN = "env_domain"
PROOF = ("env_version", DOMAIN, "env_parcel")
"""What the form `proof` holds beside the commitment; a register of version 0.3 or older has none of it."""

# How the facts of an envelope are stored: what never changes, and what happens to it.
MADE: Mapping[str, Callable[[Envelope], str]] = {
    "env_site": lambda envelope: envelope.pile.site,
    "env_stratum": lambda envelope: envelope.pile.stratum,
    "env_number": lambda envelope: str(envelope.number),
    "env_batch": lambda envelope: str(envelope.batch),
    COMMITMENT: lambda envelope: envelope.commitment,
}
USE: Mapping[str, Callable[[Envelope], str]] = {
    STATUS: lambda envelope: envelope.status,
    "env_released_at": lambda envelope: _minute(envelope.released_at),
    "env_record": lambda envelope: envelope.record,
    "env_opened_on": lambda envelope: _day(envelope.opened_on),
}
_REMEDIES: Mapping[str, str] = {
    LOG_SEEN: "take the right Logging in the register from that user",
    USERS_SEEN: "take the right User Rights in the register from that user",
    FILTERED: "have the packer take arms and codes out of the register: push_tables --without-cards",
}
SENT = ("env_packed_on", "env_dispatched_on", "env_received_on")
_STATUSES: Mapping[str, EnvelopeStatus] = {status: status for status in ENVELOPE_STATUSES}


def prove_blind(register: Gateway) -> None:
    """The token was shown not to see the sealed form; neither arm nor code is asked for.

    A user whose export right on a form is *none* gets no column of it, not even its status
    (reference/redcap-api.md 2.5). In a register without records there is nothing to see and nothing is proved. The log
    tells what was typed, the users' rights can be changed, and a filter can ask about a field that is not shown: all
    three have to be refused, or the filter to find nothing.

    Raises:
        ConcealmentBroken: the token's user can export the sealed form.
        NotAllowed: the token is of a project that is no envelope register.
    """
    if register.dictionary().record_id != RECORD_ID:
        raise NotAllowed(
            "the register token is of a project that is no envelope register; check whether the tokens are twisted"
        )
    if SEALED_FORM_STATUS in register.columns_shown(RECORD_ID, [SEALED_FORM_STATUS]):
        raise ConcealmentBroken(
            "the coordinator's token can export the register's form `allocation`: set that user's export right on it "
            "to none in REDCap (User Rights), tell the packer, and run again"
        )
    for what in register.sees_more(RECORD_ID, f"[{ARM}]<>''"):
        raise ConcealmentBroken(f"the coordinator's token {what}; {_REMEDIES[what]}, tell the packer, and run again")


def read_register(
    register: Gateway, ids: Sequence[str] | None = None, more: Sequence[str] = ()
) -> tuple[Envelope, ...]:
    """The envelopes of the register (None: all), by pile and number; arms and card codes are not asked for.

    Args:
        register: The register.
        ids: The envelopes asked for.
        more: Further fields that the register is known to have (`DOMAIN`).

    Raises:
        TableError: a record of the register is not an envelope; one line each.
        NotAllowed: the token's user can't see the commitments.
    """
    export = register.records(RECORD_ID, [*MADE, *USE, *SENT, NOTE, *more], records=ids)
    if export.rows and COMMITMENT not in export.columns:
        raise NotAllowed(
            "the register token can't see what proves the cards: give its user read-only view and full export of the "
            "form `proof` in REDCap (User Rights)"
        )
    problems = [line for row in export.rows for line in _misfits(row)]
    if problems:
        raise TableError("\n".join(problems))
    return tuple(sorted(_envelope(row) for row in export.rows))


def noted(note: str, line: str) -> str:
    """A note with one more line."""
    return "\n".join(filter(None, (note, line)))


def missing(envelopes: Iterable[Envelope], expected: Iterable[str]) -> tuple[str, ...]:
    """The envelopes that ought to be among these: those that were there before, and those below another of their pile.

    Args:
        envelopes: What the register shows.
        expected: The ids it showed to the last run.
    """
    found = {envelope.id: envelope for envelope in envelopes}
    highest: dict[Pile, int] = {}
    for envelope in found.values():
        highest[envelope.pile] = max(envelope.number, highest.get(envelope.pile, 0))
    lower = {envelope_id(pile, number) for pile, top in highest.items() for number in range(1, top)}
    return tuple(sorted((lower | {*expected}) - found.keys()))


def write_use(register: Gateway, envelopes: Iterable[Envelope]) -> None:
    """The register holds status, record, release and opening of these envelopes; blank facts are erased.

    Raises:
        WriteBackFailed: the register does not read back as written.
    """
    wanted = {envelope.id: envelope for envelope in envelopes}
    set_use(register, wanted.values())
    found = {envelope.id: envelope for envelope in read_register(register, sorted(wanted))} if wanted else {}
    wrong = [name for name in sorted(wanted) if name not in found or used(found[name]) != used(wanted[name])]
    if wrong:
        raise WriteBackFailed(f"the register does not hold what was written for {', '.join(wrong)}; look at its log")


def set_use(register: Gateway, envelopes: Iterable[Envelope]) -> None:
    """Status, record, release and opening of these envelopes were sent to the register, blanks included."""
    register.write(RECORD_ID, [Row(envelope.id, "", "", 0, used(envelope)) for envelope in envelopes], clear=True)


def used(envelope: Envelope) -> dict[str, str]:
    """What happened to an envelope, as the register stores it."""
    return {name: of(envelope) for name, of in USE.items()}


def made(envelope: Envelope) -> dict[str, str]:
    """What an envelope is, as the register stores it."""
    return {name: of(envelope) for name, of in MADE.items()}


def _misfits(row: Row) -> Iterator[str]:
    values = row.values
    try:
        pile, number = parse_envelope_id(row.record)
    except ValueError as error:
        yield f"register: {error}; delete the record or correct it"
        return
    expected = {"env_site": pile.site, "env_stratum": pile.stratum, "env_number": str(number)}
    for name, value in expected.items():
        if values.get(name) != value:
            yield f"register: {row.record}: {name} does not fit the envelope's number; put {value} back"
    if not values.get("env_batch", "").isdecimal():
        yield f"register: {row.record}: env_batch is not a number; put it back"
    if values.get(STATUS) not in _STATUSES:
        yield f"register: {row.record}: {STATUS} is blank or unknown; set it"


def _envelope(row: Row) -> Envelope:
    values = row.values
    packed, dispatched, received = (day(values.get(name, "")) for name in SENT)
    return Envelope(
        pile=Pile(values["env_site"], values["env_stratum"]),
        number=int(values["env_number"]),
        id=row.record,
        batch=int(values["env_batch"]),
        status=_STATUSES[values[STATUS]],
        commitment=values.get("env_commitment", ""),
        packed_on=packed,
        dispatched_on=dispatched,
        received_on=received,
        released_at=moment(values.get("env_released_at", "")),
        record=values.get("env_record", ""),
        opened_on=day(values.get("env_opened_on", "")),
        note=values.get(NOTE, ""),
        domain=values.get(DOMAIN, ""),
    )


def _minute(when: datetime | None) -> str:
    return when.strftime("%Y-%m-%d %H:%M") if when else ""


def _day(when: date | None) -> str:
    return when.isoformat() if when else ""
