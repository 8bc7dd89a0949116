"""The columns an account is run over: prices, and what the nodes of a graph say at each close."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.kernels.kernel import Vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alphintra.engine.bars import Bar

__all__ = ["NOTHING", "AddingColumns", "Columns", "prices_of", "seconds_of"]

NOTHING: Final = np.empty(0)
"""A column nobody reads."""


def _nothing() -> Vector:
    return NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """One value a bar, C-contiguous float64; NaN where a value is not known, and an empty column where no rule asks.

    Args:
        open: prices.
        high: prices.
        low: prices.
        close: prices.
        entry: above zero asks for a long position, below zero for a short one.
        leave: above zero asks to leave the position; the number says which rule does.
        add: above zero asks for one more entry of the position.
        cancel: above zero takes off an entry that waits.
        size: of the sizing rule.
        limit: price an entry is to be had for, or better.
        trigger: price at which an entry that waits for a breakout becomes a market or limit order.
        stop: price or distance.
        target: price or distance.
        trail: distance.
        chandelier: distance.
        seconds: since the close before, where borrowing costs; the first is not read.
    """

    open: Vector
    high: Vector
    low: Vector
    close: Vector
    entry: Vector
    leave: Vector
    add: Vector = field(default_factory=_nothing)
    cancel: Vector = field(default_factory=_nothing)
    size: Vector = field(default_factory=_nothing)
    limit: Vector = field(default_factory=_nothing)
    trigger: Vector = field(default_factory=_nothing)
    stop: Vector = field(default_factory=_nothing)
    target: Vector = field(default_factory=_nothing)
    trail: Vector = field(default_factory=_nothing)
    chandelier: Vector = field(default_factory=_nothing)
    seconds: Vector = field(default_factory=_nothing)

    @property
    def bars(self) -> int:
        """How many bars there are."""
        return int(self.close.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddingColumns(Columns):
    """Columns of rules that add to a position: what one more entry of a long and of a short one is asked with."""

    long: Columns
    short: Columns


def prices_of(bars: Sequence[Bar]) -> tuple[Vector, Vector, Vector, Vector]:
    """Return the opens, highs, lows and closes of bars."""
    names = ("open", "high", "low", "close")
    opens, highs, lows, closes = (np.array([float(getattr(bar, name)) for bar in bars]) for name in names)
    return opens, highs, lows, closes


def seconds_of(bars: Sequence[Bar]) -> NDArray[np.float64]:
    """Return the whole seconds between the closes of bars, zero at the first."""
    times = np.array([bar.ts.timestamp() for bar in bars])
    return np.diff(times, prepend=times[:1])
