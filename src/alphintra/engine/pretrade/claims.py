"""What an order asks of the book in the worst case: units, their price, and the cash a buy pays."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Final

from alphintra.engine.pretrade.values import EXACT, Claim, Order
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.money import AMOUNT_PLACES
from alphintra.kernel.vocabulary import OrderType, Side

__all__ = ["COLLAR", "claim_of", "round_up"]

COLLAR: Final = Decimal("0.05")  # how far beyond the price that makes it a market order one is assumed to fill
_ZERO = Decimal(0)
_HUNDRED = Decimal(100)
_BPS = Decimal(10_000)
_TICK = Decimal(1).scaleb(-AMOUNT_PLACES)
_WIDEST = Decimal(10) ** 18


def claim_of(order: Order, last_price: Decimal | None, controls: LimitControls | None = None) -> Claim | None:
    """Return what an order asks of a book that holds nothing else for it, None where no price tells.

    A buy counts at the worst price it may pay: its limit, or the price that makes it a market order and the collar
    beyond, rounded up; and at the fees its account is assumed to pay. A sell counts at what it may be worth: the
    higher of its limit and the last price.
    """
    price = _worst_price(order, last_price)
    if price is None:
        return None
    qty = order.qty if order.notional is None else _units(order, order.notional, last_price)
    if qty is None:
        return None
    if order.notional is not None:
        price = round_up(EXACT.divide(order.notional, qty))
    value = EXACT.multiply(qty, price) if order.notional is None else order.notional
    cash = value if order.side is Side.BUY and not order.is_reducing else _ZERO
    fee = _ZERO if controls is None or not cash else _fee(value, qty, controls)
    if fee:
        cash = EXACT.add(cash, fee)
        price = round_up(EXACT.divide(cash, qty))
    return Claim(price=price, qty=qty, cash=cash, value=value, added_qty=qty, added_cash=cash)


def _fee(value: Decimal, qty: Decimal, controls: LimitControls) -> Decimal:
    by_value = EXACT.divide(EXACT.multiply(value, controls.fee_bps), _BPS)
    return round_up(max(EXACT.add(by_value, EXACT.multiply(qty, controls.fee_per_unit)), controls.fee_minimum))


def round_up(value: Decimal) -> Decimal:
    """Round up to a billionth, what amounts are stored to."""
    return value.quantize(_TICK, rounding=ROUND_CEILING, context=EXACT)


def _worst_price(order: Order, last_price: Decimal | None) -> Decimal | None:
    if order.limit_price is not None:
        is_sell_above = order.side is Side.SELL and last_price is not None
        return max(order.limit_price, last_price or _ZERO) if is_sell_above else order.limit_price
    if last_price is None:
        return None
    match order.type:
        case OrderType.STOP:
            base = max(last_price, order.stop_price or _ZERO)
        case OrderType.TRAILING_STOP if order.side is Side.BUY:
            base = EXACT.add(last_price, _trail(order, last_price))
        case _:
            base = last_price
    return round_up(EXACT.multiply(base, 1 + COLLAR))


def _trail(order: Order, last_price: Decimal) -> Decimal:
    if order.trail_price is not None:
        return order.trail_price
    return EXACT.divide(EXACT.multiply(last_price, order.trail_percent or _ZERO), _HUNDRED)


def _units(order: Order, notional: Decimal, last_price: Decimal | None) -> Decimal | None:
    """Return the most units an amount of money may become at the reference price or the limit, rounded up."""
    reference = last_price if order.limit_price is None else min(order.limit_price, last_price or order.limit_price)
    return None if reference is None else min(round_up(EXACT.divide(notional, reference)), _WIDEST)
