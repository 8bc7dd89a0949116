"""Figures of closed trades, and the same split by what they have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.metrics.returns import ratio
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alphintra.engine.metrics.series import TradeTable

__all__ = ["GROUPINGS", "Group", "TradeFigures", "breakdown", "trade_figures"]

GROUPINGS: Final = ("symbol", "side", "entry_tag", "exit_reason", "weekday")
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY_NS: Final = 86_400 * 10**9
_EPOCH_WEEKDAY: Final = 3  # the first day of 1970 was a Thursday
_TWO: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFigures:
    """What closed trades were like; amounts in currency, lengths in bars or days, excursions as fractions."""

    trade_count: int = 0
    long_count: int = 0
    win_rate: float | None = None
    payoff: float | None = None
    profit_factor: float | None = None
    expectancy: float | None = None
    best_trade: float | None = None
    worst_trade: float | None = None
    sqn: float | None = None
    kelly: float | None = None
    mae_mean: float | None = None
    mfe_mean: float | None = None
    duration_bars: float | None = None
    duration_days: float | None = None
    longest_wins: int = 0
    longest_losses: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Trades that have something in common: how many, how many of them won, and what they brought after fees."""

    name: str
    trades: int
    wins: int
    net: float
    expectancy: float


def trade_figures(table: TradeTable) -> TradeFigures:
    """Compute the figures of closed trades; a trade that brought exactly nothing is neither won nor lost."""
    count = len(table)
    if count == 0:
        return TradeFigures()
    net = table.net
    won, lost = net[net > 0], net[net < 0]
    gained, given = float(won.sum()), -float(lost.sum())
    payoff = ratio(gained / won.size, given / lost.size) if won.size and lost.size else None
    win_rate = won.size / count
    spread = float(net.std(ddof=1)) if count >= _TWO else 0.0
    average = float(net.mean())
    return TradeFigures(
        trade_count=count,
        long_count=int((table.side > 0).sum()),
        win_rate=win_rate,
        payoff=payoff,
        profit_factor=ratio(gained, given),
        expectancy=average,
        best_trade=float(net.max()),
        worst_trade=float(net.min()),
        sqn=math.sqrt(count) * average / spread if spread > 0 else None,
        kelly=None if payoff is None else win_rate - (1 - win_rate) / payoff,
        mae_mean=float(table.mae.mean()),
        mfe_mean=float(table.mfe.mean()),
        duration_bars=float((table.exit_index - table.entry_index).mean()),
        duration_days=float((table.exit_time - table.entry_time).mean()) / _DAY_NS,
        longest_wins=_longest(net > 0),
        longest_losses=_longest(net < 0),
    )


def breakdown(table: TradeTable, by: str) -> tuple[Group, ...]:
    """Return the trades by ``symbol``, ``side``, ``entry_tag``, ``exit_reason`` or ``weekday`` of entry (UTC).

    Groups without trades are left out; weekdays come in their order, the others by what they brought, most first.
    Raises GROUPING_UNKNOWN.
    """
    codes, names = _grouping(table, by)
    net = table.net
    counted = np.bincount(codes, minlength=len(names))
    won = np.bincount(codes, weights=net > 0, minlength=len(names))
    brought = np.bincount(codes, weights=net, minlength=len(names))
    groups = [
        Group(name, int(n), int(wins), float(total), float(total) / int(n))
        for name, n, wins, total in zip(names, counted, won, brought, strict=True)
        if n
    ]
    return tuple(groups if by == "weekday" else sorted(groups, key=lambda group: (-group.net, group.name)))


def _grouping(table: TradeTable, by: str) -> tuple[NDArray[np.int64], Sequence[str]]:
    if by == "symbol":
        return table.symbol.codes, table.symbol.names
    if by == "entry_tag":
        return table.entry_tag.codes, table.entry_tag.names
    if by == "exit_reason":
        return table.exit_reason.codes, table.exit_reason.names
    if by == "side":
        return (table.side < 0).astype(np.int64), ("long", "short")
    if by == "weekday":
        return (table.entry_time // _DAY_NS + _EPOCH_WEEKDAY) % 7, _WEEKDAYS
    message = f"trades cannot be grouped by {by[:20]!r}: write one of {', '.join(GROUPINGS)}"
    raise AlphintraError("GROUPING_UNKNOWN", message)


def _longest(marks: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of true values."""
    bounds = np.flatnonzero(np.diff(np.concatenate(([0], marks.astype(np.int8), [0]))))
    return int((bounds[1::2] - bounds[::2]).max()) if bounds.size else 0
