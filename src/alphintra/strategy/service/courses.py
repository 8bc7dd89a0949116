"""Use cases that fetch what a chart or a report shows of bars and of a backtest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from alphintra.contracts.courses import (
    BacktestCourseView,
    BacktestTermsView,
    BarCourseView,
    DrawBacktest,
    DrawBars,
    GetBacktestTerms,
)
from alphintra.engine.backtest import BacktestSettings
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy.gateways.columns import Factors
from alphintra.strategy.service.backtests import readable
from alphintra.strategy.service.imports import dataset_view, newest_dataset

if TYPE_CHECKING:
    from alphintra.kernel.messages import Context
    from alphintra.strategy.domain.courses import Joints
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.columns import BarColumns
    from alphintra.strategy.repository import Dataset, Desk

__all__ = ["draw_backtest", "draw_bars", "get_terms"]

_SECOND_NS: Final = 10**9
_DAY_NS: Final = 86_400 * _SECOND_NS
_Span = tuple[datetime | None, datetime | None]


class _Course(msgspec.Struct):
    days: list[int] = []
    benchmark: list[float] = []


class _Point(msgspec.Struct):
    ts: datetime
    equity: Decimal


class _Report(msgspec.Struct):
    """Of a stored report what is drawn."""

    equity: list[_Point]
    course: _Course


async def draw_bars(command: DrawBars, context: Context, *, desk: Desk, catalogue: Catalogue) -> BarCourseView:
    """Return the bars of a symbol as a chart shows them. Raises SYMBOL_UNKNOWN, DATASET_MISSING or RANGE."""
    dataset = await newest_dataset(command.symbol, context, desk=desk)
    return await asyncio.to_thread(_joined, dataset, catalogue, (command.start, command.end))


async def draw_backtest(
    command: DrawBacktest, context: Context, *, desk: Desk, catalogue: Catalogue
) -> BacktestCourseView:
    """Return the course of a backtest over bars of its own.

    Raises BACKTEST_NOT_FOUND, BACKTEST_NOT_FINISHED, SYMBOL_UNKNOWN for one that it did not trade, DATASET_MISSING or
    RANGE.
    """
    row = readable(await desk.row("backtests.get", command.backtest_id), command.backtest_id, context)
    inputs = await desk.row("backtests.inputs", command.backtest_id)
    if row["status"] != "finished" or inputs is None:
        message = f"the backtest is {row['status']}: only a finished one has a course"
        raise AlphintraError("BACKTEST_NOT_FINISHED", message, kind=Kind.CONFLICT)
    dataset = _chosen(await _datasets(inputs, desk=desk), command.symbol)
    return await asyncio.to_thread(_drawn, row, inputs, dataset, catalogue, (command.start, command.end))


async def get_terms(command: GetBacktestTerms, context: Context, *, desk: Desk) -> BacktestTermsView:
    """Return what a backtest was run from. Raises BACKTEST_NOT_FOUND."""
    row = readable(await desk.row("backtests.inputs", command.backtest_id), command.backtest_id, context)
    settings = msgspec.json.decode(row["settings"], type=BacktestSettings)
    return BacktestTermsView(
        backtest_id=command.backtest_id,
        graph=row["graph"],
        start=row["start_ts"],
        end=row["end_ts"],
        initial_cash=settings.initial_cash,
        fee_bps=settings.fees.commission_bps,
        fee_per_share=settings.fees.per_share,
        fee_minimum=settings.fees.minimum,
        slippage_bps=settings.slippage_bps,
        intrabar=settings.intrabar,
        datasets=tuple(dataset_view(dataset) for dataset in await _datasets(row, desk=desk)),
    )


async def _datasets(row: Mapping[str, Any], *, desk: Desk) -> tuple[Dataset, ...]:
    wanted = row["dataset_ids"] or [row["dataset_id"]]
    known = {dataset.dataset_id: dataset for dataset in await desk.datasets(wanted)}
    return tuple(known[dataset_id] for dataset_id in wanted)


def _chosen(datasets: Sequence[Dataset], symbol: str) -> Dataset:
    found = next((dataset for dataset in datasets if symbol in {"", dataset.symbol}), None)
    if found is None:
        traded = ", ".join(dataset.symbol for dataset in datasets)
        message = f"the backtest did not trade {symbol[:32]!r}: choose one of {traded}"
        raise AlphintraError("SYMBOL_UNKNOWN", message, kind=Kind.NOT_FOUND, pointer="/symbol")
    return found


def _bars(dataset: Dataset, catalogue: Catalogue, span: _Span) -> BarColumns:
    return catalogue.columns(dataset.dataset_id, Factors(splits=dataset.splits), start=span[0], end=span[1])


def _joined(dataset: Dataset, catalogue: Catalogue, span: _Span) -> BarCourseView:
    """Return the bars of a dataset that closed in ``[start, end)``, joined until at most 5,000 remain."""
    from alphintra.strategy.domain.courses import Joints  # noqa: PLC0415 - loads numpy, which a start must not wait for

    columns = _bars(dataset, catalogue, span)
    return _course(dataset, columns, Joints(len(columns)), slice(None))


def _course(dataset: Dataset, columns: BarColumns, joints: Joints, part: slice) -> BarCourseView:
    return BarCourseView(
        symbol=dataset.symbol,
        timeframe=dataset.timeframe,
        stride=joints.stride,
        closed_s=tuple((columns.ts[part][joints.last] // _SECOND_NS).tolist()),
        open=tuple(columns.open[part][joints.first].tolist()),
        high=tuple(joints.highest(columns.high[part]).tolist()),
        low=tuple(joints.lowest(columns.low[part]).tolist()),
        close=tuple(columns.close[part][joints.last].tolist()),
        volume=tuple(joints.total(columns.volume[part]).tolist()),
    )


def _drawn(
    row: Mapping[str, Any], inputs: Mapping[str, Any], dataset: Dataset, catalogue: Catalogue, shown: _Span
) -> BacktestCourseView:
    """Return the course within a span; peaks and the benchmark count from the begin of the run."""
    import numpy as np  # noqa: PLC0415 - as above

    from alphintra.engine.graph.tape import epoch_ns  # noqa: PLC0415 - as above
    from alphintra.strategy.domain.courses import Joints, carried, falls_of  # noqa: PLC0415 - as above

    report = msgspec.json.decode(row["result"], type=_Report)
    initial = float(msgspec.json.decode(inputs["settings"], type=BacktestSettings).initial_cash)
    columns = _bars(dataset, catalogue, (inputs["start_ts"], inputs["end_ts"]))
    begin, end = (None if at is None else int(np.searchsorted(columns.ts, epoch_ns(at))) for at in shown)
    part = slice(begin, end)
    at = columns.ts[part]
    joints = Joints(at.size)
    known = np.array([epoch_ns(point.ts) for point in report.equity], dtype=np.int64)
    worth = np.array([float(point.equity) for point in report.equity], dtype=np.float64)
    falls = carried(at, known, falls_of(worth, before=initial), before=0.0)
    if inputs["symbols"] and len(inputs["symbols"]) > 1:
        days, values = np.array(report.course.days, dtype=np.int64), np.array(report.course.benchmark)
        held = carried(at // _DAY_NS, days, values / values[0] if values.size else values, before=1.0)
    else:
        held = columns.close[part] / columns.close[0] if len(columns) else columns.close
    return BacktestCourseView(
        backtest_id=row["backtest_id"],
        bars=_course(dataset, columns, joints, part),
        equity=tuple(carried(at, known, worth, before=initial)[joints.last].round(2).tolist()),
        benchmark=tuple((held[joints.last] * initial).round(2).tolist()),
        drawdown=tuple(joints.lowest(falls).round(6).tolist()),
    )
