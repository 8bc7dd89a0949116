"""Applying in every layout and on several instances: at once, killed at any point, refused with nothing changed."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from alphintra.dataplane import server as server_module
from alphintra.dataplane.apply import apply
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout, instances_of
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import admin_connection
from alphintra.dataplane.verify import find_drift
from alphintra.kernel.errors import AlphintraError
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server

TWO_INSTANCES = LayoutChoice(name=LayoutName.HYBRID, instances={"alphintra_workflow": "other"})
CHOICES = {
    "hybrid": LayoutChoice(name=LayoutName.HYBRID),
    "central": LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True),
    "consolidated": LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True),
    "two instances": TWO_INSTANCES,
}
# How far a run has come when it is killed: roles, a database, rights taken from PUBLIC in it.
POINTS = (
    "select count(*) > 20 from pg_roles",
    "select count(*) > 0 from pg_database where datname like 'alphintra%'",
    "select count(*) > 30 from pg_db_role_setting",
)
PROGRAM = """
import asyncio, sys
import msgspec
from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import Server
from fixtures.postgres import password_of
server = msgspec.json.decode(sys.argv[1], type=Server)
layout = msgspec.json.decode(sys.argv[2], type=tuple[Placement, ...])
asyncio.run(provision(server, layout=layout, passwords=password_of))
"""


async def kill_at(server: Server, layout: tuple[Placement, ...], point: str) -> None:
    """Start provisioning in a process of its own and kill it once the server answers ``point`` with true."""
    search = [path for path in sys.path if path]
    run = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"import sys; sys.path[:0] = {search!r}\n{PROGRAM}",
        msgspec.json.encode(server).decode(),
        msgspec.json.encode(layout).decode(),
    )
    async with admin_connection(server) as connection, asyncio.timeout(60):
        while run.returncode is None and not await connection.fetchval(point):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.002)
    if run.returncode is None:
        run.send_signal(signal.SIGKILL)
        await run.wait()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CHOICES)
async def test_killed_again_and_again_the_next_run_finishes_and_two_at_once_agree(
    private_postgres: Callable[..., Server], name: str
) -> None:
    layout = choose_layout(CHOICES[name])
    servers = [dataclasses.replace(private_postgres(), instance=instance) for instance in instances_of(layout)]
    for point in POINTS:
        await kill_at(servers[0], layout, point)
    runs = [provision(server, layout=layout, passwords=password_of) for server in servers for _ in range(2)]
    await asyncio.gather(*runs)
    assert await find_drift(servers, layout=layout, passwords=password_of) == ()
    for server in servers:
        assert await apply(server, layout=layout, passwords=password_of) == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", CHOICES)
async def test_what_nobody_declared_is_kept_in_every_layout(private_postgres: Callable[..., Server], name: str) -> None:
    layout = choose_layout(CHOICES[name])
    servers = [dataclasses.replace(private_postgres(), instance=instance) for instance in instances_of(layout)]
    await asyncio.gather(*(provision(server, layout=layout, passwords=password_of) for server in servers))
    database = next(placement.database for placement in layout if placement.instance == servers[0].instance)
    async with admin_connection(servers[0], database=database) as connection:
        await connection.execute("create schema extra; create table extra.notes (text text); create role stranger")
    await apply(servers[0], layout=layout, passwords=password_of)
    async with admin_connection(servers[0], database=database) as connection:
        await connection.execute("select from extra.notes; set role stranger")
    drift = await find_drift(servers, layout=layout)
    assert set(drift) == {
        f"{database}: schema extra is not declared",
        f"{database}: table extra.notes is not declared",
        f"{servers[0].instance}: role stranger is not declared",
    }


async def test_a_server_too_old_is_left_as_it_is(
    private_postgres: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = private_postgres(version=15)
    layout = choose_layout(LayoutChoice())
    monkeypatch.setattr(server_module, "VERSION_MIN", 160000)
    with pytest.raises(AlphintraError, match=r"PostgreSQL 15 .* is too old: use 16 or newer") as caught:
        await provision(server, layout=layout, passwords=password_of)
    assert caught.value.code == "PG_VERSION"
    monkeypatch.undo()
    assert await made(server) == []


async def test_an_administrator_with_a_wrong_password_changes_nothing(private_postgres: Callable[..., Server]) -> None:
    local = private_postgres(samerole=False)
    async with admin_connection(local) as connection:
        await connection.execute("create role operator login createrole createdb password 'operator'")
    url = f"postgresql://operator:mistyped@{local.host}:{local.port}/postgres"
    server = dataclasses.replace(local, admin_url=url, exclusive=False)
    with pytest.raises(AlphintraError) as caught:
        await provision(server, layout=choose_layout(LayoutChoice()), passwords=password_of)
    assert caught.value.code == "TOPOLOGY_CONNECT"
    assert "operator" in caught.value.detail
    assert "mistyped" not in caught.value.detail
    assert await made(local) == ["operator"]


async def made(server: Server) -> list[str]:
    """Return the roles and databases that did not come with the server."""
    async with admin_connection(server) as connection:
        rows = await connection.fetch(
            "select rolname as name from pg_roles where oid >= 16384 union all "
            "select datname from pg_database where oid >= 16384"
        )
    return [row["name"] for row in rows]
