"""Columns joined until a chart can show them: what was highest and lowest stays to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Moments = NDArray[np.int64]

__all__ = ["POINTS_MAX", "Joints", "carried", "falls_of"]

POINTS_MAX: Final = 5000


class Joints:
    """How so many points are joined to at most 5,000: each of the rest to as many, the first perhaps to fewer.

    Attributes:
        stride: how many are joined to one.
        first: place of the first of each.
        last: place of the last of each.
    """

    def __init__(self, count: int) -> None:
        self.stride = max(1, -(-count // POINTS_MAX))
        self.last = np.arange(count - 1, -1, -self.stride, dtype=np.int64)[::-1]
        self.first = np.append(0, self.last[:-1] + 1)[: self.last.size]

    def highest(self, values: Floats) -> Floats:
        """Return the highest of those joined."""
        return np.maximum.reduceat(values, self.first) if self.first.size else values

    def lowest(self, values: Floats) -> Floats:
        """Return the lowest of those joined."""
        return np.minimum.reduceat(values, self.first) if self.first.size else values

    def total(self, values: Floats) -> Floats:
        """Return the sum of those joined."""
        return np.add.reduceat(values, self.first) if self.first.size else values


def carried(at: Moments, known: Moments, values: Floats, *, before: float) -> Floats:
    """Return at each moment the newest value known by then, ``before`` where there is none yet."""
    places = np.searchsorted(known, at, side="right") - 1
    return np.where(places < 0, before, np.append(values, before)[places])


def falls_of(values: Floats, *, before: float) -> Floats:
    """Return how far each value lies below the highest until then, ``before`` among them: a share, zero or less."""
    peaks = np.maximum.accumulate(np.append(before, values))[1:]
    return np.divide(values, peaks, out=np.ones_like(values), where=peaks > 0) - 1
