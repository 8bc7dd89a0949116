"""Whether a VaR was honest: how often losses went beyond it, and whether those days came in clusters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from alphintra.engine.measures.tails import historical_tail
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Backtest", "LikelihoodRatio", "backtest_historical", "christoffersen", "kupiec"]

SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """A test statistic and the probability of one as large if the model were right."""

    statistic: float
    p_value: float

    @property
    def is_rejected(self) -> bool:
        """Whether the model is rejected at 5 %."""
        return self.p_value < SIGNIFICANCE


@dataclass(frozen=True, slots=True)
class Backtest:
    """Days a rolling VaR was tried on, how often the loss went beyond it, and what two tests say."""

    days: int
    exceptions: int
    expected: float
    coverage: LikelihoodRatio
    conditional: LikelihoodRatio


def kupiec(days: int, exceptions: int, *, tail: float) -> LikelihoodRatio:
    """Test that losses beyond VaR come with the promised frequency.

    LR = -2 ln[(1 - p)^(T - x) p^x / ((1 - x/T)^(T - x) (x/T)^x)], chi-squared with one degree of freedom (Kupiec 1995,
    "Techniques for verifying the accuracy of risk measurement models", J. Derivatives 3). ``tail`` is p = 1 - c.

    Raises BACKTEST_RANGE for numbers that cannot be.
    """
    if not (0 < tail < 1 and days > 0 and 0 <= exceptions <= days):
        message = f"{exceptions} exceptions in {days} days at a tail of {tail} cannot be tested"
        raise AlphintraError("BACKTEST_RANGE", message)
    share = exceptions / days
    promised = _log(days - exceptions, 1 - tail) + _log(exceptions, tail)
    observed = _log(days - exceptions, 1 - share) + _log(exceptions, share)
    statistic = max(-2 * (promised - observed), 0.0)
    return LikelihoodRatio(statistic, math.erfc(math.sqrt(statistic / 2)))


def christoffersen(hits: Sequence[bool], *, tail: float) -> LikelihoodRatio:
    """Test frequency and independence of the exceptions together (conditional coverage).

    LR = LR of ``kupiec`` - 2 ln[(1 - q)^(n00 + n10) q^(n01 + n11) / ((1 - a)^n00 a^n01 (1 - b)^n10 b^n11)] with nij the
    days in state j after one in state i, a = n01 / (n00 + n01), b = n11 / (n10 + n11), q the two together;
    chi-squared with two degrees of freedom (Christoffersen 1998, "Evaluating interval forecasts", Int. Economic
    Review 39). Raises BACKTEST_RANGE.
    """
    counted = {(before, after): 0 for before in (False, True) for after in (False, True)}
    for before, after in pairwise(hits):
        counted[before, after] += 1
    n00, n01 = counted[False, False], counted[False, True]
    n10, n11 = counted[True, False], counted[True, True]
    a, b = _share(n01, n00 + n01), _share(n11, n10 + n11)
    together = _share(n01 + n11, n00 + n01 + n10 + n11)
    null = _log(n00 + n10, 1 - together) + _log(n01 + n11, together)
    alternative = _log(n00, 1 - a) + _log(n01, a) + _log(n10, 1 - b) + _log(n11, b)
    coverage = kupiec(len(hits), sum(hits), tail=tail)
    statistic = coverage.statistic + max(-2 * (null - alternative), 0.0)
    return LikelihoodRatio(statistic, math.exp(-statistic / 2))


def backtest_historical(pnl: ArrayLike, *, confidence: float, window: int) -> Backtest | None:
    """Try a rolling historical VaR on the days after each window; None if no day is left to try it on.

    The VaR of day t is that of the ``window`` days before it and of nothing else; an exception is a loss above it.
    """
    made = np.asarray(pnl, dtype=np.float64)
    days = made.size - window
    if window <= 0 or days <= 0:
        return None
    hits = [
        bool(-made[day] > historical_tail(made[day - window : day], confidence).var) for day in range(window, made.size)
    ]
    return Backtest(
        days=days,
        exceptions=sum(hits),
        expected=days * (1 - confidence),
        coverage=kupiec(days, sum(hits), tail=1 - confidence),
        conditional=christoffersen(hits, tail=1 - confidence),
    )


def _log(count: int, share: float) -> float:
    """Return count ln share, with 0 ln 0 = 0."""
    return count * math.log(share) if count else 0.0


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
