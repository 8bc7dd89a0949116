"""Events heard: again until handled, once in effect, and none in the way of the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import pytest_asyncio
import structlog

from alphintra.contracts.trading import AccountOpened, CancelRequested
from alphintra.infrastructure import consumer, pull
from alphintra.infrastructure.consumer import Consumer
from alphintra.infrastructure.events import Delivery, encode_event, receive_many, receive_once
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Context
from alphintra.kernel.vocabulary import AccountMode
from fixtures.single_service import NOON, PowerCutError, delivery_of, opened, stop_at
from integration.infrastructure.streams import CONTEXT, OwnBus, new_id, own_bus, until

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Database
    from fixtures.nats import NatsServer
    from fixtures.postgres import ServiceDatabase

Cancel = Delivery[CancelRequested]
SUBJECT = "trading.evt.cancel_requested"


@pytest_asyncio.fixture
async def bus(private_nats: Callable[..., NatsServer]) -> AsyncIterator[OwnBus]:
    async with own_bus(private_nats) as made:
        yield made


def event_of(number: int, *, event_id: UUID | None = None, context: Context = CONTEXT) -> bytes:
    """Return a published event that can be told from others by the number of its order."""
    event = CancelRequested(order_id=UUID(int=number), account_id=UUID(int=9))
    order_id, event_id = UUID(int=number), event_id or new_id()
    return encode_event(event, event_id=event_id, aggregate_id=order_id, context=context, at=NOON).encode()


async def publish(bus: OwnBus, *bodies: bytes) -> None:
    """Publish as trading, without a message id: nothing is dropped as a duplicate on the way."""
    for body in bodies:
        await bus.publish_raw(SUBJECT, body)


@asynccontextmanager
async def consuming(bus: OwnBus, handler: Callable[[Cancel], Awaitable[None]]) -> AsyncIterator[asyncio.Task[None]]:
    """Hear trading as broker does."""
    hearing = Consumer(service="broker", nats=await bus.link("broker"))
    hearing.on(CancelRequested, handler)
    assert hearing.producers == ("trading",)
    running = asyncio.create_task(hearing.run("trading"))
    try:
        yield running
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError, PowerCutError):
            await running


async def is_settled(bus: OwnBus) -> bool:
    """Tell whether every event is acknowledged."""
    return await bus.unacknowledged("broker") == 0


async def test_events_arrive_in_order_with_all_their_parts(bus: OwnBus) -> None:
    heard: list[Cancel] = []
    bound: list[dict[str, Any]] = []

    async def hear(delivery: Cancel) -> None:
        heard.append(delivery)
        bound.append(dict(structlog.contextvars.get_contextvars()))

    event_id = new_id()
    other = Context(trace_id="8" * 32, actor=CONTEXT.actor)
    await publish(bus, event_of(0, event_id=event_id), *(event_of(number, context=other) for number in range(1, 130)))
    async with consuming(bus, hear):
        await until(lambda: is_settled(bus))
    assert [delivery.event.order_id.int for delivery in heard] == list(range(130))
    first = heard[0]
    assert (first.event_id, first.aggregate_id, first.occurred_at, first.context) == (
        event_id,
        UUID(int=0),
        NOON,
        CONTEXT,
    )
    assert [facts["trace_id"] for facts in bound] == [CONTEXT.trace_id, *["8" * 32] * 129]
    assert structlog.contextvars.get_contextvars() == {}


async def test_an_event_comes_again_until_it_is_handled_and_holds_up_no_other(bus: OwnBus) -> None:
    failures = [
        AlphintraError("ORDER_NOT_FOUND", "not yet", kind=Kind.NOT_FOUND),
        RuntimeError("a bug"),
        TimeoutError(),
    ]
    heard: list[int] = []

    async def hear(delivery: Cancel) -> None:
        if delivery.event.order_id.int == 1 and failures:
            raise failures.pop(0)
        heard.append(delivery.event.order_id.int)

    await publish(bus, *(event_of(number) for number in (1, 2, 3)))
    async with consuming(bus, hear):
        await until(lambda: is_settled(bus))
    assert heard == [2, 3, 1]


@pytest.mark.parametrize("garbage", [b"", b"not json", b"{}", event_of(1).replace(b'"order_id"', b'"order"')])
async def test_what_cannot_be_read_is_kept_and_holds_up_no_other(bus: OwnBus, garbage: bytes) -> None:
    heard: list[int] = []

    async def hear(delivery: Cancel) -> None:
        heard.append(delivery.event.order_id.int)

    await publish(bus, garbage, *(event_of(number) for number in range(200)))
    async with consuming(bus, hear):
        await until(lambda: is_at(bus, 1))
    assert heard == list(range(200))


async def is_at(bus: OwnBus, waiting: int) -> bool:
    """Tell whether so many events are not acknowledged."""
    return await bus.unacknowledged("broker") == waiting


async def test_an_event_nobody_listens_for_is_passed_over(bus: OwnBus) -> None:
    heard: list[int] = []

    async def hear(delivery: Cancel) -> None:
        heard.append(delivery.event.order_id.int)

    opened_account = AccountOpened(
        account_id=UUID(int=1),
        owner_id=UUID(int=2),
        mode=AccountMode.PAPER,
        currency="USD",
        starting_cash=Decimal(1),
        feed_id=None,
    )
    unheard = encode_event(opened_account, event_id=new_id(), aggregate_id=UUID(int=1), context=CONTEXT, at=NOON)
    newer = event_of(1).replace(b"cancel_requested.v1", b"cancel_requested.v2")
    await bus.publish_raw("trading.evt.account_opened", unheard.encode())
    await publish(bus, newer, event_of(2))
    async with consuming(bus, hear):
        await until(lambda: is_settled(bus))
    assert heard == [2]


async def test_an_event_with_fields_of_a_later_version_is_read(bus: OwnBus) -> None:
    heard: list[int] = []

    async def hear(delivery: Cancel) -> None:
        heard.append(delivery.event.order_id.int)

    await publish(bus, event_of(1).replace(b'"account_id"', b'"why":"later","account_id"'))
    async with consuming(bus, hear):
        await until(lambda: is_settled(bus))
    assert heard == [1]


@asynccontextmanager
async def counting(database: Database) -> AsyncIterator[tuple[Callable[[Cancel], Awaitable[None]], list[int]]]:
    """Give a handler whose effect is counted when its transaction is committed."""
    effects: list[int] = []

    async def hear(delivery: Cancel) -> None:
        async with database.transaction() as tx:
            is_new = await receive_once(tx, "test", delivery)
        if is_new:
            effects.append(delivery.event.order_id.int)

    yield hear, effects


async def test_an_event_published_twice_takes_effect_once(
    bus: OwnBus, service_database: Callable[[str], Awaitable[ServiceDatabase]]
) -> None:
    twice = new_id()
    async with opened(await service_database("broker")) as database, counting(database) as (hear, effects):
        await publish(bus, event_of(1, event_id=twice), event_of(2), event_of(1, event_id=twice))
        async with consuming(bus, hear):
            await until(lambda: is_settled(bus))
        assert effects == [1, 2]


async def test_what_fails_between_handling_and_acknowledging_has_one_effect(
    bus: OwnBus, service_database: Callable[[str], Awaitable[ServiceDatabase]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(await service_database("broker")) as database, counting(database) as (hear, effects):
        await publish(bus, event_of(1))
        with monkeypatch.context() as armed:
            stop_at(armed, consumer, "consumer.handled")
            async with consuming(bus, hear):
                await until(lambda: has(effects))
                assert not await is_settled(bus)
        async with consuming(bus, hear):
            await until(lambda: is_settled(bus))
        assert effects == [1]


async def has(effects: list[int], count: int = 1) -> bool:
    """Tell whether there are so many effects."""
    return len(effects) >= count


async def test_what_a_failed_transaction_heard_is_not_remembered(
    bus: OwnBus, service_database: Callable[[str], Awaitable[ServiceDatabase]]
) -> None:
    attempts: list[bool] = []
    async with opened(await service_database("broker")) as database:

        async def hear(delivery: Cancel) -> None:
            async with database.transaction() as tx:
                attempts.append(await receive_once(tx, "test", delivery))
                if len(attempts) < 3:
                    message = "after the inbox"
                    raise RuntimeError(message)

        await publish(bus, event_of(1))
        async with consuming(bus, hear):
            await until(lambda: is_settled(bus))
    assert attempts == [True, True, True]


async def test_two_consumers_of_a_service_share_its_events_and_another_inbox_name_has_its_own(
    bus: OwnBus, service_database: Callable[[str], Awaitable[ServiceDatabase]]
) -> None:
    async with opened(await service_database("broker")) as database, counting(database) as (hear, effects):
        await publish(bus, *(event_of(number) for number in range(100)))
        async with consuming(bus, hear), consuming(bus, hear):
            await until(lambda: is_settled(bus))
        assert sorted(effects) == list(range(100))
        event = CancelRequested(order_id=new_id(), account_id=new_id())
        delivery = delivery_of(event, aggregate_id=event.order_id)
        async with database.transaction() as tx:
            names = ("one", "one", "two")
            assert [await receive_once(tx, name, delivery) for name in names] == [True, False, True]


async def test_a_bus_killed_in_the_middle_is_heard_again_afterwards(
    bus: OwnBus, service_database: Callable[[str], Awaitable[ServiceDatabase]]
) -> None:
    async with opened(await service_database("broker")) as database, counting(database) as (hear, effects):
        await publish(bus, *(event_of(number) for number in range(50)))
        async with consuming(bus, hear) as running:
            await until(lambda: has(effects))
            bus.kill()
            bus.start_again()
            await publish(bus, *(event_of(number) for number in range(50, 60)))
            await until(lambda: is_settled(bus))
            assert not running.done()
        assert sorted(effects) == list(range(60))


@asynccontextmanager
async def consuming_many(
    bus: OwnBus, handler: Callable[[Sequence[Cancel]], Awaitable[None]]
) -> AsyncIterator[asyncio.Task[None]]:
    """Hear trading as broker does, many events at once."""
    hearing = Consumer(service="broker", nats=await bus.link("broker"))
    hearing.on_many([CancelRequested], handler)
    running = asyncio.create_task(hearing.run("trading"))
    try:
        yield running
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError, PowerCutError):
            await running


async def test_what_queues_up_is_handled_together_in_its_order(bus: OwnBus) -> None:
    runs: list[list[int]] = []

    async def hear(deliveries: Sequence[Cancel]) -> None:
        runs.append([delivery.event.order_id.int for delivery in deliveries])

    await publish(bus, *(event_of(number) for number in range(400)))
    async with consuming_many(bus, hear):
        await until(lambda: is_settled(bus))
    assert [number for run in runs for number in run] == list(range(400))
    assert max(map(len, runs)) > 1
    assert max(map(len, runs)) <= consumer.BATCH_MAX


async def test_one_bad_event_of_a_run_has_no_effect_and_costs_no_other_its_own(
    bus: OwnBus, service_database: Callable[[str], Awaitable[ServiceDatabase]]
) -> None:
    effects: list[int] = []
    heals_at = 3
    tried = 0
    async with opened(await service_database("broker")) as database:

        async def hear(deliveries: Sequence[Cancel]) -> None:
            nonlocal tried
            numbers = [delivery.event.order_id.int for delivery in deliveries]
            async with database.transaction() as tx:
                fresh = await receive_many(tx, "test", deliveries)
                if 7 in numbers:
                    tried += len(numbers) == 1
                    if tried < heals_at:
                        message = "number seven"
                        raise RuntimeError(message)
            effects.extend(delivery.event.order_id.int for delivery in fresh)

        await publish(bus, *(event_of(number) for number in range(20)))
        async with consuming_many(bus, hear):
            await until(lambda: is_settled(bus))
    assert sorted(effects) == list(range(20))
    assert [number for number in effects if number != 7] == [number for number in range(20) if number != 7]
    assert tried == heals_at


async def test_a_run_that_fails_for_the_store_is_not_tried_by_halves(bus: OwnBus) -> None:
    sizes: list[int] = []

    async def hear(deliveries: Sequence[Cancel]) -> None:
        sizes.append(len(deliveries))
        if len(sizes) == 1:
            raise AlphintraError("STORE_UNAVAILABLE", "gone", kind=Kind.UNAVAILABLE)

    await publish(bus, b"[" + b",".join(event_of(number) for number in range(20)) + b"]")
    async with consuming_many(bus, hear):
        await until(lambda: is_settled(bus))
    assert sizes == [20, 20]


async def test_a_run_in_which_an_event_stands_twice_gives_it_effect_once(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> None:
    first, second = (
        delivery_of(CancelRequested(order_id=new_id(), account_id=new_id()), aggregate_id=new_id()) for _ in range(2)
    )
    async with opened(await service_database("broker")) as database, database.transaction() as tx:
        assert await receive_many(tx, "one", [first, second, first]) == [first, second]
        assert await receive_many(tx, "one", [second, first]) == []
        assert await receive_many(tx, "two", [second, second]) == [second]


async def test_a_server_that_was_started_again_is_asked_again(bus: OwnBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "RENEWED_S", 0.5)
    heard: list[int] = []

    async def hear(delivery: Cancel) -> None:
        heard.append(delivery.event.order_id.int)

    async with consuming(bus, hear):
        await publish(bus, event_of(1))
        await until(lambda: is_settled(bus))
        bus.kill()
        bus.start_again()
        await publish(bus, event_of(2))
        await until(lambda: is_settled(bus))
    assert set(heard) == {1, 2}  # the first perhaps twice: that it was acknowledged may have died with the server


async def test_a_letter_of_several_events_is_answered_once_all_of_them_are_handled(bus: OwnBus) -> None:
    failures = [RuntimeError("a bug")]
    heard: list[int] = []

    async def hear(delivery: Cancel) -> None:
        if delivery.event.order_id.int == 2 and failures:
            raise failures.pop()
        heard.append(delivery.event.order_id.int)

    unreadable = b"[" + b",".join([event_of(4), b"{}"]) + b"]"
    await publish(bus, b"[" + b",".join(map(event_of, (1, 2, 3))) + b"]", unreadable)
    async with consuming(bus, hear):
        await until(lambda: has(heard, 7))
        await until(lambda: is_at(bus, 1))
    assert [number for number in heard if number != 4] == [1, 3, 1, 2, 3]
    assert set(heard) == {1, 2, 3, 4}


async def test_what_takes_long_is_told_to_be_in_work_while_it_is(bus: OwnBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "HELD_S", 0.05)
    told: list[str] = []
    link = await bus.link("broker")
    publish_as_it_is = link.publish

    async def listen(subject: str, payload: bytes = b"", **more: Any) -> None:  # noqa: ANN401 - what the client takes
        if payload == b"+WPI":
            told.append(subject)
        await publish_as_it_is(subject, payload, **more)

    monkeypatch.setattr(link, "publish", listen)
    hearing = Consumer(service="broker", nats=link)
    told_meanwhile: list[int] = []

    async def is_told() -> bool:
        return len(set(told)) == 3 and len(told) > 3  # of this one and of those behind it, and again

    async def hear(_delivery: Cancel) -> None:
        await until(is_told)
        told_meanwhile.append(len(told))

    hearing.on(CancelRequested, hear)
    await publish(bus, *map(event_of, (1, 2, 3)))
    running = asyncio.create_task(hearing.run("trading"))
    await until(lambda: is_settled(bus))
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert len(told_meanwhile) == 3
