"""Writers of a service that is moved or brought back: they keep a ledger of what they were told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol

from alphintra.infrastructure.postgres import Queries
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from uuid import UUID

    from alphintra.infrastructure.postgres import Database

__all__ = ["WRITES", "Ledger", "Opens", "all_written", "lost", "written"]

WRITES: Final = Queries(
    {
        "event.add": "insert into event_log (event_id, subject, aggregate_id, payload, occurred_at) "
        "values ($1, 'written', $1, 'meanwhile', now())",
        "event.known": "select event_id, seq from event_log where subject = 'written'",
    }
)
"""What they write, and how it is found again."""


class Opens(Protocol):
    """Whoever opens a service's database as its process does, wherever it is."""

    async def open(self, service: str, queries: Queries) -> Database:
        """Open it through its gate, and follow it."""
        ...


@dataclass(slots=True)
class Ledger:
    """What writers were told, and for how long one waited at most since that was last set to nothing."""

    acknowledged: set[UUID] = field(default_factory=set)
    refused: int = 0
    longest_ms: float = 0.0


@asynccontextmanager
async def written(
    opens: Opens, service: str, *, writers: int, rest_s: float, ledger: Ledger | None = None
) -> AsyncIterator[Ledger]:
    """Have a service written to all the while by as many writers, each resting after a write; a ledger goes on."""
    ledger = Ledger() if ledger is None else ledger
    is_over = asyncio.Event()
    database = await opens.open(service, WRITES)
    tasks = [asyncio.create_task(_write(database, ledger, is_over, rest_s)) for _ in range(writers)]
    try:
        yield ledger
    finally:
        is_over.set()
        await asyncio.gather(*tasks)
        await database.close()


@asynccontextmanager
async def all_written(opens: Opens, services: Sequence[str], *, rest_s: float) -> AsyncIterator[dict[str, Ledger]]:
    """Have each of the services written to by a writer of its own."""
    ledgers = {service: Ledger() for service in services}
    databases: list[Database] = []
    is_over = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []
    try:
        for service, ledger in ledgers.items():
            databases.append(await opens.open(service, WRITES))
            tasks.append(asyncio.create_task(_write(databases[-1], ledger, is_over, rest_s)))
        yield ledgers
    finally:
        is_over.set()
        await asyncio.gather(*tasks)
        for database in databases:
            await database.close()


async def lost(opens: Opens, service: str, ledger: Ledger) -> int:
    """Count what a service acknowledged and does not have, what it has twice, and numbers it gave twice."""
    database = await opens.open(service, WRITES)
    try:
        async with database.session() as session:
            rows = await session.rows("event.known")
    finally:
        await database.close()
    held = {row["event_id"] for row in rows}
    numbers = {row["seq"] for row in rows}
    return len(ledger.acknowledged - held) + len(rows) - len(held) + len(rows) - len(numbers)


async def _write(database: Database, ledger: Ledger, is_over: asyncio.Event, rest_s: float) -> None:
    ids = SystemIds()
    while not is_over.is_set():
        event, began = ids.new(), perf_counter()
        try:
            async with database.transaction() as session:
                await session.execute("event.add", event)
        except AlphintraError:
            ledger.refused += 1
        else:
            ledger.acknowledged.add(event)
        ledger.longest_ms = max(ledger.longest_ms, (perf_counter() - began) * 1000)
        await asyncio.sleep(rest_s)
