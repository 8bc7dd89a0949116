"""The kernel of an account that holds many symbols at target weights; exact as ``account.kernel`` is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.kernels.exact import is_within, over
from alphintra.engine.kernels.kernel import Vector, bare_kernel, part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Panel = NDArray[np.float64]

__all__ = ["FILL_WIDTH", "PARAMS", "holdings"]

EXACT_MAX: Final = 2.0**53
BILLION: Final = 1e9
BPS_NANO: Final = 1e13
PERCENT_NANO: Final = 1e11

SCALE, IS_EXACT, UNIT, LOT_NANO, SLIP, FEE_BPS, FEE_UNIT, FEE_MIN, BAND, AT_FILL = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
PARAMS: Final = 10
CASH, FILLS, REFUSED, INEXACT = 0, 1, 2, 3
STATE: Final = 4
HELD, COST, WANTED, LAST, ASKED = 0, 1, 2, 3, 4  # rows of what is kept of each symbol; wanted is in signed lots
ROWS: Final = 5
FILL_WIDTH: Final = 7  # bar, symbol, signed lots, price, fee, realized, cash after


@part
def _value(p: Vector, s: Vector, lots: float, price: float) -> float:
    """Return what lots are worth at a price."""
    worth = lots * p[UNIT] * price if p[UNIT] != 0.0 else over(lots * p[LOT_NANO], price, 0.0, 0.0, BILLION)
    if p[IS_EXACT] != 0.0 and not max(abs(worth), abs(lots) * p[LOT_NANO]) <= EXACT_MAX:
        s[INEXACT] = 1.0
    return worth


@part
def _lots(p: Vector, s: Vector, equity: float, share: float, price: float) -> float:
    """Return the signed lots a share of equity (in billionths of a percent) is worth, rounded towards none."""
    if p[IS_EXACT] == 0.0:
        return equity * (share / PERCENT_NANO) / price
    if equity <= 0.0 or share == 0.0:
        return 0.0
    size, lot = abs(share), p[LOT_NANO] * 100.0
    lots = float(math.floor(equity * size / (price * lot)))
    if lots * price > EXACT_MAX or lot > EXACT_MAX:
        s[INEXACT] = 1.0
        return 0.0
    while not is_within(lots * price, lot, equity, size):
        lots -= 1.0
    while is_within((lots + 1.0) * price, lot, equity, size):
        lots += 1.0
    return lots if share > 0.0 else -lots


@part
def _charged(p: Vector, lots: float, worth: float) -> float:
    """Return the fee of a fill."""
    if p[IS_EXACT] == 0.0:
        return float(max(p[FEE_MIN], worth * (p[FEE_BPS] / BPS_NANO) + p[FEE_UNIT] * 1e-9 * lots))
    return float(max(p[FEE_MIN], over(worth, p[FEE_BPS], p[FEE_UNIT] * 10.0, lots * p[LOT_NANO], BPS_NANO)))


@part
def _fill(p: Vector, s: Vector, kept: Panel, place: tuple[int, int, float, float], fills: Panel) -> None:
    """Fill signed lots of a symbol at an open, or refuse what costs more than the free cash."""
    bar, symbol, lots, opened = place
    side = 1.0 if lots > 0.0 else -1.0
    price = opened
    if p[SLIP] != 0.0:
        price = (
            over(opened, BPS_NANO + side * p[SLIP], 0.0, 0.0, BPS_NANO)
            if p[IS_EXACT] != 0.0
            else opened * (1.0 + side * p[SLIP] / BPS_NANO)
        )
    size = abs(lots)
    worth = _value(p, s, size, price)
    fee = _charged(p, size, worth)
    held = kept[HELD, symbol]
    if lots > 0.0 and held >= 0.0 and s[CASH] - worth - fee < 0.0:
        if p[IS_EXACT] != 0.0:
            s[REFUSED] += 1.0
            return
        size = max(s[CASH] / (price * (1.0 + p[FEE_BPS] / BPS_NANO)), 0.0)  # other engines buy what the cash pays
        lots, worth = size, size * price
        fee = _charged(p, size, worth)
    realized = 0.0
    if held * side >= 0.0:
        kept[COST, symbol] += side * worth
    else:
        closed = min(size, abs(held))
        amount = worth if closed == size else _value(p, s, closed, price)
        cost = kept[COST, symbol]
        released = cost
        if closed != abs(held):
            released = over(cost, closed, 0.0, 0.0, abs(held)) if p[IS_EXACT] != 0.0 else cost * (closed / abs(held))
        realized = -side * amount - released
        kept[COST, symbol] = side * (worth - amount) if closed != size else cost - released
    kept[HELD, symbol] = held + lots
    s[CASH] -= side * worth + fee
    row = fills[int(s[FILLS])]
    row[0], row[1], row[2], row[3], row[4], row[5], row[6] = bar, symbol, lots, price, fee, realized, s[CASH]
    s[FILLS] += 1.0


@part
def _is_due(kept: Panel, symbol: int, opened: float) -> bool:
    """Tell whether something is wanted of a symbol that has a bar."""
    return not math.isnan(kept[ASKED, symbol]) and opened > 0.0


@part
def _sell(p: Vector, s: Vector, kept: Panel, bar: int, opens: Panel, fills: Panel) -> None:
    """Fill what is to be sold, the first symbol first; where quantities are reckoned at the fill, reckon them all."""
    worth = s[CASH]
    if p[AT_FILL] != 0.0:
        for j in range(opens.shape[0]):
            worth += kept[HELD, j] * opens[j, bar]
    for j in range(opens.shape[0]):
        if _is_due(kept, j, opens[j, bar]):
            if p[AT_FILL] != 0.0:
                kept[WANTED, j] = worth * (kept[ASKED, j] / PERCENT_NANO) / opens[j, bar] - kept[HELD, j]
            if kept[WANTED, j] < 0.0:
                _fill(p, s, kept, (bar, j, kept[WANTED, j], _units(p, opens[j, bar])), fills)
            if not kept[WANTED, j] > 0.0:
                kept[ASKED, j] = math.nan


@part
def _trade(p: Vector, s: Vector, kept: Panel, bar: int, opens: Panel, fills: Panel) -> None:
    """Fill what is wanted where a symbol has a bar: sells, then buys, the largest weight and the first symbol first."""
    _sell(p, s, kept, bar, opens, fills)
    while True:
        chosen = -1
        for j in range(opens.shape[0]):
            if _is_due(kept, j, opens[j, bar]) and (chosen < 0 or kept[ASKED, j] > kept[ASKED, chosen]):
                chosen = j
        if chosen < 0:
            return
        _fill(p, s, kept, (bar, chosen, kept[WANTED, chosen], _units(p, opens[chosen, bar])), fills)
        kept[ASKED, chosen] = math.nan


@part
def _units(p: Vector, price: float) -> float:
    """Return a price in the account's units."""
    return price if p[SCALE] == 1.0 else float(np.rint(price * p[SCALE]))


@part
def _ask(p: Vector, s: Vector, kept: Panel, told: tuple[Panel, int], closes: tuple[Panel, int], equity: float) -> bool:
    """Note what a rebalance wants of each symbol that has a bar; tell whether it wants anything."""
    is_asked = False
    weights, turn = told
    panel, bar = closes
    for j in range(weights.shape[0]):
        share, price = weights[j, turn], panel[j, bar]
        if math.isnan(share) or not price > 0.0:
            continue
        kept[LAST, j] = _units(p, price)
        if p[IS_EXACT] != 0.0 and abs(price * p[SCALE] - kept[LAST, j]) > kept[LAST, j] * 1e-15:
            s[INEXACT] = 1.0
        share = float(np.rint(share * PERCENT_NANO))
        kept[ASKED, j] = share
        is_asked = True
        if p[AT_FILL] != 0.0:
            continue
        change = _lots(p, s, equity, share, kept[LAST, j]) - kept[HELD, j]
        if share != 0.0 and p[BAND] != 0.0:
            moved = _value(p, s, abs(change), kept[LAST, j])
            if is_within(moved, PERCENT_NANO, max(equity, 0.0), p[BAND]) and moved * PERCENT_NANO != equity * p[BAND]:
                change = 0.0
        kept[WANTED, j] = change
        if change == 0.0:
            kept[ASKED, j] = math.nan
    return is_asked


@part
def _mark(p: Vector, s: Vector, kept: Panel, symbol: int, closes: Vector, equities: Vector) -> None:
    """Add what a holding is worth at some closes; where it has no bar it is worth what it was before."""
    scale, unit, is_exact = p[SCALE], p[UNIT], p[IS_EXACT] != 0.0
    qty, last, lossy = kept[HELD, symbol], kept[LAST, symbol], 0
    if unit != 0.0 and not is_exact:
        for i in range(closes.size):
            last = closes[i] if closes[i] > 0.0 else last
            equities[i] += qty * unit * last
    else:
        for i in range(closes.size):
            if closes[i] > 0.0:
                last = _units(p, closes[i])
                lossy += 1 if abs(closes[i] * scale - last) > last * 1e-15 else 0
            equities[i] += _value(p, s, qty, last)
    if is_exact and lossy > 0:
        s[INEXACT] = 1.0
    kept[LAST, symbol] = last


@bare_kernel
def holdings(
    p: Vector,
    s: Vector,
    kept: Panel,
    panels: tuple[Panel, Panel],
    told: tuple[NDArray[np.int64], Panel],
    out: tuple[Vector, Panel, NDArray[np.int64]],
) -> None:
    """Run the account over bars of [symbols, bars]: opens and closes; write equity and fills.

    ``told`` are the bars of the rebalances and the weights [symbols, rebalances] asked for at their closes, shares of
    one; NaN asks for nothing. A symbol without a bar never fills. The last of ``out`` has room for what is held.
    """
    opens, closes = panels
    asked, weights = told
    equities, fills, owned = out
    symbols, count = closes.shape
    turn, holds, is_waiting, i = 0, 0, False, 0
    while i < count:
        if is_waiting:
            _trade(p, s, kept, i, opens, fills)
            is_waiting, holds = False, 0
            for j in range(symbols):
                is_waiting = is_waiting or not math.isnan(kept[ASKED, j])
                if kept[HELD, j] != 0.0:
                    owned[holds] = j
                    holds += 1
        # Nothing is traded before the next rebalance's close, unless an order still waits for its symbol's bar.
        end = asked[turn] + 1 if turn < asked.size else count
        end = i + 1 if is_waiting else max(min(end, count), i + 1)
        for at in range(i, end):
            equities[at] = s[CASH]
        for place in range(holds):
            _mark(p, s, kept, owned[place], closes[owned[place], i:end], equities[i:end])
        i = end
        if turn < asked.size and asked[turn] == i - 1:
            is_waiting = _ask(p, s, kept, (weights, turn), (closes, i - 1), equities[i - 1]) or is_waiting
            turn += 1
