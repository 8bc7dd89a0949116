"""The deflated Sharpe ratio: what the best of many trials shows by luck alone is taken off first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from alphintra.engine.metrics.returns import probabilistic_sharpe
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.engine.metrics.returns import Moments

__all__ = ["Deflated", "deflated_sharpe", "expected_best"]

EULER_GAMMA: Final = 0.5772156649015329
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Deflated:
    """Probability that the true Sharpe ratio is above what the best of so many trials shows by luck.

    Attributes:
        trials: how many were made.
        variance: of their Sharpe ratios, per period.
        expected_best: Sharpe ratio per period that luck alone would have shown.
        probability: the deflated Sharpe ratio; None where the moments of the returns allow none.
    """

    trials: int
    variance: float
    expected_best: float
    probability: float | None


def expected_best(trials: int, variance: float) -> float:
    """Return the highest Sharpe ratio to expect of trials without any skill.

    SR0 = sqrt(V) ((1 - g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e))), g = 0.5772 (Bailey and Lopez de Prado 2014, "The
    deflated Sharpe ratio", J. Portfolio Management 40). One trial has nothing to be the best of: 0.

    Raises TRIALS_RANGE for numbers that cannot be.
    """
    if trials < 1 or not 0 <= variance < math.inf:
        raise AlphintraError("TRIALS_RANGE", f"{trials} trials of variance {variance} cannot be: count each run once")
    if trials == 1:
        return 0.0
    low, high = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - EULER_GAMMA) * low + EULER_GAMMA * high)


def deflated_sharpe(moments: Moments, *, trials: int, variance: float) -> Deflated:
    """Return the deflated Sharpe ratio of the chosen trial.

    Args:
        moments: of its returns per period.
        trials: every run of the strategy's family, the chosen one too.
        variance: of the trials' Sharpe ratios, per period.

    Raises:
        AlphintraError: TRIALS_RANGE.
    """
    luck = expected_best(trials, variance)
    return Deflated(trials, variance, luck, probabilistic_sharpe(moments, against=luck))
