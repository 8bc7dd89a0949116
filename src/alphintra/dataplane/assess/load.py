"""The same work in every layout: services' own statements, run with their own credentials."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg

from alphintra.dataplane.quoting import qualified
from alphintra.infrastructure.system import SystemIds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from alphintra.dataplane.assess.bench import Bench
    from alphintra.dataplane.layouts import Placement
    from alphintra.infrastructure.postgres import Database

__all__ = ["AT", "heavy_strategy", "known_id", "same_load", "submit_orders"]

AT: Final = datetime(2025, 6, 2, 12, 0, tzinfo=UTC)
_TIMEOUT_S: Final = 30.0
_IDS: Final = SystemIds()


def known_id(kind: str, number: int = 1) -> UUID:
    """Return the id that ``rows`` gave to a thing."""
    from hashlib import md5  # noqa: PLC0415 - one use

    return UUID(md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest())


async def submit_orders(database: Database, *, count: int) -> list[float]:
    """Store orders one after another as trading does, each with event and audit row; return each one's seconds."""
    spent: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        async with database.transaction() as session:
            await session.execute("orders.accept_batch", *_order())
        spent.append(time.perf_counter() - began)
    return spent


async def same_load(bench: Bench, *, rounds: int) -> tuple[dict[str, Database], float]:
    """Let all eight services work at once; return their databases, sessions still open, and the seconds it took.

    A round of a service is an event with its audit row, published; trading also stores an order.
    """
    databases = {placement.service: await bench.open(placement) for placement in bench.layout}
    began = time.perf_counter()
    await asyncio.gather(*(_rounds(databases[p.service], p, rounds=rounds) for p in bench.layout))
    return databases, time.perf_counter() - began


async def _rounds(database: Database, placement: Placement, *, rounds: int) -> None:
    service = placement.service
    for _ in range(rounds):
        event = _IDS.new()
        async with database.transaction() as session:
            await session.execute("events.append", event, f"{service}.evt.assessed", known_id("order"), "x" * 200, AT)
            await session.execute(
                "audit.append", _IDS.new(), f"service:{service}", "assess", "order:1", "x" * 80, "trace", AT
            )
        async with database.transaction() as session:
            await session.rows("events.claim", 16)
        if service == "trading":
            await submit_orders(database, count=1)


@asynccontextmanager
async def heavy_strategy(bench: Bench, *, sessions: int) -> AsyncIterator[None]:
    """Keep strategy's sessions busy: half of them scan its decisions, half write results of backtests.

    The work is done inside the server, so that this process, which measures, stays idle.
    """
    placement = bench.placed("strategy")
    connections = [await asyncpg.connect(bench.url(placement), timeout=_TIMEOUT_S) for _ in range(sessions)]
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(_busy(connection, placement, stop, is_writer=bool(index % 2)))
        for index, connection in enumerate(connections)
    ]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in connections:
            await connection.close(timeout=_TIMEOUT_S)


async def _busy(connection: asyncpg.Connection, placement: Placement, stop: asyncio.Event, *, is_writer: bool) -> None:
    decisions = qualified(*placement.location("decisions"))
    backtests = qualified(*placement.location("backtests"))
    datasets = qualified(*placement.location("datasets"))
    scan = (
        f"select outcome, count(*), sum(length(md5(node_values || m))), max(seq) from {decisions}, "  # noqa: S608 - quoted
        "generate_series(1, 12) as m group by outcome order by 2"
    )
    write = (
        f"insert into {backtests} (backtest_id, owner_id, version_id, dataset_id, symbol, graph, settings, status, "  # noqa: S608 - quoted
        "result, created_at) select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), d.dataset_id, 'AAPL', "
        "'{}', '{}', 'finished', (select string_agg(md5(random()::text), '') from generate_series(1, 8192)), now() "
        f"from {datasets} d"
    )
    while not stop.is_set():
        await connection.execute(write if is_writer else scan)


def _order() -> tuple[object, ...]:
    order, event, audit, client = (_IDS.new() for _ in range(4))
    account, owner = known_id("account"), known_id("person")
    nothing = [None]
    return (
        [order], [f"a-{client}"], [account], [owner], [known_id("deployment")], ["AAPL"], ["buy"], ["market"], ["day"],
        [Decimal(10)], *[nothing] * 6, [False], [False], nothing, ["simple"], ["entry"], nothing, nothing,
        ["pending_new"], [Decimal(0)], [""], [""], [known_id("decision")], AT, ["submitted"], ["{}"], [event],
        ["trading.evt.order_submitted"], [order], ["x" * 400], [audit], ["service:assess"], [f"order:{order}"],
        ["trace"], [""], nothing, nothing, nothing,
    )  # fmt: skip
