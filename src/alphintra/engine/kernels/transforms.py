"""Arithmetic on series; what has no value (a division by zero, the root of a negative number) is unknown."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel
from alphintra.engine.kernels.parts import is_bar

__all__ = ["arithmetic", "change", "choose", "clip", "cumulate", "fill", "linear", "price_of", "unary"]

NAN = math.nan
ADD, SUBTRACT, MULTIPLY, DIVIDE, LEAST = 0, 1, 2, 3, 4
ABS, NEGATE, SIGN, ROOT, LOG, EXP = 0, 1, 2, 3, 4, 5
EXP_MAX = 700.0  # e^709 is the largest that a float64 holds


@kernel
def arithmetic(p: Vector, s: Vector, a: Vector, b: Vector, out: Vector) -> None:
    """A and b joined: p[0] is 0 add, 1 subtract, 2 multiply, 3 divide, 4 the lesser, 5 the greater. Keeps nothing."""
    how = int(p[0])
    for i in range(a.size):
        x, y = a[i], b[i]
        if not (math.isfinite(x) and math.isfinite(y)):
            out[i] = NAN
        elif how == ADD:
            out[i] = x + y
        elif how == SUBTRACT:
            out[i] = x - y
        elif how == MULTIPLY:
            out[i] = x * y
        elif how == DIVIDE:
            out[i] = x / y if y != 0.0 else NAN
        elif how == LEAST:
            out[i] = x if x < y else y
        else:
            out[i] = x if x > y else y


@kernel
def unary(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """p[0] is 0 size, 1 negative, 2 sign, 3 square root, 4 natural logarithm, 5 e to the power. Keeps nothing."""
    how = int(p[0])
    for i in range(x.size):
        value = x[i]
        out[i] = NAN
        if not math.isfinite(value):
            continue
        if how == ABS:
            out[i] = abs(value)
        elif how == NEGATE:
            out[i] = -value
        elif how == SIGN:
            out[i] = 1.0 if value > 0.0 else (-1.0 if value < 0.0 else 0.0)
        elif how == ROOT and value >= 0.0:
            out[i] = math.sqrt(value)
        elif how == LOG and value > 0.0:
            out[i] = math.log(value)
        elif how == EXP and value <= EXP_MAX:
            out[i] = math.exp(value)


@kernel
def linear(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """p[0] times x plus p[1]. Keeps nothing."""
    for i in range(x.size):
        out[i] = p[0] * x[i] + p[1] if math.isfinite(x[i]) else NAN


@kernel
def clip(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """x, or the nearer of p[0] and p[1] where it lies beyond them. Keeps nothing."""
    for i in range(x.size):
        out[i] = (p[0] if x[i] < p[0] else (p[1] if x[i] > p[1] else x[i])) if math.isfinite(x[i]) else NAN


@kernel
def change(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Change over p[0] bars: as a difference (p[1] = 0), in percent (1) or of logarithms (2).

    Percent of an earlier zero and logarithms of what is not above zero are unknown.
    State: values seen, next place in the ring, ring of p[0] values.
    """
    bars, how = int(p[0]), int(p[1])
    seen, place = int(s[0]), int(s[1])
    for i in range(x.size):
        out[i] = NAN
        if not math.isfinite(x[i]):
            continue
        before = s[2 + place]
        if seen == bars:
            if how == 0:
                out[i] = x[i] - before
            elif how == 1 and before != 0.0:
                out[i] = 100.0 * (x[i] - before) / abs(before)
            elif how > 1 and x[i] > 0.0 and before > 0.0:
                out[i] = math.log(x[i] / before)
        s[2 + place] = x[i]
        place = place + 1 if place + 1 < bars else 0
        seen = min(seen + 1, bars)
    s[0], s[1] = seen, place


@kernel
def cumulate(p: Vector, s: Vector, session: Vector, week: Vector, x: Vector, out: Vector) -> None:
    """Sum of x since this session (p[0] = 0) or week (1) began. State: whether there was a bar, which, the sum."""
    seen, when, total = s[0], s[1], s[2]
    for i in range(x.size):
        now = session[i] if p[0] == 0.0 else week[i]
        if math.isnan(now) or not math.isfinite(x[i]):
            out[i] = NAN
            continue
        total = x[i] if seen == 0.0 or now != when else total + x[i]
        seen, when = 1.0, now
        out[i] = total
    s[0], s[1], s[2] = seen, when, total


@kernel
def fill(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """x, or its last known value while that is at most p[0] bars old. State: whether there was one, value, its age."""
    known, value, age = s[0], s[1], s[2]
    for i in range(x.size):
        if math.isfinite(x[i]):
            known, value, age = 1.0, x[i], 0.0
        else:
            age = age + 1.0 if age <= p[0] else age
        out[i] = value if known > 0.0 and age <= p[0] else NAN
    s[0], s[1], s[2] = known, value, age


@kernel
def choose(p: Vector, s: Vector, condition: Vector, a: Vector, b: Vector, out: Vector) -> None:
    """A where the condition is true, b where it is false. Keeps nothing."""
    for i in range(a.size):
        value = a[i] if condition[i] > 0.0 else b[i]
        out[i] = value if math.isfinite(value) and not math.isnan(condition[i]) else NAN


@kernel
def price_of(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, opening: Vector, high: Vector, low: Vector, close: Vector, out: Vector
) -> None:
    """One price of a bar (TA-Lib): 0 median (high, low), 1 typical (and close), 2 weighted (close twice), 3 mean.

    Keeps nothing.
    """
    how = int(p[0])
    for i in range(close.size):
        if not (is_bar(high[i], low[i], close[i]) and math.isfinite(opening[i])):
            out[i] = NAN
        elif how == 0:
            out[i] = (high[i] + low[i]) / 2.0
        elif how == 1:
            out[i] = (high[i] + low[i] + close[i]) / 3.0
        elif how == 2:
            out[i] = (high[i] + low[i] + close[i] * 2.0) / 4.0
        else:
            out[i] = (opening[i] + high[i] + low[i] + close[i]) / 4.0
