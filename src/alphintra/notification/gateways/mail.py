"""Hands mail in at the operator's mail server."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final
from uuid import UUID

from alphintra.notification.domain.channels import Failure
from alphintra.notification.domain.outgoing import MailServer, Security

__all__ = ["Letter", "Mailer", "new_tls"]

_ANSWER_WAIT_S: Final = 15.0
_PERMANENT: Final = range(500, 600)
_DETAIL_MAX: Final = 200
_SUBJECT_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail to one person; ``sending_id`` makes its Message-ID, the same at every attempt."""

    sending_id: UUID
    to: str
    subject: str
    text: str
    at: datetime


class Mailer:
    """Sends letters one by one, each over a connection of its own.

    Args:
        server: where mail is handed in.
        sender: whom it comes from.
        tls: whose certificates are believed.
    """

    def __init__(self, server: MailServer, sender: str, *, tls: ssl.SSLContext) -> None:
        self._server = server
        self._sender = sender
        self._tls = tls

    async def send(self, letter: Letter) -> Failure | None:
        """Hand a letter in; None if the server took it. Nothing is said to a server that offers no encryption."""
        return await asyncio.to_thread(self._send, letter)

    def _send(self, letter: Letter) -> Failure | None:
        try:
            with self._connected() as client:
                if self._server.user:
                    client.login(self._server.user, self._server.password)
                client.send_message(_written(letter, self._sender))
        except (smtplib.SMTPException, OSError) as error:
            return _failure(error)
        return None

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.security is Security.TLS:
            return smtplib.SMTP_SSL(server.host, server.port, timeout=_ANSWER_WAIT_S, context=self._tls)
        client = smtplib.SMTP(server.host, server.port, timeout=_ANSWER_WAIT_S)
        if server.security is Security.STARTTLS:
            try:
                client.starttls(context=self._tls)
            except BaseException:
                client.close()
                raise
        return client


def new_tls() -> ssl.SSLContext:
    """Return the TLS settings of this machine: certificates are verified, against its own authorities."""
    return ssl.create_default_context()


def _written(letter: Letter, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = " ".join(letter.subject.split())[:_SUBJECT_MAX]
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.sending_id}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def _failure(error: Exception) -> Failure:
    match error:
        case smtplib.SMTPRecipientsRefused():
            status, said = next(iter(error.recipients.values()))
            return _refused(status, said)
        case smtplib.SMTPAuthenticationError():
            return Failure("MAIL_AUTH", "the mail server refuses the user and password of the operator's settings")
        case smtplib.SMTPResponseException():
            return _refused(error.smtp_code, error.smtp_error)
        case smtplib.SMTPNotSupportedError():
            return Failure("MAIL_INSECURE", f"the mail server does not offer what is needed: {error}"[:_DETAIL_MAX])
        case ssl.SSLError():
            reason = getattr(error, "verify_message", "") or error.reason or "no encrypted connection could be made"
            return Failure("MAIL_INSECURE", f"the mail server is not trusted: {reason}"[:_DETAIL_MAX])
        case _:
            return Failure("MAIL_UNREACHABLE", f"the mail server cannot be reached: {error}"[:_DETAIL_MAX])


def _refused(status: int, said: bytes | str) -> Failure:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    words = " ".join(text.split())
    detail = f"the mail server answered {status}: {words}"[:_DETAIL_MAX]
    return Failure("MAIL_REFUSED", detail, is_final=status in _PERMANENT)
