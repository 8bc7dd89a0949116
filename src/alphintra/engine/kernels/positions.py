"""Kernels of the strategy's own book, as of each close."""

from __future__ import annotations

import math

from alphintra.engine.kernels.kernel import Vector, kernel

__all__ = ["account", "position"]

NAN = math.nan
PERCENT = 100.0


@kernel
def position(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector,
    s: Vector,
    high: Vector,
    low: Vector,
    close: Vector,
    qty: Vector,
    avg_price: Vector,
    entries: Vector,
    last_entry: Vector,
    out_qty: Vector,
    out_price: Vector,
    bars: Vector,
    gain: Vector,
    top: Vector,
    bottom: Vector,
    out_entries: Vector,
    last_price: Vector,
) -> None:
    """Quantity, average price, bars since the entry (1 at the entry's), gain in percent, high and low since the entry.

    Further how many entries there were, and the price of the last.

    Flat: quantity, bars and entries are zero, the rest is unknown. The bar of the entry counts whole.
    State: side of the position, bars, high, low.
    """
    side, held, highest, lowest = s[0], s[1], s[2], s[3]
    for i in range(qty.size):
        now = 1.0 if qty[i] > 0 else (-1.0 if qty[i] < 0 else 0.0)
        if now != side:
            side, held, highest, lowest = now, 0.0, high[i], low[i]
        out_qty[i], out_entries[i] = qty[i], entries[i] if now != 0.0 else 0.0
        last_price[i] = last_entry[i] if now != 0.0 else NAN
        if now == 0.0:
            out_price[i], bars[i], gain[i], top[i], bottom[i] = NAN, 0.0, NAN, NAN, NAN
            continue
        held += 1.0
        highest = high[i] if high[i] > highest else highest
        lowest = low[i] if low[i] < lowest else lowest
        out_price[i], bars[i], top[i], bottom[i] = avg_price[i], held, highest, lowest
        gain[i] = now * (close[i] / avg_price[i] - 1.0) * PERCENT if avg_price[i] > 0 else NAN
    s[0], s[1], s[2], s[3] = side, held, highest, lowest


@kernel
def account(  # noqa: PLR0913 - a kernel takes its ports
    p: Vector, s: Vector, cash: Vector, equity: Vector, out_equity: Vector, out_cash: Vector, power: Vector
) -> None:
    """Equity, cash, and what may be spent: nothing is bought on credit."""
    for i in range(cash.size):
        out_equity[i], out_cash[i] = equity[i], cash[i]
        power[i] = cash[i] if cash[i] > 0 else 0.0
