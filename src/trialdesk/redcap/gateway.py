"""The desk's way to a project: PyCap behind typed methods, time-outs, retries for reads, and strings throughout."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import requests
import stamina
from pydantic import SecretStr
from redcap.project import Project

from redcap_rules.dictionary import Dictionary, from_api, to_api
from redcap_rules.names import INSTANCE
from redcap_rules.record import Row
from trialdesk.config import Config
from trialdesk.errors import NotAllowed, RedcapRefused, RedcapUnreachable, TooMuch, WriteBackFailed
from trialdesk.redcap.answers import Answer, Export, Removals, Rows, Untrue, flat, read_table, removal, texts
from trialdesk.redcap.batches import Batch
from trialdesk.redcap.cells import Pool
from trialdesk.redcap.guard import believe, unreached
from trialdesk.redcap.patience import USUAL, Patience, within
from trialdesk.redcap.tokens import Role, token

# A retry is told by the error that ends it, or not at all: without a handler Python prints it to the terminal.
logging.getLogger("stamina").addHandler(logging.NullHandler())

T = TypeVar("T")

LOG_SEEN, USERS_SEEN = "may read the register's log", "may see the register's users"
FILTERED = "can ask REDCap about the arm of an envelope with a filter"


class Gateway:
    """One project of a REDCap server, seen with one token. Making it asks nothing of the server.

    `refusals` are REDCap's own words for what it refused; they may quote data and are for no message and no log.
    """

    def __init__(
        self,
        url: str,
        secret: SecretStr,
        *,
        timeout: tuple[float, float] = (10, 120),
        batch: int = 100,
        patience: Patience = USUAL,
    ) -> None:
        self.url = url
        self._secret = secret
        self._timeout = timeout
        self._batch = batch
        self._patience = patience
        self._project = self._connect()
        self._prove: Callable[[], None] | None = None
        self.refusals: list[str] = []

    def __repr__(self) -> str:
        return f"Gateway({self.url!r})"

    def _connect(self) -> Project:
        return Project(
            self.url,
            self._secret.get_secret_value(),
            timeout=self._timeout,
            hooks={"response": believe},
            allow_redirects=False,
        )

    def guarded(self, prove: Callable[[], None]) -> Gateway:
        """The same project, but `prove` is called before every change: when it raises, nothing is sent."""
        other = copy(self)
        other._prove = prove
        return other

    def version(self) -> str:
        """The server's version, for example `14.5.10`."""
        answer = str(self._read(lambda: self._post(content="version", format="json")))
        if not re.fullmatch(r"\d+\.\d+\.\d+", answer):
            raise RedcapUnreachable(f"{self._host} does not tell a REDCap version; check redcap.url")
        return answer

    def clock_offset(self) -> float | None:
        """By how many seconds the server is ahead of us, as the header of an answer says; None without one."""
        answer: list[requests.Response] = []
        self._read(lambda: answer.append(self._asked(content="version", format="json")))
        told = answer[-1].headers.get("Date")
        if not told:
            return None
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()

    def project(self) -> Mapping[str, str]:
        """Project information, every value as text (reference/redcap-api.md 13.2)."""
        answer = self._read(self._project.export_project_info)
        if not isinstance(answer, dict):
            raise RedcapUnreachable(f"{self._host} does not tell what project this is; nothing was used")
        return texts(answer)

    def dictionary(self) -> Dictionary:
        """The data dictionary as the server holds it."""
        return from_api(self._structure("data dictionary", self._project.export_metadata, ("field_name",), filled=True))

    def arms(self) -> Rows:
        """Arm rows; for a longitudinal project only."""
        return self._structure("arms", self._project.export_arms, ("arm_num",))

    def events(self, *, filled: bool = False) -> Rows:
        """Event rows in the server's order; for a longitudinal project only. A project in use has some (`filled`)."""
        return self._structure("events", self._project.export_events, ("unique_event_name",), filled=filled)

    def mapping(self, *, filled: bool = False) -> Rows:
        """Which form stands in which event; for a longitudinal project only. A project in use has some (`filled`)."""
        ask = self._project.export_instrument_event_mappings
        return self._structure("instrument mapping", ask, ("unique_event_name", "form"), filled=filled)

    def repeating(self) -> Rows:
        """What repeats; for a project that has something repeating only."""
        return self._table(self._project.export_repeating_instruments_events)

    def groups(self) -> Rows:
        """Data access groups: name, unique name, id."""
        return self._table(self._project.export_dags)

    def roles(self) -> Rows:
        """User roles with their rights; rights by form are packed, `form_1:1,form_2:0`.

        Source: reference/redcap-api.md 3.2.
        """
        return self._table(self._project.export_user_roles)

    def users(self) -> list[dict[str, Any]]:
        """Users with their rights, as the server words them."""
        return list(self._read(self._project.export_users))

    def ids(self, record_id: str) -> tuple[str, ...]:
        """Every record id this token sees, in the server's order; as JSON, where no list is told from a blank page."""

        def named() -> object:
            rows = self._project.export_records(format_type="json", fields=[record_id])
            return [{record_id: row[record_id]} for row in rows]  # one without an id is no answer, and asked again

        return tuple(dict.fromkeys(row[record_id] for row in self._table(named)))

    def records(
        self,
        record_id: str,
        fields: Sequence[str],
        *,
        records: Sequence[str] | None = None,
        groups: bool = False,
        ticks: Collection[str] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> Export:
        """The named fields of the named records (default all), fetched in batches; blanks are left out of the rows.

        An answer has the rows that were asked for, or it counts as not reached: a record that is missing from it is
        asked for once more, and has vanished if a fresh list of records lacks it too. Batches grow as long as the
        server is quick, and shrink where it has no memory.

        Args:
            record_id: The project's record-id field; it is always asked for.
            fields: Fields and form status fields to ask for; nothing else is requested from REDCap.
            records: Record ids; None asks for all that the token sees.
            groups: Whether to ask for data access groups; the user then needs that right (reference/redcap-api.md 2.4).
            ticks: Columns of checkbox options: one that is not ticked is left out like a blank.
            progress: Called with (records done, records in all) after each batch.

        Raises:
            RedcapUnreachable: an answer lacks a record that is there, holds another one, or holds a row twice.
        """
        wanted = [record_id, *(name for name in fields if name != record_id)]
        ids = self.ids(record_id) if records is None else tuple(records)
        rows: list[Row] = []
        columns: set[str] = set()
        group_of: dict[str, str] = {}
        vanished: list[str] = []
        ask = partial(self._rows, record_id, wanted, groups=groups, ticks=ticks, pool=Pool())
        start, batch = 0, Batch(self._batch)
        while start < len(ids):
            part, begun = ids[start : start + batch.size], time.monotonic()
            try:
                answer, gone = self._asked_for(record_id, part, ask)
            except TooMuch:
                if len(part) == 1:
                    raise
                batch = batch.too_much()
                continue
            vanished += gone
            columns.update(answer.columns)
            group_of.update(answer.groups)
            rows += answer.rows
            start, batch = start + len(part), batch.after(time.monotonic() - begun)
            if progress:
                progress(start, len(ids))
        return Export(tuple(rows), frozenset(columns), group_of, tuple(vanished))

    def removals(self, since: str) -> Removals | None:
        """Deleted records in the log from a moment on (YYYY-MM-DD HH:MM, the server's clock); None without that right.

        Only deletions and changes of the design are asked for: entries of data hold values as typed
        (reference/redcap-api.md 13.1).
        """
        begin = datetime.fromisoformat(since) if since else None
        ask = partial(self._project.export_logging, begin_time=begin)
        try:
            deleted = self._table(partial(ask, log_type="record_delete"))
            managed = self._table(partial(ask, log_type="manage"))
        except (NotAllowed, RedcapRefused):
            return None
        stamp = max((row.get("timestamp", "") for row in (*deleted, *managed)), default="")
        return Removals(stamp, dict(map(removal, reversed(deleted))))

    def sees_more(self, record_id: str, condition: str) -> Iterator[str]:
        """What this token may do beside reading its forms: see the log, see users, or ask with a hidden field.

        The log is asked for from a moment in the future on, so that nothing of it is told; the condition about one
        record alone, so that its answer, the same for all, tells nothing.
        """
        ahead = datetime.now() + timedelta(days=366)
        if self._answered(partial(self._project.export_logging, begin_time=ahead)) is not None:
            yield LOG_SEEN
        if self._answered(self._project.export_users) is not None:
            yield USERS_SEEN
        first = list(self.ids(record_id)[:1])
        ask = partial(
            self._project.export_records,
            format_type="json",
            fields=[record_id],
            records=first,
            filter_logic=condition,
        )
        if first and self._answered(ask):
            yield FILTERED

    def _answered(self, ask: Callable[[], T]) -> T | None:
        """What REDCap answers; None where it refuses, which is what is hoped for here.

        An error that comes as data is no refusal: it raises, for it proves nothing of what the token may see.
        """
        told = len(self.refusals)
        try:
            return self._read(ask)
        except (NotAllowed, RedcapRefused):
            if len(self.refusals) == told:
                raise
            self.refusals.pop()
            return None

    def columns_shown(self, record_id: str, fields: Sequence[str]) -> frozenset[str]:
        """The columns of the named fields that REDCap shows this token, in its first record; none without records."""
        ids = self.ids(record_id)[:1]
        return frozenset(self._rows(record_id, [record_id, *fields], ids).columns) if ids else frozenset()

    def write(self, record_id: str, rows: Iterable[Row], *, clear: bool = False) -> int:
        """REDCap holds the values of `rows`; with `clear`, blank values erase. Returns the number of records.

        Raises:
            WriteBackFailed: REDCap counted other records than were sent.
        """
        sent = [flat(row, record_id) for row in rows]
        return self._import(record_id, sent, "overwrite" if clear else "normal") if sent else 0

    def _import(self, record_id: str, sent: list[dict[str, str]], overwrite: Literal["overwrite", "normal"]) -> int:
        answer = self._change(lambda: self._project.import_records(sent, overwrite=overwrite, return_content="count"))
        expected = len({row[record_id] for row in sent})
        count = answer.get("count") if isinstance(answer, dict) else answer
        if str(count) != str(expected):
            took = f"{count} of {expected}" if str(count).isdecimal() else f"an unknown number of {expected}"
            raise WriteBackFailed(f"REDCap took {took} records; look at the project's log before running again")
        return expected

    def append(self, record_id: str, rows: Sequence[Row]) -> None:
        """REDCap holds each of `rows`, of a repeating form and of records that differ, as a new instance.

        Raises:
            WriteBackFailed: REDCap counted other records than were sent.
        """
        sent = [flat(row, record_id) | {INSTANCE: "new"} for row in rows]
        self._import(record_id, sent, "normal")

    def write_dictionary(self, dictionary: Dictionary) -> int:
        """The project's instruments are those of `dictionary`; other fields are deleted with their data."""
        count = self._count(lambda: self._project.import_metadata(to_api(dictionary), import_format="json"))
        # PyCap remembers the record-id field of the dictionary that was just replaced
        self._project = self._connect()
        return count

    def write_settings(self, settings: Mapping[str, str]) -> int:
        """Project settings are changed; PyCap has no method for this one."""
        import json

        return self._count(
            lambda: self._post(content="project_settings", format="json", data=json.dumps(dict(settings)))
        )

    def write_arms(self, rows: Rows) -> int:
        """The arms exist under their numbers."""
        return self._count(lambda: self._project.import_arms(rows, import_format="json"))

    def write_events(self, rows: Rows) -> int:
        """The events exist; a blank unique name makes a new one."""
        return self._count(lambda: self._project.import_events(rows, import_format="json"))

    def delete_events(self, names: Sequence[str]) -> int:
        """The events are gone, with all data in them."""
        return self._count(lambda: self._project.delete_events(list(names)))

    def write_mapping(self, rows: Rows) -> int:
        """Forms stand in exactly these events (REDCap replaces the whole mapping)."""
        return self._count(lambda: self._project.import_instrument_event_mappings(rows, import_format="json"))

    def write_repeating(self, rows: Rows) -> int:
        """Exactly these repeat (REDCap replaces the whole list)."""
        return self._count(lambda: self._project.import_repeating_instruments_events(rows, import_format="json"))

    def write_groups(self, rows: Rows) -> int:
        """The data access groups exist; a blank unique name makes a new one."""
        return self._count(lambda: self._project.import_dags(rows, import_format="json"))

    def write_roles(self, rows: Sequence[Mapping[str, object]]) -> int:
        """The roles have these rights; a blank unique name makes a new one, and rights by form are maps."""
        return self._count(lambda: self._project.import_user_roles([dict(row) for row in rows], import_format="json"))

    def _rows(
        self,
        record_id: str,
        fields: Sequence[str],
        ids: Sequence[str],
        *,
        groups: bool = False,
        ticks: Collection[str] = (),
        pool: Pool | None = None,
    ) -> Answer:
        """One answer about records; csv is a tenth of the same rows as JSON, which names every column in each.

        Raises:
            TooMuch: the server has no memory for these records, and might have it for fewer.
        """

        def ask() -> Answer | TooMuch:
            try:
                text = self._project.export_records(
                    format_type="csv",
                    fields=list(fields),
                    records=list(ids),
                    export_data_access_groups=groups,
                    # an untouched form is then blank, not 0 = Incomplete (reference/redcap-api.md 5.4)
                    export_blank_for_gray_form_status=True,
                )
            except TooMuch as error:
                if len(ids) == 1:
                    raise
                return error  # the same again would be too much again
            return read_table(str(text), record_id, ticks, pool)

        answer = self._read(ask)
        if isinstance(answer, TooMuch):
            raise answer
        return answer

    def _asked_for(
        self, record_id: str, part: Sequence[str], ask: Callable[[Sequence[str]], Answer]
    ) -> tuple[Answer, list[str]]:
        """An answer about exactly these records, each row once, and those of them that are not there any more."""
        answer = ask(part)
        if not (answer.is_about(part) and _ends_whole(answer, ask)):
            answer = ask(part)
        missing = {*part} - answer.records
        gone: list[str] = []
        if missing:
            there = {*self.ids(record_id)}
            gone = [record for record in part if record in missing - there]
        if not (answer.is_about({*part} - {*gone}) and _ends_whole(answer, ask)):
            raise RedcapUnreachable(
                f"{self._host} answered twice with other records than were asked for; nothing was used, try again later"
            )
        return answer, gone

    def _structure(self, what: str, ask: Callable[[], object], key: Sequence[str], *, filled: bool = False) -> Rows:
        """Rows of a project's structure, none twice; a wrong answer is asked for once more."""
        for _ in range(2):
            rows = self._table(ask)
            keys = [tuple(row[name] for name in key) for row in rows if all(name in row for name in key)]
            if len({*keys}) == len(keys) and (rows or not filled):
                return rows
        fault = "a line twice" if rows else "nothing in it"
        raise RedcapUnreachable(f"{self._host}: the project's {what} came with {fault}; nothing was used, try again")

    def _post(self, **payload: str) -> object:
        return self._asked(**payload).text.strip()

    def _asked(self, **payload: str) -> requests.Response:
        return requests.post(
            self.url,
            data={**payload, "token": self._secret.get_secret_value(), "returnFormat": "json"},
            timeout=self._timeout,
            hooks={"response": believe},
            allow_redirects=False,
        )

    def _table(self, ask: Callable[[], object]) -> Rows:
        answer = self._read(ask)
        if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
            raise RedcapUnreachable(f"{self._host} answered with something that is not a table; nothing was used")
        return [texts(row) for row in answer]

    def _count(self, ask: Callable[[], object]) -> int:
        answer = self._change(ask)
        try:
            return int(str(answer))
        except ValueError:
            raise WriteBackFailed(f"{self._host} did not confirm the change with a number") from None

    def _read(self, ask: Callable[[], T]) -> T:
        """Ask, and ask again while the server is away; only for what changes nothing."""
        for attempt in stamina.retry_context(
            on=self._patience.again,
            attempts=self._patience.attempts,
            timeout=self._patience.left,
            wait_initial=self._patience.first_wait,
            wait_max=self._patience.longest_wait,
            wait_jitter=self._patience.first_wait,
        ):
            with attempt:
                return self._once(ask)
        raise RedcapUnreachable(f"{self._host} did not answer")  # the loop above returns or raises

    def _change(self, ask: Callable[[], T]) -> T:
        """Ask once for a change, where it is proved that it may be made."""
        if self._prove:
            self._prove()
        return self._once(ask)

    def _once(self, ask: Callable[[], T]) -> T:
        """Ask once."""
        try:
            return within(self._patience.left, ask)
        except (RedcapRefused, NotAllowed) as refused:
            self.refusals.append(getattr(refused, "reason", "") or str(refused))
            raise
        except requests.exceptions.Timeout as error:
            raise unreached(self.url, error) from None
        except Untrue:
            raise RedcapUnreachable(
                f"{self._host} answered with something that is not a table, or was cut off; nothing was used"
            ) from None
        except (ValueError, TypeError, AttributeError, LookupError):
            # PyCap reads what it did not expect in many ways, and keeps what it read first
            self._project = self._connect()
            raise RedcapUnreachable(
                f"{self._host} answered with something that is not data (empty or cut off)"
            ) from None
        except requests.RequestException as error:
            if type(error) is requests.RequestException:  # PyCap's own error: status 200 with an error in the body
                raise RedcapRefused(f"{self._host} answered with an error instead of data") from None
            raise unreached(self.url, error) from None

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc


def _ends_whole(answer: Answer, ask: Callable[[Sequence[str]], Answer]) -> bool:
    """Whether the record an answer ends with has every row it has when asked for alone.

    A table that was cut off behind a line looks whole: only its last record can lack something.
    """
    if not answer.rows or len(answer.records) == 1:
        return True
    last = answer.rows[-1].record
    return answer.places(last) >= ask([last]).places(last)


def open_gateway(config: Config, role: Role, patience: Patience = USUAL) -> Gateway:
    """The gateway of a role with its token from the environment or the tokens file."""
    settings = config.redcap
    return Gateway(
        settings.url,
        token(config, role),
        timeout=(settings.connect_seconds, settings.read_seconds),
        batch=settings.batch,
        patience=patience,
    )
