"""Splits and dividends as a source tells them beside its bars, and what a dataset keeps of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from alphintra.engine.corporate_actions import Split
from alphintra.strategy.gateways.catalogue import write_split
from alphintra.strategy.gateways.columns import write_dividend

if TYPE_CHECKING:
    import polars as pl

    from alphintra.strategy.gateways.bar_sources import Wanted

__all__ = ["CashDividend", "Events", "ShareSplit", "TellsEvents", "kept_events"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareSplit:
    """From that moment on a share is ``ratio`` shares."""

    at: datetime
    ratio: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class CashDividend:
    """From that moment on a share is without this cash; in what a share was worth then."""

    at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """What a source tells of a symbol, oldest first."""

    splits: tuple[ShareSplit, ...] = ()
    dividends: tuple[CashDividend, ...] = ()


@runtime_checkable
class TellsEvents(Protocol):
    """A source that tells splits and dividends."""

    async def events(self, wanted: Wanted) -> Events:
        """Return the events of the time wanted; raises what `BarSource.page` does."""


def kept_events(events: Events, frame: pl.DataFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return splits and dividends as datasets keep them, each at the first bar that closed after it.

    Those without bars before and after them say nothing of the bars there are and are left out.
    """
    closes, ts = frame["close"], frame["ts"]
    splits, dividends = [], []
    for split in events.splits:
        place = int(ts.search_sorted(split.at, side="right"))
        if 0 < place < len(ts):
            splits.append(write_split(Split(place, ts[place], split.ratio)))
    for dividend in events.dividends:
        place = int(ts.search_sorted(dividend.at, side="right"))
        before = closes[place - 1] if 0 < place < len(ts) else None
        if before is not None and dividend.amount < before:
            factor = 1 / (1 - float(dividend.amount) / float(before))
            dividends.append(write_dividend(ts[place], dividend.amount, factor))
    return tuple(splits), tuple(dividends)
