"""The daily prices that come with Alphintra, as they were traded: since 2006 none of the symbols has been split."""

from __future__ import annotations

import gzip
from csv import DictReader
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources

from alphintra.engine.bars import Bar

__all__ = ["shipped_bars"]


@cache
def shipped_bars(symbol: str) -> tuple[Bar, ...]:
    """Return the daily bars of a symbol, closing at 21:00 UTC."""
    data = (resources.files("alphintra") / "data" / "us-stocks-daily-2000-2013.csv.gz").read_bytes()
    lines = gzip.decompress(data).decode().splitlines()
    return tuple(_bar(row) for row in DictReader(lines) if row["Ticker"] == symbol)


def _bar(row: dict[str, str]) -> Bar:
    closed = datetime.fromisoformat(row["Date"]).replace(tzinfo=UTC) + timedelta(hours=21)
    opened, high, low, close = (Decimal(row[name]) for name in ("Open", "High", "Low", "Close"))
    return Bar(closed, opened, max(high, opened, close), min(low, opened, close), close, Decimal(row["Volume"]))
