"""All services merged into one schema and parted again under a steady writer, cut at every step, and refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from alphintra.dataplane.apply import plan_server
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import Server, admin_connection
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.credentials import role_password
from alphintra.runtime.home import Home
from alphintra.runtime.layout import record_layout, recorded_layout
from alphintra.runtime.moving.charge import follow_layout
from alphintra.runtime.moving.history import read_history
from alphintra.runtime.moving.journal import Journal, read_journal
from alphintra.runtime.moving.planning import Wish, plan_moves
from alphintra.runtime.provision import ProvisionOrder
from alphintra.runtime.settings import ProcessLayout, RuntimeSettings
from fixtures.moving.broken import Scene, staged
from fixtures.moving.stream import opened_stream
from fixtures.moving.town import Town

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from alphintra.dataplane.layouts import Placement
    from fixtures.nats import NatsServer

pytestmark = [pytest.mark.timeout(3600), pytest.mark.slow]

BLOWS: Final = ("tool", "tool and guard", "service", "server", "nats", "everything")
# Where nobody is left to hold the gate, requests meet tables that are not theirs, or not there, until somebody goes on.
CODES: Final = frozenset({"STORE_UNAVAILABLE", "InsufficientPrivilegeError", "UndefinedTableError"})
OTHER: Final = {
    LayoutName.CONSOLIDATED: LayoutName.CENTRAL,
    LayoutName.CENTRAL: LayoutName.CONSOLIDATED,
}


async def central(server: Server, path: Path) -> Town:
    """Return a town whose eight services live in one database of the server."""
    home = Home.open(path / "home")
    layout = choose_layout(LayoutChoice(name=LayoutName.CENTRAL))
    order = ProvisionOrder(
        instances=(server,), layout=layout, nats_url="nats://127.0.0.1:1", port=1, processes=ProcessLayout.DEFAULT
    )
    await provision(server, layout=layout, passwords=role_password(home))
    record_layout(home, layout)
    follow_layout(home, order, {"main": server})
    return Town(home=home, servers={"main": server})


async def wished(town: Town, to: LayoutName, *, is_accepted: bool = True, **wish: object) -> Journal:
    settings = RuntimeSettings(home=town.home.path, accept_consolidated=is_accepted)
    asked = Wish(to=to, **wish)  # type: ignore[arg-type]
    planned = await plan_moves(town.home, town.servers, asked, settings=settings)
    return Journal(to=to.value, records=[each.record for each in planned])


async def require_declared(town: Town) -> None:
    """Nothing is left to do in the database, and no role of the other places is left."""
    layout = recorded_layout(town.home)
    assert await plan_server(town.server, layout=layout) == ()
    used = {role for place in layout for role in (*place.login_roles, place.owner_role)}
    async with admin_connection(town.server) as connection:
        found = await connection.fetch(
            "select rolname from pg_roles where rolname ~ '_(owner|migrator|reader|backup|sealer|retainer|user)$' "
            "and rolname <> 'alphintra_catalog_reader' and rolname !~ '^pg_'"
        )
    assert {row[0] for row in found} == used


def sides(journal: Journal) -> tuple[Placement, Placement]:
    record = next(item for item in journal.records if item.service == "user")
    return record.source, record.target


@pytest.fixture
async def town(private_postgres: Callable[..., Server], tmp_path: Path) -> Town:
    return await central(private_postgres(), tmp_path)


async def test_services_come_into_one_schema_and_leave_it_and_no_request_fails(town: Town) -> None:
    async with staged(town) as scene:
        for to in (LayoutName.CONSOLIDATED, LayoutName.CENTRAL):
            journal = await wished(town, to)
            assert {len({item.database, "alphintra_central"}) for item in recorded_layout(town.home)} == {1}
            async with town.moving(journal) as moving:
                await moving.go_on()
            assert town.place == sides(journal)[1]
            assert bool(town.place.merged_schema) is (to is LayoutName.CONSOLIDATED)
            await scene.ledger.goes_on()
            await scene.require_whole((town.place,), codes=frozenset())
            async with town.moving() as moving:
                await moving.go_back()
            assert town.place == sides(journal)[0]
            await scene.ledger.goes_on()
            await scene.require_whole((town.place,), codes=frozenset())
            async with town.moving(await wished(town, to)) as moving:
                await moving.go_on()
                await moving.finish()
            await require_declared(town)
    moved = read_history(town.home)
    assert len(moved) == len(recorded_layout(town.home)) * 6
    assert [each.is_back for each in moved[:24:8]] == [False, True, False]


async def strike(scene: Scene, blow: str, *, tool: int) -> None:
    """Kill at the step, let what is left go on until it has ended, and start again what was killed."""
    if blow in {"server", "everything"}:
        await scene.crash("main")
    if blow in {"nats", "everything"}:
        scene.kill_bus()
    if blow in {"service", "everything"}:
        await scene.kill_writer()
    is_tool_killed = blow in {"tool", "tool and guard", "everything"}
    if is_tool_killed:
        await scene.kill_tool(tool, with_guard=blow != "tool")
    if blow in {"server", "everything"}:
        await scene.start("main")
    if not is_tool_killed:
        await scene.go_on()
    scene.start_bus()
    if blow not in {"tool and guard", "everything"}:
        await scene.ledger.goes_on()


async def do(scene: Scene, to: LayoutName, *, whats: Sequence[str]) -> None:
    """Begin a merge, or the parting, and do the rest of it."""
    assert await scene.run("go_on", begin=await wished(scene.town, to)) == 0
    for what in whats:
        assert await scene.run(what) == 0


async def steps_of(scene: Scene, to: LayoutName, what: str) -> tuple[str, ...]:
    """Do undisturbed what is to be broken, and return the steps it passes; the services are where they were."""
    await do(scene, to, whats=() if what == "go_on" else (what,))
    passed = tuple(dict.fromkeys(each.step for each in scene.passed))
    if what == "go_on":
        assert await scene.run("go_back") == 0
    elif what == "finish":
        await do(scene, OTHER[to], whats=("finish",))
    return passed


async def break_and_mend(scene: Scene, to: LayoutName, blow: str, *, what: str, step: str, by: str) -> None:
    """Break one merge at one step, and let one more run of the tool complete it or take it back."""
    town = scene.town
    journal = await wished(town, to)
    if what != "go_on":
        assert await scene.run("go_on", begin=journal) == 0
    tool = await scene.begin(what, begin=journal if what == "go_on" else None, hold=step)
    await strike(scene, blow, tool=tool)
    if read_journal(town.home) is not None:
        assert await scene.run(by) == 0
    assert town.place == sides(journal)[by != "go_back"]
    await scene.ledger.goes_on()
    codes = frozenset() if blow in {"tool", "service", "nats"} else CODES
    await scene.require_whole((town.place,), codes=codes)
    if by == "finish":
        await do(scene, OTHER[to], whats=("finish",))
    elif by == "go_on":
        assert await scene.run("go_back") == 0


@pytest.mark.parametrize("blow", BLOWS)
@pytest.mark.parametrize("to", OTHER)
async def test_a_merge_survives_whatever_dies_at_any_step(
    town: Town, private_nats: Callable[..., NatsServer], to: LayoutName, blow: str
) -> None:
    if to is LayoutName.CENTRAL:
        async with town.moving(await wished(town, LayoutName.CONSOLIDATED)) as moving:
            await moving.go_on()
            await moving.finish()
    ways = (("go_on", ("go_back", "go_on")), ("go_back", ("go_back",)), ("finish", ("finish",)))
    async with staged(town, await opened_stream(private_nats)) as scene:
        for what, bys in ways:
            steps = await steps_of(scene, to, what)
            for step, by in ((step, by) for by in bys for step in steps):
                try:
                    await break_and_mend(scene, to, blow, what=what, step=step, by=by)
                except (AssertionError, TimeoutError, pytest.fail.Exception) as error:
                    error.add_note(f"in {what} at {step}, then {by}")
                    raise
    assert read_journal(town.home) is None
    await require_declared(town)


async def test_what_cannot_be_merged_is_refused_before_anything_is_changed(town: Town) -> None:
    async def refused(to: LayoutName, **wish: object) -> str:
        with pytest.raises(AlphintraError) as error:
            await wished(town, to, **wish)  # type: ignore[arg-type]
        return error.value.code

    merged = LayoutName.CONSOLIDATED
    assert await refused(merged, is_accepted=False) == "LAYOUT_NOT_ACCEPTED"
    assert await refused(merged, services=("user",)) == "MIGRATE_LAYOUT"
    assert await refused(merged, instance="elsewhere") == "MIGRATE_LAYOUT"
    async with admin_connection(town.server, database="alphintra_central") as connection:
        await connection.execute("create schema alphintra_schema; create table alphintra_schema.orders (id int)")
        assert await refused(merged) == "MIGRATE_TARGET"
        await connection.execute("drop schema alphintra_schema cascade; alter table user_schema.profiles add odd int")
        assert await refused(merged) == "SCHEMA_DRIFT"
        await connection.execute("alter table user_schema.profiles drop odd")
    before = recorded_layout(town.home)
    async with town.moving(await wished(town, merged)) as moving:
        await moving.go_on()
        with pytest.raises(AlphintraError) as error:
            await wished(town, LayoutName.CENTRAL)
        assert error.value.code == "MIGRATE_OPEN"
        await moving.finish()
    assert await refused(merged) == "MIGRATE_NOTHING"
    assert await refused(LayoutName.SEPARATE) == "MIGRATE_LAYOUT"
    record_layout(town.home, [replace(place, database=f"alphintra_{place.service}") for place in before])
    assert await refused(merged) == "MIGRATE_LAYOUT"


async def test_a_transaction_that_will_not_end_leaves_the_services_where_they_are(town: Town) -> None:
    journal = await wished(town, LayoutName.CONSOLIDATED)
    place = sides(journal)[0]
    async with admin_connection(town.server, database=place.database) as stray:
        await stray.execute("begin; lock table user_schema.profiles in access exclusive mode")
        async with town.moving(journal) as moving:
            with pytest.raises(AlphintraError) as error:
                await moving.go_on()
            assert error.value.code in {"APPLY_FAILED", "MIGRATE_FAILED"}
            await stray.execute("rollback")
    assert town.place == place
    async with town.moving() as moving:
        await moving.go_back()
    await require_declared(town)
