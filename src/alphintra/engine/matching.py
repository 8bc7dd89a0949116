"""Fills from bars: what a bar may fill and at which price; used by backtests and by the paper venue."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, assert_never

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import require_finite, require_positive, round_price
from alphintra.kernel.vocabulary import OrderType, Side

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.engine.bars import Bar

__all__ = ["FILL_MODEL", "SLIPPAGE_BPS_MAX", "OrderTerms", "match_bar", "require_slippage"]

FILL_MODEL = (
    "Orders see only bars that close after the bar they were created on. Market orders fill whole at that bar's open, "
    "moved against the order by the slippage. Limit orders fill whole at the open if it is through the limit, else at "
    "the limit if the bar touches it, without slippage. Queue position, partial fills and market impact are not "
    "modelled."
)
SLIPPAGE_BPS_MAX = Decimal(1000)
_BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What matching must know of a working order.

    Args:
        side: buy or sell.
        order_type: market or limit.
        known_bar_ts: close time of the last bar known when the order was created; that bar can never fill it.
        limit_price: worst acceptable price; required for limit orders, forbidden for market orders.

    Raises:
        AlphintraError: ORDER_FIELD_REQUIRED, ORDER_FIELD_FORBIDDEN, QTY_NOT_POSITIVE or NUMBER_* for the limit price.
    """

    side: Side
    order_type: OrderType
    known_bar_ts: datetime
    limit_price: Decimal | None = None

    def __post_init__(self) -> None:
        if self.order_type is OrderType.LIMIT and self.limit_price is None:
            message = "a limit order needs limit_price"
            raise AlphintraError("ORDER_FIELD_REQUIRED", message, pointer="/limit_price")
        if self.order_type is OrderType.MARKET and self.limit_price is not None:
            message = "a market order takes no limit_price: remove it or set type to limit"
            raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/limit_price")
        if self.limit_price is not None:
            require_positive(self.limit_price, pointer="/limit_price")


def match_bar(terms: OrderTerms, bar: Bar, *, slippage_bps: Decimal) -> Decimal | None:
    """Return the price at which the bar fills the order, or None where it does not.

    A market order takes the open moved by ``slippage_bps`` against it; no other price of the bar can move it. A
    limit order takes the open if the market opened through the limit, else the limit if the bar touched it.
    """
    if bar.ts <= terms.known_bar_ts:
        return None
    match terms.order_type:
        case OrderType.MARKET:
            shift = slippage_bps if terms.side is Side.BUY else -slippage_bps
            return round_price(bar.open * (1 + shift / _BPS))
        case OrderType.LIMIT:
            return _limit_price(terms, bar)
        case OrderType.STOP | OrderType.STOP_LIMIT | OrderType.TRAILING_STOP:
            raise AlphintraError("ORDER_UNSUPPORTED", f"{terms.order_type} orders are not matched yet")
        case _:
            assert_never(terms.order_type)


def require_slippage(value: Decimal, *, pointer: str = "/slippage_bps") -> Decimal:
    """Return the slippage if it lies between 0 and 1000 bps. Raises FIELD_RANGE or NUMBER_*."""
    if not 0 <= require_finite(value, pointer=pointer) <= SLIPPAGE_BPS_MAX:
        message = f"slippage of {value} bps lies outside 0 to {SLIPPAGE_BPS_MAX}"
        raise AlphintraError("FIELD_RANGE", message, pointer=pointer)
    return value


def _limit_price(terms: OrderTerms, bar: Bar) -> Decimal | None:
    if terms.limit_price is None:
        raise AlphintraError("ORDER_FIELD_REQUIRED", "a limit order needs limit_price", pointer="/limit_price")
    if terms.side is Side.BUY:
        if bar.open <= terms.limit_price:
            return bar.open
        return terms.limit_price if bar.low <= terms.limit_price else None
    if bar.open >= terms.limit_price:
        return bar.open
    return terms.limit_price if bar.high >= terms.limit_price else None
