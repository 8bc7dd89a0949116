"""Nodes that remember: what they keep is saved with the strategy and survives a restart.

A bar on which an input is unknown leaves the memory as it is, and its output is unknown.
"""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel

__all__ = ["bars_since", "count_in_session", "counter", "extreme_since", "last_value_when", "latch", "toggle"]

NAN = math.nan


@kernel
def latch(p: Vector, s: Vector, set_: Vector, reset: Vector, out: Vector) -> None:
    """True from where set is true until reset is; where both are, reset wins (p[0] = 0) or set (1).

    State: 1 while set.
    """
    held = s[0]
    for i in range(set_.size):
        if math.isnan(set_[i]) or math.isnan(reset[i]):
            out[i] = NAN
            continue
        on, off = set_[i] > 0.0, reset[i] > 0.0
        if on and (not off or p[0] > 0.0):
            held = 1.0
        elif off:
            held = 0.0
        out[i] = held
    s[0] = held


@kernel
def toggle(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Changes between false and true at each true x. State: 1 while true."""
    held = s[0]
    for i in range(x.size):
        if math.isnan(x[i]):
            out[i] = NAN
            continue
        held = 1.0 - held if x[i] > 0.0 else held
        out[i] = held
    s[0] = held


@kernel
def counter(p: Vector, s: Vector, increase: Vector, reset: Vector, out: Vector) -> None:
    """Bars on which increase was true since reset last was; a bar with both counts as the first. State: the count."""
    count = s[0]
    for i in range(increase.size):
        if math.isnan(increase[i]) or math.isnan(reset[i]):
            out[i] = NAN
            continue
        count = 0.0 if reset[i] > 0.0 else count
        count = count + 1.0 if increase[i] > 0.0 else count
        out[i] = count
    s[0] = count


@kernel
def count_in_session(p: Vector, s: Vector, session: Vector, x: Vector, out: Vector) -> None:
    """Bars of this session on which x was true, this one included.

    State: whether there was a bar, its session, the count.
    """
    seen, day, count = s[0], s[1], s[2]
    for i in range(x.size):
        if math.isnan(x[i]) or math.isnan(session[i]):
            out[i] = NAN
            continue
        if seen == 0.0 or session[i] != day:
            seen, day, count = 1.0, session[i], 0.0
        count = count + 1.0 if x[i] > 0.0 else count
        out[i] = count
    s[0], s[1], s[2] = seen, day, count


@kernel
def last_value_when(p: Vector, s: Vector, event: Vector, x: Vector, out: Vector) -> None:
    """The value at the last bar on which the event was true, unknown before the first.

    State: whether there was one, value.
    """
    known, value = s[0], s[1]
    for i in range(x.size):
        if math.isnan(event[i]) or (event[i] > 0.0 and not math.isfinite(x[i])):
            out[i] = NAN
            continue
        if event[i] > 0.0:
            known, value = 1.0, x[i]
        out[i] = value if known > 0.0 else NAN
    s[0], s[1] = known, value


@kernel
def bars_since(p: Vector, s: Vector, event: Vector, out: Vector) -> None:
    """Bars since the event was last true, 0 on its own bar, unknown before the first.

    State: whether there was one, bars.
    """
    known, bars = s[0], s[1]
    for i in range(event.size):
        if math.isnan(event[i]):
            out[i] = NAN
            continue
        known, bars = (1.0, 0.0) if event[i] > 0.0 else (known, bars + known)
        out[i] = bars if known > 0.0 else NAN
    s[0], s[1] = known, bars


@kernel
def extreme_since(p: Vector, s: Vector, event: Vector, x: Vector, out: Vector) -> None:
    """The greatest (p[0] = 0) or least (1) value since the event was last true, that bar included.

    State: whether there was one, value.
    """
    known, value = s[0], s[1]
    side = 1.0 if p[0] == 0.0 else -1.0
    for i in range(x.size):
        if math.isnan(event[i]) or not math.isfinite(x[i]):
            out[i] = NAN
            continue
        if event[i] > 0.0 or (known > 0.0 and side * (x[i] - value) > 0.0):
            known, value = 1.0, x[i]
        out[i] = value if known > 0.0 else NAN
    s[0], s[1] = known, value
