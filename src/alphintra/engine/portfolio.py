"""Positions and cash as folds over fills; used by the trading service and by backtests alike."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import assert_never

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import AMOUNT_PLACES, require_finite, require_positive, round_cash
from alphintra.kernel.vocabulary import Side

__all__ = [
    "FLAT",
    "FeeModel",
    "Position",
    "apply_fill",
    "cash_delta",
    "cost_of_part",
    "fee_worth",
    "notional",
    "position_delta",
]

# Products of two amounts of up to 28 digits must not be rounded silently by the default 28-digit context.
_WIDE = Context(prec=60)
_ZERO = Decimal(0)
_BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Position:
    """Net holding of one symbol in one book.

    Args:
        qty: signed quantity, negative when short.
        cost: signed amount paid for ``qty`` (negative when short), a multiple of 0.000001. Kept instead of the
            average price, because a rounded average would let the books drift from the cash.
        realized: profit booked so far, before fees.
    """

    qty: Decimal = _ZERO
    cost: Decimal = _ZERO
    realized: Decimal = _ZERO

    @property
    def avg_price(self) -> Decimal:
        """Weighted-average entry price, rounded to nine decimals for display; zero when flat."""
        return round(_WIDE.divide(self.cost, self.qty), AMOUNT_PLACES) if self.qty else _ZERO

    def market_value(self, mark: Decimal) -> Decimal:
        """Return the signed value at price ``mark``, rounded to a millionth."""
        return notional(self.qty, mark)

    def unrealized(self, mark: Decimal) -> Decimal:
        """Return the profit not yet booked at price ``mark``, before fees."""
        return self.market_value(mark) - self.cost


FLAT = Position()


@dataclass(frozen=True, slots=True)
class FeeModel:
    """What a venue charges per fill: the larger of ``minimum`` and commission plus per-share fee.

    Args:
        commission_bps: hundredths of a percent of the traded amount.
        per_share: currency per unit of quantity.
        minimum: least fee of one fill, in currency.
    """

    commission_bps: Decimal = _ZERO
    per_share: Decimal = _ZERO
    minimum: Decimal = _ZERO

    def __post_init__(self) -> None:
        for name in ("commission_bps", "per_share", "minimum"):
            if require_finite(getattr(self, name), pointer=f"/{name}") < 0:
                raise AlphintraError("FEE_SIGN", f"{name} is negative: write zero or more", pointer=f"/{name}")

    def fee(self, qty: Decimal, price: Decimal) -> Decimal:
        """Return the fee of one fill, zero or more, rounded to a millionth."""
        charged = notional(qty, price) * self.commission_bps / _BPS + _WIDE.multiply(self.per_share, qty)
        return max(self.minimum, round_cash(charged))


def notional(qty: Decimal, price: Decimal) -> Decimal:
    """Return qty times price rounded to a millionth: the one place where a traded amount is rounded."""
    return round_cash(_WIDE.multiply(qty, price))


def cost_of_part(cost: Decimal, part: Decimal, *, of: Decimal) -> Decimal:
    """Return the cost that leaves with a part of a quantity, rounded to a millionth; with the whole, all of it."""
    return cost if part == of else round_cash(_WIDE.divide(_WIDE.multiply(cost, part), of))


def cash_delta(side: Side, qty: Decimal, *, price: Decimal, fee: Decimal) -> Decimal:
    """Return the change of cash of a fill: negative when buying, fee always deducted."""
    amount = notional(qty, price)
    match side:
        case Side.BUY:
            return -amount - fee
        case Side.SELL:
            return amount - fee
        case _:
            assert_never(side)


def position_delta(side: Side, qty: Decimal, *, fee_qty: Decimal) -> Decimal:
    """Return the change of a position by a fill, negative when selling; the venue kept ``fee_qty`` as a fee."""
    return (qty if side is Side.BUY else -qty) - fee_qty


def fee_worth(side: Side, *, qty: Decimal, price: Decimal, fee: Decimal, fee_qty: Decimal) -> Decimal:
    """Return the whole fee of a fill in money: what was charged in it, and what was kept at the price of the fill."""
    net = abs(position_delta(side, qty, fee_qty=fee_qty))
    return fee + abs(notional(qty, price) - notional(net, price))


def apply_fill(position: Position, side: Side, *, qty: Decimal, price: Decimal) -> tuple[Position, Decimal]:
    """Fold one fill into a position by weighted average; return the position and the profit this fill booked.

    Crossing zero closes the whole position and opens the rest at ``price``. Exact: with ``cash_delta`` the change
    of equity equals realised plus change of unrealised minus fees, to the last digit.

    Raises:
        AlphintraError: QTY_NOT_POSITIVE or NUMBER_* for an impossible quantity or price.
    """
    require_positive(qty, pointer="/qty")
    require_positive(price, pointer="/price")
    direction = 1 if side is Side.BUY else -1
    amount = notional(qty, price)
    if position.qty * direction >= 0:
        grown = Position(position.qty + direction * qty, position.cost + direction * amount, position.realized)
        return grown, _ZERO
    held = abs(position.qty)
    closed = min(qty, held)
    closed_amount = amount if closed == qty else notional(closed, price)
    released = cost_of_part(position.cost, closed, of=held)
    realized = -direction * closed_amount - released
    rest = qty - closed
    if rest:
        opened_amount = amount - closed_amount
        return Position(direction * rest, direction * opened_amount, position.realized + realized), realized
    left = Position(position.qty + direction * closed, position.cost - released, position.realized + realized)
    return left, realized
