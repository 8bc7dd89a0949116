"""A person's inbox."""

from __future__ import annotations

from uuid import UUID

from alphintra.contracts.notification import ListMessages, MarkRead, MessagesView, MessageView
from alphintra.edge.routing import PageLimit, Reader, Routes

__all__ = ["routes"]

routes = Routes("messages")


@routes.get("/messages")
async def list_messages(caller: Reader, unread_only: bool = False, limit: PageLimit = 50) -> MessagesView:  # noqa: FBT001, FBT002 - FastAPI passes it by name
    """List one's messages, newest first."""
    return await caller.ask(ListMessages(unread_only=unread_only, limit=limit))


@routes.post("/messages/{message_id}/read")
async def mark_read(caller: Reader, message_id: UUID) -> MessageView:
    """Mark a message as read."""
    return await caller.ask(MarkRead(message_id=message_id))
