"""Value at risk and expected shortfall of one horizon, by four ways; all in the unit of what is put in.

A loss is a positive number. With confidence c, VaR is the c-quantile of the loss and ES the mean of the losses from
that quantile on (Acerbi and Tasche 2002, "On the coherence of expected shortfall", J. Banking & Finance 26). Neither
is cut off at zero: a book that gains in its bad cases has a negative VaR.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Tail", "cornish_fisher_tail", "historical_tail", "is_cornish_fisher_valid", "normal_tail", "simulated_pnl"]

_NORMAL = NormalDist()
_DOMAIN = 5.0


@dataclass(frozen=True, slots=True)
class Tail:
    """Value at risk and expected shortfall; a loss is positive."""

    var: float
    es: float


def historical_tail(pnl: ArrayLike, confidence: float) -> Tail:
    """Return the tail of an observed or simulated distribution.

    VaR is the smallest observed loss l with share(losses <= l) >= c (inverse of the empirical distribution, type 1 of
    Hyndman and Fan 1996). ES = (sum of the losses beyond it + (k - n c) VaR) / (n (1 - c)) with k = ceil(n c), the
    integral of that quantile function (Acerbi and Tasche 2002, proposition 4.1); it is never below VaR.

    Args:
        pnl: profits (positive) and losses (negative), any order, at least one.
        confidence: c, between 0 and 1.

    Raises CONFIDENCE_RANGE and HISTORY_TOO_SHORT.
    """
    _require_confidence(confidence)
    losses = np.sort(-np.asarray(pnl, dtype=np.float64))
    n = losses.size
    if n == 0:
        raise AlphintraError("HISTORY_TOO_SHORT", "there is no observation to take a quantile of")
    # Rounded first: 100 * 0.95 is a hair below or above 95, and the hair must not choose the observation.
    place = min(max(math.ceil(round(n * confidence, 9)), 1), n)
    var = float(losses[place - 1])
    beyond = float(losses[place:].sum())
    es = (beyond + (place - n * confidence) * var) / (n * (1 - confidence))
    return Tail(var, max(es, var))


def normal_tail(mean: float, deviation: float, confidence: float) -> Tail:
    """Return the tail of a normal profit and loss.

    VaR = -m + s z and ES = -m + s phi(z) / (1 - c) with z the c-quantile of the standard normal (McNeil, Frey and
    Embrechts 2005, "Quantitative Risk Management", examples 2.14 and 2.18). Raises CONFIDENCE_RANGE.
    """
    _require_confidence(confidence)
    z = _NORMAL.inv_cdf(confidence)
    return Tail(-mean + deviation * z, -mean + deviation * _NORMAL.pdf(z) / (1 - confidence))


def is_cornish_fisher_valid(skew: float, excess_kurtosis: float) -> bool:
    """Tell whether the expansion is a quantile function, nowhere falling, within five standard deviations.

    Its derivative is z^2 (K/8 - S^2/6) + z S/3 + (1 - K/8 + 5 S^2/36). Maillard (2012, "A user's guide to the Cornish
    Fisher expansion") asks for it on the whole line, which no platykurtic sample meets; beyond five deviations lies
    less than a millionth of the probability.
    """
    squared = excess_kurtosis / 8 - skew * skew / 6
    linear = skew / 3
    constant = 1 - excess_kurtosis / 8 + 5 * skew * skew / 36
    places = [-_DOMAIN, _DOMAIN]
    if squared and abs(linear / (2 * squared)) < _DOMAIN:
        places.append(-linear / (2 * squared))
    return all(squared * z * z + linear * z + constant >= 0 for z in places)


def cornish_fisher_tail(
    mean: float, deviation: float, confidence: float, *, skew: float, excess_kurtosis: float
) -> Tail:
    """Return the tail of a profit and loss that is nearly normal, by its third and fourth moment.

    The quantile is m + s h(z), h(z) = z + (z^2 - 1) S/6 + (z^3 - 3z) K/24 - (2z^3 - 5z) S^2/36 at z, the
    (1 - c)-quantile of the standard normal (Cornish and Fisher 1937; Zangari 1996). ES is the mean of h below z, for
    which E[Z], E[Z^2] and E[Z^3] given Z <= z are -phi/p, 1 - z phi/p and -(z^2 + 2) phi/p, p = 1 - c (Maillard 2012).

    Raises CONFIDENCE_RANGE, and CORNISH_FISHER_DOMAIN for moments the expansion does not hold for.
    """
    _require_confidence(confidence)
    if not is_cornish_fisher_valid(skew, excess_kurtosis):
        message = f"skew {skew:.2f} and excess kurtosis {excess_kurtosis:.2f} are too far from normal for the expansion"
        raise AlphintraError("CORNISH_FISHER_DOMAIN", message)
    tail = 1 - confidence
    z = _NORMAL.inv_cdf(tail)
    ratio = _NORMAL.pdf(z) / tail
    at = _expanded(z, z * z, z**3, skew, excess_kurtosis)
    below = _expanded(-ratio, 1 - z * ratio, -(z * z + 2) * ratio, skew, excess_kurtosis)
    return Tail(-(mean + deviation * at), -(mean + deviation * below))


def simulated_pnl(
    values: ArrayLike, mean: ArrayLike, covariance: ArrayLike, *, count: int, seed: int
) -> NDArray[np.float64]:
    """Return simulated profits and losses of positions over one horizon.

    Log returns are drawn jointly normal, r = m + L x with L L' the covariance (Cholesky) and x standard normal from
    PCG64 under the seed; a position of value v makes v (exp(r) - 1) (Glasserman 2003, "Monte Carlo Methods in
    Financial Engineering", sections 2.3.3 and 9.1). The same seed gives the same numbers.

    Args:
        values: signed value of each position.
        mean: mean log return of each.
        covariance: of the log returns, symmetric and positive definite.
        count: how many draws.
        seed: of the generator.
    """
    held = np.asarray(values, dtype=np.float64)
    root = np.linalg.cholesky(np.asarray(covariance, dtype=np.float64))
    drawn = np.random.default_rng(seed).standard_normal((count, held.size))
    moves = np.expm1(np.asarray(mean, dtype=np.float64) + drawn @ root.T)
    return np.asarray(moves @ held, dtype=np.float64)


def _expanded(first: float, second: float, third: float, skew: float, kurtosis: float) -> float:
    """Return h with z, z^2 and z^3, or with their expectations, in place."""
    return (
        first
        + (second - 1) * skew / 6
        + (third - 3 * first) * kurtosis / 24
        - (2 * third - 5 * first) * skew * skew / 36
    )


def _require_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise AlphintraError("CONFIDENCE_RANGE", f"a confidence lies between 0 and 1, not at {confidence}")
