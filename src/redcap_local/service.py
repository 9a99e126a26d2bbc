"""From parameters to a reply: token, right, content, handler, transaction, log (reference/redcap-api.md 16)."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

from redcap_local import messages, routing
from redcap_local.call import Call, Server
from redcap_local.messages import ApiError
from redcap_local.project import ProjectCache
from redcap_local.rights import User, is_in_force
from redcap_local.storage import log, people
from redcap_local.storage.database import Database
from redcap_local.wire import replies
from redcap_local.wire.parameters import Parameters
from redcap_local.wire.replies import Reply

logger = logging.getLogger("redcap_local")
SUPER_TOKEN_LENGTH = 64
# What input nobody thought of could raise: a mistake of this server, and still no reason for a 500.
_FAULTS = (ValueError, ArithmeticError, RecursionError, LookupError, TypeError, AttributeError, sqlite3.Error)


class Service:
    """The API of one server."""

    def __init__(self, database: Database, server: Server) -> None:
        self.database = database
        self.server = server
        self._projects = ProjectCache()

    def answer(self, parameters: Parameters) -> Reply:
        """The reply to a request; whatever is wrong with it comes back as REDCap's error, never as an exception."""
        form = parameters.return_format
        try:
            parameters.refuse_undecodable()
            return self._answer(parameters)
        except ApiError as refused:
            return replies.error(refused.status, refused.text, form)
        except _FAULTS as fault:
            # A fault of ours: the client learns the kind only, the log has where it happened.
            logger.exception("request failed")
            unclear = ApiError(messages.BAD_REQUEST, type(fault).__name__)
            return replies.error(unclear.status, unclear.text, form)

    def _answer(self, parameters: Parameters) -> Reply:
        token = parameters.text("token").strip()
        if len(token) == SUPER_TOKEN_LENGTH:
            return self._super_answer(token, parameters)
        answered: list[Call] = []
        with ExitStack() as stack:
            # Reading ends before the log of it is written: that takes a transaction of its own.
            stack.callback(self._log, answered)
            # Who writes has to look at rights and data inside the write transaction.
            route = routing.find(parameters)
            writes = route is not None and route.writes
            connection = stack.enter_context(self.database.write() if writes else self.database.read())
            call = self._call(connection, token, parameters)
            reply = routing.checked(route, call).handler(call)
            if writes:
                log.write(connection, call.project.id, call.notes)
                return reply
            answered.append(call)
            if isinstance(reply.body, bytes):
                return reply
            return replies.Reply(_Stream(reply.body, stack.pop_all().close), reply.mime)

    def _call(self, connection: sqlite3.Connection, token: str, parameters: Parameters) -> Call:
        row = people.member_by_token(connection, token) if token else None
        now = self.server.clock()
        if row is None or not is_in_force(row, now):
            raise ApiError(messages.BAD_TOKEN)
        project = self._projects.get(connection, row["project"])
        return Call(self.server, connection, project, User.from_row(row), parameters, now)

    def _log(self, answered: list[Call]) -> None:
        for call in answered:
            if call.notes:
                with self.database.write() as connection:
                    log.write(connection, call.project.id, call.notes)

    def _super_answer(self, token: str, parameters: Parameters) -> Reply:
        with self.database.write() as connection:
            if token != people.server_value(connection, "super_token"):
                raise ApiError(messages.BAD_TOKEN)
            return routing.super_route(parameters)(self.server, connection, parameters)


class _Stream:
    """The chunks of a body; the transaction they come from ends with them, or when the client goes away."""

    def __init__(self, chunks: Iterable[bytes], release: Callable[[], None]) -> None:
        self._release = release
        self._chunks = iter(chunks)

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self._release()
