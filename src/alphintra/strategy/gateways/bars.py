"""Pages of bars read out of the catalogue's files, at their own or a longer interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from alphintra.engine.bars import Bar
from alphintra.engine.corporate_actions import adjust_for_splits
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy.domain.intervals import Interval, interval_of
from alphintra.strategy.gateways.catalogue import read_split

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["BarsWanted", "read_bars"]

_PRICES: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsWanted:
    """Which bars of a dataset are read.

    Attributes:
        timeframe: interval of the stored bars.
        interval: interval wanted, at least as long.
        zone: time zone whose days, weeks and months count.
        start: earliest opening, included.
        end: latest opening, included.
        after: only bars beyond this opening, in the direction of reading.
        newest_first: direction of reading.
        splits: stored splits to adjust for; empty for raw prices.
        limit: how many at most.
    """

    timeframe: str
    interval: Interval
    zone: str
    start: datetime | None
    end: datetime | None
    after: datetime | None
    newest_first: bool
    splits: tuple[str, ...]
    limit: int


def read_bars(path: Path, wanted: BarsWanted) -> tuple[tuple[datetime, Bar], ...]:
    """Return bars with the time each interval opened; only what is asked for is read. Raises DATASET_MISSING."""
    import polars as pl  # noqa: PLC0415 - heavy, and only who reads bars needs it

    if not path.exists():
        message = f"the catalogue file {path.stem} is gone: import the data again"
        raise AlphintraError("DATASET_MISSING", message, kind=Kind.NOT_FOUND)
    stored = pl.scan_parquet(path).select("ts", *_PRICES)
    if wanted.splits:
        stored = _adjusted(stored.collect(), wanted.splits).lazy()
    found = _chosen(stored.with_columns(_opening(wanted).alias("opened")), wanted)
    if wanted.interval != interval_of(wanted.timeframe):
        found = (
            found.sort("ts")
            .group_by("opened")
            .agg(
                pl.last("ts"),
                pl.first("open"),
                pl.max("high"),
                pl.min("low"),
                pl.last("close"),
                pl.sum("volume"),
            )
        )
    page = found.sort("opened", descending=wanted.newest_first).limit(wanted.limit).collect()
    return tuple(
        (opened, Bar(ts, *prices)) for opened, ts, *prices in page.select("opened", "ts", *_PRICES).iter_rows()
    )


def _opening(wanted: BarsWanted) -> pl.Expr:
    """Return when the wanted interval opened in which a stored bar, stamped at its close, lies."""
    import polars as pl  # noqa: PLC0415 - as above

    stored = interval_of(wanted.timeframe)
    inside = pl.col("ts").dt.convert_time_zone(wanted.zone) - pl.duration(microseconds=1)
    if stored.is_intraday:
        inside = pl.col("ts").dt.convert_time_zone(wanted.zone) - pl.duration(minutes=stored.minutes)
    return inside.dt.truncate(wanted.interval.polars_name).dt.convert_time_zone("UTC")


def _chosen(frame: pl.LazyFrame, wanted: BarsWanted) -> pl.LazyFrame:
    import polars as pl  # noqa: PLC0415 - as above

    opened = pl.col("opened")
    if wanted.start is not None:
        frame = frame.filter(opened >= wanted.start)
    if wanted.end is not None:
        frame = frame.filter(opened <= wanted.end)
    if wanted.after is not None:
        frame = frame.filter(opened < wanted.after if wanted.newest_first else opened > wanted.after)
    return frame


def _adjusted(frame: pl.DataFrame, splits: Sequence[str]) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415 - as above

    bars = [Bar(ts, *prices) for ts, *prices in frame.iter_rows()]
    after = adjust_for_splits(bars, [read_split(text, bars) for text in splits])
    columns: dict[str, Any] = {name: [getattr(bar, name) for bar in after] for name in _PRICES}
    return pl.DataFrame({"ts": frame["ts"]} | columns, schema=frame.schema)
