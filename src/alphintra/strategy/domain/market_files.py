"""Market-data files: how the columns of each known format are laid out, and what is wrong with a row of one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alphintra.engine.bars import Bar
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.intervals import interval_of

__all__ = [
    "FORMATS",
    "NUMBERS",
    "TIME_KINDS",
    "Finding",
    "ImportOptions",
    "Layout",
    "bad_row",
    "layout_of",
    "require_options",
    "require_symbol",
    "sentences",
    "split_wish",
    "time_kind",
]

NUMBERS: Final = ("open", "high", "low", "close", "volume")
FINDINGS_MAX: Final = 50
ALLOWED: Final = ("sort", "duplicates")
FORMATS: Final = ("auto", "csv", "yahoo", "alpaca", "ccxt", "kraken", "stooq", "binance")
YEARS: Final = range(1800, 2200)
SYMBOL: Final = r"[A-Z0-9][A-Z0-9./-]{0,31}"
_SYMBOL: Final = re.compile(SYMBOL)
_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,18}\.?[0-9]{0,20}|\.[0-9]{1,20})([eE][+-]?[0-9]{1,2})?")
_PLACES: Final = Decimal("0.000000001")
_NOT_A_NUMBER: Final = frozenset({"nan", "null", "none", "na", "n/a", "-"})
_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "symbol": frozenset({"symbol", "ticker", "code"}),
    "ts": frozenset({"date", "datetime", "timestamp", "time", "ts", "t", "opentime"}),
    "open": frozenset({"open", "o"}),
    "high": frozenset({"high", "h"}),
    "low": frozenset({"low", "l"}),
    "close": frozenset({"close", "c"}),
    "volume": frozenset({"volume", "v", "vol"}),
    "adjusted": frozenset({"adjclose", "adjustedclose", "adjc"}),
}
_REQUIRED: Final = ("ts", *NUMBERS)
_YAHOO: Final = ["date", "open", "high", "low", "close", "adjclose", "volume"]
_WITHOUT_HEADER: Final[Mapping[int, tuple[str, tuple[str, ...]]]] = {
    6: ("ccxt", _REQUIRED),
    7: ("kraken", (*_REQUIRED, "trades")),
    8: ("kraken", ("ts", "open", "high", "low", "close", "vwap", "volume", "trades")),
    12: ("binance", (*_REQUIRED, "", "", "", "", "", "")),
}
_BASIS: Final[Mapping[str, str]] = {"yahoo": "split_adjusted", "stooq": "adjusted"}
_CLOCK: Final = r"[ T][0-9]{2}:?[0-9]{2}(:?[0-9]{2}(\.[0-9]{1,9})?)?"
_DAY: Final = r"([0-9]{4}-[0-9]{2}-[0-9]{2}|(18|19|20|21)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01]))"
TIME_KINDS: Final[Mapping[str, re.Pattern[str]]] = {
    "date": re.compile(_DAY),
    "number": re.compile(r"[0-9]{8,19}(\.[0-9]{0,9})?"),
    "local": re.compile(_DAY + _CLOCK),
    "zoned": re.compile(_DAY + _CLOCK + r" ?(Z|[+-][0-9]{2}:?[0-9]{2})"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What somebody says of a file.

    Attributes:
        symbol: symbol of all rows where the file has no such column.
        format: one of `FORMATS`; auto looks at the first line.
        columns: which column (title, or position from 1) means ts, symbol, open … adjusted; ``a+b`` joins two.
        zone: IANA zone of times that name none, and of files whose offsets change with the season.
        stamps: whether times are those of the ``open`` or the ``close`` of an interval; dates are sessions.
        timeframe: interval of the bars, where the file cannot show it; empty else.
        allow: what may be mended: ``sort``, and ``duplicates`` that are equal.
        splits: splits nobody adjusted for, as ``2005-02-28=2/1``.
        licence: terms the data is kept under, or its attribution.
    """

    symbol: str | None = None
    format: str = "auto"
    columns: dict[str, str] = field(default_factory=dict)
    zone: str = ""
    stamps: str = "open"
    timeframe: str = ""
    allow: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    licence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the columns of a file are.

    Attributes:
        format: which format it is.
        columns: places of ts (one or two), open, high, low, close, volume and where there are symbol and adjusted.
        width: fields in each row.
        has_header: whether the first row is one.
        price_basis: raw, split_adjusted, or adjusted (for dividends, too), as the source publishes prices.
    """

    format: str
    columns: Mapping[str, tuple[int, ...]]
    width: int
    has_header: bool
    price_basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something odd in data.

    Attributes:
        code: stable name of what it is.
        action: what was done: ``dropped`` or ``kept``; what is refused has an error instead.
        count: how many bars or events it concerns.
        details: a sentence for each of the first of them.
        fix: what can be done about it.
    """

    code: str
    action: str
    count: int
    details: tuple[str, ...]
    fix: str


def require_symbol(name: str) -> None:
    """Check the symbol somebody gives for a file without a symbol column. Raises SYMBOL_FORMAT."""
    if not _SYMBOL.fullmatch(name):
        message = f"{name[:40]!r} is no symbol: write it in capitals, e.g. AAPL"
        raise AlphintraError("SYMBOL_FORMAT", message, pointer="/symbol")


def require_options(options: ImportOptions) -> None:
    """Check what somebody says of a file.

    Raises SYMBOL_FORMAT, FORMAT_UNKNOWN, CSV_COLUMN, TIME_ZONE, TIME_STAMPS, TIMEFRAME_INVALID, REPAIR_UNKNOWN or
    SPLIT_FORMAT, each with its pointer.
    """
    if options.symbol is not None:
        require_symbol(options.symbol)
    if options.format not in FORMATS:
        message = f"there is no format {options.format[:20]!r}: write one of {', '.join(FORMATS)}"
        raise AlphintraError("FORMAT_UNKNOWN", message, pointer="/format")
    unknown = sorted(set(options.columns) - set(_NAMES))
    if unknown:
        message = f"no column means {unknown[0][:20]!r}: write {', '.join(_NAMES)}"
        raise AlphintraError("CSV_COLUMN", message, pointer="/columns")
    if options.zone:
        _require_zone(options.zone)
    if options.stamps not in {"open", "close"}:
        message = f"times stand for the open or the close of an interval, not {options.stamps[:20]!r}"
        raise AlphintraError("TIME_STAMPS", message, pointer="/stamps")
    if options.timeframe:
        interval_of(options.timeframe)
    repairs = sorted(set(options.allow) - set(ALLOWED))
    if repairs:
        message = f"{repairs[0][:20]!r} cannot be allowed: write {' or '.join(ALLOWED)}"
        raise AlphintraError("REPAIR_UNKNOWN", message, pointer="/allow")
    for text in options.splits:
        split_wish(text)


def split_wish(text: str) -> tuple[date, Fraction]:
    """Read a split such as ``2005-02-28=2/1``: its first day, and new shares per old share. Raises SPLIT_FORMAT."""
    found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})=([0-9]{1,6})/([0-9]{1,6})", text, re.ASCII)
    try:
        day, new, old = (date.fromisoformat(found[1]), int(found[2]), int(found[3])) if found else (date.min, 0, 0)
    except ValueError:
        new = 0
    if not new or not old:
        message = f"{text[:40]!r} is no split: write its first day and new shares for old ones, e.g. 2005-02-28=2/1"
        raise AlphintraError("SPLIT_FORMAT", message, pointer="/splits")
    return day, Fraction(new, old)


def layout_of(first: Sequence[str] | None, options: ImportOptions) -> Layout:
    """Return how a file is laid out that begins with this row. Raises FILE_EMPTY, CSV_DIALECT or CSV_COLUMN."""
    if not first:
        raise AlphintraError("FILE_EMPTY", "the file is empty: a header line is expected")
    if len(first) == 1:
        message = f"only one column in {first[0][:60]!r}: write comma-separated values with a header"
        raise AlphintraError("CSV_DIALECT", message)
    plain = [re.sub(r"[^a-z]", "", title.removeprefix("\ufeff").lower()) for title in first]
    has_header = any(plain) and not all(_NUMBER.fullmatch(cell.strip()) for cell in first)
    if has_header:
        name, columns = _by_titles(first, plain, options)
    else:
        name, columns = _by_places(len(first), options)
    missing = [wanted for wanted in _REQUIRED if wanted not in columns]
    if missing:
        message = f"no column for {', '.join(missing)}: the header is {', '.join(first)[:120]}; name it with --column"
        raise AlphintraError("CSV_COLUMN", message)
    return Layout(
        format=name,
        columns=columns,
        width=len(first),
        has_header=has_header,
        price_basis=_BASIS.get(name, "raw"),
    )


def sentences(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return what is odd in data as sentences, the first fifty of them and how many more there are."""
    details = [detail for finding in findings for detail in finding.details]
    total = sum(finding.count if len(finding.details) > 1 else len(finding.details) for finding in findings)
    kept = details[:FINDINGS_MAX]
    return (*kept, f"… and {total - len(kept)} more") if total > len(kept) else tuple(kept)


def time_kind(text: str) -> str | None:
    """Return how a time is written: date, number, local or zoned; None for no known way."""
    return next((kind for kind, pattern in TIME_KINDS.items() if pattern.fullmatch(text)), None)


def bad_row(texts: Mapping[str, str], ts: datetime, line: int) -> AlphintraError:
    """Return what is wrong with the numbers of a row that was found to be bad: BAR_INVALID or PRICE_MISSING.

    Args:
        texts: the row's fields by what they mean.
        ts: when it is, for the message.
        line: where it stands in the file.
    """
    try:
        numbers = [_number(texts[name], name, line) for name in NUMBERS]
        Bar(ts, *numbers)
        if "adjusted" in texts:
            adjusted = _number(texts["adjusted"], "adjusted close", line)
            if adjusted <= 0:
                message = f"line {line}: adjusted close {texts['adjusted']} is not above zero"
                return AlphintraError("PRICE_MISSING", message)
    except AlphintraError as error:
        detail = error.detail if error.detail.startswith("line ") else f"line {line}: {error.detail}"
        return AlphintraError(error.code, detail)
    return AlphintraError("BAR_INVALID", f"line {line}: the row holds no plain numbers")


def _by_titles(
    titles: Sequence[str], plain: Sequence[str], options: ImportOptions
) -> tuple[str, dict[str, tuple[int, ...]]]:
    is_stooq = options.format == "stooq" or any(title.strip().startswith("<") for title in titles)
    columns = {name: _chosen(text, titles) for name, text in options.columns.items()}
    taken = {place for places in columns.values() for place in places}
    for index, title in enumerate(plain):
        for name, spellings in _NAMES.items():
            if title not in spellings or index in taken or name in options.columns:
                continue
            if name == "ts" and name in columns and is_stooq:
                columns[name] = (*columns[name], index)
            elif name in columns:
                message = f"two columns mean {name}: {titles[index]!r} is the second; choose one with --column"
                raise AlphintraError("CSV_COLUMN", message)
            else:
                columns[name] = (index,)
    return options.format if options.format != "auto" else _recognised(list(plain), is_stooq=is_stooq), columns


def _recognised(plain: list[str], *, is_stooq: bool) -> str:
    if is_stooq:
        return "stooq"
    if plain == _YAHOO:
        return "yahoo"
    if {"t", "o", "h", "l", "c", "v"} <= set(plain) or {"timestamp", "tradecount", "vwap"} <= set(plain):
        return "alpaca"
    return "binance" if {"opentime", "closetime"} <= set(plain) else "csv"


def _by_places(width: int, options: ImportOptions) -> tuple[str, dict[str, tuple[int, ...]]]:
    name, places = _WITHOUT_HEADER.get(width, ("csv", ()))
    if options.format not in {"auto", name} and not options.columns:
        message = f"{options.format} files without a header do not have {width} columns: name them with --column"
        raise AlphintraError("CSV_COLUMN", message)
    columns: dict[str, tuple[int, ...]] = {means: (index,) for index, means in enumerate(places) if means in _NAMES}
    positions = [str(place) for place in range(1, width + 1)]
    columns |= {means: _chosen(text, positions) for means, text in options.columns.items()}
    if not columns:
        message = f"the file has no header, and {width} columns: name them by their place, e.g. --column ts=1"
        raise AlphintraError("CSV_COLUMN", message)
    return options.format if options.format != "auto" else name, columns


def _chosen(text: str, titles: Sequence[str]) -> tuple[int, ...]:
    """Return the places of a column, or of two joined by a plus."""
    known = {title.strip().lower(): index for index, title in enumerate(titles)}
    whole = known.get(text.strip().lower())
    if whole is not None:
        return (whole,)
    found = [known.get(part.strip().lower()) for part in text.split("+")]
    places = tuple(place for place in found if place is not None)
    if len(places) != len(found):
        message = f"there is no column {text[:40]!r}: the file has {', '.join(titles)[:120]}"
        raise AlphintraError("CSV_COLUMN", message, pointer="/columns")
    return places


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


def _require_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"there is no time zone {name[:40]!r}: write UTC or e.g. America/New_York"
        raise AlphintraError("TIME_ZONE", message, pointer="/zone") from error
