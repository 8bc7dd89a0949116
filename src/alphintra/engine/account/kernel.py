"""The account kernel: one account, one symbol, bar by bar over columns; interpreted for few bars, compiled for many.

Amounts are whole millionths of a currency unit and quantities whole lots, both held in float64, where whole numbers are
exact up to 2^53: nine billion units of currency. Products beyond that are taken exactly in two floats and rounded once,
half to even, as ``kernel.money`` rounds. What does not fit sets a mark, and the reference decides (decision 0017).
With a scale of one nothing is rounded: the arithmetic of other engines.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.account.course import fold
from alphintra.engine.account.levels import (
    ASKED_STOP,
    ASKED_TARGET,
    DISTANCE,
    PERCENT,
    PERCENT_NANO,
    PRICE,
    STOP_KIND,
    TARGET_KIND,
    exit_levels,
)
from alphintra.engine.account.lots import ALL_CASH, SIZE_KIND, size_of
from alphintra.engine.account.stretches import at, fetch, follow, mark, signals, spoilt, watch
from alphintra.engine.account.waiting import AT_LIMIT, is_in_order, met, met_known, rest
from alphintra.engine.kernels.amounts import (
    BPS_NANO,
    EXACT_MAX,
    FEE_BPS,
    INEXACT,
    IS_EXACT,
    SCALE,
    SLIP,
    UNIT,
    fee_of,
    in_units,
    level_of,
    lost_by,
    moved_by,
    value_of,
)
from alphintra.engine.kernels.exact import over
from alphintra.engine.kernels.kernel import Vector, bare_kernel, part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphintra.engine.account.stretches import Room

    Outputs = tuple[Vector, NDArray[np.int8], NDArray[np.float64], NDArray[np.float64], Vector]

__all__ = ["FILL_WIDTH", "ORDER_WIDTH", "PARAMS", "STATE", "account"]

NAN: Final = math.nan

# What the parameters are after those of ``kernels.amounts``.
TRAIL_KIND, TRAIL_NUMBER = 15, 16  # after those of ``levels``
HAS_CHANDELIER, BREAK_EVEN, BARS_MAX, IS_GUARDED, WARM_UP, MODE, BORROWS = 17, 18, 19, 20, 21, 22, 23
PRICING, WAIT_BARS = 24, 25  # 0 market, 1 limit, 2 stop; bars an entry waits for its price, 0 for any number
PARAMS: Final = 26

# What is kept from one bar to the next.
CASH, QTY, COST, REALIZED, CARRY = 0, 1, 2, 3, 4
PENDING, ORDERED, CREATED = 5, 6, 7  # reason of the order that works, its signed lots, the bar it was created at
FILLS, ORDERS, SEEN, AMBIGUOUS = 8, 9, 10, 12
ENTRY_PRICE, STOP, TARGET, TRAIL, BEST, SINCE, GUARDED = 13, 14, 15, 16, 17, 18, 19
ASKED_TRAIL, ASKED_CHANDELIER, FETCHED = 22, 23, 24  # after those of ``levels``
WAITS_AT, WAITED = 25, 26  # price of the entry that waits, bars it has met
ENTERED = 27  # bar at which the entry was created that the exits came with
STATE: Final = 28
TOGETHER: Final = 16  # bars that a loop without a branch takes in one turn

ENTRY, LEAVE, TIME, BY_STOP, BY_TARGET, BY_TRAIL = 1.0, 2.0, 3.0, 4.0, 5.0, 6.0
NEW, FILLED, REJECTED, EXPIRED, CANCELED = 0.0, 1.0, 2.0, 3.0, 4.0
ORDER_WIDTH: Final = 7  # created, signed lots, reason, status, bar of its end, what the leave column said, price
FILL_WIDTH: Final = 9  # bar, signed lots, price, fee, realized, reason, created, ambiguous, cash after
WARMING, NO_SIGNAL, INTENT, IN_POSITION, NO_POSITION, ZERO_QTY, NO_PROTECTION = 0, 1, 2, 3, 4, 5, 6
ORDER_WORKING, NO_PRICE, ENTRY_CANCELED, EXIT_SIDE, ENTERING = 7, 8, 9, 10, -1
VECTORBT, BACKTRADER = 1.0, 2.0


@part
def _book(s: Vector, fills: Vector, bar: int, terms: tuple[float, ...], worth: float) -> None:
    """Book a fill: signed lots, price, fee, reason, bar the order was created at, whether it is ambiguous."""
    lots, price, fee, reason, created, ambiguous = terms
    direction = 1.0 if lots > 0.0 else -1.0
    realized = 0.0
    if s[QTY] * direction >= 0.0:
        s[COST] += direction * worth
    else:
        realized = -direction * worth - s[COST]
        s[COST] = 0.0
        s[REALIZED] += realized
    s[QTY] += lots
    s[CASH] += -direction * worth - fee
    if abs(s[CASH]) > EXACT_MAX:
        s[INEXACT] = 1.0
    row = fills[int(s[FILLS])]
    row[0], row[1], row[2], row[3], row[4] = bar, lots, price, fee, realized
    row[5], row[6], row[7], row[8] = reason, created, ambiguous, s[CASH]
    s[FILLS] += 1.0


@part
def _all_cash(p: Vector, s: Vector, price: float) -> float:
    """Return what all cash buys at a price with its fee."""
    return float(s[CASH] / (price * (1.0 + p[FEE_BPS] / BPS_NANO)))


@part
def _open(p: Vector, s: Vector, prices: tuple[float, ...], bar: int, orders: Vector, fills: Vector) -> None:
    """Fill or refuse the order that works at an open; with vectorbt an exit that the bar executes comes before it."""
    if p[MODE] == VECTORBT and s[GUARDED] != 0.0:
        _protect(p, s, bar, prices, fills)
        if s[QTY] == 0.0:
            _end(s, orders, bar, CANCELED)
            return
    opened, direction = prices[0], 1.0 if s[ORDERED] > 0.0 else -1.0
    _fill(p, s, (moved_by(p, opened, direction * p[SLIP], BPS_NANO), opened), bar, orders, fills)


@part
def _wait(p: Vector, s: Vector, bar: tuple[float, float, float], index: int, orders: Vector, fills: Vector) -> float:
    """Let the entry that waits for a price meet a bar; return the signed level it was filled at within, else NaN."""
    direction = 1.0 if s[ORDERED] > 0.0 else -1.0
    reached, level = met(p[PRICING], bar, s[WAITS_AT], direction)
    if math.isnan(reached):
        s[WAITED] += 1.0
        if p[WAIT_BARS] != 0.0 and s[WAITED] >= p[WAIT_BARS]:
            _end(s, orders, index, EXPIRED)
        return NAN
    price = reached if p[PRICING] == AT_LIMIT else moved_by(p, reached, direction * p[SLIP], BPS_NANO)
    _fill(p, s, (price, reached), index, orders, fills)
    return float(level)


@part
def _end(s: Vector, orders: Vector, bar: int, status: float) -> None:
    """End the order that works without a fill."""
    order = orders[int(s[ORDERS]) - 1]
    order[3], order[4] = status, bar
    s[PENDING] = 0.0


@part
def _fill(p: Vector, s: Vector, prices: tuple[float, float], bar: int, orders: Vector, fills: Vector) -> None:
    """Fill or refuse the order that works at a price; with the market's own price at that moment."""
    price, opened = prices
    lots, reason = s[ORDERED], s[PENDING]
    direction = 1.0 if lots > 0.0 else -1.0
    if reason == ENTRY and p[SIZE_KIND] == ALL_CASH:
        lots = direction * _all_cash(p, s, price)
    size = abs(lots)
    worth = value_of(p, s, size, price)
    fee = fee_of(p, s, size, worth)
    order = orders[int(s[ORDERS]) - 1]
    order[4] = bar
    s[PENDING] = 0.0
    if p[IS_EXACT] != 0.0 and lots > 0.0 and s[QTY] >= 0.0 and s[CASH] - worth - fee < 0.0:
        order[3] = REJECTED
        return
    order[1], order[3] = lots, FILLED
    _book(s, fills, bar, (lots, price, fee, reason, s[CREATED], 0.0), worth)
    if reason == ENTRY and p[SIZE_KIND] == ALL_CASH and lots > 0.0:
        s[CASH] = 0.0  # what rounding left of it is dust
    if reason != ENTRY:
        s[GUARDED] = 0.0
    elif p[IS_GUARDED] != 0.0:
        s[BEST] = opened * direction
        _guard(p, s, bar, price, direction)


@part
def _guard(p: Vector, s: Vector, bar: int, price: float, direction: float) -> None:
    """Place the exits of an entry that filled at a price."""
    s[GUARDED], s[ENTRY_PRICE], s[SINCE], s[ENTERED] = 1.0, price, bar, s[CREATED]
    s[STOP], s[TARGET] = exit_levels(p, s, price, direction)
    s[TRAIL] = s[ASKED_TRAIL]
    if p[HAS_CHANDELIER] != 0.0:
        _tighten(s, price - direction * s[ASKED_CHANDELIER], direction)


@part
def _tighten(s: Vector, level: float, direction: float) -> None:
    """Move the stop towards the market, never away from it."""
    if level > 0.0 and not s[STOP] * direction >= level * direction:
        s[STOP] = level


@part
def _trail_level(p: Vector, s: Vector, best: float, direction: float) -> float:
    """Return the signed level of a trailing stop at its best price, NaN without one."""
    if p[TRAIL_KIND] == DISTANCE:
        return float(best - s[TRAIL])
    if p[TRAIL_KIND] == PERCENT:
        return float(direction * moved_by(p, best * direction, -direction * p[TRAIL_NUMBER], PERCENT_NANO))
    return NAN


@part
def _meet(p: Vector, s: Vector, bar: tuple[float, float, float, float, float]) -> tuple[float, float, float]:
    """Let the exits meet a bar; return reason (0: none), level, and whether it is ambiguous. Signed: up is better.

    The last number of the bar tells that it is the rest of one, from the moment on at which the entry was filled.
    """
    direction = 1.0 if s[QTY] > 0.0 else -1.0
    opened, best, worst, closed, is_rest = bar
    stop, target, trailed = s[STOP] * direction, s[TARGET] * direction, s[BEST]
    if opened <= stop:
        return BY_STOP, opened, 1.0 if is_rest != 0.0 and best >= target and opened < target else 0.0
    if opened <= _trail_level(p, s, trailed, direction):
        return BY_TRAIL, opened, 0.0
    if opened >= target:
        if is_rest == 0.0 or not (worst <= stop or worst <= _trail_level(p, s, max(opened, trailed), direction)):
            return BY_TARGET, opened, 0.0
        target = NAN  # at the moment of the entry's fill: what stops comes first
    level = _trail_level(p, s, max(opened, trailed), direction)
    reason, found, ambiguous = 0.0, 0.0, 0.0
    if worst <= stop and not (worst <= level and level > stop):
        reason, found = BY_STOP, stop
    elif worst <= level:
        reason, found = BY_TRAIL, level
    if best >= target:
        ambiguous = 1.0
    if reason == 0.0 and ambiguous != 0.0:
        reason, found, ambiguous = BY_TARGET, target, 0.0
    if reason == 0.0 and closed <= _trail_level(p, s, max(best, trailed), direction):
        reason, found = BY_TRAIL, closed
    return reason, found, ambiguous


@part
def _protect(p: Vector, s: Vector, index: int, prices: tuple[float, ...], fills: Vector) -> None:
    """Let the exits of the position meet a bar: open, high, low, close, and the level its entry was filled at in it."""
    opened, high, low, close, level = prices
    direction = 1.0 if s[QTY] > 0.0 else -1.0
    if p[MODE] != 0.0 and s[SINCE] == index:  # the entry's bar does not count
        if p[MODE] == VECTORBT:
            _guard(p, s, index, close, direction)
        s[BEST] = close * direction
        return
    best, worst = (high, low) if direction > 0.0 else (-low, -high)
    bar = (opened * direction, best, worst, close * direction, 0.0)
    if not math.isnan(level):
        bar = rest(p[PRICING], level, bar)
    best = bar[1]
    if p[MODE] != 0.0:
        trail = _trail_level(p, s, s[BEST], direction)
        reason, level, ambiguous = met_known(bar, s[STOP] * direction, s[TARGET] * direction, trail)
    else:
        reason, level, ambiguous = _meet(p, s, bar)
    if reason == 0.0:
        s[BEST] = max(close * direction if p[MODE] == BACKTRADER else best, s[BEST])
        gain = p[BREAK_EVEN]
        if gain != 0.0:
            goal = direction * moved_by(p, s[ENTRY_PRICE], direction * gain, PERCENT_NANO)
            if s[BEST] >= goal:
                _tighten(s, s[ENTRY_PRICE], direction)
        return
    price = level * direction
    if reason != BY_TARGET:
        price = moved_by(p, price, -direction * p[SLIP], BPS_NANO)
    size = abs(s[QTY])
    worth = value_of(p, s, size, price)
    fee = fee_of(p, s, size, worth)
    s[GUARDED] = 0.0
    s[AMBIGUOUS] += ambiguous
    _book(s, fills, index, (-s[QTY], price, fee, reason, s[ENTERED], ambiguous), worth)


@part
def _is_protected(p: Vector, s: Vector, told: tuple[float, ...]) -> bool:
    """Note the levels of the exits an entry brings; False if one of them is not known."""
    s[ASKED_STOP] = level_of(p, told[1]) if p[STOP_KIND] in (PRICE, DISTANCE) else NAN
    s[ASKED_TARGET] = level_of(p, told[2]) if p[TARGET_KIND] in (PRICE, DISTANCE) else NAN
    s[ASKED_TRAIL] = level_of(p, told[3]) if p[TRAIL_KIND] == DISTANCE else NAN
    s[ASKED_CHANDELIER] = level_of(p, told[4]) if p[HAS_CHANDELIER] != 0.0 else NAN
    return not (
        (p[STOP_KIND] in (PRICE, DISTANCE) and math.isnan(s[ASKED_STOP]))
        or (p[TARGET_KIND] in (PRICE, DISTANCE) and math.isnan(s[ASKED_TARGET]))
        or (p[TRAIL_KIND] == DISTANCE and math.isnan(s[ASKED_TRAIL]))
        or (p[HAS_CHANDELIER] != 0.0 and math.isnan(s[ASKED_CHANDELIER]))
    )


@part
def _order(s: Vector, orders: NDArray[np.float64], bar: int, told: tuple[float, float, float]) -> int:
    """Let an order work from this close on: signed lots, reason, and what the leave column said."""
    lots, reason, leave = told
    row = orders[int(s[ORDERS])]
    row[0], row[1], row[2], row[3], row[4], row[5] = bar, lots, reason, NEW, -1.0, leave
    row[6] = s[WAITS_AT] if reason == ENTRY and s[WAITS_AT] > 0.0 else 0.0
    s[WAITED] = 0.0
    s[ORDERS] += 1.0
    s[PENDING], s[ORDERED], s[CREATED] = reason, lots, bar
    return INTENT


@part
def _enter(
    p: Vector, s: Vector, bar: int, marks: tuple[float, float, float], told: tuple[float, ...], orders: Vector
) -> int:
    """Ask for a position, unless its size, its exits or its price are not known; return the outcome.

    ``marks`` are what the entry column says, equity and close; ``told`` the columns from the size on.
    """
    entry, equity, close = marks
    lots = size_of(p, s, (equity, s[CASH]), close, told[0])
    if lots <= 0.0:
        return ZERO_QTY
    if p[IS_GUARDED] != 0.0 and not _is_protected(p, s, told):
        return NO_PROTECTION
    s[WAITS_AT] = level_of(p, told[5]) if p[PRICING] != 0.0 else NAN
    if p[PRICING] != 0.0 and math.isnan(s[WAITS_AT]):
        return NO_PRICE
    if p[IS_GUARDED] != 0.0:
        base, side = s[WAITS_AT] if p[PRICING] != 0.0 else close, 1.0 if entry > 0.0 else -1.0
        stop, target = exit_levels(p, s, base, side)
        if (p[STOP_KIND] != 0.0 and math.isnan(stop)) or (p[TARGET_KIND] != 0.0 and math.isnan(target)):
            return NO_PROTECTION
        if not is_in_order(side, stop, s[WAITS_AT] if p[PRICING] == AT_LIMIT else NAN, target):
            return EXIT_SIDE
    return _order(s, orders, bar, (lots if entry > 0.0 else -lots, ENTRY, 0.0))


@part
def _decide(p: Vector, s: Vector, bar: int, asked: tuple[float, float], orders: Vector) -> int:
    """Decide at a close: exits before entries, one order at a time, entries only when flat; return the outcome.

    ``asked`` are entry and leave. ENTERING is no outcome: a position is to be asked for.
    """
    entry, leave = asked
    is_leaving = leave > 0.0
    held = s[QTY]
    if is_leaving and held != 0.0:
        return _order(s, orders, bar, (-held, LEAVE, leave))
    if is_leaving and s[PENDING] != 0.0:
        _end(s, orders, bar, CANCELED)
        return ENTRY_CANCELED
    outcome = NO_POSITION if is_leaving else NO_SIGNAL
    if entry > 0.0 or entry < 0.0:
        if held != 0.0:
            outcome = IN_POSITION
        elif s[PENDING] != 0.0:
            outcome = ORDER_WORKING
        else:
            return ENTERING
    if s[GUARDED] != 0.0 and p[BARS_MAX] != 0.0 and bar - s[SINCE] + 1.0 >= p[BARS_MAX]:
        return _order(s, orders, bar, (-held, TIME, 0.0))
    return outcome


@part
def _charge(p: Vector, s: Vector, worth: float, rate: float) -> None:
    """Pay for a short position that stands at a close; the rate is of the time since the close before."""
    cost = over(-worth, rate, 0.0, 0.0, BPS_NANO) if p[IS_EXACT] != 0.0 else -worth * (rate / BPS_NANO)
    s[CASH] -= cost
    s[CARRY] += cost


@part
def _mark(p: Vector, s: Vector, span: tuple[int, int], closes: Vector, equities: Vector) -> None:
    """Mark the book to the closes of a stretch on which it stays as it is.

    It goes on to the end of some bars that are worked at together; they are marked again later.
    """
    cash, qty, unit = s[CASH], s[QTY], p[UNIT]
    lossy = 0
    if qty == 0.0 or unit != 0.0:
        start, end = span[0], min(span[0] + -(-(span[1] - span[0]) // TOGETHER) * TOGETHER, closes.size)
        lossy = mark(closes[start:end], equities[start:end], (cash, qty * unit), p[SCALE])
    else:
        for i in range(span[0], span[1]):
            close = in_units(closes[i], p[SCALE])
            lossy += lost_by(closes[i], close, p[SCALE]) > 0.0
            equities[i] = cash + value_of(p, s, qty, close)
    if lossy > 0 and p[IS_EXACT] != 0.0:
        s[INEXACT] = 1.0


@part
def _watch(p: Vector, s: Vector, span: tuple[int, int], prices: tuple[Vector, ...]) -> int:
    """Return the bar up to which surely no exit executes nor its time is up."""
    start, end = span
    if p[BARS_MAX] != 0.0:
        end = min(end, int(s[SINCE] + p[BARS_MAX] - 1.0 - s[SEEN]))
    side = 1.0 if s[QTY] > 0.0 else -1.0
    levels, share, room, near = _levels(p, s, side)
    end, s[BEST] = watch(prices, (start, end), (side, p[SCALE]), levels, (s[BEST], share, room, near))
    if p[IS_EXACT] != 0.0:
        lossy = 0
        for column in prices[:3]:
            lossy += spoilt(column[start:end], p[SCALE])
        if lossy > 0:
            s[INEXACT] = 1.0
    return end


@part
def _levels(p: Vector, s: Vector, side: float) -> tuple[tuple[float, float], float, float, float]:
    """Return a position's signed stop and target, and of its trail the share of the best price, room and nearness.

    What a trail is rounded by is within the room; where it matters, the exact level is asked for.
    """
    margin, share, room, near = 2.0 * p[IS_EXACT], 1.0, NAN, 0.0
    if p[TRAIL_KIND] == DISTANCE:
        room = s[TRAIL] - margin
    elif p[TRAIL_KIND] == PERCENT:
        share, room, near = 1.0 - side * (p[TRAIL_NUMBER] / PERCENT_NANO), -margin, 1e-9
    return (s[STOP] * side, s[TARGET] * side), share, room, near


@part
def _ratchet(p: Vector, s: Vector, told: float) -> None:
    """Let a chandelier follow the best price at the distance a close tells."""
    distance, side = level_of(p, told), 1.0 if s[QTY] > 0.0 else -1.0
    if distance > 0.0:
        _tighten(s, side * s[BEST] - side * distance, side)


@bare_kernel
def account(  # noqa: C901, PLR0912, PLR0915 - the loop over all bars
    p: Vector, s: Vector, prices: tuple[Vector, ...], columns: tuple[Vector, ...], room: Room, out: Outputs
) -> None:
    """Run the account over bars.

    ``prices`` are open, high, low and close; ``columns`` entry, leave, size, stop, target, trail, chandelier, the rate
    borrowing costs and the price an entry waits for; ``room`` is for the bars at which something is asked for, or holds
    them where it has none for marks; ``out`` equity, outcome (NO_SIGNAL before), orders, fills and, or empty, its sums.
    """
    opens, highs, lows, closes = prices
    entries, leaves, sizes, stops, targets, trails, chandelier, rates, limits = columns
    equities, outcomes, orders, fills, sums = out
    places, count = room[2], signals(entries, leaves, room)
    seen, warm_up = int(s[SEEN]), int(p[WARM_UP])
    scale, unit, is_timed = p[SCALE], p[UNIT], p[BARS_MAX] != 0.0
    moves = p[BREAK_EVEN] != 0.0 or p[HAS_CHANDELIER] != 0.0 or p[MODE] != 0.0
    cash, qty, lost, most, i, turn = s[CASH], s[QTY], 0.0, 0.0, 0, 0
    s[FETCHED] = fetch(opens)
    if p[IS_GUARDED] != 0.0:
        s[FETCHED] += fetch(highs) + fetch(lows)
    while i < closes.size:
        if s[PENDING] == 0.0 and seen + i >= warm_up and not (qty < 0.0 and p[BORROWS] != 0.0):
            if s[GUARDED] == 0.0 or not moves:
                turn = follow(places, count, turn, i)
                start, end = i, places[turn] if turn < count else closes.size
                i = end if s[GUARDED] == 0.0 else _watch(p, s, (start, end), prices)
                _mark(p, s, (start, i), closes, equities)
            if i == closes.size:
                break
        close, worth = in_units(closes[i], scale), 0.0
        lost = max(lost, lost_by(closes[i], close, scale))
        if s[PENDING] != 0.0 or s[GUARDED] != 0.0:
            opened, high, low, level = in_units(opens[i], scale), NAN, NAN, NAN
            lost = max(lost, lost_by(opens[i], opened, scale))
            if p[IS_GUARDED] != 0.0 or p[PRICING] != 0.0:
                high, low = in_units(highs[i], scale), in_units(lows[i], scale)
                lost = max(lost, lost_by(highs[i], high, scale), lost_by(lows[i], low, scale))
            if s[PENDING] == ENTRY and p[PRICING] != 0.0:
                level = _wait(p, s, (opened, high, low), seen + i, orders, fills)
            elif s[PENDING] != 0.0:
                _open(p, s, (opened, high, low, close, level), seen + i, orders, fills)
            if s[GUARDED] != 0.0:
                _protect(p, s, seen + i, (opened, high, low, close, level), fills)
            cash, qty = s[CASH], s[QTY]
        if qty != 0.0:
            worth = qty * unit * close if unit != 0.0 else value_of(p, s, qty, close)
            most = max(most, abs(worth))
            if worth < 0.0 and p[BORROWS] != 0.0 and seen + i > 0:
                _charge(p, s, worth, rates[i])
                cash = s[CASH]
        equities[i] = cash + worth
        entry, leave = entries[i], leaves[i]
        if seen + i < warm_up:
            outcomes[i] = WARMING
        elif not (entry > 0.0 or entry < 0.0 or leave > 0.0 or (is_timed and qty != 0.0)):
            outcomes[i] = NO_SIGNAL
        else:
            outcome = _decide(p, s, seen + i, (entry, leave), orders)
            if outcome == ENTERING:
                told = (at(sizes, i), at(stops, i), at(targets, i), at(trails, i), at(chandelier, i), at(limits, i))
                outcome = _enter(p, s, seen + i, (entry, cash + worth, close), told, orders)
            outcomes[i] = outcome
        if moves and s[GUARDED] != 0.0 and p[HAS_CHANDELIER] != 0.0:
            _ratchet(p, s, chandelier[i])
        i += 1
    s[SEEN] = seen + closes.size
    if p[IS_EXACT] != 0.0 and (lost > 0.0 or most > EXACT_MAX):
        s[INEXACT] = 1.0
    if sums.size != 0:
        fold(sums, equities)  # while they are at hand
