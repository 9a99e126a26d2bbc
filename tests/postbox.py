"""A mail server of the tests: it takes mail over TLS with a certificate of localhost, and keeps what it took.

tests/data/mail holds the certificate, which no authority knows, with its key; it proves nothing anywhere else.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

DATA = Path(__file__).parent / "data" / "mail"


@dataclass
class Box:
    """What a server has taken, and how it can be reached."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.to += envelope.rcpt_tos
        return "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address.startswith("nobody"):
            return f"550 {address} is unknown here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def authenticate(self, *given: Any) -> AuthResult:
        login = given[-1]
        assert isinstance(login, LoginPassword)
        self.logins.append(login.password)
        return AuthResult(success=login.password == b"right", handled=False)


def _serving(box: Box, *, tls: bool) -> Controller:
    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    context = None
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(DATA / "certificate.pem", DATA / "key.pem")
    return Controller(
        box,
        hostname="127.0.0.1",
        port=box.port,
        tls_context=context,
        require_starttls=tls,
        authenticator=box.authenticate,
        auth_required=False,
        auth_require_tls=True,
    )


@contextmanager
def receiving(*, tls: bool = True) -> Iterator[Box]:
    """Mail is taken until the block ends."""
    made = Box()
    server = _serving(made, tls=tls)
    server.start()
    try:
        yield made
    finally:
        server.stop()


def words(message: EmailMessage) -> str:
    """Subject, text and HTML."""
    parts = [str(part.get_content()) for part in message.walk() if not part.is_multipart()]
    return "\n".join((str(message["Subject"]), *parts))
