"""Events heard: pulled off a producer's stream, handled in its order, acknowledged once their effect is committed.

What queues up while one batch is committed makes the next: a handler registered with `Consumer.on_many` gets whole
runs of events, so that at load many share a transaction and alone none waits. A run that fails is halved until the
event that fails stands alone; that one comes again later and holds up no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from nats.errors import Error as NatsError

from alphintra.infrastructure.backoff import retry_delay
from alphintra.infrastructure.events import Delivery, letter_items
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.pull import Pull
from alphintra.infrastructure.telemetry import bound_context, get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Event, EventEnvelope, tag_of

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

__all__ = ["Consumer"]

E = TypeVar("E", bound=Event)
Handler = Callable[[Delivery[E]], Awaitable[None]]
BatchHandler = Callable[[Sequence[Delivery[E]]], Awaitable[None]]

BATCH_MAX = 128
HELD_S = 2.0  # how often the server hears that what it waits for is in work; it waits five seconds
_decode_envelope = msgspec.json.Decoder(EventEnvelope).decode


class _Tagged(msgspec.Struct):
    message: str


_decode_tag = msgspec.json.Decoder(_Tagged).decode


@dataclass(frozen=True, slots=True)
class _Ear:
    """How one type of event is read, and who takes it; the same function stands for the same run of events."""

    decode: Callable[[msgspec.Raw], Event]
    handle: BatchHandler[Any]
    is_batched: bool


@dataclass(slots=True, eq=False)
class _Letter:
    """A message with one event or several; answered once all of them are settled."""

    message: Msg
    waiting: int
    is_failed: bool = False

    async def settle(self, *, is_handled: bool) -> None:
        self.waiting -= 1
        self.is_failed |= not is_handled
        if self.waiting:
            return
        if self.is_failed:
            await self.message.nak(delay=retry_delay(self.message.metadata.num_delivered - 1))
        else:
            await self.message.ack()


@dataclass(frozen=True, slots=True)
class _Heard:
    letter: _Letter
    delivery: Delivery[Any]
    ear: _Ear


class _Beat:
    """Tells the server that messages are in work, again and again for the length of a ``with`` block.

    Also in the middle of one handler that waits for a slow database: what the server takes for lost it sends again, and
    to hear everything twice is the last thing a service needs that cannot keep up.
    """

    def __init__(self, in_work: Callable[[], Sequence[Msg]]) -> None:
        self._in_work = in_work
        self._loop = asyncio.get_running_loop()
        self._telling: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        """Begin; nothing is told of what is done within two seconds."""
        self._next = self._loop.call_later(HELD_S, self._beat)

    def __exit__(self, *_error: object) -> None:
        """Tell no more."""
        self._next.cancel()
        if self._telling is not None:
            self._telling.cancel()

    def _beat(self) -> None:
        self._telling = self._loop.create_task(self._tell())

    async def _tell(self) -> None:
        for message in self._in_work():
            with suppress(NatsError, OSError):  # answered meanwhile; or out of reach, and then it comes again
                await message.in_progress()
        self._next = self._loop.call_later(HELD_S, self._beat)


class Consumer:
    """Delivers the events a service hears to its handlers, in the order of each producer."""

    def __init__(self, *, service: str, nats: Client) -> None:
        self._service = service
        self._nats = nats
        self._ears: dict[str, _Ear] = {}

    def on(self, event: type[E], handler: Handler[E]) -> None:
        """Deliver events of this type to the handler; it must be safe to repeat (see ``receive_once``)."""

        async def one(deliveries: Sequence[Delivery[E]]) -> None:
            for delivery in deliveries:
                await handler(delivery)

        self._listen(event, one, is_batched=False)

    def on_many(self, events: Iterable[type[Event]], handler: BatchHandler[Any]) -> None:
        """Deliver runs of events of these types to the handler, up to 128 at once and in their order.

        It must take effect as a whole or not at all, and be safe to repeat (see ``receive_many``).
        """
        for event in events:
            self._listen(event, handler, is_batched=True)

    def _listen(self, event: type[Event], handler: BatchHandler[Any], *, is_batched: bool) -> None:
        self._ears[tag_of(event)] = _Ear(msgspec.json.Decoder(event).decode, handler, is_batched)

    @property
    def producers(self) -> tuple[str, ...]:
        """Services whose events are heard."""
        return tuple(sorted({tag.split(".")[0] for tag in self._ears}))

    async def run(self, producer: str) -> None:
        """Consume one producer's stream until cancelled."""
        failures = 0
        while True:
            try:
                async with Pull(self._nats, stream=f"EVT_{producer.upper()}", durable=self._service) as pull:
                    while True:
                        messages = await pull.take(BATCH_MAX)
                        await self._deliver(messages, lambda: pull.waiting)
                        failures = 0
            except (NatsError, OSError) as error:
                failures += 1
                get_logger().warning("consumer.retry", producer=producer, failures=failures, error=str(error))
                await asyncio.sleep(retry_delay(failures))

    async def _deliver(self, messages: Sequence[Msg], held: Callable[[], Sequence[Msg]]) -> None:
        """Have events handled; while that takes long, the server is told that they and those held are in work."""
        letters: list[_Letter] = []
        heard: list[_Heard] = []
        with _Beat(lambda: [*(letter.message for letter in letters if letter.waiting), *held()]):
            for message in messages:
                letter, entries = await self._read(message)
                letters.append(letter)
                heard += entries
            for _handler, run in groupby(heard, key=lambda entry: entry.ear.handle):
                for part in _parts(list(run)):
                    await self._handle(part)

    async def _read(self, message: Msg) -> tuple[_Letter, list[_Heard]]:
        """Return a message's events somebody listens for; what cannot be read makes the message come again."""
        try:
            packed = letter_items(message.data)
        except msgspec.DecodeError:
            packed = [message.data]
        letter = _Letter(message, len(packed))
        entries: list[_Heard] = []
        for item in packed:
            try:
                envelope = _decode_envelope(item)
                kind = _decode_tag(envelope.event).message
                ear = self._ears.get(kind)
                if ear is None:
                    get_logger().warning("consumer.unknown_event", type=kind, subject=message.subject)
                    await letter.settle(is_handled=True)
                    continue
                delivery = Delivery(
                    event=ear.decode(envelope.event),
                    event_id=envelope.event_id,
                    aggregate_id=envelope.aggregate_id,
                    occurred_at=envelope.occurred_at,
                    context=envelope.context,
                )
            except msgspec.DecodeError as error:
                get_logger().warning("consumer.redeliver", subject=message.subject, error=str(error))
                await letter.settle(is_handled=False)
            else:
                entries.append(_Heard(letter, delivery, ear))
        return letter, entries

    async def _handle(self, run: Sequence[_Heard]) -> None:
        """Have a run of events handled; one that fails is handled again in two halves, down to single events."""
        first = run[0]
        deliveries = [entry.delivery for entry in run]
        try:
            if len(run) == 1:
                with bound_context(first.delivery.context):
                    await first.ear.handle(deliveries)
            else:
                await first.ear.handle(deliveries)
        except Exception as error:  # noqa: BLE001 - logged and delivered again: an event is never dropped
            if len(run) > 1 and not _is_of_all(error):
                get_logger().warning("consumer.run_halved", events=len(run), error=str(error))
                middle = len(run) // 2
                await self._handle(run[:middle])
                await self._handle(run[middle:])
                return
            subject = first.letter.message.subject
            if isinstance(error, (AlphintraError, msgspec.DecodeError)):
                get_logger().warning("consumer.redeliver", subject=subject, error=str(error))
            else:
                get_logger().exception("consumer.failed", subject=subject)
            for entry in run:
                await entry.letter.settle(is_handled=False)
        else:
            fault_point("consumer.handled")
            for entry in run:
                await entry.letter.settle(is_handled=True)


def _is_of_all(error: Exception) -> bool:
    """Tell whether a run failed for what no event of it is to blame for: half of it would fail alike.

    That is the store, and a service that does not answer.
    """
    if not isinstance(error, AlphintraError):
        return False
    is_silent = error.kind is Kind.UNAVAILABLE and error.code.endswith("_UNAVAILABLE")
    return is_silent or error.code.startswith("STORE_")


def _parts(run: list[_Heard]) -> Iterator[list[_Heard]]:
    """Cut a run of one handler into what is handled at once."""
    size = BATCH_MAX if run[0].ear.is_batched else 1
    return (run[start : start + size] for start in range(0, len(run), size))
