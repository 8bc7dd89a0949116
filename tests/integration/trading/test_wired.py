"""Trading as it runs: wired, on NATS, asking risk under its own key, hearing risk and broker, telling what it did."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from alphintra.contracts.broker import ConnectionOpened, ExecutionReported
from alphintra.contracts.risk import AssessOrder, LimitsChanged
from alphintra.contracts.trading import CancelRequested, GetOrder, OpenAccount, OrderSubmitted, SubmitOrder
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.consumer import Consumer
from alphintra.infrastructure.events import Delivery, encode_event
from alphintra.infrastructure.host import Parts, ServiceCredentials, ServiceHost
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId
from alphintra.kernel.messages import Event, subject_of
from alphintra.kernel.vocabulary import OrderStatus, OrderType, Side
from alphintra.manifest import EDGE_ASKS
from alphintra.trading.app import wire
from alphintra.trading.domain.orders import order_id_of
from fixtures.services import person_context
from fixtures.single_service import NOON
from integration.infrastructure.streams import OwnBus, new_id, own_bus, until
from integration.trading.desk import Risk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from uuid import UUID

    from fixtures.nats import NatsServer
    from fixtures.postgres import ServiceDatabase


@asynccontextmanager
async def running(bus: OwnBus, database: ServiceDatabase) -> AsyncIterator[ServiceHost]:
    """Run all of trading."""
    login = bus.server.login("trading")
    credentials = ServiceCredentials(
        service="trading",
        database_url=database.dsn(),
        nats=NatsCredentials(url=login.url, user=login.user, seed=login.seed),
    )
    host = await ServiceHost.open(credentials, local=LocalDirectory(), connections_max=8)
    wire(host, Parts())
    await host.start(Parts())
    try:
        yield host
    finally:
        await host.close()


async def speak(bus: OwnBus, service: str) -> Bus:
    """Return a bus under another user's own key."""
    login = bus.server.login(service)
    link = await connect_nats(NatsCredentials(url=login.url, user=login.user, seed=login.seed))
    asks = frozenset("{}.cmd.{}".format(*ask.split(".")) for ask in EDGE_ASKS)
    return Bus(name=service, asks=asks if service == "edge" else frozenset(), local=LocalDirectory(), nats=link)


async def tell(bus: OwnBus, service: str, event: Event, aggregate_id: UUID) -> None:
    """Publish an event as the service's relay does."""
    context = person_context("trader", user_id=new_id())
    body = encode_event(event, event_id=new_id(), aggregate_id=aggregate_id, context=context, at=SystemClock().now())
    link = await bus.link(service)
    await link.jetstream().publish(subject_of(type(event)), body.encode())
    await link.close()


async def test_an_account_is_opened_and_an_early_fill_waits_for_its_order(
    private_nats: Callable[..., NatsServer], service_database: Callable[[str], Awaitable[ServiceDatabase]]
) -> None:
    owner = person_context("trader", user_id=new_id())
    async with own_bus(private_nats) as bus, running(bus, await service_database("trading")):
        edge, speaker, risk = await speak(bus, "edge"), await speak(bus, "risk"), Risk()
        opened = await edge.ask(OpenAccount(name="One", starting_cash=Decimal(1000), feed_id=new_id()), owner)
        account_id = opened.account_id
        order_id = order_id_of(AccountId(account_id), "c-1")
        early = ExecutionReported(
            execution_id="x-1",
            order_id=order_id,
            account_id=account_id,
            symbol="AAPL",
            side=Side.BUY,
            qty=Decimal(4),
            price=Decimal(100),
            fee=Decimal(1),
            executed_at=NOON,
        )
        await tell(bus, "broker", early, order_id)
        await tell(bus, "risk", LimitsChanged(account_id=account_id, version=1), account_id)
        await tell(bus, "broker", ConnectionOpened(account_id=account_id, adapter="paper"), account_id)
        order = SubmitOrder(
            account_id=account_id,
            client_order_id="c-1",
            symbol="AAPL",
            side=Side.BUY,
            qty=Decimal("10.50"),
            type=OrderType.MARKET,
        )

        async def refusal() -> str:
            with pytest.raises(AlphintraError) as caught:
                await edge.ask(order, owner)
            return caught.value.code

        async def is_active() -> bool:
            return await refusal() != "ACCOUNT_PENDING"

        await until(is_active)
        assert await refusal() == "RISK_UNAVAILABLE"
        speaker.answer_many(AssessOrder, risk.assess)
        await speaker.start()
        placed = await edge.ask(order, owner)
        assert (placed.order_id, placed.status) == (order_id, OrderStatus.PENDING_NEW)

        async def is_filled() -> bool:
            return (await edge.ask(GetOrder(order_id=order_id), owner)).status is OrderStatus.PARTIALLY_FILLED

        await until(is_filled)
        heard = await heard_by_broker(bus)
        assert [(type(delivery.event), delivery.context) for delivery in heard] == [(OrderSubmitted, owner)]
        await edge.close()
        await speaker.close()


async def heard_by_broker(bus: OwnBus) -> list[Delivery[OrderSubmitted]]:
    """Return what the broker hears of orders, once everything is heard."""
    heard: list[Delivery[OrderSubmitted]] = []

    async def hear(delivery: Delivery[OrderSubmitted]) -> None:
        heard.append(delivery)

    async def ignore(_delivery: Delivery[CancelRequested]) -> None:
        """No order is canceled here."""

    async def is_settled() -> bool:
        return await bus.unacknowledged("broker") == 0

    consumer = Consumer(service="broker", nats=await bus.link("broker"))
    consumer.on(OrderSubmitted, hear)
    consumer.on(CancelRequested, ignore)
    task = asyncio.create_task(consumer.run("trading"))
    await until(is_settled)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return heard
