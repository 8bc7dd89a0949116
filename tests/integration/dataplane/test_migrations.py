"""Migrations on a real PostgreSQL: once, all or nothing, never changed afterwards."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.dataplane.migrations import Migration, migrate, migrations_of
from alphintra.dataplane.server import admin_connection
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SERVICE_NAMES
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from fixtures.postgres import ServiceDatabase

    CloneDatabase = Callable[[str], Awaitable[ServiceDatabase]]


def made_up(sql: str, *, name: str = "0999_pre_made_up.sql") -> Migration:
    return Migration(origin="user", name=name, sql=sql, checksum=hashlib.sha256(sql.encode()).hexdigest())


async def run(
    database: ServiceDatabase, migrations: Sequence[Migration], *, phases: Sequence[str] = ("pre", "post")
) -> tuple[Migration, ...]:
    return await migrate(
        database.server,
        placement=database.placement,
        password=password_of("user_migrator"),
        phases=phases,
        migrations=migrations,
    )


async def table_exists(database: ServiceDatabase, name: str) -> bool:
    connection = await asyncpg.connect(database.admin_dsn)
    try:
        return bool(await connection.fetchval("select to_regclass('user_schema.' || $1) is not null", name))
    finally:
        await connection.close()


@pytest.mark.parametrize("service", SERVICE_NAMES)
async def test_every_migration_can_run_again(service_database: CloneDatabase, service: str) -> None:
    database = await service_database(service)
    migrations = migrations_of(service)
    assert len(migrations) > len([item for item in migrations if item.origin == "common"]) > 0
    placement = database.placement
    async with admin_connection(database.server, database=database.name) as connection:
        await connection.execute("set client_min_messages = error")
        await connection.execute(f'drop schema "{placement.schema}" cascade')
        await connection.execute(f'create schema "{placement.schema}" authorization "{placement.owner_role}"')
        await connection.execute(f'grant usage on schema "{placement.schema}" to "{placement.migrator_role}"')
    connection = await asyncpg.connect(database.dsn("migrator"))
    try:
        for migration in migrations:
            for _ in range(2):  # the second time as after a run that was cut before it could record the first
                async with connection.transaction():
                    await connection.execute(migration.sql)
    finally:
        await connection.close()


async def test_an_applied_file_is_recorded_and_not_run_again(service_database: CloneDatabase) -> None:
    database = await service_database("user")
    migrations = (*migrations_of("user"), made_up("create table once (id bigint primary key)"))
    assert await run(database, migrations) == migrations[-1:]
    assert await run(database, migrations) == ()
    assert await table_exists(database, "once")


async def test_two_runs_at_once_apply_a_file_once(service_database: CloneDatabase) -> None:
    database = await service_database("user")
    migrations = (*migrations_of("user"), made_up("create table once (id bigint primary key)"))
    applied = await asyncio.gather(run(database, migrations), run(database, migrations))
    assert sorted(len(files) for files in applied) == [0, 1]


async def test_a_file_changed_after_it_was_applied_is_refused(service_database: CloneDatabase) -> None:
    database = await service_database("user")
    first, *rest = migrations_of("user")
    changed = dataclasses.replace(first, checksum="0" * 64)
    late = made_up("create table late (id bigint primary key)")
    with pytest.raises(AlphintraError) as caught:
        await run(database, (changed, *rest, late))
    assert caught.value.code == "MIGRATION_DRIFT"
    assert first.name in caught.value.detail
    assert not await table_exists(database, "late")


async def test_a_schema_newer_than_the_program_is_refused(service_database: CloneDatabase) -> None:
    database = await service_database("user")
    with pytest.raises(AlphintraError) as caught:
        await run(database, migrations_of("user")[:-1])
    assert caught.value.code == "MIGRATION_UNKNOWN"


async def test_a_file_that_fails_leaves_nothing_behind(service_database: CloneDatabase) -> None:
    database = await service_database("user")
    broken = made_up("create table half (id bigint primary key); select 1 / 0")
    with pytest.raises(AlphintraError) as caught:
        await run(database, (*migrations_of("user"), broken))
    assert caught.value.code == "MIGRATION_FAILED"
    assert "0999_pre_made_up.sql" in caught.value.detail
    assert "22012" in caught.value.detail
    assert not await table_exists(database, "half")


@pytest.mark.parametrize(
    "ending", ["commit", "; -- done\n ROLLBACK", "select 1; end", "/* new */ start transaction", "$$;$$; abort"]
)
async def test_a_file_that_ends_its_own_transaction_is_refused(service_database: CloneDatabase, ending: str) -> None:
    database = await service_database("user")
    before = made_up("create table before (id bigint primary key)", name="0998_pre_before.sql")
    escaping = made_up(f"{ending}; create table escaped (id bigint primary key)")
    with pytest.raises(AlphintraError) as caught:
        await run(database, (*migrations_of("user"), before, escaping))
    assert caught.value.code == "MIGRATION_TRANSACTION"
    assert not await table_exists(database, "before")
    assert not await table_exists(database, "escaped")


async def test_a_table_in_use_stops_a_migration_within_its_bound(service_database: CloneDatabase) -> None:
    database = await service_database("user")
    holder = await asyncpg.connect(database.dsn())
    try:
        async with holder.transaction():
            await holder.execute("insert into inbox (consumer, event_id) values ('user', gen_random_uuid())")
            with pytest.raises(AlphintraError, match="55P03"):
                await run(database, (*migrations_of("user"), made_up("alter table inbox add column note text")))
    finally:
        await holder.close()


async def test_files_of_the_later_phase_wait_for_it(service_database: CloneDatabase) -> None:
    database = await service_database("user")
    later = made_up("create table later (id bigint primary key)", name="0999_post_made_up.sql")
    migrations = (*migrations_of("user"), later)
    assert await run(database, migrations, phases=("pre",)) == ()
    assert await run(database, migrations, phases=("post",)) == (later,)
