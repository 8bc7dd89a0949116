"""A person's inbox, the channels beside it, and what was sent by them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends

from alphintra.contracts.notification import (
    AcknowledgeMessages,
    AddChannel,
    ChannelAdded,
    ChannelKeysView,
    ChannelsView,
    ChannelView,
    ConfirmChannel,
    GetSchedule,
    ListChannels,
    ListMessages,
    ListSendings,
    MarkRead,
    MessagesAcknowledged,
    MessagesView,
    MessageView,
    RemoveChannel,
    RotateChannelKeys,
    RotateChannelSecret,
    ScheduleView,
    SendingsView,
    SendingView,
    SendTest,
    SetRules,
    SetSchedule,
)
from alphintra.edge.decoding import Label
from alphintra.edge.routing import Admin, Body, PageLimit, Reader, Routes, Session
from alphintra.kernel.messages import Utc

__all__ = ["routes"]

routes = Routes("messages")


class MessagesBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Messages of one's inbox that are taken care of."""

    message_ids: tuple[UUID, ...]


class ChannelBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A channel to add: ``kind`` is email or webhook, ``address`` an e-mail address or a URL."""

    kind: str
    name: Label
    address: str


class ChannelCodeBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The code that was sent to an e-mail address."""

    code: str


class RulesBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """From which severity on messages leave, by topic: info, warning, critical or off; topics left out stay."""

    rules: dict[str, str]


class ScheduleBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When one is left alone: quiet hours as HH:MM on the clock of ``time_zone``, or empty; muted until then."""

    time_zone: str
    quiet_from: str = ""
    quiet_to: str = ""
    muted_until: Utc | None = None


@routes.get("/messages")
async def list_messages(  # noqa: PLR0913 - one parameter a filter
    caller: Reader,
    *,
    unread_only: bool = False,
    limit: PageLimit = 50,
    open_only: bool = False,
    severity: str = "",
    topic: str = "",
    before: UUID | None = None,
) -> MessagesView:
    """List one's messages, newest first: from a severity on, about a topic, not read or not acknowledged yet."""
    command = ListMessages(
        unread_only=unread_only, limit=limit, open_only=open_only, severity=severity, topic=topic, before=before
    )
    return await caller.ask(command)


@routes.post("/messages/acknowledge")
async def acknowledge_messages(
    caller: Reader, body: Annotated[MessagesBody, Depends(Body(MessagesBody))]
) -> MessagesAcknowledged:
    """Say that messages are taken care of."""
    return await caller.ask(AcknowledgeMessages(message_ids=body.message_ids))


@routes.post("/messages/{message_id}/read")
async def mark_read(caller: Reader, message_id: UUID) -> MessageView:
    """Mark a message as read."""
    return await caller.ask(MarkRead(message_id=message_id))


@routes.get("/notifications/channels")
async def list_channels(caller: Reader) -> ChannelsView:
    """List one's channels with their rules."""
    return await caller.ask(ListChannels())


@routes.post("/notifications/channels", status=201)
async def add_channel(caller: Session, body: Annotated[ChannelBody, Depends(Body(ChannelBody))]) -> ChannelAdded:
    """Add a channel; the secret of a webhook is shown this once, to an e-mail address a code is sent."""
    caller.require_recent()
    return await caller.ask(AddChannel(kind=body.kind, name=str(body.name), address=body.address))


@routes.post("/notifications/channels/{channel_id}/confirm")
async def confirm_channel(
    caller: Session, channel_id: UUID, body: Annotated[ChannelCodeBody, Depends(Body(ChannelCodeBody))]
) -> ChannelView:
    """Give the code that was sent to an e-mail address."""
    return await caller.ask(ConfirmChannel(channel_id=channel_id, code=body.code))


@routes.post("/notifications/channels/{channel_id}/test")
async def send_test(caller: Session, channel_id: UUID) -> SendingView:
    """Send a test by a channel; to an e-mail address not confirmed yet, another code."""
    return await caller.ask(SendTest(channel_id=channel_id))


@routes.post("/notifications/channels/{channel_id}/rotate-secret")
async def rotate_channel_secret(caller: Session, channel_id: UUID) -> ChannelAdded:
    """Draw another secret for a webhook, shown this once; the one before signs too for a day."""
    caller.require_recent()
    return await caller.ask(RotateChannelSecret(channel_id=channel_id))


@routes.put("/notifications/channels/{channel_id}/rules")
async def set_rules(
    caller: Session, channel_id: UUID, body: Annotated[RulesBody, Depends(Body(RulesBody))]
) -> ChannelView:
    """Set what leaves by a channel."""
    return await caller.ask(SetRules(channel_id=channel_id, rules=body.rules))


@routes.delete("/notifications/channels/{channel_id}")
async def remove_channel(caller: Session, channel_id: UUID) -> ChannelView:
    """Remove a channel; what waits for it is withdrawn."""
    return await caller.ask(RemoveChannel(channel_id=channel_id))


@routes.post("/notifications/channels/rotate-keys")
async def rotate_channel_keys(caller: Admin) -> ChannelKeysView:
    """Wrap the secrets of channels by the newest key of the installation. Operator only."""
    return await caller.ask(RotateChannelKeys())


@routes.get("/notifications/schedule")
async def get_schedule(caller: Reader) -> ScheduleView:
    """Fetch when one is left alone."""
    return await caller.ask(GetSchedule())


@routes.put("/notifications/schedule")
async def set_schedule(caller: Session, body: Annotated[ScheduleBody, Depends(Body(ScheduleBody))]) -> ScheduleView:
    """Set when one is left alone by channels; what is critical passes."""
    command = SetSchedule(
        time_zone=body.time_zone,
        quiet_from=body.quiet_from,
        quiet_to=body.quiet_to,
        muted_until=body.muted_until,
    )
    return await caller.ask(command)


@routes.get("/notifications/sendings")
async def list_sendings(
    caller: Reader,
    limit: PageLimit = 50,
    channel_id: UUID | None = None,
    state: str = "",
    before: UUID | None = None,
) -> SendingsView:
    """List what was and is to be sent, newest first."""
    return await caller.ask(ListSendings(limit=limit, channel_id=channel_id, state=state, before=before))
