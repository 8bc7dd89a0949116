"""Kernels of one symbol among several, and of weights."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel

__all__ = ["as_weights", "grid", "is_symbol", "pick"]


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


@kernel
def is_symbol(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Whether a row is the row p[0], where it has a value."""
    chosen = int(p[0])
    for row in range(x.shape[0]):
        for i in range(x.shape[1]):
            out[row, i] = math.nan if math.isnan(x[row, i]) else (1.0 if row == chosen else 0.0)


@kernel
def grid(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, x: Vector, low: Vector, high: Vector, weight: Vector, changed: Vector
) -> None:
    """Share of p[0] parts that are held on a grid between two prices, evenly spaced in ratio for p[1] > 0.

    A part is bought where the price has come down to its level and sold where it has risen to the level above; below
    the lowest level all are sold where p[2] > 0. State: whether anything was computed, then 1 for each part held.
    """
    parts, is_ratio, has_stop = int(p[0]), p[1] > 0, p[2] > 0
    started = s[0]
    held = s[1:]
    for i in range(x.size):
        price, bottom, top = x[i], min(low[i], high[i]), max(low[i], high[i])
        if not (math.isfinite(price) and math.isfinite(low[i]) and math.isfinite(high[i]) and 0 < bottom < top):
            weight[i], changed[i] = math.nan, math.nan
            continue
        count, before = 0.0, 0.0
        for part_ in range(parts):
            before += held[part_]
            lower, upper = part_ / parts, (part_ + 1) / parts
            if is_ratio:
                floor_, roof = (
                    bottom * math.exp(math.log(top / bottom) * lower),
                    bottom * math.exp(math.log(top / bottom) * upper),
                )
            else:
                floor_, roof = bottom + (top - bottom) * lower, bottom + (top - bottom) * upper
            if price >= roof or (has_stop and price < bottom):
                held[part_] = 0.0
            elif price <= floor_:
                held[part_] = 1.0
            count += held[part_]
        weight[i] = count / parts
        changed[i] = 1.0 if started > 0 and count != before else 0.0
        started = 1.0
    s[0] = started
