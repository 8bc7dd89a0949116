"""Messages, deliveries and recipients in the notification database: rows to values and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alphintra.kernel.ids import UserId
from alphintra.notification.domain.drafts import Draft, Message
from alphintra.notification.repository.channels import ChannelRows
from alphintra.notification.repository.sendings import SendingRows

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alphintra.infrastructure.postgres import Database, Session
    from alphintra.kernel.ids import AccountId

__all__ = ["Inboxes", "InboxesTransaction", "Wanted"]

Address = tuple["UUID", UserId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages are asked for.

    Attributes:
        is_unread: those not read yet alone.
        is_open: those not acknowledged yet alone.
        severities: of these severities.
        kinds: of kinds that match one of these patterns; None for all.
        before: older than this message.
    """

    is_unread: bool = False
    is_open: bool = False
    severities: tuple[str, ...]
    kinds: tuple[str, ...] | None = None
    before: UUID | None = None


class InboxesTransaction:
    """Changes to inboxes inside one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.channels = ChannelRows(session)
        self.sendings = SendingRows(session)

    async def add_recipient(self, user_id: UserId, *, role: str, at: datetime) -> None:
        """Remember a person whom news for everybody goes to, and news for their role."""
        await self.session.execute("recipients.insert", user_id, at, role)

    async def watching(self) -> tuple[UserId, ...]:
        """Return who watches risk: owner and operator."""
        return tuple(UserId(row["user_id"]) for row in await self.session.rows("recipients.watching"))

    async def recipients(self) -> tuple[UserId, ...]:
        """Return everybody news can go to."""
        return tuple(UserId(row["user_id"]) for row in await self.session.rows("recipients.list"))

    async def add_owner(self, account_id: AccountId, owner_id: UserId) -> None:
        """Remember whom news of an account goes to."""
        await self.session.execute("account_owners.insert", account_id, owner_id)

    async def owner_of(self, account_id: AccountId) -> UserId | None:
        """Return whom news of an account goes to, None if the account is not known yet."""
        owner_id = await self.session.value("account_owners.get", account_id)
        return None if owner_id is None else UserId(owner_id)

    async def deliver(
        self, draft: Draft, addresses: Sequence[Address], *, happened_at: datetime, at: datetime
    ) -> tuple[Address, ...]:
        """Put a message into inboxes, one new message id for each; returns those that did not hold it yet."""
        rows = await self.session.rows(
            "messages.deliver",
            [message_id for message_id, _ in addresses],
            [user_id for _, user_id in addresses],
            draft.dedupe_key,
            draft.kind,
            draft.severity,
            draft.title,
            draft.body,
            draft.subject,
            happened_at,
            at,
        )
        return tuple((row["message_id"], UserId(row["user_id"])) for row in rows)


class Inboxes:
    """Reads of inboxes, and the door to change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[InboxesTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield InboxesTransaction(session)

    async def messages_of(self, user_id: UserId, wanted: Wanted, *, limit: int) -> tuple[Message, ...]:
        """Read a person's messages, newest first."""
        async with self._database.session() as session:
            rows = await session.rows(
                "messages.list",
                user_id,
                limit,
                wanted.is_unread,
                wanted.is_open,
                list(wanted.severities),
                None if wanted.kinds is None else list(wanted.kinds),
                wanted.before,
            )
            return tuple(Message(**row) for row in rows)

    async def unread_of(self, user_id: UserId) -> int:
        """Count a person's unread messages."""
        async with self._database.session() as session:
            return int(await session.value("messages.count_unread", user_id))

    async def acknowledge(self, message_ids: Sequence[UUID], user_id: UserId, *, at: datetime) -> int:
        """Mark a person's messages as taken care of; returns how many were not before."""
        async with self._database.transaction() as session:
            return int(await session.value("messages.acknowledge", list(message_ids), user_id, at))

    async def mark_read(self, message_id: UUID, user_id: UserId, *, at: datetime) -> Message | None:
        """Mark a person's message as read, unless it is; None if the person has no such message."""
        async with self._database.transaction() as session:
            row = await session.row("messages.mark_read", message_id, user_id, at)
            return None if row is None else Message(**row)
