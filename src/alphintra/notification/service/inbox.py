"""Use cases of a person's inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts.notification import MessagesAcknowledged, MessagesView, MessageView
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId
from alphintra.notification.domain.rules import Topic, kinds_of, least_severity, topic_of
from alphintra.notification.repository.inboxes import Wanted

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.contracts.notification import AcknowledgeMessages, ListMessages, MarkRead
    from alphintra.kernel.messages import Context
    from alphintra.notification.domain.drafts import Message
    from alphintra.notification.repository.inboxes import Inboxes

__all__ = ["acknowledge_messages", "acting_user", "list_messages", "mark_read", "require_limit"]

PAGE_MAX = 200


async def list_messages(command: ListMessages, context: Context, *, inboxes: Inboxes) -> MessagesView:
    """Return the acting user's messages, newest first. Raises PAGE_LIMIT, FIELD_VALUE and USER_REQUIRED."""
    require_limit(command.limit)
    user_id = acting_user(context)
    if command.topic and command.topic not in set(Topic):
        message = f"there is no topic {command.topic[:40]!r}: choose {', '.join(Topic)}"
        raise AlphintraError("FIELD_VALUE", message, pointer="/topic")
    wanted = Wanted(
        is_unread=command.unread_only,
        is_open=command.open_only,
        severities=least_severity(command.severity),
        kinds=kinds_of(Topic(command.topic)) if command.topic else None,
        before=command.before,
    )
    messages = await inboxes.messages_of(user_id, wanted, limit=command.limit)
    unread = await inboxes.unread_of(user_id)
    return MessagesView(messages=tuple(_view(message) for message in messages), unread=unread)


async def mark_read(command: MarkRead, context: Context, *, inboxes: Inboxes, at: datetime) -> MessageView:
    """Mark a message of the acting user as read; the time of the first time stays. Raises MESSAGE_NOT_FOUND."""
    message = await inboxes.mark_read(command.message_id, acting_user(context), at=at)
    if message is None:
        detail = f"there is no message {command.message_id} in your inbox: list your messages"
        raise AlphintraError("MESSAGE_NOT_FOUND", detail, kind=Kind.NOT_FOUND, pointer="/message_id")
    return _view(message)


async def acknowledge_messages(
    command: AcknowledgeMessages, context: Context, *, inboxes: Inboxes, at: datetime
) -> MessagesAcknowledged:
    """Mark messages of the acting user as taken care of; those of others are left alone. Raises FIELD_LENGTH."""
    user_id = acting_user(context)
    if not 1 <= len(command.message_ids) <= PAGE_MAX:
        raise AlphintraError("FIELD_LENGTH", f"name 1 to {PAGE_MAX} messages", pointer="/message_ids")
    acknowledged = await inboxes.acknowledge(command.message_ids, user_id, at=at)
    return MessagesAcknowledged(acknowledged=acknowledged, unread=await inboxes.unread_of(user_id))


def acting_user(context: Context) -> UserId:
    """Return who acts. Raises USER_REQUIRED for services and for the local operator."""
    if context.actor.user_id is None:
        raise AlphintraError("USER_REQUIRED", "only a signed-in person has an inbox", kind=Kind.FORBIDDEN)
    return UserId(context.actor.user_id)


def require_limit(limit: int) -> None:
    """Check how many are asked for. Raises PAGE_LIMIT."""
    if not 1 <= limit <= PAGE_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must lie between 1 and {PAGE_MAX}", pointer="/limit")


def _view(message: Message) -> MessageView:
    return MessageView(
        message_id=message.message_id,
        kind=message.kind,
        severity=message.severity,
        title=message.title,
        body=message.body,
        subject=message.subject,
        created_at=message.created_at,
        read_at=message.read_at,
        topic=topic_of(message.kind),
        acknowledged_at=message.acknowledged_at,
    )
