"""Use cases that read the catalogue's bars."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from alphintra.contracts.strategy import (
    BarsView,
    BarView,
    CheckDataset,
    CoverageView,
    DataCheckView,
    DataIssueView,
    ListBars,
)
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.intervals import interval_of, require_not_finer
from alphintra.strategy.domain.market_files import Finding
from alphintra.strategy.gateways.bars import BarsWanted, read_bars
from alphintra.strategy.gateways.catalogue import data_hash, read_split
from alphintra.strategy.gateways.columns import BarColumns, Factors
from alphintra.strategy.gateways.market_checks import coverage_of, missing_sessions, oddities
from alphintra.strategy.service.imports import newest_dataset

if TYPE_CHECKING:
    from alphintra.kernel.messages import Context
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.repository import Dataset, Desk

__all__ = ["check_dataset", "list_bars", "read_columns"]

ADJUSTMENTS: Final = ("none", "split", "total")
PAGE_MAX: Final = 4000  # about half of what one message holds


async def list_bars(command: ListBars, context: Context, *, desk: Desk, catalogue: Catalogue) -> BarsView:
    """Return a page of bars. Raises SYMBOL_UNKNOWN, TIMEFRAME_INVALID, TIMEFRAME_UNAVAILABLE, PAGE_LIMIT or RANGE."""
    if not 1 <= command.limit <= PAGE_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must be 1 to {PAGE_MAX}", pointer="/limit")
    if command.start is not None and command.end is not None and command.start > command.end:
        raise AlphintraError("RANGE", "the range ends before it starts: swap start and end", pointer="/end")
    dataset = await newest_dataset(command.symbol, context, desk=desk)
    stored = interval_of(dataset.timeframe)
    interval = stored if command.timeframe is None else interval_of(command.timeframe)
    require_not_finer(interval, stored, symbol=command.symbol)
    wanted = BarsWanted(
        timeframe=dataset.timeframe,
        interval=interval,
        zone="UTC" if "/" in command.symbol else "America/New_York",
        start=command.start,
        end=command.end,
        after=command.after,
        newest_first=command.newest_first,
        splits=tuple(dataset.splits) if command.is_split_adjusted else (),
        limit=command.limit + 1,
    )
    found = await asyncio.to_thread(read_bars, catalogue.path_of(dataset.dataset_id), wanted)
    bars = tuple(
        BarView(opened_at=opened, open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=bar.volume)
        for opened, bar in found[: command.limit]
    )
    return BarsView(
        symbol=command.symbol, timeframe=interval.polars_name, bars=bars, has_more=len(found) > command.limit
    )


async def check_dataset(command: CheckDataset, context: Context, *, desk: Desk, catalogue: Catalogue) -> DataCheckView:
    """Check the newest bars of a symbol as they are stored. Raises SYMBOL_UNKNOWN or DATASET_MISSING."""
    dataset = await newest_dataset(command.symbol, context, desk=desk)
    return await asyncio.to_thread(_checked, dataset, catalogue, has_hash=command.has_hash)


def read_columns(
    dataset: Dataset,
    *,
    catalogue: Catalogue,
    start: datetime | None = None,
    end: datetime | None = None,
    adjust: str = "split",
) -> BarColumns:
    """Return the bars of a dataset that closed in ``[start, end)`` as arrays for compiled code.

    Args:
        dataset: which bars.
        catalogue: where they lie.
        start: earliest close, included.
        end: latest close, left out.
        adjust: ``none`` for raw prices, ``split`` for shares of the last bar, ``total`` for dividends reinvested, too.

    Raises:
        AlphintraError: ADJUST_UNKNOWN, DATASET_MISSING or RANGE.
    """
    if adjust not in ADJUSTMENTS:
        message = f"prices cannot be adjusted as {adjust[:20]!r}: write {', '.join(ADJUSTMENTS)}"
        raise AlphintraError("ADJUST_UNKNOWN", message, pointer="/adjust")
    factors = Factors(
        splits=dataset.splits if adjust != "none" else (),
        dividends=dataset.dividends if adjust == "total" else (),
    )
    return catalogue.columns(dataset.dataset_id, factors, start=start, end=end)


def _checked(dataset: Dataset, catalogue: Catalogue, *, has_hash: bool) -> DataCheckView:
    frame = catalogue.read_frame(dataset.dataset_id)
    split_times = [read_split(text, ()).ts for text in dataset.splits]
    coverage = coverage_of(frame, dataset.symbol, dataset.timeframe)
    told = msgspec.json.decode(dataset.issues, type=tuple[DataIssueView, ...])
    gaps = missing_sessions(coverage, dataset.timeframe)
    odd = oddities(frame, dataset.symbol, dataset.timeframe, split_times)
    found = (*gaps, *(finding for finding in odd if not gaps or finding.code != "BAR_GAP"))
    known = {finding.code for finding in found}
    is_intact = None
    if has_hash:
        is_intact = data_hash(frame, dataset.splits, dataset.dividends) == dataset.data_hash
    return DataCheckView(
        dataset_id=dataset.dataset_id,
        symbol=dataset.symbol,
        timeframe=dataset.timeframe,
        rows=len(frame),
        first_ts=frame["ts"][0],
        last_ts=frame["ts"][-1],
        coverage=CoverageView(
            calendar=coverage.calendar,
            sessions_expected=coverage.sessions_expected,
            sessions_found=coverage.sessions_found,
            bars_expected=coverage.bars_expected,
            bars_found=coverage.bars_found,
            bars_outside=coverage.bars_outside,
            share=coverage.bars_found / coverage.bars_expected if coverage.bars_expected else 0.0,
            gaps=coverage.gaps,
            gap_bars=coverage.gap_bars,
            gap_after=coverage.gap_after,
        ),
        issues=(
            *(issue for issue in told if issue.action == "dropped" or issue.code not in known),
            *map(_issue, found),
        ),
        is_intact=is_intact,
    )


def _issue(finding: Finding) -> DataIssueView:
    return DataIssueView(
        code=finding.code, action=finding.action, count=finding.count, details=finding.details, fix=finding.fix
    )
