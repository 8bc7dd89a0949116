"""From a run over several symbols to the arrays that figures are computed from, and what each symbol contributed."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.graph.tape import epoch_ns
from alphintra.engine.metrics.days import calendar_for
from alphintra.engine.metrics.figures import compute_metrics, metric_values
from alphintra.engine.metrics.series import Curve, TradeTable, excursions, labels_of
from alphintra.engine.portfolio import cash_delta
from alphintra.engine.sessions import calendar_of
from alphintra.kernel.vocabulary import OrderType, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from alphintra.engine.bars import Bar
    from alphintra.engine.universe_backtest import SymbolFill, SymbolTrade, UniverseResult

__all__ = ["Contribution", "contributions", "curve_across", "measure_across", "trades_across"]

_BPS: Final = 10_000.0
_ZERO: Final = Decimal(0)
_LIMITS: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one symbol added to the account; the ``net`` of all of them are what the account gained.

    Args:
        symbol: which.
        fills: executions.
        trades: closed trades.
        net: what its sales brought less what its purchases and its fees cost, and what is held is worth at the end.
        fees: of its fills.
        qty: held at the end.
        worth: of that at the last close.
    """

    symbol: str
    fills: int
    trades: int
    net: Decimal
    fees: Decimal
    qty: Decimal
    worth: Decimal


def measure_across(result: UniverseResult, bars: Mapping[str, Sequence[Bar]]) -> dict[str, float | None]:
    """Return the figures of a run by name."""
    return metric_values(compute_metrics(curve_across(result, bars), trades_across(result, bars)))


def curve_across(result: UniverseResult, bars: Mapping[str, Sequence[Bar]]) -> Curve:
    """Return the course of a run's account over the union of closes.

    Its benchmark is the same money in each symbol, bought at the symbol's first close and held without costs; before
    that close it lies idle. The market value of a close is what leaves the capacity with the symbol of which the
    largest share of its price times volume was traded.

    Args:
        result: a finished run.
        bars: what it ran over, by symbol.
    """
    closes = np.array([epoch_ns(point.ts) for point in result.equity], dtype=np.int64)
    net, gross, idle = np.zeros(closes.size), np.zeros(closes.size), np.zeros(closes.size)
    traded, share = np.zeros(closes.size), np.zeros(closes.size)
    for symbol in result.symbols:
        own = bars[symbol]
        rows = np.searchsorted(closes, [epoch_ns(bar.ts) for bar in own])
        marks = _held(np.array([float(bar.close) for bar in own]), rows, closes.size)
        fills = [each for each in result.fills if each.symbol == symbol]
        moved, amounts = _moved(fills, closes)
        worth = np.cumsum(moved) * np.nan_to_num(marks)
        net += worth
        gross += np.abs(worth)
        traded += amounts
        volume = np.zeros(closes.size)
        volume[rows] = [float(bar.close * bar.volume) for bar in own]
        share = np.maximum(share, np.divide(amounts, volume, out=np.zeros(closes.size), where=volume > 0))
        idle += np.where(np.isnan(marks), 1.0, marks / marks[rows[0]])
    calendars = {calendar_of(symbol).name for symbol in result.symbols}
    fees, slippage = _costs(result, closes)
    return Curve(
        closes=closes,
        equity=np.array([float(point.equity) for point in result.equity]),
        net=net,
        gross=gross,
        traded=traded,
        fees=fees,
        slippage=slippage,
        borrow=np.zeros(closes.size),
        initial=float(result.settings.initial_cash),
        calendar=calendar_for(calendars.pop() if len(calendars) == 1 else "24/7", closes),
        benchmark=idle / len(result.symbols),
        market_value=np.divide(traded, share, out=np.zeros(closes.size), where=share > 0),
    )


def trades_across(result: UniverseResult, bars: Mapping[str, Sequence[Bar]]) -> TradeTable:
    """Return the closed trades of a run, in the order in which they closed, their bars counted in the union."""
    trades = result.trades
    closes = np.array([epoch_ns(point.ts) for point in result.equity], dtype=np.int64)
    entered = np.array([epoch_ns(each.trade.opened_ts) for each in trades], dtype=np.int64)
    left = np.array([epoch_ns(each.trade.closed_ts) for each in trades], dtype=np.int64)
    mae, mfe = _excursions(trades, bars)
    return TradeTable(
        entry_index=np.searchsorted(closes, entered),
        exit_index=np.searchsorted(closes, left),
        entry_time=entered,
        exit_time=left,
        side=_sides(trades),
        qty=_floats(each.trade.qty for each in trades),
        entry_price=_floats(each.trade.entry_price for each in trades),
        exit_price=_floats(each.trade.exit_price for each in trades),
        gross=_floats(each.trade.gross for each in trades),
        fees=_floats(each.trade.fees for each in trades),
        mae=mae,
        mfe=mfe,
        entry_tag=labels_of([each.trade.entry_tag for each in trades]),
        exit_reason=labels_of([each.trade.exit_tag for each in trades]),
        symbol=labels_of([each.symbol for each in trades]),
    )


def contributions(result: UniverseResult, bars: Mapping[str, Sequence[Bar]]) -> tuple[Contribution, ...]:
    """Return what each symbol added, in the order of the run's symbols."""
    found = []
    for symbol in result.symbols:
        fills = [each.fill for each in result.fills if each.symbol == symbol]
        cash = sum((cash_delta(fill.side, fill.qty, price=fill.price, fee=fill.fee) for fill in fills), _ZERO)
        position = result.positions[symbol]
        worth = position.market_value(bars[symbol][-1].close) if position.qty else _ZERO
        found.append(
            Contribution(
                symbol=symbol,
                fills=len(fills),
                trades=sum(each.symbol == symbol for each in result.trades),
                net=cash + worth,
                fees=sum((fill.fee for fill in fills), _ZERO),
                qty=position.qty,
                worth=worth,
            )
        )
    return tuple(found)


def _held(values: NDArray[np.float64], rows: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Return the last value known at each close, unknown before the first."""
    places = np.full(size, -1)
    places[rows] = np.arange(rows.size)
    known = np.maximum.accumulate(places)
    return np.where(known >= 0, values[known], np.nan)


def _moved(fills: Sequence[SymbolFill], closes: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by how much the fills of a symbol changed its position at each close, and for how much money."""
    moved, amounts = np.zeros(closes.size), np.zeros(closes.size)
    for each in fills:
        row, fill = int(np.searchsorted(closes, epoch_ns(each.fill.ts))), each.fill
        moved[row] += float(fill.qty) if fill.side is Side.BUY else -float(fill.qty)
        amounts[row] += float(fill.qty * fill.price)
    return moved, amounts


def _costs(result: UniverseResult, closes: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return fees at each close, and by how much worse prices were than the market's."""
    fees, slippage = np.zeros(closes.size), np.zeros(closes.size)
    share = float(result.settings.slippage_bps) / _BPS
    limits = {each.order.client_order_id for each in result.orders if each.order.intent.order_type in _LIMITS}
    for each in result.fills:
        row, fill = int(np.searchsorted(closes, epoch_ns(each.fill.ts))), each.fill
        fees[row] += float(fill.fee)
        if share and fill.client_order_id not in limits:
            amount = float(fill.qty * fill.price)
            slippage[row] += abs(amount - amount / (1 + share if fill.side is Side.BUY else 1 - share))
    return fees, slippage


def _excursions(
    trades: Sequence[SymbolTrade], bars: Mapping[str, Sequence[Bar]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far prices went against each trade and for it, over the bars of its own symbol."""
    mae, mfe = np.zeros(len(trades)), np.zeros(len(trades))
    for symbol, own in bars.items():
        places = [place for place, each in enumerate(trades) if each.symbol == symbol]
        if not places:
            continue
        times, mine = [bar.ts for bar in own], [trades[place] for place in places]
        first = np.array([bisect_right(times, each.trade.opened_ts) - 1 for each in mine], dtype=np.int64)
        last = np.array([bisect_right(times, each.trade.closed_ts) - 1 for each in mine], dtype=np.int64)
        prices = _floats(each.trade.entry_price for each in mine), _floats(each.trade.exit_price for each in mine)
        highs, lows = _floats(bar.high for bar in own), _floats(bar.low for bar in own)
        mae[places], mfe[places] = excursions((first, last), prices, side=_sides(mine), highs=highs, lows=lows)
    return mae, mfe


def _sides(trades: Sequence[SymbolTrade]) -> NDArray[np.int64]:
    return np.array([1 if each.trade.side is Side.BUY else -1 for each in trades], dtype=np.int64)


def _floats(values: Iterable[Decimal]) -> NDArray[np.float64]:
    return np.array([float(value) for value in values], dtype=np.float64)
