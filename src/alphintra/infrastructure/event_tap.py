"""Events heard as they are published, for as long as somebody listens: for what shows them and keeps nothing.

A service that must act on every event consumes it from its stream, see `consumer.Consumer`. Who only shows events to
people who are there now needs no memory: it subscribes to the subjects themselves, each process to its own copy.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
from nats.errors import Error as NatsError

from alphintra.infrastructure.events import letter_items
from alphintra.infrastructure.nats_link import flushed
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Event, EventEnvelope, subject_of

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

__all__ = ["EventTap"]

REMEMBERED_MAX: Final = 4096
LOOK_S: Final = 0.5
_decode_envelope = msgspec.json.Decoder(EventEnvelope).decode

OnEvent = Callable[[Event, UUID], None]


class EventTap:
    """Tells events of some types while it is open, each once; and when events may have been missed.

    Args:
        nats: connection under a key that may subscribe to these events.
        events: the types that are heard.
    """

    def __init__(self, nats: Client, events: Sequence[type[Event]]) -> None:
        self._nats = nats
        self._decoders: dict[str, Callable[[Any], Event]] = {
            subject_of(event): msgspec.json.Decoder(event).decode for event in events
        }
        self._heard: OrderedDict[UUID, None] = OrderedDict()
        self._subscriptions: list[Subscription] = []
        self._watch: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """Whether events are being heard."""
        return self._watch is not None

    async def open(self, on_event: OnEvent, on_gap: Callable[[], None]) -> None:
        """Begin to hear; returns once the server knows. ``on_gap`` is called when the connection was lost meanwhile.

        Nothing happens where it is open. Raises BUS_UNAVAILABLE.
        """
        async with self._turn:
            if self.is_open:
                return
            try:
                for subject in self._decoders:
                    receive = self._receiver(subject, on_event)
                    self._subscriptions.append(await self._nats.subscribe(subject, cb=receive))
                await flushed(self._nats)
            except (NatsError, OSError, TimeoutError) as error:
                await self._unsubscribe()
                raise AlphintraError("BUS_UNAVAILABLE", "events cannot be heard now", kind=Kind.UNAVAILABLE) from error
            self._watch = asyncio.create_task(self._watched(on_gap), name="event-tap")

    async def close(self) -> None:
        """Hear no more; nothing happens where it is closed."""
        async with self._turn:
            watch, self._watch = self._watch, None
            if watch is not None:
                watch.cancel()
            await self._unsubscribe()

    async def _unsubscribe(self) -> None:
        for each in self._subscriptions:
            with suppress(NatsError, OSError):
                await each.unsubscribe()
        self._subscriptions.clear()

    def _receiver(self, subject: str, on_event: OnEvent) -> Callable[[Msg], Any]:
        decode = self._decoders[subject]

        async def receive(message: Msg) -> None:
            try:
                envelopes = [_decode_envelope(item) for item in letter_items(message.data)]
                events = [(envelope.event_id, decode(envelope.event)) for envelope in envelopes]
            except msgspec.DecodeError:
                get_logger().exception("tap.unreadable", subject=subject)
                return
            for event_id, event in events:
                if event_id in self._heard:  # a relay that was killed publishes again
                    continue
                self._heard[event_id] = None
                if len(self._heard) > REMEMBERED_MAX:
                    self._heard.popitem(last=False)
                on_event(event, event_id)

        return receive

    async def _watched(self, on_gap: Callable[[], None]) -> None:
        """Look whether the connection was lost: what was published meanwhile never comes."""
        seen = self._nats.stats["reconnects"]
        was_connected = True
        while True:
            await asyncio.sleep(LOOK_S)
            connected, reconnects = self._nats.is_connected, self._nats.stats["reconnects"]
            if (was_connected and not connected) or reconnects != seen:
                get_logger().warning("tap.gap", reconnects=reconnects)
                on_gap()
            was_connected, seen = connected, reconnects
