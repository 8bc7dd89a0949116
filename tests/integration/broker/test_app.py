"""The wired service: events of trading over JetStream, steps from strategy and questions from the edge over NATS."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.broker.app import wire
from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.broker import AdvanceMarket, GetConnection, ListVenueOrders
from alphintra.contracts.trading import AccountOpened, OrderSubmitted
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.events import encode_event
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats
from alphintra.kernel.messages import subject_of
from alphintra.kernel.vocabulary import AccountMode, OrderType, Side, TimeInForce
from alphintra.manifest import SERVICES
from fixtures.services import operator_context, person_context
from fixtures.single_service import SettableClock
from integration.broker.desk import RISK_KEY, STRATEGY, approve, bar, new_id

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.kernel.messages import Event
    from fixtures.nats import NatsServer
    from fixtures.services import RunningService, StartService

DEADLINE_S = 120


async def test_an_account_is_connected_and_its_order_filled_through_the_bus(
    start_service: StartService, nats_server: NatsServer
) -> None:
    clock = SettableClock()
    broker = await start_service("broker", wire, secrets={"approval_verify_key": RISK_KEY.public_text}, clock=clock)
    account_id, owner_id, feed_id, order_id = (new_id() for _ in range(4))
    terms = OrderTerms(
        order_id=order_id,
        client_order_id="c-1",
        account_id=account_id,
        symbol="AAPL",
        side=Side.BUY,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        qty=Decimal("10.50"),
        limit_price=Decimal("99.10"),
    )
    opened = AccountOpened(
        account_id=account_id,
        owner_id=owner_id,
        mode=AccountMode.PAPER,
        currency="USD",
        starting_cash=Decimal(1000),
        feed_id=feed_id,
    )
    submitted = OrderSubmitted(owner_id=owner_id, book_id=None, terms=terms, approval=approve(terms, clock))
    await publish(nats_server, (account_id, opened), (order_id, submitted))
    await wait_for_order(broker, order_id)

    async with AsyncExitStack() as stack:
        login = nats_server.login("strategy")
        link = await connect_nats(NatsCredentials(url=login.url, user=login.user, seed=login.seed))
        asks = frozenset("{}.cmd.{}".format(*ask.split(".")) for ask in SERVICES["strategy"].asks)
        strategy = Bus(name="strategy", asks=asks, local=LocalDirectory(), nats=link)
        stack.push_async_callback(strategy.close)
        step = AdvanceMarket(feed_id=feed_id, seq=1, bars=(bar(1, "100 110 90 105"),))
        answers = [await strategy.ask(step, STRATEGY) for _ in range(2)]
    assert answers[0] == answers[1]
    assert [fill.order_id for fill in answers[0].executions] == [order_id]

    owner = person_context("trader", user_id=owner_id)
    view = await broker.ask(ListVenueOrders(account_id=account_id), owner)
    assert [(order.status, order.qty, order.limit_price) for order in view.orders] == [
        ("filled", Decimal("10.50"), Decimal("99.10"))
    ]
    assert (await broker.ask(GetConnection(account_id=account_id), operator_context())).feed_id == feed_id


async def publish(nats_server: NatsServer, *events: tuple[UUID, Event]) -> None:
    """Publish events as trading's relay does."""
    login = nats_server.login("trading")
    link = await connect_nats(NatsCredentials(url=login.url, user=login.user, seed=login.seed))
    try:
        for aggregate_id, event in events:
            at = SettableClock().now()
            payload = encode_event(event, event_id=new_id(), aggregate_id=aggregate_id, context=STRATEGY, at=at)
            await link.jetstream().publish(subject_of(type(event)), payload.encode())
    finally:
        await link.close()


async def wait_for_order(broker: RunningService, order_id: UUID) -> None:
    """Wait until the order works at the venue."""
    async with asyncio.timeout(DEADLINE_S):
        statement = "select 1 from venue_orders where order_id = $1 and status = 'working'"
        while not await broker.query(statement, order_id):  # noqa: ASYNC110 - another process tells us nothing
            await asyncio.sleep(0.05)
