"""Kernels of averages that never forget: each value keeps a part of the one before."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel

__all__ = ["ema"]

NAN = math.nan


@kernel
def ema(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Exponential moving average over p[0], alpha 2/(p[0]+1), seeded with the mean of the first p[0] values.

    Source: TA-Lib ``TA_EMA`` in its default (classic) compatibility mode.
    State: values seen (at most the period), sum of the seed or the last average.
    """
    period = int(p[0])
    alpha = 2.0 / (period + 1)
    seen, value = int(s[0]), s[1]
    for i in range(x.size):
        if not math.isfinite(x[i]):
            out[i] = NAN
            continue
        if seen == period:
            value += (x[i] - value) * alpha
            out[i] = value
            continue
        seen += 1
        value += x[i]
        if seen == period:
            value /= period
        out[i] = value if seen == period else NAN
    s[0], s[1] = seen, value
