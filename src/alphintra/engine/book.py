"""A simulated book: cash, one position, the orders that work for it, and what a bar does to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.engine.costs import Costs
from alphintra.engine.graph.values import StateView
from alphintra.engine.intents import LEAVING, Decision, Intent, Outcome
from alphintra.engine.matching import UNTOUCHED, Moment, OrderTerms, Watch, meet, rest_of
from alphintra.engine.portfolio import FLAT, Position, apply_fill, cash_delta, notional
from alphintra.engine.protection import Guard, GuardExit, guarded
from alphintra.kernel.money import plain
from alphintra.kernel.vocabulary import Intrabar, OrderStatus, OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.engine.bars import Bar

__all__ = [
    "ENDED_AS",
    "EXCEEDS_FREE_BALANCE",
    "ORDER_CANCELED",
    "ORDER_EXPIRED",
    "Book",
    "Fill",
    "Order",
    "Refusal",
    "fill_working",
]

EXCEEDS_FREE_BALANCE = "EXCEEDS_FREE_BALANCE"
ORDER_EXPIRED = "ORDER_EXPIRED"
ORDER_CANCELED = "ORDER_CANCELED"
ENDED_AS = {ORDER_EXPIRED: OrderStatus.EXPIRED, ORDER_CANCELED: OrderStatus.CANCELED}
"""How orders end that were not refused, by code."""
_ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class Order:
    """An order born of an intent at the close ``created_ts``.

    ``works_until`` is the closing of its session, for an order of the day on bars shorter than a session. ``bars`` it
    has met without a fill, and ``watch`` is how far its stop has come.
    """

    client_order_id: str
    created_ts: datetime
    intent: Intent
    works_until: datetime | None = None
    bars: int = 0
    watch: Watch = UNTOUCHED

    @property
    def terms(self) -> OrderTerms:
        """What matching must know of it."""
        intent = self.intent
        return OrderTerms(
            intent.side,
            intent.order_type,
            self.created_ts,
            limit_price=intent.limit_price,
            stop_price=intent.stop_price,
        )

    def is_over(self, ts: datetime) -> bool:
        """Tell whether its time is over at a close, fills of that bar not counted."""
        if self.intent.bars_max is not None and self.bars >= self.intent.bars_max:
            return True
        if self.intent.order_type is OrderType.MARKET or self.intent.time_in_force is not TimeInForce.DAY:
            return False
        return self.bars > 0 if self.works_until is None else ts >= self.works_until


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
    """An order that ended without a fill: it could not be booked, or its time was over, or a rule took it off."""

    client_order_id: str
    ts: datetime
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Book:
    """Cash, position and working orders of one strategy on one symbol.

    ``guards`` are the exits that came with each entry; ``at`` is the close up to which borrowing has been paid;
    ``bars`` the position has met, that of its first fill included; ``entries`` it is made of, the last at
    ``last_entry``.
    """

    cash: Decimal
    position: Position = FLAT
    working: tuple[Order, ...] = ()
    guards: tuple[Guard, ...] = ()
    at: datetime | None = None
    bars: int = 0
    entries: int = 0
    last_entry: Decimal = Decimal(0)

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
            bars_held=self.bars,
            is_entry_working=any(order.intent.reason == _ENTRY for order in self.working),
            entries=self.entries,
            last_entry=self.last_entry,
        )

    def ratcheted(self, distance: Decimal | None) -> Book:
        """Return the book after a close that tells a chandelier's distance; None leaves it as it is."""
        return replace(self, guards=tuple(guard.ratcheted(distance) for guard in self.guards))

    def after(self, decision: Decision) -> tuple[Book, tuple[Refusal, ...]]:
        """Return the book after a decision: what leaves takes the entries off that have not filled."""
        is_left = any(intent.reason in LEAVING for intent in decision.intents)
        is_canceled = decision.outcome is Outcome.ENTRY_CANCELED
        return self.without_entries(decision.ts) if is_left or is_canceled else (self, ())

    def without_entries(self, ts: datetime) -> tuple[Book, tuple[Refusal, ...]]:
        """Take the entries off that have not filled."""
        gone = [order for order in self.working if order.intent.reason == _ENTRY]
        kept = tuple(order for order in self.working if order.intent.reason != _ENTRY)
        told = tuple(
            Refusal(order.client_order_id, ts, ORDER_CANCELED, "a rule asked to leave before it was filled")
            for order in gone
        )
        return replace(self, working=kept), told


def fill_working(
    book: Book, bar: Bar, *, costs: Costs, intrabar: Intrabar = Intrabar.CHRONOLOGICAL
) -> tuple[Book, tuple[Fill, ...], tuple[Refusal, ...]]:
    """Let every working order meet the bar, oldest first, then the exits of the position; then pay for borrowing.

    With vectorbt the exits come first, and one that leaves nothing ends the orders that would have taken the open.

    An entry that costs more than the free cash is refused whole, as in a cash account. What closes a short position
    is never refused: owing cash is better than owing shares.
    """
    fills: list[Fill] = []
    refusals: list[Refusal] = []
    if intrabar is Intrabar.VECTORBT:
        book, fills, refusals = _exits_first(book, bar, costs)
    working: list[Order] = []
    fresh: dict[str, tuple[Bar, Moment]] = {}
    for order in book.working:
        intent = order.intent
        if order.works_until is not None and bar.ts > order.works_until:
            refusals.append(_expired(order, bar.ts))
            continue
        met = meet(order.terms, bar, watch=order.watch, slippage_bps=costs.slippage_bps)
        if met.price is None:
            waiting = replace(order, bars=order.bars + 1, watch=met.watch)
            if waiting.is_over(bar.ts):
                refusals.append(_expired(order, bar.ts))
            else:
                working.append(waiting)
            continue
        after, fill = _filled(book, order, bar.ts, price=met.price, costs=costs)
        if isinstance(fill, Refusal):
            refusals.append(fill)
            continue
        fills.append(fill)
        book = _counted(book, after, order, met.price)
        if intent.protection is not None and book.position.qty:
            guard = guarded(
                intent.protection,
                intent.side,
                qty=intent.qty,
                price=met.price,
                order_id=order.client_order_id,
                tag=intent.tag,
            )
            book = replace(book, guards=(*book.guards, guard))
            fresh[order.client_order_id] = (rest_of(bar, met), met.moment)
    book = replace(book, working=tuple(working))
    book, closed = _through_exits(book, bar, fresh, costs=costs, intrabar=intrabar)
    fills += closed
    book = replace(book, bars=book.bars + 1 if book.position.qty else 0)
    return _borrowed(book, bar, costs), tuple(fills), tuple(refusals)


def _counted(before: Book, after: Book, order: Order, price: Decimal) -> Book:
    """Return a book after the fill of an order with its entries counted; what is flat or turned begins anew."""
    held = before.position.qty
    is_new = held * after.position.qty <= 0
    book = replace(after, guards=(), bars=0, entries=0) if is_new else after
    if not book.position.qty or order.intent.reason != _ENTRY:
        return book
    return replace(book, entries=book.entries + 1, last_entry=price)


def _expired(order: Order, ts: datetime) -> Refusal:
    return Refusal(order.client_order_id, ts, ORDER_EXPIRED, "its price was not reached in time")


def _filled(book: Book, order: Order, ts: datetime, *, price: Decimal, costs: Costs) -> tuple[Book, Fill | Refusal]:
    intent = order.intent
    fee = costs.fees.fee(intent.qty, price)
    delta = cash_delta(intent.side, intent.qty, price=price, fee=fee)
    is_opening = book.position.qty >= 0
    if intent.side is Side.BUY and is_opening and book.cash + delta < 0:
        asked = f"{plain(intent.qty):f} at {plain(price):f} with fee {plain(fee):f}"
        detail = f"{asked} costs {plain(-delta):f}, free cash is {plain(book.cash):f}"
        return book, Refusal(order.client_order_id, ts, EXCEEDS_FREE_BALANCE, detail)
    position, realized = apply_fill(book.position, intent.side, qty=intent.qty, price=price)
    fill = Fill(order.client_order_id, ts, intent.side, intent.qty, price, fee, realized)
    return replace(book, cash=book.cash + delta, position=position), fill


def _exits_first(book: Book, bar: Bar, costs: Costs) -> tuple[Book, list[Fill], list[Refusal]]:
    """Let the exits meet a bar before the orders do, as vectorbt has it.

    Where they leave nothing, the orders that would have taken the open are off; where they leave a part, an order to
    leave is for no more than that.
    """
    fills: list[Fill] = []
    for guard in book.guards:
        met = guard.met_known(bar, slippage_bps=costs.slippage_bps, intrabar=Intrabar.VECTORBT)
        book = _closed_by(book, guard, met, fills, ts=bar.ts, costs=costs)
    if not fills:
        return book, [], []
    left, working, gone = abs(book.position.qty), [], []
    for order in book.working:
        if order.intent.order_type is OrderType.MARKET and not left:
            detail = "an exit left nothing before it came to the market"
            gone.append(Refusal(order.client_order_id, bar.ts, ORDER_CANCELED, detail))
        elif order.intent.reason in LEAVING:
            working.append(replace(order, intent=replace(order.intent, qty=min(order.intent.qty, left))))
        else:
            working.append(order)
    return replace(book, working=tuple(working)), fills, gone


def _through_exits(
    book: Book, bar: Bar, fresh: Mapping[str, tuple[Bar, Moment]], *, costs: Costs, intrabar: Intrabar
) -> tuple[Book, list[Fill]]:
    """Let the exits meet a bar after the orders; ``fresh`` is what of it those of this bar's entries may see."""
    fills: list[Fill] = []
    for guard in book.guards:
        if intrabar is Intrabar.CHRONOLOGICAL:
            seen, since = fresh.get(guard.order_id, (bar, Moment.OPEN))
            met = guard.met(seen, slippage_bps=costs.slippage_bps, since=since)
        elif guard.order_id in fresh:
            met = guard.settled(bar, intrabar), None
        elif intrabar is Intrabar.BACKTRADER:
            met = guard.met_known(bar, slippage_bps=costs.slippage_bps, intrabar=intrabar)
        else:  # vectorbt: it has met the bar before the orders did
            continue
        book = _closed_by(book, guard, met, fills, ts=bar.ts, costs=costs)
    return book, fills


def _closed_by(
    book: Book, guard: Guard, met: tuple[Guard, GuardExit | None], fills: list[Fill], *, ts: datetime, costs: Costs
) -> Book:
    """Return the book after the exits of an entry have met a bar; an execution is added to the fills."""
    after, out = met
    if out is None:
        return replace(book, guards=tuple(after if one is guard else one for one in book.guards))
    qty = min(guard.qty, abs(book.position.qty))
    fee = costs.fees.fee(qty, out.price)
    delta = cash_delta(guard.side, qty, price=out.price, fee=fee)
    position, realized = apply_fill(book.position, guard.side, qty=qty, price=out.price)
    fills.append(Fill(guard.order_id, ts, guard.side, qty, out.price, fee, realized, out.leg, out.is_ambiguous))
    guards = tuple(one for one in book.guards if one is not guard) if position.qty else ()
    entries = book.entries if position.qty else 0
    return replace(book, cash=book.cash + delta, position=position, guards=guards, entries=entries)


def _borrowed(book: Book, bar: Bar, costs: Costs) -> Book:
    """Return the book after what a short position that stands at the close cost since the close before."""
    if book.at is None or book.position.qty >= 0 or not costs.borrow_bps:
        return replace(book, at=bar.ts)
    cost = costs.borrow(notional(-book.position.qty, bar.close), held=bar.ts - book.at)
    return replace(book, cash=book.cash - cost, at=bar.ts)
