"""Events from a service's database to the others: written with the change, relayed, consumed once.

An event is stored beside the change it tells of, in the same transaction, with a pending-queue row. The relay
publishes what is queued, at load several events in one letter, and then commits their deletion; a consumer remembers
an event in its inbox in the transaction that acts on it. Delivery is therefore at least once, and each event takes
effect once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

import msgspec
from nats.errors import Error as NatsError

from alphintra.infrastructure.backoff import retry_delay
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Context, Event, EventEnvelope, subject_of

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js.api import PubAck

    from alphintra.infrastructure.postgres import Database, Record, Session
    from alphintra.kernel.ids import IdSource

__all__ = [
    "AuditEntry",
    "Delivery",
    "EventEntry",
    "OutboxRelay",
    "append_audit",
    "append_audits",
    "append_each",
    "append_event",
    "append_events",
    "encode_event",
    "letter_items",
    "receive_many",
    "receive_once",
]

E = TypeVar("E", bound=Event)
_encode = msgspec.json.Encoder(decimal_format="string", order="deterministic").encode

EVENT_BYTES_MAX = 1_000_000  # what NATS takes as one message, less its headers
_decode_letter = msgspec.json.Decoder(list[msgspec.Raw]).decode

LETTER_BYTES = 400_000
LETTER_EVENTS = 64
RELAY_BATCH = 256
RELAY_IDLE_S = 1.0
RELAY_EVERY_S = 0.05  # at load: what queues up meanwhile shares messages, and transactions wherever they are heard
RELAY_MANY = 4  # events at one look that mean load: a person, or a strategy that waits for its order, makes fewer
PUBLISH_WAIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Generic[E]):
    """An event as a consumer gets it; ``event_id`` is the key of the inbox."""

    event: E
    event_id: UUID
    aggregate_id: UUID
    occurred_at: datetime
    context: Context


@dataclass(frozen=True, slots=True)
class EventEntry:
    """An event to store: what it is about, and on whose authority it happened."""

    aggregate_id: UUID
    event: Event
    context: Context


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An audit row to store; the parts are those of `append_audit`."""

    action: str
    subject: str
    detail: msgspec.Struct | dict[str, object]
    context: Context


def encode_event(event: Event, *, event_id: UUID, aggregate_id: UUID, context: Context, at: datetime) -> str:
    """Return the stored and published form of an event. Raises EVENT_TOO_LARGE."""
    envelope = EventEnvelope(
        event_id=event_id,
        aggregate_id=aggregate_id,
        occurred_at=at,
        context=context,
        event=msgspec.Raw(_encode(event)),
    )
    payload = _encode(envelope)
    if len(payload) > EVENT_BYTES_MAX:
        # Refused here, with the change it tells of: in the queue it would stop every event behind it.
        message = f"{subject_of(type(event))} has {len(payload)} bytes, at most {EVENT_BYTES_MAX} fit into a message"
        raise AlphintraError("EVENT_TOO_LARGE", message, kind=Kind.BUG)
    return payload.decode()


async def append_event(
    session: Session, event: Event, *, ids: IdSource, aggregate_id: UUID, context: Context, at: datetime
) -> UUID:
    """Store an event and queue it for publication, in the transaction of the session. Returns its id."""
    event_id = ids.new()
    payload = encode_event(event, event_id=event_id, aggregate_id=aggregate_id, context=context, at=at)
    await session.execute("events.append", event_id, subject_of(type(event)), aggregate_id, payload, at)
    session.is_wake_due = True
    return event_id


async def append_events(
    session: Session, events: Iterable[tuple[UUID, Event]], *, ids: IdSource, context: Context, at: datetime
) -> None:
    """Store events with the aggregates they belong to, and queue them in this order, in one statement."""
    entries = [EventEntry(aggregate_id, event, context) for aggregate_id, event in events]
    await append_each(session, entries, ids=ids, at=at)


async def append_each(session: Session, entries: Sequence[EventEntry], *, ids: IdSource, at: datetime) -> None:
    """Store events that happened on several people's authority, and queue them in this order, in one statement."""
    if not entries:
        return
    event_ids = [ids.new() for _ in entries]
    payloads = [
        encode_event(entry.event, event_id=event_id, aggregate_id=entry.aggregate_id, context=entry.context, at=at)
        for entry, event_id in zip(entries, event_ids, strict=True)
    ]
    subjects = [subject_of(type(entry.event)) for entry in entries]
    aggregates = [entry.aggregate_id for entry in entries]
    await session.execute("events.append_many", event_ids, subjects, aggregates, payloads, at)
    session.is_wake_due = True


async def append_audit(  # noqa: PLR0913 - an audit row has these parts
    session: Session,
    action: str,
    subject: str,
    detail: msgspec.Struct | dict[str, object],
    *,
    ids: IdSource,
    context: Context,
    at: datetime,
) -> None:
    """Record who did what to which object, in the transaction of the session.

    Args:
        session: open transaction of the change that is recorded.
        action: dotted name, e.g. ``order.submit``.
        subject: what was acted on, e.g. ``order:<uuid>``.
        detail: public facts, stored as JSON with sorted keys; never a secret.
        ids: source of the row's id.
        context: whose action it was, and its trace.
        at: when, aware UTC.
    """
    text = _encode(detail).decode()
    await session.execute("audit.append", ids.new(), context.actor.id, action, subject, text, context.trace_id, at)


async def append_audits(session: Session, entries: Sequence[AuditEntry], *, ids: IdSource, at: datetime) -> None:
    """Record many actions in one statement, in the transaction of the session."""
    if not entries:
        return
    await session.execute(
        "audit.append_many",
        [ids.new() for _ in entries],
        [entry.context.actor.id for entry in entries],
        [entry.action for entry in entries],
        [entry.subject for entry in entries],
        [_encode(entry.detail).decode() for entry in entries],
        [entry.context.trace_id for entry in entries],
        at,
    )


async def receive_once(session: Session, consumer: str, delivery: Delivery[Any]) -> bool:
    """Remember the event in the inbox, in the transaction of the session; False if it was handled before."""
    return await session.value("inbox.receive", consumer, delivery.event_id) is not None


async def receive_many(session: Session, consumer: str, deliveries: Sequence[Delivery[E]]) -> list[Delivery[E]]:
    """Remember events in the inbox, in the transaction of the session; returns those not handled before, in order."""
    by_id = {delivery.event_id: delivery for delivery in deliveries}  # each once, in the order of its first place
    rows = await session.rows("inbox.receive_many", consumer, list(by_id))
    fresh = {row["event_id"] for row in rows}
    return [delivery for event_id, delivery in by_id.items() if event_id in fresh]


def letter_items(data: bytes) -> Sequence[bytes | msgspec.Raw]:
    """Return the envelopes of a message off a stream: one by itself, or an array of several. Raises DecodeError."""
    return _decode_letter(data) if data[:1] == b"[" else [data]


class OutboxRelay:
    """Publishes a service's queued events; several may run, none publishes what another holds."""

    def __init__(self, *, service: str, database: Database, nats: Client) -> None:
        self._service = service
        self._database = database
        self._nats = nats
        self._stream = nats.jetstream()
        self._awake = asyncio.Event()
        self._unsure: dict[UUID, tuple[UUID, ...]] = {}  # events in letters that may have been stored or not

    async def run(self) -> None:
        """Relay until cancelled; looks when woken, and every second where a wake was lost.

        After a look that found many events the next one waits a little: each look costs whoever hears of it a
        transaction, whether it found one event or a hundred.
        """
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            looked_at = loop.time()
            self._awake.clear()  # before looking: whatever is committed from here on wakes once more
            try:
                published = await self._publish_batch()
            except (AlphintraError, NatsError, OSError, TimeoutError) as error:
                failures += 1
                get_logger().warning("relay.retry", service=self._service, failures=failures, error=str(error))
                await asyncio.sleep(retry_delay(failures))
                continue
            failures = 0
            if published < RELAY_BATCH:
                await self._wait()
                if published >= RELAY_MANY:
                    await asyncio.sleep(looked_at + RELAY_EVERY_S - loop.time())

    async def _publish_batch(self) -> int:
        async with self._database.transaction() as session:
            rows = await session.rows("events.claim", RELAY_BATCH)
            if not rows:
                return 0
            await self._publish(rows)
            # Until the commit, taken off the queue means held: a failure gives them back.
            fault_point("relay.published")
        self._unsure = {}
        return len(rows)

    async def _publish(self, rows: Sequence[Record]) -> None:
        if not self._nats.is_connected:
            # The client would keep what it cannot send, and a message that is never answered keeps its place there.
            raise AlphintraError("BUS_UNAVAILABLE", "NATS cannot be reached", kind=Kind.UNAVAILABLE)
        letters = self._letters(rows)
        self._unsure = {event_id: ids for ids in letters for event_id in ids}
        acks: list[asyncio.Future[PubAck]] = []
        try:
            for ids, letter in letters.items():
                headers = {"Nats-Msg-Id": _letter_id(ids, again=max(row["attempts"] for row in letter))}
                acks.append(await self._stream.publish_async(letter[0]["subject"], _body(letter), headers=headers))
            await asyncio.wait_for(asyncio.gather(*acks), timeout=PUBLISH_WAIT_S)
        finally:
            for ack in acks:
                ack.cancel()  # gives its place back where it was not answered

    def _letters(self, rows: Sequence[Record]) -> dict[tuple[UUID, ...], list[Record]]:
        """Put neighbours of one subject into one letter, so that at load many share a message and its sync.

        What may have been published before goes into the same letter again, which the stream knows by its id.
        """
        by_id = {row["event_id"]: row for row in rows}
        again = {ids for ids in self._unsure.values() if all(each in by_id for each in ids)}
        letters = [[by_id[each] for each in ids] for ids in sorted(again, key=lambda ids: list(by_id).index(ids[0]))]
        settled = {each for ids in again for each in ids}
        size = LETTER_BYTES  # nothing is put to a letter sent before
        for row in rows:
            if row["event_id"] in settled:
                continue
            size += len(row["payload"])
            before = letters[-1] if letters else []
            if size <= LETTER_BYTES and len(before) < LETTER_EVENTS and before[0]["subject"] == row["subject"]:
                before.append(row)
            else:
                letters.append([row])
                size = len(row["payload"])
        return {tuple(row["event_id"] for row in letter): letter for letter in letters}

    async def _wait(self) -> None:
        # Not wait_for: before Python 3.12 it swallows a cancellation that meets a wake, and the service never stops.
        with suppress(TimeoutError):
            async with asyncio.timeout(RELAY_IDLE_S):
                await self._awake.wait()

    def wake(self) -> None:
        """Look for queued events now."""
        self._awake.set()


def _letter_id(ids: Sequence[UUID], *, again: int) -> str:
    """Return what the stream recognises a letter by: an event by itself, several by what they are.

    What was queued once more on purpose, for a service that was brought back to an earlier moment, is another letter:
    the stream would drop it as known.
    """
    name = str(ids[0]) if len(ids) == 1 else sha256(b"".join(each.bytes for each in ids)).hexdigest()
    return f"{name}.{again}" if again else name


def _body(letter: Sequence[Record]) -> bytes:
    """Return an event's envelope, or the array of several."""
    if len(letter) == 1:
        return bytes(letter[0]["payload"].encode())
    return f"[{','.join(row['payload'] for row in letter)}]".encode()
