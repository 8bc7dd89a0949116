"""The standard report: every order with its risk assessment, its strategy, what its owner was told, its position.

Read in every layout the same way: each database that holds a part is read by its own reporting role, in one read-only
snapshot of that database, and the parts meet in this process, page by page. Trading's snapshot is taken first, so that
what led to an order is never missing; databases have no common instant, and none is claimed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from alphintra.dataplane.reporting.statements import parts_of
from alphintra.dataplane.reporting_grants import reported, reporter_role
from alphintra.dataplane.server import role_connection
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    import asyncpg
    from asyncpg.cursor import Cursor

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["OrderLine", "OrderQuery", "line_of", "read_orders"]

_PAGE_ROWS: Final = 5_000
_DENIED: Final = frozenset({"denied"})
_CLOSED: Final = frozenset({"canceled", "expired", "rejected"})
_NO_ASSESSMENT: Final = (None, None, None, (), None, None)
_NO_STRATEGY: Final = (None, None, None, None)
_NOTHING_TOLD: Final = (0, 0, None, None, None)

_codes = msgspec.json.Decoder(list[dict[str, Any]]).decode


class OrderQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders a report is about: created in [since, until), of one account or all, the newest ``limit`` or all."""

    since: datetime | None = None
    until: datetime | None = None
    account_id: UUID | None = None
    limit: int | None = None


class OrderLine(msgspec.Struct, frozen=True):
    """One order in the report; what a service has nothing on is None, an empty tuple or 0.

    ``position_qty`` and ``position_cost`` are of the order's book and symbol as they stand now; the assessment is the
    last one; ``notifications`` counts the messages to the owner about the order and its fills, the newest described.
    """

    order_id: UUID
    client_order_id: str
    account_id: UUID
    account: str
    mode: str
    currency: str
    symbol: str
    side: str
    type: str
    qty: Decimal
    limit_price: Decimal | None
    status: str
    filled_qty: Decimal
    filled_amount: Decimal
    reason_code: str
    created_at: datetime
    updated_at: datetime
    position_qty: Decimal | None
    position_cost: Decimal | None
    fills: int
    decision_id: UUID | None
    attempt: int | None
    approved: bool | None
    findings: tuple[str, ...]
    limit_version: int | None
    decided_at: datetime | None
    deployment_id: UUID | None
    deployment_status: str | None
    workflow: str | None
    workflow_version: int | None
    notifications: int
    unread: int
    notified_kind: str | None
    notified_severity: str | None
    notified_at: datetime | None


_ORDER_FIELDS: Final = OrderLine.__struct_fields__.index("fills")
_FINDINGS: Final = OrderLine.__struct_fields__.index("findings")


def line_of(row: Sequence[Any]) -> OrderLine:
    """Return the line of a row whose columns stand in the order of `OrderLine`, the findings as JSON text."""
    values = list(row)
    values[_FINDINGS] = _finding_codes(values[_FINDINGS])
    return OrderLine(*values)


async def read_orders(
    servers: Iterable[Server], *, layout: Iterable[Placement], passwords: Passwords, query: OrderQuery
) -> AsyncIterator[tuple[OrderLine, ...]]:
    """Yield the report in pages, newest orders first.

    Raises REPORTING_OFF where reporting is not enabled, REPORT_LIMIT for a limit below 1, TOPOLOGY_CONNECT.
    """
    placed = reported(layout)
    if not all(placement.is_reported for placement in placed):
        message = "cross-service reporting is off: turn it on with `alphintra db reporting enable`"
        raise AlphintraError("REPORTING_OFF", message, kind=Kind.FORBIDDEN)
    if query.limit is not None and query.limit < 1:
        raise AlphintraError("REPORT_LIMIT", f"a report of {query.limit} orders: ask for at least 1", pointer="limit")
    by_name = {server.instance: server for server in servers}
    async with AsyncExitStack() as stack:
        sources: dict[tuple[str, str], _Source] = {}
        by_service: dict[str, _Source] = {}
        # Trading's snapshot first: whatever is known elsewhere about its orders is then at least as new.
        for placement in sorted(placed, key=lambda item: item.service != "trading"):
            where = (placement.instance, placement.database)
            if where not in sources:
                role = reporter_role(placement)
                connection = await stack.enter_async_context(
                    role_connection(
                        by_name[placement.instance], role=role, password=passwords(role), database=placement.database
                    )
                )
                await stack.enter_async_context(connection.transaction(isolation="repeatable_read", readonly=True))
                await connection.execute("select")  # the snapshot is taken by the first statement
                sources[where] = _Source(connection)
            by_service[placement.service] = sources[where]
        report = _OrderReport(by_service, {placement.service: placement for placement in placed})
        async for page in report.pages(query):
            yield page


class _Source:
    """One database's snapshot; statements of several services in it wait for one another."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()

    async def rows(self, sql: str, *values: object) -> list[asyncpg.Record]:
        async with self._turn:
            found: list[asyncpg.Record] = await self._connection.fetch(sql, *values)
            return found

    async def cursor(self, sql: str, *values: object) -> Cursor:
        async with self._turn:
            return await self._connection.cursor(sql, *values)

    async def next_rows(self, cursor: Cursor, count: int) -> list[asyncpg.Record]:
        async with self._turn:
            found: list[asyncpg.Record] = await cursor.fetch(count)
            return found


class _OrderReport:
    """One run of the report."""

    def __init__(self, sources: Mapping[str, _Source], placements: Mapping[str, Placement]) -> None:
        self._sources = sources
        self._sql = parts_of(placements)
        self._strategies: dict[UUID, tuple[Any, ...]] = {}

    async def pages(self, query: OrderQuery) -> AsyncIterator[tuple[OrderLine, ...]]:
        trading = self._sources["trading"]
        cursor = await trading.cursor(self._sql.orders, query.since, query.until, query.account_id, query.limit)
        orders = await trading.next_rows(cursor, _PAGE_ROWS)
        while orders:
            # The next page is read while this one's other parts are.
            page, orders = await asyncio.gather(self._page(orders), trading.next_rows(cursor, _PAGE_ROWS))
            yield page

    async def _page(self, orders: Sequence[asyncpg.Record]) -> tuple[OrderLine, ...]:
        ids = [row["order_id"] for row in orders]
        assessments, fills, _ = await asyncio.gather(
            self._sources["risk"].rows(self._sql.assessments, ids),
            self._fills([row["order_id"] for row in orders if row["filled_qty"]]),
            self._learn_strategies({row["book_id"] for row in orders} - {None} - self._strategies.keys()),
        )
        told = await self._told(orders, fills)
        assessed = {row[0]: (*row[1:4], _finding_codes(row[4]), *row[5:]) for row in assessments}
        lines = []
        for row in orders:
            values: tuple[Any, ...] = (
                *row[:_ORDER_FIELDS],
                len(fills.get(row["order_id"], ())),
                *assessed.get(row["order_id"], _NO_ASSESSMENT),
                *self._strategies.get(row["book_id"], _NO_STRATEGY),
                *told.get(row["order_id"], _NOTHING_TOLD),
            )
            lines.append(OrderLine(*values))
        return tuple(lines)

    async def _fills(self, ids: list[UUID]) -> dict[UUID, list[str]]:
        found: defaultdict[UUID, list[str]] = defaultdict(list)
        for order_id, execution_id in await self._sources["trading"].rows(self._sql.fills, ids) if ids else ():
            found[order_id].append(execution_id)
        return found

    async def _learn_strategies(self, books: set[UUID]) -> None:
        if not books:
            return
        deployments = await self._sources["strategy"].rows(self._sql.deployments, list(books))
        versions = await self._sources["nocode"].rows(
            self._sql.workflows, list({row["version_id"] for row in deployments})
        )
        named = {row["version_id"]: (row["name"], row["version"]) for row in versions}
        self._strategies |= {
            row["deployment_id"]: (row["deployment_id"], row["status"], *named.get(row["version_id"], (None, None)))
            for row in deployments
        }

    async def _told(
        self, orders: Sequence[asyncpg.Record], fills: Mapping[UUID, Sequence[str]]
    ) -> dict[UUID, tuple[Any, ...]]:
        """Return count, unread, and kind, severity and time of the newest message, by order that has one."""
        wanted = [(row["order_id"], row["owner_id"], key) for row in orders for key in _keys(row, fills)]
        if not wanted:
            return {}
        ids, owners, keys = (list(column) for column in zip(*wanted, strict=True))
        rows = await self._sources["notification"].rows(self._sql.messages, ids, owners, keys)
        return {row[0]: tuple(row[1:]) for row in rows}


def _keys(row: asyncpg.Record, fills: Mapping[UUID, Sequence[str]]) -> list[str]:
    """Return the names under which notification keeps what it may have told about an order, each told once."""
    keys = [f"fill_booked:{row['account_id']}:{execution_id}" for execution_id in fills.get(row["order_id"], ())]
    if row["status"] in _DENIED:
        keys.append(f"order_denied:{row['order_id']}")
    elif row["status"] in _CLOSED:
        keys.append(f"order_closed:{row['order_id']}")
    return keys


def _finding_codes(text: str | None) -> tuple[str, ...]:
    return tuple(finding["code"] for finding in _codes(text)) if text not in {None, "[]"} else ()
