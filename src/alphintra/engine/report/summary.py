"""What a report says of all trades of a run, told before the list of them is cut to what a reply carries."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from alphintra.engine.graph.tape import epoch_ns
from alphintra.engine.metrics.days import dates_of
from alphintra.engine.protection import guarded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphintra.engine.backtest import BacktestResult
    from alphintra.engine.book import Fill
    from alphintra.engine.intents import Intent
    from alphintra.engine.metrics.series import TradeTable

__all__ = ["GROUPS", "ambiguity_of", "groups_of"]

GROUPS: Final = (
    ("symbol", "By symbol"),
    ("side", "By side"),
    ("entry", "By entry"),
    ("exit", "By exit"),
    ("weekday", "By weekday of entry"),
)
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EPOCH_WEEKDAY: Final = 3  # the first day of 1970 was a Thursday
_ROWS_MAX: Final = 60


def groups_of(table: TradeTable, calendar: str) -> dict[str, list[list[Any]]]:
    """Return for each way to group trades its groups: name, trades, trades that gained, net, fees; the best first.

    Of more than 60 groups the rest is one, named after their number.
    """
    weekday = (dates_of(table.entry_time, calendar) + _EPOCH_WEEKDAY) % 7
    return {
        "symbol": _grouped(table, table.symbol.codes, table.symbol.names),
        "side": _grouped(table, (table.side < 0).astype(np.int64), ("long", "short")),
        "entry": _grouped(table, table.entry_tag.codes, table.entry_tag.names),
        "exit": _grouped(table, table.exit_reason.codes, table.exit_reason.names),
        "weekday": _grouped(table, weekday, _WEEKDAYS),
    }


def ambiguity_of(result: BacktestResult) -> dict[str, Any]:
    """Return how many exits executed in a bar that held the other exit too, and what the other would have changed.

    ``gain`` is what those trades would have brought more, had the target executed in the place of the stop: the most
    that the order of prices within those bars can be worth, later sizes left as they were.
    """
    fills = result.traded
    gain = 0.0
    for row in np.flatnonzero(fills.is_ambiguous).tolist():
        fill = result.fills[row]
        intent = _intent(result, fill, int(fills.created[row]))
        same = np.flatnonzero(fills.created == fills.created[row]).tolist()
        entries = (result.fills[place] for place in same)
        entry = next((one for one in entries if not one.leg and one.client_order_id == fill.client_order_id), None)
        if entry is None or intent is None or intent.protection is None:
            continue
        target = guarded(intent.protection, intent.side, price=entry.price, order_id=fill.client_order_id).target
        if target is not None:
            gain += float(abs(target - fill.price) * fill.qty)
    return {"count": int(fills.is_ambiguous.sum()), "exits": sum(map(bool, fills.legs)), "gain": round(gain, 2)}


def _intent(result: BacktestResult, fill: Fill, created: int) -> Intent | None:
    """Return what the order of a fill asked for: orders are found by their birth, and not all of them looked at."""
    orders = result.orders
    first = bisect_left(orders, created, key=lambda record: epoch_ns(record.order.created_ts))
    for place in range(first, len(orders)):
        order = orders[place].order
        if order.client_order_id == fill.client_order_id:
            return order.intent
    return None


def _grouped(table: TradeTable, codes: NDArray[np.int64], names: tuple[str, ...]) -> list[list[Any]]:
    size, nets = len(names), table.net
    trades = np.bincount(codes, minlength=size)
    won = np.bincount(codes, weights=nets > 0, minlength=size)
    net, fees = (np.bincount(codes, weights=each, minlength=size) for each in (nets, table.fees))
    rows: list[list[Any]] = [
        [names[code] or "-", int(trades[code]), int(won[code]), round(float(net[code]), 2), round(float(fees[code]), 2)]
        for code in np.argsort(-net, kind="stable").tolist()
        if trades[code]
    ]
    shown, rest = rows[:_ROWS_MAX], rows[_ROWS_MAX:]
    if rest:
        shown.append([f"{len(rest)} others", *(sum(row[place] for row in rest) for place in range(1, 5))])
    return shown
