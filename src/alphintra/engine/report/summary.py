"""What a report says of all trades of a run, told before the list of them is cut to what a reply carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from alphintra.engine.backtest import BacktestResult
from alphintra.engine.metrics.days import dates_of
from alphintra.engine.protection import guarded
from alphintra.engine.universe_backtest import SymbolFill

if TYPE_CHECKING:
    from decimal import Decimal

    from numpy.typing import NDArray

    from alphintra.engine.metrics.series import TradeTable
    from alphintra.engine.universe_backtest import UniverseResult

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


def ambiguity_of(result: BacktestResult | UniverseResult) -> dict[str, Any]:
    """Return how many exits executed in a bar that held the other exit too, and what the other would have changed.

    ``gain`` is what those trades would have brought more, had the target executed in the place of the stop: the most
    that the order of prices within those bars can be worth, later sizes left as they were.
    """
    if isinstance(result, BacktestResult) and not result.traded.is_ambiguous.any():
        return {"count": 0, "exits": sum(map(bool, result.traded.legs)), "gain": 0.0}
    fills = [each.fill if isinstance(each, SymbolFill) else each for each in result.fills]
    entries = {fill.client_order_id: fill for fill in fills if not fill.leg}
    plans = {record.order.client_order_id: record.order.intent for record in result.orders}
    count, gain = 0, 0.0
    for fill in fills:
        if not fill.is_ambiguous:
            continue
        count += 1
        target = _target(entries, plans, fill.client_order_id)
        if target is not None:
            gain += float(abs(target - fill.price) * fill.qty)
    return {"count": count, "exits": sum(bool(fill.leg) for fill in fills), "gain": round(gain, 2)}


def _target(entries: Any, plans: Any, name: str) -> Decimal | None:  # noqa: ANN401 - fills and intents by order id
    entry, intent = entries.get(name), plans.get(name)
    if entry is None or intent is None or intent.protection is None:
        return None
    return guarded(intent.protection, intent.side, qty=entry.qty, price=entry.price, order_id=name).target


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
