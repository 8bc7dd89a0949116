"""Controls of the price: the reference it is judged by, the collar around it, the drift of one's own prices."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from alphintra.engine.pretrade.cases import Case, Control, Findings, finding
from alphintra.engine.pretrade.values import EXACT, plain
from alphintra.kernel.vocabulary import Leg, OrderType, Side

__all__ = ["COLLARED", "DRIFTING", "FRESH", "PRICED", "STOPPED"]

_ONE = Decimal(1)
_HUNDRED = Decimal(100)


def _priced(case: Case) -> Findings:
    if case.exposure.last_price is not None:
        return ()
    symbol = case.order.symbol
    known = ", ".join(case.book.known_symbols) or "none"
    detail = f"the account's feed has no price of {symbol}; it has: {known}"
    return (finding("R06", "ORDER_UNKNOWN_SYMBOL", detail, field="/terms/symbol", limit=known, observed=symbol),)


def _fresh(case: Case) -> Findings:
    market, symbol, most = case.market, case.order.symbol, case.book.controls.price_age_max_s
    found = []
    if market.bid is not None and market.ask is not None and market.bid > market.ask:
        detail = f"the quote of {symbol} is crossed: bid {plain(market.bid)} above ask {plain(market.ask)}"
        found.append(
            finding("R06", "RISK_REF_STALE", detail, field="/terms/symbol", limit=market.ask, observed=market.bid)
        )
    if most is None or case.exposure.last_price is None:
        return tuple(found)
    if market.priced_at is None or case.book.at is None:
        detail = f"it is not known how old the price of {symbol} is"
        found.append(finding("R06", "RISK_REF_STALE", detail, field="/terms/symbol", limit=most, observed="unknown"))
    elif (age := case.book.at - market.priced_at) > timedelta(seconds=most):
        seconds = Decimal(str(age.total_seconds()))
        detail = f"the price of {symbol} is {plain(seconds)} s old, the limit is {most} s"
        found.append(finding("R06", "RISK_REF_STALE", detail, field="/terms/symbol", limit=most, observed=seconds))
    return tuple(found)


def _collared(case: Case) -> Findings:
    order, last, controls = case.order, case.exposure.last_price, case.book.controls
    if order.limit_price is None or last is None:
        return ()
    own = case.market.instrument
    pct = own.collar_pct if own is not None and own.collar_pct is not None else controls.price_collar_pct
    most = own.collar_abs if own is not None and own.collar_abs is not None else controls.price_collar_abs
    bands = [
        band for band in (None if pct is None else EXACT.divide(EXACT.multiply(last, pct), _HUNDRED), most) if band
    ]
    if not bands:
        return ()
    band = min(bands)
    low, high = EXACT.subtract(last, band), EXACT.add(last, band)
    is_low, is_high = order.limit_price < low, order.limit_price > high
    if order.is_reducing:  # a target may stand far off; what can hurt is the other side alone
        is_low, is_high = is_low and order.side is Side.SELL, is_high and order.side is Side.BUY
    if not is_low and not is_high:
        return ()
    edge = low if is_low else high
    detail = (
        f"the limit price {plain(order.limit_price)} lies outside {plain(low)} to {plain(high)} around the last price"
    )
    field = "/terms/limit_price"
    return (finding("R04", "RISK_PRICE_COLLAR", detail, field=field, limit=edge, observed=order.limit_price),)


def _drifting(case: Case) -> Findings:
    order, book, controls = case.order, case.book, case.book.controls
    if controls.price_drift_pct is None or order.limit_price is None or book.at is None:
        return ()
    since = book.at - timedelta(seconds=controls.price_drift_window_s)
    prices = [
        item.limit_price
        for item in book.recent
        if item.limit_price is not None
        and (item.symbol, item.side) == (order.symbol, order.side)
        and item.decided_at >= since
    ]
    if not prices:
        return ()
    moved = max(
        EXACT.multiply(abs(EXACT.subtract(EXACT.divide(order.limit_price, price), _ONE)), _HUNDRED) for price in prices
    )
    if moved <= controls.price_drift_pct:
        return ()
    most = controls.price_drift_pct
    detail = (
        f"limit prices for {order.symbol} moved by {plain(round(moved, 3))} % within "
        f"{controls.price_drift_window_s} s, the limit is {plain(most)} %"
    )
    field = "/terms/limit_price"
    return (finding("R05", "RISK_PRICE_DRIFT", detail, field=field, limit=most, observed=round(moved, 9)),)


def _stopped(case: Case) -> Findings:
    order, last = case.order, case.exposure.last_price
    if order.stop_price is None or last is None or (order.is_exit and order.order_class.value != "oco"):
        return ()  # exits of an entry wait for it: their stop is held against the entry's price
    if order.type not in {OrderType.STOP, OrderType.STOP_LIMIT} or order.leg is Leg.TAKE_PROFIT:
        return ()
    is_wrong = order.stop_price < last if order.side is Side.BUY else order.stop_price > last
    if not is_wrong:
        return ()
    word = "below" if order.side is Side.BUY else "above"
    detail = (
        f"the stop price {plain(order.stop_price)} of a {order.side} order lies {word} the last price {plain(last)}: "
        "it would fire at once"
    )
    field = "/terms/stop_price"
    return (finding("R22", "ORDER_STOP_SIDE", detail, field=field, limit=last, observed=order.stop_price),)


PRICED = Control(
    rule="R06",
    name="A reference price exists",
    codes=("ORDER_UNKNOWN_SYMBOL",),
    inputs="last price of the account's feed",
    default="required",
    check=_priced,
)
FRESH = Control(
    rule="R06",
    name="The reference price is neither stale nor crossed",
    codes=("RISK_REF_STALE",),
    inputs="age of the price (by the feed's own time on paper, by the clock live), bid and ask, price_age_max_s",
    default="crossed quotes refused, age not limited",
    check=_fresh,
)
COLLARED = Control(
    rule="R04",
    name="Price collar",
    codes=("RISK_PRICE_COLLAR",),
    inputs="limit price, last price, price_collar_pct, price_collar_abs, the instrument's own collar",
    default="none; market orders count at 5 % beyond the last price",
    check=_collared,
)
DRIFTING = Control(
    rule="R05",
    name="Price drift over a window",
    codes=("RISK_PRICE_DRIFT",),
    inputs="limit prices of the account's orders of symbol and side, price_drift_pct, price_drift_window_s",
    default="none",
    check=_drifting,
)
STOPPED = Control(
    rule="R22",
    name="A stop stands on its side of the market",
    codes=("ORDER_STOP_SIDE",),
    inputs="stop price, last price",
    default="required, but for exits of an entry",
    check=_stopped,
)
