"""Reports on orders that are not in the books: awaited for a little, kept, and taken up once their order is there."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.contracts.books import BookingBreaksView
from alphintra.contracts.broker import ConnectionOpened, ExecutionReported, OrderAcknowledged, OrderCanceled
from alphintra.contracts.risk import AssessOrder, LimitsChanged
from alphintra.contracts.trading import GetOrder, ListBookingBreaks, OpenAccount, SubmitOrder
from alphintra.contracts.unclaimed import ListUnclaimedReports, ReplayReports
from alphintra.infrastructure.events import encode_event
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId
from alphintra.kernel.messages import Actor, Context, Event, subject_of
from alphintra.kernel.vocabulary import AccountMode, OrderStatus, OrderType, Side
from alphintra.trading.domain.orders import order_id_of
from alphintra.trading.repository.books import Books
from alphintra.trading.service import replaying, unclaimed
from fixtures.services import operator_context, person_context
from fixtures.single_service import PowerCutError, delivery_of, stop_at
from integration.infrastructure.streams import OwnBus, new_id, own_bus, until
from integration.trading.desk import Risk
from integration.trading.test_wired import running, speak

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from alphintra.infrastructure.events import Delivery
    from fixtures.nats import NatsServer
    from fixtures.postgres import ServiceDatabase
    from integration.trading.desk import Desk

STRANGE = 300
"""More than a consumer hands out before some are acknowledged."""


def early(desk: Desk, client_order_id: str) -> list[Delivery[Any]]:
    """Return what a venue told of an order that is placed later: worked, partly filled, canceled."""
    order_id = order_id_of(AccountId(desk.account_id), client_order_id)
    executed = ExecutionReported(
        execution_id=f"x-{client_order_id}",
        order_id=order_id,
        account_id=desk.account_id,
        symbol="AAPL",
        side=Side.BUY,
        qty=Decimal(4),
        price=Decimal(100),
        fee=Decimal(1),
        executed_at=desk.clock.now(),
    )
    told = (OrderAcknowledged(order_id=order_id, venue_order_id="v"), executed, OrderCanceled(order_id=order_id))
    return [delivery_of(each, aggregate_id=order_id, at=desk.clock.now()) for each in told]


async def test_reports_on_an_order_nobody_knows_are_kept_and_take_effect_once_it_is_known(desk: Desk) -> None:
    reports = early(desk, "c-1")
    desk.clock.pass_time(seconds=9.9)
    for report in reports:
        with pytest.raises(AlphintraError, match="ORDER_NOT_FOUND"):
            await desk.hear(report)
    desk.clock.pass_time(seconds=0.1)
    await desk.hear(*reports, *reports)
    told = await desk.told()
    assert (told.count("reports_unclaimed"), told.count("execution_flagged")) == (3, 1)
    operator = operator_context()
    assert (await desk.ask(ReplayReports(), operator)).replayed == 0
    listed = await desk.ask(ListUnclaimedReports(), operator)
    assert {each.kind for each in listed.reports} == {"order_acknowledged", "execution_reported", "order_canceled"}
    assert {each.order_id for each in listed.reports} == {reports[0].event.order_id}

    order = await desk.place("c-1")
    replayed = await desk.ask(ReplayReports(), operator)
    assert (replayed.replayed, replayed.waiting) == (3, 0)
    after = await desk.ask(GetOrder(order_id=order.order_id))
    assert (after.status, after.filled_qty) == (OrderStatus.CANCELED, Decimal(4))
    assert after.reason_code == "CANCELED_BY_VENUE", "the execution came before the end, and is no late one"
    assert (await desk.ask(ListUnclaimedReports(), operator)).reports == ()
    every = await desk.ask(ListUnclaimedReports(is_waiting=False), operator)
    assert {each.claimed_at for each in every.reports} == {desk.clock.now()}
    assert (await desk.ask(ReplayReports(), operator)).replayed == 0
    assert await desk.value("select count(*) from executions") == 1
    assert await desk.value("select count(*) from audit_events where action = 'report.replay'") == 2
    breaks: BookingBreaksView = await desk.ask(ListBookingBreaks(account_id=desk.account_id))
    assert [(each.code, each.is_booked) for each in breaks.breaks] == [("EXTERNAL_ORDER", False)]


async def test_a_run_with_a_strange_report_keeps_that_and_takes_the_others(desk: Desk) -> None:
    order = await desk.place()
    strange, known = (
        delivery_of(OrderCanceled(order_id=each), aggregate_id=each, at=desk.clock.now() - timedelta(minutes=1))
        for each in (new_id(), order.order_id)
    )
    await desk.hear_together(strange, known)
    assert await desk.statuses() == {"c-1": "canceled"}
    (kept,) = (await desk.ask(ListUnclaimedReports(), operator_context())).reports
    assert (kept.event_id, kept.order_id) == (strange.event_id, strange.event.order_id)


async def test_a_crash_while_kept_reports_are_taken_up_lets_them_wait(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = early(desk, "c-1")
    desk.clock.pass_time(seconds=10)
    await desk.hear(*reports)
    await desk.place("c-1")
    with monkeypatch.context() as armed:
        stop_at(armed, replaying, "trading.reports_replayed")
        with pytest.raises(PowerCutError):
            await replaying.replay_unclaimed(
                None, books=Books(desk.host.database), ids=desk.host.ids, at=desk.clock.now()
            )
    operator = operator_context()
    assert (await desk.ask(ListUnclaimedReports(), operator)).waiting == 3
    assert (await desk.ask(ReplayReports(), operator)).replayed == 3
    assert await desk.value("select count(*) from executions") == 1


async def test_only_who_sees_every_account_sees_reports_of_nobodys_orders(desk: Desk) -> None:
    key = Actor(id="key:k", user_id=desk.owner_id, roles=("owner",), scopes=("admin",), mode=AccountMode.PAPER)
    commands: tuple[ListUnclaimedReports | ReplayReports, ...] = (ListUnclaimedReports(), ReplayReports())
    for command in commands:
        assert await desk.refusal(command) == "REPORTS_FORBIDDEN"
        assert await desk.refusal(command, Context(trace_id="0" * 32, actor=key)) == "AUTH_SCOPE"
        answer: Any = await desk.ask(command, person_context("owner", user_id=new_id()))
        assert answer.waiting == 0


async def test_a_good_report_behind_more_strange_ones_than_a_consumer_hands_out_is_booked(
    private_nats: Callable[..., NatsServer],
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unclaimed, "WAIT_FOR_ORDER", timedelta(seconds=1))
    owner = person_context("trader", user_id=new_id())
    async with own_bus(private_nats) as bus, running(bus, await service_database("trading")):
        edge, speaker, risk = await speak(bus, "edge"), await speak(bus, "risk"), Risk()
        speaker.answer_many(AssessOrder, risk.assess)
        await speaker.start()
        opened = await edge.ask(OpenAccount(name="One", starting_cash=Decimal(1000), feed_id=new_id()), owner)
        account_id = opened.account_id
        await publish(bus, "risk", [(account_id, LimitsChanged(account_id=account_id, version=1))])
        await publish(bus, "broker", [(account_id, ConnectionOpened(account_id=account_id, adapter="paper"))])
        placed = None

        async def is_placed() -> bool:
            nonlocal placed
            with suppress(AlphintraError):  # ACCOUNT_PENDING until trading has heard both
                placed = await edge.ask(order_of(account_id), owner)
            return placed is not None

        await until(is_placed)
        order_id = order_id_of(AccountId(account_id), "c-1")
        strangers = [new_id() for _ in range(STRANGE)]
        reports = [(each, OrderCanceled(order_id=each)) for each in strangers]
        await publish(bus, "broker", [*reports, (order_id, OrderCanceled(order_id=order_id))])

        async def is_canceled() -> bool:
            return (await edge.ask(GetOrder(order_id=order_id), owner)).status is OrderStatus.CANCELED

        async def are_kept() -> bool:
            return (await edge.ask(ListUnclaimedReports(limit=1), operator_context())).waiting == STRANGE

        await until(is_canceled)
        await until(are_kept)
        await until(lambda: is_settled(bus))
        listed = await edge.ask(ListUnclaimedReports(limit=1000), operator_context())
        assert {each.order_id for each in listed.reports} == set(strangers)
        await edge.close()
        await speaker.close()


def order_of(account_id: UUID) -> SubmitOrder:
    """Return an order for ten shares."""
    return SubmitOrder(
        account_id=account_id,
        client_order_id="c-1",
        symbol="AAPL",
        side=Side.BUY,
        qty=Decimal(10),
        type=OrderType.MARKET,
    )


async def is_settled(bus: OwnBus) -> bool:
    """Tell whether trading owes no answer to anything of broker."""
    return await bus.unacknowledged("trading", stream="EVT_BROKER") == 0


async def publish(bus: OwnBus, service: str, events: list[tuple[UUID, Event]]) -> None:
    """Publish events as the service's relay does, told just now."""
    login = bus.server.login(service)
    link = await connect_nats(NatsCredentials(url=login.url, user=login.user, seed=login.seed))
    context = person_context("trader", user_id=new_id())
    for aggregate_id, event in events:
        at = SystemClock().now()
        body = encode_event(event, event_id=new_id(), aggregate_id=aggregate_id, context=context, at=at)
        await link.jetstream().publish(subject_of(type(event)), body.encode())
    await link.close()
