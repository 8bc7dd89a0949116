"""The benches of adapters whose venue is elsewhere: simulated ones on this machine, spoken to over HTTP."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from alphintra.broker.service import live_orders
from alphintra.contracts.risk import KillStateChanged, KillStateView
from alphintra.contracts.trading import OrderSubmitted
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.vocabulary import TimeInForce
from fixtures.exchange import server as exchange_side
from fixtures.exchange.server import SimulatedExchange
from fixtures.single_service import PowerCutError, delivery_of, stop_at
from fixtures.venue import server as venue_side
from fixtures.venue.server import CutError
from fixtures.waiting import until
from integration.broker.conformance.benches import reaches
from integration.broker.desk import approve
from integration.broker.live_desk import LiveDesk

if TYPE_CHECKING:
    from alphintra.contracts.approval import Approval, OrderTerms
    from alphintra.contracts.broker import AddConnection

__all__ = ["AlpacaBench", "ExchangeBench", "ExchangeDesk", "RemoteBench"]

HTML = HTMLResponse("<html><body>We will be back soon</body></html>")
HALF = Response(b'{"error":[],"id":"61e6', media_type="application/json")


@dataclass(slots=True)
class ExchangeDesk(LiveDesk):
    """A live account at a simulated exchange."""

    exchange: SimulatedExchange = field(default_factory=SimulatedExchange)

    async def open_account(self, *, starting_cash: Decimal | None = None) -> None:
        """Open the account."""
        cash = self.exchange.books.usd if starting_cash is None else starting_cash
        await LiveDesk.open_account(self, starting_cash=cash)

    def wanted(self, **changes: Any) -> AddConnection:  # noqa: ANN401 - those of the command
        """Return the command that connects the account to the exchange."""
        fields: dict[str, Any] = {
            "adapter": "ccxt",
            "exchange": "kraken",
            "credentials": {"key_id": exchange_side.KEY_ID, "secret_key": exchange_side.SECRET},
            "base_url": self.exchange.url,
        }
        return LiveDesk.wanted(self, **{**fields, **changes})

    def terms(self, **changes: Any) -> OrderTerms:  # noqa: ANN401 - those of the terms
        """Return a limit order for ten bitcoins."""
        return LiveDesk.terms(self, **{"symbol": "BTC/USD", "time_in_force": TimeInForce.GTC, **changes})


class RemoteBench(ABC):
    """A connection kept by broker's own worker, and the venue at its other end."""

    crash_points: tuple[str, ...] = (
        "broker.sending_stored",
        "broker.sending_committed",
        "broker.answer_kept",
        "broker.answer_kept_committed",
    )
    key_id: ClassVar[str]
    secret: ClassVar[str]
    has_pairs: ClassVar[bool] = False
    has_groups: ClassVar[bool] = True  # none where a fee in kind leaves less to sell than was bought
    quiet_faults: ClassVar[dict[str, float]]  # whatever the seed makes of them, books and venue agree in the end
    desk: LiveDesk

    @abstractmethod
    def worsen(self, **faults: float) -> None:
        """Let faults be as probable as said."""

    @abstractmethod
    def reseed(self, seed: int) -> None:
        """Begin the misbehaviour of another seed."""

    @abstractmethod
    def answer_next_order(self, how: str) -> None:
        """Let the venue answer the next order by 429, 500, html, half a JSON text, funds (a refusal) or not get it."""

    @abstractmethod
    def refuse_keys(self, *, are_refused: bool) -> None:
        """Let the venue refuse our keys, or take them again."""

    @abstractmethod
    async def fill(self, terms: OrderTerms, qty: str, price: str = "100") -> None:
        """Let the venue execute part of an order."""

    @abstractmethod
    async def fill_untold(self, terms: OrderTerms, qty: str) -> None:
        """The same, and tell nobody who does not ask."""

    @abstractmethod
    async def hang_up(self) -> None:
        """End what connection there is."""

    @abstractmethod
    async def external(self, *, is_filled: bool) -> None:
        """Let somebody else place an order on the account at the venue, which works or is filled."""

    @abstractmethod
    async def at_venue(self) -> Counter[UUID]:
        """Return how many orders the venue has under each of our order ids."""

    @abstractmethod
    def filled_at_venue(self) -> Decimal:
        """Return what the venue executed in all."""

    @abstractmethod
    def unsupported(self) -> OrderTerms:
        """Return an order the venue cannot work."""

    @abstractmethod
    def orders_sent(self) -> int:
        """Return how often the venue was sent an order."""

    def terms(self, **changes: Any) -> OrderTerms:  # noqa: ANN401 - those of the terms
        """Return a limit order."""
        return self.desk.terms(**{"time_in_force": TimeInForce.GTC, **changes})

    async def prepare(self) -> None:
        """Open the account and connect it."""
        await self.desk.connect()

    def keeping(self) -> AbstractAsyncContextManager[object]:
        """Keep the connection."""
        return self.desk.keeper()

    async def submit(self, terms: OrderTerms, approval: Approval | None = None) -> None:
        """Let broker hear of an order."""
        given = approval or approve(terms, SystemClock(), ttl=timedelta(minutes=5))  # type: ignore[arg-type] # a clock
        event = OrderSubmitted(owner_id=self.desk.owner_id, book_id=None, terms=terms, approval=given)
        await self.desk.endpoints.on_order_submitted(delivery_of(event, aggregate_id=terms.order_id))

    async def cancel(self, order_id: UUID) -> None:
        """Let broker hear of a cancellation."""
        await self.desk.cancel(order_id)

    async def halt(self, epoch: int) -> None:
        """Let broker hear of a halt."""
        kill = KillStateView(
            scope="account",
            account_id=self.desk.account_id,
            state="halted",
            epoch=epoch,
            reason="test",
            set_by="operator",
            set_at=SystemClock().now(),
        )
        event = delivery_of(KillStateChanged(kill=kill), aggregate_id=self.desk.account_id)
        await self.desk.endpoints.on_kill_state_changed(event)

    async def crash(self, terms: OrderTerms, point: str, cutting: pytest.MonkeyPatch) -> None:
        """End the process while the order is sent, and start it again."""
        await self.submit(terms)
        with cutting.context() as armed:
            stop_at(armed, live_orders, point)
            with pytest.raises(BaseExceptionGroup) as ended:
                await self.desk.one_worker()
            assert ended.group_contains(PowerCutError)
        async with self.keeping():
            await reaches(self, terms.order_id, "working")

    async def is_told(self, terms: OrderTerms, name: str) -> None:
        """Wait until something was told of an order."""

        async def is_so() -> bool:
            return name in await self.desk.told(terms.order_id)

        await until(is_so, seconds=60)

    async def status(self, order_id: UUID) -> str:
        """Return an order's state."""
        return await self.desk.status(order_id)

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what was told of orders."""
        return await self.desk.events()


class AlpacaBench(RemoteBench):
    """Alpaca."""

    key_id, secret = venue_side.KEY_ID, venue_side.SECRET
    has_pairs = True
    quiet_faults = {  # noqa: RUF012 - a ClassVar by its base
        "duplicate_fill": 0.3,
        "late_fill": 0.3,
        "reordered_fill": 0.5,
        "lost_fill": 0.2,
        "lost_ack": 0.2,
        "late_ack": 0.2,
        "busy": 0.02,
        "broken": 0.02,
        "disconnect": 0.05,
    }

    def __init__(self, desk: LiveDesk) -> None:
        self.desk = desk
        self._venue = desk.venue

    def worsen(self, **faults: float) -> None:
        """Let faults be as probable as said."""
        self._venue.faults |= faults

    def reseed(self, seed: int) -> None:
        """Begin another seed."""
        self._venue.reseed(seed)

    def answer_next_order(self, how: str) -> None:
        """Answer the next order."""
        answers = {
            "429": JSONResponse({"message": "too many requests."}, 429, headers={"Retry-After": "0"}),
            "500": JSONResponse({"message": "internal server error occurred"}, 500),
            "html": HTML,
            "half": HALF,
            "funds": JSONResponse({"code": 40310000, "message": "insufficient buying power"}, 403),
            "lost": JSONResponse({"message": "gateway timeout"}, 504),
        }
        self._venue.spoil_orders_with.append(answers[how])

    def refuse_keys(self, *, are_refused: bool) -> None:
        """Refuse the keys."""
        self._venue.is_refusing_keys = are_refused

    async def fill(self, terms: OrderTerms, qty: str, price: str = "100") -> None:
        """Execute part of an order."""
        await self._venue.fill(terms.client_order_id, qty, price)

    async def fill_untold(self, terms: OrderTerms, qty: str) -> None:
        """Execute part of an order in silence."""
        self.worsen(lost_fill=1.0)
        await self.fill(terms, qty)
        self.worsen(lost_fill=0.0)

    async def hang_up(self) -> None:
        """Cut the stream."""
        await self._venue.disconnect()

    async def external(self, *, is_filled: bool) -> None:
        """Place somebody else's order."""
        body = {"client_order_id": "by hand", "symbol": "AAPL", "side": "buy", "qty": "3", "type": "limit"}
        row = self._venue.market.add({**body, "time_in_force": "day", "limit_price": "99"})
        if is_filled:
            self._venue.market.fill(row, Decimal(3), Decimal(99))

    async def at_venue(self) -> Counter[UUID]:
        """Return the orders of the venue."""
        names = [row.body["client_order_id"] for row in self._venue.market.rows.values()]
        return Counter(UUID(name.removeprefix("c-")) for name in names if name.startswith("c-"))

    def filled_at_venue(self) -> Decimal:
        """Return what was executed."""
        return sum((Decimal(each["qty"]) for each in self._venue.market.activities), Decimal(0))

    def unsupported(self) -> OrderTerms:
        """Return an order until a date."""
        return self.terms(time_in_force=TimeInForce.GTD)

    def orders_sent(self) -> int:
        """Return how many orders were sent."""
        return self._venue.calls.count(("POST", "/v2/orders"))


class ExchangeBench(RemoteBench):
    """Kraken through ccxt."""

    key_id, secret = exchange_side.KEY_ID, exchange_side.SECRET
    quiet_faults = {  # noqa: RUF012 - a ClassVar by its base
        "reordered_fill": 0.5,
        "lost_ack": 0.2,
        "lost_request": 0.1,
        "late_ack": 0.2,
        "busy": 0.02,
        "too_many": 0.02,
        "broken": 0.02,
        "disconnect": 0.05,
        "untold_fill": 0.2,
        "told_twice": 0.3,
        "hang_up": 0.05,
    }

    desk: ExchangeDesk

    def __init__(self, desk: ExchangeDesk) -> None:
        self.desk = desk
        self._exchange = desk.exchange

    def worsen(self, **faults: float) -> None:
        """Let faults be as probable as said."""
        self._exchange.worsen(**faults)

    def reseed(self, seed: int) -> None:
        """Begin another seed."""
        self._exchange.reseed(seed)

    def answer_next_order(self, how: str) -> None:
        """Answer the next order."""
        answers: dict[str, Response | type[CutError]] = {
            "429": JSONResponse({"error": ["EGeneral:Too many requests"]}, 429),
            "500": JSONResponse({"error": ["EGeneral:Internal error"]}, 500),
            "html": HTML,
            "half": HALF,
            "funds": JSONResponse({"error": ["EOrder:Insufficient funds"]}),
            "lost": CutError,
        }
        self._exchange.spoil_orders_with.append(answers[how])

    def refuse_keys(self, *, are_refused: bool) -> None:
        """Refuse the keys."""
        self._exchange.is_refusing_keys = are_refused

    async def fill(self, terms: OrderTerms, qty: str, price: str = "100") -> None:
        """Execute part of an order."""
        (row,) = self._exchange.books.by_client_id(terms.order_id.hex)
        self._exchange.fill(row, Decimal(qty), Decimal(price))

    async def fill_untold(self, terms: OrderTerms, qty: str) -> None:
        """Execute part of an order in silence."""
        self.worsen(untold_fill=1.0)
        await self.fill(terms, qty)
        self.worsen(untold_fill=0.0)

    async def hang_up(self) -> None:
        """Cut the stream."""
        await self._exchange.hang_up()

    async def external(self, *, is_filled: bool) -> None:
        """Place somebody else's order."""
        body = {"pair": "XXBTZUSD", "type": "buy", "ordertype": "limit", "volume": "3", "price": "99"}
        row = self._exchange.books.add(body, visible_at=0.0)
        if is_filled:
            self._exchange.fill(row, Decimal(3), Decimal(99))

    async def at_venue(self) -> Counter[UUID]:
        """Return the orders of the exchange."""
        names = [row.body.get("cl_ord_id") for row in self._exchange.books.orders.values()]
        return Counter(UUID(name) for name in names if name)

    def filled_at_venue(self) -> Decimal:
        """Return what was executed."""
        return sum((Decimal(each["vol"]) for each in self._exchange.books.trades.values()), Decimal(0))

    def unsupported(self) -> OrderTerms:
        """Return an order for a day: exchanges never close."""
        return self.terms(time_in_force=TimeInForce.DAY)

    def listeners(self) -> int:
        """Return how many listen to the stream."""
        return len(self._exchange.sockets)

    def orders_sent(self) -> int:
        """Return how many orders were sent."""
        return self._exchange.calls.count("AddOrder")
