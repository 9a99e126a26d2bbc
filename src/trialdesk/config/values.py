"""The words a setting may hold, each checked as it is read: references, logic, dates, addresses."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field

from redcap_rules.logic import Expression, LogicError, parse

LOOPBACK = ("127.0.0.1", "localhost", "::1")
REFERENCE = re.compile(r"\[([a-z0-9_]+)\]\[([a-z][a-z0-9_]*)\]")


_OF_POSTGRES = frozenset({"host", "sslmode", "sslrootcert", "sslcert", "sslkey"})


class FieldRef(NamedTuple):
    """A field in an event, written `[event][field]`."""

    event: str
    field: str


class CheckboxRef(FieldRef):
    """A checkbox field in an event, all its options together."""

    __slots__ = ()


def _checkbox(value: object) -> CheckboxRef:
    return CheckboxRef(*_reference(value))


def _reference(value: object) -> FieldRef:
    if isinstance(value, FieldRef):
        return value
    found = REFERENCE.fullmatch(str(value))
    if not found:
        msg = f"{value!r} is not [event][field], for example [screening_arm_1][elig_date]"
        raise ValueError(msg)
    return FieldRef(*found.groups())


def _logic(value: object) -> Expression:
    if not isinstance(value, str):
        msg = "REDCap logic is text: put it in double quotes"
        raise ValueError(msg)  # noqa: TRY004 - pydantic reports ValueError, not TypeError
    try:
        return parse(value)
    except LogicError as error:
        msg = f"REDCap logic can't be read: {error}"
        raise ValueError(msg) from None


def _month_day(value: object) -> tuple[int, int]:
    try:
        month, day = str(value).split("-")
        return date(2000, int(month), int(day)).timetuple()[1:3]
    except ValueError:
        msg = f"{value!r} is not month-day, for example 12-24"
        raise ValueError(msg) from None


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        msg = f"{value!r} is not a time zone; for Denmark write Europe/Copenhagen"
        raise ValueError(msg)
    return value


def _quiet_hour(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        msg = f'{value!r} is not a time of day; write it as HH:MM in quotes, for example "04:30"'
        raise ValueError(msg)
    if value.startswith("02:"):
        msg = f"{value} does not exist in the night of the spring change and comes twice in autumn; choose another hour"
        raise ValueError(msg)
    return value


def _api_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or not parts.path.endswith("/api/"):
        msg = f"{value!r} is not a REDCap API address: it ends in /api/, for example https://redcap.example.org/api/"
        raise ValueError(msg)
    if "@" in parts.netloc or parts.query or parts.fragment or re.search(r"\s", value):
        msg = "a REDCap API address holds no user name, password, question mark or blank; tokens are kept elsewhere"
        raise ValueError(msg)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        msg = "a token may only travel over https://; plain http:// is for a server on this machine"
        raise ValueError(msg)
    return value


def _postgres_url(value: str) -> str:
    """One server, no password, and off this machine a certificate that is verified, as for REDCap and mail."""
    parts = urlsplit(value)
    more = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = more.get("host", parts.hostname or "")
    if parts.scheme not in ("postgresql", "postgres") or not host or len(parts.path) < 2 or re.search(r"\s", value):
        msg = "it names user, server and database: postgresql://USER@HOST/DATABASE?sslmode=verify-full"
        raise ValueError(msg)
    if parts.password is not None or not more.keys() <= _OF_POSTGRES:
        msg = f"behind the question mark may stand {', '.join(sorted(_OF_POSTGRES))}, and nowhere a password"
        raise ValueError(msg)
    if "," in f"{parts.netloc}{host}":
        msg = "it names one server: with several, two machines could hold the lock, each on another"
        raise ValueError(msg)
    if not host.startswith("/") and host not in LOOPBACK and more.get("sslmode") != "verify-full":
        msg = "a server elsewhere is believed with a verified certificate alone: add sslmode=verify-full"
        raise ValueError(msg)
    return value


def _age_recipient(value: str) -> str:
    if not re.fullmatch(r"age1[02-9ac-hj-np-z]{58}", value):
        msg = f"{value!r} is not an age public key (age1…, 62 characters); scripts/keygen.py makes one"
        raise ValueError(msg)
    return value


def _profile(value: str) -> str:
    if not re.fullmatch(r"coordinator|monitor|closed|site:[A-Z0-9]+", value):
        msg = f"{value!r} is not a report profile: use coordinator, monitor, closed or site:CODE"
        raise ValueError(msg)
    return value


Reference = Annotated[FieldRef, BeforeValidator(_reference)]
Checkbox = Annotated[CheckboxRef, BeforeValidator(_checkbox)]
Logic = Annotated[Expression, BeforeValidator(_logic)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Code = Annotated[str, Field(pattern=r"^[A-Z0-9]+$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Window = tuple[Annotated[int, Field(le=0)], Annotated[int, Field(ge=0)]]
MonthDay = Annotated[tuple[int, int], BeforeValidator(_month_day)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
NightlyTime = Annotated[str, AfterValidator(_quiet_hour)]
ApiUrl = Annotated[str, AfterValidator(_api_url)]
PostgresUrl = Annotated[str, AfterValidator(_postgres_url)]
AgeRecipient = Annotated[str, AfterValidator(_age_recipient)]
ProfileName = Annotated[str, AfterValidator(_profile)]
