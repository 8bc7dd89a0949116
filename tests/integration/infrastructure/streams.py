"""Events on a bus of the test's own: written as a service writes them, read off the stream as it holds them."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

import nats.js.errors

from alphintra.contracts.trading import CancelRequested
from alphintra.dataplane.bus_permissions import Rights
from alphintra.dataplane.streams import ensure_streams
from alphintra.infrastructure.events import OutboxRelay, append_event
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.messages import Actor, Context
from alphintra.runtime.programs import nats_program
from fixtures.nats import NatsServer
from fixtures.single_service import NOON

if TYPE_CHECKING:
    from nats.aio.client import Client

    from alphintra.infrastructure.postgres import Database, Session

DEADLINE_S = 120
CONTEXT = Context(trace_id="7" * 32, actor=Actor(id="user:1", user_id=UUID(int=1)))
# What the test itself needs to look into streams and consumers.
LOOKING = {"deployer": Rights(publish=("$JS.API.>",), subscribe=())}


def new_id() -> UUID:
    """Return a fresh id."""
    return SystemIds().new()


async def until(is_met: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(DEADLINE_S):
        while not await is_met():  # noqa: ASYNC110 - servers wake no one
            await asyncio.sleep(0.02)


async def write_event(session: Session, *, order_id: UUID | None = None) -> UUID:
    """Store an event of trading; returns its id."""
    order_id = order_id or new_id()
    event = CancelRequested(order_id=order_id, account_id=UUID(int=9))
    return await append_event(session, event, ids=SystemIds(), aggregate_id=order_id, context=CONTEXT, at=NOON)


@dataclass(slots=True)
class OwnBus:
    """A server with streams that a test may kill and start again."""

    server: NatsServer
    links: list[Client] = field(default_factory=list)
    again: subprocess.Popen[bytes] | None = None

    async def link(self, user: str) -> Client:
        """Connect under a user's own key."""
        login = self.server.login(user)
        self.links.append(await connect_nats(NatsCredentials(url=login.url, user=login.user, seed=login.seed)))
        return self.links[-1]

    async def published(self, named: str = "event_id", *, stream: str = "EVT_TRADING") -> list[UUID]:
        """Return the ids of the events a stream holds, or of their aggregates, in its order."""
        client = await self.link("deployer")
        manager = client.jsm()
        state = (await manager.stream_info(stream)).state
        found: list[UUID] = []
        for seq in range(max(state.first_seq, 1), state.last_seq + 1):
            with suppress(nats.js.errors.NotFoundError):
                message = await manager.get_msg(stream, seq=seq)
                held = json.loads(message.data or b"")
                found += [UUID(each[named]) for each in (held if isinstance(held, list) else [held])]
        await client.close()
        return found

    async def letters(self, stream: str = "EVT_TRADING") -> int:
        """Return how many messages a stream holds."""
        client = await self.link("deployer")
        count = (await client.jsm().stream_info(stream)).state.messages
        await client.close()
        return int(count)

    async def unacknowledged(self, consumer: str, stream: str = "EVT_TRADING") -> int:
        """Return how many events a consumer still owes an answer for, delivered or not."""
        client = await self.link("deployer")
        info = await client.jsm().consumer_info(stream, consumer)
        await client.close()
        return (info.num_ack_pending or 0) + (info.num_pending or 0)

    async def publish_raw(self, subject: str, body: bytes) -> None:
        """Publish what no relay would, as trading."""
        client = await self.link("trading")
        await client.jetstream().publish(subject, body)
        await client.close()

    def kill(self) -> None:
        """End the server as a power cut would."""
        process = self.again or self.server.process
        process.send_signal(signal.SIGKILL)
        process.wait()

    def start_again(self) -> None:
        """Start it on the same address and the same store."""
        command = [str(nats_program(None)), "--config", str(self.server.directory / "nats.conf")]
        with (self.server.directory / "server.log").open("ab") as log:
            self.again = subprocess.Popen(command, cwd=self.server.directory, stdout=log, stderr=log)  # noqa: S603 - ours

    async def close(self) -> None:
        """Leave and stop what was started again."""
        for client in self.links:
            await client.close()
        if self.again is not None:
            self.again.terminate()
            self.again.wait()


@asynccontextmanager
async def own_bus(private_nats: Callable[..., NatsServer]) -> AsyncIterator[OwnBus]:
    """Start a server with the streams of the platform."""
    bus = OwnBus(private_nats(grant=LOOKING))
    await ensure_streams(bus.server.login("deployer"))
    try:
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def relaying(bus: OwnBus, database: Database) -> AsyncIterator[OutboxRelay]:
    """Run trading's relay; what ends it comes out at the end of the block."""
    relay = OutboxRelay(service="trading", database=database, nats=await bus.link("trading"))
    database.wake_with(relay.wake)
    running = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def is_drained(database: Database) -> bool:
    """Tell whether nothing waits for publication; an unreachable database is not drained."""
    with suppress(Exception):
        async with database.session() as session:
            row = await session.row("events.pending")
            return row is not None and row["waiting"] == 0
    return False
