"""Times the cross-service report, and beside it the same report as one join where tables share a database (claim 2).

On a scratch installation: `fill_report` writes made-up orders straight into the services' tables, as its superuser.
"""

# ruff: noqa: S608 - statements are put together from constants and quoted names

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import TYPE_CHECKING, Final

import msgspec

from alphintra.dataplane.quoting import qualified
from alphintra.dataplane.reporting.orders import OrderQuery, line_of, read_orders
from alphintra.dataplane.reporting.statements import joined_sql
from alphintra.dataplane.reporting_grants import reported, reporter_role
from alphintra.dataplane.server import admin_connection, role_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["ReportTiming", "fill_report", "time_report"]

_NEWEST: Final = 50
_SECOND_NS: Final = 1_000_000_000
_BATCH: Final = 2_000
_LONG_S: Final = 3_600.0

# Made up out of a number, the same in every layout: order i has account i % 100, every third no strategy, and ends
# filled (8 of 10), canceled or denied; every twentieth was assessed twice; each was told to the owner once.
_AT: Final = "timestamptz '2026-01-01 00:00Z' + i * interval '1 second'"
_STATUS: Final = "case i % 10 when 8 then 'canceled' when 9 then 'denied' else 'filled' end"
_ORDER: Final = "md5('order' || i)::uuid"
_ACCOUNT: Final = "md5('account' || i % 100)::uuid"
_OWNER: Final = "md5('owner' || i % 100)::uuid"
_BOOK: Final = "case when i % 3 > 0 then md5('deployment' || i % 200)::uuid end"
_SYMBOL: Final = "'S' || i % 50"
_FILLS: Final[dict[str, dict[str, str]]] = {
    "trading": {
        "accounts": """
            (account_id, owner_id, name, mode, currency, starting_cash, cash, created_at)
            select md5('account' || i)::uuid, md5('owner' || i)::uuid, 'account ' || i, 'paper', 'USD', 1e6, 1e6,
                timestamptz '2026-01-01 00:00Z'
            from generate_series(0, 99) as i
        """,
        "orders": f"""
            (order_id, client_order_id, account_id, owner_id, book_id, symbol, side, type, time_in_force, qty, status,
                filled_qty, filled_amount, reason_code, version, created_at, updated_at)
            select {_ORDER}, 'order-' || i, {_ACCOUNT}, {_OWNER}, {_BOOK}, {_SYMBOL},
                case i % 2 when 0 then 'buy' else 'sell' end, 'market', 'day', 1 + i % 100, {_STATUS},
                case when i % 10 < 8 then 1 + i % 100 else 0 end, case when i % 10 < 8 then (1 + i % 100) * 50 else 0
                end, case i % 10 when 9 then 'RISK_QTY_MAX' else '' end, 3, {_AT}, {_AT} + interval '10 ms'
            from generate_series($1::bigint, $2::bigint) as i
        """,
        "executions": f"""
            (account_id, execution_id, order_id, book_id, symbol, side, qty, price, fee, realized_pnl, executed_at,
                booked_at, transaction_id)
            select {_ACCOUNT}, 'execution-' || i, {_ORDER}, {_BOOK}, {_SYMBOL},
                case i % 2 when 0 then 'buy' else 'sell' end, 1 + i % 100, 50, 0.5, 0, {_AT}, {_AT}, {_ORDER}
            from generate_series($1::bigint, $2::bigint) as i where i % 10 < 8
        """,
        "positions": f"""
            (account_id, book_id, symbol, qty, cost, realized_pnl, fees, updated_at)
            select distinct on (1, 2, 3) {_ACCOUNT},
                coalesce({_BOOK}, '00000000-0000-0000-0000-000000000000'::uuid), {_SYMBOL}, i % 7, 350, 0, 0.5, {_AT}
            from generate_series(0, 2999) as i order by 1, 2, 3, i
        """,
    },
    "risk": {
        "assessments": f"""
            (decision_id, order_id, attempt, account_id, approved, findings, limit_version, kill_epoch, leaf, inputs,
                decided_at)
            select md5('decision' || i || '.' || a)::uuid, {_ORDER}, a, {_ACCOUNT}, i % 10 <> 9,
                case i % 10 when 9 then '[{{"code": "RISK_QTY_MAX"}}]' else '[]' end::jsonb, 1, 0, '', '{{}}', {_AT}
            from generate_series($1::bigint, $2::bigint) as i
            cross join lateral generate_series(1, case i % 20 when 7 then 2 else 1 end) as a
        """,
    },
    "strategy": {
        "deployments": """
            (deployment_id, owner_id, version_id, graph_hash, graph, account_id, feed_id, symbol, capital, status,
                last_seq, executor_state, cash, created_at)
            select md5('deployment' || i)::uuid, md5('owner' || i % 100)::uuid, md5('version' || i)::uuid, '', '{}',
                md5('account' || i % 100)::uuid, md5('feed')::uuid, 'S' || i % 50, 1000,
                case when i % 4 = 0 then 'stopped' else 'active' end, 0, '{}', 1000, timestamptz '2026-01-01 00:00Z'
            from generate_series(0, 199) as i
        """,
    },
    "nocode": {
        "workflows": """
            (workflow_id, owner_id, name, version, layout, created_at, updated_at)
            select md5('workflow' || i)::uuid, md5('owner' || i % 100)::uuid, 'workflow ' || i, 1, '{}',
                timestamptz '2026-01-01 00:00Z', timestamptz '2026-01-01 00:00Z'
            from generate_series(0, 189) as i
        """,
        "workflow_versions": """
            (version_id, workflow_id, version, graph, graph_hash, warmup_bars, created_at)
            select md5('version' || i)::uuid, md5('workflow' || i)::uuid, 1, '{}', repeat('0', 64), 0,
                timestamptz '2026-01-01 00:00Z'
            from generate_series(0, 189) as i
        """,
    },
    "notification": {
        "messages": f"""
            (message_id, user_id, dedupe_key, kind, severity, title, body, subject, created_at, read_at)
            select md5('message' || i)::uuid, {_OWNER}, case i % 10
                    when 8 then 'order_closed:' || {_ORDER} when 9 then 'order_denied:' || {_ORDER}
                    else 'fill_booked:' || {_ACCOUNT} || ':execution-' || i end,
                case i % 10 when 8 then 'order_canceled' when 9 then 'order_denied' else 'fill_booked' end, 'info',
                'title ' || i, 'body', 'order:' || {_ORDER}, {_AT} + interval '1 second',
                case when i % 4 = 0 then {_AT} + interval '1 hour' end
            from generate_series($1::bigint, $2::bigint) as i
        """,
    },
}


class ReportTiming(msgspec.Struct, frozen=True, kw_only=True):
    """How long the report took, each the median of its rounds, in seconds.

    Attributes:
        orders: in the whole report.
        rounds: of each measurement.
        databases: that hold parts of it.
        newest_s: the newest 50 orders through the reporting path, logins included.
        whole_s: all orders through the path.
        joined_newest_s: the newest 50 as one join within one database; None where the parts do not share one.
        joined_whole_s: all as one join.
        spread: highest over lowest, by measurement.
        is_equal: whether both ways gave the same rows in the same order; None where there is only one way.
    """

    orders: int
    rounds: int
    databases: int
    newest_s: float
    whole_s: float
    joined_newest_s: float | None
    joined_whole_s: float | None
    spread: dict[str, float]
    is_equal: bool | None


async def fill_report(servers: Sequence[Server], *, layout: Sequence[Placement], orders: int) -> None:
    """Write so many made-up orders, and what belongs to them, into the empty tables of a scratch installation.

    The rows depend on the number alone. Needs a superuser: foreign keys and triggers are passed over.
    """

    async def fill(placement: Placement) -> None:
        server = next(item for item in servers if item.instance == placement.instance)
        async with admin_connection(server, database=placement.database) as connection:
            await connection.execute("set session_replication_role = replica; set synchronous_commit = off")
            for table, text in _FILLS[placement.service].items():
                place = qualified(*placement.location(table))
                values = (0, orders - 1) if "$1" in text else ()
                await connection.execute(f"insert into {place} {text}", *values, timeout=_LONG_S)
                await connection.execute(f"analyze {place}", timeout=_LONG_S)

    await asyncio.gather(*(fill(placement) for placement in reported(layout)))


async def time_report(
    servers: Sequence[Server],
    *,
    layout: Sequence[Placement],
    passwords: Passwords,
    rounds: int = 5,
    progress: Callable[[float], None] = lambda _share: None,
) -> ReportTiming:
    """Time the report over all orders there are, through the path, and as one join where that is possible.

    Raises REPORTING_OFF, TOPOLOGY_CONNECT.
    """
    times: dict[str, list[int]] = {}
    digests: dict[str, set[str]] = {}
    orders = 0
    placed = reported(layout)
    is_shared = len({(item.instance, item.database) for item in placed}) == 1
    limits = {"newest": _NEWEST, "whole": None}

    async def path(limit: int | None) -> tuple[int, str]:
        digest, count = hashlib.sha256(), 0
        query = OrderQuery(limit=limit)
        async for page in read_orders(servers, layout=layout, passwords=passwords, query=query):
            count += len(page)
            for line in page:
                digest.update(msgspec.msgpack.encode(line))
        return count, digest.hexdigest()

    async def joined(limit: int | None) -> tuple[int, str]:
        return await _run_joined(servers, placed, passwords=passwords, limit=limit)

    ways = {"path": path} | ({"joined": joined} if is_shared else {})
    for round_number in range(rounds):
        for name, limit in limits.items():
            for way, run in ways.items():
                began = time.perf_counter_ns()
                count, digest = await run(limit)
                times.setdefault(f"{way}_{name}", []).append(time.perf_counter_ns() - began)
                digests.setdefault(name, set()).add(digest)
                orders = max(orders, count)
        progress((round_number + 1) / rounds)
    medians = {name: sorted(each)[len(each) // 2] / _SECOND_NS for name, each in times.items()}
    return ReportTiming(
        orders=orders,
        rounds=rounds,
        databases=len({(item.instance, item.database) for item in placed}),
        newest_s=medians["path_newest"],
        whole_s=medians["path_whole"],
        joined_newest_s=medians.get("joined_newest"),
        joined_whole_s=medians.get("joined_whole"),
        spread={name: max(each) / min(each) for name, each in times.items()},
        is_equal=all(len(each) == 1 for each in digests.values()) if is_shared else None,
    )


async def _run_joined(
    servers: Sequence[Server], placed: Sequence[Placement], *, passwords: Passwords, limit: int | None
) -> tuple[int, str]:
    """Run the whole report as one statement, as the reporting role of the one database."""
    role = reporter_role(placed[0])
    server = next(item for item in servers if item.instance == placed[0].instance)
    digest, count = hashlib.sha256(), 0
    sql = joined_sql({placement.service: placement for placement in placed})
    settings = {"statement_timeout": "0"}
    async with (
        role_connection(
            server, role=role, password=passwords(role), database=placed[0].database, settings=settings
        ) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        cursor = await connection.cursor(sql, None, None, None, limit, timeout=_LONG_S)
        while rows := await cursor.fetch(_BATCH, timeout=_LONG_S):
            count += len(rows)
            for row in rows:
                digest.update(msgspec.msgpack.encode(line_of(row)))
    return count, digest.hexdigest()
