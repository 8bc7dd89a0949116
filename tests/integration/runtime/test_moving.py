"""A service moved between databases under a steady writer, cut at every step, taken back, and refused."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg
import msgspec
import pytest

from alphintra.dataplane.layouts import LayoutName, Placement, separate_layout
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import Server, admin_connection, role_connection
from alphintra.infrastructure.faults import CRASH_VARIABLE
from alphintra.infrastructure.postgres import Database, Queries
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.credentials import role_password, service_credentials
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.layout import credentials_path, record_layout, recorded_layout
from alphintra.runtime.moving.charge import follow_layout
from alphintra.runtime.moving.journal import Journal, Record, Step, read_journal
from alphintra.runtime.moving.planning import Wish, plan_moves
from alphintra.runtime.moving.run import opened_moving
from alphintra.runtime.provision import ProvisionOrder
from alphintra.runtime.settings import ProcessLayout, RuntimeSettings
from fixtures.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from alphintra.runtime.moving.run import Moving

pytestmark = pytest.mark.timeout(1200)

OLD: Final = Placement(service="user", database="alphintra_user")
NEW: Final = Placement(service="user", database="alphintra_platform")
QUERIES: Final = Queries(
    {
        "event.add": "insert into event_log (event_id, subject, aggregate_id, payload, occurred_at) "
        "values ($1, 'test', $1, 'x', now()) returning seq",
        "event.all": "select event_id, seq from event_log",
        "database.name": "select current_database()",
    }
)
STEPS: Final = (
    "planned", "prepared", "copied", "streaming", "begun", "shut", "fenced", "drained", "taken", "freed", "switched",
    "reversed",
)  # fmt: skip
_CRASHED: Final = 137
_RUN: Final = """
import asyncio, sys, msgspec
from pathlib import Path
from alphintra.dataplane.server import Server
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.moving.journal import Journal
from alphintra.runtime.moving.run import opened_moving
async def run():
    home = Home.existing(Path(sys.argv[1]))
    order = provisioned_order(home)
    servers = {server.instance: server for server in order.instances if server.instance != "elsewhere"}
    begin = msgspec.json.decode(sys.argv[2], type=Journal | None)
    async def find(_journal):
        return servers
    async with opened_moving(home, order, find, reach=lambda *_: "", begin=begin) as moving:
        await getattr(moving, sys.argv[3])()
asyncio.run(run())
"""


def drawn() -> uuid.UUID:
    return uuid.UUID(bytes=secrets.token_bytes(16))


@dataclass(slots=True, kw_only=True)
class Town:
    """One service on a server, with the other seven said to be elsewhere."""

    home: Home
    servers: dict[str, Server]

    @property
    def server(self) -> Server:
        return self.servers["main"]

    def journal(self, target: Placement = NEW) -> Journal:
        source = self.place
        record = Record(service="user", ident=secrets.token_hex(3), source=source, target=target)
        return Journal(to="hybrid", records=[record])

    @property
    def place(self) -> Placement:
        return next(item for item in recorded_layout(self.home) if item.service == "user")

    @asynccontextmanager
    async def moving(self, begin: Journal | None = None) -> AsyncIterator[Moving]:
        async def find(_journal: Journal) -> dict[str, Server]:
            return self.servers

        order = provisioned_order(self.home)
        async with opened_moving(self.home, order, find, reach=lambda *_: "", begin=begin) as moving:
            yield moving

    async def run(self, what: str, *, begin: Journal | None = None, crash_at: str = "") -> int:
        """Do it in a process of its own, which may be cut."""
        argv = [sys.executable, "-c", _RUN, str(self.home.path), msgspec.json.encode(begin).decode(), what]
        environ = {**os.environ, CRASH_VARIABLE: f"migrate.{crash_at}"} if crash_at else dict(os.environ)
        return await (await asyncio.create_subprocess_exec(*argv, env=environ)).wait()

    async def opened(self) -> Database:
        """Open the service's database as its process does."""
        source = credentials_path(self.home, "core")
        found = service_credentials(source, "user")
        return await Database.open(
            found.database_url,
            queries=QUERIES,
            application="test",
            connections_max=4,
            renewed=lambda: service_credentials(source, "user").database_urls,
            gate=Path(found.gate),
        )

    @asynccontextmanager
    async def as_owner(self, placement: Placement) -> AsyncIterator[asyncpg.Connection]:
        async with admin_connection(self.servers[placement.instance], database=placement.database) as connection:
            await connection.execute("set search_path = user_schema")
            yield connection


@dataclass(slots=True)
class Ledger:
    """What clients were told: each id that was acknowledged, and every error."""

    acknowledged: dict[uuid.UUID, int] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)

    async def goes_on(self) -> None:
        """Return when some more have been acknowledged."""
        count = len(self.acknowledged)
        await until(lambda: len(self.acknowledged) > count + 10)


@asynccontextmanager
async def written_to(database: Database, clients: int = 3) -> AsyncIterator[Ledger]:
    """Write without a rest, as several clients, and keep what was acknowledged."""
    ledger, is_over = Ledger(), asyncio.Event()

    async def write() -> None:
        while not is_over.is_set():
            ident = drawn()
            try:
                async with database.transaction() as session:
                    sequence = await session.value("event.add", ident)
                    await session.value("database.name")
            except (AlphintraError, asyncpg.PostgresError) as error:
                ledger.errors.append(error)
            else:
                ledger.acknowledged[ident] = sequence
            await asyncio.sleep(0.002)

    tasks = [asyncio.create_task(write()) for _ in range(clients)]
    try:
        yield ledger
    finally:
        is_over.set()
        await asyncio.gather(*tasks)


async def require_whole(database: Database, ledger: Ledger) -> None:
    """Nothing acknowledged is lost or changed, nothing is there twice, nobody was told an error."""
    assert ledger.errors == []
    async with database.session() as session:
        rows = await session.rows("event.all")
    held = {row["event_id"]: row["seq"] for row in rows}
    assert ledger.acknowledged.items() <= held.items()
    assert len(set(held.values())) == len(rows)


async def built(server: Server, path: Path, **more: Server) -> Town:
    home = Home.open(path / "home")
    layout = tuple(OLD if item.service == "user" else item for item in separate_layout(instance="elsewhere"))
    order = ProvisionOrder(
        instances=(server, replace(server, instance="elsewhere")),
        layout=layout,
        nats_url="nats://127.0.0.1:1",
        port=1,
        processes=ProcessLayout.DEFAULT,
    )
    await provision(server, layout=layout, passwords=role_password(home))
    record_layout(home, layout)
    servers = {"main": server, **more}
    follow_layout(home, order, servers)
    return Town(home=home, servers=servers)


@pytest.fixture
async def town(private_postgres: Callable[..., Server], tmp_path: Path) -> Town:
    return await built(private_postgres(), tmp_path)


async def moved(town: Town, ledger: Ledger, *, target: Placement = NEW) -> None:
    async with town.moving(town.journal(target)) as moving:
        await moving.go_on()
    await ledger.goes_on()


@pytest.mark.slow
async def test_a_service_moves_forth_and_back_and_no_request_notices(town: Town) -> None:
    database = await town.opened()
    async with written_to(database) as ledger:
        await moved(town, ledger)
        assert town.place == NEW
        async with town.moving() as moving:
            await moving.go_back()
        assert town.place == OLD
        await ledger.goes_on()
    await require_whole(database, ledger)
    await database.close()
    assert await leftovers(town.server) == []


async def leftovers(server: Server) -> list[str]:
    """Return what moves made in PostgreSQL and left."""
    found: list[str] = []
    async with admin_connection(server) as connection:
        names = [row[0] for row in await connection.fetch("select datname from pg_database where datallowconn")]
        found += [row[0] for row in await connection.fetch("select slot_name from pg_replication_slots")]
        found += [row[0] for row in await connection.fetch("select subname from pg_subscription")]
    for name in names:
        async with admin_connection(server, database=name) as connection:
            found += [row[0] for row in await connection.fetch("select pubname from pg_publication")]
            found += [
                f"{name}.{row[0]}"
                for row in await connection.fetch("select nspname from pg_namespace where nspname like 'alphintra%'")
            ]
    if "alphintra_platform" in names:
        found.append("alphintra_platform")
    return found


async def insert_as_service(town: Town, placement: Placement) -> None:
    """Write as the service's role, past the service and its gate."""
    ident = drawn()
    async with role_connection(
        town.servers[placement.instance],
        role=placement.service_role,
        password=role_password(town.home)(placement.service_role),
        database=placement.database,
    ) as connection:
        await connection.execute(
            "insert into event_log (event_id, subject, aggregate_id, payload, occurred_at) "
            "values ($1, 'stray', $1, 'x', now())",
            ident,
        )


@pytest.mark.slow
async def test_a_stray_writer_is_refused_at_the_place_the_service_has_left(town: Town) -> None:
    await insert_as_service(town, OLD)
    async with town.moving(town.journal()) as moving:
        await moving.go_on()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await insert_as_service(town, OLD)
    await insert_as_service(town, NEW)
    async with town.moving() as moving:
        await moving.finish()
    async with admin_connection(town.server) as connection:
        assert await connection.fetchval("select count(*) from pg_database where datname = 'alphintra_user'") == 0
    async with town.as_owner(NEW) as connection:
        assert await connection.fetchval("select count(*) from event_log") == 2
    assert await leftovers(town.server) == ["alphintra_platform"]


@pytest.mark.slow
async def test_a_row_changed_at_the_target_is_found_and_the_service_goes_back(town: Town) -> None:
    await insert_as_service(town, OLD)
    assert await town.run("go_on", begin=town.journal(), crash_at="streaming") == _CRASHED
    async with town.as_owner(NEW) as connection:
        await connection.execute("set session_replication_role = replica; update event_log set payload = 'y'")
    async with town.moving() as moving:
        with pytest.raises(AlphintraError, match=r"event_log .1 rows, then 1.") as refused:
            await moving.go_on()
        assert refused.value.code == "MIGRATE_DIFFERS"
    assert town.place == OLD
    await insert_as_service(town, OLD)
    async with town.moving() as moving:
        await moving.go_back()
    assert await leftovers(town.server) == []


@pytest.mark.slow
async def test_a_move_killed_at_any_step_leaves_one_side_in_charge_and_is_completed(town: Town) -> None:
    database = await town.opened()
    async with written_to(database) as ledger:
        for step in STEPS:
            assert await town.run("go_on", begin=town.journal(), crash_at=step) == _CRASHED, step
            await ledger.goes_on()
            assert await town.run("go_on") == 0, step
            assert town.place == NEW
            assert await town.run("go_back") == 0, step
            assert town.place == OLD
    await require_whole(database, ledger)
    await database.close()
    assert await leftovers(town.server) == []


@pytest.mark.slow
async def test_a_way_back_killed_at_any_step_leaves_one_side_in_charge_and_is_completed(town: Town) -> None:
    database = await town.opened()
    async with written_to(database) as ledger:
        for step in ("begun", "shut", "fenced", "drained", "taken", "freed", "switched", "forgotten"):
            assert await town.run("go_on", begin=town.journal()) == 0, step
            assert await town.run("go_back", crash_at=step) == _CRASHED, step
            await ledger.goes_on()
            assert await town.run("go_back") == 0, step
            assert town.place == OLD
    await require_whole(database, ledger)
    await database.close()
    assert await leftovers(town.server) == []


@pytest.mark.slow
async def test_a_service_moves_to_a_newer_postgresql_and_back(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    old = private_postgres(version=15)
    new = replace(private_postgres(), instance="new")
    town = await built(old, tmp_path, new=new)
    target = replace(OLD, instance="new")
    database = await town.opened()
    async with written_to(database) as ledger:
        await moved(town, ledger, target=target)
        assert town.place == target
        async with town.moving() as moving:
            await moving.go_back()
        await moved(town, ledger, target=target)
        async with town.moving() as moving:
            await moving.finish()
        await ledger.goes_on()
    await require_whole(database, ledger)
    await database.close()
    assert await leftovers(old) == await leftovers(new) == []
    with pytest.raises(AlphintraError) as refused:
        await plan_moves(
            town.home, town.servers, Wish(to=LayoutName.SEPARATE, services=("user",)), settings=settings(town)
        )
    assert refused.value.code == "MIGRATE_VERSION"


def settings(town: Town) -> RuntimeSettings:
    return RuntimeSettings(home=town.home.path)


async def refused(
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
    await refused(town, code="SERVICE_UNKNOWN", service="users")
    await refused(town, code="MIGRATE_NOTHING", to=LayoutName.SEPARATE)
    await refused(town, code="INSTANCE_UNKNOWN", instance="nowhere")
    town.servers["down"] = replace(town.server, instance="down", admin_url="postgresql://postgres@127.0.0.1:1/postgres")
    await refused(town, code="TOPOLOGY_CONNECT", instance="down")
    town.servers["outside"] = replace(town.server, instance="outside", exclusive=False)
    await refused(town, code="MIGRATE_REACH", instance="outside")
    for made, undone, code in (
        ("create table bare (a int)", "drop table bare", "MIGRATE_IDENTITY"),
        ("create unlogged table quick (a int primary key)", "drop table quick", "MIGRATE_UNSUPPORTED"),
        ("alter table inbox add column odd int", "alter table inbox drop column odd", "SCHEMA_DRIFT"),
    ):
        async with town.as_owner(OLD) as connection:
            await connection.execute(made)
        await refused(town, code=code)
        async with town.as_owner(OLD) as connection:
            await connection.execute(undone)
    async with admin_connection(town.server) as connection:
        await connection.execute("select pg_create_physical_replication_slot('s' || n) from generate_series(1, 9) n")
        await refused(town, code="MIGRATE_CAPACITY")
        await connection.execute("select pg_drop_replication_slot('s' || n) from generate_series(1, 9) n")
        await connection.execute("create database alphintra_platform")
    async with admin_connection(town.server, database="alphintra_platform") as connection:
        await connection.execute("create schema user_schema; create table user_schema.held (a int)")
    await refused(town, code="MIGRATE_TARGET")
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
