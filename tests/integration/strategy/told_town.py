"""The town with a trading that tells of what it books, and with live accounts, whose venue the test speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid5

import msgspec

from alphintra.broker.domain.floor import Execution
from alphintra.contracts.broker import (
    CapabilitiesView,
    ConnectionView,
    GetConnection,
    ListWatchedPrices,
    WatchedPricesView,
    WatchedPriceView,
)
from alphintra.contracts.orders import OrderEventsView, OrderEventView
from alphintra.contracts.risk import LimitsView
from alphintra.contracts.trading import FillBooked, ListOrderEvents
from alphintra.engine.pretrade.limits import default_limits
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.kernel.ids import AccountId, ExecutionId, OrderId
from alphintra.kernel.vocabulary import AccountMode, OrderClass, OrderStatus, OrderType, TimeInForce
from fixtures.single_service import NOON, delivery_of
from integration.strategy.town import NAMESPACE, Town

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from alphintra.contracts.books import ExecutionView
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.messages import Command, Context
    from integration.strategy.town import PlacedOrder

__all__ = ["ALPACA", "ToldTown"]

ALPACA = CapabilitiesView(
    types=tuple(OrderType),
    times_in_force=tuple(set(TimeInForce) - {TimeInForce.GTD}),
    order_classes=tuple(OrderClass),
    has_notional=True,
    has_fractional=True,
    has_extended_hours=True,
    has_replace=True,
    has_stream=True,
    rejects_duplicates=True,
    visibility_delay_ms=2000,
    requests_per_minute=200,
)


@dataclass(slots=True)
class ToldTown(Town):
    """A town whose trading tells of each execution, as soon as the question that made it is answered.

    Attributes:
        tells: who hears it; nobody while ``is_silent``.
        venue: what the venues of live accounts can do, and how their connections stand.
    """

    tells: Callable[[Sequence[Delivery[FillBooked]]], Awaitable[None]] | None = None
    told: int = 0
    is_silent: bool = False
    venue: ConnectionView | None = None

    async def start(self, local: LocalDirectory) -> None:
        """Answer in the directory of the service under test."""
        await Town.start(self, local)
        bus = Bus(name="town of live accounts", asks=frozenset(), local=local, nats=None)
        bus.answer(ListOrderEvents, self._heard(ListOrderEvents, self._history))
        bus.answer(ListWatchedPrices, self._heard(ListWatchedPrices, self._watched))
        await bus.start()

    def open_live_account(self, owner_id: UUID, *, may_short: bool = False, **offers: Any) -> UUID:  # noqa: ANN401 - capabilities
        """Open a live account at a venue that is connected and tells prices of AAPL and BTC/USD."""
        account_id = self.open_account(owner_id, uuid5(NAMESPACE, f"prices {len(self.accounts)}"))
        view = msgspec.structs.replace(self.accounts[account_id], mode=AccountMode.LIVE, name="main")
        self.accounts[account_id] = msgspec.structs.replace(view, feed_id=account_id)
        self.limits[account_id] = LimitsView(
            account_id=account_id,
            version=1,
            order_qty_max=Decimal(100_000),
            order_notional_max=Decimal(1_000_000),
            position_qty_max=Decimal(100_000),
            may_short=may_short,
            set_by="somebody",
            set_at=NOON,
            controls=default_limits().controls,
        )
        self.venue = ConnectionView(
            account_id=account_id,
            adapter="alpaca",
            feed_id=None,
            status="open",
            opened_at=NOON,
            environment="paper",
            capabilities=msgspec.structs.replace(ALPACA, **offers),
        )
        return account_id

    async def execute(
        self, deployment_id: UUID, qty: str, price: str, *, at: datetime, fee: str = "0", leg: str = "entry"
    ) -> ExecutionView:
        """Let a venue execute part of a deployment's newest order, or of an exit of it; trading books and tells it."""
        order = next(each for each in reversed(self.placed(deployment_id)) if each.leg == leg)
        if order.status in {OrderStatus.PENDING_NEW, OrderStatus.HELD}:
            self._now(order.order_id, OrderStatus.NEW)
        done = Execution(
            execution_id=ExecutionId(f"x-{len(self.executions)}"),
            order_id=OrderId(order.order_id),
            account_id=AccountId(order.account_id),
            symbol=order.symbol,
            side=order.side,
            qty=Decimal(qty),
            price=Decimal(price),
            fee=Decimal(fee),
            executed_at=at,
        )
        self._fill(done)
        await self.tell()
        return self.executions[-1]

    def end(self, deployment_id: UUID, status: OrderStatus, *, leg: str = "entry") -> None:
        """Let a venue end a deployment's newest order, or an exit of it."""
        order = next(each for each in reversed(self.placed(deployment_id)) if each.leg == leg)
        self._now(order.order_id, status)

    async def tell(self) -> None:
        """Tell what was booked and not told."""
        if self.is_silent or self.tells is None:
            return
        fresh, self.told = self.executions[self.told :], len(self.executions)
        if fresh:
            await self.tells([self.event(fill) for fill in fresh])

    def event(self, fill: ExecutionView) -> Delivery[FillBooked]:
        """Return trading's event of an execution, as one that was never told."""
        account = self.accounts[fill.account_id]
        told = FillBooked(
            owner_id=account.owner_id,
            execution=fill,
            order_status=self.orders[fill.order_id].view.status,
            account_qty=fill.qty,
            cash=account.cash,
        )
        return delivery_of(told, aggregate_id=fill.order_id)

    def _heard(
        self, kind: type[Command[Any]], handler: Callable[[Any, Context], object]
    ) -> Callable[[Any, Context], Awaitable[object]]:
        heard = Town._heard(self, kind, handler)

        async def telling(command: Command[Any], context: Context) -> object:
            answer = await heard(command, context)
            await self.tell()
            return answer

        return telling

    def _connection(self, command: GetConnection, context: Context) -> ConnectionView:
        account = self._account(command, context)
        if account.mode is AccountMode.LIVE:
            assert self.venue is not None
            return self.venue
        return Town._connection(self, command, context)

    def _require_market_settled(self, feed_id: UUID | None) -> None:
        if feed_id in self.marks:
            Town._require_market_settled(self, feed_id)
        for fill in self.executions:
            assert self._patience.get(f"risk {fill.execution_id}", self.lag) < 0, "risk has not heard of it"

    def _withdraw(self, order: PlacedOrder) -> None:
        if order.paper is None:  # at a venue the test speaks for
            self._now(order.view.order_id, OrderStatus.CANCELED)
        else:
            Town._withdraw(self, order)

    def _history(self, command: ListOrderEvents, _context: Context) -> OrderEventsView:
        names = [fill.execution_id for fill in self.executions if fill.order_id == command.order_id]
        order = self.orders[command.order_id].view
        found = tuple(
            OrderEventView(
                version=number,
                kind="executed",
                status=order.status,
                occurred_at=NOON,
                code="",
                reason="",
                qty=None,
                price=None,
                execution_id=name,
                other_order_id=None,
                detail="{}",
            )
            for number, name in enumerate(names, start=1)
        )
        return OrderEventsView(order_id=command.order_id, events=found)

    def _watched(self, command: ListWatchedPrices, _context: Context) -> WatchedPricesView:
        prices = tuple(
            WatchedPriceView(symbol=name, price=Decimal(10), bid=None, ask=None, priced_at=NOON, is_stalled=False)
            for name in ("AAPL", "BTC/USD")
        )
        return WatchedPricesView(account_id=command.account_id, prices=prices)
