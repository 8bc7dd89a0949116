"""Events heard: pulled off a producer's stream, handled in its order, acknowledged once their effect is committed.

What queues up while one batch is committed makes the next: a handler registered with `Consumer.on_many` gets whole
runs of events, so that at load many share a transaction and alone none waits. A run that fails is halved until the
event that fails stands alone; that one comes again later and holds up no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from nats.errors import Error as NatsError

from alphintra.infrastructure.backoff import retry_delay
from alphintra.infrastructure.events import Delivery
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.pull import Pull
from alphintra.infrastructure.telemetry import bound_context, get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Event, EventEnvelope, tag_of

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

__all__ = ["Consumer"]

E = TypeVar("E", bound=Event)
Handler = Callable[[Delivery[E]], Awaitable[None]]
BatchHandler = Callable[[Sequence[Delivery[E]]], Awaitable[None]]

BATCH_MAX = 128
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


@dataclass(frozen=True, slots=True)
class _Heard:
    message: Msg
    delivery: Delivery[Any]
    ear: _Ear


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
                        await self._deliver(await pull.take(BATCH_MAX))
                        failures = 0
            except (NatsError, OSError) as error:
                failures += 1
                get_logger().warning("consumer.retry", producer=producer, failures=failures, error=str(error))
                await asyncio.sleep(retry_delay(failures))

    async def _deliver(self, messages: Sequence[Msg]) -> None:
        heard = [entry for entry in [await self._read(message) for message in messages] if entry is not None]
        for _handler, run in groupby(heard, key=lambda entry: entry.ear.handle):
            entries = list(run)
            for part in [entries] if entries[0].ear.is_batched else [[entry] for entry in entries]:
                await self._handle(part)

    async def _read(self, message: Msg) -> _Heard | None:
        """Return what a message tells; None if nobody listens for it or it cannot be read, and then comes again."""
        try:
            envelope = _decode_envelope(message.data)
            kind = _decode_tag(envelope.event).message
            ear = self._ears.get(kind)
            if ear is None:
                get_logger().warning("consumer.unknown_event", type=kind, subject=message.subject)
                await message.ack()
                return None
            delivery = Delivery(
                event=ear.decode(envelope.event),
                event_id=envelope.event_id,
                aggregate_id=envelope.aggregate_id,
                occurred_at=envelope.occurred_at,
                context=envelope.context,
            )
        except msgspec.DecodeError as error:
            get_logger().warning("consumer.redeliver", subject=message.subject, error=str(error))
            await message.nak(delay=_redelivery_delay(message))
            return None
        return _Heard(message, delivery, ear)

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
            if len(run) > 1:
                get_logger().warning("consumer.run_halved", events=len(run), error=str(error))
                middle = len(run) // 2
                await self._handle(run[:middle])
                await self._handle(run[middle:])
                return
            if isinstance(error, (AlphintraError, msgspec.DecodeError)):
                get_logger().warning("consumer.redeliver", subject=first.message.subject, error=str(error))
            else:
                get_logger().exception("consumer.failed", subject=first.message.subject)
            await first.message.nak(delay=_redelivery_delay(first.message))
        else:
            fault_point("consumer.handled")
            for entry in run:
                await entry.message.ack()


def _redelivery_delay(message: Msg) -> float:
    return retry_delay(message.metadata.num_delivered - 1)
