"""The embedded PostgreSQL server, really started."""

from __future__ import annotations

import asyncio
import codecs
import os
import pwd
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.accounts import server_account
from alphintra.runtime.embedded_postgres import EmbeddedPostgres
from alphintra.runtime.home import Home
from alphintra.runtime.postgres_files import first_process
from alphintra.runtime.proc import is_alive, processes_in

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops privileges")


@asynccontextmanager
async def running(server: EmbeddedPostgres) -> AsyncIterator[EmbeddedPostgres]:
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def admin(server: EmbeddedPostgres) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(server.admin_dsn(), timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


async def remember(server: EmbeddedPostgres, word: str) -> None:
    async with admin(server) as connection:
        await connection.execute("create table if not exists kept (word text primary key)")
        await connection.execute("insert into kept values ($1)", word)


async def remembered(server: EmbeddedPostgres) -> list[str]:
    async with admin(server) as connection:
        return [row["word"] for row in await connection.fetch("select word from kept order by word")]


def postmaster(server: EmbeddedPostgres) -> int:
    pid = first_process(server.data)
    assert pid is not None
    assert is_alive(pid)
    return pid


async def test_data_and_port_stay_over_stop_and_start(home: Home) -> None:
    server = EmbeddedPostgres(home)
    async with running(server):
        await remember(server, "kept")
        port = server.port
    assert processes_in(server.data) == []
    again = EmbeddedPostgres(home)
    async with running(again):
        assert again.port == port
        assert await remembered(again) == ["kept"]


async def test_instance_is_made_as_declared(home: Home) -> None:
    async with running(EmbeddedPostgres(home)) as server, admin(server) as connection:
        shown = {
            name: await connection.fetchval("select current_setting($1)", name)
            for name in ("data_checksums", "wal_level", "track_commit_timestamp", "password_encryption", "fsync")
        }
        locale = await connection.fetchrow("select datlocprovider::text, datlocale from pg_database limit 1")
    assert shown == {
        "data_checksums": "on",
        "wal_level": "logical",
        "track_commit_timestamp": "on",
        "password_encryption": "scram-sha-256",
        "fsync": "on",
    }
    assert tuple(locale) == ("b", "C.UTF-8")


async def test_superuser_cannot_log_in_over_tcp_even_with_a_password(home: Home) -> None:
    async with running(EmbeddedPostgres(home)) as server:
        async with admin(server) as connection:
            await connection.execute("alter role postgres password 'known'")
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="reject"):
            await asyncpg.connect(host=server.host, port=server.port, user="postgres", password="known", timeout=10)


async def test_role_reaches_only_databases_named_like_a_role_granted_to_it(home: Home) -> None:
    async with running(EmbeddedPostgres(home)) as server:
        async with admin(server) as connection:
            await connection.execute("create role risk_db nologin; create role app login password 'pw'")
            await connection.execute("grant risk_db to app")
            await connection.execute("create database risk_db")
        address: dict[str, Any] = {"host": server.host, "port": server.port, "user": "app", "timeout": 10}
        inside = await asyncpg.connect(**address, password="pw", database="risk_db")
        assert await inside.fetchval("select current_user") == "app"
        await inside.close()
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await asyncpg.connect(**address, password="pw", database="postgres")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(**address, password="wrong", database="risk_db")


async def test_killed_server_starts_again_with_everything_committed(home: Home) -> None:
    server = EmbeddedPostgres(home)
    await server.start()
    await remember(server, "committed")
    os.kill(postmaster(server), signal.SIGKILL)
    await server.stop()
    async with running(EmbeddedPostgres(home)) as again:
        assert await remembered(again) == ["committed"]


async def test_server_left_running_is_shut_down_in_order_before_the_next_start(home: Home) -> None:
    left = EmbeddedPostgres(home)
    await left.start()
    await remember(left, "kept")
    first = postmaster(left)
    async with running(EmbeddedPostgres(home)) as server:
        assert not is_alive(first)
        assert await remembered(server) == ["kept"]
    await left.stop()
    log = (home.logs / "postgres.log").read_text()
    assert "database system was not properly shut down" not in log


async def test_stale_process_file_with_the_number_of_a_stranger_is_no_obstacle(home: Home) -> None:
    server = EmbeddedPostgres(home)
    async with running(server):
        text = (server.data / "postmaster.pid").read_text()
    account = server_account()  # PostgreSQL believes such a file if the process belongs to its own user
    stranger = await asyncio.create_subprocess_exec("/bin/sleep", "60", user=None if account is None else account.uid)
    try:
        lines = [str(stranger.pid), *text.splitlines()[1:]]
        (server.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
        async with running(EmbeddedPostgres(home)):
            assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


async def test_stale_lock_of_the_socket_with_the_number_of_a_stranger_is_no_obstacle(home: Home) -> None:
    server = EmbeddedPostgres(home)
    async with running(server):
        await remember(server, "kept")
        lock = server.socket_folder / f".s.PGSQL.{server.port}.lock"
        held = lock.read_text()
        os.kill(postmaster(server), signal.SIGKILL)
    account = server_account()
    user = None if account is None else account.uid
    stranger = await asyncio.create_subprocess_exec("sleep", "60", user=user, cwd="/")
    try:
        lock.write_text(held.replace(held.splitlines()[0], str(stranger.pid), 1))
        async with running(EmbeddedPostgres(home)) as again:
            assert await remembered(again) == ["kept"]
    finally:
        stranger.kill()
        await stranger.wait()


async def test_creation_cut_short_is_begun_again(home: Home) -> None:
    server = EmbeddedPostgres(home)
    half = home.postgres / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    async with running(server), admin(server) as connection:
        assert await connection.fetchval("select 1") == 1
    assert not half.exists()


async def test_port_of_another_program_is_named_with_its_setting(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(AlphintraError) as caught:
            await EmbeddedPostgres(home, port).start()
    assert caught.value.code == "PORT_IN_USE"
    assert str(port) in caught.value.detail
    assert caught.value.pointer == "ALPHINTRA_POSTGRES_PORT"
    assert not (home.postgres / "data").exists()


async def test_chosen_port_that_a_stranger_took_is_replaced(home: Home) -> None:
    server = EmbeddedPostgres(home)
    async with running(server):
        taken = server.port
    with socket.create_server(("127.0.0.1", taken)):
        async with running(EmbeddedPostgres(home)) as again:
            assert again.port != taken


async def test_data_of_another_major_version_is_refused_untouched(home: Home) -> None:
    server = EmbeddedPostgres(home)
    async with running(server):
        pass
    (server.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(AlphintraError) as caught:
        await EmbeddedPostgres(home).start()
    assert caught.value.code == "PG_VERSION"
    assert "17" in caught.value.detail


async def test_broken_settings_are_reported_with_the_servers_own_words(home: Home) -> None:
    server = EmbeddedPostgres(home)
    async with running(server):
        pass
    with (server.data / "postgresql.auto.conf").open("a") as file:
        file.write("shared_buffers = 'a lot'\n")
    with pytest.raises(AlphintraError) as caught:
        await EmbeddedPostgres(home).start()
    assert caught.value.code == "START_FAILED"
    assert "FATAL" in caught.value.detail
    assert processes_in(server.data) == []


async def test_home_with_a_long_path_gets_a_short_private_socket_folder(tmp_path: Path) -> None:
    home = Home.open(tmp_path / ("long" * 30) / "home")
    server = EmbeddedPostgres(home)
    try:
        async with running(server), admin(server) as connection:
            assert await connection.fetchval("select 1") == 1
            assert not server.socket_folder.is_relative_to(home.path)
            assert server.socket_folder.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(server.socket_folder, ignore_errors=True)


async def test_socket_folder_planted_by_somebody_else_is_refused(tmp_path: Path) -> None:
    home = Home.open(tmp_path / ("long" * 30) / "home")
    server = EmbeddedPostgres(home)
    server.socket_folder.symlink_to(tmp_path)
    try:
        with pytest.raises(AlphintraError) as caught:
            await server.start()
    finally:
        server.socket_folder.unlink()
    assert caught.value.code == "SOCKET_FOLDER"


async def test_two_homes_run_side_by_side(tmp_path: Path) -> None:
    homes = [Home.open(tmp_path / name) for name in ("one", "two")]
    servers = [EmbeddedPostgres(home) for home in homes]
    await asyncio.gather(*(server.start() for server in servers))
    try:
        await asyncio.gather(*(remember(server, str(server.port)) for server in servers))
        kept = [await remembered(server) for server in servers]
        assert kept == [[str(server.port)] for server in servers]
        assert servers[0].port != servers[1].port
    finally:
        await asyncio.gather(*(server.stop() for server in servers))


def owner_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


@as_root
async def test_as_root_the_server_runs_under_its_own_account_which_sees_nothing_else_of_the_home(home: Home) -> None:
    home.secret("trading-database")
    account = server_account()
    assert account is not None
    async with running(EmbeddedPostgres(home)) as server:
        pids = processes_in(server.data)
        assert {owner_of(pid) for pid in pids} == {account.uid}
        assert len(pids) > 1
        async with admin(server) as connection:
            with pytest.raises(asyncpg.PostgresError, match="Permission denied"):
                await connection.execute(f"copy (select 1) to '{home.run}/x'")
            with pytest.raises(asyncpg.PostgresError, match="Permission denied"):
                await connection.fetch(f"select pg_read_file('{home.secret_path('trading-database')}')")
    assert home.path.stat().st_mode & 0o777 == 0o700
    assert home.path.stat().st_uid == 0


@as_root
def test_ordinary_user_starts_and_stops_it_alike() -> None:
    """Run in a forked process without privileges: the interpreter itself may lie in root's private home."""
    base = Path("/var/tmp") / f"alphintra-test-{os.getpid()}"  # noqa: S108 - made below, for one user
    nobody = pwd.getpwnam("nobody")
    base.mkdir(mode=0o700)
    os.chown(base, nobody.pw_uid, nobody.pw_gid)
    for name in ("ascii", "idna", "latin-1", "utf-8"):
        codecs.lookup(name)  # imported on first use, which that user might not be allowed to
    try:
        child = os.fork()
        if child == 0:
            os._exit(_start_as(nobody, base))
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert (base / "home" / "postgres" / "data" / "PG_VERSION").stat().st_uid == nobody.pw_uid
    finally:
        shutil.rmtree(base)


def _start_as(user: pwd.struct_passwd, base: Path) -> int:
    """Return 0 if the user could start, use, kill and start again a server of its own."""
    try:
        os.chdir("/")
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        asyncio.run(_use_and_kill(base / "home"))
    except BaseException as error:  # noqa: BLE001 - a forked child must end here, whatever happened
        sys.stderr.write(f"{error!r}\n")
        return 1
    return 0


async def _use_and_kill(path: Path) -> None:
    home = Home.open(path)
    server = EmbeddedPostgres(home)
    await server.start()
    await remember(server, "mine")
    os.kill(postmaster(server), signal.SIGKILL)
    await server.stop()
    async with running(EmbeddedPostgres(home)) as again:
        if await remembered(again) != ["mine"]:
            raise RuntimeError("the row is gone")
