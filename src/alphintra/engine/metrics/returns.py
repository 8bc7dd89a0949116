"""Figures of daily returns, each a pure function; None where a figure is undefined, never NaN."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Against",
    "Moments",
    "against_benchmark",
    "moments_of",
    "omega",
    "probabilistic_sharpe",
    "ratio",
    "sharpe",
    "sortino",
    "tail_95",
    "volatility",
]

TAIL: Final = 0.05
_FLAT: Final = 1e-14  # a deviation below this is that of a series that does not move: returns are fractions
_TWO: Final = 2
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Moments:
    """Of a sample: its size, mean, deviation (divisor n - 1), skewness and kurtosis (3 for the normal one)."""

    count: int
    mean: float
    deviation: float
    skewness: float
    kurtosis: float

    @property
    def sharpe(self) -> float:
        """Mean over deviation, per period."""
        return self.mean / self.deviation


@dataclass(frozen=True, slots=True)
class Against:
    """What a benchmark explains of the returns, and how far they went from it."""

    alpha: float | None = None
    beta: float | None = None
    correlation: float | None = None
    information_ratio: float | None = None
    tracking_error: float | None = None


def ratio(above: float | None, below: float | None) -> float | None:
    """Return above / below; None without either, for a divisor of zero or less, or beyond what a float holds."""
    if above is None or below is None or below <= 0:
        return None
    found = above / below
    return found if math.isfinite(found) else None


def moments_of(returns: NDArray[np.float64]) -> Moments | None:
    """Return the moments of a sample; None for fewer than two values or for values that do not move.

    Skewness m3 / m2^1.5 and kurtosis m4 / m2^2 of central moments over n.
    """
    deviation = _deviation(returns)
    if deviation is None or deviation < _FLAT:
        return None
    mean = float(returns.mean())
    centred = (returns - mean) / deviation  # scaled first: the fourth power of a small return underflows
    squares = centred * centred
    second = float(squares.mean())
    skewness, kurtosis = float((squares * centred).mean()), float((squares * squares).mean())
    return Moments(returns.size, mean, deviation, skewness / second**1.5, kurtosis / second**2)


def volatility(returns: NDArray[np.float64], periods: int) -> float | None:
    """Return sd(r, n - 1) sqrt(P)."""
    deviation = _deviation(returns)
    return None if deviation is None else deviation * math.sqrt(periods)


def sharpe(excess: NDArray[np.float64], periods: int) -> float | None:
    """Return mean(r - rf) / sd(r) sqrt(P) (Sharpe 1994)."""
    moments = moments_of(excess)
    return None if moments is None else moments.sharpe * math.sqrt(periods)


def sortino(excess: NDArray[np.float64], periods: int) -> float | None:
    """Return mean(r - rf) sqrt(P) over sqrt(sum(min(r - rf, 0)^2) / n), n counting all days."""
    if excess.size == 0:
        return None
    falls = np.minimum(excess, 0.0)
    downside = math.sqrt(float(falls @ falls) / excess.size)
    found = ratio(float(excess.mean()), downside if downside > _FLAT else None)
    return None if found is None else found * math.sqrt(periods)


def tail_95(returns: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Return value at risk and its expected shortfall at 95 % as losses: the return that 5 % of days fall below.

    The empirical order statistic without interpolation: the ceil(0.05 n)-th worst day, and the mean of those up to it.
    """
    if returns.size == 0:
        return None, None
    count = math.ceil(TAIL * returns.size)
    worst = np.partition(returns, count - 1)[:count]
    return -float(worst.max()), -float(worst.mean())


def omega(excess: NDArray[np.float64]) -> float | None:
    """Return the sum of gains over the sum of losses, both taken from the risk-free rate."""
    return ratio(float(excess[excess > 0].sum()), -float(excess[excess < 0].sum()))


def probabilistic_sharpe(moments: Moments, *, against: float = 0.0) -> float | None:
    """Return the probability that the true Sharpe ratio is above ``against``, both per period.

    PSR = Phi((SR - SR*) sqrt(T - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)) (Bailey and Lopez de Prado 2012). None where
    the moments allow no such spread.
    """
    found = moments.sharpe
    spread = 1 - moments.skewness * found + (moments.kurtosis - 1) / 4 * found**2
    if spread <= 0:
        return None
    return _NORMAL.cdf((found - against) * math.sqrt(moments.count - 1) / math.sqrt(spread))


def against_benchmark(
    excess: NDArray[np.float64], benchmark: NDArray[np.float64], *, risk_free: float, periods: int
) -> Against:
    """Return alpha and beta by least squares, correlation, information ratio and tracking error.

    Args:
        excess: daily returns of the run less the risk-free rate.
        benchmark: daily returns of the benchmark over the same days.
        risk_free: rate per day.
        periods: days a year.
    """
    if excess.size < _TWO or benchmark.size != excess.size:
        return Against()
    other = benchmark - risk_free
    apart = excess - other
    tracking = _deviation(apart)
    moved, followed = _deviation(other), _deviation(excess)
    information = None
    if tracking is not None and tracking > _FLAT:
        information = float(apart.mean()) / tracking * math.sqrt(periods)
    error = None if tracking is None else tracking * math.sqrt(periods)
    if moved is None or followed is None or moved < _FLAT:
        return Against(information_ratio=information, tracking_error=error)
    common = float((excess - excess.mean()) @ (other - other.mean())) / (excess.size - 1)
    beta = common / moved**2
    return Against(
        alpha=(float(excess.mean()) - beta * float(other.mean())) * periods,
        beta=beta,
        correlation=common / (moved * followed) if followed > _FLAT else None,
        information_ratio=information,
        tracking_error=error,
    )


def _deviation(values: NDArray[np.float64]) -> float | None:
    return float(values.std(ddof=1)) if values.size >= _TWO else None
