"""The way to the mail server: a connection whose certificate is verified, or no mail."""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from pydantic import SecretStr

from trialdesk.config import Config
from trialdesk.config.parts import Mail
from trialdesk.errors import ConfigError, MailFailed
from trialdesk.notices.letter import Letter
from trialdesk.private import read_private

PASSWORD = "TRIALDESK_MAIL_PASSWORD"  # noqa: S105 - the name of a variable
_SECONDS = 30


def password(config: Config, mail: Mail, environment: Mapping[str, str] | None = None) -> SecretStr | None:
    """The password of the account, from the environment or a private file; None where no account is named.

    Raises:
        ConfigError: there is none, or others can read the file.
    """
    if mail.user is None:
        return None
    value = (os.environ if environment is None else environment).get(PASSWORD, "")
    if not value and mail.password_file is not None:
        value = read_private(config.path(mail.password_file), "the password of the mail account").strip()
    if not value:
        raise ConfigError(f"no password for mail: set {PASSWORD}, or name mail.password_file (mode 0600)")
    return SecretStr(value)


def send(config: Config, mail: Mail, letters: Iterable[Letter]) -> int:
    """The server has taken every letter; returns how many.

    Raises:
        MailFailed: it could not be reached, its certificate is not verified, or it took a letter not.
        ConfigError: there is no password.
    """
    sent = 0
    with connected(config, mail) as server:
        for letter in letters:
            server.send_message(_message(mail, letter))
            sent += 1
    return sent


@contextmanager
def connected(config: Config, mail: Mail) -> Iterator[smtplib.SMTP]:
    """The mail server over TLS, logged in where there is an account.

    Raises:
        MailFailed, ConfigError: as `send`.
    """
    secret = password(config, mail)
    where = f"{mail.host}:{mail.port}"
    try:
        with _opened(mail, _context(config, mail)) as server:
            if mail.user and secret:
                server.login(mail.user, secret.get_secret_value())
            yield server
    except ssl.SSLCertVerificationError as error:
        raise MailFailed(
            f"{where}: its certificate is not verified ({error.verify_message}); nothing was sent"
        ) from None
    except smtplib.SMTPNotSupportedError:
        raise MailFailed(
            f"{where}: offers no TLS or no log-in; nothing was sent, check mail.host and mail.port"
        ) from None
    except smtplib.SMTPResponseException as error:
        # the server's words may quote an address
        raise MailFailed(
            f"{where}: refused with code {error.smtp_code}; check mail.user, sender and recipients"
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise MailFailed(
            f"{where}: can't be used ({type(error).__name__}); check mail.host, mail.port and tls"
        ) from None


def _opened(mail: Mail, context: ssl.SSLContext) -> smtplib.SMTP:
    if mail.tls == "from the start":
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=_SECONDS, context=context)
    server = smtplib.SMTP(mail.host, mail.port, timeout=_SECONDS)
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _context(config: Config, mail: Mail) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=config.path(mail.ca_file) if mail.ca_file else None)
    except (OSError, ssl.SSLError):
        raise ConfigError(f"mail.ca_file: {mail.ca_file} holds no certificates; name a file of PEM text") from None


def _message(mail: Mail, letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, letter.to, letter.subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=mail.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence answers
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message
