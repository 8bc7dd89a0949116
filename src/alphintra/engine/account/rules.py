"""What an account does with signals: how much it enters with, which exits it brings, what trading costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import Final

from alphintra.engine.costs import Costs
from alphintra.engine.protection import LevelKind
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import require_finite, require_positive
from alphintra.kernel.vocabulary import Intrabar, OrderType, TimeInForce

__all__ = ["AccountRules", "Bound", "Pricing", "Size", "Sizing"]

_HUNDRED: Final = Decimal(100)


class Size(IntEnum):
    """How an entry is sized; the column is the sizing's own."""

    FIXED_QTY = 1
    """``number`` units."""
    FIXED_NOTIONAL = 2
    """Units worth ``number`` at the close."""
    PERCENT_EQUITY = 3
    """Units worth ``number`` percent of equity at the close."""
    RISK = 4
    """Units that lose ``number`` percent of equity over the column's distance."""
    VOLATILITY = 5
    """Units worth equity times ``number`` over the column: a target and an estimate of the same volatility."""
    ALL_CASH = 6
    """All cash at the price of the fill, fee included; without rounding only, as other engines have it."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """How much an entry orders, rounded down to whole lots.

    Args:
        kind: the rule.
        number: what the rule says.
        most: percent of equity an entry may be worth, None for no bound; for risk and volatility.

    Raises:
        AlphintraError: QTY_NOT_POSITIVE, NUMBER_*.
    """

    kind: Size
    number: Decimal = _HUNDRED
    most: Decimal | None = None

    def __post_init__(self) -> None:
        require_positive(self.number, pointer="/number")
        if self.most is not None:
            require_positive(self.most, pointer="/most")


@dataclass(frozen=True, slots=True)
class Bound:
    """Where an exit lies: at the price of its column, or as far from the entry's fill as column or ``number`` say.

    ``number`` is of exits in percent of the fill's price, and of a reward: how many times as far as the stop.
    """

    kind: LevelKind
    number: Decimal = _HUNDRED

    def __post_init__(self) -> None:
        require_positive(self.number, pointer="/number")

    @property
    def has_column(self) -> bool:
        """Tell whether a column says where it lies."""
        return self.kind in {LevelKind.PRICE, LevelKind.DISTANCE}


@dataclass(frozen=True, slots=True)
class Pricing:
    """How an entry is priced and how long it waits; its prices are columns.

    Args:
        kind: market, limit, stop or stop_limit.
        time_in_force: day or gtc.
        bars: after so many bars without a fill an entry is canceled; None for as long as its time in force.

    Raises:
        AlphintraError: ORDER_UNSUPPORTED, FIELD_RANGE.
    """

    kind: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.DAY
    bars: int | None = None

    def __post_init__(self) -> None:
        if self.kind is OrderType.TRAILING_STOP or self.time_in_force not in {TimeInForce.DAY, TimeInForce.GTC}:
            message = (
                f"an entry that is {self.kind} and {self.time_in_force} is not simulated: use limit and day or gtc"
            )
            raise AlphintraError("ORDER_UNSUPPORTED", message, pointer="/pricing")
        if self.bars is not None and self.bars < 1:
            raise AlphintraError("FIELD_RANGE", "an entry waits for at least one bar", pointer="/pricing/bars")

    @property
    def is_market(self) -> bool:
        """Tell whether entries take the next open."""
        return self.kind is OrderType.MARKET

    @property
    def has_limit(self) -> bool:
        """Tell whether entries have a limit price."""
        return self.kind in {OrderType.LIMIT, OrderType.STOP_LIMIT}

    @property
    def has_trigger(self) -> bool:
        """Tell whether entries have a stop price."""
        return self.kind in {OrderType.STOP, OrderType.STOP_LIMIT}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRules:
    """Terms of one account on one symbol.

    Args:
        initial_cash: above zero.
        sizing: how much an entry orders.
        lot: smallest quantity; what is ordered is a multiple of it.
        pricing: of entries; what leaves takes the next open.
        costs: fees, slippage, borrow.
        stop: stop placed with each entry.
        target: target placed with each entry.
        trail: trailing stop, by distance (its column, as it is at the entry's close) or in percent.
        has_chandelier: whether the chandelier column holds the distance from the best price, told anew at each close.
        break_even: percent of gain at which the stop moves to the entry's price.
        bars_max: bars after which a position is left at the next open.
        entries_max: entries a position has at most.
        tick: prices of orders are whole multiples of it; None for any price.
        warm_up: bars at the start on which nothing is decided.
        intrabar: what a bar does to stops and targets.
        is_rounded: whether amounts are rounded to millionths as in the books; others' engines do not.

    Raises:
        AlphintraError: QTY_NOT_POSITIVE, FIELD_RANGE, ORDER_FIELD_FORBIDDEN, NUMBER_*.
    """

    initial_cash: Decimal = Decimal(100_000)
    sizing: Sizing = Sizing(Size.PERCENT_EQUITY, Decimal(95))
    lot: Decimal = Decimal(1)
    pricing: Pricing = Pricing()
    costs: Costs = field(default_factory=Costs)
    stop: Bound | None = None
    target: Bound | None = None
    trail: Bound | None = None
    has_chandelier: bool = False
    break_even: Decimal | None = None
    bars_max: int | None = None
    entries_max: int = 1
    tick: Decimal | None = None
    warm_up: int = 0
    intrabar: Intrabar = Intrabar.CHRONOLOGICAL
    is_rounded: bool = True

    def __post_init__(self) -> None:
        require_positive(self.initial_cash, pointer="/initial_cash")
        require_positive(self.lot, pointer="/lot")
        if self.break_even is not None:
            require_positive(self.break_even, pointer="/break_even")
        if self.bars_max is not None and self.bars_max < 1:
            raise AlphintraError("FIELD_RANGE", "bars_max is less than one bar", pointer="/bars_max")
        self._check_exits()
        if self.sizing.kind is Size.ALL_CASH and self.is_rounded:
            message = "all cash at the price of the fill is a rule of unrounded runs: size by percent of equity"
            raise AlphintraError("ORDER_UNSUPPORTED", message, pointer="/sizing")
        if not self.pricing.is_market and not self.is_rounded:
            message = "entries that wait for a price are simulated in rounded amounts only"
            raise AlphintraError("ORDER_UNSUPPORTED", message, pointer="/pricing")
        require_finite(self.initial_cash)

    def _check_exits(self) -> None:
        if self.trail is not None:
            if self.trail.kind in {LevelKind.PRICE, LevelKind.REWARD}:
                message = "a trailing stop follows the price by a distance or a percentage: it has no price of its own"
                raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/trail")
            if self.trail.kind is LevelKind.PERCENT and self.trail.number >= _HUNDRED:
                message = f"a trail of {self.trail.number} percent leaves no price: write less than 100"
                raise AlphintraError("FIELD_RANGE", message, pointer="/trail/number")
        if self.stop is not None and self.stop.kind is LevelKind.REWARD:
            message = "a reward is where a target lies: tell a stop as a price, a distance or a percentage"
            raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/stop")
        has_stop_price = self.stop is not None and self.stop.kind is LevelKind.PRICE
        if self.target is not None and self.target.kind is LevelKind.REWARD and not has_stop_price:
            message = "a target told as a reward lies so many times as far as a stop that is a price: there is none"
            raise AlphintraError("ORDER_FIELD_REQUIRED", message, pointer="/stop")

    @property
    def is_guarded(self) -> bool:
        """Tell whether entries bring exits with them."""
        bounds = (self.stop, self.target, self.trail, self.break_even, self.bars_max)
        return self.has_chandelier or any(bound is not None for bound in bounds)
