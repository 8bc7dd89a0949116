"""Kernels of one symbol among several, and of weights."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel

__all__ = ["as_weights", "pick"]


@kernel
def pick(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """The row p[0] of [symbols, closes], in every row."""
    chosen = int(p[0])
    for row in range(x.shape[0]):
        for i in range(x.shape[1]):
            out[row, i] = x[chosen, i]


@kernel
def as_weights(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Numbers as they are; what is no finite number is unknown."""
    for i in range(x.size):
        out[i] = x[i] if math.isfinite(x[i]) else math.nan
