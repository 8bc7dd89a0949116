"""Seeded bars for the engines: a random walk in minutes whose opens leave gaps to the closes before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["START_NS", "Market", "one_symbol", "panel"]

START_NS: Final = 1_577_836_800_000_000_000  # 2020-01-01
MINUTE_NS: Final = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Market:
    """Prices as C-contiguous float64, [bars] or [symbols, bars]."""

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]


def one_symbol(bars: int, *, seed: int = 7) -> Market:
    """Return the bars of one symbol."""
    found = panel(1, bars, seed=seed)
    return Market(found.ts, found.open[0], found.high[0], found.low[0], found.close[0])


def panel(symbols: int, bars: int, *, seed: int = 7) -> Market:
    """Return the bars of several symbols, closing at the same minutes."""
    draw = np.random.default_rng(seed)
    shape = (symbols, bars)
    close = 100.0 * np.exp(np.cumsum(draw.normal(0.0, 6e-4, shape), axis=1))
    opened = np.empty(shape)
    opened[:, 0] = 100.0
    opened[:, 1:] = close[:, :-1]
    opened *= np.exp(draw.normal(0.0, 1.5e-4, shape))
    spread = np.abs(draw.normal(0.0, 3e-4, (2, *shape)))
    high = np.maximum(opened, close) * (1.0 + spread[0])
    low = np.minimum(opened, close) * (1.0 - spread[1])
    ts = START_NS + MINUTE_NS * np.arange(1, bars + 1, dtype=np.int64)
    return Market(ts, opened, high, low, close)
