"""What an account or book is worth: the one place where profit and value are computed, for every view of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from alphintra.engine.portfolio import Position

__all__ = ["Held", "Worth", "worth_of"]

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Held:
    """A position with its newest price; without one it is worth what it cost."""

    position: Position
    mark: Decimal | None

    @property
    def value(self) -> Decimal:
        """Signed market value."""
        return self.position.cost if self.mark is None else self.position.market_value(self.mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What is owned, and what has been earned.

    Args:
        cash: money held.
        long_value: market value of what is held long.
        short_value: market value of what is held short, zero or negative.
        cost: signed amount paid for what is held.
        invested: money put in, less money taken out: no profit.
    """

    cash: Decimal
    long_value: Decimal
    short_value: Decimal
    cost: Decimal
    invested: Decimal

    @property
    def equity(self) -> Decimal:
        """What would be left if everything were closed at its newest price, before fees."""
        return self.cash + self.long_value + self.short_value

    @property
    def unrealized(self) -> Decimal:
        """Profit not booked yet."""
        return self.long_value + self.short_value - self.cost

    @property
    def profit(self) -> Decimal:
        """All that was earned: realised and unrealised, fees, dividends, interest and funding included."""
        return self.equity - self.invested

    @property
    def buying_power(self) -> Decimal:
        """Cash that is not needed to buy back what is held short; working orders are reserved for by risk."""
        return max(self.cash + self.short_value, _ZERO)


def worth_of(held: Iterable[Held], *, cash: Decimal, invested: Decimal) -> Worth:
    """Add up what is held."""
    long_value = short_value = cost = _ZERO
    for each in held:
        cost += each.position.cost
        if each.value > 0:
            long_value += each.value
        else:
            short_value += each.value
    return Worth(cash=cash, long_value=long_value, short_value=short_value, cost=cost, invested=invested)
