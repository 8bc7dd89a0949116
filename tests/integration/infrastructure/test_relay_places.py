"""Places in the NATS client: none is lost to messages that were never answered; nothing unpublishable is queued."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from alphintra.contracts.user import PreferencesChanged
from alphintra.dataplane.streams import bus_connection, ensure_streams
from alphintra.infrastructure import events
from alphintra.infrastructure.events import OutboxRelay, append_event
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from fixtures.single_service import NOON, acting, opened

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Database
    from fixtures.nats import NatsServer
    from fixtures.postgres import ServiceDatabase

IDS = SystemIds()
COUNT = 40
CloneDatabase = Callable[[str], Awaitable["ServiceDatabase"]]


async def test_a_server_that_does_not_answer_costs_the_relay_no_place(
    private_nats: Callable[..., NatsServer], service_database: CloneDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = private_nats()
    async with _relay(server, await service_database("user")) as (relay, database):
        await _queue(database)
        monkeypatch.setattr(events, "PUBLISH_WAIT_S", 0.2)
        server.process.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(os.waitpid, server.process.pid, os.WUNTRACED)  # until then it may still answer
        try:
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await relay._publish_batch()
                assert relay._stream.publish_async_pending() == 0
        finally:
            server.process.send_signal(signal.SIGCONT)
        monkeypatch.setattr(events, "PUBLISH_WAIT_S", 20.0)
        assert await relay._publish_batch() == COUNT
        assert await relay._publish_batch() == 0


async def test_a_relay_without_a_server_leaves_its_events_queued_and_its_client_empty(
    private_nats: Callable[..., NatsServer], service_database: CloneDatabase
) -> None:
    async with _relay(private_nats(), await service_database("user")) as (relay, database):
        await _queue(database)
        await relay._nats.close()
        with pytest.raises(AlphintraError, match="BUS_UNAVAILABLE"):
            await relay._publish_batch()
        assert relay._stream.publish_async_pending() == 0
        assert await _waiting(database) == COUNT


async def test_an_event_too_large_to_publish_fails_with_its_change(
    service_database: CloneDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "EVENT_BYTES_MAX", 100)
    async with opened(await service_database("user")) as database:
        with pytest.raises(AlphintraError, match="EVENT_TOO_LARGE"):
            await _queue(database)
        assert await _waiting(database) == 0


@asynccontextmanager
async def _relay(server: NatsServer, stored: ServiceDatabase) -> AsyncIterator[tuple[OutboxRelay, Database]]:
    await ensure_streams(server.login("deployer"))
    async with opened(stored) as database, bus_connection(server.login("user")) as nats:
        yield OutboxRelay(service="user", database=database, nats=nats), database


async def _queue(database: Database) -> None:
    async with database.transaction() as session:
        for _ in range(COUNT):
            user_id = IDS.new()
            event = PreferencesChanged(user_id=user_id, version=1)
            await append_event(session, event, ids=IDS, aggregate_id=user_id, context=acting(user_id), at=NOON)


async def _waiting(database: Database) -> int:
    async with database.session() as session:
        waiting: int = await session.value("events.pending")
        return waiting
