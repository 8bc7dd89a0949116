"""A service moved between the home's own server, which lets nobody in by network, and one that the operator runs."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from alphintra.dataplane.layouts import LayoutName, Placement
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import Server, admin_connection
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.credentials import role_password
from alphintra.runtime.layout import recorded_layout
from alphintra.runtime.moving.journal import read_journal
from alphintra.runtime.moving.planning import Wish, plan_moves
from alphintra.runtime.settings import RuntimeSettings
from alphintra.runtime.visitors import readmit_visitors
from fixtures.moving.broken import Scene, staged
from fixtures.moving.town import OLD, Town, built, leftovers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)

OUTSIDE = replace(OLD, instance="outside")
HOME = OLD


async def operators(start: Callable[..., Server], *, version: int = 18) -> Server:
    """Return a server as an operator runs one: its administrator logs in by network, with a password."""
    bare = start(samerole=False, version=version)
    password = secrets.token_hex(8)
    async with admin_connection(bare) as connection:
        await connection.execute(f"create role boss superuser login password '{password}'")
    url = f"postgresql://boss:{password}@127.0.0.1:{bare.port}/postgres"
    return replace(bare, admin_url=url, instance="outside", exclusive=False)


async def visitors(server: Server) -> list[str]:
    async with admin_connection(server) as connection:
        return [row[0] for row in await connection.fetch("select rolname from pg_roles where rolname like 'am\\_%'")]


async def planned(town: Town, instance: str) -> None:
    wish = Wish(to=LayoutName.SEPARATE, services=("user",), instance=instance)
    found = await plan_moves(town.home, town.servers, wish, settings=RuntimeSettings(home=town.home.path))
    assert [each.record.service for each in found] == ["user"]


async def go(scene: Scene, target: Placement, *, then: str) -> None:
    """Move under a writer to the other server, and go back or finish."""
    town = scene.town
    source = town.place
    async with town.moving(town.journal(target)) as moving:
        await moving.go_on()
    assert town.place == target
    await scene.ledger.goes_on()
    async with town.moving() as moving:
        await getattr(moving, then)()
    assert town.place == (source if then == "go_back" else target)
    await scene.ledger.goes_on()
    await scene.require_whole((source, target), codes=frozenset())
    for server in town.servers.values():
        assert await leftovers(server) == []
        assert await visitors(server) == []


@pytest.mark.slow
async def test_a_service_moves_between_the_homes_own_server_and_the_operators_both_ways(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    outside = await operators(private_postgres)
    town = await built(private_postgres(), tmp_path, outside=outside)
    async with staged(town) as scene:
        await planned(town, "outside")
        await go(scene, OUTSIDE, then="go_back")
        await go(scene, OUTSIDE, then="finish")
        await planned(town, "main")
        await go(scene, HOME, then="go_back")
        await go(scene, HOME, then="finish")
        assert town.place == HOME


@pytest.mark.slow
async def test_a_service_moves_from_an_older_server_of_the_operator_into_the_home_and_back(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    outside = replace(await operators(private_postgres, version=15), instance="main")
    town = await built(outside, tmp_path, own=replace(private_postgres(), instance="own"))
    await planned(town, "own")
    async with staged(town) as scene:
        await go(scene, replace(OLD, instance="own"), then="go_back")
        await go(scene, replace(OLD, instance="own"), then="finish")
        assert town.place.instance == "own"


@pytest.mark.slow
async def test_who_follows_the_homes_own_server_keeps_the_right_when_that_is_provisioned_anew(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    outside = replace(await operators(private_postgres), instance="main")
    own = replace(private_postgres(), instance="own")
    town = await built(outside, tmp_path, own=own)
    target = replace(OLD, instance="own")
    async with staged(town) as scene:
        async with town.moving(town.journal(target)) as moving:
            await moving.go_on()
        await provision(own, layout=recorded_layout(town.home), passwords=role_password(town.home))
        await readmit_visitors(town.home, [own])
        async with admin_connection(own) as connection:  # the stream has to log in again
            await connection.execute(
                "select pg_terminate_backend(active_pid) from pg_replication_slots where active_pid is not null"
            )
        await scene.ledger.goes_on()
        async with town.moving() as moving:
            await moving.go_back()
        await scene.ledger.goes_on()
        await scene.require_whole((OLD, target), codes=frozenset())
    assert await visitors(own) == []


async def test_a_server_that_the_other_one_cannot_find_is_refused_before_anything_is_changed(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    outside = await operators(private_postgres)
    town = await built(private_postgres(), tmp_path, outside=outside)
    await planned(town, "outside")
    town.servers["main"] = replace(town.server, port=1)  # where nothing listens
    with pytest.raises(AlphintraError, match="outside cannot reach main") as refused:
        await planned(town, "outside")
    assert refused.value.code == "MIGRATE_REACH"
    assert read_journal(town.home) is None
    for server in town.servers.values():
        assert await leftovers(server) == []
        assert await visitors(server) == []
