"""A simulated book: cash, one position, the orders that work for it, and what a bar does to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.engine.costs import Costs
from alphintra.engine.graph.values import StateView
from alphintra.engine.intents import Intent
from alphintra.engine.matching import OrderTerms, match_bar
from alphintra.engine.portfolio import FLAT, Position, apply_fill, cash_delta, notional
from alphintra.engine.protection import Guard, guarded
from alphintra.kernel.vocabulary import Side

if TYPE_CHECKING:
    from alphintra.engine.bars import Bar

__all__ = ["EXCEEDS_FREE_BALANCE", "Book", "Fill", "Order", "Refusal", "fill_working"]

EXCEEDS_FREE_BALANCE = "EXCEEDS_FREE_BALANCE"


@dataclass(frozen=True, slots=True)
class Order:
    """An order born of an intent at the close ``created_ts``."""

    client_order_id: str
    created_ts: datetime
    intent: Intent


@dataclass(frozen=True, slots=True)
class Fill:
    """An execution; ``ts`` is the close time of the bar that filled, ``realized`` is before fees.

    ``leg`` is stop, target or trail where an exit executed that came with the entry; ``client_order_id`` is the
    entry's then. Such an execution is ambiguous where the bar also held the price of the other exit.
    """

    client_order_id: str
    ts: datetime
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    realized: Decimal
    leg: str = ""
    is_ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """An order that met a bar and could not be booked, with the code a live risk check would give."""

    client_order_id: str
    ts: datetime
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Book:
    """Cash, position and working orders of one strategy on one symbol.

    ``guard`` are the exits that came with the entry; ``at`` is the close up to which borrowing has been paid.
    """

    cash: Decimal
    position: Position = FLAT
    working: tuple[Order, ...] = ()
    guard: Guard | None = None
    at: datetime | None = None

    def equity(self, mark: Decimal) -> Decimal:
        """Return cash plus the position at price ``mark``."""
        return self.cash + self.position.market_value(mark)

    def view(self, mark: Decimal) -> StateView:
        """Return what the strategy may know of this book at price ``mark``."""
        return StateView(
            qty=self.position.qty,
            avg_price=self.position.avg_price,
            cash=self.cash,
            equity=self.equity(mark),
            is_order_working=bool(self.working),
            bars_held=0 if self.guard is None else self.guard.bars,
        )


def fill_working(book: Book, bar: Bar, *, costs: Costs) -> tuple[Book, tuple[Fill, ...], tuple[Refusal, ...]]:
    """Let every working order meet the bar, oldest first, then the exits of the position; then pay for borrowing.

    An entry that costs more than the free cash is refused whole, as in a cash account. What closes a short position
    is never refused: owing cash is better than owing shares.
    """
    fills: list[Fill] = []
    refusals: list[Refusal] = []
    working: list[Order] = []
    for order in book.working:
        intent = order.intent
        terms = OrderTerms(intent.side, intent.order_type, order.created_ts)
        price = match_bar(terms, bar, slippage_bps=costs.slippage_bps)
        if price is None:
            working.append(order)
            continue
        after, fill = _filled(book, order, bar.ts, price=price, costs=costs)
        if isinstance(fill, Refusal):
            refusals.append(fill)
            continue
        fills.append(fill)
        guard = after.guard if after.position.qty else None
        if intent.protection is not None and after.position.qty:
            guard = guarded(intent.protection, intent.side, price=price, order_id=order.client_order_id, tag=intent.tag)
        book = replace(after, guard=guard)
    book = replace(book, working=tuple(working))
    if book.guard is not None:
        book, closed = _guarded_through(book, book.guard, bar, costs=costs)
        fills += closed
    return _borrowed(book, bar, costs), tuple(fills), tuple(refusals)


def _filled(book: Book, order: Order, ts: datetime, *, price: Decimal, costs: Costs) -> tuple[Book, Fill | Refusal]:
    intent = order.intent
    fee = costs.fees.fee(intent.qty, price)
    delta = cash_delta(intent.side, intent.qty, price=price, fee=fee)
    is_opening = book.position.qty >= 0
    if intent.side is Side.BUY and is_opening and book.cash + delta < 0:
        detail = f"{intent.qty} at {price} with fee {fee} costs {-delta}, free cash is {book.cash}"
        return book, Refusal(order.client_order_id, ts, EXCEEDS_FREE_BALANCE, detail)
    position, realized = apply_fill(book.position, intent.side, qty=intent.qty, price=price)
    fill = Fill(order.client_order_id, ts, intent.side, intent.qty, price, fee, realized)
    return replace(book, cash=book.cash + delta, position=position), fill


def _guarded_through(book: Book, guard: Guard, bar: Bar, *, costs: Costs) -> tuple[Book, tuple[Fill, ...]]:
    guard, out = guard.met(bar, slippage_bps=costs.slippage_bps)
    if out is None:
        return replace(book, guard=guard), ()
    qty = abs(book.position.qty)
    fee = costs.fees.fee(qty, out.price)
    delta = cash_delta(guard.side, qty, price=out.price, fee=fee)
    position, realized = apply_fill(book.position, guard.side, qty=qty, price=out.price)
    fill = Fill(guard.order_id, bar.ts, guard.side, qty, out.price, fee, realized, out.leg, out.is_ambiguous)
    return replace(book, cash=book.cash + delta, position=position, guard=None), (fill,)


def _borrowed(book: Book, bar: Bar, costs: Costs) -> Book:
    """Return the book after what a short position that stands at the close cost since the close before."""
    if book.at is None or book.position.qty >= 0 or not costs.borrow_bps:
        return replace(book, at=bar.ts)
    cost = costs.borrow(notional(-book.position.qty, bar.close), held=bar.ts - book.at)
    return replace(book, cash=book.cash - cost, at=bar.ts)
