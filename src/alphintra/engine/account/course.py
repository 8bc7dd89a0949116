"""The course of an equity, folded into the sums its figures are made of."""

from __future__ import annotations

from typing import Final

from alphintra.engine.kernels.kernel import Vector, bare_kernel, part

__all__ = ["COURSE", "course", "fold"]

COURSE: Final = 10
"""How many numbers `course` keeps."""


@part
def fold(s: Vector, equity: Vector) -> None:
    """Fold equity into sums: of returns, squares, squares of losses, deepest and longest fall from the highest.

    A fall is reckoned when it ends, so that a bar costs one division and no branch that is hard to foresee.
    State: closes seen, last, sum, squares, squares of losses, highest, its place, lowest since, deepest, longest.
    """
    seen, last, total, squares, losses = s[0], s[1], s[2], s[3], s[4]
    highest, place, lowest, deepest, longest = s[5], s[6], s[7], s[8], s[9]
    for i in range(equity.size):
        value = equity[i]
        if value >= highest:
            if highest > 0.0:
                deepest = max(deepest, (highest - lowest) / highest)
                longest = max(longest, seen - place - 1.0)
            highest, place, lowest = value, seen, value
        lowest = min(lowest, value)
        change = value / last - 1.0 if last > 0.0 else 0.0
        loss = min(change, 0.0)
        total += change
        squares += change * change
        losses += loss * loss
        seen += 1.0
        last = value
    s[0], s[1], s[2], s[3], s[4] = seen, last, total, squares, losses
    s[5], s[6], s[7], s[8], s[9] = highest, place, lowest, deepest, longest


@bare_kernel
def course(_p: Vector, s: Vector, equity: Vector) -> None:
    """Do what `fold` does."""
    fold(s, equity)
