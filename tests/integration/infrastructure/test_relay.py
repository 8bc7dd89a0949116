"""The outbox: what is committed is published exactly once, through rollbacks, crashes and restarts of either server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from alphintra.contracts.trading import CancelRequested
from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.provision import provision
from alphintra.infrastructure import events
from alphintra.infrastructure.events import append_events
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from fixtures import postgres
from fixtures.postgres import ServiceDatabase
from fixtures.single_service import NOON, PowerCutError, opened, stop_at
from integration.infrastructure.streams import (
    CONTEXT,
    OwnBus,
    is_drained,
    own_bus,
    relaying,
    until,
    write_event,
)

if TYPE_CHECKING:
    from alphintra.dataplane.server import Server
    from alphintra.infrastructure.postgres import Database
    from fixtures.nats import NatsServer


class RolledBackError(RuntimeError):
    """A business failure."""


@pytest_asyncio.fixture
async def bus(private_nats: Callable[..., NatsServer]) -> AsyncIterator[OwnBus]:
    async with own_bus(private_nats) as made:
        yield made


@pytest_asyncio.fixture
async def database(service_database: Callable[[str], Awaitable[ServiceDatabase]]) -> AsyncIterator[Database]:
    async with opened(await service_database("trading"), connections_max=14) as made:
        yield made


async def write_much(database: Database, writer: int, *, transactions: int) -> tuple[set[UUID], set[UUID]]:
    """Write transactions of one to three events, every third rolled back; return what was committed, and what may be.

    An unknown outcome of a commit counts as what may be.
    """
    chance = random.Random(writer)  # noqa: S311 - the same in every run
    committed: set[UUID] = set()
    perhaps: set[UUID] = set()
    for _ in range(transactions):
        written: set[UUID] = set()
        try:
            async with database.transaction() as tx:
                for _ in range(chance.randint(1, 3)):
                    written.add(await write_event(tx))
                    for _ in range(chance.randint(0, 5)):
                        await asyncio.sleep(0)
                if chance.random() < 0.33:
                    raise RolledBackError  # noqa: TRY301 - through the end of the transaction
            committed |= written
        except RolledBackError:
            continue
        except AlphintraError:
            perhaps |= written
            await asyncio.sleep(0.05)
    return committed, perhaps


async def test_twelve_writers_with_rollbacks_publish_what_they_committed_exactly_once(
    bus: OwnBus, database: Database
) -> None:
    async with relaying(bus, database):
        outcomes = await asyncio.gather(*(write_much(database, writer, transactions=25) for writer in range(12)))
        await until(lambda: is_drained(database))
    committed = set().union(*(done for done, _perhaps in outcomes))
    published = await bus.published()
    assert len(committed) > 300
    assert (sorted(published), [perhaps for _done, perhaps in outcomes]) == (sorted(committed), [set()] * 12)


async def test_events_of_one_writer_are_published_in_their_order(bus: OwnBus, database: Database) -> None:
    numbers = [UUID(int=n) for n in range(300)]
    async with database.transaction() as tx:
        await write_event(tx, order_id=UUID(int=999))
        batch = [(number, CancelRequested(order_id=number, account_id=number)) for number in numbers]
        await append_events(tx, batch, ids=SystemIds(), context=CONTEXT, at=NOON)
        await append_events(tx, (), ids=SystemIds(), context=CONTEXT, at=NOON)
    async with relaying(bus, database):
        await until(lambda: is_drained(database))
    async with database.session() as session:
        assert dict(await session.row("events.pending") or {}) == {"waiting": 0, "oldest": None}
    assert await bus.published("aggregate_id") == [UUID(int=999), *numbers]


async def test_neighbours_of_one_subject_share_a_letter_up_to_a_number_and_a_size(
    bus: OwnBus, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LETTER_EVENTS", 4)
    async with database.transaction() as tx:
        written = [await write_event(tx) for _ in range(10)]
    async with relaying(bus, database):
        await until(lambda: is_drained(database))
    monkeypatch.setattr(events, "LETTER_BYTES", 1)
    async with database.transaction() as tx:
        written += [await write_event(tx) for _ in range(2)]
    async with relaying(bus, database):
        await until(lambda: is_drained(database))
    assert await bus.published() == written
    assert await bus.letters() == 3 + 2


async def test_a_crash_between_publishing_and_forgetting_publishes_nothing_twice(
    bus: OwnBus, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.transaction() as tx:
        written = [await write_event(tx) for _ in range(10)]
    with monkeypatch.context() as armed:
        stop_at(armed, events, "relay.published")
        with pytest.raises(PowerCutError):
            await crash(bus, database)
    assert (await bus.published(), await is_drained(database)) == (written, False)
    async with relaying(bus, database):
        await until(lambda: is_drained(database))
    assert await bus.published() == written


async def crash(bus: OwnBus, database: Database) -> None:
    """Run a relay until it dies."""
    relay = events.OutboxRelay(service="trading", database=database, nats=await bus.link("trading"))
    async with asyncio.timeout(10):
        await relay.run()


async def test_two_relays_share_the_queue(bus: OwnBus, database: Database) -> None:
    async with relaying(bus, database), relaying(bus, database):
        outcomes = await asyncio.gather(*(write_much(database, writer, transactions=15) for writer in range(4)))
        await until(lambda: is_drained(database))
    committed = set().union(*(done for done, _perhaps in outcomes))
    assert sorted(await bus.published()) == sorted(committed)


async def test_a_commit_wakes_the_relay_before_its_idle_second_is_over(
    bus: OwnBus, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "RELAY_IDLE_S", 3600)
    async with relaying(bus, database):
        for _ in range(3):
            async with database.transaction() as tx:
                await write_event(tx)
            await until(lambda: is_drained(database))
    assert len(await bus.published()) == 3


async def test_what_is_committed_while_the_relay_publishes_does_not_wait_for_its_idle_second(
    bus: OwnBus, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "RELAY_IDLE_S", 3600)
    async with relaying(bus, database):
        outcomes = await asyncio.gather(*(write_much(database, writer, transactions=20) for writer in range(4)))
        await until(lambda: is_drained(database))
    committed = set().union(*(done for done, _perhaps in outcomes))
    assert sorted(await bus.published()) == sorted(committed)


async def test_a_lost_wake_costs_the_idle_wait_and_nothing_else(
    bus: OwnBus, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "RELAY_IDLE_S", 0.05)
    async with relaying(bus, database):
        database.wake_with(lambda: None)
        async with database.transaction() as tx:
            await write_event(tx)
        await until(lambda: is_drained(database))
    assert len(await bus.published()) == 1


async def test_a_bus_killed_in_the_middle_loses_and_doubles_nothing(bus: OwnBus, database: Database) -> None:
    async with relaying(bus, database):
        writing = asyncio.gather(*(write_much(database, writer, transactions=25) for writer in range(6)))
        await until(lambda: has_published(bus))
        bus.kill()
        outcomes = await writing
        bus.start_again()
        await until(lambda: is_drained(database))
    committed = set().union(*(done for done, _perhaps in outcomes))
    assert sorted(await bus.published()) == sorted(committed)


async def has_published(bus: OwnBus) -> bool:
    """Tell whether the stream holds anything."""
    return bool(await bus.published())


async def test_a_database_restarted_in_the_middle_loses_and_doubles_nothing(
    bus: OwnBus, private_postgres: Callable[..., Server]
) -> None:
    server = private_postgres()
    placement = Placement(service="trading", database="alphintra_trading")
    await provision(server, layout=(placement,), passwords=postgres.password_of)
    source = ServiceDatabase(server=server, placement=placement)
    directory = Path(server.admin_url.partition("host=")[2].partition("&")[0]).parent
    async with opened(source, connections_max=8) as database, relaying(bus, database):
        writing = asyncio.gather(*(write_much(database, writer, transactions=40) for writer in range(6)))
        await until(lambda: has_published(bus))
        restart = postgres._pg_ctl(directory, "restart", "-m", "immediate")
        await asyncio.to_thread(postgres._run, restart, cwd=directory)
        outcomes = await writing
        await until(lambda: is_drained(database))
        connection = await asyncpg.connect(source.admin_dsn)
        stored = {row[0] for row in await connection.fetch("select event_id from trading_schema.event_log")}
        await connection.close()
    committed = set().union(*(done for done, _perhaps in outcomes))
    perhaps = set().union(*(unknown for _done, unknown in outcomes))
    assert committed <= stored <= committed | perhaps
    assert sorted(await bus.published()) == sorted(stored)
    assert perhaps, "the restart came after the last transaction"
