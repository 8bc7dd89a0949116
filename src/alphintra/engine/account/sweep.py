"""Many crossings over one series: pairs of columns outside, bars inside, and of the bars only those that cross.

For choosing among many parameters: amounts are not rounded, no curve is kept. What is chosen is run again as a plan.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.kernels.kernel import Vector, bare_kernel
from alphintra.engine.kernels.windows import sma

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

Marks = np.ndarray[tuple[int], np.dtype[np.int8]]
Eights = np.ndarray[tuple[int], np.dtype[np.int64]]

__all__ = ["Sweep", "averages_of", "sweep_crossings"]

_PORTION: Final = 16  # pairs a thread takes at a time


@dataclass(frozen=True, slots=True)
class Sweep:
    """What each pair came to: cash and the position's worth at the last close, and round trips closed."""

    equity: Vector
    trades: NDArray[np.int64]


@bare_kernel
def mark(fast: Vector, slow: Vector, marks: NDArray[np.int8], turns: NDArray[np.int8]) -> None:
    """Mark where fast is above slow, and where that changes; an unknown one is not above."""
    for i in range(fast.size):
        marks[i] = fast[i] > slow[i]
    for i in range(1, fast.size):
        turns[i] = marks[i] ^ marks[i - 1]


@bare_kernel
def crossings(p: Vector, prices: tuple[Vector, Vector], marks: tuple[Marks, Marks, Eights], out: Vector) -> None:
    """Enter with all cash at the open after a rise above, leave at the open after a fall below.

    ``p`` is cash, what a unit costs to buy and brings when sold, and the first bar that both columns are known at.
    ``marks`` are those of ``mark`` and its turns once more, eight bars in one number: most of those are zero.
    """
    opens, closes = prices
    above, turns, eights = marks
    cash, paid, brought, begin = p[0], p[1], p[2], int(p[3])
    qty, trades, last = 0.0, 0.0, opens.size - 1
    for block in range(begin // 8, eights.size):
        if eights[block] == 0:
            continue
        for i in range(block * 8, min(block * 8 + 8, last)):
            if turns[i] == 0 or i <= begin:
                continue
            if above[i] != 0:
                if qty == 0.0:
                    qty = cash / (opens[i + 1] * paid)
                    cash = 0.0
            elif qty != 0.0:
                cash = qty * opens[i + 1] * brought
                qty = 0.0
                trades += 1.0
    out[0], out[1] = cash + qty * closes[last], trades


def averages_of(closes: Vector, lengths: Iterable[int]) -> dict[int, Vector]:
    """Return the simple average of each length, each computed once."""
    found = {}
    for length in sorted(set(lengths)):
        column = np.empty(closes.size)
        sma.compiled(np.array([float(length)]), np.zeros(4 + length), closes, column)
        found[length] = column
    return found


def sweep_crossings(  # noqa: PLR0913 - the terms of the account by name
    prices: tuple[Vector, Vector],
    columns: dict[int, Vector],
    pairs: list[tuple[int, int]],
    *,
    cash: float,
    fee_bps: float = 0.0,
    slippage_bps: float = 0.0,
    threads: int = 1,
) -> Sweep:
    """Trade the crossing of each pair of columns.

    Args:
        prices: opens and closes.
        columns: by number, e.g. averages by length.
        pairs: fast and slow column.
        cash: at the start.
        fee_bps: of the amount, hundredths of a percent.
        slippage_bps: against each fill.
        threads: how many share the pairs; the machine code holds no lock.
    """
    out = np.zeros((len(pairs), 2))
    known = {number: int(np.argmax(column == column)) for number, column in columns.items()}  # noqa: PLR0124 - not NaN
    fee, slip = fee_bps / 1e4, slippage_bps / 1e4
    paid, brought = (1 + slip) * (1 + fee), (1 - slip) * (1 - fee)
    count = prices[0].size
    run, tell = crossings.compiled, mark.compiled

    def work(start: int) -> None:
        marks, turns = np.empty(count, np.int8), np.zeros(-(-count // 8) * 8, np.int8)
        told = (marks, turns, turns.view(np.int64))
        for index in range(start, min(start + _PORTION, len(pairs))):
            fast, slow = pairs[index]
            tell(columns[fast], columns[slow], marks, turns)
            begin = float(max(known[fast], known[slow]))
            run(np.array([cash, paid, brought, begin]), prices, told, out[index])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(0, len(pairs), _PORTION)))
    return Sweep(out[:, 0], out[:, 1].astype(np.int64))
