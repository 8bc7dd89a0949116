"""What a deployment over several symbols holds of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from alphintra.engine.portfolio import FLAT, Position

__all__ = ["Holding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A position, the last price seen of its symbol, and what a deployment of one symbol notes of its own.

    ``bars_held`` counts the bars the position has met, that of the entry's fill included. ``exit_owed`` is the label of
    the rule by which it is to be left because its exits are gone, empty where it is not.
    """

    symbol: str
    position: Position = FLAT
    last_price: Decimal | None = None
    bars_held: int = 0
    exit_owed: str = ""

    @property
    def worth(self) -> Decimal:
        """What is held at the last price seen."""
        return Decimal(0) if self.last_price is None else self.position.market_value(self.last_price)
