"""Use cases that read the catalogue's bars."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from alphintra.contracts.strategy import BarsView, BarView, ListBars
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.intervals import interval_of, require_not_finer
from alphintra.strategy.gateways.bars import BarsWanted, read_bars
from alphintra.strategy.service.imports import newest_dataset

if TYPE_CHECKING:
    from alphintra.kernel.messages import Context
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.repository import Desk

__all__ = ["list_bars"]

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
