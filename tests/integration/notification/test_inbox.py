"""One message for each happening and reader, however often its event arrives; each reader sees the own ones only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.auth import UserRegistered
from alphintra.contracts.books import ExecutionView
from alphintra.contracts.drift import DriftCountView, DriftFound
from alphintra.contracts.notification import ListMessages, MarkRead, MessagesView
from alphintra.contracts.orders import OrderView
from alphintra.contracts.risk import KillStateChanged, KillStateView
from alphintra.contracts.strategy import BacktestFinished, FeedFinished
from alphintra.contracts.trading import AccountOpened, FillBooked, OrderClosed, OrderDenied
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import AccountMode, OrderStatus, OrderType, Side, TimeInForce
from alphintra.notification.endpoints import Endpoints
from alphintra.notification.repository.inboxes import Inboxes
from alphintra.notification.service import telling
from fixtures.single_service import NOON, PowerCutError, SettableClock, acting, delivery_of, opened, stop_at

if TYPE_CHECKING:
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.messages import Event
    from fixtures.postgres import ServiceDatabase


def new_id() -> UUID:
    """Return a fresh id."""
    return SystemIds().new()


@dataclass(slots=True)
class Desk:
    """Notification on a database of its own, with two people and an account of the first."""

    endpoints: Endpoints
    database: ServiceDatabase
    clock: SettableClock
    ada: UUID = field(default_factory=new_id)
    bob: UUID = field(default_factory=new_id)
    account_id: UUID = field(default_factory=new_id)

    async def hear(self, delivery: Delivery[Any]) -> None:
        """Hand an event to its handler."""
        handlers: dict[type[Event], Callable[[Any], Awaitable[None]]] = {
            UserRegistered: self.endpoints.on_user_registered,
            AccountOpened: self.endpoints.on_account_opened,
            OrderDenied: self.endpoints.on_order_denied,
            FillBooked: self.endpoints.on_fill_booked,
            OrderClosed: self.endpoints.on_order_closed,
            KillStateChanged: self.endpoints.on_kill_state_changed,
            BacktestFinished: self.endpoints.on_backtest_finished,
            FeedFinished: self.endpoints.on_feed_finished,
            DriftFound: self.endpoints.on_drift_found,
        }
        await handlers[type(delivery.event)](delivery)

    async def inbox(self, user_id: UUID, *, unread_only: bool = False, limit: int = 50) -> MessagesView:
        """Return a person's inbox."""
        return await self.endpoints.list_messages(ListMessages(unread_only=unread_only, limit=limit), acting(user_id))

    async def rows(self, statement: str) -> list[asyncpg.Record]:
        """Look into the database as its administrator."""
        connection = await asyncpg.connect(self.database.admin_dsn)
        try:
            await connection.execute("set search_path to notification_schema")
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    def happenings(self) -> dict[str, Event]:
        """Return one event of each kind that makes a message for Ada."""
        order_id = new_id()
        return {
            "order_denied": OrderDenied(
                owner_id=self.ada,
                terms=self.terms(order_id),
                code="RISK_QTY_MAX",
                reason="10 is above 5",
                decision_id=None,
            ),
            "fill_booked": self.filled("paper-1"),
            "order_expired": OrderClosed(owner_id=self.ada, order=self.closed(order_id, OrderStatus.EXPIRED)),
            "kill_state_changed": self.kill(1),
            "backtest_finished": BacktestFinished(
                backtest_id=new_id(), owner_id=self.ada, symbol="AAPL", status="finished", total_return=0.5
            ),
            "feed_finished": FeedFinished(feed_id=new_id(), owner_id=self.ada, status="finished", error=""),
            "drift_found": DriftFound(
                report_id=new_id(),
                deployment_id=new_id(),
                owner_id=self.ada,
                account_id=self.account_id,
                symbol="AAPL",
                equity_bps=Decimal(-61),
                reasons=(DriftCountView(reason="late_bar", count=2),),
            ),
        }

    def terms(self, order_id: UUID) -> OrderTerms:
        """Return a market order's terms."""
        return OrderTerms(
            order_id=order_id,
            client_order_id="c",
            account_id=self.account_id,
            symbol="AAPL",
            side=Side.BUY,
            type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
            qty=Decimal(10),
        )

    def closed(self, order_id: UUID, status: OrderStatus) -> OrderView:
        """Return an order that ended."""
        return OrderView(
            order_id=order_id,
            client_order_id="c",
            account_id=self.account_id,
            book_id=None,
            symbol="AAPL",
            side=Side.BUY,
            type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
            qty=Decimal(10),
            limit_price=None,
            status=status,
            filled_qty=Decimal(0),
            filled_avg_price=None,
            reason_code="",
            reason="",
            decision_id=None,
            version=3,
            created_at=NOON,
            updated_at=NOON,
        )

    def filled(self, execution_id: str) -> FillBooked:
        """Return a booked fill of Ada's account."""
        execution = ExecutionView(
            execution_id=execution_id,
            order_id=new_id(),
            account_id=self.account_id,
            book_id=None,
            symbol="AAPL",
            side=Side.BUY,
            qty=Decimal(10),
            price=Decimal("25.12"),
            fee=Decimal(0),
            realized_pnl=Decimal(0),
            executed_at=NOON,
            booked_at=NOON,
        )
        return FillBooked(
            owner_id=self.ada,
            execution=execution,
            order_status=OrderStatus.FILLED,
            account_qty=Decimal(10),
            cash=Decimal("748.80"),
        )

    def kill(self, epoch: int, account_id: UUID | None = None) -> KillStateChanged:
        """Return a halt of the firm, or of an account."""
        kill = KillStateView(
            scope="firm" if account_id is None else "account",
            account_id=account_id,
            state="halted",
            epoch=epoch,
            reason="drill",
            set_by="operator",
            set_at=NOON,
        )
        return KillStateChanged(kill=kill)

    def opened_account(self, account_id: UUID, owner_id: UUID) -> AccountOpened:
        """Return the opening of an account."""
        return AccountOpened(
            account_id=account_id,
            owner_id=owner_id,
            mode=AccountMode.PAPER,
            currency="USD",
            starting_cash=Decimal(1000),
            feed_id=None,
        )


KINDS = (
    "order_denied",
    "fill_booked",
    "order_expired",
    "kill_state_changed",
    "backtest_finished",
    "feed_finished",
    "drift_found",
)


@pytest_asyncio.fixture
async def desk(service_database: Callable[[str], Awaitable[ServiceDatabase]]) -> AsyncIterator[Desk]:
    database = await service_database("notification")
    async with opened(database) as connected:
        clock = SettableClock()
        endpoints = Endpoints(inboxes=Inboxes(connected), clock=clock, ids=SystemIds())
        desk = Desk(endpoints=endpoints, database=database, clock=clock)
        for user_id in (desk.ada, desk.bob):
            event = UserRegistered(user_id=user_id, email="x@example.org", role="trader")
            await desk.hear(delivery_of(event, aggregate_id=user_id))
        await desk.hear(delivery_of(desk.opened_account(desk.account_id, desk.ada), aggregate_id=desk.account_id))
        yield desk


@pytest.mark.parametrize("kind", KINDS)
async def test_an_event_delivered_five_times_makes_one_message(desk: Desk, kind: str) -> None:
    delivery = delivery_of(desk.happenings()[kind], aggregate_id=new_id(), at=NOON - timedelta(minutes=3))
    for _ in range(5):
        await desk.hear(delivery)
    (message,) = (await desk.inbox(desk.ada)).messages
    assert (message.kind, message.created_at, message.read_at) == (kind, NOON - timedelta(minutes=3), None)
    deliveries = await desk.rows("select message_id, channel from deliveries")
    assert {UUID(str(row["message_id"])) for row in deliveries} >= {message.message_id}
    readers = 2 if kind == "kill_state_changed" else 1
    told = await desk.rows("select 1 from event_log where subject = 'notification.evt.message_delivered'")
    assert (len(deliveries), len(told)) == (readers, readers)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_happening_told_under_two_event_ids_makes_one_message(desk: Desk, kind: str) -> None:
    event = desk.happenings()[kind]
    await asyncio.gather(*(desk.hear(delivery_of(event, aggregate_id=new_id())) for _ in range(4)))
    assert len((await desk.inbox(desk.ada)).messages) == 1


@pytest.mark.parametrize("status", [OrderStatus.FILLED, OrderStatus.DENIED])
async def test_an_order_that_was_filled_is_told_by_its_fill_alone(desk: Desk, status: OrderStatus) -> None:
    closed = OrderClosed(owner_id=desk.ada, order=desk.closed(new_id(), status))
    await desk.hear(delivery_of(closed, aggregate_id=new_id()))
    await desk.hear(delivery_of(desk.filled("paper-2"), aggregate_id=new_id()))
    assert [message.kind for message in (await desk.inbox(desk.ada)).messages] == ["fill_booked"]


async def test_a_halt_of_the_firm_reaches_everybody_and_one_of_an_account_its_owner(desk: Desk) -> None:
    await desk.hear(delivery_of(desk.kill(1), aggregate_id=new_id()))
    await desk.hear(delivery_of(desk.kill(2, desk.account_id), aggregate_id=new_id()))
    assert [message.subject for message in (await desk.inbox(desk.bob)).messages] == ["firm"]
    ada = (await desk.inbox(desk.ada)).messages
    assert {message.subject for message in ada} == {"firm", f"account:{desk.account_id}"}
    assert {message.severity for message in ada} == {"critical"}


async def test_a_halt_of_an_account_waits_for_the_accounts_opening(desk: Desk) -> None:
    account_id = new_id()
    halt = delivery_of(desk.kill(3, account_id), aggregate_id=account_id)
    with pytest.raises(AlphintraError, match="ACCOUNT_NOT_HEARD"):
        await desk.hear(halt)
    await desk.hear(delivery_of(desk.opened_account(account_id, desk.bob), aggregate_id=account_id))
    await desk.hear(halt)
    assert len((await desk.inbox(desk.bob)).messages) == 1


async def test_messages_come_newest_first_and_within_the_page_limit(desk: Desk) -> None:
    for minute in (2, 0, 1):
        at = NOON + timedelta(minutes=minute)
        await desk.hear(delivery_of(desk.filled(f"paper-{minute}"), aggregate_id=new_id(), at=at))
    view = await desk.inbox(desk.ada, limit=2)
    assert [message.subject for message in view.messages] == ["execution:paper-2", "execution:paper-1"]
    assert view.unread == 3
    for limit in (0, 201, -1):
        with pytest.raises(AlphintraError, match="PAGE_LIMIT"):
            await desk.inbox(desk.ada, limit=limit)


async def test_reading_a_message_twice_keeps_the_first_time(desk: Desk) -> None:
    for name in ("paper-1", "paper-2"):
        await desk.hear(delivery_of(desk.filled(name), aggregate_id=new_id()))
    message = (await desk.inbox(desk.ada)).messages[0]
    first = await desk.endpoints.mark_read(MarkRead(message_id=message.message_id), acting(desk.ada))
    desk.clock.pass_time(seconds=60)
    again = await desk.endpoints.mark_read(MarkRead(message_id=message.message_id), acting(desk.ada))
    assert first == again
    assert first.read_at == NOON
    unread = await desk.inbox(desk.ada, unread_only=True)
    assert unread.unread == 1
    assert message.message_id not in {entry.message_id for entry in unread.messages}
    assert len((await desk.inbox(desk.ada)).messages) == 2


async def test_another_persons_messages_are_neither_seen_nor_marked(desk: Desk) -> None:
    await desk.hear(delivery_of(desk.filled("paper-1"), aggregate_id=new_id()))
    (message,) = (await desk.inbox(desk.ada)).messages
    assert (await desk.inbox(desk.bob)) == MessagesView(messages=(), unread=0)
    for message_id in (message.message_id, new_id()):
        with pytest.raises(AlphintraError, match="MESSAGE_NOT_FOUND"):
            await desk.endpoints.mark_read(MarkRead(message_id=message_id), acting(desk.bob))
    assert (await desk.inbox(desk.ada)).unread == 1


async def test_nobody_in_particular_has_no_inbox(desk: Desk) -> None:
    with pytest.raises(AlphintraError, match="USER_REQUIRED"):
        await desk.endpoints.list_messages(ListMessages(), acting(None))
    with pytest.raises(AlphintraError, match="USER_REQUIRED"):
        await desk.endpoints.mark_read(MarkRead(message_id=new_id()), acting(None))


@pytest.mark.parametrize("point", ["notification.message_stored", "notification.message_committed"])
async def test_a_crash_neither_loses_nor_doubles_a_message(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    delivery = delivery_of(desk.filled("paper-1"), aggregate_id=new_id())
    with monkeypatch.context() as crashing:
        stop_at(crashing, telling, point)
        with pytest.raises(PowerCutError):
            await desk.hear(delivery)
    assert (await desk.inbox(desk.ada)).unread == (1 if point == "notification.message_committed" else 0)
    await desk.hear(delivery)
    assert (await desk.inbox(desk.ada)).unread == 1


async def test_the_service_itself_cannot_rewrite_its_delivery_log(desk: Desk) -> None:
    await desk.hear(delivery_of(desk.filled("paper-1"), aggregate_id=new_id()))
    connection = await asyncpg.connect(desk.database.dsn())
    try:
        for statement in ("delete from deliveries", "update deliveries set delivered_at = now()"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
