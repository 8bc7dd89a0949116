"""What the controls look at and what they find; rule numbers are those of the control catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Context, Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from alphintra.engine.pretrade.instruments import Market, VenueAbilities
from alphintra.engine.pretrade.limits import LimitSet
from alphintra.kernel.ids import AccountId, BookId, OrderId
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, PositionIntent, Side, TimeInForce

__all__ = [
    "EXACT",
    "Book",
    "Claim",
    "Credit",
    "Exposure",
    "Finding",
    "KillState",
    "Latch",
    "LimitSet",
    "Order",
    "Recent",
    "Verdict",
    "plain",
    "recent_of",
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
        return _SEVERITY[self]


_SEVERITY = {state: place for place, state in enumerate(KillState)}


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
    book_id: BookId | None = None
    strategy_hash: str = ""

    @property
    def content(self) -> str:
        """What it asks for, whoever asks and under whatever id: orders of one content are duplicates."""
        parts = (
            self.symbol,
            self.side,
            self.type,
            self.time_in_force,
            *(None if amount is None else plain(amount) for amount in self._amounts),
            self.reduce_only,
            self.order_class,
            self.leg,
            self.book_id,
        )
        return "|".join("" if part is None else str(part) for part in parts)

    @property
    def _amounts(self) -> tuple[Decimal | None, ...]:
        return self.qty, self.notional, self.limit_price, self.stop_price, self.trail_price, self.trail_percent

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
class Recent:
    """An order approved lately, as far as later ones are held against it."""

    decided_at: datetime
    content: str
    symbol: str
    side: Side
    limit_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latch:
    """A block that stays until a named person takes it away.

    Args:
        code: the code it refuses with.
        reason: what set it.
        symbol: what it is for, None for all.
        book_id: whose orders, None for all of the account.
    """

    code: str
    reason: str
    symbol: str | None = None
    book_id: BookId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """A threshold over several accounts: what is at stake in them together, and the most that may be."""

    scope: str
    used: Decimal
    most: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All that a decision on an account's order depends on; ``cash`` and ``limits`` are None if risk has none.

    What only some limits ask for is there only where they are set.

    Args:
        account_id: whose it is.
        cash: what there is, reservations not taken off.
        reserved_cash: what open orders may still pay.
        limits: the limit set in force.
        firm_kill: kill state of the firm.
        account_kill: kill state of the account.
        exposures: by symbol; the order's own, or every one where limits are about the whole.
        known_symbols: some the feed has, for a refusal to name.
        kill_reason: why the account is blocked.
        kills: kill states of further scopes the account falls under (user, venue) by their name.
        book_kills: kill states of strategies.
        symbol_kills: kill states of symbols.
        at: now, by the time of the account's market.
        venue: what its venue works.
        markets: by symbol.
        open_orders: how many orders work or wait.
        tokens: what the message bucket holds, None without one.
        is_ratio_high: whether there are too many orders to an execution.
        recent: approved lately, oldest first.
        latches: blocks in force.
        credits: thresholds the account shares with others.
        fleet: what instances of the platform disagree about, empty if they agree.
        doubled: strategies that two living instances run.
        allowed: soft codes a second person let pass for an order's content.
    """

    account_id: AccountId
    cash: Decimal | None
    reserved_cash: Decimal
    limits: LimitSet | None
    firm_kill: KillState
    account_kill: KillState
    exposures: Mapping[str, Exposure]
    known_symbols: tuple[str, ...] = ()
    kill_reason: str = ""
    kills: Mapping[str, KillState] = field(default_factory=dict)
    book_kills: Mapping[BookId, KillState] = field(default_factory=dict)
    symbol_kills: Mapping[str, KillState] = field(default_factory=dict)
    at: datetime | None = None
    venue: VenueAbilities = VenueAbilities()  # noqa: RUF009 - frozen, so sharing the default is safe
    markets: Mapping[str, Market] = field(default_factory=dict)
    open_orders: int = 0
    tokens: Decimal | None = None
    is_ratio_high: bool = False
    recent: tuple[Recent, ...] = ()
    latches: tuple[Latch, ...] = ()
    credits: tuple[Credit, ...] = ()
    fleet: str = ""
    doubled: frozenset[BookId] = frozenset()
    allowed: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def controls(self) -> LimitControls:
        """The limits beyond those every account has."""
        return _NO_CONTROLS if self.limits is None else self.limits.controls

    def kill_of(self, order: Order) -> tuple[str, KillState]:
        """Return the strictest kill state an order falls under, and its scope."""
        states = {"firm": self.firm_kill, "account": self.account_kill, **self.kills}
        if order.book_id is not None:
            states["strategy"] = self.book_kills.get(order.book_id, KillState.NORMAL)
        if order.symbol in self.symbol_kills:
            states["symbol"] = self.symbol_kills[order.symbol]
        return max(states.items(), key=lambda item: item[1].severity)

    def market(self, symbol: str) -> Market:
        """Return what is known of a symbol."""
        return self.markets.get(symbol, _NO_MARKET)

    def exposure(self, symbol: str) -> Exposure:
        """Return the exposure in a symbol, none if there is no entry."""
        return self.exposures.get(symbol, _NO_EXPOSURE)

    def reserve(self, order: Order, claim: Claim) -> Book:
        """Return the book with what an approved order adds counted as open."""
        after = self.exposure(order.symbol).claimed(order.side, claim.added_qty, is_reducing=order.is_reducing)
        price = self.exposure(order.symbol).last_price or claim.price
        staked = _ZERO if order.is_reducing else EXACT.multiply(claim.added_qty, price)
        told = () if self.at is None or not self.controls.looks_back else (recent_of(order, at=self.at),)
        return replace(
            self,
            reserved_cash=EXACT.add(self.reserved_cash, claim.added_cash),
            exposures={**self.exposures, order.symbol: after},
            open_orders=self.open_orders + 1,
            recent=(*self.recent, *told),
            credits=tuple(replace(credit, used=EXACT.add(credit.used, staked)) for credit in self.credits),
        )

    def spent_token(self) -> Book:
        """Return the book after a message."""
        return self if self.tokens is None else replace(self, tokens=max(self.tokens - 1, _ZERO))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of all controls: approved without findings; ``claim`` is None where nothing prices the order.

    ``overridden`` are the codes a second person let pass.
    """

    findings: tuple[Finding, ...]
    claim: Claim | None
    overridden: tuple[str, ...] = ()

    @property
    def price(self) -> Decimal | None:
        """The worst price of a unit."""
        return None if self.claim is None else self.claim.price


_NO_MARKET = Market()
_NO_EXPOSURE = Exposure()
_NO_CONTROLS = LimitControls()


def recent_of(order: Order, *, at: datetime) -> Recent:
    """Return an order as later ones are held against it."""
    return Recent(
        decided_at=at, content=order.content, symbol=order.symbol, side=order.side, limit_price=order.limit_price
    )


def plain(value: Decimal) -> str:
    """Return an amount as a person writes it: no exponent, no trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
