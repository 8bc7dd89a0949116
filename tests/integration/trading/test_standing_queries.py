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
ACCOUNTS = 100
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
EVENTS = """
insert into order_events (order_id, version, kind, status, detail, occurred_at)
select order_id, 1, 'submitted', status, '', created_at from orders
"""
LINES = """
insert into ledger_entries (transaction_id, account_id, ledger_account, amount, currency, booked_at)
select order_id, account_id, l.name, l.amount, 'USD', created_at
from orders, (values ('cash', -1), ('securities:S', 1)) as l (name, amount)
"""
FILLS = """
insert into executions (account_id, execution_id, order_id, symbol, side, qty, price, fee, realized_pnl, executed_at,
    booked_at, transaction_id)
select account_id, client_order_id, order_id, symbol, side, 1, 1, 0, 0, created_at, created_at, order_id from orders
"""
# Statement, its arguments as SQL, and the index that is to find the orders.
PAGE = f"({A}, null, null, null, null, null, null, null, false, 101)"
NEXT = f"({A}, null, '{{S1}}', 'buy', null, now(), now() - interval '1 hour', {A}, true, 101)"
STANDING = [
    ("orders.list_newest", PAGE, "orders_account_page_idx"),
    ("orders.list_newest", NEXT, "orders_account_page_idx"),
    ("orders.list_oldest", PAGE, "orders_account_page_idx"),
    ("orders.list_open_newest", PAGE, "orders_open_page_idx"),
    ("orders.list_open_oldest", NEXT, "orders_open_page_idx"),
    ("orders.lock_open", f"({A}, null, null)", "orders_open_page_idx"),
    ("orders.lock_open", "(null, null, null)", "orders_open_page_idx"),
    ("orders.get", f"({A})", "orders_pkey"),
    ("orders.lock", f"({A})", "orders_pkey"),
    ("orders.lock_many", f"(array[{A}]::uuid[])", "orders_pkey"),
    ("orders.predecessors", f"(array[{A}]::uuid[])", "orders_pkey"),
    ("orders.of_groups", f"(array[{A}]::uuid[])", "orders_group_idx"),
    ("orders.by_client_ids", f"(array[{A}]::uuid[], array['n-1'])", "orders_account_client_order_id_key"),
    ("orders.history", f"({A}, 10)", "order_events_pkey"),
    ("executions.known", f"(array[{A}]::uuid[], array['n-1'])", "executions_pkey"),
    ("ledger.list", f"({A}, 100)", "ledger_entries_account_idx"),
    ("ledger.total", f"({A})", "ledger_entries_account_idx"),
]
# An index of a part, and the index of the whole it belongs to.
SMALL = "select relname from pg_class where relkind = 'r' and relpages <= 1 and relispartition"
PARTS = """
select c.relname as part, w.relname as whole
from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class w on w.oid = i.inhparent
where c.relkind = 'i'
"""


def scans(plan: dict[str, Any], small: set[str]) -> Iterator[tuple[str, str]]:
    """Yield how a plan reads each of its tables: the kind of scan, and the index."""
    if "Scan" in plan["Node Type"] and plan.get("Relation Name") not in small:
        yield plan["Node Type"], plan.get("Index Name", "")
    for below in plan.get("Plans", ()):
        yield from scans(below, small)


@pytest.mark.slow
async def test_every_standing_query_uses_its_index_whoever_asks_and_however_often(desk: Desk) -> None:
    statements = Queries.load("alphintra.trading").statements
    connection = await asyncpg.connect(desk.database.admin_dsn)
    try:
        await connection.execute("set search_path to trading_schema")
        await connection.execute(FILL.replace("$2", str(ACCOUNTS)))
        await connection.execute(MANY.replace("$1", str(ORDERS)).replace("$2", str(ACCOUNTS)))
        await connection.execute("analyze orders")
        await connection.execute(EVENTS)
        await connection.execute(LINES)
        await connection.execute(FILLS)
        for table in ("order_events", "executions", "ledger_entries"):
            await connection.execute(f"analyze {table}")
        whole = {row["part"]: row["whole"] for row in await connection.fetch(PARTS)}
        small = {row["relname"] for row in await connection.fetch(SMALL)}
        for number, (name, arguments, index) in enumerate(STANDING):
            await connection.execute(f"prepare q{number} as {statements[name]}")
            for mode in ("force_custom_plan", "force_generic_plan"):
                await connection.execute(f"set plan_cache_mode = {mode}")
                explained = await connection.fetchval(f"explain (format json) execute q{number} {arguments}")
                found = [scan for scan in scans(json.loads(explained)[0]["Plan"], small) if scan[0] != "Function Scan"]
                assert {whole.get(each, each) for _kind, each in found if each} == {index}, (name, mode, found)
                assert "Seq Scan" not in {kind for kind, _index in found}, (name, mode, found)
    finally:
        await connection.close()
