"""Upkeep on a real PostgreSQL: done table by table as the owner, of its own service alone, and ended when told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.dataplane.maintenance.tasks import TASKS, find_progress, run_tasks
from alphintra.dataplane.server import admin_connection
from alphintra.manifest import service_tables
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fixtures.postgres import ServiceDatabase

    CloneDatabase = Callable[[str], Awaitable[ServiceDatabase]]

FILES = "select relname, relfilenode from pg_class where relkind = 'i' and relnamespace = 'user_schema'::regnamespace"
COUNTS = "select sum(vacuum_count), sum(analyze_count) from pg_stat_user_tables where schemaname = 'user_schema'"


async def test_every_table_is_vacuumed_analysed_and_reindexed_and_what_a_cut_left_is_dropped(
    service_database: CloneDatabase,
) -> None:
    database = await service_database("user")
    placement = database.placement
    tables = len(service_tables(placement.spec))
    async with admin_connection(database.server, database=database.name) as connection:
        before = dict(map(tuple, await connection.fetch(FILES)))
        await connection.execute(
            "set role user_owner; create index profiles_pkey_ccnew on user_schema.profiles (email)"
        )
        await connection.execute("reset role")
        await connection.execute(
            "update pg_index set indisvalid = false where indexrelid = 'user_schema.profiles_pkey_ccnew'::regclass"
        )
    done = await run_tasks(
        database.server, placement, TASKS, password=password_of(placement.migrator_role), may_go_on=lambda: True
    )
    assert [each for each in done if each.failure] == []
    assert len(done) == 3 * tables + 1
    async with admin_connection(database.server, database=database.name) as connection:
        after = dict(map(tuple, await connection.fetch(FILES)))
        vacuums, analyses = await connection.fetchrow(COUNTS)
    assert after.keys() == before.keys()
    assert all(after[name] != before[name] for name in before), "each index was built anew"
    assert (vacuums, analyses) == (tables, tables)
    assert not any(each.doing.startswith("user:") for each in await find_progress(database.server))


async def test_nothing_is_begun_once_the_window_has_closed(service_database: CloneDatabase) -> None:
    database = await service_database("user")
    answers = iter([True, True])
    done = await run_tasks(
        database.server,
        database.placement,
        ("analyze",),
        password=password_of(database.placement.migrator_role),
        may_go_on=lambda: next(answers, False),
    )
    assert [each.failure for each in done][:3] == ["", "", "the window has closed"]
    assert {each.failure for each in done[2:]} == {"the window has closed"}
