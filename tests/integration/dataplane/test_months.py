"""Tables cut by month on a real PostgreSQL: what was there stays, nothing is refused, nobody gets a new right."""

# ruff: noqa: S608 - names of parts come out of the catalogue

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.dataplane.declaration import declare_on
from alphintra.dataplane.inspect import observe_database
from alphintra.dataplane.migrations import migrate, migrations_of, owner_connection
from alphintra.dataplane.model import Database
from alphintra.dataplane.months import MONTHS_AHEAD, keep_months, parts_of
from alphintra.dataplane.plan import plan, unexpected
from alphintra.dataplane.schema import schema_drift
from alphintra.dataplane.server import admin_connection
from alphintra.infrastructure.system import SystemIds
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from alphintra.dataplane.model import State
    from fixtures.postgres import ServiceDatabase

    CloneDatabase = Callable[[str], Awaitable[ServiceDatabase]]

IDS = SystemIds()
TABLES = ("ledger_entries", "order_events")
ACCOUNT = """
insert into accounts (account_id, owner_id, name, mode, currency, starting_cash, cash, created_at)
values ($1, $1, 'A', 'paper', 'USD', 1, 1, now())
"""
ORDER = """
insert into orders (order_id, client_order_id, account_id, owner_id, symbol, side, type, time_in_force, qty, status,
    version, created_at, updated_at) values ($1, 'c', $1, $1, 'S', 'buy', 'market', 'day', 1, 'new', 1, now(), now())
"""
EVENT = """
insert into order_events (order_id, version, kind, status, detail, occurred_at) values ($1, $2, 'k', 'new', '', $3)
"""
LINES = """
insert into ledger_entries (transaction_id, account_id, ledger_account, amount, currency, booked_at)
values ($2, $1, 'cash', 1, 'USD', $3), ($2, $1, 'equity', -1, 'USD', $3)
"""


def owner(database: ServiceDatabase) -> AbstractAsyncContextManager[asyncpg.Connection]:
    return owner_connection(
        database.server, placement=database.placement, password=password_of(database.placement.migrator_role)
    )


async def of_the_database(database: ServiceDatabase) -> tuple[State, State]:
    """Return what is declared of and what is found in this one database, and nothing of the instance."""
    declared = declare_on(database.server, (database.placement,))
    wanted = declared.databases[database.name]
    async with admin_connection(database.server, database=database.name) as connection:
        found = await observe_database(connection, wanted, Database(name=database.name, grants=wanted.grants), None)
    databases = {database.name: replace(found, missing=frozenset())}
    return replace(declared, databases={database.name: wanted}), replace(declared, databases=databases)


async def test_a_provisioned_table_has_its_months_and_nothing_undeclared(service_database: CloneDatabase) -> None:
    database = await service_database("trading")
    async with owner(database) as connection:
        parts = await parts_of(connection, database.placement)
        assert await keep_months(connection, database.placement) == ()
    for table in TABLES:
        own = [part for part in parts if part.table == table]
        assert [part.is_rest for part in own] == [False] * (MONTHS_AHEAD + 1) + [True], own
    declared, observed = await of_the_database(database)
    relations = observed.databases[database.name].relations
    assert {item.parent for item in relations if item.parent} == set(TABLES)
    assert [note for note in unexpected(declared, observed) if "table" in note] == []
    grants = [action.sql for action in plan(declared, observed) if "order_events" in action.sql]
    assert grants == []


async def test_a_right_on_one_month_is_found_and_taken_away(service_database: CloneDatabase) -> None:
    database = await service_database("trading")
    async with admin_connection(database.server, database=database.name) as connection:
        part = await connection.fetchval(
            "select inhrelid::regclass::text from pg_inherits "
            "where inhparent = 'trading_schema.order_events'::regclass order by 1 limit 1"
        )
        await connection.execute(f"grant select, delete on {part} to {database.placement.service_role}")
        await connection.execute(f"revoke select on {part} from {database.placement.backup_role}")
    declared, observed = await of_the_database(database)
    statements = [action.sql for action in plan(declared, observed) if part.rpartition(".")[2] in action.sql]
    assert len(statements) == 2
    assert statements[0].startswith("REVOKE DELETE, SELECT ON TABLE")
    assert database.placement.service_role in statements[0]
    assert statements[1].startswith("GRANT SELECT ON TABLE")
    assert database.placement.backup_role in statements[1]


async def test_a_month_that_is_not_there_refuses_nothing_and_is_filled_when_it_is_made(
    service_database: CloneDatabase,
) -> None:
    database = await service_database("trading")
    key = IDS.new()
    async with owner(database) as connection:
        this_month = await connection.fetchval("select now()")
        for table in TABLES:
            names = [part.name for part in await parts_of(connection, database.placement) if part.table == table]
            for name in names[:-1]:
                await connection.execute(f"drop table {name}")
    service = await asyncpg.connect(database.dsn())
    try:
        await service.execute(ACCOUNT, key)
        await service.execute(ORDER, key)
        await service.execute(EVENT, key, 1, this_month)
        await service.execute(LINES, key, IDS.new(), this_month)
        with pytest.raises(asyncpg.CheckViolationError, match="add up to zero"):
            await service.execute(LINES.replace("-1", "-2"), key, IDS.new(), this_month)
        async with owner(database) as connection:
            parts = {part.name: part.rows for part in await parts_of(connection, database.placement)}
            assert parts == {"ledger_entries_rest": 2, "order_events_rest": 1}
            made = await keep_months(connection, database.placement)
            assert len(made) == 2 * (MONTHS_AHEAD + 1)
            after = await parts_of(connection, database.placement)
            assert [part.rows for part in after if part.is_rest] == [0, 0]
        assert await service.fetchval("select count(*) from order_events") == 1
        assert await service.fetchval("select sum(amount) from ledger_entries where ledger_account = 'cash'") == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.fetchval(f"select count(*) from {made[0]}")
        backup = await asyncpg.connect(database.dsn("backup"))
        try:
            assert [await backup.fetchval(f"select count(*) from {name}") for name in made].count(0) == len(made) - 2
        finally:
            await backup.close()
    finally:
        await service.close()
    assert await schema_drift(database.server, database.placement) == ()


async def test_what_was_there_before_the_cut_stays_in_one_part_that_ends_with_the_month(
    service_database: CloneDatabase,
) -> None:
    database = await service_database("trading")
    placement = database.placement
    password = password_of(placement.migrator_role)
    key = IDS.new()
    async with admin_connection(database.server, database=database.name) as connection:
        await connection.execute("set client_min_messages = error")
        await connection.execute(f"drop schema {placement.schema} cascade")
        await connection.execute(f"create schema {placement.schema} authorization {placement.owner_role}")
        await connection.execute(f"grant usage on schema {placement.schema} to {placement.migrator_role}")
    every = migrations_of("trading")
    cut = next(number for number, each in enumerate(every) if "by_month" in each.name)
    await migrate(database.server, placement=placement, password=password, migrations=every[:cut])
    async with owner(database) as connection:
        now = await connection.fetchval("select now()")
        assert await parts_of(connection, placement) == ()
        await connection.execute(ACCOUNT, key)
        await connection.execute(ORDER, key)
        for version in (1, 2, 3):
            await connection.execute(EVENT, key, version, now)
        for _ in range(4):
            await connection.execute(LINES, key, IDS.new(), now)
        before = [tuple(row) for row in await connection.fetch("select * from order_events order by version")]
    await migrate(database.server, placement=placement, password=password)
    async with owner(database) as connection:
        assert [tuple(row) for row in await connection.fetch("select * from order_events order by version")] == before
        assert await connection.fetchval("select count(*) from ledger_entries") == 8
        parts = [part for part in await parts_of(connection, placement) if part.table == "order_events"]
        assert parts[0].name == "order_events_before"
        assert len(parts) == MONTHS_AHEAD + 2
        assert parts[0].ends_at == parts[1].starts_at
        await connection.execute(EVENT, key, 4, parts[1].starts_at)
        assert await connection.fetchval(f"select count(*) from {parts[1].name}") == 1
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(EVENT, key, 3, now)
    assert await schema_drift(database.server, placement) == ()
