"""The queries that stand behind screens, the kill switch and repetitions stay on their indexes among many orders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from alphintra.infrastructure.postgres import Queries

if TYPE_CHECKING:
    from integration.trading.desk import Desk

ORDERS = 100_000
ACCOUNTS = 1000
A = "'00000000-0000-4000-8000-000000000001'"
FILL = """
insert into accounts (account_id, owner_id, name, mode, currency, starting_cash, cash, created_at)
select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, gen_random_uuid(), n::text, 'paper', 'USD', 1, 1,
    now() from generate_series(0, $2::int - 1) as n
"""
MANY = """
insert into orders (order_id, client_order_id, account_id, owner_id, symbol, side, type, time_in_force, qty, status,
    version, created_at, updated_at)
select gen_random_uuid(), 'n-' || n, ('00000000-0000-4000-8000-' || lpad((n % $2::int)::text, 12, '0'))::uuid,
    gen_random_uuid(), 'S' || n % 50, 'buy', 'market', 'day', 1, case when n % 997 < 10 then 'new' else 'filled' end,
    1, now() - n * interval '1 second', now()
from generate_series(1, $1::int) as n
"""
# Statement, its arguments as SQL, and the index that is to find the orders.
PAGE = f"({A}, null, null, null, null, null, null, null, false, 101)"
NEXT = f"({A}, null, '{{S1}}', 'buy', null, now(), now() - interval '1 hour', {A}, true, 101)"
STANDING = [
    ("orders.list_newest", PAGE, "orders_account_page_idx"),
    ("orders.list_newest", NEXT, "orders_account_page_idx"),
    ("orders.list_oldest", PAGE, "orders_account_page_idx"),
    ("orders.list_open_newest", PAGE, "orders_open_idx"),
    ("orders.list_open_oldest", NEXT, "orders_open_idx"),
    ("orders.lock_open", f"({A}, null, null)", "orders_open_idx"),
    ("orders.lock_open", "(null, null, null)", "orders_open_idx"),
    ("orders.get", f"({A})", "orders_pkey"),
    ("orders.lock", f"({A})", "orders_pkey"),
    ("orders.lock_many", f"(array[{A}]::uuid[])", "orders_pkey"),
    ("orders.predecessors", f"(array[{A}]::uuid[])", "orders_pkey"),
    ("orders.of_groups", f"(array[{A}]::uuid[])", "orders_group_idx"),
    ("orders.by_client_ids", f"(array[{A}]::uuid[], array['n-1'])", "orders_account_client_order_id_key"),
    ("orders.history", f"({A}, 10)", "order_events_pkey"),
]


def scans(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield how a plan reads each of its tables: the kind of scan, and the index."""
    if "Scan" in plan["Node Type"]:
        yield plan["Node Type"], plan.get("Index Name", "")
    for below in plan.get("Plans", ()):
        yield from scans(below)


@pytest.mark.slow
async def test_every_standing_query_uses_its_index_whoever_asks_and_however_often(desk: Desk) -> None:
    statements = Queries.load("alphintra.trading").statements
    connection = await asyncpg.connect(desk.database.admin_dsn)
    try:
        await connection.execute("set search_path to trading_schema")
        await connection.execute(FILL.replace("$2", str(ACCOUNTS)))
        await connection.execute(MANY.replace("$1", str(ORDERS)).replace("$2", str(ACCOUNTS)))
        await connection.execute("analyze orders")
        await connection.execute("analyze order_events")
        for number, (name, arguments, index) in enumerate(STANDING):
            await connection.execute(f"prepare q{number} as {statements[name]}")
            for mode in ("force_custom_plan", "force_generic_plan"):
                await connection.execute(f"set plan_cache_mode = {mode}")
                explained = await connection.fetchval(f"explain (format json) execute q{number} {arguments}")
                found = [scan for scan in scans(json.loads(explained)[0]["Plan"]) if scan[0] != "Function Scan"]
                assert {each for _kind, each in found if each} == {index}, (name, mode, found)
                assert "Seq Scan" not in {kind for kind, _index in found}, (name, mode, found)
    finally:
        await connection.close()
