"""The controls every order passes before it is placed: a pure function of the order and the account's book.

All controls run and all findings are returned. Rule numbers are those of the control catalogue.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import AMOUNT_PLACES, require_positive
from alphintra.kernel.vocabulary import OrderType, Side
from alphintra.risk.domain.books import (
    EXACT,
    Book,
    Decision,
    Exposure,
    Finding,
    KillScope,
    KillState,
    LimitSet,
    Order,
    ReservationState,
    Verdict,
)

__all__ = [
    "APPROVAL_LIFE",
    "COLLAR",
    "HOLD_LIFE",
    "SYMBOL",
    "assess",
    "check_order",
    "inputs_of",
    "plain",
    "reassess",
    "spent",
]

APPROVAL_LIFE: Final = timedelta(seconds=5)
HOLD_LIFE: Final = timedelta(seconds=60)  # an approval nobody confirmed within this time gives its reservation back
COLLAR: Final = Decimal("0.05")  # how far beyond the last price a market order is assumed to fill
SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")
_ZERO = Decimal(0)
_TICK = Decimal(1).scaleb(-AMOUNT_PLACES)


def check_order(order: Order) -> Order:
    """Return the order if it can be judged at all. Raises QTY_NOT_POSITIVE, NUMBER_* or ORDER_*."""
    require_positive(order.qty, pointer="/terms/qty")
    if not SYMBOL.fullmatch(order.symbol):
        message = f"{order.symbol[:40]!r} is no symbol: write it in capitals, e.g. AAPL"
        raise AlphintraError("ORDER_UNKNOWN_SYMBOL", message, pointer="/terms/symbol")
    match order.type:
        case OrderType.LIMIT if order.limit_price is None:
            raise AlphintraError(
                "ORDER_FIELD_REQUIRED", "a limit order needs limit_price", pointer="/terms/limit_price"
            )
        case OrderType.LIMIT:
            require_positive(order.limit_price or _ZERO, pointer="/terms/limit_price")
        case OrderType.MARKET if order.limit_price is not None:
            message = "a market order takes no limit_price: leave it out or set type to limit"
            raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/terms/limit_price")
        case OrderType.MARKET:
            pass
        case OrderType.STOP | OrderType.STOP_LIMIT | OrderType.TRAILING_STOP:
            raise AlphintraError("ORDER_UNSUPPORTED", f"{order.type} orders are not taken yet", pointer="/terms/type")
    return order


def assess(order: Order, book: Book) -> Verdict:
    """Run every control on an order; the first finding is the one to name first."""
    exposure = book.exposure(order.symbol)
    price = _working_price(order, exposure.last_price)
    findings = (
        *_blocked(order, book, exposure),
        *_limited(book),
        *_marked(order, book, exposure),
        *_sized(order, book.limits, price),
        *_funded(order, book, price),
        *_positioned(order, book.limits, exposure),
        *_located(order, book.limits, exposure),
    )
    return Verdict(findings=findings, price=price)


def reassess(order: Order, open_qty: Decimal, price: Decimal, book: Book) -> tuple[Finding, ...]:
    """Return what stands against a new approval of an order whose reservation is open and counted in the book.

    Its size was judged once and for all. Until it fills, cash and position are asked again: a reservation that had
    lapsed counts again once trading tells of the order, and what it held may have gone to another order meanwhile.

    Args:
        order: as it was approved.
        open_qty: what its reservation still holds.
        price: what a unit of it reserves.
        book: with the reservation counted.
    """
    whole = book.exposure(order.symbol)
    match order.side:
        case Side.BUY:
            others = replace(whole, open_buy_qty=EXACT.subtract(whole.open_buy_qty, open_qty))
            reserved = EXACT.subtract(book.reserved_cash, EXACT.multiply(open_qty, price))
        case Side.SELL:
            others = replace(whole, open_sell_qty=EXACT.subtract(whole.open_sell_qty, open_qty))
            reserved = book.reserved_cash
    rest = replace(order, qty=open_qty)
    blocked = _blocked(rest, book, others)
    if open_qty < order.qty:  # it works at the venue already
        return blocked
    return (
        *blocked,
        *_funded(rest, replace(book, reserved_cash=reserved), price),
        *_positioned(rest, book.limits, others),
        *_located(rest, book.limits, others),
    )


def spent(decision: Decision) -> Finding:
    """Return the refusal of an approval whose reservation was used up or given back."""
    is_working = decision.reservation in {ReservationState.HELD, ReservationState.CONFIRMED}
    return Finding(
        code="RISK_RESERVATION_CLOSED",
        rule="R11",
        field="/terms/order_id",
        limit="open",
        observed="filled" if is_working else str(decision.reservation),
        detail="the order's reservation is no longer open: place a new order under a new client_order_id",
    )


def inputs_of(order: Order, book: Book, verdict: Verdict) -> dict[str, object]:
    """Return what a decision was made from, for its record."""
    exposure = book.exposure(order.symbol)
    return {
        "cash": book.cash,
        "reserved_cash": book.reserved_cash,
        "position_qty": exposure.position_qty,
        "open_buy_qty": exposure.open_buy_qty,
        "open_sell_qty": exposure.open_sell_qty,
        "last_price": exposure.last_price,
        "working_price": verdict.price,
        "firm_kill": book.firm_kill,
        "account_kill": book.account_kill,
    }


def _working_price(order: Order, last_price: Decimal | None) -> Decimal | None:
    """Return the price an order counts at: its limit, else the last price and the collar, rounded up."""
    if order.limit_price is not None:
        return order.limit_price
    if last_price is None:
        return None
    return EXACT.multiply(last_price, 1 + COLLAR).quantize(_TICK, rounding=ROUND_CEILING, context=EXACT)


def _blocked(order: Order, book: Book, exposure: Exposure) -> tuple[Finding, ...]:
    match book.kill:
        case KillState.NORMAL:
            return ()
        case KillState.REDUCE_ONLY:
            return _reducing(order, exposure)
        case KillState.CANCEL_ONLY | KillState.HALTED:
            scope = KillScope.FIRM if book.firm_kill is book.kill else KillScope.ACCOUNT
            return (
                Finding(
                    code="KILL_ACTIVE",
                    rule="R30",
                    field="",
                    limit=KillState.NORMAL,
                    observed=book.kill,
                    detail=f"trading of the {scope} is {book.kill}: wait until it is released",
                ),
            )


def _reducing(order: Order, exposure: Exposure) -> tuple[Finding, ...]:
    match order.side:
        case Side.BUY:
            room = EXACT.subtract(-exposure.position_qty, exposure.open_buy_qty)
        case Side.SELL:
            room = EXACT.subtract(exposure.position_qty, exposure.open_sell_qty)
    room = max(room, _ZERO)
    if order.qty <= room:
        return ()
    return (
        Finding(
            code="RISK_REDUCE_ONLY",
            rule="R16",
            field="/terms/qty",
            limit=plain(room),
            observed=plain(order.qty),
            detail=f"only orders that reduce a position are allowed: at most {plain(room)} {order.symbol} is left",
        ),
    )


def _limited(book: Book) -> tuple[Finding, ...]:
    if book.limits is not None:
        return ()
    return (
        Finding(
            code="RISK_LIMITS_MISSING",
            rule="R01",
            field="/terms/account_id",
            limit="a limit set",
            observed="none",
            detail="the account has no limit set: set its limits before it trades",
        ),
    )


def _marked(order: Order, book: Book, exposure: Exposure) -> tuple[Finding, ...]:
    if exposure.last_price is not None:
        return ()
    known = ", ".join(book.known_symbols) or "none"
    return (
        Finding(
            code="ORDER_UNKNOWN_SYMBOL",
            rule="R06",
            field="/terms/symbol",
            limit=known,
            observed=order.symbol,
            detail=f"the account's feed has no price of {order.symbol}; it has: {known}",
        ),
    )


def _sized(order: Order, limits: LimitSet | None, price: Decimal | None) -> tuple[Finding, ...]:
    if limits is None:
        return ()
    found = []
    if order.qty > limits.order_qty_max:
        most, asked = plain(limits.order_qty_max), plain(order.qty)
        found.append(
            Finding(
                code="RISK_QTY_MAX",
                rule="R02",
                field="/terms/qty",
                limit=most,
                observed=asked,
                detail=f"the order's quantity {asked} is above the limit of {most} per order",
            )
        )
    value = None if price is None else EXACT.multiply(order.qty, price)
    if value is not None and value > limits.order_notional_max:
        most, asked = plain(limits.order_notional_max), plain(value)
        found.append(
            Finding(
                code="RISK_NOTIONAL_MAX",
                rule="R03",
                field="/terms/qty",
                limit=most,
                observed=asked,
                detail=f"the order's value {asked} is above the limit of {most} per order",
            )
        )
    return tuple(found)


def _funded(order: Order, book: Book, price: Decimal | None) -> tuple[Finding, ...]:
    if order.side is Side.SELL or book.cash is None or price is None:
        return ()
    needed = EXACT.multiply(order.qty, price)
    free = EXACT.subtract(book.cash, book.reserved_cash)
    if needed <= free:
        return ()
    return (
        Finding(
            code="RISK_BUYING_POWER",
            rule="R12",
            field="/terms/qty",
            limit=plain(free),
            observed=plain(needed),
            detail=f"the order needs {plain(needed)} of cash, free is {plain(free)} after open orders",
        ),
    )


def _positioned(order: Order, limits: LimitSet | None, exposure: Exposure) -> tuple[Finding, ...]:
    if limits is None:
        return ()
    match order.side:
        case Side.BUY:
            worst = exposure.position_qty + exposure.open_buy_qty + order.qty
            is_within = worst <= limits.position_qty_max
        case Side.SELL:
            worst = exposure.position_qty - exposure.open_sell_qty - order.qty
            is_within = worst >= -limits.position_qty_max
    if is_within:
        return ()
    most = plain(limits.position_qty_max)
    return (
        Finding(
            code="RISK_POSITION_MAX",
            rule="R13",
            field="/terms/qty",
            limit=most,
            observed=plain(worst),
            detail=f"with all open orders filled the position would be {plain(worst)}, the limit is {most}",
        ),
    )


def _located(order: Order, limits: LimitSet | None, exposure: Exposure) -> tuple[Finding, ...]:
    if limits is None or limits.may_short or order.side is Side.BUY:
        return ()
    free = max(exposure.position_qty - exposure.open_sell_qty, _ZERO)
    if order.qty <= free:
        return ()
    return (
        Finding(
            code="RISK_SHORT_LOCATE",
            rule="R20",
            field="/terms/qty",
            limit=plain(free),
            observed=plain(order.qty),
            detail=f"the account may not sell short: {plain(free)} {order.symbol} is free to sell",
        ),
    )


def plain(value: Decimal) -> str:
    """Return an amount as a person writes it: no exponent, no trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
