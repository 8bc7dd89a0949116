"""Moves that cannot succeed: refused for the real reason, before anything is changed; and what a dry run tells."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from alphintra.dataplane.layouts import LayoutName
from alphintra.dataplane.server import Server, admin_connection
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.moving.history import ChangeOver, note_change_over
from alphintra.runtime.moving.journal import Journal, Step, read_journal
from alphintra.runtime.moving.planning import Planned, Wish, plan_moves
from alphintra.runtime.settings import RuntimeSettings
from fixtures.moving.town import NEW, OLD, Town, built
from fixtures.postgres import crash_server, start_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
async def town(private_postgres: Callable[..., Server], tmp_path: Path) -> Town:
    return await built(private_postgres(), tmp_path)


def settings(town: Town) -> RuntimeSettings:
    return RuntimeSettings(home=town.home.path)


async def expect_refused(
    town: Town, *, code: str, instance: str = "main", to: LayoutName = LayoutName.HYBRID, service: str = "user"
) -> None:
    """Nothing is changed by a plan that cannot be carried out, and the reason is told."""
    with pytest.raises(AlphintraError) as told:
        await plan_moves(
            town.home, town.servers, Wish(to=to, services=(service,), instance=instance), settings=settings(town)
        )
    assert told.value.code == code
    assert read_journal(town.home) is None


async def test_what_cannot_succeed_is_refused_and_changes_nothing(town: Town) -> None:
    await expect_refused(town, code="SERVICE_UNKNOWN", service="users")
    await expect_refused(town, code="MIGRATE_NOTHING", to=LayoutName.SEPARATE)
    await expect_refused(town, code="INSTANCE_UNKNOWN", instance="nowhere")
    town.servers["down"] = replace(town.server, instance="down", admin_url="postgresql://postgres@127.0.0.1:1/postgres")
    await expect_refused(town, code="TOPOLOGY_CONNECT", instance="down")
    for made, undone, code in (
        ("create table bare (a int)", "drop table bare", "MIGRATE_IDENTITY"),
        ("create unlogged table quick (a int primary key)", "drop table quick", "MIGRATE_UNSUPPORTED"),
        ("alter table inbox add column odd int", "alter table inbox drop column odd", "SCHEMA_DRIFT"),
    ):
        async with town.as_owner(OLD) as connection:
            await connection.execute(made)
        await expect_refused(town, code=code)
        async with town.as_owner(OLD) as connection:
            await connection.execute(undone)
    async with admin_connection(town.server) as connection:
        await connection.execute("select pg_create_physical_replication_slot('s' || n) from generate_series(1, 9) n")
        await expect_refused(town, code="MIGRATE_CAPACITY")
        await connection.execute("select pg_drop_replication_slot('s' || n) from generate_series(1, 9) n")
        await connection.execute("create database alphintra_platform")
    async with admin_connection(town.server, database="alphintra_platform") as connection:
        await connection.execute("create schema user_schema; create table user_schema.held (a int)")
    await expect_refused(town, code="MIGRATE_TARGET")
    async with admin_connection(town.server, database="alphintra_platform") as connection:
        await connection.execute("drop schema user_schema cascade")
    planned = await plan_moves(
        town.home, town.servers, Wish(to=LayoutName.HYBRID, services=("user",)), settings=settings(town)
    )
    assert [(each.record.source, each.record.target, each.record.step) for each in planned] == [
        (OLD, NEW, Step.PLANNED)
    ]
    async with town.moving(Journal(to="hybrid", records=[each.record for each in planned])):
        with pytest.raises(AlphintraError) as told:
            await plan_moves(town.home, town.servers, Wish(to=LayoutName.HYBRID), settings=settings(town))
        assert told.value.code == "MIGRATE_OPEN"
        with pytest.raises(AlphintraError) as told:
            async with town.moving():
                pass
        assert told.value.code == "ALREADY_RUNNING"


async def planned(town: Town) -> Planned:
    wish = Wish(to=LayoutName.HYBRID, services=("user",))
    (found,) = await plan_moves(town.home, town.servers, wish, settings=settings(town))
    return found


async def fill(town: Town, *, rows: int, payload: str) -> None:
    async with town.as_owner(OLD) as connection:
        await connection.execute(
            "insert into event_log (event_id, subject, aggregate_id, payload, occurred_at) "
            "select gen_random_uuid(), 'test', gen_random_uuid(), $2, now() from generate_series(1, $1)",
            rows,
            payload,
        )


async def set_up(server: Server, setting: str) -> None:
    """Change a setting of a private server that takes a restart."""
    async with admin_connection(server) as connection:
        await connection.execute(f"alter system set {setting}")
    crash_server(server)
    start_server(server)


@pytest.mark.slow
async def test_a_server_without_the_log_that_changes_are_read_from_is_refused(town: Town) -> None:
    await set_up(town.server, "wal_level = replica")
    await expect_refused(town, code="MIGRATE_WAL_LEVEL")


@pytest.mark.slow
async def test_a_prepared_transaction_anywhere_on_the_server_is_named(town: Town) -> None:
    await set_up(town.server, "max_prepared_transactions = 2")
    async with admin_connection(town.server) as connection:
        await connection.execute("begin; create table forgotten (a int); prepare transaction 'from last year'")
    with pytest.raises(AlphintraError, match="from last year in postgres") as told:
        await planned(town)
    assert told.value.code == "MIGRATE_PREPARED"
    async with admin_connection(town.server) as connection:
        await connection.execute("rollback prepared 'from last year'")
    assert (await planned(town)).record.step is Step.PLANNED


@pytest.mark.slow
async def test_an_administrator_who_is_no_superuser_is_refused(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    server = private_postgres(samerole=False)
    town = await built(server, tmp_path)
    async with admin_connection(server) as connection:
        await connection.execute("create role builder login createrole createdb password 'made up'")
        await connection.execute("grant connect on database postgres, alphintra_user to builder")
    url = f"postgresql://builder:made%20up@127.0.0.1:{server.port}/postgres"
    town.servers["main"] = replace(server, admin_url=url)
    with pytest.raises(AlphintraError, match="role builder") as told:
        await planned(town)
    assert told.value.code == "MIGRATE_RIGHTS"
    assert "made" not in str(told.value)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Lend a disk of half a megabyte; skip where the machine lets nobody have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with ExitStack() as stack:
        mount = ["mount", "-t", "tmpfs", "-o", "size=512k,mode=755", "tmpfs", str(folder)]
        done = subprocess.run(mount, capture_output=True, check=False)  # noqa: S603 - fixed words
        if done.returncode != 0:
            pytest.skip("mounting a small disk takes the rights of root")
        stack.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
        yield folder


@pytest.mark.slow
async def test_a_disk_without_room_for_the_rows_is_refused(
    private_postgres: Callable[..., Server], small_disk: Path
) -> None:
    town = await built(private_postgres(), small_disk)
    await fill(town, rows=2000, payload="x" * 1000)
    await expect_refused(town, code="SPACE")


def note_pauses(town: Town, *pauses: float, service: str = "user") -> None:
    for pause in pauses:
        note_change_over(
            town.home,
            ChangeOver(
                at="2026-01-05T10:00:00.000+00:00",
                service=service,
                source="alphintra_user on main",
                target="alphintra_platform on main",
                versions=(18, 18),
                is_back=False,
                rows=1,
                differences=0,
                pause_ms=pause,
                fence_ms=pause / 2,
            ),
        )


async def test_a_dry_run_counts_rows_and_tells_the_pause_by_what_was_measured(town: Town) -> None:
    await fill(town, rows=123, payload="x")  # never analysed: PostgreSQL itself has no idea
    found = await planned(town)
    rows = {table.table: (table.rows, table.is_exact) for table in found.tables}
    assert rows["event_log"] == (123, True)
    assert found.record.rows == sum(table.rows for table in found.tables)
    assert found.pause.samples == 0
    assert found.pause.median_ms is None
    note_pauses(town, 500.0, service="risk")
    assert (await planned(town)).pause.median_ms == 500.0
    note_pauses(town, 40.0, 60.0, 200.0)
    told = (await planned(town)).pause
    assert (told.samples, told.median_ms, told.worst_ms) == (3, 60.0, 200.0)
