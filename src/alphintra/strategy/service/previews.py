"""Use case of previews: what the nodes of a graph that is being drawn give over the newest bars of a symbol."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from alphintra.contracts.previews import GraphPreviewView, LeftOutView, PreviewGraph, PreviewSeriesView
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.sessions import calendar_of
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.intervals import interval_of, require_not_finer
from alphintra.strategy.gateways.bars import BarsWanted, read_bars
from alphintra.strategy.service.imports import newest_dataset

if TYPE_CHECKING:
    from alphintra.engine.bars import Bar
    from alphintra.engine.preview import Part, Series
    from alphintra.kernel.messages import Context
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.repository import Dataset, Desk

__all__ = ["preview_graph"]

BARS_MAX: Final = 500
VALUES_MAX: Final = 24_000
"""Values in an answer: about 300 kB. A graph with more outputs is shown over fewer bars."""
BARS_MIN: Final = 20


async def preview_graph(
    command: PreviewGraph, context: Context, *, desk: Desk, catalogue: Catalogue
) -> GraphPreviewView:
    """Return what can be computed of a graph over the newest bars of a symbol; nothing is stored.

    Raises RANGE, SYMBOL_UNKNOWN, TIMEFRAME_UNAVAILABLE, DATASET_MISSING, what reading a graph raises, and the first
    problem that belongs to no single node.
    """
    if not BARS_MIN <= command.bars <= BARS_MAX:
        raise AlphintraError("RANGE", f"bars must be {BARS_MIN} to {BARS_MAX}", pointer="/bars")
    dataset = await newest_dataset(command.symbol, context, desk=desk)
    return await asyncio.to_thread(_previewed, command, dataset, catalogue)


def _previewed(command: PreviewGraph, dataset: Dataset, catalogue: Catalogue) -> GraphPreviewView:
    from alphintra.engine.preview import bars_to_read, computable, series_of  # noqa: PLC0415 - loads numpy

    graph = parse_graph(command.graph.encode())
    part = computable(graph, command.nodes)
    last = command.bars
    if part.plan is None:
        return _view(command.symbol, graph.timeframe, part, (), ())
    bars = _bars(dataset, graph.timeframe, bars_to_read(part.plan, last), catalogue)
    series = series_of(part.plan, bars, calendar=calendar_of(command.symbol), last=last)
    asked = tuple(each for each in series if not command.nodes or each.node in command.nodes)
    return _view(command.symbol, graph.timeframe, part, asked, bars, last=last)


def _bars(dataset: Dataset, timeframe: str, count: int, catalogue: Catalogue) -> tuple[Bar, ...]:
    stored, interval = interval_of(dataset.timeframe), interval_of(timeframe)
    require_not_finer(interval, stored, symbol=dataset.symbol)
    wanted = BarsWanted(
        timeframe=dataset.timeframe,
        interval=interval,
        zone="UTC" if "/" in dataset.symbol else "America/New_York",
        start=None,
        end=None,
        after=None,
        newest_first=True,
        splits=tuple(dataset.splits),
        limit=count,
    )
    return tuple(bar for _opened, bar in reversed(read_bars(catalogue.path_of(dataset.dataset_id), wanted)))


def _view(
    symbol: str,
    timeframe: str,
    part: Part,
    series: tuple[Series, ...],
    bars: tuple[Bar, ...],
    *,
    last: int = BARS_MIN,
) -> GraphPreviewView:
    shown = min(last, max(BARS_MIN, VALUES_MAX // max(1, len(series))))
    return GraphPreviewView(
        symbol=symbol,
        timeframe=timeframe,
        times=tuple(bar.ts for bar in bars[-shown:]),
        series=tuple(
            PreviewSeriesView(node=each.node, port=each.port, kind=each.kind, values=each.values[-shown:])
            for each in series
        ),
        left_out=tuple(LeftOutView(node=node, reason=reason) for node, reason in sorted(part.left_out.items())),
        bars_read=len(bars),
    )
