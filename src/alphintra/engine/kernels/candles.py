"""Shapes of candles, as TA-Lib's CDL functions define them with their default settings.

What is long, short or near is measured against the mean of the bars before the candle in question: bodies, ranges and
shadows of the last ten, ranges of the last five for what is near or far.
"""

from __future__ import annotations

import math
from typing import Final

from alphintra.engine.kernels.kernel import Vector, kernel, part
from alphintra.engine.kernels.parts import is_bar

__all__ = ["BARS", "SHAPES", "candle"]

NAN = math.nan
BARS: Final = 13  # three candles, and ten bars before the first of them
SHAPES: Final = (
    "doji",
    "dragonfly_doji",
    "gravestone_doji",
    "marubozu",
    "spinning_top",
    "hammer",
    "hanging_man",
    "inverted_hammer",
    "shooting_star",
    "engulfing",
    "harami",
    "piercing",
    "dark_cloud",
    "morning_star",
    "evening_star",
    "three_white_soldiers",
    "three_black_crows",
)


@part
def _body(w: Vector, age: int) -> float:
    """Distance between open and close."""
    value: float = abs(w[4 * age + 3] - w[4 * age])
    return value


@part
def _range(w: Vector, age: int) -> float:
    """Distance between high and low."""
    value: float = w[4 * age + 1] - w[4 * age + 2]
    return value


@part
def _top(w: Vector, age: int) -> float:
    """Upper end of the body."""
    value: float = w[4 * age] if w[4 * age] > w[4 * age + 3] else w[4 * age + 3]
    return value


@part
def _bottom(w: Vector, age: int) -> float:
    """Lower end of the body."""
    value: float = w[4 * age + 3] if w[4 * age] > w[4 * age + 3] else w[4 * age]
    return value


@part
def _upper(w: Vector, age: int) -> float:
    """Length of the upper shadow."""
    value: float = w[4 * age + 1] - _top(w, age)
    return value


@part
def _lower(w: Vector, age: int) -> float:
    """Length of the lower shadow."""
    value: float = _bottom(w, age) - w[4 * age + 2]
    return value


@part
def _colour(w: Vector, age: int) -> float:
    """1 for a bar that closed at or above its open, else -1."""
    return 1.0 if w[4 * age + 3] >= w[4 * age] else -1.0


@part
def _mean_body(w: Vector, age: int) -> float:
    """Mean body of the ten bars before."""
    total = 0.0
    for k in range(age + 10, age, -1):
        total += _body(w, k)
    return total / 10.0


@part
def _mean_range(w: Vector, age: int, bars: int) -> float:
    """Mean range of some bars before."""
    total = 0.0
    for k in range(age + bars, age, -1):
        total += _range(w, k)
    return total / bars


@part
def _is_tiny(w: Vector, age: int, shadow: float) -> bool:
    """Tell whether a shadow is very short: less than a tenth of the mean range."""
    return shadow < 0.1 * _mean_range(w, age, 10)


@part
def _alone(how: int, w: Vector) -> float:
    """Judge a shape of one candle: 1 bullish or neutral, -1 bearish, 0 none."""
    tiny = 0.1 * _mean_range(w, 0, 10)
    if how <= 2:
        if _body(w, 0) > tiny:
            return 0.0
        if how == 1:
            return 1.0 if _upper(w, 0) < tiny < _lower(w, 0) else 0.0
        if how == 2:
            return 1.0 if _lower(w, 0) < tiny < _upper(w, 0) else 0.0
        return 1.0
    if how == 3:
        is_it = _body(w, 0) > _mean_body(w, 0) and _upper(w, 0) < tiny and _lower(w, 0) < tiny
    else:
        body = _body(w, 0)
        is_it = body < _mean_body(w, 0) and _upper(w, 0) > body and _lower(w, 0) > body
    return _colour(w, 0) if is_it else 0.0


@part
def _pin(how: int, w: Vector) -> float:
    """Judge a small body with one long shadow: hammer, hanging man, inverted hammer, shooting star."""
    body = _body(w, 0)
    if body >= _mean_body(w, 0):
        return 0.0
    if how <= 6:
        if not (_lower(w, 0) > body and _is_tiny(w, 0, _upper(w, 0))):
            return 0.0
        near = 0.2 * _mean_range(w, 1, 5)
        is_low, is_high = _bottom(w, 0) <= w[6] + near, _bottom(w, 0) >= w[5] - near
    else:
        if not (_upper(w, 0) > body and _is_tiny(w, 0, _lower(w, 0))):
            return 0.0
        is_low, is_high = _top(w, 0) < _bottom(w, 1), _bottom(w, 0) > _top(w, 1)
    if how == 5 or how == 7:  # noqa: PLR1714 - a set would be built at every bar
        return 1.0 if is_low else 0.0
    return -1.0 if is_high else 0.0


@part
def _two(how: int, w: Vector) -> float:
    """Judge a shape of two candles: engulfing, harami, piercing, dark cloud."""
    now, before = _colour(w, 0), _colour(w, 1)
    if how == 9:
        covers = _top(w, 0) >= _top(w, 1) and _bottom(w, 0) <= _bottom(w, 1)
        is_more = _top(w, 0) > _top(w, 1) or _bottom(w, 0) < _bottom(w, 1)
        return now if now != before and covers and is_more else 0.0
    if _body(w, 1) <= _mean_body(w, 1):
        return 0.0
    if how == 10:
        covered = _top(w, 0) <= _top(w, 1) and _bottom(w, 0) >= _bottom(w, 1)
        return -before if covered and _body(w, 0) <= _mean_body(w, 0) else 0.0
    middle = w[7] - before * _body(w, 1) * 0.5
    if how == 11:
        is_rise = before < 0.0 < now and _body(w, 0) > _mean_body(w, 0) and w[0] < w[6]
        return 1.0 if is_rise and middle < w[3] < w[4] else 0.0
    is_fall = now < 0.0 < before and w[0] > w[5]
    return -1.0 if is_fall and w[4] < w[3] < middle else 0.0


@part
def _star(how: int, w: Vector) -> float:
    """Judge a morning star (13) or an evening star (14)."""
    side = 1.0 if how == 13 else -1.0
    if _colour(w, 2) != -side or _colour(w, 0) != side:
        return 0.0
    if _body(w, 2) <= _mean_body(w, 2) or _body(w, 1) > _mean_body(w, 1) or _body(w, 0) <= _mean_body(w, 0):
        return 0.0
    gaps = _top(w, 1) < _bottom(w, 2) if side > 0.0 else _bottom(w, 1) > _top(w, 2)
    return side if gaps and side * (w[3] - w[11]) > _body(w, 2) * 0.3 else 0.0


@part
def _soldiers(w: Vector) -> float:
    """Judge three white soldiers."""
    for age in range(3):
        if _colour(w, age) < 0.0 or not _is_tiny(w, age, _upper(w, age)):
            return 0.0
    for age in range(2):
        opened, before = w[4 * age], age + 1
        if not (w[4 * age + 3] > w[4 * before + 3] and opened > w[4 * before]):
            return 0.0
        if opened > w[4 * before + 3] + 0.2 * _mean_range(w, before, 5):
            return 0.0
        if _body(w, age) <= _body(w, before) - 0.6 * _mean_range(w, before, 5):
            return 0.0
    return 1.0 if _body(w, 0) > _mean_body(w, 0) else 0.0


@part
def _crows(w: Vector) -> float:
    """Judge three black crows."""
    for age in range(3):
        if _colour(w, age) > 0.0 or not _is_tiny(w, age, _lower(w, age)):
            return 0.0
    for age in range(2):
        opened, before = w[4 * age], age + 1
        if not w[4 * before + 3] < opened < w[4 * before] or w[4 * age + 3] >= w[4 * before + 3]:
            return 0.0
    return -1.0 if _colour(w, 3) > 0.0 and w[13] > w[11] else 0.0


@part
def _judge(how: int, w: Vector) -> float:
    """Judge a shape by its place in SHAPES; ``w`` holds open, high, low, close of each bar, the newest first."""
    if how <= 4:
        return _alone(how, w)
    if how <= 8:
        return _pin(how, w)
    if how <= 12:
        return _two(how, w)
    if how <= 14:
        return _star(how, w)
    return _soldiers(w) if how == 15 else _crows(w)


@kernel
def candle(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector,
    s: Vector,
    opening: Vector,
    high: Vector,
    low: Vector,
    close: Vector,
    found: Vector,
    bullish: Vector,
    bearish: Vector,
) -> None:
    """Events where the shape p[0] of SHAPES is complete, and where it is a bullish or a bearish one.

    Dojis are neither. State: bars seen (at most BARS), then open, high, low and close of the last BARS bars.
    """
    how = int(p[0])
    w = s[1:]
    for i in range(close.size):
        found[i] = bullish[i] = bearish[i] = NAN
        if not (math.isfinite(opening[i]) and is_bar(high[i], low[i], close[i])):
            continue
        for k in range(4 * BARS - 1, 3, -1):
            w[k] = w[k - 4]
        w[0], w[1], w[2], w[3] = opening[i], high[i], low[i], close[i]
        s[0] = s[0] + 1.0 if s[0] < BARS else s[0]
        if s[0] == BARS:
            sign = _judge(how, w)
            found[i] = 1.0 if sign != 0.0 else 0.0
            bullish[i] = 1.0 if sign > 0.0 and how > 2 else 0.0
            bearish[i] = 1.0 if sign < 0.0 else 0.0
