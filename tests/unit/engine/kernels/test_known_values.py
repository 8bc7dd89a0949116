"""Conditions, memories, the trading day, turning points and cross-sections on a few bars worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan

import numpy as np
import pytest

from alphintra.engine.kernels import across, conditions, day, memory, pairs, pivots, transforms, volatility, windows
from alphintra.engine.kernels.kernel import Kernel

Row = Sequence[float]


def outcome(
    kernel: Kernel, numbers: Row, state: int, inputs: Sequence[Row | Sequence[Row]], outputs: int
) -> np.ndarray:
    """Return the outputs of a kernel, a row each."""
    columns = [np.array(column, dtype=np.float64) for column in inputs]
    found = [np.empty(columns[-1].shape[-1]) for _ in range(outputs)]
    kernel.interpreted(np.array(numbers, dtype=np.float64), np.zeros(state), *columns, *found)
    return np.array(found)


@pytest.mark.parametrize(
    ("kernel", "numbers", "state", "inputs", "expected"),
    [
        (conditions.between, [0], 0, [[1, 2, 3, 4, nan], [2] * 5, [3] * 5], [[0, 1, 1, 0, nan]]),
        (conditions.between, [1], 0, [[1, 2, 3, 4, nan], [2] * 5, [3] * 5], [[1, 0, 0, 1, nan]]),
        (conditions.exclusive, [], 0, [[[0, 1, 1, nan], [0, 0, 1, 1]]], [[0, 1, 0, nan]]),
        (conditions.at_least, [2], 0, [[[0, 1, 1, nan], [0, 0, 1, 1], [1, 0, 1, 1]]], [[0, 0, 1, nan]]),
        (conditions.held_for, [2], 1, [[1, 1, nan, 1, 0, 1]], [[0, 1, nan, 1, 0, 0]]),
        (conditions.within, [2], 1, [[0, 1, 0, 0, nan, 1, nan, 0, 0]], [[0, 1, 1, 0, nan, 1, nan, 1, 0]]),
        (conditions.edge, [0], 1, [[1, 0, 1, 1, nan, 0, 1]], [[nan, 0, 1, 0, nan, 0, 1]]),
        (conditions.edge, [1], 1, [[1, 0, 1, 1, nan, 0, 1]], [[nan, 1, 0, 0, nan, 1, 0]]),
        (conditions.edge, [2], 1, [[1, 0, 1, 1]], [[nan, 1, 1, 0]]),
        (conditions.once_per, [0], 2, [[1, 1, 1, 2, 2], [7] * 5, [0, 1, 1, 1, 1]], [[0, 1, 0, 1, 0]]),
        (conditions.once_per, [1], 2, [[1, 1, 1, 2, 2], [7] * 5, [0, 1, 1, 1, 1]], [[0, 1, 0, 0, 0]]),
        (conditions.cooldown, [2], 1, [[1, 1, 1, 1, 0, 0, 1]], [[1, 0, 0, 1, 0, 0, 1]]),
        (conditions.hysteresis, [70, 50, 0], 1, [[60, 71, 60, 50, 49, 60]], [[0, 1, 1, 1, 0, 0]]),
        (conditions.hysteresis, [30, 50, 1], 1, [[40, 29, 45, 50, 51, 40]], [[0, 1, 1, 1, 0, 0]]),
        (conditions.rising, [2, 0], 3, [[1, 2, 3, 3, 4, 5]], [[0, 0, 1, 0, 0, 1]]),
        (conditions.rising, [2, 1], 3, [[3, 2, 1, 1]], [[0, 0, 1, 0]]),
        (conditions.moved, [1, 10, 0], 3, [[100, 110, 99, 0, 5]], [[nan, 1, 0, 0, nan]]),
        (conditions.moved, [1, 10, 2], 3, [[100, 110, 99, 98]], [[nan, 1, 1, 0]]),
        (conditions.cross_either, [], 2, [[1, 3, 2, 3, 1], [2] * 5], [[nan, 1, 0, 0, 1]]),
        (conditions.means_cross, [1, 2, 0], 11, [[3, 2, 4, 5]], [[nan, nan, 1, 0]]),
        (conditions.means_cross, [1, 2, 1], 11, [[3, 4, 2, 1]], [[nan, nan, 1, 0]]),
        (
            conditions.breakout,
            [2, 0],
            13,
            [[5, 6, 7, 8], [4, 5, 5, 1], [5, 6, 7, 3]],
            [[nan, nan, 1, 0], [nan, nan, 0, 1]],
        ),
        (conditions.gap, [0], 3, [[5, 7, 3, 4], [6, 8, 5, 5], [4, 6, 2, 3]], [[nan, 1, 0, 0], [nan, 0, 1, 0]]),
        (conditions.volume_spike, [2, 2], 7, [[10, 10, 20, 20]], [[nan, nan, 1, 0]]),
        (memory.latch, [0], 1, [[0, 1, 0, 1, 1], [0, 0, 0, 1, 0]], [[0, 1, 1, 0, 1]]),
        (memory.latch, [1], 1, [[0, 1, nan, 1, 0], [0, 0, 0, 1, 1]], [[0, 1, nan, 1, 0]]),
        (memory.toggle, [], 1, [[0, 1, 0, 1]], [[0, 1, 1, 0]]),
        (memory.counter, [], 1, [[1, 1, 1, 0, 1], [0, 0, 1, 1, 0]], [[1, 2, 1, 0, 1]]),
        (memory.count_in_session, [], 3, [[1, 1, 2, 2], [1, 1, 1, 0]], [[1, 2, 1, 1]]),
        (memory.last_value_when, [], 2, [[0, 1, 0, 1], [5, 6, 7, 8]], [[nan, 6, 6, 8]]),
        (memory.bars_since, [], 2, [[0, 1, 0, nan, 0, 1]], [[nan, 0, 1, nan, 2, 0]]),
        (memory.extreme_since, [0], 2, [[0, 1, 0, 0, 1], [9, 5, 7, 6, 4]], [[nan, 5, 7, 7, 4]]),
        (memory.extreme_since, [1], 2, [[0, 1, 0, 0, 1], [1, 5, 7, 3, 4]], [[nan, 5, 5, 3, 4]]),
        (day.time_window, [600, 900], 0, [[600, 601, 900, 901, nan]], [[0, 1, 1, 0, nan]]),
        (day.time_window, [1380, 60], 0, [[1381, 60, 61]], [[1, 1, 0]]),
        (day.day_filter, [1, 0, 1, 1, 1, 0, 0], 0, [[0, 1, 2, 6]], [[1, 0, 1, 0]]),
        (
            day.opening_range,
            [10],
            5,
            [[1, 1, 1, 2], [5, 10, 15, 5], [9, 8, 99, 7], [6, 5, 1, 6], [7, 7, 50, 7]],
            [[nan, 9, 9, nan], [nan, 5, 5, nan], [0, 1, 1, 0]],
        ),
        (
            day.vwap,
            [0],
            5,
            [[1, 1, 2], [1, 1, 1], [10, 20, 30], [10, 20, 30], [10, 20, 30], [1, 3, 1]],
            [[10, 17.5, 30], [0, np.sqrt(18.75), 0]],
        ),
        (
            day.session_levels,
            [0],
            9,
            [[1, 2, 2, 3], [0] * 4, [1, 2, 3, 4], [1, 5, 6, 7], [1, 2, 1, 4], [1, 3, 4, 5]],
            [
                [nan, 2, 2, 4],
                [nan, 5, 6, 7],
                [nan, 2, 1, 4],
                [nan, nan, nan, 6],
                [nan, nan, nan, 1],
                [nan, nan, nan, 4],
            ],
        ),
        (
            pivots.pivots,
            [1, 1],
            14,
            [[1, 3, 2, 2, 4], [1, 2, 0, 1, 1]],
            [[nan, nan, 3, 3, 3], [nan, nan, nan, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0]],
        ),
        (
            pivots.levels,
            [1, 1, 2, 1],
            18,
            [[1, 3, 2, 2, 4], [1, 2, 0, 1, 1], [1, 3, 2, 2, 4]],
            [[nan, nan, nan, 0, 3], [nan, nan, 3, 3, nan], [nan, nan, 0, 0, 0], [nan, nan, 0, 0, 0]],
        ),
        (
            pivots.divergence,
            [1, 1, 9],
            18,
            [[5, 3, 5, 2, 5], [5, 1, 5, 2, 5]],
            [[0, 0, 0, 0, 1], [0] * 5, [0] * 5, [0] * 5],
        ),
        (
            pivots.divergence,
            [1, 1, 9],
            18,
            [[1, 3, 1, 4, 1], [1, 3, 1, 2, 1]],
            [[0] * 5, [0, 0, 0, 0, 1], [0] * 5, [0] * 5],
        ),
        (transforms.arithmetic, [3], 0, [[6, 1, inf], [3, 0, 1]], [[2, nan, nan]]),
        (transforms.arithmetic, [4], 0, [[6, 1], [3, 2]], [[3, 1]]),
        (transforms.unary, [3], 0, [[4, -1, nan]], [[2, nan, nan]]),
        (transforms.clip, [0, 10], 0, [[-1, 5, 11]], [[0, 5, 10]]),
        (transforms.linear, [2, 1], 0, [[3, nan]], [[7, nan]]),
        (transforms.change, [1, 1], 3, [[50, 75, 0, 1]], [[nan, 50, -100, nan]]),
        (transforms.cumulate, [0], 3, [[1, 1, 2], [1, 1, 1], [1, 2, 5]], [[1, 3, 5]]),
        (transforms.fill, [1], 3, [[1, nan, nan, 2]], [[1, 1, nan, 2]]),
        (transforms.choose, [], 0, [[1, 0, nan], [1, 2, 3], [4, 5, 6]], [[1, 5, nan]]),
        (windows.rolling_rank, [2], 4, [[1, 2, 3, 2]], [[nan, nan, 100, 25]]),
        (windows.median, [3], 8, [[1, 9, 2, 3, 3]], [[nan, nan, 2, 3, 3]]),
        (windows.percentile, [3, 75], 8, [[1, 9, 2, 3]], [[nan, nan, 5.5, 6]]),
        (pairs.hedge_ratio, [3], 22, [[3, 5, 7], [1, 2, 3]], [[nan, nan, 2], [nan, nan, 1]]),
        (pairs.spread_fitted, [2], 19, [[2, 4, 7], [1, 2, 3]], [[nan, nan, 1], [nan, nan, 2]]),
        (volatility.donchian, [2, 0], 13, [[3, 4, 5], [1, 2, 3]], [[nan, nan, 4], [nan, nan, 2.5], [nan, nan, 1]]),
        (volatility.donchian, [2, 1], 13, [[3, 4, 5], [1, 2, 3]], [[nan, 4, 5], [nan, 2.5, 3.5], [nan, 1, 2]]),
    ],
)
def test_a_kernel_gives_what_is_worked_out_by_hand(
    kernel: Kernel, numbers: Row, state: int, inputs: Sequence[Row], expected: Sequence[Row]
) -> None:
    np.testing.assert_allclose(outcome(kernel, numbers, state, inputs, len(expected)), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("kernel", "numbers", "inputs", "expected"),
    [
        (across.rank, [0], [[5, 7, nan, 5]], [2, 1, nan, 3]),
        (across.rank, [1], [[5, 7, nan, 5]], [1, 3, nan, 2]),
        (across.top, [2, 0], [[5, 7, nan, 5]], [1, 1, nan, 0]),
        (across.top, [1, 1], [[5, 7, nan, 4]], [0, 0, nan, 1]),
        (across.percentile_across, [], [[5, 7, nan, 5]], [25, 100, nan, 25]),
        (across.mean_across, [], [[5, 7, nan, 3]], [5, 5, nan, 5]),
        (across.demean, [], [[5, 7, nan, 3]], [0, 2, nan, -2]),
        (across.score_across, [], [[5, 7, nan, 5]], [-np.sqrt(0.5), np.sqrt(2), nan, -np.sqrt(0.5)]),
        (across.equal_weight, [1], [[1, 0, nan, 1]], [0.5, 0, nan, 0.5]),
        (across.inverse_weight, [1], [[1, 1, 0, 1], [1, 3, 1, nan]], [0.75, 0.25, 0, nan]),
        (across.cap_weights, [0.5, 1, 1], [[0.9, 0.4, nan, -0.3]], [0.5 / 1.2, 0.4 / 1.2, nan, -0.3 / 1.2]),
        (across.cap_weights, [1, 2, 0], [[0.5, 0.5, nan, -0.5]], [0.25, 0.25, nan, -0.5]),
    ],
)
def test_symbols_are_weighed_as_worked_out_by_hand(
    kernel: Kernel, numbers: Row, inputs: Sequence[Row], expected: Row
) -> None:
    """One close, a row for each symbol; one of them has no bar."""
    columns = [np.array(column, dtype=np.float64).reshape(-1, 1) for column in inputs]
    found = np.empty(columns[0].shape)
    kernel.interpreted(np.array(numbers, dtype=np.float64), np.zeros(0), *columns, found)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-12, atol=1e-15)
