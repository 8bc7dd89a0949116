"""A service moved between databases under a steady writer, cut at every step, taken back, and refused."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg
import pytest

from alphintra.dataplane.layouts import LayoutName, Placement
from alphintra.dataplane.server import Server, admin_connection, role_connection
from alphintra.infrastructure.postgres import Database, Queries
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.credentials import role_password, service_credentials
from alphintra.runtime.layout import credentials_path
from alphintra.runtime.moving.planning import Wish, plan_moves
from alphintra.runtime.settings import RuntimeSettings
from fixtures.moving.broken import staged
from fixtures.moving.town import NEW, OLD, Town, built, leftovers
from fixtures.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


pytestmark = pytest.mark.timeout(1200)

QUERIES: Final = Queries(
    {
        "event.add": "insert into event_log (event_id, subject, aggregate_id, payload, occurred_at) "
        "values ($1, 'test', $1, 'x', now()) returning seq",
        "event.all": "select event_id, seq from event_log",
        "database.name": "select current_database()",
    }
)


def drawn() -> uuid.UUID:
    return uuid.UUID(bytes=secrets.token_bytes(16))


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


async def opened(town: Town) -> Database:
    """Open the service's database as its process does."""
    source = credentials_path(town.home, "core")
    found = service_credentials(source, "user")
    return await Database.open(
        found.database_url,
        queries=QUERIES,
        application="test",
        connections_max=4,
        renewed=lambda: service_credentials(source, "user").database_urls,
        gate=Path(found.gate),
    )


@pytest.fixture
async def town(private_postgres: Callable[..., Server], tmp_path: Path) -> Town:
    return await built(private_postgres(), tmp_path)


async def moved(town: Town, ledger: Ledger, *, target: Placement = NEW) -> None:
    async with town.moving(town.journal(target)) as moving:
        await moving.go_on()
    await ledger.goes_on()


@pytest.mark.slow
async def test_a_service_moves_forth_and_back_and_no_request_notices(town: Town) -> None:
    database = await opened(town)
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
    async with staged(town) as scene:
        tool = await scene.begin("go_on", begin=town.journal(), hold="streaming")
        async with town.as_owner(NEW) as connection:
            await connection.execute("set session_replication_role = replica; update event_log set payload = 'y'")
        await scene.kill_tool(tool)
    async with town.moving() as moving:
        with pytest.raises(AlphintraError, match=r"event_log .(\d+) rows, then \1.") as refused:
            await moving.go_on()
        assert refused.value.code == "MIGRATE_DIFFERS"
    assert town.place == OLD
    await insert_as_service(town, OLD)
    async with town.moving() as moving:
        await moving.go_back()
    assert await leftovers(town.server) == []


@pytest.mark.slow
async def test_a_service_moves_to_a_newer_postgresql_and_back(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    old = private_postgres(version=15)
    new = replace(private_postgres(), instance="new")
    town = await built(old, tmp_path, new=new)
    target = replace(OLD, instance="new")
    database = await opened(town)
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
    wish = Wish(to=LayoutName.SEPARATE, services=("user",))
    with pytest.raises(AlphintraError) as refused:
        await plan_moves(town.home, town.servers, wish, settings=RuntimeSettings(home=town.home.path))
    assert refused.value.code == "MIGRATE_VERSION"


@pytest.mark.slow
async def test_what_came_before_the_way_back_does_not_come_back_by_it_after_a_crash(
    private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    """PostgreSQL 15 cannot tell what was brought by the way there, and a slot that moved may be back after a crash."""
    town = await built(private_postgres(version=15), tmp_path, second=replace(private_postgres(), instance="second"))
    there = replace(OLD, instance="second")
    async with staged(town) as scene:
        await scene.ledger.goes_on()
        await scene.begin("go_on", begin=town.journal(there), hold="streaming unfollowed reversed")
        await scene.ledger.goes_on()
        await scene.go_on_to_the_next()
        async with town.as_owner(OLD) as connection, connection.transaction():
            await connection.execute("lock table profiles in share mode")  # what comes back waits
            await scene.go_on_to_the_next()
            await scene.ledger.goes_on()
            await scene.crash("second")
        await scene.start("second")
        assert await scene.go_on() == 0
        await scene.ledger.goes_on()
        assert await scene.run("go_back") == 0
        await scene.require_whole((OLD,), codes=frozenset({"STORE_UNAVAILABLE"}))
