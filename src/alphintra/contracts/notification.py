"""What notification answers and tells."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.messages import Command, Event, Utc, View

__all__ = ["ListMessages", "MarkRead", "MessageDelivered", "MessageView", "MessagesView"]


class MessageView(View, frozen=True):
    """One message of a person's inbox."""

    message_id: UUID
    kind: str
    severity: str
    title: str
    body: str
    subject: str
    created_at: Utc
    read_at: Utc | None = None


class MessagesView(View, frozen=True):
    """Messages, newest first, and how many are unread in all."""

    messages: tuple[MessageView, ...]
    unread: int


class ListMessages(Command[MessagesView], tag="notification.list_messages.v1", frozen=True):
    """List the acting user's messages."""

    unread_only: bool = False
    limit: int = 50


class MarkRead(Command[MessageView], tag="notification.mark_read.v1", frozen=True):
    """Mark one message of the acting user as read; repeating it changes nothing."""

    message_id: UUID


class MessageDelivered(Event, tag="notification.message_delivered.v1", frozen=True):
    """A message reached a person's inbox."""

    message_id: UUID
    user_id: UUID
    kind: str
