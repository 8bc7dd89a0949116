"""A mail server and a webhook that really listen on this machine, and notification in front of them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import default
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import available_timezones

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from alphintra.contracts.notification import AddChannel, ChannelAdded, ListSendings, SendingView
from alphintra.contracts.strategy import FeedFinished
from alphintra.infrastructure.envelope import Envelopes, parse_keys
from alphintra.infrastructure.system import SystemIds
from alphintra.notification.domain.outgoing import parse_mail_server, parse_networks
from alphintra.notification.endpoints import ChannelEndpoints, Endpoints
from alphintra.notification.gateways.mail import Mailer, new_tls
from alphintra.notification.gateways.webhooks import Webhooks, look_up
from alphintra.notification.repository.inboxes import Inboxes
from alphintra.notification.service.channels import Desk as ChannelDesk
from alphintra.notification.service.sending import Sender, SenderTools
from fixtures.single_service import SettableClock, acting, delivery_of

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.infrastructure.postgres import Database
    from alphintra.notification.gateways.webhooks import Lookup

KEYS = "1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
SENDER = "Alphintra <alerts@example.org>"
LOOPBACK = "127.0.0.0/8"
ADA, BOB = SystemIds().new(), SystemIds().new()


@dataclass(slots=True)
class Mailbox:
    """Takes mail; ``answer`` is what it says to each, ``password`` what it asks for."""

    answer: str = "250 OK"
    password: str = ""
    port: int = 0
    mails: list[Mail] = field(default_factory=list)

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: ANN401, N802 - theirs
        """Keep a mail, unless none is taken."""
        if self.answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=default))
        return self.answer

    def authenticate(self, _server: object, _session: object, _envelope: object, _how: str, said: object) -> AuthResult:
        """Take the right password alone."""
        is_right = isinstance(said, LoginPassword) and said.password == self.password.encode()
        return AuthResult(success=is_right, handled=False)


@asynccontextmanager
async def mail_server(mailbox: Mailbox, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Mailbox]:
    """Listen for mail; with TLS, nothing is taken before STARTTLS."""
    made = partial(
        SMTP,
        mailbox,
        tls_context=tls,
        require_starttls=tls is not None,
        auth_required=bool(mailbox.password),
        auth_require_tls=tls is not None,
        authenticator=mailbox.authenticate if mailbox.password else None,
        loop=asyncio.get_running_loop(),
    )
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        await server.wait_closed()


@dataclass(frozen=True, slots=True)
class Heard:
    """A call as a webhook got it."""

    headers: dict[str, str]
    body: bytes

    def is_signed_by(self, secret: str) -> bool:
        """Check the call as the documentation tells receivers to."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest(wanted, given) for given in self.headers["webhook-signature"].split())


@dataclass(slots=True)
class Receiver:
    """Takes calls; ``statuses`` are what it answers, the last for good; more headers of the answer."""

    statuses: list[int] = field(default_factory=lambda: [204])
    more: str = ""
    port: int = 0
    calls: list[Heard] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one call."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.calls.append(Heard(headers, body))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n{self.more}connection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def webhook_server(receiver: Receiver, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Listen for calls."""
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        await server.wait_closed()


class Desk:
    """Notification with channels, on a database of its own; nothing is sent unless ``sender`` is told to."""

    def __init__(
        self,
        database: Database,
        *,
        smtp_url: str = "",
        networks: str = LOOPBACK,
        tls: ssl.SSLContext | None = None,
        lookup: Lookup = look_up,
        keys: str = KEYS,
    ) -> None:
        self.clock = SettableClock()
        self.ids = SystemIds()
        self.keys = keys
        self.inboxes = Inboxes(database)
        trusted = tls or new_tls()
        server = parse_mail_server(smtp_url)
        mailer = None if server is None else Mailer(server, SENDER, tls=trusted)
        webhooks = Webhooks(parse_networks(networks), tls=trusted, lookup=lookup)
        self.events = Endpoints(inboxes=self.inboxes, clock=self.clock, ids=self.ids)
        self.channels = ChannelEndpoints(
            desk=ChannelDesk(
                inboxes=self.inboxes,
                envelopes=self.envelopes,
                webhooks=webhooks,
                mail_from="" if mailer is None else SENDER,
                time_zones=available_timezones(),
                ids=self.ids,
            ),
            clock=self.clock,
        )
        self.sender = Sender(
            SenderTools(
                inboxes=self.inboxes,
                envelopes=self.envelopes,
                mailer=mailer,
                webhooks=webhooks,
                clock=self.clock,
                ids=self.ids,
                chance=lambda: 1.0,
            )
        )

    def envelopes(self) -> Envelopes:
        """Return what seals secrets."""
        return Envelopes("notification", parse_keys(self.keys, of="channels"))

    async def add(self, user_id: UUID, kind: str, address: str, *, name: str = "mine") -> ChannelAdded:
        """Add a channel of a person."""
        return await self.channels.add_channel(AddChannel(kind=kind, name=name, address=address), acting(user_id))

    async def happen(self, user_id: UUID, *, status: str = "failed") -> None:
        """Let something happen that a person is told: critical if a feed failed, news if it ended."""
        event = FeedFinished(feed_id=self.ids.new(), owner_id=user_id, status=status, error="the file is gone")
        await self.events.on_feed_finished(delivery_of(event, aggregate_id=event.feed_id, at=self.clock.now()))

    async def log(self, user_id: UUID) -> tuple[SendingView, ...]:
        """Return a person's delivery log."""
        return (await self.channels.list_sendings(ListSendings(), acting(user_id))).sendings


class Opening(Protocol):
    """Opens notification; see `Desk`."""

    async def __call__(self, **options: object) -> Desk:
        """Open it."""
        ...
