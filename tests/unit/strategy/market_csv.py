"""Market-data files for tests, built from defaults that a test overrides where it matters."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from alphintra.engine.bars import Bar
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.market_files import ImportOptions, sentences
from alphintra.strategy.gateways.market_rows import text_pieces
from alphintra.strategy.gateways.market_tables import SymbolTable, tables_of

if TYPE_CHECKING:
    from alphintra.engine.corporate_actions import Split

HEADER = "date,open,high,low,close,volume"
GOOD = "10,11,9,10,1000"
NOW = datetime(2026, 2, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SymbolBars:
    """What was read of one symbol, as bars."""

    table: SymbolTable

    @property
    def symbol(self) -> str:
        return self.table.symbol

    @property
    def timeframe(self) -> str:
        return self.table.timeframe

    @property
    def bars(self) -> tuple[Bar, ...]:
        return tuple(Bar(ts, *amounts) for ts, *amounts in self.table.frame.iter_rows())

    @property
    def splits(self) -> tuple[Split, ...]:
        return self.table.adjusted.splits

    @property
    def findings(self) -> tuple[str, ...]:
        return sentences(self.table.findings)

    @property
    def codes(self) -> dict[str, tuple[str, int]]:
        return {finding.code: (finding.action, finding.count) for finding in self.table.findings}


def file_of(*rows: str, header: str = HEADER) -> list[str]:
    """Return the lines of a file."""
    return [f"{row}\n" for row in (header, *rows)]


def days(count: int, *, first: str = "2024-01-02", values: str = GOOD) -> list[str]:
    """Return rows of consecutive days."""
    start = date.fromisoformat(first)
    return [f"{start + timedelta(days=index)},{values}" for index in range(count)]


def read_lines(
    lines: Iterable[str],
    *,
    symbol: str | None = "AAPL",
    progress: Callable[[int], None] | None = None,
    **said: Any,  # noqa: ANN401 - options by name
) -> tuple[SymbolBars, ...]:
    """Read the lines of a file."""
    options = ImportOptions(symbol=symbol, **said)
    return tuple(map(SymbolBars, tables_of(text_pieces(lines, options, progress=progress), options, at=NOW)))


def read(*rows: str, header: str = HEADER, **said: Any) -> tuple[SymbolBars, ...]:  # noqa: ANN401 - as above
    """Read rows as a file."""
    return read_lines(file_of(*rows, header=header), **said)


def read_one(*rows: str, header: str = HEADER, **said: Any) -> SymbolBars:  # noqa: ANN401 - as above
    """Read rows of one symbol."""
    (found,) = read(*rows, header=header, **said)
    return found


def refusal(lines: Iterable[str], **said: Any) -> AlphintraError:  # noqa: ANN401 - as above
    """Return the error a file is refused with."""
    try:
        found = read_lines(lines, **said)
    except AlphintraError as error:
        return error
    message = f"the file was read: {found}"
    raise AssertionError(message)


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as quoted CSV."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
