"""The audit of a PostgreSQL somebody else set up: red for the usual way, clean for ours, and nothing changed there."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.cli.main import main
from alphintra.dataplane import server as server_module
from alphintra.dataplane.audit.finding import Severity
from alphintra.dataplane.audit.mapping import Mapped
from alphintra.dataplane.audit.run import Audit, audit_server
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, Placement, choose_layout, separate_layout
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import admin_connection, role_connection
from alphintra.dataplane.usual_setup import set_up_usual
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from alphintra.dataplane.server import Server

VERSIONS = (18, pytest.param(15, marks=pytest.mark.slow))
TWO = tuple(placement for placement in separate_layout() if placement.service in {"trading", "user"})
CENTRAL = choose_layout(LayoutChoice(name=LayoutName.CENTRAL))
TOLD = frozenset({"OTHER_ROLES", "SHARED_INSTANCE", "TOPOLOGY_SHARED_DB", "TOPOLOGY_MISSING", "CREDENTIALS_NOT_TRIED"})
USUAL = frozenset(
    {
        "BORDER_OPEN",
        "PUBLIC_CONNECT",
        "PUBLIC_TEMPORARY",
        "PUBLIC_FUNCTION",
        "PUBLIC_USAGE",
        "DATABASE_CREATE",
        "CONNECTIONS_UNLIMITED",
        "TOPOLOGY_PRIVILEGE",
        "DEFINER_SEARCH_PATH",
        "DEFAULT_PRIVILEGES",
        "LANGUAGE_PUBLIC",
    }
)

# What a hand may do to a clean server, the code that tells, and how the hand takes it back.
MUTATIONS = (
    (
        "postgres",
        "grant connect on database alphintra_trading to user_service_user",
        "TOPOLOGY_GRANT",
        "revoke {} from",
    ),
    ("postgres", "grant connect on database alphintra_trading to public", "PUBLIC_CONNECT", "revoke {} from"),
    ("postgres", "grant create on database alphintra_user to user_service_user", "DATABASE_CREATE", "revoke {} from"),
    ("postgres", "grant trading_service_user to user_service_user", "CROSS_MEMBERSHIP", "revoke {} from"),
    ("postgres", "grant trading_owner to user_service_user", "CROSS_MEMBERSHIP", "revoke {} from"),
    ("postgres", "grant user_owner to user_service_user", "OWNER_MEMBER", "revoke {} from"),
    ("postgres", "grant pg_read_all_data to user_service_user", "PREDEFINED_ROLE", "revoke {} from"),
    (
        "postgres",
        "alter role user_service_user superuser",
        "ROLE_SUPERUSER",
        "alter role user_service_user nosuperuser",
    ),
    (
        "postgres",
        "alter role user_service_user createrole",
        "ROLE_CREATEROLE",
        "alter role user_service_user nocreaterole",
    ),
    (
        "postgres",
        "alter role user_service_user connection limit -1",
        "CONNECTIONS_UNLIMITED",
        "alter role user_service_user connection limit 20",
    ),
    (
        "postgres",
        "alter database alphintra_user owner to user_service_user",
        "OWNS_DATABASE",
        (
            "alter database alphintra_user owner to postgres;"
            " grant connect on database alphintra_user to user_service_user"
        ),
    ),
    (
        "alphintra_trading",
        "alter table trading_schema.orders owner to trading_service_user",
        "TOPOLOGY_PRIVILEGE",
        "alter table trading_schema.orders owner to trading_owner",
    ),
    (
        "alphintra_trading",
        "grant select on trading_schema.orders to user_service_user",
        "CROSS_GRANT",
        "revoke {} from",
    ),
    ("alphintra_trading", "grant select on trading_schema.orders to public", "PUBLIC_TABLE", "revoke {} from"),
    ("alphintra_trading", "grant usage on schema trading_schema to public", "PUBLIC_SCHEMA", "revoke {} from"),
    ("alphintra_trading", "grant create on schema public to public", "PUBLIC_CREATE", "revoke {} from"),
    (
        "alphintra_trading",
        "alter function trading_schema.queue_audit_seal() reset search_path",
        "DEFINER_SEARCH_PATH",
        "alter function trading_schema.queue_audit_seal() set search_path = trading_schema, pg_temp",
    ),
    (
        "alphintra_trading",
        "alter default privileges for role trading_owner grant select on tables to public",
        "DEFAULT_PRIVILEGES",
        "alter default privileges for role trading_owner revoke select on tables from public",
    ),
    ("alphintra_trading", "grant usage on language plpgsql to public", "LANGUAGE_PUBLIC", "revoke {} from"),
)


def mapped_of(layout: Sequence[Placement]) -> list[Mapped]:
    return [
        Mapped(service=item.service, database=item.database, role=item.service_role, schema=item.schema)
        for item in layout
    ]


def held(role: str, database: str) -> str:
    del database
    return password_of(role)


def nothing_held(role: str, database: str) -> None:
    del role, database


def codes(found: Audit, *, with_remarks: bool = True) -> set[str]:
    return {item.code for item in found.findings if with_remarks or item.severity is not Severity.REMARK}


async def next_transaction(server: Server) -> int:
    """Return the number the next transaction that writes will get."""
    async with admin_connection(server) as connection:
        return int(await connection.fetchval("select pg_snapshot_xmax(pg_current_snapshot())::text"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("is_given", [True, False], ids=["with passwords", "without"])
async def test_the_usual_set_up_comes_out_red_with_its_reasons_and_unchanged(
    private_postgres: Callable[..., Server], *, is_given: bool, version: int
) -> None:
    server = private_postgres(samerole=False, version=version)
    await set_up_usual(server, layout=TWO, passwords=password_of)
    before = await next_transaction(server)
    found = await audit_server(server, mapped_of(TWO), credentials=held if is_given else nothing_held)
    assert await next_transaction(server) == before, "the audit wrote something"
    assert not found.is_clean
    assert codes(found, with_remarks=False) == USUAL
    assert found.matrix.allowed_count == 4
    assert {item.word for item in found.manners} == {"credential" if is_given else "acting"}
    assert found.version == version


@pytest.mark.parametrize("layout", [TWO, pytest.param(CENTRAL, marks=pytest.mark.slow)], ids=["separate", "central"])
async def test_the_statements_of_the_findings_close_them_and_leave_the_services_their_data(
    private_postgres: Callable[..., Server], layout: tuple[Placement, ...]
) -> None:
    server = private_postgres(samerole=False)
    await set_up_usual(server, layout=layout, passwords=password_of)
    found = await audit_server(server, mapped_of(layout), credentials=held)
    for finding in found.findings:
        for statement in finding.close:
            async with admin_connection(server, database=statement.database) as connection:
                await connection.execute(statement.sql)
    again = await audit_server(server, mapped_of(layout), credentials=held)
    assert codes(again, with_remarks=False) == set()
    assert again.matrix.allowed_count == len(layout)
    role, database = layout[0].service_role, layout[0].database
    async with role_connection(server, role=role, password=password_of(role), database=database) as connection:
        sql = "insert into inbox (consumer, event_id) values ('still works', gen_random_uuid())"
        assert await connection.execute(sql) == "INSERT 0 1"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [pytest.param(LayoutName.SEPARATE, marks=pytest.mark.slow), LayoutName.CENTRAL])
async def test_a_provisioned_layout_comes_out_clean(
    private_postgres: Callable[..., Server], name: LayoutName, version: int
) -> None:
    server = private_postgres(version=version)
    layout = choose_layout(LayoutChoice(name=name))
    await provision(server, layout=layout, passwords=password_of)
    found = await audit_server(server, mapped_of(layout), credentials=held)
    assert codes(found, with_remarks=False) == set()
    assert codes(found) <= TOLD
    assert (found.matrix.allowed_count, found.matrix.denied_count) == (8, 56)


async def test_the_attack_probes_find_nothing_open_in_what_we_provision(
    private_postgres: Callable[..., Server],
) -> None:
    server = private_postgres()
    await provision(server, layout=TWO, passwords=password_of)
    found = await audit_server(server, mapped_of(TWO), credentials=held, with_probes=True)
    assert codes(found, with_remarks=False) == set()
    assert "PROBE_LEAKS" in codes(found)
    untold = await audit_server(server, mapped_of(TWO), credentials=nothing_held, with_probes=True)
    assert "PROBES_NOT_RUN" in codes(untold)


@pytest.mark.slow
async def test_one_role_for_all_services_is_no_separation(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    layout = choose_layout(LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True))
    await provision(server, layout=layout, passwords=password_of)
    found = await audit_server(server, mapped_of(layout), credentials=held)
    assert codes(found, with_remarks=False) == {"BORDER_OPEN", "SHARED_ROLE"}
    assert found.matrix.denied_count == 0


@pytest.mark.slow
async def test_each_change_by_hand_is_found_and_called_by_its_name(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres()
    await provision(server, layout=TWO, passwords=password_of)
    for database, statement, code, undo in MUTATIONS:
        async with admin_connection(server, database=database) as connection:
            await connection.execute(statement)
            found = await audit_server(server, mapped_of(TWO), credentials=held)
            assert code in codes(found, with_remarks=False), statement
            what, _, whom = statement.removeprefix("grant ").rpartition(" to ")
            await connection.execute(f"{undo.format(what)} {whom}" if "{}" in undo else undo)
    found = await audit_server(server, mapped_of(TWO), credentials=held)
    assert codes(found) <= TOLD, "every change was taken back"


async def test_an_administrator_who_is_no_superuser_asks_and_says_what_it_cannot_see(
    private_postgres: Callable[..., Server],
) -> None:
    server = private_postgres(samerole=False)
    await set_up_usual(server, layout=TWO, passwords=password_of)
    async with admin_connection(server) as connection:
        await connection.execute("create role auditor login password 'one' createrole")
    url = f"postgresql://auditor:one@{server.host}:{server.port}/postgres"
    asking = server_module.Server(admin_url=url, host=server.host, port=server.port, exclusive=False)
    found = await audit_server(asking, mapped_of(TWO), credentials=nothing_held)
    assert {"BORDER_OPEN", "PUBLIC_CONNECT", "TOPOLOGY_PRIVILEGE"} <= codes(found)
    assert {"HBA_HIDDEN", "PASSWORD_HIDDEN", "CREDENTIALS_NOT_TRIED"} <= codes(found)
    assert {item.word for item in found.manners} == {"asked"}


@pytest.mark.slow
@pytest.mark.parametrize("version", [18, 15])
async def test_what_an_administrator_without_superuser_provisioned_is_clean_as_far_as_it_can_see(
    private_postgres: Callable[..., Server], version: int
) -> None:
    server = private_postgres(samerole=False, version=version)
    async with admin_connection(server) as connection:
        await connection.execute("create role managed login password 'one' createrole createdb")
    url = f"postgresql://managed:one@{server.host}:{server.port}/postgres"
    managed = server_module.Server(admin_url=url, host=server.host, port=server.port, exclusive=False)
    await provision(managed, layout=TWO, passwords=password_of)
    found = await audit_server(managed, mapped_of(TWO), credentials=held, with_probes=True)
    assert codes(found, with_remarks=False) == set()
    assert {"HBA_HIDDEN", "PASSWORD_HIDDEN", "LANGUAGE_PUBLIC"} <= codes(found), "what it cannot see or close is said"


async def test_names_that_are_not_alphintras_are_audited_alike(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres(samerole=False)
    async with admin_connection(server) as connection:
        for statement in (
            "create role shop login password 'shop'",
            "create role \"Bill-ing\" login password 'bill'",
            'create database "Web Shop" owner shop',
        ):
            await connection.execute(statement)
    async with admin_connection(server, database="Web Shop") as connection:
        await connection.execute('create schema billing authorization "Bill-ing"')
        await connection.execute('create table billing."In voices" (id int); grant usage on schema billing to shop')
        await connection.execute("create table public.baskets (id int); alter table public.baskets owner to shop")
        await connection.execute('grant select on billing."In voices" to shop')
    mapped = [
        Mapped(service="shop", database="Web Shop", role="shop", schema="public"),
        Mapped(service="billing", database="Web Shop", role="Bill-ing", schema="billing"),
    ]
    found = await audit_server(server, mapped, credentials=nothing_held)
    cells = {(cell.user, cell.target): cell.is_allowed for cell in found.matrix.cells}
    assert cells["shop", "billing"]
    assert not cells["billing", "shop"]
    assert {"OWNS_DATABASE", "CROSS_GRANT", "TOPOLOGY_PRIVILEGE"} <= codes(found)


def test_the_command_prints_the_matrix_and_exits_by_what_it_found(
    private_postgres: Callable[..., Server], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    server = private_postgres(samerole=False)
    asyncio.run(set_up_usual(server, layout=TWO, passwords=password_of))
    passwords = tmp_path / "passwords"
    passwords.write_text("".join(f"*:*:*:{item.service_role}:{password_of(item.service_role)}\n" for item in TWO))
    passwords.chmod(0o600)
    entries = [f"--map={item.service}={item.database}:{item.service_role}" for item in TWO]
    arguments = ["db", "verify", "--url", server.admin_url, *entries, "--password-file", str(passwords)]
    assert main([*arguments, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert {item["code"] for item in document["findings"]} >= USUAL
    assert {item["tried_by"] for item in document["services"]} == {"credential"}
    assert "PROBE_OPEN" in {item["code"] for item in document["findings"]}
    assert main([*arguments, "--quick"]) == 1
    printed = capsys.readouterr().out
    assert "NOT clean: 4 allow, 0 deny" in printed
    assert main([*arguments, "--sql"]) == 1
    script = capsys.readouterr().out
    assert 'REVOKE CONNECT ON DATABASE "alphintra_trading" FROM PUBLIC;' in script
    for output in (printed, script, json.dumps(document)):
        assert not any(password_of(item.service_role) in output for item in TWO)


def test_bad_input_is_one_clear_line_and_status_2(
    private_postgres: Callable[..., Server],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    server = private_postgres(samerole=False)
    asyncio.run(set_up_usual(server, layout=TWO, passwords=password_of))
    good = "user=alphintra_user:user_service_user"
    loose = tmp_path / "loose"
    loose.write_text("*:*:*:user_service_user:wrong\n")
    wrong = tmp_path / "wrong"
    wrong.write_text("*:*:*:user_service_user:wrong\n")
    wrong.chmod(0o600)
    refused_url = f"postgresql://postgres:hidden@{server.host}:{server.port}/postgres"
    cases = (
        (["--url", server.admin_url], "AUDIT_MAP"),
        (["--url", server.admin_url, "--map", "user"], "AUDIT_MAP"),
        (["--url", server.admin_url, "--map", good, "--map", good], "TOPOLOGY_CLASH"),
        (["--url", server.admin_url, "--map", "user=none:user_service_user"], "TOPOLOGY_UNKNOWN"),
        (["--url", server.admin_url, "--map", "user=alphintra_user:nobody"], "TOPOLOGY_UNKNOWN"),
        (["--url", server.admin_url, "--map", f"{good}:none"], "TOPOLOGY_UNKNOWN"),
        (["--map", good], "AUDIT_URL"),
        (["--url", "hidden", "--map", good], "AUDIT_URL"),
        (["--url", refused_url, "--map", good], "TOPOLOGY_CONNECT"),
        (["--url", "postgresql://a:hidden@127.0.0.1:1/postgres", "--map", good], "TOPOLOGY_CONNECT"),
        (["--url", server.admin_url, "--map", good, "--password-file", str(wrong)], "TOPOLOGY_CONNECT"),
        (["--url", server.admin_url, "--map", good, "--password-file", str(loose)], "SECRET_MODE"),
        (["--url", server.admin_url, "--map", good, "--password-file", str(tmp_path / "no")], "FILE_NOT_FOUND"),
    )
    for arguments, code in cases:
        assert main(["db", "verify", *arguments]) == 2, arguments
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert error.startswith(f"error {code}: "), (arguments, error)
        assert "hidden" not in error
    monkeypatch.setattr(server_module, "VERSION_MIN", 990000)
    assert main(["db", "verify", "--url", server.admin_url, "--map", good]) == 2
    assert "error PG_VERSION: " in capsys.readouterr().err


@pytest.mark.slow
async def test_a_trusting_line_of_pg_hba_is_a_breach(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres(samerole=False)
    await set_up_usual(server, layout=TWO, passwords=password_of)
    async with admin_connection(server) as connection:
        path = await connection.fetchval("select current_setting('hba_file')")
        line = "host alphintra_user user_service_user 10.0.0.0/8 trust"
        text = await connection.fetchval("select pg_read_file($1)", path)
        sql = f"copy (select regexp_split_to_table($hba${line}\n{text}$hba$, '\\n')) to '{path}'"
        await connection.execute(sql)
        await connection.execute("select pg_reload_conf()")
    found = await audit_server(server, mapped_of(TWO), credentials=nothing_held)
    trusting = [item for item in found.findings if item.code == "HBA_TRUST"]
    assert [item.services for item in trusting] == [("user",)]
    assert trusting[0].severity is Severity.BREACH


@pytest.mark.slow
async def test_a_password_kept_as_md5_is_found(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres(samerole=False)
    await set_up_usual(server, layout=TWO, passwords=password_of)
    async with admin_connection(server) as connection:
        await connection.execute("set password_encryption = md5; set client_min_messages = error")
        try:
            await connection.execute("alter role user_service_user password 'old way'")
        except asyncpg.PostgresError as error:
            pytest.skip(f"this PostgreSQL stores no md5 any more: {error}")
    found = await audit_server(server, mapped_of(TWO), credentials=nothing_held)
    assert [item.services for item in found.findings if item.code == "PASSWORD_MD5"] == [("user",)]
