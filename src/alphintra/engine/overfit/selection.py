"""Probability of backtest overfitting: how often the best in one half of the days is below average in the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

__all__ = ["BLOCKS", "Selection", "backtest_overfitting"]

BLOCKS: Final = 16
_BLOCKS_MAX: Final = 20
_CELLS_MAX: Final = 4_000_000  # splits times trials held at once: 32 MB an array
_FLAT: Final = 1e-28  # a variance below this is that of a trial that never traded
_TWO: Final = 2


@dataclass(frozen=True, slots=True)
class Selection:
    """What choosing the best trial was worth.

    Attributes:
        pbo: share of the splits whose in-sample best was below the median out of sample; at the median counts half.
        splits: how many splits were tried.
        loss_share: share of the splits whose in-sample best lost money out of sample.
        trials: how many trials were compared.
    """

    pbo: float
    splits: int
    loss_share: float
    trials: int


def backtest_overfitting(returns: ArrayLike, *, blocks: int = BLOCKS) -> Selection:
    """Return the probability of backtest overfitting by combinatorially symmetric cross-validation.

    The days are cut into blocks; every half of the blocks is once the sample in which the trial of the highest Sharpe
    ratio is chosen, the other half the one in which it is ranked (Bailey, Borwein, Lopez de Prado and Zhu 2017, "The
    probability of backtest overfitting", J. Computational Finance 20). Days that do not fill a block are left out at
    the beginning.

    Args:
        returns: a row for each day, a column for each trial.
        blocks: an even number from 2 to 20; 16 blocks make 12,870 splits.

    Raises:
        AlphintraError: SELECTION_RANGE for fewer than two trials, too few days, or blocks that cannot be.
    """
    matrix = np.asarray(returns, dtype=np.float64)
    if blocks % 2 or not _TWO <= blocks <= _BLOCKS_MAX:
        raise AlphintraError("SELECTION_RANGE", f"blocks must be even, 2 to {_BLOCKS_MAX}, not {blocks}")
    if matrix.ndim != _TWO or matrix.shape[1] < _TWO or matrix.shape[0] < _TWO * blocks:
        message = f"returns of shape {matrix.shape} are too few: give two trials and {_TWO * blocks} days at least"
        raise AlphintraError("SELECTION_RANGE", message)
    size = matrix.shape[0] // blocks
    cut = matrix[matrix.shape[0] - size * blocks :].reshape(blocks, size, -1)
    sums, squares = cut.sum(axis=1), (cut * cut).sum(axis=1)
    below = losses = 0.0
    count = 0
    for chosen in _halves(blocks, matrix.shape[1]):
        inside = _sharpes(chosen @ sums, chosen @ squares, size * blocks // 2)
        outside = _sharpes((1 - chosen) @ sums, (1 - chosen) @ squares, size * blocks // 2)
        rows = np.arange(len(chosen))
        best = outside[rows, inside.argmax(axis=1)]
        lower, higher = (outside < best[:, None]).sum(axis=1), (outside > best[:, None]).sum(axis=1)
        below += float((lower < higher).sum() + 0.5 * (lower == higher).sum())
        losses += float((best < 0).sum())
        count += len(chosen)
    return Selection(below / count, count, losses / count, matrix.shape[1])


def _halves(blocks: int, trials: int) -> Iterator[NDArray[np.float64]]:
    """Yield rows of ones where a block is in the sample, some thousand rows at a time."""
    rows = np.array(list(combinations(range(blocks), blocks // 2)))
    at_once = max(1, _CELLS_MAX // trials)
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        marks = np.zeros((len(part), blocks))
        np.put_along_axis(marks, part, 1.0, axis=1)
        yield marks


def _sharpes(sums: NDArray[np.float64], squares: NDArray[np.float64], days: int) -> NDArray[np.float64]:
    """Return mean over deviation; 0 for a trial whose returns do not move."""
    means = sums / days
    variances = np.maximum(squares / days - means * means, 0.0)
    moved = variances > _FLAT
    found: NDArray[np.float64] = np.where(moved, means / np.sqrt(np.where(moved, variances, 1.0)), 0.0)
    return found
