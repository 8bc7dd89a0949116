"""New passwords under load, killed at every step, and what the next run or start makes of it."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from alphintra.dataplane.layouts import LayoutChoice, LayoutName, Placement, choose_layout, separate_layout
from alphintra.dataplane.provision import provision
from alphintra.dataplane.rotate import accepts_password
from alphintra.infrastructure.faults import CRASH_VARIABLE
from alphintra.infrastructure.postgres import Database, Queries
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.credentials import next_secret, read_credentials, role_password, service_credentials
from alphintra.runtime.home import Home
from alphintra.runtime.layout import credentials_path, process_plans
from alphintra.runtime.passwords import keep_coming_passwords, passwords_lock
from alphintra.runtime.provision import ProvisionOrder, write_all_credentials
from alphintra.runtime.rotation import KINDS, Rotated, choose_roles, rotate
from alphintra.runtime.settings import ProcessLayout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.dataplane.server import Server

STEPS = ("rotate.drawn", "rotate.offered", "rotate.set", "rotate.kept", "rotate.done")
QUERIES = Queries({"now.user": "select current_user::text"})
_CRASHED = 137
_RUN = """
import asyncio, sys, msgspec
from pathlib import Path
from alphintra.runtime.home import Home
from alphintra.runtime.provision import ProvisionOrder
from alphintra.runtime.rotation import choose_roles, rotate
order = msgspec.json.decode(Path(sys.argv[2]).read_bytes(), type=ProvisionOrder)
roles = choose_roles(order.layout, services=("risk", "user"), kinds=("service",))
asyncio.run(rotate(Home.existing(Path(sys.argv[1])), order, roles))
"""


async def installed(server: Server, home: Home, layout: Sequence[Placement]) -> ProvisionOrder:
    """Provision a layout with the home's own secrets, and write the processes' credentials."""
    order = ProvisionOrder(
        instances=(server,),
        layout=tuple(layout),
        nats_url="nats://127.0.0.1:1",
        port=1,
        processes=ProcessLayout.DEFAULT,
    )
    await provision(server, layout=layout, passwords=role_password(home))
    write_all_credentials(home, order)
    return order


def service_roles(order: ProvisionOrder) -> tuple[Rotated, ...]:
    return choose_roles(order.layout, services=(), kinds=("service",))


async def opened(home: Home, service: str) -> Database:
    """Open a service's database the way its process in the default layout does."""
    source = credentials_path(home, "core")
    return await Database.open(
        service_credentials(source, service).database_url,
        queries=QUERIES,
        application="test",
        connections_max=2,
        renewed=lambda: service_credentials(source, service).database_urls,
    )


async def refused_secrets(order: ProvisionOrder, home: Home) -> list[str]:
    """Return roles whose secret in the home the server does not take."""
    return [
        item.role
        for item in choose_roles(order.layout, services=(), kinds=KINDS)
        if not await accepts_password(
            order.instances[0], role=item.role, password=role_password(home)(item.role), database=item.database
        )
    ]


async def rotated_under_load(server: Server, home: Home, *, times: int) -> int:
    """Rotate all services' passwords so many times while every service connects and asks without a rest."""
    order = await installed(server, home, separate_layout())
    databases = [await opened(home, placement.service) for placement in order.layout]
    is_over = asyncio.Event()
    answered = 0

    async def ask(database: Database) -> None:
        nonlocal answered
        while not is_over.is_set():
            async with database.session() as session:
                assert await session.value("now.user")
            answered += 1
            # Each request on a new connection: a pool would keep the one it has, and never see a password again.
            await database._pool.expire_connections()
            await asyncio.sleep(0)

    asking = [asyncio.create_task(ask(database)) for database in databases]
    try:
        for _ in range(times):
            await rotate(home, order, service_roles(order))
    finally:
        is_over.set()
        await asyncio.gather(*asking)
        for database in databases:
            await database.close()
    assert await refused_secrets(order, home) == []
    return answered


async def test_requests_go_on_while_all_services_get_new_passwords(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    home = Home.open(tmp_path / "home")
    assert await rotated_under_load(private_postgres(), home, times=2) > 16


@pytest.mark.slow
async def test_no_request_fails_over_twenty_rotations(private_postgres: Callable[..., Server], tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    assert await rotated_under_load(private_postgres(), home, times=20) > 160


@pytest.mark.slow
@pytest.mark.parametrize("then", ["rotate", "start"])
async def test_a_rotation_killed_at_any_step_leaves_a_way_in_and_is_finished(
    private_postgres: Callable[..., Server], tmp_path: Path, then: str
) -> None:
    server = private_postgres()
    home = Home.open(tmp_path / "home")
    order = await installed(server, home, separate_layout())
    told = tmp_path / "order.json"
    told.write_bytes(msgspec.json.encode(order))
    database = await opened(home, "risk")
    for step in STEPS:
        run = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _RUN, str(home.path), str(told), env={**os.environ, CRASH_VARIABLE: step}
        )
        assert await run.wait() == _CRASHED, step
        async with database.session() as session:
            assert await session.value("now.user") == "risk_service_user", step
        await database._pool.expire_connections()
        if then == "rotate":
            done = await rotate(home, order, choose_roles(order.layout, services=("user",), kinds=("service",)))
            assert ("risk_service_user" in done.resumed) == (step in STEPS[:3]), step
        else:
            with passwords_lock(home, wait_s=0):
                keep_coming_passwords(home, order.layout)
            await provision(server, layout=order.layout, passwords=role_password(home))
            write_all_credentials(home, order)
        assert home.read_secret(next_secret("risk_service_user")) is None
        assert await refused_secrets(order, home) == [], step
        for plan in process_plans(order.processes):
            found = read_credentials(credentials_path(home, plan.name))
            assert all(not item.next_database_url for item in found.services), step
            assert all(
                role_password(home)(f"{item.service}_service_user") in item.database_url for item in found.services
            )
    await database.close()


async def test_a_shared_role_is_rotated_once_for_all_services(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    home = Home.open(tmp_path / "home")
    layout = choose_layout(LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True))
    order = await installed(private_postgres(), home, layout)
    database = await opened(home, "trading")
    done = await rotate(home, order, choose_roles(layout, services=("trading",), kinds=("service",)))
    assert [(item.role, len(item.services)) for item in done.rotated] == [("central_app_user", 8)]
    async with database.session() as session:
        assert await session.value("now.user") == "central_app_user"
    await database.close()


@pytest.mark.slow
async def test_the_old_password_is_refused_and_two_rotations_at_once_are(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    server = private_postgres()
    home = Home.open(tmp_path / "home")
    order = await installed(server, home, separate_layout())
    old = role_password(home)("risk_migrator")
    risk = choose_roles(order.layout, services=("risk",), kinds=KINDS)
    assert len((await rotate(home, order, risk)).rotated) == 5
    assert not await accepts_password(server, role="risk_migrator", password=old, database="alphintra_risk")
    with passwords_lock(home, wait_s=0), pytest.raises(AlphintraError) as refused, passwords_lock(home, wait_s=0):
        pass
    assert refused.value.code == "PASSWORDS_BUSY"


def test_the_role_that_reads_reports_has_a_password_where_reporting_is_on() -> None:
    layout = separate_layout()
    assert choose_roles(layout, services=("risk",), kinds=("reporter",)) == ()
    on = tuple(replace(placement, is_reported=True) for placement in layout)
    found = choose_roles(on, services=("risk",), kinds=("reporter",))
    assert [(item.role, item.services) for item in found] == [("alphintra_risk_reporter", ("risk",))]


def test_an_unknown_service_is_refused_before_anything_is_written() -> None:
    with pytest.raises(AlphintraError) as refused:
        choose_roles(separate_layout(), services=("risky",), kinds=KINDS)
    assert refused.value.code == "SERVICE_UNKNOWN"
