"""Moments of returns: shrunk covariance, skewness, kurtosis, beta; and drawdown and concentration of a book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Drawdown", "Shrunk", "beta", "concentration", "drawdown", "shape", "shrunk_covariance"]

_FLAT = 1e-30  # a variance below this is that of a constant series, for returns are fractions


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A covariance matrix and the weight, 0 to 1, of the target it was pulled to."""

    matrix: NDArray[np.float64]
    weight: float


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Deepest and present fall below the running peak, as fractions of that peak."""

    deepest: float
    current: float
    peak: float


def shrunk_covariance(returns: ArrayLike) -> Shrunk:
    """Return the Ledoit-Wolf estimate of the covariance, always positive definite where any series moves.

    S* = (1 - w) S + w m I with S = X'X / n of centred returns, m = tr(S) / p, d^2 = |S - m I|^2,
    b^2 = min(d^2, sum_k |x_k x_k' - S|^2 / n^2), w = b^2 / d^2 (Ledoit and Wolf 2004, "A well-conditioned estimator
    for large-dimensional covariance matrices", J. Multivariate Analysis 88, lemma 3.2 to 3.4).

    Args:
        returns: one row a period, one column a symbol.
    """
    x = np.asarray(returns, dtype=np.float64)
    x = x - x.mean(axis=0)
    n, p = x.shape
    sample = x.T @ x / n
    target = float(np.trace(sample)) / p * np.eye(p)
    distance = float(((sample - target) ** 2).sum())
    # sum_k |x_k x_k' - S|^2 = sum_k |x_k|^4 - n |S|^2, for the mean of x_k x_k' is S.
    noise = float(((x * x).sum(axis=1) ** 2).sum() - n * (sample**2).sum()) / n**2
    weight = 1.0 if distance <= 0 else min(max(noise, 0.0), distance) / distance
    return Shrunk((1 - weight) * sample + weight * target, weight)


def shape(values: ArrayLike) -> tuple[float, float]:
    """Return skewness m3 / m2^1.5 and excess kurtosis m4 / m2^2 - 3 of a sample (central moments over n); 0 if flat."""
    x = np.asarray(values, dtype=np.float64)
    centred = x - x.mean()
    second = float((centred**2).mean())
    if second < _FLAT:
        return 0.0, 0.0
    return float((centred**3).mean()) / second**1.5, float((centred**4).mean()) / second**2 - 3


def beta(returns: ArrayLike, benchmark: ArrayLike) -> float | None:
    """Return cov(r, b) / var(b) over the same periods (Sharpe 1964); None if the benchmark does not move."""
    r, b = np.asarray(returns, dtype=np.float64), np.asarray(benchmark, dtype=np.float64)
    moved = b - b.mean()
    variance = float(moved @ moved)
    if variance < _FLAT:
        return None
    return float((r - r.mean()) @ moved) / variance


def drawdown(equity: ArrayLike) -> Drawdown | None:
    """Return max(1 - E / running peak), the same at the end, and the last peak; None without a positive start."""
    values = np.asarray(equity, dtype=np.float64)
    if values.size == 0 or values[0] <= 0:
        return None
    peaks = np.maximum.accumulate(values)
    falls = 1 - values / peaks
    return Drawdown(float(falls.max()), float(falls[-1]), float(peaks[-1]))


def concentration(values: ArrayLike) -> float | None:
    """Return the Herfindahl-Hirschman index of the amounts: sum of squared shares of their absolute sum, 1/n to 1.

    None where all are zero. Its inverse is the number of equal positions that would be as concentrated (Hirschman
    1964, "The paternity of an index").
    """
    sizes = np.abs(np.asarray(values, dtype=np.float64))
    total = float(sizes.sum())
    if total <= 0:
        return None
    shares = sizes / total
    return float((shares * shares).sum())
