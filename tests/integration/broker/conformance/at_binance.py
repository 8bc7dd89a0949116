"""The bench of Binance, reached by the unmodified library."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from starlette.responses import JSONResponse, Response

from alphintra.kernel.vocabulary import TimeInForce
from fixtures.exchange import binance
from fixtures.exchange.binance import SimulatedBinance
from fixtures.venue.server import CutError
from integration.broker.conformance.remote import HALF, HTML, ExchangeBench, RemoteBench
from integration.broker.live_desk import LiveDesk

if TYPE_CHECKING:
    from alphintra.contracts.approval import OrderTerms
    from alphintra.contracts.broker import AddConnection


__all__ = ["BinanceBench", "BinanceDesk"]


@dataclass(slots=True)
class BinanceDesk(LiveDesk):
    """A live account at a simulated Binance, kept in USDT."""

    exchange: SimulatedBinance = field(default_factory=SimulatedBinance)

    async def open_account(self, *, starting_cash: Decimal | None = None) -> None:
        """Open the account."""
        cash = self.exchange.books.assets["USDT"] if starting_cash is None else starting_cash
        await LiveDesk.open_account(self, starting_cash=cash)

    def wanted(self, **changes: Any) -> AddConnection:  # noqa: ANN401 - those of the command
        """Return the command that connects the account to the exchange."""
        fields: dict[str, Any] = {
            "adapter": "ccxt",
            "exchange": "binance",
            "credentials": {"key_id": binance.KEY_ID, "secret_key": binance.SECRET, "quote": "USDT"},
            "base_url": self.exchange.url,
        }
        return LiveDesk.wanted(self, **{**fields, **changes})

    def terms(self, **changes: Any) -> OrderTerms:  # noqa: ANN401 - those of the terms
        """Return a limit order for ten bitcoins."""
        return LiveDesk.terms(self, **{"symbol": "BTC/USDT", "time_in_force": TimeInForce.GTC, **changes})


class BinanceBench(RemoteBench):
    """Binance through ccxt: by symbol, with fees in kind, orders found by our id, a stream of another shape."""

    key_id, secret = binance.KEY_ID, binance.SECRET
    quiet_faults = ExchangeBench.quiet_faults
    has_groups = False

    desk: BinanceDesk

    def __init__(self, desk: BinanceDesk) -> None:
        self.desk = desk
        self.exchange = desk.exchange

    def worsen(self, **faults: float) -> None:
        """Let faults be as probable as said."""
        self.exchange.worsen(**faults)

    def reseed(self, seed: int) -> None:
        """Begin another seed."""
        self.exchange.reseed(seed)

    def answer_next_order(self, how: str) -> None:
        """Answer the next order."""
        text = "Account has insufficient balance for requested action."
        answers: dict[str, Response | type[CutError]] = {
            "429": JSONResponse({"code": -1003, "msg": "Too many requests."}, 429),
            "500": JSONResponse({"code": -1000, "msg": "An unknown error occurred while processing the request."}, 500),
            "html": HTML,
            "half": HALF,
            "funds": JSONResponse({"code": -2010, "msg": text}, 400),
            "lost": CutError,
        }
        self.exchange.spoil_orders_with.append(answers[how])

    def refuse_keys(self, *, are_refused: bool) -> None:
        """Refuse the keys."""
        self.exchange.is_refusing_keys = are_refused

    async def fill(self, terms: OrderTerms, qty: str, price: str = "100") -> None:
        """Execute part of an order."""
        (row,) = self.exchange.books.by_client_id(terms.order_id.hex)
        self.exchange.fill(row, Decimal(qty), Decimal(price))

    async def fill_untold(self, terms: OrderTerms, qty: str) -> None:
        """Execute part of an order in silence."""
        self.worsen(untold_fill=1.0)
        await self.fill(terms, qty)
        self.worsen(untold_fill=0.0)

    async def hang_up(self) -> None:
        """Cut the stream."""
        await self.exchange.hang_up()

    async def external(self, *, is_filled: bool) -> None:
        """Place somebody else's order."""
        body = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "3", "price": "99"}
        row = self.exchange.books.add(body, visible_at=0.0)
        if is_filled:
            self.exchange.fill(row, Decimal(3), Decimal(99))

    async def at_venue(self) -> Counter[UUID]:
        """Return the orders of the exchange."""
        names = [row.body.get("newClientOrderId") for row in self.exchange.books.orders.values()]
        return Counter(UUID(name) for name in names if name)

    def filled_at_venue(self) -> Decimal:
        """Return what was executed."""
        return sum((Decimal(each["qty"]) for each in self.exchange.books.trades), Decimal(0))

    def unsupported(self) -> OrderTerms:
        """Return an order for a day: exchanges never close."""
        return self.terms(time_in_force=TimeInForce.DAY)

    def listeners(self) -> int:
        """Return how many listen to the stream."""
        return len(self.exchange.sockets)

    def orders_sent(self) -> int:
        """Return how many orders were sent."""
        return self.exchange.calls.count("POST order")
