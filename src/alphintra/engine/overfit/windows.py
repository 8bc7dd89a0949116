"""Walk-forward windows, the locked holdout, and what the stitched tests say together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.metrics.returns import moments_of
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "HOLDOUT_SHARE",
    "Stitched",
    "Window",
    "holdout_start",
    "parameter_stability",
    "stitch",
    "walk_forward_windows",
]

HOLDOUT_SHARE: Final = 0.2
_WINDOWS_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One step of a walk-forward: bars to choose parameters on, and later bars to try the choice on.

    All are places of bars, each range from its start up to but without its end. ``train_from`` and ``test_from`` are
    where the bars to be read begin: the warm-up lies between them and the start, and no result is taken from it.
    """

    number: int
    train_from: int
    train_start: int
    train_end: int
    test_from: int
    test_start: int
    test_end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stitched:
    """What the tests of a walk-forward say together.

    Attributes:
        days: how many out-of-sample returns.
        sharpe: their Sharpe ratio a year; None if they do not move.
        t: t-statistic of their mean.
        total_return: compounded.
        profitable: share of the windows that gained.
        efficiency: out-of-sample over in-sample mean return; None unless the latter is above zero.
    """

    days: int
    sharpe: float | None
    t: float | None
    total_return: float
    profitable: float
    efficiency: float | None


def holdout_start(bars: int, share: float = HOLDOUT_SHARE) -> int:
    """Return the place of the first bar that is locked away; raises HOLDOUT_RANGE unless 0 <= share < 1."""
    if not 0 <= share < 1:
        raise AlphintraError("HOLDOUT_RANGE", f"a holdout of {share} cannot be: lock away 0 to less than 1 of the bars")
    return bars - math.ceil(bars * share - 1e-9)  # 0.07 * 100 is 7.000000000000001 and means 7


def walk_forward_windows(
    bars: int, *, train: int, test: int, step: int | None = None, warm_up: int = 0, is_anchored: bool = False
) -> tuple[Window, ...]:
    """Return the windows over bars, oldest first; the last test may be shorter than the others.

    Args:
        bars: how many there are, the holdout not counted.
        train: length of the training; of the first one where it is anchored and grows.
        test: length of the test, which follows the training at once.
        step: from one test to the next; ``test`` by default, so that the tests join without overlap.
        warm_up: bars read before each range for the indicators alone.
        is_anchored: training always begins at the first bar, instead of rolling along.

    Raises:
        AlphintraError: WINDOW_RANGE for lengths that leave no test, for tests that would overlap, for too many windows.
    """
    pace = test if step is None else step
    if train < 1 or test < 1 or warm_up < 0 or pace < test:
        message = "train, test and step must be 1 or more, and step not below test: overlapping tests count days twice"
        raise AlphintraError("WINDOW_RANGE", message)
    first = warm_up + train
    starts = range(first, bars, pace)
    if not 1 <= len(starts) <= _WINDOWS_MAX:
        message = (
            f"{bars} bars with {warm_up} to warm up, {train} to train and {test} to test make {len(starts)} windows, "
            f"1 to {_WINDOWS_MAX} are possible: change the lengths"
        )
        raise AlphintraError("WINDOW_RANGE", message)
    return tuple(
        Window(
            number=number,
            train_from=0 if is_anchored else start - train - warm_up,
            train_start=warm_up if is_anchored else start - train,
            train_end=start,
            test_from=start - warm_up,
            test_start=start,
            test_end=min(start + test, bars),
        )
        for number, start in enumerate(starts)
    )


def stitch(outside: Sequence[NDArray[np.float64]], inside: Sequence[NDArray[np.float64]], *, periods: int) -> Stitched:
    """Join the returns of the tests and measure them as one course.

    Args:
        outside: daily returns of each test, in order.
        inside: daily returns of each window's choice in its training.
        periods: days a year.

    Raises:
        AlphintraError: WINDOW_RANGE without a window.
    """
    if not outside or len(outside) != len(inside):
        raise AlphintraError("WINDOW_RANGE", "a walk-forward needs a window at least, each with its training")
    joined, trained = np.concatenate(outside), np.concatenate(inside)
    moments = moments_of(joined)
    earned, promised = (float(part.mean()) if part.size else 0.0 for part in (joined, trained))
    return Stitched(
        days=joined.size,
        sharpe=None if moments is None else moments.sharpe * math.sqrt(periods),
        t=None if moments is None else moments.sharpe * math.sqrt(moments.count),
        total_return=float(np.prod(1 + joined)) - 1,
        profitable=sum(float(np.prod(1 + part)) > 1 for part in outside) / len(outside),
        efficiency=earned / promised if promised > 0 else None,
    )


def parameter_stability(chosen: Sequence[Mapping[str, Hashable]]) -> dict[str, float]:
    """Return for each parameter the share of the windows that chose its most frequent value: 1 never changed."""
    names = {name for choice in chosen for name in choice}
    return {
        name: Counter(choice.get(name) for choice in chosen).most_common(1)[0][1] / len(chosen)
        for name in sorted(names)
    }
