"""From a run in whole numbers to the arrays that figures are computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.course import as_floats
from alphintra.engine.graph.tape import Tape
from alphintra.engine.metrics.days import calendar_for
from alphintra.engine.metrics.figures import compute_metrics, metric_values
from alphintra.engine.metrics.series import Curve, TradeTable, excursions, labels_of
from alphintra.engine.sessions import calendar_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alphintra.engine.backtest import BacktestResult
    from alphintra.engine.bars import Bar

__all__ = ["curve_of", "measure", "trades_of"]

_BPS: Final = 10_000.0


def measure(result: BacktestResult, bars: Sequence[Bar] | Tape | None = None) -> dict[str, float | None]:
    """Return the figures of a run by name."""
    return metric_values(compute_metrics(curve_of(result, bars), trades_of(result, bars)))


def curve_of(result: BacktestResult, bars: Sequence[Bar] | Tape | None = None) -> Curve:
    """Return the course of a run's book; its benchmark is the symbol itself, bought and held without costs.

    Args:
        result: a finished run.
        bars: what it ran over, for the capacity.
    """
    course, fills = result.course, result.traded
    closes, prices = course.ts, as_floats(course.close)
    net = as_floats(course.qty) * prices
    rows = np.searchsorted(closes, fills.ts)
    amounts = np.abs(as_floats(fills.qty)) * as_floats(fills.price)
    share = float(result.settings.slippage_bps) / _BPS
    moved = np.where(fills.qty > 0, 1.0 + share, 1.0 - share)
    slipped = np.where(fills.is_slipping, np.abs(amounts - amounts / moved), 0.0) if share else np.zeros(amounts.size)
    traded, fees, slippage = (_summed(rows, paid, closes.size) for paid in (amounts, as_floats(fills.fee), slipped))
    return Curve(
        closes=closes,
        equity=as_floats(course.equity),
        net=net,
        gross=np.abs(net),
        traded=traded,
        fees=fees,
        slippage=slippage,
        borrow=np.zeros(closes.size),
        initial=float(result.settings.initial_cash),
        calendar=calendar_for(calendar_of(result.symbol).name, closes),
        benchmark=prices,
        market_value=None if bars is None else _column(bars, "close") * _column(bars, "volume"),
    )


def trades_of(result: BacktestResult, bars: Sequence[Bar] | Tape | None = None) -> TradeTable:
    """Return the closed trades of a run.

    Args:
        result: a finished run.
        bars: what it ran over, for the excursions; without them those are told from closes alone.
    """
    closes, closed = result.course.ts, result.closed
    entry_index, exit_index = np.searchsorted(closes, closed.opened), np.searchsorted(closes, closed.closed)
    qty, entry_price, exit_price = (as_floats(part) for part in (closed.qty, closed.entry_price, closed.exit_price))
    side = np.where(qty > 0, 1, -1).astype(np.int64)
    highs = as_floats(result.course.close) if bars is None else _column(bars, "high")
    lows = highs if bars is None else _column(bars, "low")
    mae, mfe = excursions((entry_index, exit_index), (entry_price, exit_price), side=side, highs=highs, lows=lows)
    return TradeTable(
        entry_index=entry_index,
        exit_index=exit_index,
        entry_time=closed.opened,
        exit_time=closed.closed,
        side=side,
        qty=np.abs(qty),
        entry_price=entry_price,
        exit_price=exit_price,
        gross=as_floats(closed.gross),
        fees=as_floats(closed.fees),
        mae=mae,
        mfe=mfe,
        entry_tag=labels_of(closed.entry_tags),
        exit_reason=labels_of(closed.exit_tags),
        symbol=labels_of([result.symbol] * qty.size),
    )


def _summed(rows: NDArray[np.int64], paid: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return what was paid at each close; ``bincount`` adds in the order of the fills."""
    return np.bincount(rows, weights=paid, minlength=count).astype(np.float64)


def _column(bars: Sequence[Bar] | Tape, name: str) -> NDArray[np.float64]:
    if isinstance(bars, Tape):
        row: NDArray[np.float64] = bars.field(name)[0]
        return row
    return np.array([bar.field_as_float(name) for bar in bars], dtype=np.float64)
