"""Market-data files to tables of checked raw bars per symbol; nothing is mended that was not asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from alphintra.engine.sessions import calendar_of
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.intervals import interval_of
from alphintra.strategy.domain.market_files import NUMBERS, SYMBOL, Finding, ImportOptions, bad_row
from alphintra.strategy.gateways import market_checks
from alphintra.strategy.gateways.adjusted_closes import Adjusted, read_adjustments, wished_splits
from alphintra.strategy.gateways.market_times import EXCHANGE_ZONE, TimeReader

if TYPE_CHECKING:
    import polars as pl

    from alphintra.strategy.gateways.market_rows import Piece

__all__ = ["SymbolTable", "tables_of"]

BAD_SHARE_MAX = 0.01
FINDINGS_MAX = 50
_AMOUNT_MAX: Final = Decimal(10) ** 18
_SESSION_CLOSE: Final = "16h"
_WEEK_DAYS: Final = (5, 9)
_MONTH_DAYS: Final = (27, 32)
_DAILY_DAYS_MAX: Final = 4
_NAMED_MINUTES: Final = {60: "1h", 240: "4h", 1440: "1d"}
_LINES_FIX: Final = "correct or remove these lines in the source, and import it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolTable:
    """Checked raw bars of one symbol.

    Attributes:
        symbol: what they are of.
        timeframe: interval, as graphs name it.
        frame: ``ts`` (UTC, when a bar closed) and open, high, low, close, volume; oldest first.
        adjusted: splits and dividends, with what adjusted closes did not explain.
        findings: what is odd, and what was left out.
        format: format of the file.
        zone: zone its times were written in; empty for dates of sessions.
        price_basis: raw, split_adjusted or adjusted.
    """

    symbol: str
    timeframe: str
    frame: pl.DataFrame
    adjusted: Adjusted
    findings: tuple[Finding, ...]
    format: str
    zone: str
    price_basis: str


def tables_of(pieces: Iterator[Piece], options: ImportOptions, *, at: datetime) -> tuple[SymbolTable, ...]:
    """Read rows into tables, by symbol.

    Dates without a time are sessions of New York and close at 16:00 there, those of pairs with a slash at the end of
    the UTC day; weeks and months of dates close where the next begins. Times are starts of intervals unless the
    options say otherwise. Bars are stamped with the time they close.

    Args:
        pieces: the rows of a file.
        options: what is said of it.
        at: now; bars that close later are left out.

    Raises:
        AlphintraError: FILE_EMPTY, TIME_UNIT, TIME_ZONE, TIME_ORDER, TIME_FUTURE, BAR_GAP, SYMBOL_REQUIRED,
            SYMBOL_FORMAT, and where more than one row of a symbol and more than one in a hundred is bad the code of
            its first bad row, BAR_INVALID, PRICE_MISSING or PRICE_OUTLIER; and what reading the pieces raises.
    """
    import polars as pl  # noqa: PLC0415 - heavy, and only workers need it

    times, parts, explained = TimeReader(options), [], _Explained()
    piece = None
    for piece in pieces:
        if piece.zone and not options.zone:
            options = _in_zone(options, piece.zone)
            times = TimeReader(options)
        frame = times.read(_with_symbols(piece, options))
        parts.append(_typed(frame, explained))
    if piece is None:
        raise AlphintraError("FILE_EMPTY", "the file has a header but no rows")
    whole = pl.concat(parts)
    del parts
    has_pairs = whole["symbol"].unique().str.contains("/", literal=True).any()
    whole = times.finish(whole, has_pairs=has_pairs)
    found = []
    for (name,), rows in sorted(whole.partition_by("symbol", as_dict=True, maintain_order=True).items()):
        work = _Work(str(name), rows, is_dates=times.is_dates, options=options, at=at)
        found.append(work.finished(explained, piece.layout.format, piece.layout.price_basis, times.zone))
    return tuple(found)


class _Explained:
    """Why the first bad rows of each symbol are bad; of others only how many there are."""

    def __init__(self) -> None:
        self.errors: dict[str, list[AlphintraError]] = {}

    def add(self, symbol: str, error: AlphintraError) -> None:
        known = self.errors.setdefault(symbol, [])
        if len(known) < FINDINGS_MAX:
            known.append(error)


class _Work:
    """Takes the rows of one symbol through the checks, step by step."""

    def __init__(
        self, symbol: str, rows: pl.DataFrame, *, is_dates: bool, options: ImportOptions, at: datetime
    ) -> None:
        self._symbol = symbol
        self._rows = rows
        self._is_dates = is_dates
        self._options = options
        self._at = at
        self._findings: list[Finding] = []

    def finished(self, explained: _Explained, file_format: str, price_basis: str, zone: str) -> SymbolTable:
        """Return the checked table."""
        import polars as pl  # noqa: PLC0415 - as above

        total = len(self._rows)
        errors = list(explained.errors.get(self._symbol, ()))
        good = self._rows.filter("is_good")
        bad_count = total - len(good)
        self._require_few(bad_count, total, errors)
        frame = self._in_order(good)
        timeframe = self._timeframe(frame)
        frame = self._closed(frame, timeframe)
        frame, spikes = market_checks.without_spikes(frame)
        self._require_few(bad_count + spikes.count, total, [*errors, *_outliers(spikes)])
        self._tell_left_out(errors, bad_count, spikes)
        adjusted = read_adjustments(frame) if "adjusted" in frame.columns else Adjusted()
        adjusted = adjusted.with_splits(wished_splits(self._options.splits, frame["ts"]))
        frame = frame.select("ts", *NUMBERS)
        self._findings += adjusted.findings
        self._findings += market_checks.oddities(frame, self._symbol, timeframe, [each.ts for each in adjusted.splits])
        if adjusted.splits and price_basis == "split_adjusted":
            price_basis = "raw"
        return SymbolTable(
            symbol=self._symbol,
            timeframe=timeframe,
            frame=frame.with_columns(pl.col("ts").dt.cast_time_unit("us")),
            adjusted=adjusted,
            findings=tuple(self._findings),
            format=file_format,
            zone=zone,
            price_basis=price_basis,
        )

    def _require_few(self, bad: int, total: int, errors: list[AlphintraError]) -> None:
        if bad and (bad == total or bad > max(1, int(total * BAD_SHARE_MAX))):
            first = errors[0]
            message = f"{self._symbol}: {bad} of {total} rows are bad, first: {first.detail}"
            raise AlphintraError(first.code, message)

    def _tell_left_out(self, errors: list[AlphintraError], bad: int, spikes: Finding) -> None:
        for code in dict.fromkeys(error.code for error in errors):
            details = tuple(f"left out {error.detail}" for error in errors if error.code == code)
            count = len(details) if len(errors) == bad else len(details) + bad - len(errors)
            self._findings.append(Finding(code=code, action="dropped", count=count, details=details, fix=_LINES_FIX))
        if spikes.count:
            self._findings.append(spikes)

    def _in_order(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl  # noqa: PLC0415 - as above

        if "sort" in self._options.allow and not frame["ts"].is_sorted():
            frame = frame.sort("ts", "line")
            self._note("TIME_ORDER", len(frame), "rows were sorted by time", "")
        if "duplicates" in self._options.allow:
            same = pl.all_horizontal(pl.col("ts", *NUMBERS) == pl.col("ts", *NUMBERS).shift(1)).fill_null(value=False)
            kept = frame.filter(~same)
            if len(kept) < len(frame):
                count = len(frame) - len(kept)
                self._note("TIME_ORDER", count, f"{count} rows that repeat the row before were left out", "dropped")
            frame = kept
        late = frame.select((pl.col("ts").diff() <= timedelta(0)).fill_null(value=False).arg_true()).to_series()
        if len(late):
            line, ts = frame["line"][late[0]], frame["ts"][late[0]]
            message = f"line {line}: {self._symbol} at {ts:%Y-%m-%d %H:%M:%S} is not after the row before it"
            fix = "sort, drop duplicates (--allow sort --allow duplicates does, where they are equal)"
            raise AlphintraError("TIME_ORDER", f"{message}: {fix}")
        return frame

    def _timeframe(self, frame: pl.DataFrame) -> str:
        if self._options.timeframe:
            return interval_of(self._options.timeframe).polars_name
        distances = frame["ts"].diff().drop_nulls().sort()
        if not len(distances):
            if self._is_dates:
                return "1d"
            raise AlphintraError("BAR_GAP", f"{self._symbol}: one bar alone has no interval: say it with --timeframe")
        interval = distances[len(distances) // 2]
        if self._is_dates:
            return self._of_dates(interval.days)
        minutes, rest = divmod(interval.total_seconds(), 60)
        if rest or minutes < 1:
            message = f"{self._symbol}: bars are {interval} apart, whole minutes are needed"
            raise AlphintraError("TIME_UNIT", message)
        return _NAMED_MINUTES.get(int(minutes), f"{int(minutes)}m")

    def _of_dates(self, days: int) -> str:
        if days <= _DAILY_DAYS_MAX:
            return "1d"
        if _WEEK_DAYS[0] <= days <= _WEEK_DAYS[1]:
            return "1w"
        if _MONTH_DAYS[0] <= days <= _MONTH_DAYS[1]:
            return "1mo"
        message = f"{self._symbol}: dates are {days} days apart, no day, week or month: say --timeframe"
        raise AlphintraError("BAR_GAP", message)

    def _closed(self, frame: pl.DataFrame, timeframe: str) -> pl.DataFrame:
        """Stamp each bar with the time it closes, and leave out those that have not closed yet."""
        import polars as pl  # noqa: PLC0415 - as above

        interval = interval_of(timeframe)
        if self._is_dates:
            frame = frame.with_columns(ts=self._close_of_dates(timeframe))
        elif self._options.stamps == "open":
            frame = frame.with_columns(pl.col("ts").dt.offset_by(interval.polars_name))
        closed = frame.filter(pl.col("ts") <= self._at)
        early = len(frame) - len(closed)
        if early > max(1, int(len(frame) * BAD_SHARE_MAX)) or not len(closed):
            message = f"{self._symbol}: {early} of {len(frame)} bars close after now: is their unit or zone another?"
            raise AlphintraError("TIME_FUTURE", message)
        if early:
            text = f"left out {early} bars that close after {self._at:%Y-%m-%d %H:%MZ}"
            self._note("TIME_FUTURE", early, text, "dropped", fix="import them when they have closed")
        return closed

    def _close_of_dates(self, timeframe: str) -> pl.Expr:
        import polars as pl  # noqa: PLC0415 - as above

        zone = "UTC" if calendar_of(self._symbol).is_always_open else EXCHANGE_ZONE
        day = pl.col("ts").dt.replace_time_zone(None)
        if timeframe == "1d" and zone == "UTC":
            local = day.dt.offset_by("1d")
        elif timeframe == "1d" or self._options.stamps == "close":
            local = day.dt.offset_by(_SESSION_CLOSE)
        else:
            local = day.dt.offset_by(timeframe)
        return local.dt.replace_time_zone(zone).dt.convert_time_zone("UTC")

    def _note(self, code: str, count: int, detail: str, action: str, *, fix: str = "") -> None:
        self._findings.append(Finding(code=code, action=action or "kept", count=count, details=(detail,), fix=fix))


def _with_symbols(piece: Piece, options: ImportOptions) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415 - as above

    frame = piece.frame
    if "symbol" not in frame.columns:
        if options.symbol is None:
            message = "the file has no symbol column: say which symbol it holds"
            raise AlphintraError("SYMBOL_REQUIRED", message, pointer="/symbol")
        return frame.with_columns(symbol=pl.lit(options.symbol))
    symbols = pl.col("symbol").str.replace(r"^(.+)\.US$", "$1")
    found = frame.with_columns(symbols) if piece.layout.format == "stooq" else frame
    wrong = found.select((~pl.col("symbol").str.contains(f"^{SYMBOL}$")).arg_true()).to_series()
    if len(wrong):
        name, line = found["symbol"][wrong[0]], found["line"][wrong[0]]
        raise AlphintraError("SYMBOL_FORMAT", f"line {line}: {name[:40]!r} is no symbol: write e.g. AAPL")
    return found


def _typed(frame: pl.DataFrame, explained: _Explained) -> pl.DataFrame:
    """Return the rows with amounts in place of texts, and whether they can be a bar; say why of those that cannot."""
    import polars as pl  # noqa: PLC0415 - as above

    names = [name for name in (*NUMBERS, "adjusted") if name in frame.columns]
    amounts = [pl.col(name).cast(pl.Decimal(28, 9), strict=False) for name in names]
    found = frame.with_columns(amounts)
    low, high, limit = pl.col("low"), pl.col("high"), pl.lit(_AMOUNT_MAX, dtype=pl.Decimal(28, 9))
    zero = pl.lit(Decimal(0), dtype=pl.Decimal(28, 9))
    conditions = [
        low > zero,
        high >= low,
        pl.col("open").is_between(low, high),
        pl.col("close").is_between(low, high),
        pl.col("volume") >= zero,
        high < limit,
        pl.col("volume") < limit,
    ]
    if "adjusted" in names:
        conditions.append(pl.col("adjusted") > zero)
    found = found.with_columns(is_good=pl.all_horizontal(conditions).fill_null(value=False))
    wrong = (~found["is_good"]).arg_true()
    if len(wrong):
        for row in frame[wrong].rows(named=True):
            texts: dict[str, Any] = {name: row[name] for name in names}
            explained.add(row["symbol"], bad_row(texts, row["clock"].replace(tzinfo=UTC), row["line"]))
    return found


def _outliers(spikes: Finding) -> list[AlphintraError]:
    return [AlphintraError(spikes.code, detail) for detail in spikes.details]


def _in_zone(options: ImportOptions, zone: str) -> ImportOptions:
    from dataclasses import replace  # noqa: PLC0415 - one use

    return replace(options, zone=zone)
