"""From a run in exact decimals to the arrays that figures are computed from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.metrics.days import calendar_for
from alphintra.engine.metrics.figures import compute_metrics, metric_values
from alphintra.engine.metrics.series import Curve, TradeTable, excursions, labels_of
from alphintra.engine.sessions import calendar_of
from alphintra.kernel.vocabulary import OrderType, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from numpy.typing import NDArray

    from alphintra.engine.backtest import BacktestResult
    from alphintra.engine.bars import Bar

__all__ = ["curve_of", "measure", "moment_ns", "trades_of"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_BPS: Final = 10_000.0


def moment_ns(at: datetime) -> int:
    """Return nanoseconds since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND * 1000


def measure(result: BacktestResult, bars: Sequence[Bar] | None = None) -> dict[str, float | None]:
    """Return the figures of a run by name."""
    return metric_values(compute_metrics(curve_of(result, bars), trades_of(result, bars)))


def curve_of(result: BacktestResult, bars: Sequence[Bar] | None = None) -> Curve:
    """Return the course of a run's book; its benchmark is the symbol itself, bought and held without costs.

    Args:
        result: a finished run.
        bars: what it ran over, for the capacity.
    """
    points = result.equity
    closes = np.array([moment_ns(point.ts) for point in points], dtype=np.int64)
    net = np.array([float(point.qty * point.close) for point in points])
    traded, fees, slippage = np.zeros(closes.size), np.zeros(closes.size), np.zeros(closes.size)
    slips = _slipping(result)
    for fill in result.fills:
        row = int(np.searchsorted(closes, moment_ns(fill.ts)))
        amount = float(fill.qty * fill.price)
        traded[row] += amount
        fees[row] += float(fill.fee)
        if fill.client_order_id in slips:
            share = float(result.settings.slippage_bps) / _BPS
            moved = 1 + share if fill.side is Side.BUY else 1 - share
            slippage[row] += abs(amount - amount / moved)
    return Curve(
        closes=closes,
        equity=np.array([float(point.equity) for point in points]),
        net=net,
        gross=np.abs(net),
        traded=traded,
        fees=fees,
        slippage=slippage,
        borrow=np.zeros(closes.size),
        initial=float(result.settings.initial_cash),
        calendar=calendar_for(calendar_of(result.symbol).name, closes),
        benchmark=np.array([float(point.close) for point in points]),
        market_value=None if bars is None else np.array([float(bar.close * bar.volume) for bar in bars]),
    )


def trades_of(result: BacktestResult, bars: Sequence[Bar] | None = None) -> TradeTable:
    """Return the closed trades of a run.

    Args:
        result: a finished run.
        bars: what it ran over, for the excursions; without them those are told from closes alone.
    """
    trades = result.trades
    closes = np.array([moment_ns(point.ts) for point in result.equity], dtype=np.int64)
    entered = np.array([moment_ns(trade.opened_ts) for trade in trades], dtype=np.int64)
    left = np.array([moment_ns(trade.closed_ts) for trade in trades], dtype=np.int64)
    entry_index, exit_index = np.searchsorted(closes, entered), np.searchsorted(closes, left)
    side = np.array([1 if trade.side is Side.BUY else -1 for trade in trades], dtype=np.int64)
    entry_price, exit_price = _floats([t.entry_price for t in trades]), _floats([t.exit_price for t in trades])
    highs = _floats([point.close for point in result.equity] if bars is None else [bar.high for bar in bars])
    lows = highs if bars is None else _floats([bar.low for bar in bars])
    mae, mfe = excursions((entry_index, exit_index), (entry_price, exit_price), side=side, highs=highs, lows=lows)
    return TradeTable(
        entry_index=entry_index,
        exit_index=exit_index,
        entry_time=entered,
        exit_time=left,
        side=side,
        qty=_floats([trade.qty for trade in trades]),
        entry_price=entry_price,
        exit_price=exit_price,
        gross=_floats([trade.gross for trade in trades]),
        fees=_floats([trade.fees for trade in trades]),
        mae=mae,
        mfe=mfe,
        entry_tag=labels_of([trade.entry_tag for trade in trades]),
        exit_reason=labels_of([trade.exit_tag for trade in trades]),
        symbol=labels_of([result.symbol] * len(trades)),
    )


def _slipping(result: BacktestResult) -> frozenset[str]:
    """Return the ids of the orders whose fills were moved by the slippage: a limit order's are not."""
    if not result.settings.slippage_bps:
        return frozenset()
    limits = {OrderType.LIMIT, OrderType.STOP_LIMIT}
    return frozenset(
        record.order.client_order_id for record in result.orders if record.order.intent.order_type not in limits
    )


def _floats(values: Iterable[Decimal]) -> NDArray[np.float64]:
    return np.array([float(value) for value in values], dtype=np.float64)
