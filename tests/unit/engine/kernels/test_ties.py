"""On prices of whole ticks averages tie, and a tie decides a trade: each is told exactly, whatever came before."""

from __future__ import annotations

import numpy as np
import pytest

from alphintra.engine.kernels.logic import cross
from alphintra.engine.kernels.windows import sma

BARS = 20_000
FAST, SLOW = 10, 30


def cents(seed: int) -> np.ndarray:
    """Return closes in whole cents: a walk about 100."""
    walk = np.cumsum(np.random.default_rng(seed).normal(0.0, 6e-4, BARS))
    return np.rint(100.0 * np.exp(walk) * 100.0).astype(np.int64)


def exactly(ticks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much the fast average lies above the slow one, in whole numbers, and where it crosses above."""
    sums = np.concatenate(([0], np.cumsum(ticks)))
    ends = np.arange(SLOW, BARS + 1)
    ahead = (sums[ends] - sums[ends - FAST]) * SLOW - (sums[ends] - sums[ends - SLOW]) * FAST
    crossed = np.zeros(BARS, dtype=bool)
    crossed[SLOW:] = (ahead[1:] > 0) & (ahead[:-1] <= 0)
    return ahead, crossed


def averages(closes: np.ndarray, length: int, portion: int) -> np.ndarray:
    s, out = np.zeros(3 + length), np.empty(closes.size)
    for start in range(0, closes.size, portion):
        some = slice(start, start + portion)
        sma.compiled(np.array([float(length)]), s, closes[some], out[some])
    return out


@pytest.mark.parametrize("portion", [BARS, 4096, 777])
def test_ties_of_averages_on_whole_ticks_are_ties(portion: int) -> None:
    ticks = cents(11)
    closes = ticks / 100.0
    ahead, crossed = exactly(ticks)
    fast, slow = (averages(closes, length, portion) for length in (FAST, SLOW))
    assert (ahead == 0).sum() > 10
    assert np.array_equal(np.sign(ahead), np.sign(fast - slow)[SLOW - 1 :])
    out = np.empty(BARS)
    cross.compiled(np.array([1.0]), np.zeros(1), fast, slow, out)
    assert np.array_equal(out == 1.0, crossed)


def test_a_running_sum_of_floats_would_not_tell() -> None:
    """What the rule is for: the same prices, summed as floats, lose ties and with them trades."""
    ticks = cents(11)
    closes, (ahead, crossed) = ticks / 100.0, exactly(ticks)
    sums = np.concatenate(([0.0], np.cumsum(closes)))
    ends = np.arange(SLOW, BARS + 1)
    fast, slow = ((sums[ends] - sums[ends - length]) / length for length in (FAST, SLOW))
    assert ((fast == slow) & (ahead == 0)).sum() < (ahead == 0).sum()
    above = fast > slow
    assert not np.array_equal(np.flatnonzero(above[1:] & ~above[:-1]) + SLOW, np.flatnonzero(crossed))
