"""Whether the best choice of parameters stands on a plateau or on a needle: what its neighbours came to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["NEAR", "Plateau", "plateau_of"]

NEAR: Final = 0.1
_CELLS_MAX: Final = 4_000_000  # differences held at once: 32 MB


@dataclass(frozen=True, slots=True)
class Plateau:
    """What lies around the best trial.

    Attributes:
        neighbours: trials that differ from the best by a step, or a tenth of the range, in each parameter at most.
        median: of their scores; None without any.
        share: median over the best score; None unless the latter is above zero. Near 1 is a plateau.
        positive: share of the neighbours whose score is above zero; None without any.
        steadiest: place of the trial of which the median of itself and its neighbours is highest.
        steadiest_median: that median.
    """

    neighbours: int
    median: float | None
    share: float | None
    positive: float | None
    steadiest: int
    steadiest_median: float


def plateau_of(places: NDArray[np.int64], sizes: Sequence[int], scores: NDArray[np.float64]) -> Plateau:
    """Return what the neighbours of the best trial, and of every other, came to.

    Args:
        places: a row for each trial, a column for each parameter: which of its values it had.
        sizes: how many values each parameter may take.
        scores: of each trial, higher is better; finite.

    Raises:
        AlphintraError: PLATEAU_RANGE without a trial or for places and scores that do not belong together.
    """
    if scores.size == 0 or places.shape != (scores.size, len(sizes)) or not np.isfinite(scores).all():
        message = f"places {places.shape} and {scores.size} scores make no surface: give a finite score for each trial"
        raise AlphintraError("PLATEAU_RANGE", message)
    reach = np.array([max(1, math.floor(NEAR * (size - 1))) for size in sizes], dtype=np.int64)
    best = int(scores.argmax())
    around = np.zeros(scores.size)
    at_once = max(1, _CELLS_MAX // max(places.size, 1))
    for start in range(0, scores.size, at_once):
        part = places[start : start + at_once]
        near = (np.abs(part[:, None, :] - places[None, :, :]) <= reach).all(axis=2)
        around[start : start + at_once] = [float(np.median(scores[row])) for row in near]
    beside = (np.abs(places - places[best]) <= reach).all(axis=1)
    beside[best] = False
    found = scores[beside]
    median = float(np.median(found)) if found.size else None
    steadiest = int(around.argmax())
    return Plateau(
        neighbours=int(found.size),
        median=median,
        share=median / float(scores[best]) if median is not None and scores[best] > 0 else None,
        positive=float((found > 0).mean()) if found.size else None,
        steadiest=steadiest,
        steadiest_median=float(around[steadiest]),
    )
