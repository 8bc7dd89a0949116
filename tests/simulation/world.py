"""The world of a simulation: four real services on real databases; everything between them is drawn from a seed.

Time stands still until the world moves it. Identifiers come from the seed. Events go from the outbox of one service to
the handlers of another by the world's hand: late, in another order, twice. A fault point that is armed ends the
process there: what was not committed is lost, what was committed stays, nobody gets an answer, and all the services
start again with nothing but their databases. The same seed gives the same run.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import deque
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from uuid import UUID

from alphintra.broker import app as broker
from alphintra.infrastructure import faults
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.host import Parts, ServiceCredentials, ServiceHost
from alphintra.infrastructure.nats_link import NatsCredentials
from alphintra.infrastructure.postgres import Database, Queries
from alphintra.infrastructure.signing import SigningKey
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Command, Context
from alphintra.manifest import EDGE_ASKS, SERVICES
from alphintra.notification import app as notification
from alphintra.risk import app as risk
from alphintra.risk.repository import RiskRecords
from alphintra.risk.service import bookings
from alphintra.trading import app as trading

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from random import Random

    from alphintra.infrastructure.postgres import Record
    from fixtures.postgres import ServiceDatabase

__all__ = ["CANARY", "SERVICES_SIMULATED", "VERIFY_KEY", "PowerCutError", "World"]

R = TypeVar("R")

SERVICES_SIMULATED: Final = ("trading", "risk", "broker", "notification")
_WIRE: Final = {
    "trading": trading.wire,
    "risk": risk.wire,
    "broker": broker.wire,
    "notification": notification.wire,
}
CANARY: Final = "canary-c0ffee-1d8a"
KEYS: Final = "1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
_SEED: Final = base64.b64encode(bytes(range(32))).decode()
VERIFY_KEY: Final = SigningKey(_SEED).public_text
_SECRETS: Final = {
    "trading": {},
    "risk": {"approval_seed": _SEED},
    "broker": {"approval_verify_key": VERIFY_KEY, "connection_keys": KEYS},
    "notification": {},
}
_START: Final = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
_ANSWER_S: Final = 20.0
_REORDER: Final = 0.25
_WINDOW: Final = 6
_TWICE: Final = 0.3
_RUN_MAX: Final = 8
_SHARED: Final = 0.5


class PowerCutError(BaseException):
    """The process ended here: no handler may catch it, as none could catch the end of its process."""


class SeededIds:
    """Time-ordered identifiers that a seed repeats."""

    def __init__(self, rng: Random, clock: WorldClock) -> None:
        self._rng, self._clock = rng, clock

    def new(self) -> UUID:
        """Return a version 7 identifier of the world's time."""
        milliseconds = int(self._clock.at.timestamp() * 1000)
        return UUID(
            int=milliseconds << 80 | 7 << 76 | self._rng.getrandbits(12) << 64 | 2 << 62 | self._rng.getrandbits(62)
        )


@dataclass(slots=True)
class WorldClock:
    """The world's time."""

    at: datetime = _START

    def now(self) -> datetime:
        """Return it."""
        return self.at


@dataclass(slots=True)
class Metadata:
    """What a consumer asks of a message."""

    num_delivered: int = 1


@dataclass(slots=True)
class Message:
    """An event on its way to one consumer."""

    subject: str
    data: bytes
    is_acked: bool = False
    metadata: Metadata = field(default_factory=Metadata)

    async def ack(self) -> None:
        """It took effect."""
        self.is_acked = True

    async def in_progress(self) -> None:
        """It is being handled."""

    async def nak(self, delay: float = 0.0) -> None:
        """It is to come again."""
        del delay
        self.metadata.num_delivered += 1


class NoBus:
    """NATS is not part of this world."""

    is_connected = False
    is_closed = True

    async def publish(self, subject: str, payload: bytes) -> None:
        """Wakes are the world's own."""


class World:
    """The services, what is on its way between them, and the power switch."""

    def __init__(
        self,
        rng: Random,
        databases: Mapping[str, ServiceDatabase],
        *,
        statements: Mapping[str, str] | None = None,
        publishes_late: bool = False,
    ) -> None:
        """Describe a world; nothing is started.

        Args:
            rng: source of all chance.
            databases: of the services.
            statements: put in the place of those of the same name, to plant a bug.
            publishes_late: the relay forgets what it is about to publish before it does: a planted bug.
        """
        self._statements = statements or {}
        self._publishes_late = publishes_late
        self.rng = rng
        self.clock = WorldClock()
        self.ids = SeededIds(rng, self.clock)
        self.databases = databases
        self.cuts = 0
        self.stores: dict[str, Database] = {}
        self._hosts: dict[str, ServiceHost] = {}
        self._local = LocalDirectory()
        self._tasks: list[asyncio.Task[None]] = []
        self._cut = asyncio.Event()
        self._opened = AsyncExitStack()
        self._trace = hashlib.sha256()
        self.pending: dict[tuple[str, str], deque[Message]] = {
            (consumer, heard.split(".")[0]): deque()
            for consumer in SERVICES_SIMULATED
            for heard in SERVICES[consumer].hears
            if heard.split(".")[0] in SERVICES_SIMULATED
        }
        self._acked: dict[tuple[str, str], list[Message]] = {way: [] for way in self.pending}

    async def __aenter__(self) -> Self:
        """Open the databases and start the services."""
        for service in SERVICES_SIMULATED:
            store = await Database.open(
                self.databases[service].dsn(),
                queries=self._queries(service),
                application=f"simulated-{service}",
                connections_max=4,
            )
            self._opened.push_async_callback(store.close)
            self.stores[service] = store
        await self._start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Stop."""
        self.disarm()
        await self._end()
        await self._opened.aclose()

    def _queries(self, service: str) -> Queries:
        statements = dict(Queries.load(f"alphintra.{service}").statements)
        return Queries(statements | {name: text for name, text in self._statements.items() if name in statements})

    @property
    def trace(self) -> str:
        """What happened so far, as a hash."""
        return self._trace.hexdigest()

    def note(self, *words: object) -> None:
        """Add to the trace."""
        self._trace.update(("|".join(map(str, words)) + "\n").encode())

    def arm(self, point: str, count: int) -> None:
        """Have the process end at the count-th pass of a fault point."""
        faults._passed.clear()
        faults._armed.clear()
        faults._armed[point] = count

    def disarm(self) -> None:
        """Have it live."""
        faults._armed.clear()

    @property
    def is_armed(self) -> bool:
        """Whether a crash is on its way."""
        return bool(faults._armed)

    async def ask(self, command: Command[R], context: Context, *, as_service: str = "edge") -> R:
        """Ask as the edge or as a service; a power cut leaves the asker without an answer: NO_ANSWER."""
        asks = EDGE_ASKS if as_service == "edge" else SERVICES[as_service].asks
        subjects = frozenset("{}.cmd.{}".format(*ask.split(".")) for ask in asks)
        bus = Bus(name=as_service, asks=subjects, local=self._local, nats=None)
        return await self.run(bus.ask(command, context, timeout_s=_ANSWER_S))

    async def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Do something in the process; a power cut ends it with the process: NO_ANSWER."""
        asking = asyncio.ensure_future(work)
        cutting = asyncio.ensure_future(self._cut.wait())
        try:
            await asyncio.wait({asking, cutting}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                try:
                    return asking.result()
                except PowerCutError:
                    self._cut.set()
            await self._restart(asking)
            raise AlphintraError("NO_ANSWER", "the process ended", kind=Kind.UNAVAILABLE)
        finally:
            for task in (asking, cutting):
                task.cancel()
            with suppress(asyncio.CancelledError, AlphintraError, PowerCutError):
                await asking
            with suppress(asyncio.CancelledError):
                await cutting

    def bus(self, service: str) -> Bus:
        """Return the bus of a service as it runs now."""
        return self._hosts[service].bus

    async def relay(self, service: str) -> int:
        """Publish what a service has to tell; a cut in between publishes it again later."""
        store = self.stores[service]
        try:
            async with store.transaction() as session:
                rows = await session.rows("events.claim", self.rng.randint(1, 20))
                if not rows:
                    return 0
                if not self._publishes_late:
                    self._publish(service, rows)
                    faults.fault_point("relay.published")
            if self._publishes_late:
                faults.fault_point("relay.published")
                self._publish(service, rows)
        except PowerCutError:
            await self._restart(None)
            return 0
        return len(rows)

    def _publish(self, service: str, rows: Sequence[Record]) -> None:
        """Put each event on its way to those who hear it; neighbours of one subject may share a letter."""
        for subject, neighbours in groupby(rows, key=itemgetter("subject")):
            payloads = [row["payload"] for row in neighbours]
            letters = [f"[{','.join(payloads)}]"] if len(payloads) > 1 and self.rng.random() < _SHARED else payloads
            teller, _kind, event = subject.split(".")
            for consumer, producer in self.pending:
                if producer == service and f"{teller}.{event}" in SERVICES[consumer].hears:
                    self.pending[consumer, producer].extend(Message(subject, letter.encode()) for letter in letters)

    async def deliver(self, way: tuple[str, str], *, in_order: bool = False) -> int:
        """Hand some of what is on its way to a consumer: maybe not in order, sometimes with what it had before."""
        waiting, consumer = self.pending[way], self._hosts[way[0]]._consumer
        run: list[Message] = []
        for _ in range(self.rng.randint(1, _RUN_MAX)):
            if not waiting:
                break
            place = 0
            if not in_order and self.rng.random() < _REORDER:
                place = self.rng.randrange(min(_WINDOW, len(waiting)))
            run.append(waiting[place])
            del waiting[place]
        had = self._acked[way]
        if had and self.rng.random() < _TWICE:
            old = self.rng.choice(had[-_WINDOW:])
            run.append(Message(old.subject, old.data))
        try:
            await consumer._deliver(run, tuple)  # type: ignore[arg-type] # messages of our own
        except PowerCutError:
            await self._restart(None)
        had += [message for message in run if message.is_acked]
        again = [message for message in run if not message.is_acked]
        waiting.extendleft(reversed(again))
        return len(run) - len(again)

    async def sweep(self) -> None:
        """Have risk give back what nobody confirmed within a minute, as it does every five seconds."""
        await bookings.lapse_reservations(records=RiskRecords(self.stores["risk"]), at=self.clock.now())

    async def waiting(self) -> int:
        """Return how many events are anywhere on their way."""
        queued = 0
        for store in self.stores.values():
            async with store.session() as session:
                row = await session.row("events.pending")
                queued += row["waiting"] if row is not None else 0
        return queued + sum(len(messages) for messages in self.pending.values())

    def person(self, user_id: UUID, *roles: str) -> Context:
        """Return the context of a person's command."""
        return Context(trace_id="0" * 32, actor=Actor(id=f"user:{user_id}", user_id=user_id, roles=roles))

    def service(self, name: str) -> Context:
        """Return the context of a service's own command."""
        return Context(trace_id="0" * 32, actor=Actor(id=f"service:{name}"))

    def pass_time(self, seconds: float) -> None:
        """Move the clock on."""
        self.clock.at += timedelta(seconds=seconds)

    async def _start(self) -> None:
        self._local = LocalDirectory()
        self._cut.clear()
        for service in SERVICES_SIMULATED:
            asks = frozenset("{}.cmd.{}".format(*ask.split(".")) for ask in SERVICES[service].asks)
            bus = Bus(name=service, asks=asks, local=self._local, nats=None)
            credentials = ServiceCredentials(
                service=service,
                database_url=self.databases[service].dsn(),
                nats=NatsCredentials(url="", user=service, seed=""),
                secrets=_SECRETS[service],
            )
            no_bus: Any = NoBus()
            host = ServiceHost(credentials, database=self.stores[service], bus=bus, nats=no_bus)
            host.clock, host.ids = self.clock, self.ids
            _WIRE[service](host, Parts(commands=True, background=False))
            await bus.start()
            self._hosts[service] = host
            self._tasks += [asyncio.create_task(self._run(task)) for _name, task in host._runs]

    async def _run(self, task: Any) -> None:  # noqa: ANN401 - a coroutine function of the service
        try:
            await task()
        except PowerCutError:
            self._cut.set()

    async def _restart(self, asking: asyncio.Future[Any] | None) -> None:
        """End the process where it is and start it anew."""
        self.cuts += 1
        self.note("cut")
        self.disarm()
        if asking is not None:
            asking.cancel()
            with suppress(asyncio.CancelledError, AlphintraError, PowerCutError):
                await asking
        await self._end()
        await self._start()

    async def _end(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
