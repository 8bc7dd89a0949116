"""Fills from bars: what a bar may fill, when within it and at which price; for backtests and the paper venue alike.

A bar tells four prices and not their order in time, except that the open comes first and the close last. An order
therefore meets it at three moments: at the open; within the bar, where a level known before it was touched; and at the
close. A fill never rests on anything after its moment, and where the bar leaves open what came first, the answer is
the one that is worse for the order, or none until the close proves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from enum import IntEnum
from typing import TYPE_CHECKING

from alphintra.engine.bars import Bar
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import require_finite, require_positive, round_price, round_quantity_down
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from datetime import datetime, timedelta

__all__ = [
    "FILL_MODEL",
    "QTY_QUANTUM",
    "SLIPPAGE_BPS_MAX",
    "UNTOUCHED",
    "WHOLE",
    "Met",
    "Moment",
    "OrderTerms",
    "Phase",
    "Watch",
    "executable",
    "is_stale",
    "market_price",
    "match_bar",
    "meet",
    "require_slippage",
    "rest_of",
    "trail_level",
]

FILL_MODEL = (
    "Orders see only bars that close after the bar they were created on. Market orders fill whole at that bar's open, "
    "moved against the order by the slippage. Limit orders fill whole at the open if it is through the limit, else at "
    "the limit if the bar touches it, without slippage. Queue position, partial fills and market impact are not "
    "modelled."
)
SLIPPAGE_BPS_MAX = Decimal(1000)
QTY_QUANTUM = Decimal("0.000000001")
_BPS = Decimal(10_000)
_PERCENT = Decimal(100)
_WIDE = Context(prec=60)
_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG, TimeInForce.CLS})
_STOP_TIMES = frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD})
_PRICES = {
    OrderType.MARKET: frozenset[str](),
    OrderType.LIMIT: frozenset({"limit_price"}),
    OrderType.STOP: frozenset({"stop_price"}),
    OrderType.STOP_LIMIT: frozenset({"limit_price", "stop_price"}),
    OrderType.TRAILING_STOP: frozenset[str](),
}


class Moment(IntEnum):
    """When within a bar: its numbers put what happens in one bar in order of time."""

    OPEN = 0
    WITHIN = 1
    CLOSE = 2


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What matching must know of a working order.

    Args:
        side: buy or sell.
        order_type: how it is priced.
        known_bar_ts: close time of the last bar known when the order was created; that bar can never fill it.
        limit_price: worst acceptable price; required for limit and stop_limit orders, forbidden for others.
        stop_price: price that triggers; required for stop and stop_limit orders, forbidden for others.
        trail_price: distance of a trailing stop from the best price since it works, in price units.
        trail_percent: the same in percent, below 100; a trailing stop needs one of the two, others none.
        time_in_force: ioc, fok, opg and cls name the moment at which the order meets the market; for market and limit
            orders only. When a day or gtd order ends is for its venue to say.
        extended_hours: whether it takes part outside the regular session.

    Raises:
        AlphintraError: ORDER_FIELD_REQUIRED, ORDER_FIELD_FORBIDDEN, ORDER_UNSUPPORTED for a stop that would be
            immediate or in an auction, QTY_NOT_POSITIVE, FIELD_RANGE or NUMBER_* for a price.
    """

    side: Side
    order_type: OrderType
    known_bar_ts: datetime
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    extended_hours: bool = False

    def __post_init__(self) -> None:
        kind = self.order_type
        for name in ("limit_price", "stop_price"):
            price: Decimal | None = getattr(self, name)
            if price is None and name in _PRICES[kind]:
                raise AlphintraError("ORDER_FIELD_REQUIRED", f"a {kind} order needs {name}", pointer=f"/{name}")
            if price is not None and name not in _PRICES[kind]:
                raise _forbidden(kind, name)
            if price is not None:
                require_positive(price, pointer=f"/{name}")
        if kind is OrderType.TRAILING_STOP or self.trail_price is not None or self.trail_percent is not None:
            self._require_trail()
        if kind in _STOPS and self.time_in_force not in _STOP_TIMES:
            message = f"a {kind} order waits for its price and cannot be {self.time_in_force}: use day, gtc or gtd"
            raise AlphintraError("ORDER_UNSUPPORTED", message, pointer="/time_in_force")

    def _require_trail(self) -> None:
        given = [name for name in ("trail_price", "trail_percent") if getattr(self, name) is not None]
        if self.order_type is not OrderType.TRAILING_STOP:
            raise _forbidden(self.order_type, given[0])
        if len(given) != 1:
            code = "ORDER_FIELD_FORBIDDEN" if given else "ORDER_FIELD_REQUIRED"
            message = "a trailing_stop order needs either trail_price or trail_percent"
            raise AlphintraError(code, message, pointer="/trail_percent" if given else "/trail_price")
        distance = require_positive(getattr(self, given[0]), pointer=f"/{given[0]}")
        if self.trail_percent is not None and distance >= _PERCENT:
            message = f"a trail of {distance} percent leaves no price: write less than 100"
            raise AlphintraError("FIELD_RANGE", message, pointer="/trail_percent")


@dataclass(frozen=True, slots=True)
class Watch:
    """How far an order has come towards the market: whether its stop fired, and the best price a trail has seen."""

    is_triggered: bool = False
    hwm: Decimal | None = None


UNTOUCHED = Watch()


@dataclass(frozen=True, slots=True)
class Phase:
    """Where in its trading session a bar lies; a bar that is a whole session both opens and closes it."""

    is_opening: bool = True
    is_closing: bool = True
    is_regular: bool = True


WHOLE = Phase()


@dataclass(frozen=True, slots=True)
class Met:
    """What came of an order and a bar.

    Attributes:
        watch: how far the order has come.
        price: what it executes at, None where it does not.
        moment: when it executes.
        level: the market's price at that moment, before slippage; where the rest of the bar begins.
        triggered_at: the stop that fired in this bar.
        is_over: whether nothing of the order is left after this bar, filled or not: ioc, fok, opg and cls.
        is_ambiguous: whether the bar may have filled the order in another order of its prices.
    """

    watch: Watch = UNTOUCHED
    price: Decimal | None = None
    moment: Moment = Moment.OPEN
    level: Decimal | None = None
    triggered_at: Decimal | None = None
    is_over: bool = False
    is_ambiguous: bool = False


def match_bar(terms: OrderTerms, bar: Bar, *, slippage_bps: Decimal) -> Decimal | None:
    """Return the price at which the bar fills an order it is the first to meet, None where it does not."""
    return meet(terms, bar, slippage_bps=slippage_bps).price


def market_price(side: Side, price: Decimal, slippage_bps: Decimal) -> Decimal:
    """Return a market's price moved by the slippage against who trades at it."""
    return _Trade(side, slippage_bps).slipped(price)


def meet(terms: OrderTerms, bar: Bar, *, watch: Watch = UNTOUCHED, slippage_bps: Decimal, phase: Phase = WHOLE) -> Met:
    """Let a working order meet a bar.

    - A market order takes the open moved by ``slippage_bps`` against it; no other price of the bar can move it.
    - A limit order takes the open if the market opened through the limit, else the limit if the bar touched it.
    - A stop is a market order from its trigger on: at the open where the market gapped over it, else at the stop, both
      moved by the slippage.
    - A stop_limit is a limit order from its trigger on. Where the trigger's price is within the limit it executes
      there, moved by the slippage but not beyond the limit. Where it is not, the same bar fills it only with prices
      that are surely later: any after a gap at the open, else the close alone.
    - A trailing_stop starts from the first open it sees. Within a bar it has the level it had at the open; the bar's
      best price moves the level afterwards, and if the close lies beyond that, the order executes at the close.
    - ioc and fok meet the open only, opg the open of a session, cls the close of one.
    """
    if bar.ts <= terms.known_bar_ts or not (phase.is_regular or terms.extended_hours):
        return Met(watch)
    trade = _Trade(terms.side, slippage_bps)
    if terms.time_in_force in _AT_ONCE:
        return _at_once(terms, trade, bar, watch=watch, phase=phase)
    kind = terms.order_type
    if kind is OrderType.MARKET or (watch.is_triggered and kind is not OrderType.STOP_LIMIT):
        return Met(watch, trade.slipped(bar.open), Moment.OPEN, bar.open)
    if kind is OrderType.LIMIT or watch.is_triggered:
        return _limited(terms, trade, bar, watch)
    return (_trailed if kind is OrderType.TRAILING_STOP else _stopped)(terms, trade, bar, watch)


def rest_of(bar: Bar, met: Met) -> Bar:
    """Return what of a bar surely came after an order met it: the bar that orders it brings about may see.

    After a touch that is the touched level, the close, and the extreme on the far side of the level, because the bar
    reached it by way of the level; the other extreme may have come before.
    """
    if met.level is None or met.moment is Moment.OPEN:
        return bar
    if met.moment is Moment.CLOSE:
        return Bar(bar.ts, bar.close, bar.close, bar.close, bar.close, bar.volume)
    came_from_above = met.level < bar.open
    high = max(met.level, bar.close) if came_from_above else max(met.level, bar.high)
    low = min(met.level, bar.low) if came_from_above else min(met.level, bar.close)
    return Bar(bar.ts, met.level, high, low, bar.close, bar.volume)


def executable(
    wanted: Decimal, *, time_in_force: TimeInForce, volume: Decimal, participation: Decimal | None, taken: Decimal
) -> Decimal:
    """Return how much of ``wanted`` a bar executes, rounded down to nine decimals.

    Args:
        wanted: what is left of the order.
        time_in_force: a fok order is executed whole or not at all.
        volume: the bar's.
        participation: the largest share of it one account may take, above 0 to 1; None for no limit.
        taken: what the account took of the bar before.
    """
    if participation is None:
        return wanted
    share = _WIDE.multiply(volume, participation) - taken
    offered = max(Decimal(0), round_quantity_down(share, lot=QTY_QUANTUM))
    if time_in_force is TimeInForce.FOK and offered < wanted:
        return Decimal(0)
    return min(wanted, offered)


def is_stale(bar: Bar, *, now: datetime, interval: timedelta | None) -> bool:
    """Tell whether a bar closed more than one interval ago, so that nothing may be filled from it."""
    return interval is not None and now - bar.ts > interval


def require_slippage(value: Decimal, *, pointer: str = "/slippage_bps") -> Decimal:
    """Return the slippage if it lies between 0 and 1000 bps. Raises FIELD_RANGE or NUMBER_*."""
    if not 0 <= require_finite(value, pointer=pointer) <= SLIPPAGE_BPS_MAX:
        message = f"slippage of {value} bps lies outside 0 to {SLIPPAGE_BPS_MAX}"
        raise AlphintraError("FIELD_RANGE", message, pointer=pointer)
    return value


@dataclass(frozen=True, slots=True)
class _Trade:
    """The side of an order, in words that fit both sides: prices are better or worse for it."""

    side: Side
    slippage_bps: Decimal

    def slipped(self, price: Decimal) -> Decimal:
        """Return the price moved against the order, never below the smallest there is."""
        shift = self.slippage_bps if self.side is Side.BUY else -self.slippage_bps
        return round_price(price * (1 + shift / _BPS))

    def is_within(self, price: Decimal, limit: Decimal) -> bool:
        """Tell whether a price is the limit or better."""
        return price <= limit if self.side is Side.BUY else price >= limit

    def has_reached(self, price: Decimal, stop: Decimal) -> bool:
        """Tell whether a price is the stop or beyond it; stops lie where prices are worse."""
        return price >= stop if self.side is Side.BUY else price <= stop

    def best(self, bar: Bar) -> Decimal:
        """Return the price of a bar that limits reach first."""
        return bar.low if self.side is Side.BUY else bar.high

    def worst(self, bar: Bar) -> Decimal:
        """Return the price of a bar that stops reach first."""
        return bar.high if self.side is Side.BUY else bar.low

    def better(self, first: Decimal, second: Decimal) -> Decimal:
        """Return the better of two prices."""
        return min(first, second) if self.side is Side.BUY else max(first, second)


def _at_once(terms: OrderTerms, trade: _Trade, bar: Bar, *, watch: Watch, phase: Phase) -> Met:
    is_at_close = terms.time_in_force is TimeInForce.CLS
    if is_at_close and not phase.is_closing:
        return Met(watch)
    if terms.time_in_force is TimeInForce.OPG and not phase.is_opening:
        return Met(watch)
    level, moment = (bar.close, Moment.CLOSE) if is_at_close else (bar.open, Moment.OPEN)
    if terms.limit_price is None:
        return Met(watch, trade.slipped(level), moment, level, is_over=True)
    if trade.is_within(level, terms.limit_price):
        return Met(watch, level, moment, level, is_over=True)
    return Met(watch, is_over=True)


def _limited(terms: OrderTerms, trade: _Trade, bar: Bar, watch: Watch) -> Met:
    limit = _known(terms.limit_price)
    if trade.is_within(bar.open, limit):
        return Met(watch, bar.open, Moment.OPEN, bar.open)
    if trade.is_within(trade.best(bar), limit):
        return Met(watch, limit, Moment.WITHIN, limit)
    return Met(watch)


def _stopped(terms: OrderTerms, trade: _Trade, bar: Bar, watch: Watch) -> Met:
    stop = _known(terms.stop_price)
    if trade.has_reached(bar.open, stop):
        return _fired(terms, trade, bar, watch=watch, fired=Met(Watch(is_triggered=True), None, Moment.OPEN, bar.open))
    if trade.has_reached(trade.worst(bar), stop):
        return _fired(terms, trade, bar, watch=watch, fired=Met(Watch(is_triggered=True), None, Moment.WITHIN, stop))
    return Met(watch)


def _fired(terms: OrderTerms, trade: _Trade, bar: Bar, *, watch: Watch, fired: Met) -> Met:
    """Return what a stop does at and after the moment at which it fired."""
    stop, level = _known(terms.stop_price), _known(fired.level)
    after = Watch(is_triggered=True, hwm=watch.hwm)
    if terms.limit_price is None:
        return Met(after, trade.slipped(level), fired.moment, level, triggered_at=stop)
    limit = terms.limit_price
    if trade.is_within(level, limit):
        # Not beyond the limit: a worse price would leave the order resting at it, with the market on the good side.
        price = trade.better(trade.slipped(level), limit)
        return Met(after, price, fired.moment, level, triggered_at=stop)
    rest = rest_of(bar, fired)
    if trade.is_within(trade.best(rest), limit):
        moment = Moment.WITHIN if fired.moment is Moment.OPEN else Moment.CLOSE
        return Met(after, limit, moment, limit, triggered_at=stop)
    is_ambiguous = trade.is_within(trade.best(bar), limit)
    return Met(after, triggered_at=stop, is_ambiguous=is_ambiguous)


def _trailed(terms: OrderTerms, trade: _Trade, bar: Bar, watch: Watch) -> Met:
    if watch.hwm is not None and trade.has_reached(bar.open, level := trail_level(terms, watch.hwm)):
        after = Watch(is_triggered=True, hwm=watch.hwm)
        return Met(after, trade.slipped(bar.open), Moment.OPEN, bar.open, triggered_at=level)
    hwm = bar.open if watch.hwm is None else trade.better(watch.hwm, bar.open)
    level = trail_level(terms, hwm)
    if trade.has_reached(trade.worst(bar), level):
        after = Watch(is_triggered=True, hwm=hwm)
        return Met(after, trade.slipped(level), Moment.WITHIN, level, triggered_at=level)
    hwm = trade.better(hwm, trade.best(bar))
    level = trail_level(terms, hwm)
    if trade.has_reached(bar.close, level):
        after = Watch(is_triggered=True, hwm=hwm)
        return Met(after, trade.slipped(bar.close), Moment.CLOSE, bar.close, triggered_at=level)
    return Met(Watch(hwm=hwm), is_ambiguous=trade.has_reached(trade.worst(bar), level))


def trail_level(terms: OrderTerms, hwm: Decimal) -> Decimal:
    """Return the stop a trail has at its best price; zero or less, which no price reaches, where the trail is wider."""
    distance = terms.trail_price
    if distance is None:
        distance = hwm * _known(terms.trail_percent) / _PERCENT
    return round_price(hwm + distance if terms.side is Side.BUY else hwm - distance)


def _known(price: Decimal | None) -> Decimal:
    if price is None:
        message = "an order without the price of its type is refused when it is made"
        raise RuntimeError(message)
    return price


def _forbidden(kind: OrderType, name: str) -> AlphintraError:
    message = f"a {kind} order takes no {name}: remove it or choose another type"
    return AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer=f"/{name}")
