"""Controls of how much: quantity and value of one order, cash, position, short sales, reduce-only."""

from __future__ import annotations

from decimal import Decimal

from alphintra.engine.pretrade.cases import Case, Control, Findings, finding, over
from alphintra.engine.pretrade.values import EXACT, KillState, plain
from alphintra.kernel.vocabulary import Side

__all__ = ["FUNDED", "LOCATED", "POSITIONED", "QUANTITY", "REDUCING", "VALUE"]

_ZERO = Decimal(0)
_ONE = Decimal(1)


def _quantity(case: Case) -> Findings:
    qty = case.order.qty if case.claim is None else case.claim.qty
    if case.limits is None or qty is None or not over(qty, case.limits.order_qty_max):
        return ()
    most = case.limits.order_qty_max
    detail = f"the order's quantity {plain(qty)} is above the limit of {plain(most)} per order"
    return (finding("R02", "RISK_QTY_MAX", detail, field=case.order.size_field, limit=most, observed=qty),)


def _value(case: Case) -> Findings:
    if case.limits is None or case.claim is None:
        return ()
    instrument = case.market.instrument
    multiplier = _ONE if instrument is None else instrument.multiplier
    most, asked = case.limits.order_notional_max, EXACT.multiply(case.claim.value, multiplier)
    if not over(asked, most):
        return ()
    detail = f"the order's value {plain(asked)} is above the limit of {plain(most)} per order"
    return (finding("R03", "RISK_NOTIONAL_MAX", detail, field=case.order.size_field, limit=most, observed=asked),)


def _funded(case: Case) -> Findings:
    if case.claim is None or case.book.cash is None or not case.claim.added_cash:
        return ()
    needed, free = case.claim.added_cash, EXACT.subtract(case.book.cash, case.book.reserved_cash)
    if needed <= free:
        return ()
    detail = f"the order needs {plain(needed)} of cash, free is {plain(free)} after open orders"
    field = case.order.size_field
    return (finding("R12", "RISK_BUYING_POWER", detail, field=field, limit=free, observed=needed),)


def _positioned(case: Case) -> Findings:
    if case.limits is None or case.order.is_reducing:
        return ()
    exposure, most, qty = case.exposure, case.limits.position_qty_max, _added(case)
    match case.order.side:
        case Side.BUY:
            worst = EXACT.add(EXACT.add(exposure.position_qty, exposure.open_buy_qty), qty)
            is_within = worst <= most
        case Side.SELL:
            worst = EXACT.subtract(EXACT.subtract(exposure.position_qty, exposure.open_sell_qty), qty)
            is_within = worst >= -most
    if is_within or not qty:
        return ()
    detail = f"with all open orders filled the position would be {plain(worst)}, the limit is {plain(most)}"
    field = case.order.size_field
    return (finding("R13", "RISK_POSITION_MAX", detail, field=field, limit=most, observed=worst),)


def _located(case: Case) -> Findings:
    order, limits = case.order, case.limits
    if limits is None or limits.may_short or order.side is Side.BUY or order.is_reducing:
        return ()
    free, qty = case.exposure.room(Side.SELL), _added(case)
    if qty <= free:
        return ()
    detail = f"the account may not sell short: {plain(free)} {order.symbol} is free to sell"
    return (finding("R20", "RISK_SHORT_LOCATE", detail, field=order.size_field, limit=free, observed=qty),)


def _reducing(case: Case) -> Findings:
    order = case.order
    if not order.is_reducing and case.book.kill_of(order)[1] is not KillState.REDUCE_ONLY:
        return ()
    room, qty = case.exposure.room(order.side), _added(case)
    if qty <= room:
        return ()
    what = "it" if order.is_reducing else "only orders that reduce a position are allowed: it"
    detail = f"{what} may bring the position to zero and no further: at most {plain(room)} {order.symbol} is left"
    return (finding("R16", "RISK_REDUCE_ONLY", detail, field=order.size_field, limit=room, observed=qty),)


def _added(case: Case) -> Decimal:
    return case.claim.added_qty if case.claim is not None else case.order.qty or _ZERO


QUANTITY = Control(
    rule="R02",
    name="Largest order quantity",
    codes=("RISK_QTY_MAX",),
    inputs="quantity; of an order for an amount of money the most it may buy at the reference price",
    default="100000",
    check=_quantity,
)
VALUE = Control(
    rule="R03",
    name="Largest order value",
    codes=("RISK_NOTIONAL_MAX",),
    inputs="quantity at the worst price: limit, or reference or stop price and the collar of 5 %",
    default="1000000",
    check=_value,
)
FUNDED = Control(
    rule="R12",
    name="Buying power",
    codes=("RISK_BUYING_POWER",),
    inputs="cash, cash reserved for open orders, worst price, fees",
    default="cash account",
    check=_funded,
)
POSITIONED = Control(
    rule="R13",
    name="Largest position",
    codes=("RISK_POSITION_MAX",),
    inputs="position, open orders of the same side; opposite ones do not net",
    default="100000",
    check=_positioned,
)
LOCATED = Control(
    rule="R20",
    name="No short sale",
    codes=("RISK_SHORT_LOCATE",),
    inputs="position, open sells, may_short",
    default="no short sales",
    check=_located,
)
REDUCING = Control(
    rule="R16",
    name="Reduce-only",
    codes=("RISK_REDUCE_ONLY",),
    inputs="position, all open orders that sell it (or buy it back)",
    default="for orders that say so, and for all under kill state reduce_only",
    check=_reducing,
)
