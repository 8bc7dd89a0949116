"""Each service's `sql/schema.sql` is the sum of its migrations; a schema changed by hand stops the next start.

    ALPHINTRA_REWRITE_GOLDEN=1 python -m pytest tests/integration/dataplane/test_schema.py

writes the files anew after a migration was added.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import alphintra
from alphintra.dataplane.apply import apply
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout, separate_layout
from alphintra.dataplane.migrations import migrate_all
from alphintra.dataplane.provision import provision
from alphintra.dataplane.schema import declared_schema, read_schema, schema_drift
from alphintra.dataplane.schema_text import read_schema_file, schema_file
from alphintra.dataplane.server import admin_connection
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SERVICES
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from alphintra.dataplane.server import Server
    from fixtures.postgres import ServiceDatabase

SOURCES: Final = Path(alphintra.__file__).parent
CHANGED: Final = "the migrations make another schema: run this module with ALPHINTRA_REWRITE_GOLDEN=1 and read the diff"
TRADING: Final = tuple(placement for placement in separate_layout() if placement.service == "trading")

# What a hand may do to a table, and the object the refusal names.
CHANGES: Final = (
    ("alter table orders add column note text", "table orders"),
    ("alter table orders alter column client_order_id type varchar(200)", "table orders"),
    ("alter table orders alter column client_order_id drop not null", "table orders"),
    ("alter table event_log alter column recorded_at set default now()", "table event_log"),
    ("alter table inbox add constraint inbox_consumer_check check (consumer <> '')", "table inbox"),
    ("alter table orders drop constraint orders_account_id_fkey", "foreign key orders.orders_account_id_fkey"),
    ("drop index event_log_aggregate_idx", "index event_log.event_log_aggregate_idx"),
    ("create index by_hand on event_log (subject)", "index event_log.by_hand"),
    ("alter table audit_events disable trigger audit_events_refuse_truncate", "trigger audit_events."),
    ("drop trigger audit_events_queue_seal on audit_events", "trigger audit_events.audit_events_queue_seal"),
    ("alter function queue_audit_seal() reset search_path", "function queue_audit_seal()"),
    ("create table notes (id int)", "table notes"),
    ("create view everything as select * from inbox", "view everything"),
    ("create type mood as enum ('good', 'bad')", "type mood"),
)


async def test_each_schema_file_is_the_sum_of_the_migrations(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    layout = separate_layout()
    # Not `provision`: that refuses what the files, which are to be written here, do not say yet.
    await apply(server, layout=layout, passwords=password_of)
    await migrate_all(server, layout=layout, passwords=password_of)
    for placement in layout:
        async with admin_connection(server, database=placement.database) as connection:
            text = schema_file(placement.service, await read_schema(connection, placement))
        path = SOURCES / placement.service / "sql" / "schema.sql"
        if os.environ.get("ALPHINTRA_REWRITE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text, CHANGED


@pytest.mark.parametrize("service", sorted(SERVICES))
async def test_the_schema_file_makes_the_schema_anew(
    service_database: Callable[[str], Awaitable[ServiceDatabase]], service: str
) -> None:
    database = await service_database(service)
    placement = database.placement
    text = (SOURCES / service / "sql" / "schema.sql").read_text(encoding="utf-8")
    async with admin_connection(database.server, database=database.name) as connection:
        before = await read_schema(connection, placement)
        await connection.execute("set client_min_messages = error")
        await connection.execute(f"drop schema {placement.schema} cascade; create schema {placement.schema}")
        await connection.execute(f"set search_path = {', '.join(placement.search_path)}")
        await connection.execute(text)
        assert await read_schema(connection, placement) == before


def test_a_schema_file_is_read_as_it_was_written() -> None:
    objects = declared_schema("trading")
    assert "table orders" in objects
    assert read_schema_file(schema_file("trading", objects)) == objects


async def test_each_change_by_hand_is_found_and_named(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> None:
    database = await service_database("trading")
    async with admin_connection(database.server, database=database.name) as connection:
        declared = declared_schema("trading")
        for statement, named in CHANGES:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(f"set local search_path = trading_schema; {statement}")
            found = await read_schema(connection, database.placement)
            await transaction.rollback()
            assert found != declared, statement
            other = {
                heading for heading in declared.keys() | found.keys() if declared.get(heading) != found.get(heading)
            }
            assert all(heading.startswith(named) for heading in other), statement
    assert await schema_drift(database.server, database.placement) == ()


async def test_a_table_altered_by_hand_refuses_the_start(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    await provision(server, layout=TRADING, passwords=password_of)
    async with admin_connection(server, database="alphintra_trading") as connection:
        await connection.execute("alter table trading_schema.orders alter column client_order_id type varchar(99)")
    with pytest.raises(AlphintraError) as refused:
        await provision(server, layout=TRADING, passwords=password_of)
    assert refused.value.code == "SCHEMA_DRIFT"
    assert "table orders has 'client_order_id character varying(99)" in refused.value.detail


@pytest.mark.slow
async def test_the_schema_files_are_those_of_postgresql_15_too(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres(version=15)
    await provision(server, layout=separate_layout(), passwords=password_of)
    for placement in separate_layout():
        assert await schema_drift(server, placement) == (), placement.service


@pytest.mark.slow
@pytest.mark.parametrize("name", [LayoutName.CENTRAL, LayoutName.CONSOLIDATED])
async def test_shared_databases_hold_the_same_schemas(
    private_postgres: Callable[..., Server], name: LayoutName
) -> None:
    server = private_postgres()
    layout = choose_layout(LayoutChoice(name=name, accepts_consolidated=name is LayoutName.CONSOLIDATED))
    await provision(server, layout=layout, passwords=password_of)
    await provision(server, layout=layout, passwords=password_of)
    for placement in layout:
        assert await schema_drift(server, placement) == (), placement.service
    trading = next(placement for placement in layout if placement.service == "trading")
    schema, table = trading.location("inbox")
    async with admin_connection(server, database=trading.database) as connection:
        await connection.execute(f'alter table "{schema}"."{table}" add column note text')
    assert await schema_drift(server, trading) == ("table inbox has 'note text'",)
