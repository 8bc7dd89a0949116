"""A service in its process: its health, its background tasks, its wakes, its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import nkeys  # type: ignore[import-untyped]
import pytest

from alphintra.infrastructure import host as host_module
from alphintra.infrastructure import nats_link
from alphintra.infrastructure.bus import LocalDirectory
from alphintra.infrastructure.host import Parts, ServiceCredentials, ServiceHost
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats, flushed
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.health import UserHealth
from fixtures.services import operator_context
from integration.infrastructure.streams import until, write_event

if TYPE_CHECKING:
    from fixtures.nats import NatsServer
    from fixtures.postgres import ServiceDatabase
    from fixtures.services import StartService

DEADLINE_S = 120


@asynccontextmanager
async def hosting(database: ServiceDatabase, nats_server: NatsServer) -> AsyncIterator[ServiceHost]:
    """Open a service as a process of its own does; not started."""
    service = database.placement.service
    login = nats_server.login(service)
    credentials = ServiceCredentials(
        service=service,
        database_url=database.dsn(),
        nats=NatsCredentials(url=login.url, user=login.user, seed=login.seed),
    )
    host = await ServiceHost.open(credentials, local=LocalDirectory(), connections_max=4)
    try:
        yield host
    finally:
        await host.close()


async def test_a_service_tells_its_health_from_its_own_database(start_service: StartService) -> None:
    user = await start_service("user", lambda _host, _parts: None, parts=Parts(background=False))
    async with user.host.database.transaction() as tx:
        await write_event(tx)
    health = await user.ask(UserHealth(), operator_context())
    (counted,) = await user.query("select count(*) as applied from schema_migrations")
    assert (health.service, health.database) == ("user", user.database.name)
    assert health.role == user.database.placement.service_role
    assert (health.migrations, health.events_waiting) == (counted["applied"], 1)
    assert 0 < health.latency_ms < DEADLINE_S * 1000


async def test_a_commit_in_one_process_wakes_the_background_of_another(
    service_database: Callable[[str], Awaitable[ServiceDatabase]], nats_server: NatsServer
) -> None:
    database = await service_database("user")
    woken = asyncio.Semaphore(0)
    async with hosting(database, nats_server) as front, hosting(database, nats_server) as back:
        await front.start(Parts(background=False))
        back.on_wake(woken.release)
        await back.start(Parts(commands=False, background=False))
        await flushed(back._nats)
        async with front.database.transaction() as tx:
            await write_event(tx)
        async with asyncio.timeout(DEADLINE_S):
            await woken.acquire()
    assert woken.locked()


async def test_a_background_task_that_fails_or_returns_is_started_again(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    nats_server: NatsServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host_module, "retry_delay", lambda _failures: 0.0)
    runs: list[int] = []
    finished = asyncio.Event()

    async def work() -> None:
        runs.append(len(runs))
        if len(runs) == 1:
            message = "at first"
            raise RuntimeError(message)
        if len(runs) == 3:
            try:
                await asyncio.Event().wait()
            finally:
                finished.set()

    async def is_third_run() -> bool:
        return len(runs) == 3

    async with hosting(await service_database("user"), nats_server) as host:
        host.run("work", work)
        await host.start(Parts(background=False))
        await until(is_third_run)
        assert not finished.is_set()
    assert finished.is_set()
    assert runs == [0, 1, 2]


@pytest.mark.parametrize("wrong", ["address", "key"])
async def test_a_bus_that_cannot_be_reached_is_unavailable_and_the_seed_is_not_shown(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setattr(nats_link, "_CONNECT_DEADLINE_S", 0.5)
    monkeypatch.setattr(nats_link, "_RECONNECT_WAIT_S", 0.1)
    login = nats_server.login("user")
    url = "nats://127.0.0.1:1" if wrong == "address" else login.url
    seed = login.seed if wrong == "address" else unknown_seed()
    with pytest.raises(AlphintraError) as caught:
        await connect_nats(NatsCredentials(url=url, user="user", seed=seed))
    assert (caught.value.code, caught.value.kind) == ("BUS_UNAVAILABLE", Kind.UNAVAILABLE)
    assert seed not in caught.value.detail


def unknown_seed() -> str:
    """Return a key the server has never heard of."""
    return str(nkeys.encode_seed(bytes(range(32)), nkeys.PREFIX_BYTE_USER).decode())
