"""Kernels of conditions: 1 for true, 0 for false, NaN for unknown."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel, part

__all__ = ["all_of", "any_of", "both", "compare", "cross", "either_side", "gated", "negate"]

NAN = math.nan
GT, GE, LT = 0, 1, 2
STRIDE = 4096  # bars looked over at once: two columns of them stay in the fastest cache


@kernel
def compare(p: Vector, s: Vector, a: Vector, b: Vector, out: Vector) -> None:
    """Whether a compares with b: p[0] is 0 for above, 1 above or equal, 2 below, 3 below or equal."""
    how = int(p[0])
    for i in range(a.size):
        if math.isnan(a[i]) or math.isnan(b[i]):
            out[i] = NAN
        elif how == GT:
            out[i] = 1.0 if a[i] > b[i] else 0.0
        elif how == GE:
            out[i] = 1.0 if a[i] >= b[i] else 0.0
        elif how == LT:
            out[i] = 1.0 if a[i] < b[i] else 0.0
        else:
            out[i] = 1.0 if a[i] <= b[i] else 0.0


@kernel
def cross(p: Vector, s: Vector, a: Vector, b: Vector, out: Vector) -> None:
    """Event where a passes b, upwards for p[0] = 1, downwards for -1: strictly beyond now, not beyond before.

    A tie counts as "not beyond", as in TradingView's ``ta.crossover``: leaving a tie upwards is a cross above.
    State: 0 before the first value, 1 not beyond, 2 beyond.
    """
    over, under = (a, b) if p[0] > 0.0 else (b, a)
    for start in range(0, out.size, STRIDE):
        end = min(start + STRIDE, out.size)
        _cross_some(s, over[start:end], under[start:end], out[start:end])


@part
def _cross_some(s: Vector, over: Vector, under: Vector, out: Vector) -> None:
    """As `cross`, over some bars: where all are known by comparing neighbours, which is done several at a time."""
    unknown = 0
    for i in range(over.size):
        unknown += 1 if math.isnan(over[i]) | math.isnan(under[i]) else 0
    if unknown > 0 or s[0] == 0.0:
        _cross_slowly(s, over, under, out)
        return
    out[0] = 1.0 if over[0] > under[0] and s[0] < 2.0 else 0.0
    over_before, under_before, over_now, under_now, later = over[:-1], under[:-1], over[1:], under[1:], out[1:]
    for i in range(later.size):
        later[i] = 1.0 if (over_now[i] > under_now[i]) & (over_before[i] <= under_before[i]) else 0.0
    s[0] = 2.0 if over[-1] > under[-1] else 1.0


@part
def _cross_slowly(s: Vector, over: Vector, under: Vector, out: Vector) -> None:
    """As `cross`, among unknown values."""
    was = s[0]
    for i in range(out.size):
        if math.isnan(over[i]) or math.isnan(under[i]):
            out[i] = NAN
            continue
        now = 2.0 if over[i] > under[i] else 1.0
        out[i] = NAN if was == 0.0 else (1.0 if now > was else 0.0)
        was = now
    s[0] = was


@kernel
def both(p: Vector, s: Vector, a: Vector, b: Vector, out: Vector) -> None:
    """Whether both are true; unknown while either is."""
    for i in range(a.size):
        out[i] = NAN if math.isnan(a[i]) or math.isnan(b[i]) else (1.0 if a[i] > 0 and b[i] > 0 else 0.0)


@kernel
def all_of(p: Vector, s: Vector, wires: Vector, out: Vector) -> None:
    """Whether every wire is true; a false one decides, whatever is unknown (Kleene 1938)."""
    for i in range(out.size):
        held = 1.0
        for wire in range(wires.shape[0]):
            value = wires[wire, i]
            if value <= 0:
                held = 0.0
            elif math.isnan(value) and held > 0:
                held = NAN
        out[i] = held


@kernel
def any_of(p: Vector, s: Vector, wires: Vector, out: Vector) -> None:
    """Whether at least one wire is true; a true one decides, whatever is unknown (Kleene 1938)."""
    for i in range(out.size):
        held = 0.0
        for wire in range(wires.shape[0]):
            value = wires[wire, i]
            if value > 0:
                held = 1.0
            elif math.isnan(value) and held == 0:
                held = NAN
        out[i] = held


@kernel
def negate(p: Vector, s: Vector, x: Vector, out: Vector) -> None:
    """Not x; unknown while x is."""
    for i in range(x.size):
        out[i] = NAN if math.isnan(x[i]) else (0.0 if x[i] > 0 else 1.0)


@kernel
def either_side(p: Vector, s: Vector, long: Vector, short: Vector, out: Vector) -> None:
    """1 where long holds, -1 where short does; 0 where neither or both do; unknown while either is."""
    for i in range(long.size):
        side = (1.0 if long[i] > 0 else 0.0) - (1.0 if short[i] > 0 else 0.0)
        out[i] = NAN if math.isnan(long[i]) | math.isnan(short[i]) else side  # no branch: several at a time


@kernel
def gated(p: Vector, s: Vector, signal: Vector, when: Vector, out: Vector) -> None:
    """Pass a signal on where a condition holds, 0 where it does not; unknown where either is. Stateless."""
    for i in range(signal.size):
        if math.isnan(signal[i]) or math.isnan(when[i]):
            out[i] = NAN
        else:
            out[i] = signal[i] if when[i] > 0.0 else 0.0
