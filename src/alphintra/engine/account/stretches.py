"""Stretches of bars on which nothing is asked for and no exit executes: most of a run, so they are kept plain.

Parts of the account kernel; loops without a branch are worked at several bars at a time by the compiler.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.kernels.amounts import EXACT_MAX, in_units, lost_by
from alphintra.engine.kernels.kernel import Vector, part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int64]
    Room = tuple[NDArray[np.int8], Places, Places]

__all__ = ["Signals", "asked", "at", "fetch", "follow", "mark", "signals", "spoilt", "watch"]

EIGHT: Final = 8  # marks looked at together, and values the processor fetches together


@part
def fetch(column: Vector) -> float:
    """Read a column in order, so that the processor has it at hand where only some of its bars are asked for later.

    A fill's price that has to be fetched alone costs as much as fifty bars. The sum says that it is read; it is of no
    other use.
    """
    total = 0.0
    for i in range(0, column.size, EIGHT):
        total += column[i]
    return total


@part
def at(column: Vector, i: int) -> float:
    """Return what a column says at a bar, NaN where no rule asks for it."""
    return float(column[i]) if column.size else math.nan


@part
def asked(marks: NDArray[np.int8], eights: Places, places: Places) -> int:
    """Write where marks are and return how many; ``eights`` are the same marks, eight in one number: most are zero."""
    count = 0
    for block in range(eights.size):
        if eights[block] != 0:
            for i in range(block * EIGHT, block * EIGHT + EIGHT):
                places[count] = i  # written over by the next one unless it is marked: no branch to foresee
                count += marks[i]
    return count


@part
def signals(entries: Vector, leaves: Vector, room: Room) -> int:
    """Write the bars at which an account is asked for something and return how many there are.

    ``room`` is for marks, a whole number of eights, for the same as eights, and for the bars; it holds these already
    where it has none for marks.
    """
    marks, eights, places = room
    if marks.size == 0:
        return places.size
    for i in range(entries.size):
        marks[i] = (entries[i] > 0.0) | (entries[i] < 0.0) | (leaves[i] > 0.0)
    for i in range(entries.size, marks.size):
        marks[i] = 0
    return asked(marks, eights, places)


class Signals:
    """Where the bars are written at which an account is asked for something, portion by portion in the same memory."""

    def __init__(self, *, is_compiled: bool) -> None:
        self._is_compiled = is_compiled
        self._marks, self._places = np.zeros(0, np.int8), np.empty(0, np.int64)

    def room(self, entries: Vector, leaves: Vector) -> Room:
        """Return what the kernel is given: interpreted it would take long to look, so that it is told."""
        if not self._is_compiled:
            places = np.flatnonzero((entries > 0.0) | (entries < 0.0) | (leaves > 0.0))
            return self._marks, self._marks.view(np.int64), places
        size = -(-entries.size // EIGHT) * EIGHT
        if self._marks.size != size:
            self._marks, self._places = np.zeros(size, np.int8), np.empty(size, np.int64)
        return self._marks, self._marks.view(np.int64), self._places


@part
def follow(places: Places, count: int, turn: int, start: int) -> int:
    """Return which of so many places is the first that is not before ``start``."""
    while turn < count and places[turn] < start:
        turn += 1
    return turn


@part
def mark(closes: Vector, equities: Vector, book: tuple[float, float], scale: float) -> int:
    """Mark a book of cash and what it holds of whole units to closes; return how many floats do not hold exactly."""
    cash, held = book
    lossy = 0
    if scale == 1.0:
        for i in range(closes.size):
            equities[i] = cash + (held * closes[i] if held != 0.0 else 0.0)
        return lossy
    for i in range(closes.size):
        close = in_units(closes[i], scale)
        worth = held * close if held != 0.0 else 0.0
        equities[i] = cash + worth
        lossy += (lost_by(closes[i], close, scale) > 0.0) | (abs(worth) > EXACT_MAX)
    return lossy


@part
def spoilt(column: Vector, scale: float) -> int:
    """Return how many prices have more than six decimals."""
    lossy = 0
    for i in range(column.size):
        lossy += lost_by(column[i], in_units(column[i], scale), scale) > 0.0
    return lossy


@part
def watch(
    prices: tuple[Vector, ...],
    span: tuple[int, int],
    side: tuple[float, float],
    levels: tuple[float, float],
    trail: tuple[float, float, float, float],
) -> tuple[int, float]:
    """Return the first bar in which an exit may execute, and the best price before it. Signed: up is better.

    ``side`` is the direction and the units of prices, ``levels`` are stop and target. A trail has seen ``top`` and lies
    at a ``share`` of the best price less ``room`` and less what is ``near`` of the high, within which it is rounded.
    """
    opens, highs, lows, closes = prices
    direction, scale = side
    stop, target = levels
    top, share, room, near = trail
    i, end = span
    while i < end:
        high, low = in_units(highs[i], scale), in_units(lows[i], scale)
        opened, closed = in_units(opens[i], scale) * direction, in_units(closes[i], scale) * direction
        best, worst = (high, low) if direction > 0.0 else (-low, -high)
        away = room - high * near
        peak = max(best, top)
        if (
            (worst <= stop)
            | (best >= target)
            | (worst <= max(opened, top) * share - away)
            | (closed <= peak * share - away)
        ):
            break
        top = peak
        i += 1
    return i, top
