"""What risk keeps: accounts, limit sets, kill states, exposure, reservations, decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context, Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from alphintra.kernel.ids import AccountId, FeedId, OrderId, UserId
from alphintra.kernel.vocabulary import OrderType, Side

__all__ = [
    "EXACT",
    "Account",
    "Book",
    "Decision",
    "Exposure",
    "Finding",
    "FollowUp",
    "Kill",
    "KillScope",
    "KillState",
    "LimitSet",
    "Order",
    "Reservation",
    "ReservationState",
    "Verdict",
]

EXACT: Final = Context(prec=100)  # two amounts of 28 digits multiply and add up without rounding
_ZERO = Decimal(0)


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


class KillScope(StrEnum):
    """Whose trading a kill state blocks."""

    FIRM = "firm"
    ACCOUNT = "account"


class ReservationState(StrEnum):
    """Where a reservation stands: held until trading confirms it, lapsed if it never did."""

    HELD = "held"
    CONFIRMED = "confirmed"
    LAPSED = "lapsed"
    RELEASED = "released"
    CLOSED = "closed"


class FollowUp(StrEnum):
    """What a repeated request gets: the stored refusal, a new seal, a new decision, or nothing more."""

    REPLAY = "replay"
    REISSUE = "reissue"
    REASSESS = "reassess"
    SPENT = "spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What risk looks at in an order."""

    order_id: OrderId
    account_id: AccountId
    symbol: str
    side: Side
    type: OrderType
    qty: Decimal
    limit_price: Decimal | None


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
class Account:
    """An account risk keeps a book for."""

    account_id: AccountId
    owner_id: UserId
    feed_id: FeedId | None
    cash: Decimal


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
class Kill:
    """One epoch of the kill state of the firm or an account."""

    scope: KillScope
    account_id: AccountId | None
    state: KillState
    epoch: int
    reason: str
    set_by: str
    set_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One symbol of an account: what it holds (negative when short), what its open orders may still do."""

    position_qty: Decimal = _ZERO
    open_buy_qty: Decimal = _ZERO
    open_sell_qty: Decimal = _ZERO
    last_price: Decimal | None = None


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

    def reserve(self, order: Order, price: Decimal) -> Book:
        """Return the book with an approved order counted as open, bought at ``price`` per unit."""
        before = self.exposure(order.symbol)
        match order.side:
            case Side.BUY:
                after = replace(before, open_buy_qty=EXACT.add(before.open_buy_qty, order.qty))
                reserved = EXACT.add(self.reserved_cash, EXACT.multiply(order.qty, price))
            case Side.SELL:
                after = replace(before, open_sell_qty=EXACT.add(before.open_sell_qty, order.qty))
                reserved = self.reserved_cash
        return replace(self, reserved_cash=reserved, exposures={**self.exposures, order.symbol: after})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of all controls: approved without findings, and then ``price`` is what a unit reserves."""

    findings: tuple[Finding, ...]
    price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What an approved order may still do.

    ``target_qty`` is the order's quantity, once it closed what it was filled: the rest of that is still to be booked.
    """

    order_id: OrderId
    account_id: AccountId
    symbol: str
    side: Side
    price: Decimal
    target_qty: Decimal
    filled_qty: Decimal
    state: ReservationState

    @property
    def open_qty(self) -> Decimal:
        """Quantity that counts as open."""
        if self.state in {ReservationState.LAPSED, ReservationState.RELEASED}:
            return _ZERO
        return max(self.target_qty - self.filled_qty, _ZERO)

    def confirmed(self) -> Reservation:
        """Return it as accepted by trading: what lapsed or was released counts again, for the order is alive."""
        if self.state is ReservationState.CLOSED:
            return self
        return replace(self, state=ReservationState.CONFIRMED)

    def filled(self, qty: Decimal) -> Reservation:
        """Return it with an execution taken off; an order that fills is alive, whatever was thought of it."""
        return replace(self.confirmed(), filled_qty=EXACT.add(self.filled_qty, qty))

    def closed(self, filled_qty: Decimal) -> Reservation:
        """Return it with nothing open but executions of the closed order that are yet to be booked."""
        return replace(self, state=ReservationState.CLOSED, target_qty=filled_qty)

    def released(self) -> Reservation | None:
        """Return it given back, None if trading has accepted the order or nothing is held."""
        if self.state is not ReservationState.HELD:
            return None
        return replace(self, state=ReservationState.RELEASED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A stored decision on an order with the state of its reservation, None if there is none.

    ``leaf`` binds the order's terms to the decision and tells whether a repetition asks for the same; ``price`` is
    what a unit of the reservation reserves.
    """

    decision_id: UUID
    attempt: int
    findings: tuple[Finding, ...]
    limit_version: int
    kill_epoch: int
    leaf: bytes
    reservation: ReservationState | None
    open_qty: Decimal
    price: Decimal

    def follow_up(self, *, is_renewal: bool) -> FollowUp:
        """Return what a repeated request gets. A renewal never revives what trading has given back."""
        match self.reservation:
            case None:
                return FollowUp.REPLAY
            case ReservationState.LAPSED:
                return FollowUp.REASSESS
            case ReservationState.RELEASED:
                return FollowUp.SPENT if is_renewal else FollowUp.REASSESS
            case ReservationState.CLOSED:
                return FollowUp.SPENT
            case ReservationState.HELD | ReservationState.CONFIRMED:
                return FollowUp.REISSUE if self.open_qty > 0 else FollowUp.SPENT
