"""Splits and dividends out of a column of adjusted closes, kept as factors beside the raw prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from alphintra.engine.corporate_actions import (
    DIVIDEND_THRESHOLD,
    DailyClose,
    Split,
    derive_adjustments,
)
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.market_files import Finding, split_wish
from alphintra.strategy.gateways.columns import write_dividend

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Adjusted", "read_adjustments", "wished_splits"]

DETAILS_MAX = 50
_EXCHANGE: Final = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """What adjusted closes say happened to a symbol, oldest first; dividends as `write_dividend` writes them."""

    splits: tuple[Split, ...] = ()
    dividends: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def with_splits(self, splits: Sequence[Split]) -> Adjusted:
        """Return the same with splits that somebody named in place of derived ones of the same bar."""
        known = {split.ts: split for split in self.splits} | {split.ts: split for split in splits}
        return replace(self, splits=tuple(known[ts] for ts in sorted(known)))


def read_adjustments(frame: pl.DataFrame) -> Adjusted:
    """Read the steps of adjusted close / close as `engine.corporate_actions` does, bar by bar where there is one."""
    import polars as pl  # noqa: PLC0415 - heavy, and only workers need it

    factor = pl.col("adjusted").cast(pl.Float64) / pl.col("close").cast(pl.Float64)
    steps = frame.select(factor / factor.shift(1)).to_series()
    moved = ((steps - 1).abs() > DIVIDEND_THRESHOLD).arg_true()
    splits, dividends, unexplained, backwards = [], [], [], []
    for place in moved.to_list():
        pair = [DailyClose(*values) for values in frame.slice(place - 1, 2).select("ts", "close", "adjusted").rows()]
        found = derive_adjustments(pair)
        splits += [replace(split, index=place) for split in found.splits]
        dividends += [write_dividend(each.ts, each.amount, steps[place]) for each in found.dividends]
        unexplained += [
            f"unexplained step of the adjusted close by {each.step:.3f} on {each.ts:%Y-%m-%d}"
            for each in found.unexplained
        ]
        if not (found.splits or found.dividends or found.unexplained):
            backwards.append(f"the adjusted close falls back by {1 - steps[place]:.2%} on {pair[1].ts:%Y-%m-%d}")
    findings = [
        Finding(code=code, action="kept", count=len(details), details=tuple(details[:DETAILS_MAX]), fix=fix)
        for code, details, fix in (
            ("ADJUSTMENT_UNEXPLAINED", unexplained, "look for a spin-off or a fault; a split is named with --split"),
            (
                "ADJUSTMENT_INCONSISTENT",
                backwards,
                "adjusted closes contradict closes: ask the source, or leave them out",
            ),
        )
        if details
    ]
    return Adjusted(splits=tuple(splits), dividends=tuple(dividends), findings=tuple(findings))


def wished_splits(wishes: Sequence[str], ts: pl.Series) -> tuple[Split, ...]:
    """Return splits as somebody named them, each at the first bar of its day. Raises SPLIT_FORMAT without one."""
    found = []
    for text in wishes:
        day, ratio = split_wish(text)
        start = datetime.combine(day, datetime.min.time(), _EXCHANGE).astimezone(UTC)
        place = ts.search_sorted(start, side="left")
        if place == 0 or place >= len(ts):
            message = f"the split {text} has no bars before and after it: its day is the first that trades split"
            raise AlphintraError("SPLIT_FORMAT", message, pointer="/splits")
        found.append(Split(int(place), ts[int(place)], ratio))
    return tuple(found)
