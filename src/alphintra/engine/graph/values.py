"""What flows along the wires of a graph, and what a strategy may know of its own book.

Every wire carries a column of float64: numbers as they are, conditions as 1 and 0, entry signals as 1 (long), -1
(short) and 0; NaN is unknown. ``PortKind`` says which it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

__all__ = ["PortKind", "StateView"]


class PortKind(StrEnum):
    """Kind of value a port carries."""

    NUM = "Num"
    BOOL = "Bool"
    EVENT = "Event"
    SIGNAL = "Signal"
    EXIT = "Exit"
    SIZE = "Size"
    WEIGHTS = "Weights"


@dataclass(frozen=True, slots=True)
class StateView:
    """What the strategy may know of its own book, as of the close being evaluated.

    Args:
        qty: signed position.
        avg_price: weighted-average entry price, zero when flat.
        cash: free cash.
        equity: cash plus position at this close.
        is_order_working: whether an order of this strategy still waits at the venue.
        bars_held: bars the position has met, that of its fill included, where it is held for a time.
        is_entry_working: whether an order that works is to enter.
        entries: how many entries the position is made of.
        last_entry: price of the last of them, zero when flat.
    """

    qty: Decimal
    avg_price: Decimal
    cash: Decimal
    equity: Decimal
    is_order_working: bool = False
    bars_held: int = 0
    is_entry_working: bool = False
    entries: int = 0
    last_entry: Decimal = Decimal(0)
