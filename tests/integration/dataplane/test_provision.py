"""Provisioning a real PostgreSQL: convergence, repetition, concurrency, kills, drift, secrets."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from alphintra.dataplane import server as server_module
from alphintra.dataplane.apply import apply, plan_server
from alphintra.dataplane.layouts import separate_layout
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import admin_connection, role_connection
from alphintra.dataplane.verify import find_drift, verify_databases
from alphintra.kernel.errors import AlphintraError
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.plan import Action
    from alphintra.dataplane.server import Server

TWO = tuple(placement for placement in separate_layout() if placement.service in {"trading", "user"})

# What a hand at psql may do to a provisioned instance: where, and the statement. Each must be found and mended.
MUTATIONS = (
    ("postgres", "grant connect on database alphintra_trading to user_service_user"),
    ("postgres", "grant temporary on database alphintra_trading to trading_service_user"),
    ("postgres", "grant connect on database alphintra_user to public"),
    ("postgres", "grant connect on database postgres to public"),
    ("postgres", "revoke connect on database alphintra_trading from trading_reader"),
    ("postgres", "grant trading_service_user to user_service_user"),
    ("postgres", "grant pg_read_all_data to user_service_user"),
    ("postgres", "grant trading_owner to trading_migrator with inherit true"),
    ("postgres", "revoke trading_owner from trading_migrator"),
    ("postgres", "alter role user_reader with superuser inherit"),
    ("postgres", "alter role user_sealer with createdb createrole connection limit -1"),
    ("postgres", "alter role user_owner with login"),
    ("postgres", "alter role user_backup password null"),
    ("postgres", "alter role user_service_user in database alphintra_user reset search_path"),
    ("postgres", "alter role user_service_user in database alphintra_user set statement_timeout = 0"),
    ("postgres", "alter role user_service_user in database alphintra_user set work_mem = '1GB'"),
    ("alphintra_trading", "grant usage on schema trading_schema to user_service_user"),
    ("alphintra_trading", "grant create on schema trading_schema to trading_service_user"),
    ("alphintra_trading", "grant usage on schema public to public"),
    ("alphintra_trading", "grant create on schema public to trading_service_user"),
    ("alphintra_trading", "alter schema trading_schema owner to trading_service_user"),
    ("alphintra_trading", "alter table trading_schema.orders owner to trading_service_user"),
    ("alphintra_trading", "revoke select on trading_schema.orders from trading_service_user"),
    ("alphintra_trading", "revoke insert (actor) on trading_schema.audit_events from trading_service_user"),
    ("alphintra_trading", "grant select on trading_schema.orders to user_service_user"),
    ("alphintra_trading", "grant select (order_id) on trading_schema.orders to user_service_user"),
    ("alphintra_trading", "grant insert on trading_schema.audit_events to trading_service_user"),
    ("alphintra_trading", "revoke execute on function trading_schema.months_kept() from trading_service_user"),
    ("alphintra_trading", "grant execute on function trading_schema.keep_months(timestamptz) to trading_reader"),
    ("alphintra_trading", "grant update, delete on trading_schema.audit_events to trading_service_user"),
    ("alphintra_trading", "grant select on trading_schema.orders to trading_reader with grant option"),
    ("alphintra_trading", "grant usage on sequence trading_schema.event_log_seq_seq to trading_service_user"),
    ("alphintra_trading", "grant execute on function trading_schema.queue_audit_seal() to public"),
    ("alphintra_trading", "grant usage on language plpgsql to public"),
    (
        "alphintra_trading",
        "alter default privileges for role trading_owner in schema trading_schema grant select on tables to public",
    ),
    ("alphintra_trading", "alter default privileges for role trading_owner grant execute on functions to public"),
)


async def run_sql(server: Server, database: str, *statements: str) -> None:
    async with admin_connection(server, database=database) as connection:
        for statement in statements:
            await connection.execute(statement)


async def test_provisioning_twice_changes_nothing(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    layout = separate_layout()
    first = await provision(server, layout=layout, passwords=password_of)
    assert first.actions
    second = await provision(server, layout=layout, passwords=password_of)
    assert second.actions == ()
    assert not any(second.migrations.values())


async def test_two_runs_at_once_do_the_work_once(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    runs = await asyncio.gather(*(provision(server, layout=TWO, passwords=password_of) for _ in range(2)))
    assert await plan_server(server, layout=TWO, passwords=password_of) == ()
    created = [action.sql for run in runs for action in run.actions if action.sql.startswith("CREATE")]
    assert len(created) == len(set(created)), "one of the two did what the other had done"
    applied = [migration for run in runs for migration in run.migrations["user"]]
    assert len(applied) == len(set(applied)) > 0


async def test_what_is_gone_when_its_turn_comes_is_looked_at_again(private_postgres: Callable[..., Server]) -> None:
    """As where another run migrates meanwhile, and drops what this one saw."""
    server = private_postgres()
    await provision(server, layout=TWO, passwords=password_of)
    database = next(placement.database for placement in TWO if placement.service == "user")

    async def run(*statements: str) -> None:
        async with admin_connection(server, database=database) as connection:
            for statement in statements:
                await connection.execute(statement)

    await run("create sequence user_schema.spare", "alter sequence user_schema.spare owner to user_owner")
    rounds: list[int] = []

    def approve(actions: Sequence[Action]) -> None:
        rounds.append(len(actions))
        if len(rounds) == 1:
            with ThreadPoolExecutor(max_workers=1) as other:
                other.submit(asyncio.run, run("drop sequence user_schema.spare")).result()

    await apply(server, layout=TWO, passwords=password_of, approve=approve)
    assert len(rounds) == 1, "the sequence was in the plan once, and the second look found nothing to do"
    assert await plan_server(server, layout=TWO, passwords=password_of) == ()


async def test_a_killed_run_is_finished_by_the_next(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    program = (
        "import asyncio, sys\n"
        "from fixtures.postgres import password_of\n"
        "from alphintra.dataplane.layouts import separate_layout\n"
        "from alphintra.dataplane.provision import provision\n"
        "from alphintra.dataplane.server import Server\n"
        "server = Server(admin_url=sys.argv[1], host='127.0.0.1', port=int(sys.argv[2]))\n"
        "asyncio.run(provision(server, layout=separate_layout(), passwords=password_of))\n"
    )
    search = [path for path in sys.path if path]
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"import sys; sys.path[:0] = {search!r}\n{program}", server.admin_url, str(server.port)
    )
    async with admin_connection(server) as connection:
        async with asyncio.timeout(60):
            count = "select count(*) from pg_database where datname like 'alphintra%'"
            while await connection.fetchval(count) < 2:  # noqa: ASYNC110 - another process makes them
                await asyncio.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    assert await run.wait() == -signal.SIGKILL
    assert await plan_server(server, layout=separate_layout(), passwords=password_of) != ()
    await provision(server, layout=separate_layout(), passwords=password_of)
    assert await plan_server(server, layout=separate_layout(), passwords=password_of) == ()


async def test_every_change_made_by_hand_is_found_and_mended(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    await provision(server, layout=TWO, passwords=password_of)
    unseen = []
    for database, statement in MUTATIONS:
        await run_sql(server, database, statement)
        if not await apply(server, layout=TWO, passwords=password_of):  # raises if it cannot mend what it finds
            unseen.append(statement)
    assert unseen == []
    assert await plan_server(server, layout=TWO, passwords=password_of) == ()


async def test_a_table_or_schema_nobody_declared_is_reported_and_kept(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    await provision(server, layout=TWO, passwords=password_of)
    await run_sql(server, "alphintra_user", "create table user_schema.notes (text text)", "create schema extra")
    await run_sql(server, "template1", "create schema extra", "create table public.notes (text text)")
    await run_sql(server, "postgres", "alter system set log_statement = 'all'", "create database other")
    await apply(server, layout=TWO, passwords=password_of)
    drift = await find_drift((server,), layout=TWO)
    assert sorted(drift) == [
        "alphintra_user: schema extra is not declared",
        "alphintra_user: table user_schema.notes is not declared",
        "main: database other is not declared",
        "main: setting by ALTER SYSTEM log_statement is not declared",
        "template1: schema extra is not declared",
        "template1: table public.notes is not declared",
    ]
    await run_sql(server, "alphintra_user", "select from user_schema.notes")


async def test_a_stranger_has_no_right_anywhere(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres(samerole=False)
    await provision(server, layout=TWO, passwords=password_of)
    await run_sql(server, "postgres", "create role stranger login password 'stranger'")
    for database in ("alphintra_user", "alphintra_trading", "postgres", "template1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(
                host=server.host, port=server.port, user="stranger", password="stranger", database=database
            )
    async with admin_connection(server, database="alphintra_user") as connection:
        held = await connection.fetchval("""
            select has_schema_privilege('stranger', 'public', 'usage, create')
                or has_schema_privilege('stranger', 'user_schema', 'usage, create')
                or has_language_privilege('stranger', 'plpgsql', 'usage')
                or has_database_privilege('stranger', 'alphintra_user', 'temporary')
                or has_function_privilege('stranger', 'user_schema.queue_audit_seal()', 'execute')
                or bool_or(has_any_column_privilege('stranger', c.oid, 'select, insert, update, references'))
            from pg_class c where relnamespace = 'user_schema'::regnamespace and relkind = 'r'
        """)
    assert held is False


async def test_objects_made_later_are_open_to_nobody(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    await provision(server, layout=TWO, passwords=password_of)
    migrator: dict[str, Any] = {
        "role": "user_migrator",
        "password": password_of("user_migrator"),
        "database": "alphintra_user",
    }
    async with role_connection(server, **migrator) as connection:
        await connection.execute("create function later() returns int language sql as 'select 1'")
        await connection.execute("create type colour as enum ('red')")
    async with admin_connection(server, database="alphintra_user") as connection:
        assert not await connection.fetchval(
            "select has_function_privilege('user_service_user', 'user_schema.later()', 'execute')"
            " or has_type_privilege('user_service_user', 'user_schema.colour', 'usage')"
        )


async def test_a_changed_secret_replaces_the_stored_verifier(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    await provision(server, layout=TWO, passwords=password_of)

    def rotated(role: str) -> str:
        return "rotated secret" if role == "user_service_user" else password_of(role)

    (action,) = await apply(server, layout=TWO, passwords=rotated)
    assert action.password_of == "user_service_user"
    login: dict[str, Any] = {"role": "user_service_user", "database": "alphintra_user"}
    async with role_connection(server, password="rotated secret", **login) as connection:
        assert await connection.fetchval("show search_path") == "user_schema, pg_temp"
    with pytest.raises(AlphintraError, match="TOPOLOGY_CONNECT"):
        async with role_connection(server, password=password_of("user_service_user"), **login):
            pass


async def test_no_secret_reaches_the_servers_log_or_a_plan(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    await run_sql(server, "postgres", "alter system set log_statement = 'all'", "select pg_reload_conf()")
    planned = await plan_server(server, layout=TWO, passwords=password_of)
    await provision(server, layout=TWO, passwords=password_of)
    log = server_log(server).read_text()
    assert "CREATE ROLE" in log
    roles = [role for placement in TWO for role in placement.login_roles]
    told = [
        role for role in roles if password_of(role) in log or any(password_of(role) in item.sql for item in planned)
    ]
    assert told == []


async def test_an_existing_server_is_provisioned_without_a_superuser(private_postgres: Callable[..., Server]) -> None:
    local = private_postgres(samerole=False)
    await run_sql(local, "postgres", "create role operator login createrole createdb password 'operator'")
    url = f"postgresql://operator:operator@{local.host}:{local.port}/postgres"
    server = dataclasses.replace(local, admin_url=url, exclusive=False)
    await provision(server, layout=TWO, passwords=password_of)
    again = await provision(server, layout=TWO, passwords=password_of)
    assert again.actions == ()
    matrix = await verify_databases((server,), layout=TWO, passwords=password_of)
    assert matrix.faults == ()
    assert (matrix.allowed_count, matrix.denied_count) == (len(TWO), len(TWO) ** 2 - len(TWO))
    assert await stranger_may_connect(local, TWO) == []
    assert any("plpgsql" in limit for limit in matrix.limits)


async def test_an_administrator_whom_another_shut_out_is_told_so(private_postgres: Callable[..., Server]) -> None:
    local = private_postgres(samerole=False)
    await provision(local, layout=TWO, passwords=password_of)
    await run_sql(local, "postgres", "create role operator login createrole createdb password 'operator'")
    await run_sql(local, "postgres", "grant connect on database postgres to operator")
    url = f"postgresql://operator:operator@{local.host}:{local.port}/postgres"
    with pytest.raises(AlphintraError, match="alphintra_catalog_reader") as caught:
        await plan_server(dataclasses.replace(local, admin_url=url, exclusive=False), layout=TWO)
    assert caught.value.code == "TOPOLOGY_RIGHTS"


async def test_a_changed_secret_is_noticed_without_a_superuser(private_postgres: Callable[..., Server]) -> None:
    local = private_postgres(samerole=False)
    await run_sql(local, "postgres", "create role operator login createrole createdb password 'operator'")
    url = f"postgresql://operator:operator@{local.host}:{local.port}/postgres"
    server = dataclasses.replace(local, admin_url=url, exclusive=False)
    await provision(server, layout=TWO, passwords=password_of)
    await run_sql(local, "postgres", "alter role user_reader password 'changed by hand'")
    (action,) = await apply(server, layout=TWO, passwords=password_of)
    assert action.password_of == "user_reader"


async def test_a_server_that_does_not_answer_is_named_without_its_secret() -> None:
    url = "postgresql://operator:hidden@127.0.0.1:1/postgres"
    server = server_module.Server(admin_url=url, host="127.0.0.1", port=1)
    with pytest.raises(AlphintraError) as caught:
        await provision(server, layout=TWO, passwords=password_of)
    assert caught.value.code == "TOPOLOGY_CONNECT"
    assert "operator" in caught.value.detail
    assert "127.0.0.1" in caught.value.detail
    assert "hidden" not in caught.value.detail + repr(server)


async def test_a_server_too_old_is_refused_before_anything_is_made(
    postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "VERSION_MIN", 990000)
    with pytest.raises(AlphintraError) as caught:
        await plan_server(postgres_server, layout=TWO)
    assert caught.value.code == "PG_VERSION"


async def stranger_may_connect(server: Server, layout: tuple[Placement, ...]) -> list[str]:
    """Return the placed databases PUBLIC may connect to."""
    async with admin_connection(server) as connection:
        await connection.execute("create role passer_by")
        rows = await connection.fetch(
            "select datname from pg_database where datname = any($1::text[])"
            " and has_database_privilege('passer_by', datname, 'connect')",
            [placement.database for placement in layout],
        )
    return [row["datname"] for row in rows]


def server_log(server: Server) -> Path:
    socket = server.admin_url.partition("host=")[2].partition("&")[0]
    return Path(socket).parent / "data" / "server.log"
