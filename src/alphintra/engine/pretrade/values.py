"""What the controls look at and what they find; rule numbers are those of the control catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context, Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, PositionIntent, Side, TimeInForce

__all__ = [
    "EXACT",
    "Book",
    "Claim",
    "Exposure",
    "Finding",
    "KillState",
    "LimitSet",
    "Order",
    "Verdict",
    "plain",
]

EXACT: Final = Context(prec=100)  # two amounts of 28 digits multiply and add up without rounding
_ZERO = Decimal(0)
_TO_CLOSE = {PositionIntent.BUY_TO_CLOSE, PositionIntent.SELL_TO_CLOSE}


class KillState(StrEnum):
    """How far trading is blocked, from not at all to entirely; the order of the members is the severity."""

    NORMAL = "normal"
    REDUCE_ONLY = "reduce_only"
    CANCEL_ONLY = "cancel_only"
    HALTED = "halted"

    @property
    def severity(self) -> int:
        """Zero for normal, growing to the right."""
        return tuple(KillState).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the controls look at in an order; its fields mean what they mean in its terms."""

    order_id: OrderId
    account_id: AccountId
    symbol: str
    side: Side
    type: OrderType
    qty: Decimal | None = None
    notional: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    expire_at: datetime | None = None
    extended_hours: bool = False
    reduce_only: bool = False
    position_intent: PositionIntent | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    leg: Leg = Leg.ENTRY
    group_id: UUID | None = None
    replaces: OrderId | None = None

    @property
    def is_reducing(self) -> bool:
        """Whether it may only bring a position closer to zero, by flag or by intent."""
        return self.reduce_only or self.position_intent in _TO_CLOSE

    @property
    def is_exit(self) -> bool:
        """Whether it is one of the orders of a group that close what another opened, or one another."""
        return self.group_id is not None and self.leg is not Leg.ENTRY

    @property
    def size_field(self) -> str:
        """Where the order says how much."""
        return "/terms/qty" if self.notional is None else "/terms/notional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One control that refuses an order."""

    code: str
    rule: str
    field: str
    limit: str
    observed: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSet:
    """One version of an account's limits."""

    account_id: AccountId
    version: int
    order_qty_max: Decimal
    order_notional_max: Decimal
    position_qty_max: Decimal
    may_short: bool
    set_by: str
    set_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One symbol of an account: what it holds (negative when short), what its open orders may still do.

    Orders that may only reduce a position stand apart, in ``close_buy_qty`` and ``close_sell_qty``.
    """

    position_qty: Decimal = _ZERO
    open_buy_qty: Decimal = _ZERO
    open_sell_qty: Decimal = _ZERO
    close_buy_qty: Decimal = _ZERO
    close_sell_qty: Decimal = _ZERO
    last_price: Decimal | None = None

    def room(self, side: Side) -> Decimal:
        """Return what an order of this side may still bring the position closer to zero, all open ones filled."""
        match side:
            case Side.BUY:
                left = EXACT.subtract(-self.position_qty, EXACT.add(self.open_buy_qty, self.close_buy_qty))
            case Side.SELL:
                left = EXACT.subtract(self.position_qty, EXACT.add(self.open_sell_qty, self.close_sell_qty))
        return max(left, _ZERO)

    def claimed(self, side: Side, qty: Decimal, *, is_reducing: bool) -> Exposure:
        """Return it with a quantity more (or, below zero, less) that open orders may still do."""
        prefix = "close" if is_reducing else "open"
        name = f"{prefix}_{side.value}_qty"
        before: Decimal = getattr(self, name)
        return replace(self, **{name: EXACT.add(before, qty)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an order asks of the book in the worst case.

    Args:
        price: the worst price of a unit, which limits of value count with.
        qty: how many units, for an order of an amount of money at the reference price, rounded up.
        cash: what a buy pays for all of them; zero for sells and orders that may only reduce a position.
        value: what all of it is worth at the worst price.
        added_qty: what of ``qty`` the book has to hold beyond what it holds for the order's group or predecessor.
        added_cash: the same of ``cash``.
    """

    price: Decimal
    qty: Decimal
    cash: Decimal
    value: Decimal
    added_qty: Decimal
    added_cash: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All that a decision on an account's order depends on; ``cash`` and ``limits`` are None if risk has none."""

    account_id: AccountId
    cash: Decimal | None
    reserved_cash: Decimal
    limits: LimitSet | None
    firm_kill: KillState
    account_kill: KillState
    exposures: Mapping[str, Exposure]
    known_symbols: tuple[str, ...] = ()

    @property
    def kill(self) -> KillState:
        """The stricter of the two kill states."""
        return max(self.firm_kill, self.account_kill, key=lambda state: state.severity)

    def exposure(self, symbol: str) -> Exposure:
        """Return the exposure in a symbol, none if there is no entry."""
        return self.exposures.get(symbol, Exposure())

    def reserve(self, order: Order, claim: Claim) -> Book:
        """Return the book with what an approved order adds counted as open."""
        after = self.exposure(order.symbol).claimed(order.side, claim.added_qty, is_reducing=order.is_reducing)
        reserved = EXACT.add(self.reserved_cash, claim.added_cash)
        return replace(self, reserved_cash=reserved, exposures={**self.exposures, order.symbol: after})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of all controls: approved without findings; ``claim`` is None where nothing prices the order."""

    findings: tuple[Finding, ...]
    claim: Claim | None

    @property
    def price(self) -> Decimal | None:
        """The worst price of a unit."""
        return None if self.claim is None else self.claim.price


def plain(value: Decimal) -> str:
    """Return an amount as a person writes it: no exponent, no trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
