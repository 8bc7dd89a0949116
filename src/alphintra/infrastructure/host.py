"""What one service stands on inside a process: its database, its bus, its relay, its consumers, its timers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from nats.errors import Error as NatsError

from alphintra.infrastructure.backoff import retry_delay
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.consumer import Consumer
from alphintra.infrastructure.events import Delivery, OutboxRelay
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats
from alphintra.infrastructure.parts import Parts
from alphintra.infrastructure.postgres import Database, Queries
from alphintra.infrastructure.system import SystemClock, SystemIds
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.health import HEALTH_COMMANDS, HealthView, MonthsView
from alphintra.kernel.messages import Context, Event
from alphintra.manifest import SERVICES

if TYPE_CHECKING:
    from nats.aio.client import Client

    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource

__all__ = ["Parts", "ServiceCredentials", "ServiceHost"]

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCredentials:
    """All one service needs to start, and nothing of another's.

    Attributes:
        service: which of the eight.
        database_url: its own database under its own role.
        nats: its own key on the bus.
        secrets: its further secrets by name, e.g. a signing seed.
        options: its further settings by name, e.g. a folder.
        next_database_url: the same with the password that is about to hold, empty unless it is just being replaced.
        gate: path of the gate before the database; empty where the service cannot move while it runs.
    """

    service: str
    database_url: str = field(repr=False)
    nats: NatsCredentials
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    next_database_url: str = field(default="", repr=False)
    gate: str = ""

    @property
    def database_urls(self) -> tuple[str, ...]:
        """The URLs one of which holds at any moment."""
        return tuple(url for url in (self.database_url, self.next_database_url) if url)


class ServiceHost:
    """One service in one process; ``app.wire`` enters what the service answers, hears and does in the background."""

    def __init__(
        self,
        credentials: ServiceCredentials,
        *,
        database: Database,
        bus: Bus,
        nats: Client,
        reread: Callable[[], ServiceCredentials] | None = None,
    ) -> None:
        self._reread = reread
        self.service = credentials.service
        self.credentials = credentials
        self.database = database
        self.bus = bus
        self.clock: Clock = SystemClock()
        self.ids: IdSource = SystemIds()
        self._nats = nats
        self._consumer = Consumer(service=self.service, nats=nats)
        self._runs: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._wakes: set[asyncio.Task[None]] = set()
        self._on_wake: list[Callable[[], None]] = []
        self._months: Callable[[], Awaitable[MonthsView]] | None = None

    @classmethod
    async def open(
        cls,
        credentials: ServiceCredentials,
        *,
        local: LocalDirectory,
        connections_max: int,
        reread: Callable[[], ServiceCredentials] | None = None,
    ) -> ServiceHost:
        """Connect to the service's database and to the bus. Raises BUS_UNAVAILABLE.

        ``reread`` gives the credentials as they are by then, where the database refuses the password known so far.
        """
        service = credentials.service
        nats = await connect_nats(credentials.nats)
        database = await Database.open(
            credentials.database_url,
            queries=Queries.load(f"alphintra.{service}"),
            application=f"alphintra-{service}",
            connections_max=connections_max,
            renewed=None if reread is None else (lambda: reread().database_urls),
            gate=Path(credentials.gate) if credentials.gate else None,
        )
        asks = frozenset("{}.cmd.{}".format(*ask.split(".")) for ask in SERVICES[service].asks)
        bus = Bus(name=service, asks=asks, local=local, nats=nats)
        host = cls(credentials, database=database, bus=bus, nats=nats, reread=reread)
        database.wake_with(host.wake)
        return host

    def current_credentials(self) -> ServiceCredentials:
        """Return the credentials as they are by now: secrets may be replaced while the service runs."""
        return self.credentials if self._reread is None else self._reread()

    def hear(self, event: type[E], handler: Callable[[Delivery[E]], Awaitable[None]]) -> None:
        """Deliver events of this type to the handler while this process runs the service's background part."""
        self._consumer.on(event, handler)

    def hear_many(
        self, events: Sequence[type[Event]], handler: Callable[[Sequence[Delivery[Any]]], Awaitable[None]]
    ) -> None:
        """Deliver runs of events of these types to one handler, which takes effect as a whole; see `Consumer`."""
        self._consumer.on_many(events, handler)

    def run(self, name: str, task: Callable[[], Awaitable[None]]) -> None:
        """Run a task for as long as the service runs; restarted with back-off if it fails or returns."""
        self._runs.append((name, task))

    def show_months(self, reader: Callable[[], Awaitable[MonthsView]]) -> None:
        """Show in the service's health how its tables that are cut by month stand."""
        self._months = reader

    def wake(self) -> None:
        """Tell the service's relay and workers, wherever they run, that there is something to do."""
        task = asyncio.ensure_future(self._ping())
        self._wakes.add(task)
        task.add_done_callback(self._wakes.discard)

    def on_wake(self, callback: Callable[[], None]) -> None:
        """Call back at every wake of this service."""
        self._on_wake.append(callback)

    async def start(self, parts: Parts) -> None:
        """Answer commands and run the background part, as asked for."""
        if parts.commands:
            self.bus.answer(HEALTH_COMMANDS[self.service], self._health)
            await self.bus.start()
        if parts.background:
            relay = OutboxRelay(service=self.service, database=self.database, nats=self._nats)
            self.on_wake(relay.wake)
            self.run("relay", relay.run)
            for producer in self._consumer.producers:
                self.run(f"consumer.{producer}", partial(self._consumer.run, producer))
        if self._on_wake:
            await self._nats.subscribe(f"{self.service}.wake", cb=self._woken)
        self._tasks = [asyncio.create_task(self._keep(name, task)) for name, task in self._runs]

    async def close(self) -> None:
        """Answer what is in flight and nothing more, stop the background part, leave database and bus."""
        await self.bus.stop()  # first: what is in flight may need a background task to be answered
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._wakes, return_exceptions=True)
        await self.bus.close()
        await self.database.close()

    async def _woken(self, _message: object) -> None:
        for callback in self._on_wake:
            callback()

    async def _ping(self) -> None:
        with suppress(NatsError):  # a lost ping costs the relay its idle wait, nothing else
            await self._nats.publish(f"{self.service}.wake", b"")

    async def _health(self, _command: object, _context: Context) -> HealthView:
        started = perf_counter()
        async with self.database.session() as session:
            identity = await session.row("health.identity")
            pending = await session.row("events.pending")
        answered = perf_counter()
        months = None if self._months is None else await self._months()
        if identity is None or pending is None:
            message = "a health statement returned no row"
            raise RuntimeError(message)
        return HealthView(
            service=self.service,
            database=identity["database"],
            role=identity["role"],
            migrations=identity["migrations"],
            events_waiting=pending["waiting"],
            latency_ms=round((answered - started) * 1000, 3),
            months=months,
        )

    async def _keep(self, name: str, task: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        log = get_logger().bind(service=self.service, task=name)
        while True:
            try:
                await task()
                log.error("task.returned")
            except AlphintraError as error:
                log.warning("task.interrupted", code=error.code, detail=error.detail)
            except Exception:
                log.exception("task.failed")
            failures += 1
            await asyncio.sleep(retry_delay(failures))
