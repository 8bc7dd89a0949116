"""The wired service: events of others over JetStream become messages the edge can list over NATS."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from alphintra.contracts.auth import UserRegistered
from alphintra.contracts.notification import ListMessages, MarkRead
from alphintra.contracts.strategy import FeedFinished
from alphintra.infrastructure.events import encode_event
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.messages import subject_of
from alphintra.notification.app import wire
from fixtures.services import person_context
from fixtures.single_service import NOON, acting

if TYPE_CHECKING:
    from alphintra.kernel.messages import Event
    from fixtures.nats import NatsServer
    from fixtures.services import StartService

DEADLINE_S = 120


async def test_an_event_of_another_service_arrives_in_the_inbox_and_is_marked_read(
    start_service: StartService, nats_server: NatsServer
) -> None:
    notification = await start_service("notification", wire)
    ids = SystemIds()
    user_id, feed_id = ids.new(), ids.new()
    context = person_context("trader", user_id=user_id)
    registered = UserRegistered(user_id=user_id, email="ada@example.org", role="trader")
    await publish(nats_server, "auth", registered)
    await publish(nats_server, "strategy", FeedFinished(feed_id=feed_id, owner_id=user_id, status="finished", error=""))
    async with asyncio.timeout(DEADLINE_S):
        view = await notification.ask(ListMessages(), context)
        while not view.messages:
            await asyncio.sleep(0.05)
            view = await notification.ask(ListMessages(), context)
        statement = "select 1 from recipients where user_id = $1"
        while not await notification.query(statement, user_id):  # noqa: ASYNC110 - another process tells us nothing
            await asyncio.sleep(0.05)
    (message,) = view.messages
    assert (message.subject, view.unread) == (f"feed:{feed_id}", 1)
    read = await notification.ask(MarkRead(message_id=message.message_id), context)
    assert read.read_at is not None
    assert (await notification.ask(ListMessages(unread_only=True), context)).messages == ()


async def publish(nats_server: NatsServer, producer: str, event: Event) -> None:
    """Publish an event as its producer's relay does."""
    login = nats_server.login(producer)
    link = await connect_nats(NatsCredentials(url=login.url, user=login.user, seed=login.seed))
    ids = SystemIds()
    try:
        payload = encode_event(event, event_id=ids.new(), aggregate_id=ids.new(), context=acting(None), at=NOON)
        await link.jetstream().publish(subject_of(type(event)), payload.encode())
    finally:
        await link.close()
