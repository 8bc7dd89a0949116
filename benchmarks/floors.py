"""The hand-written loops the engines are held against: each workload once, as fast as plain numba goes, and no more.

The rules are those of every engine in the comparison: a signal at a close is filled at the next open, a fee of so much
of the amount, all cash in, nothing rounded. Needs numba; only ``benchmarks.contest`` imports this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit, prange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

BUY, SELL = 1, 2

__all__ = ["crossover", "guarded_crossover", "moving_average", "rotation", "sweep"]


@njit(cache=True)
def crossover(
    opens: Column, closes: Column, rules: tuple[int, int, float, float], equity: Column, trades: Column
) -> int:
    """Trade the crossing of two simple averages; return how many trades were closed.

    ``rules`` are both lengths, the cash and the fee; of a trade are kept both bars, both prices, quantity and profit.
    """
    fast, slow, cash, fee = rules
    quick = late = qty = paid = 0.0
    asked = closed = 0
    was_above = False
    for i in range(closes.size):
        if asked == BUY:
            paid, qty = cash, cash / (opens[i] * (1.0 + fee))
            cash = 0.0
            trades[closed, 0], trades[closed, 2] = i, opens[i]
        elif asked == SELL:
            cash = qty * opens[i] * (1.0 - fee)
            trades[closed, 1], trades[closed, 3], trades[closed, 4], trades[closed, 5] = i, opens[i], qty, cash - paid
            qty = 0.0
            closed += 1
        asked = 0
        close = closes[i]
        quick += close
        late += close
        if i >= fast:
            quick -= closes[i - fast]
        if i >= slow:
            late -= closes[i - slow]
        equity[i] = cash + qty * close
        if i >= slow - 1:
            is_above = quick * slow > late * fast
            if i >= slow and is_above != was_above:
                if is_above and qty == 0.0:
                    asked = BUY
                elif not is_above and qty != 0.0:
                    asked = SELL
            was_above = is_above
    return closed


@njit(cache=True)
def guarded_crossover(  # noqa: C901, PLR0912, PLR0915 - the floor is one loop
    prices: tuple[Column, Column, Column, Column],
    rules: tuple[int, int, float, float],
    bounds: tuple[int, float, float],
    equity: Column,
    trades: Column,
) -> int:
    """Trade the crossing with a trailing stop and a target in average true ranges, in order of time within a bar.

    The target lies above the price the entry filled at; the entry's own bar counts.

    ``bounds`` are the range's length (Wilder's, as TA-Lib seeds it), the trail's and the target's multiple of it.
    """
    opens, highs, lows, closes = prices
    fast, slow, cash, fee = rules
    length, trail, reach = bounds
    quick = late = qty = paid = spread = room = target = best = total = 0.0
    asked = closed = 0
    was_above = False
    for i in range(closes.size):
        opened, high, low, close = opens[i], highs[i], lows[i], closes[i]
        left = 0.0
        if asked == BUY:
            paid, qty = cash, cash / (opened * (1.0 + fee))
            cash, best, target = 0.0, opened, opened + reach * spread
            room = trail * spread
            trades[closed, 0], trades[closed, 2] = i, opened
        elif asked == SELL:
            left = opened
        asked = 0
        if qty != 0.0 and left == 0.0:
            if opened <= best - room or opened >= target:
                left = opened
            else:
                best = max(best, opened)
                if low <= best - room:
                    left = best - room
                elif high >= target:
                    left = target
                elif close <= max(best, high) - room:
                    left = close
                best = max(best, high)
        if left != 0.0:
            cash = qty * left * (1.0 - fee)
            trades[closed, 1], trades[closed, 3], trades[closed, 4], trades[closed, 5] = i, left, qty, cash - paid
            qty = 0.0
            closed += 1
        if i > 0:
            reached = max(high, closes[i - 1]) - min(low, closes[i - 1])
            total += reached if i <= length else 0.0
            spread = total / length if i <= length else (spread * (length - 1) + reached) / length
        quick += close
        late += close
        if i >= fast:
            quick -= closes[i - fast]
        if i >= slow:
            late -= closes[i - slow]
        equity[i] = cash + qty * close
        if i >= slow - 1:
            is_above = quick * slow > late * fast
            if i >= slow and is_above != was_above:
                if is_above and qty == 0.0:
                    asked = BUY
                elif not is_above and qty != 0.0:
                    asked = SELL
            was_above = is_above
    return closed


@njit(cache=True)
def moving_average(closes: Column, length: int, out: Column) -> None:
    """Write the simple average; what comes before the first whole window stays as it is."""
    total = 0.0
    for i in range(closes.size):
        total += closes[i]
        if i >= length:
            total -= closes[i - length]
        if i >= length - 1:
            out[i] = total / length


@njit(cache=True)
def _marked(fast: Column, slow: Column, marks: NDArray[np.int8], turns: NDArray[np.int8]) -> None:
    """Mark where fast is above slow, and where that changes; two loops without a branch."""
    for i in range(fast.size):
        marks[i] = fast[i] > slow[i]
    for i in range(1, fast.size):
        turns[i] = marks[i] ^ marks[i - 1]


@njit(cache=True, parallel=True)
def sweep(opens: Column, averages: Column, pairs: NDArray[np.int64], terms: tuple[float, float], out: Column) -> None:
    """Trade the crossing of each pair of averages; write cash, quantity and trades. Visits the bars that cross alone.

    ``averages`` are [lengths, bars]; a pair is two rows and the length of its slower one; ``terms`` cash and fee.
    """
    start_cash, fee = terms
    count = opens.size
    for k in prange(pairs.shape[0]):
        begin = pairs[k, 2] - 1
        marks, turns = np.empty(count, np.int8), np.zeros(count + 8, np.int8)
        _marked(averages[pairs[k, 0]], averages[pairs[k, 1]], marks, turns)
        eights = turns[: count // 8 * 8 + 8].view(np.int64)
        cash, qty, trades = start_cash, 0.0, 0
        for block in range(begin // 8, eights.size):
            if eights[block] == 0:
                continue
            for i in range(block * 8, min(block * 8 + 8, count - 1)):
                if turns[i] and i > begin:
                    if marks[i]:
                        if qty == 0.0:
                            qty = cash / (opens[i + 1] * (1.0 + fee))
                    elif qty != 0.0:
                        cash = qty * opens[i + 1] * (1.0 - fee)
                        qty = 0.0
                        trades += 1
        out[k, 0], out[k, 1], out[k, 2] = cash, qty, trades


@njit(cache=True)
def rotation(  # noqa: C901, PLR0912 - the floor is one loop
    opens: Column, closes: Column, rules: tuple[int, int, int, float, float, float], equity: Column
) -> int:
    """Hold the best of [symbols, bars] by their return, at a weight each; return how many fills there were.

    ``rules`` are bars between rebalances, bars of the return, how many are held, weight, cash and fee.
    """
    every, back, held, weight, cash, fee = rules
    symbols, count = closes.shape
    qty = np.zeros(symbols)
    gains = np.empty(symbols)
    wanted = np.zeros(symbols)
    fills = 0
    is_asked = False
    for i in range(count):
        if is_asked:
            worth = cash
            for j in range(symbols):
                worth += qty[j] * opens[j, i]
            for turn in range(2):
                for j in range(symbols):
                    change = wanted[j] * worth / opens[j, i] - qty[j]
                    if (turn == 0 and change < 0.0) or (turn == 1 and change > 0.0):
                        if change > 0.0:
                            change = min(change, cash / (opens[j, i] * (1.0 + fee)))
                        amount = change * opens[j, i]
                        cash -= amount + abs(amount) * fee
                        qty[j] += change
                        fills += 1
            is_asked = False
        worth = cash
        for j in range(symbols):
            worth += qty[j] * closes[j, i]
        equity[i] = worth
        if i >= back and i % every == 0:
            for j in range(symbols):
                gains[j] = closes[j, i] / closes[j, i - back]
            wanted[:] = 0.0
            for _ in range(held):
                best = 0
                for j in range(1, symbols):
                    if gains[j] > gains[best]:
                        best = j
                wanted[best] = weight
                gains[best] = -1.0
            is_asked = True
    return fills
