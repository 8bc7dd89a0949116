"""Market-data files for tests, built from defaults that a test overrides where it matters."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.market_files import read_market_rows

if TYPE_CHECKING:
    from alphintra.strategy.domain.market_files import SymbolBars

HEADER = "date,open,high,low,close,volume"
GOOD = "10,11,9,10,1000"


def file_of(*rows: str, header: str = HEADER) -> list[str]:
    """Return the lines of a file."""
    return [f"{row}\n" for row in (header, *rows)]


def days(count: int, *, first: str = "2024-01-02", values: str = GOOD) -> list[str]:
    """Return rows of consecutive days."""
    start = date.fromisoformat(first)
    return [f"{start + timedelta(days=index)},{values}" for index in range(count)]


def read(*rows: str, header: str = HEADER, symbol: str | None = "AAPL") -> tuple[SymbolBars, ...]:
    """Read rows as a file."""
    return read_market_rows(file_of(*rows, header=header), symbol=symbol)


def read_one(*rows: str, header: str = HEADER) -> SymbolBars:
    """Read rows of one symbol."""
    (found,) = read(*rows, header=header)
    return found


def refusal(lines: Iterable[str], *, symbol: str | None = "AAPL") -> AlphintraError:
    """Return the error a file is refused with."""
    try:
        found = read_market_rows(lines, symbol=symbol)
    except AlphintraError as error:
        return error
    message = f"the file was read: {found}"
    raise AssertionError(message)


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as quoted CSV."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
