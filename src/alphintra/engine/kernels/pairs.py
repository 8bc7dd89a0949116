"""Two series beside each other: how they move together, and what is left between them."""

from __future__ import annotations

import math

import numpy as np

from alphintra.engine.kernels.kernel import Vector, kernel
from alphintra.engine.kernels.parts import pair_pass

__all__ = ["beta", "correlation", "hedge_ratio", "spread", "spread_fitted"]

NAN = math.nan


@kernel
def correlation(p: Vector, s: Vector, a: Vector, b: Vector, out: Vector) -> None:
    """Pearson's correlation of the last p[0] pairs (TA-Lib CORREL), 0 where one of them stands still.

    State: 7 + 5 p[0].
    """
    sums = np.empty((5, a.size))
    pair_pass(int(p[0]), s, a, b, sums)
    for i in range(a.size):
        if math.isfinite(sums[3, i]):
            scale = sums[2, i] * sums[4, i]
            out[i] = sums[3, i] / math.sqrt(scale) if scale > 0.0 else 0.0
        else:
            out[i] = NAN


@kernel
def hedge_ratio(p: Vector, s: Vector, a: Vector, b: Vector, ratio: Vector, intercept: Vector) -> None:
    """Least-squares line a = ratio * b + intercept through the last p[0] pairs; unknown where b stands still.

    State: 7 + 5 p[0].
    """
    sums = np.empty((5, a.size))
    pair_pass(int(p[0]), s, a, b, sums)
    for i in range(a.size):
        ratio[i] = sums[3, i] / sums[4, i] if sums[4, i] > 0.0 else NAN
        intercept[i] = sums[0, i] - ratio[i] * sums[1, i]


@kernel
def beta(p: Vector, s: Vector, a: Vector, b: Vector, out: Vector) -> None:
    """Slope of a's returns on b's over the last p[0] bars; TA-Lib BETA(b, a). 0 where b stands still.

    State: whether there was a pair, a and b before, then 7 + 5 p[0].
    """
    seen, first, second = s[0], s[1], s[2]
    moves = np.empty((2, a.size))
    sums = np.empty((5, a.size))
    for i in range(a.size):
        moves[0, i] = moves[1, i] = NAN
        if math.isfinite(a[i]) and math.isfinite(b[i]):
            if seen > 0.0:
                moves[0, i] = (a[i] - first) / first if first != 0.0 else 0.0
                moves[1, i] = (b[i] - second) / second if second != 0.0 else 0.0
            seen, first, second = 1.0, a[i], b[i]
    s[0], s[1], s[2] = seen, first, second
    pair_pass(int(p[0]), s[3:], moves[0], moves[1], sums)
    for i in range(a.size):
        if math.isfinite(sums[3, i]):
            out[i] = sums[3, i] / sums[4, i] if sums[4, i] > 0.0 else 0.0
        else:
            out[i] = NAN


@kernel
def spread(p: Vector, s: Vector, a: Vector, b: Vector, out: Vector) -> None:
    """A less p[0] times b. Keeps nothing."""
    for i in range(a.size):
        out[i] = a[i] - p[0] * b[i] if math.isfinite(a[i]) and math.isfinite(b[i]) else NAN


@kernel
def spread_fitted(p: Vector, s: Vector, a: Vector, b: Vector, out: Vector, ratio: Vector) -> None:
    """A less ratio times b, with the least-squares ratio of the p[0] pairs before this bar, which it cannot sway.

    State: whether there was a ratio, which, then 7 + 5 p[0].
    """
    known, last = s[0], s[1]
    sums = np.empty((5, a.size))
    pair_pass(int(p[0]), s[2:], a, b, sums)
    for i in range(a.size):
        out[i] = ratio[i] = NAN
        if not (math.isfinite(a[i]) and math.isfinite(b[i])):
            continue
        if known > 0.0:
            ratio[i], out[i] = last, a[i] - last * b[i]
        if sums[4, i] > 0.0:
            known, last = 1.0, sums[3, i] / sums[4, i]
    s[0], s[1] = known, last
