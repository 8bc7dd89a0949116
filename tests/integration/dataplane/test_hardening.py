"""Hardening: what strict closes, what goes on working, and the way there and back."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from alphintra.dataplane.apply import apply, plan_server
from alphintra.dataplane.hardening import Hardening, closures
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout, separate_layout
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import admin_connection, role_connection
from alphintra.dataplane.verify import find_drift, verify_databases
from fixtures.postgres import binaries_of, password_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server

HYBRID = choose_layout(LayoutChoice(name=LayoutName.HYBRID))
TWO = tuple(placement for placement in HYBRID if placement.service in {"trading", "risk"})
CHOICES = {
    "separate": LayoutChoice(),
    "hybrid": LayoutChoice(name=LayoutName.HYBRID),
    "central": LayoutChoice(name=LayoutName.CENTRAL),
    "shared": LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True),
    "consolidated": LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True),
}

# What a service's role learns of others by PostgreSQL's default. A column, a function, a view of each closure.
CLOSED = (
    "select rolname from pg_roles",
    "select datname from pg_database",
    "select * from pg_db_role_setting",
    "select * from pg_auth_members",
    "select * from pg_shdescription",
    "select * from pg_stat_activity",
    "select * from pg_stat_database",
    "select * from pg_locks",
    "select * from pg_replication_slots",
    "select * from pg_prepared_xacts",
    "select subname from pg_subscription",
    "select * from pg_settings",
    "select relname from pg_class",
    "select reltuples from pg_class",
    "select relacl from pg_class",
    "select nspacl from pg_namespace",
    "select prosrc from pg_proc",
    "select definition from pg_views",
    "select * from pg_constraint",
    "select * from pg_description",
    "select * from pg_stats",
    "select * from information_schema.tables",
    "select pg_get_userbyid(10)",
    "select pg_has_role('risk_service_user', 'usage')",
    "select has_table_privilege('risk_schema.assessments', 'select')",
    "select has_database_privilege('postgres', 'connect')",
    "select to_regrole('risk_service_user')",
    "select pg_stat_get_activity(null)",
    "select pg_lock_status()",
    "select pg_terminate_backend(1)",
    "select pg_database_size('alphintra_financial')",
    "select pg_total_relation_size('risk_schema.assessments')",
    "select pg_current_wal_lsn()",
    "select pg_logical_emit_message(false, 'outbox', 'forged')",
    "select txid_current()",
    "select lo_create(0)",
    "select pg_advisory_lock(730)",
    "select pg_get_viewdef('risk_schema.assessments')",
    "select pg_get_functiondef('risk_schema.queue_audit_seal'::regproc)",
    "select obj_description('risk_schema.assessments'::regclass)",
)

ELSEWHERE = tuple(statement for statement in CLOSED if "risk_schema" not in statement)


async def run_sql(server: Server, database: str, *statements: str) -> None:
    async with admin_connection(server, database=database) as connection:
        for statement in statements:
            await connection.execute(statement)


async def answers(server: Server, role: str, database: str, statements: Sequence[str]) -> list[str]:
    """Return the statements that PostgreSQL answered, each tried with the role's own credential and rolled back."""
    answered = []
    async with role_connection(server, role=role, password=password_of(role), database=database) as connection:
        for statement in statements:
            transaction = connection.transaction()
            await transaction.start()
            try:
                await connection.execute(statement)
                answered.append(statement)
            except asyncpg.InsufficientPrivilegeError:
                continue
            finally:
                await transaction.rollback()
    return answered


async def test_strict_answers_a_service_nothing_about_others(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    await provision(server, layout=TWO, passwords=password_of)
    assert await answers(server, "trading_service_user", "alphintra_financial", CLOSED) == []
    # The driver still learns types it was not born with, and risk its own locks.
    login: dict[str, Any] = {"role": "risk_service_user", "password": password_of("risk_service_user")}
    async with role_connection(server, database="alphintra_financial", **login) as connection:
        assert await connection.fetchval("select $1::uuid[] || '{}'::uuid[]", []) == []
        assert await connection.fetchval("select $1::numrange", asyncpg.Range(1, 2)) is not None
        await connection.execute("begin; select pg_advisory_xact_lock(730); rollback")


async def test_hardened_and_back_is_one_plan_each(private_postgres: Callable[..., Server]) -> None:
    strict = private_postgres()
    loose = dataclasses.replace(strict, hardening=Hardening.HARDENED)
    await provision(loose, layout=TWO, passwords=password_of)
    assert await find_drift((loose,), layout=TWO) == ()
    open_then = await answers(strict, "trading_service_user", "alphintra_financial", CLOSED)
    assert len(open_then) > len(CLOSED) / 2
    assert len(await find_drift((strict,), layout=TWO)) > len(closures(Hardening.STRICT))
    await apply(strict, layout=TWO, passwords=password_of)
    assert await find_drift((strict,), layout=TWO) == ()
    assert await apply(strict, layout=TWO, passwords=password_of) == ()
    assert await answers(strict, "trading_service_user", "alphintra_financial", CLOSED) == []
    await apply(loose, layout=TWO, passwords=password_of)
    assert await find_drift((loose,), layout=TWO) == ()
    assert await answers(strict, "trading_service_user", "alphintra_financial", CLOSED) == open_then


async def test_the_plan_says_what_each_closure_hides(private_postgres: Callable[..., Server]) -> None:
    planned = await plan_server(private_postgres(), layout=TWO)
    for name in ("alphintra_financial", "postgres", "template1"):
        inside = [action for action in planned if action.database == name]
        told = {action.purpose for action in inside}
        assert {closure.purpose for closure in closures(Hardening.STRICT)} <= told
        assert all(action.purpose for action in planned)
        assert len(inside) < 100, "statements are grouped, not one per function"


async def test_a_backup_of_its_own_schema_works_for_the_backup_role(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    await provision(server, layout=TWO, passwords=password_of)
    dump = await dumped(server, TWO[0])
    assert dump.count("CREATE TABLE") == len(await table_names(server, TWO[0]))
    assert "CREATE TRIGGER audit_events_queue_seal" in dump


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("version", [18, 15])
async def test_every_layout_on_every_version_converges_migrates_and_verifies(
    private_postgres: Callable[..., Server], version: int, name: str
) -> None:
    server = private_postgres(version=version)
    layout = choose_layout(CHOICES[name])
    await provision(server, layout=layout, passwords=password_of)
    again = await provision(server, layout=layout, passwords=password_of)
    assert again.actions == ()
    assert not any(again.migrations.values())
    assert await find_drift((server,), layout=layout) == ()
    matrix = await verify_databases((server,), layout=layout, passwords=password_of)
    assert matrix.faults == ()
    for placement in layout if name != "consolidated" else ():
        assert "COPY" in await dumped(server, placement)
        assert await answers(server, placement.reader_role, placement.database, ELSEWHERE) == []


async def test_postgresql_15_is_provisioned_hardened_and_migrated(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres(version=15)
    await provision(server, layout=TWO, passwords=password_of)
    assert (await provision(server, layout=TWO, passwords=password_of)).actions == ()
    assert await find_drift((server,), layout=TWO) == ()
    assert await answers(server, "trading_service_user", "alphintra_financial", CLOSED) == []
    assert (await verify_databases((server,), layout=TWO, passwords=password_of)).faults == ()
    assert "COPY" in await dumped(server, TWO[0])


async def test_without_a_superuser_the_open_catalogue_is_a_stated_limit(
    private_postgres: Callable[..., Server],
) -> None:
    local = private_postgres(samerole=False)
    await run_sql(local, "postgres", "create role operator login createrole createdb password 'operator'")
    url = f"postgresql://operator:operator@{local.host}:{local.port}/postgres"
    server = dataclasses.replace(local, admin_url=url, exclusive=False)
    await provision(server, layout=separate_layout()[:2], passwords=password_of)
    assert await find_drift((server,), layout=separate_layout()[:2]) == ()
    matrix = await verify_databases((server,), layout=separate_layout()[:2], passwords=password_of)
    assert any("catalogue" in limit for limit in matrix.limits)


async def test_two_instances_are_planned_and_applied_each_for_itself(private_postgres: Callable[..., Server]) -> None:
    layout = tuple(dataclasses.replace(placement, instance=placement.service) for placement in separate_layout()[:2])
    servers = tuple(dataclasses.replace(private_postgres(), instance=placement.instance) for placement in layout)
    await asyncio.gather(*(provision(server, layout=layout, passwords=password_of) for server in servers))
    assert await find_drift(servers, layout=layout) == ()
    for server, placement in zip(servers, layout, strict=True):
        async with admin_connection(server) as connection:
            names = await connection.fetch("select datname from pg_database where datname like 'alphintra%'")
        assert [row["datname"] for row in names] == [placement.database]
    await run_sql(servers[1], "postgres", f'grant connect on database "{layout[1].database}" to public')
    (line,) = await find_drift(servers, layout=layout)
    assert line.startswith(f"{layout[1].instance}: REVOKE CONNECT")


async def dumped(server: Server, placement: Placement) -> str:
    """Return what ``pg_dump`` of the server's version writes of a schema, as the service's backup role."""
    run = await asyncio.create_subprocess_exec(
        str(binaries_of(server) / "pg_dump"),
        *("-h", server.host, "-p", str(server.port), "-U", placement.backup_role, "-d", placement.database),
        *("-n", placement.schema),
        env={**os.environ, "PGPASSWORD": password_of(placement.backup_role)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await run.communicate()
    assert run.returncode == 0, err.decode()
    return out.decode()


async def table_names(server: Server, placement: Placement) -> list[str]:
    async with admin_connection(server, database=placement.database) as connection:
        rows = await connection.fetch("select tablename from pg_tables where schemaname = $1", placement.schema)
    return [row["tablename"] for row in rows]
