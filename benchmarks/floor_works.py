"""The workloads as hand-written loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks import floors
from benchmarks.contest import (
    BACK,
    CASH,
    EVERY,
    FAST,
    FEE,
    HELD,
    RANGE,
    REACH,
    SLOW,
    TRAIL,
    WEIGHT,
    Came,
    Work,
    pairs_of,
)

if TYPE_CHECKING:
    from benchmarks.market import Market

__all__ = ["WORKS"]

_TRADE_WIDTH: Final = 6
_PAIRS: Final = 1000


def _w1(market: Market) -> Work:
    def run() -> Came:
        equity, trades = np.empty(market.close.size), np.empty((market.close.size, _TRADE_WIDTH))
        closed = floors.crossover(market.open, market.close, (FAST, SLOW, CASH, FEE), equity, trades)
        return Came(float(equity[-1]), int(closed))

    return run


def _w2(market: Market) -> Work:
    pairs = pairs_of(_PAIRS)
    lengths = sorted({length for pair in pairs for length in pair})
    rows = np.array([(lengths.index(fast), lengths.index(slow), slow) for fast, slow in pairs])

    def run() -> Came:
        averages = np.full((len(lengths), market.close.size), np.nan)
        for row, length in enumerate(lengths):
            floors.moving_average(market.close, length, averages[row])
        out = np.empty((len(pairs), 3))
        floors.sweep(market.open, averages, rows, (CASH, FEE), out)
        worth = np.where(out[:, 1] > 0, out[:, 1] * market.close[-1], out[:, 0])
        return Came(float(worth.max()), int(out[:, 2].sum()))

    return run


def _w3(market: Market) -> Work:
    rules = (EVERY, BACK, HELD, WEIGHT, CASH, FEE)

    def run() -> Came:
        equity = np.empty(market.close.shape[1])
        fills = floors.rotation(market.open, market.close, rules, equity)
        return Came(float(equity[-1]), int(fills))

    return run


def _w4(market: Market) -> Work:
    prices = (market.open, market.high, market.low, market.close)

    def run() -> Came:
        equity, trades = np.empty(market.close.size), np.empty((market.close.size, _TRADE_WIDTH))
        rules, bounds = (FAST, SLOW, CASH, FEE), (RANGE, TRAIL, REACH)
        closed = floors.guarded_crossover(prices, rules, bounds, equity, trades)
        return Came(float(equity[-1]), int(closed))

    return run


WORKS: Final = {("floor", "w1"): _w1, ("floor", "w2"): _w2, ("floor", "w3"): _w3, ("floor", "w4"): _w4}
