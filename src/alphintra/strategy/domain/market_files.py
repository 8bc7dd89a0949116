"""Market-data files: text rows to checked daily or intraday bars per symbol, with everything odd named."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from zoneinfo import ZoneInfo

from alphintra.engine.bars import Bar
from alphintra.engine.corporate_actions import DailyClose, Split, derive_adjustments
from alphintra.kernel.errors import AlphintraError

__all__ = ["ROWS_MAX", "SymbolBars", "read_market_rows", "require_symbol"]

ROWS_MAX = 5_000_000
FINDINGS_MAX = 50
BAD_SHARE_MAX = 0.01
GAP_DAYS = 7
JUMP = 3  # a close three times the one before, or a third of it, without a split to explain it
PROGRESS_ROWS = 5000
_SESSION_CLOSE = time(16, 0)
_EXCHANGE = ZoneInfo("America/New_York")
_NAMES: Mapping[str, frozenset[str]] = {
    "symbol": frozenset({"symbol", "ticker", "code"}),
    "ts": frozenset({"date", "datetime", "timestamp", "time", "ts"}),
    "open": frozenset({"open", "o"}),
    "high": frozenset({"high", "h"}),
    "low": frozenset({"low", "l"}),
    "close": frozenset({"close", "c"}),
    "volume": frozenset({"volume", "v", "vol"}),
    "adjusted": frozenset({"adjclose", "adjustedclose", "adjc"}),
}
_REQUIRED = ("ts", "open", "high", "low", "close", "volume")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")
_PLACES = Decimal("0.000000001")
_YEARS = range(1800, 2200)
_NOT_A_NUMBER = frozenset({"nan", "null", "none", "na", "n/a", "-"})
_NAMED_MINUTES: Mapping[int, str] = {60: "1h", 240: "4h", 1440: "1d"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolBars:
    """Checked raw bars of one symbol, oldest first, with the splits read out of its adjusted closes."""

    symbol: str
    timeframe: str
    bars: tuple[Bar, ...]
    splits: tuple[Split, ...]
    findings: tuple[str, ...]


@dataclass(slots=True)
class _Series:
    bars: list[Bar]
    adjusted: list[Decimal]
    bad: list[AlphintraError]
    is_daily: bool | None = None


def read_market_rows(
    lines: Iterable[str], *, symbol: str | None, progress: Callable[[int], None] | None = None
) -> tuple[SymbolBars, ...]:
    """Read a CSV with one bar per line; columns by name, in any order.

    Dates without a time are sessions of New York and close at 16:00 there. Times must carry UTC; they are taken as
    the start of the interval, and bars are stamped with its end.

    Args:
        lines: text lines, header first.
        symbol: symbol of all rows where the file has no such column.
        progress: told the number of rows read, now and then.

    Raises:
        AlphintraError: FILE_EMPTY, ENCODING, CSV_DIALECT, CSV_COLUMN, TIME_UNIT, TIME_ZONE, TIME_ORDER, BAR_GAP,
            SYMBOL_REQUIRED, SYMBOL_FORMAT, FILE_TOO_LARGE, and where more than one row of a symbol and more than one
            in a hundred is bad the code of its first bad row, BAR_INVALID or PRICE_MISSING; each names the line.
    """
    rows = csv.reader(_without_nul(lines), strict=True)
    try:
        columns, width = _columns(next((row for row in rows if row), None))
        found: dict[str, _Series] = {}
        for count, row in enumerate(rows, start=1):
            if count > ROWS_MAX:
                raise AlphintraError("FILE_TOO_LARGE", f"more than {ROWS_MAX} rows: split the file")
            if progress is not None and count % PROGRESS_ROWS == 0:
                progress(count)
            if row:
                _check_width(row, width, line=rows.line_num)
                _take(found, columns, row, line=rows.line_num, default_symbol=symbol)
    except csv.Error as error:
        message = f"line {rows.line_num}: the file is no well-formed CSV: {error}"
        raise AlphintraError("CSV_DIALECT", message) from error
    if not found:
        raise AlphintraError("FILE_EMPTY", "the file has a header but no rows")
    return tuple(_finished(name, series) for name, series in sorted(found.items()))


def require_symbol(name: str) -> None:
    """Check the symbol somebody gives for a file without a symbol column. Raises SYMBOL_FORMAT."""
    if not _SYMBOL.fullmatch(name):
        message = f"{name[:40]!r} is no symbol: write it in capitals, e.g. AAPL"
        raise AlphintraError("SYMBOL_FORMAT", message, pointer="/symbol")


def _without_nul(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            message = f"line {number} holds NUL: the file is no plain text, or UTF-16; save it as UTF-8"
            raise AlphintraError("ENCODING", message)
        yield line


def _columns(header: list[str] | None) -> tuple[dict[str, int], int]:
    if not header:
        raise AlphintraError("FILE_EMPTY", "the file is empty: a header line is expected")
    if len(header) == 1:
        message = f"only one column in {header[0][:60]!r}: write comma-separated values with a header"
        raise AlphintraError("CSV_DIALECT", message)
    columns: dict[str, int] = {}
    for index, title in enumerate(header):
        plain = re.sub(r"[^a-z]", "", title.removeprefix("\ufeff").lower())
        for name, spellings in _NAMES.items():
            if plain in spellings:
                if name in columns:
                    raise AlphintraError("CSV_COLUMN", f"two columns mean {name}: {title!r} is the second")
                columns[name] = index
    missing = [name for name in _REQUIRED if name not in columns]
    if missing:
        message = f"no column for {', '.join(missing)}: the header is {', '.join(header)[:120]}"
        raise AlphintraError("CSV_COLUMN", message)
    return columns, len(header)


def _check_width(row: list[str], width: int, *, line: int) -> None:
    if len(row) < width:
        message = f"line {line} has {len(row)} fields, the header {width}: is the file cut off?"
        raise AlphintraError("CSV_COLUMN", message)
    if any(field.strip() for field in row[width:]):
        message = f"line {line} has {len(row)} fields, the header {width}: write numbers without thousands separators"
        raise AlphintraError("CSV_COLUMN", message)


def _take(
    found: dict[str, _Series], columns: dict[str, int], row: list[str], *, line: int, default_symbol: str | None
) -> None:
    name = row[columns["symbol"]].strip() if "symbol" in columns else default_symbol
    if name is None:
        message = "the file has no symbol column: say which symbol it holds"
        raise AlphintraError("SYMBOL_REQUIRED", message, pointer="/symbol")
    if not _SYMBOL.fullmatch(name):
        raise AlphintraError("SYMBOL_FORMAT", f"line {line}: {name[:40]!r} is no symbol: write e.g. AAPL")
    series = found.setdefault(name, _Series([], [], []))
    ts, is_daily = _time(row[columns["ts"]].strip(), line)
    if series.is_daily is None:
        series.is_daily = is_daily
    elif series.is_daily != is_daily:
        raise AlphintraError("TIME_ZONE", f"line {line} mixes dates and times: use one of them throughout")
    if series.bars and ts <= series.bars[-1].ts:
        message = f"line {line}: {name} at {row[columns['ts']]} is not after the row before it: sort, drop duplicates"
        raise AlphintraError("TIME_ORDER", message)
    try:
        bar = Bar(ts, *(_number(row[columns[key]], key, line) for key in ("open", "high", "low", "close", "volume")))
        adjusted = _adjusted(row[columns["adjusted"]], line) if "adjusted" in columns else bar.close
    except AlphintraError as error:
        if error.code not in {"BAR_INVALID", "PRICE_MISSING"}:
            raise
        detail = error.detail if error.detail.startswith("line ") else f"line {line}: {error.detail}"
        series.bad.append(AlphintraError(error.code, detail))
        return
    series.bars.append(bar)
    series.adjusted.append(adjusted)


def _time(text: str, line: int) -> tuple[datetime, bool]:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise AlphintraError("TIME_UNIT", f"line {line}: {text} is no date") from error
        _require_year(day.year, text, line)
        return datetime.combine(day, _SESSION_CLOSE, _EXCHANGE).astimezone(UTC), True
    if re.fullmatch(r"-?\d+(\.\d*)?([eE]\+?\d+)?", text):
        message = f"line {line}: {text} is a bare number: write 2013-03-01 or 2013-03-01T14:30:00Z"
        raise AlphintraError("TIME_UNIT", message)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"line {line}: {text[:40]!r} is no time: write 2013-03-01 or 2013-03-01T14:30:00Z"
        raise AlphintraError("TIME_UNIT", message) from error
    if moment.utcoffset() != timedelta(0):
        raise AlphintraError("TIME_ZONE", f"line {line}: {text} is not in UTC: write it with Z")
    _require_year(moment.year, text, line)
    return moment.astimezone(UTC), False


def _require_year(year: int, text: str, line: int) -> None:
    if year not in _YEARS:
        message = f"line {line}: {text} lies outside the years {_YEARS.start} to {_YEARS.stop - 1}"
        raise AlphintraError("TIME_UNIT", message)


def _adjusted(text: str, line: int) -> Decimal:
    adjusted = _number(text, "adjusted close", line)
    if adjusted <= 0:
        raise AlphintraError("PRICE_MISSING", f"line {line}: adjusted close {text} is not above zero")
    return adjusted


def _number(text: str, name: str, line: int) -> Decimal:
    text = text.strip()
    if not text or text.lower() in _NOT_A_NUMBER:
        raise AlphintraError("PRICE_MISSING", f"line {line}: {name} is {text or 'blank'}")
    if not _NUMBER.fullmatch(text):
        raise AlphintraError("BAR_INVALID", f"line {line}: {name} is {text[:30]!r}, not a plain number")
    try:
        return Decimal(text).quantize(_PLACES)
    except InvalidOperation as error:
        raise AlphintraError("BAR_INVALID", f"line {line}: {name} {text} is out of range") from error


def _finished(symbol: str, series: _Series) -> SymbolBars:
    total = len(series.bars) + len(series.bad)
    if not series.bars or len(series.bad) > max(1, int(total * BAD_SHARE_MAX)):
        first = series.bad[0]
        message = f"{symbol}: {len(series.bad)} of {total} rows are bad, first: {first.detail}"
        raise AlphintraError(first.code, message)
    bars, timeframe, gaps = series.bars, "1d", []
    if not series.is_daily:
        bars, timeframe = _stamped_at_close(symbol, bars)
        gaps = _intraday_gaps(bars)
    closes = zip(bars, series.adjusted, strict=True)
    adjustments = derive_adjustments([DailyClose(bar.ts, bar.close, adjusted) for bar, adjusted in closes])
    steps = [
        f"unexplained step of the adjusted close by {step.step:.3f} on {step.ts:%Y-%m-%d}"
        for step in adjustments.unexplained
    ]
    left_out = [f"left out {error.detail}" for error in series.bad]
    odd = [*left_out, *steps, *gaps, *_oddities(bars, adjustments.splits)]
    if len(odd) > FINDINGS_MAX:
        odd = [*odd[:FINDINGS_MAX], f"… and {len(odd) - FINDINGS_MAX} more"]
    return SymbolBars(
        symbol=symbol, timeframe=timeframe, bars=tuple(bars), splits=adjustments.splits, findings=tuple(odd)
    )


def _stamped_at_close(symbol: str, bars: list[Bar]) -> tuple[list[Bar], str]:
    distances = sorted((later.ts - earlier.ts for earlier, later in pairwise(bars)), key=timedelta.total_seconds)
    if not distances:
        raise AlphintraError("BAR_GAP", f"{symbol}: one bar alone has no interval")
    interval = distances[len(distances) // 2]
    minutes, rest = divmod(interval.total_seconds(), 60)
    if rest or minutes < 1:
        raise AlphintraError("TIME_UNIT", f"{symbol}: bars are {interval} apart, whole minutes are needed")
    stamped = [Bar(bar.ts + interval, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars]
    return stamped, _NAMED_MINUTES.get(int(minutes), f"{int(minutes)}m")


def _intraday_gaps(bars: list[Bar]) -> list[str]:
    distances = [(later.ts - earlier.ts, earlier.ts) for earlier, later in pairwise(bars)]
    interval = sorted(distance for distance, _ts in distances)[len(distances) // 2]
    gaps = [(distance, ts) for distance, ts in distances if distance != interval]
    if not gaps:
        return []
    longest, ts = max(gaps)
    return [f"{len(gaps)} gaps in a series of {interval} bars, the longest of {longest} after {ts:%Y-%m-%dT%H:%MZ}"]


def _oddities(bars: list[Bar], splits: tuple[Split, ...]) -> Iterator[str]:
    split_times = {split.ts for split in splits}
    for earlier, later in pairwise(bars):
        if later.ts - earlier.ts > timedelta(days=GAP_DAYS):
            yield f"gap of {(later.ts - earlier.ts).days} days before {later.ts:%Y-%m-%d}"
        ratio = later.close / earlier.close
        if (ratio > JUMP or ratio * JUMP < 1) and later.ts not in split_times:
            prices = f"from {earlier.close.normalize():f} to {later.close.normalize():f}"
            yield f"close jumps {prices} on {later.ts:%Y-%m-%d}"
    silent = sum(1 for bar in bars if not bar.volume)
    if silent:
        yield f"{silent} bars without volume"
