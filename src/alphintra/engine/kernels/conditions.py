"""Conditions that count, wait or watch a series: 1 for true, 0 for false.

NaN stands for unknown; an unknown input leaves every memory as it is.
"""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel, part
from alphintra.engine.kernels.parts import blank, max_pass, min_pass, sma_pass

__all__ = [
    "at_least",
    "between",
    "breakout",
    "cooldown",
    "cross_either",
    "edge",
    "exclusive",
    "gap",
    "held_for",
    "hysteresis",
    "means_cross",
    "moved",
    "once_per",
    "rising",
    "volume_spike",
    "within",
]

NAN = math.nan


@kernel
def between(p: Vector, s: Vector, x: Vector, low: Vector, high: Vector, out: Vector) -> None:
    """Whether x lies between low and high, both included; for p[0] = 1 whether it lies outside. Keeps nothing."""
    for i in range(x.size):
        if math.isnan(x[i]) or math.isnan(low[i]) or math.isnan(high[i]):
            out[i] = NAN
        else:
            inside = low[i] <= x[i] <= high[i]
            out[i] = 1.0 if inside != (p[0] > 0.0) else 0.0


@kernel
def exclusive(p: Vector, s: Vector, wires: Vector, out: Vector) -> None:
    """Whether an odd number of wires is true (of two: exactly one); unknown while one is. Keeps nothing."""
    for i in range(out.size):
        held = 0.0
        for wire in range(wires.shape[0]):
            if math.isnan(wires[wire, i]) or math.isnan(held):
                held = NAN
            elif wires[wire, i] > 0.0:
                held = 1.0 - held
        out[i] = held


@kernel
def at_least(p: Vector, s: Vector, wires: Vector, out: Vector) -> None:
    """Whether at least p[0] wires are true; unknown while one is unknown. Keeps nothing."""
    for i in range(out.size):
        count = 0.0
        for wire in range(wires.shape[0]):
            if math.isnan(wires[wire, i]):
                count = NAN
            elif wires[wire, i] > 0.0:
                count += 1.0
        if math.isnan(count):
            out[i] = NAN
        else:
            out[i] = 1.0 if count >= p[0] else 0.0


@kernel
def held_for(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Whether x has been true for p[0] bars, this one included. State: bars it has been true."""
    run = s[0]
    for i in range(x.size):
        if math.isnan(x[i]):
            out[i] = NAN
            continue
        run = (run + 1.0 if run < p[0] else p[0]) if x[i] > 0.0 else 0.0
        out[i] = 1.0 if run >= p[0] else 0.0
    s[0] = run


@kernel
def within(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Whether x was true at one of the last p[0] bars, this one included. State: bars for which that is still so."""
    left = s[0]
    for i in range(x.size):
        if math.isnan(x[i]):
            out[i] = NAN
            continue
        left = p[0] if x[i] > 0.0 else (left - 1.0 if left > 0.0 else 0.0)
        out[i] = 1.0 if left > 0.0 else 0.0
    s[0] = left


@kernel
def edge(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Event where x becomes true (p[0] = 0), false (1) or either (2); unknown at its first bar.

    State: 0 before the first bar, 1 while x was false, 2 while it was true.
    """
    was = s[0]
    for i in range(x.size):
        if math.isnan(x[i]):
            out[i] = NAN
            continue
        now = 2.0 if x[i] > 0.0 else 1.0
        rose, fell = now > was and p[0] != 1.0, now < was and p[0] != 0.0
        out[i] = NAN if was == 0.0 else (1.0 if rose or fell else 0.0)
        was = now
    s[0] = was


@kernel
def once_per(p: Vector, s: Vector, session: Vector, week: Vector, x: Vector, out: Vector) -> None:
    """Event at the first true x of each session (p[0] = 0) or week (1). State: 1 once it fired, and when it did."""
    has_fired, when = s[0], s[1]
    for i in range(x.size):
        now = session[i] if p[0] == 0.0 else week[i]
        if math.isnan(x[i]) or math.isnan(now):
            out[i] = NAN
            continue
        is_new = x[i] > 0.0 and (has_fired == 0.0 or now != when)
        if is_new:
            has_fired, when = 1.0, now
        out[i] = 1.0 if is_new else 0.0
    s[0], s[1] = has_fired, when


@kernel
def cooldown(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Event where x is true and none has passed at the p[0] bars before. State: bars left to wait."""
    left = s[0]
    for i in range(x.size):
        if math.isnan(x[i]):
            out[i] = NAN
            continue
        passes = x[i] > 0.0 and left <= 0.0
        left = p[0] if passes else left - 1.0
        left = left if left > 0.0 else 0.0
        out[i] = 1.0 if passes else 0.0
    s[0] = left


@kernel
def hysteresis(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """True from where x is above p[0] until it is below p[1]; for p[2] = 1 from below p[0] until above p[1].

    State: 1 while it holds.
    """
    held = s[0]
    side = 1.0 if p[2] == 0.0 else -1.0
    for i in range(x.size):
        if math.isnan(x[i]):
            out[i] = NAN
            continue
        if held > 0.0:
            held = 0.0 if side * (x[i] - p[1]) < 0.0 else 1.0
        else:
            held = 1.0 if side * (x[i] - p[0]) > 0.0 else 0.0
        out[i] = held
    s[0] = held


@part
def _rise_pass(period: float, side: float, s: Vector, x: Vector, out: Vector) -> None:
    """Whether each of the last moves went to one side. State, 3: whether there was a value, which, moves so far."""
    seen, before, run = s[0], s[1], s[2]
    for i in range(x.size):
        value = x[i]
        if not math.isfinite(value):
            out[i] = NAN
            continue
        run = (run + 1.0 if run < period else period) if seen > 0.0 and side * (value - before) > 0.0 else 0.0
        seen, before = 1.0, value
        out[i] = 1.0 if run >= period else 0.0
    s[0], s[1], s[2] = seen, before, run


@kernel
def rising(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Whether x has risen at each of the last p[0] bars; fallen for p[1] = 1. State: 3."""
    _rise_pass(p[0], 1.0 if p[1] == 0.0 else -1.0, s, x, out)


@kernel
def moved(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Whether x has moved by p[1] percent or more over p[0] bars: up (p[2] = 0), down (1) or either way (2).

    Unknown where the earlier value is zero. State: values seen, next place in the ring, ring of p[0] values.
    """
    bars = int(p[0])
    seen, place = int(s[0]), int(s[1])
    for i in range(x.size):
        out[i] = NAN
        if not math.isfinite(x[i]):
            continue
        before = s[2 + place]
        if seen == bars and before != 0.0:
            percent = 100.0 * (x[i] - before) / abs(before)
            up, down = percent >= p[1] and p[2] != 1.0, percent <= -p[1] and p[2] != 0.0
            out[i] = 1.0 if up or down else 0.0
        s[2 + place] = x[i]
        place = place + 1 if place + 1 < bars else 0
        seen = min(seen + 1, bars)
    s[0], s[1] = seen, place


@part
def _cross_pass(side: float, s: Vector, a: Vector, b: Vector, out: Vector) -> None:
    """Where a passes b: upwards (1), downwards (-1), either way (0). State, 2: 1 once known, side a was last on.

    A tie counts as not beyond, as in `logic.cross`; for either way the side before the tie counts.
    """
    known, was = s[0], s[1]
    for i in range(a.size):
        if not (math.isfinite(a[i]) and math.isfinite(b[i])):
            out[i] = NAN
            continue
        now = 1.0 if a[i] > b[i] else (-1.0 if a[i] < b[i] else 0.0)
        if side == 0.0:
            now = now if now != 0.0 else was
            out[i] = NAN if known == 0.0 else (1.0 if now * was < 0.0 else 0.0)
        else:
            out[i] = NAN if known == 0.0 else (1.0 if now == side and was != side else 0.0)
        known, was = 1.0, now
    s[0], s[1] = known, was


@kernel
def cross_either(p: Vector, s: Vector, a: Vector, b: Vector, out: Vector) -> None:
    """Event where a passes b in either direction; touching b and turning back is none. State: 2."""
    _cross_pass(0.0, s, a, b, out)


@kernel
def means_cross(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Event where the mean of p[0] values passes that of p[1]: upwards (p[2] = 0) or downwards (1).

    State: 8 + p[0] + p[1].
    """
    fast, slow = int(p[0]), int(p[1])
    mean = blank(x)
    sma_pass(fast, s[: 3 + fast], x, mean)
    sma_pass(slow, s[3 + fast : 6 + fast + slow], x, out)
    _cross_pass(1.0 if p[2] == 0.0 else -1.0, s[6 + fast + slow :], mean, out, out)


@kernel
def breakout(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, high: Vector, low: Vector, close: Vector, up: Vector, down: Vector
) -> None:
    """Whether the close lies p[1] percent or more beyond the highest high or lowest low of the p[0] bars before it.

    State: whether there was a range, its top, its bottom, then 6 + 2 p[0].
    """
    period = int(p[0])
    for i in range(close.size):
        is_known = math.isfinite(high[i]) and math.isfinite(low[i]) and math.isfinite(close[i])
        up[i] = high[i] if is_known else NAN
        down[i] = low[i] if is_known else NAN
    max_pass(period, s[3 : 6 + period], up, up)
    min_pass(period, s[6 + period :], down, down)
    known, top, bottom = s[0], s[1], s[2]
    for i in range(close.size):
        if not (math.isfinite(high[i]) and math.isfinite(low[i]) and math.isfinite(close[i])):
            continue
        ceiling, floor = top + abs(top) * p[1] / 100.0, bottom - abs(bottom) * p[1] / 100.0
        was_known = known
        if math.isfinite(up[i]):
            known, top, bottom = 1.0, up[i], down[i]
        up[i] = (1.0 if close[i] > ceiling else 0.0) if was_known > 0.0 else NAN
        down[i] = (1.0 if close[i] < floor else 0.0) if was_known > 0.0 else NAN
    s[0], s[1], s[2] = known, top, bottom


@kernel
def gap(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, opening: Vector, high: Vector, low: Vector, up: Vector, down: Vector
) -> None:
    """Event where a bar opens p[0] percent or more above the high, or below the low, of the bar before.

    State: whether there was one, its high, its low.
    """
    seen, top, bottom = s[0], s[1], s[2]
    for i in range(high.size):
        up[i] = down[i] = NAN
        if not (math.isfinite(opening[i]) and math.isfinite(high[i]) and math.isfinite(low[i])):
            continue
        if seen > 0.0:
            up[i] = 1.0 if opening[i] > top and opening[i] >= top + abs(top) * p[0] / 100.0 else 0.0
            down[i] = 1.0 if opening[i] < bottom and opening[i] <= bottom - abs(bottom) * p[0] / 100.0 else 0.0
        seen, top, bottom = 1.0, high[i], low[i]
    s[0], s[1], s[2] = seen, top, bottom


@kernel
def volume_spike(p: Vector, s: Vector, volume: Vector, out: Vector) -> None:
    """Whether volume is p[1] times the mean of the p[0] bars before, or more. State: whether known, mean, 3 + p[0]."""
    known, mean = s[0], s[1]
    sma_pass(int(p[0]), s[2:], volume, out)
    for i in range(volume.size):
        if not math.isfinite(volume[i]):
            continue
        was_known, usual = known, mean
        if math.isfinite(out[i]):
            known, mean = 1.0, out[i]
        out[i] = (1.0 if volume[i] >= p[1] * usual and volume[i] > 0.0 else 0.0) if was_known > 0.0 else NAN
    s[0], s[1] = known, mean
