"""Bars as arrays of float64 for compiled code, read straight from the catalogue's files without a Bar in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["BarColumns", "Factors", "read_columns", "write_dividend"]

_PRICES: Final = ("open", "high", "low", "close")
_FIELDS: Final = (*_PRICES, "volume")
_STORED_PLACES: Final = 9  # decimals of the stored amounts
_PRICE_STEP: Final = 1000  # adjusted prices have six decimals
_EXACT: Final = 2**53  # whole numbers up to here are float64 without rounding
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What stored prices are adjusted by.

    Attributes:
        splits: splits as stored, e.g. ``2005-02-28T21:00:00+00:00 2/1``; empty for raw prices.
        dividends: dividends as `write_dividend` writes them, for total-return prices; empty else.
    """

    splits: Sequence[str] = ()
    dividends: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BarColumns:
    """Bars of one symbol, oldest first: contiguous arrays of one length.

    Attributes:
        ts: int64, nanoseconds since 1970 (UTC) at which each bar closed.
        open: float64; like the others the value that ``float`` makes of the exact amount of the bar.
        high: float64.
        low: float64.
        close: float64.
        volume: float64.
        has_millionths: whether no price has more than six decimals.
    """

    ts: NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    has_millionths: bool

    def __len__(self) -> int:
        return len(self.ts)


def read_columns(
    path: Path, factors: Factors, *, start: datetime | None = None, end: datetime | None = None
) -> BarColumns:
    """Return the bars that closed in ``[start, end)``, possibly none, in shares of the last bar of the file.

    Prices adjusted for splits are those of `engine.corporate_actions.adjust_for_splits`, exact before they become
    float64. A dividend divides the prices before its ex-date by its factor, in float64.

    Raises:
        AlphintraError: DATASET_MISSING, or RANGE for a range that ends before it starts.
    """
    import polars as pl  # noqa: PLC0415 - heavy, and only who computes needs it

    if start is not None and end is not None and start >= end:
        raise AlphintraError("RANGE", f"the range ends ({end}) before it starts ({start})", pointer="/end")
    if not path.exists():
        message = f"the catalogue file {path.stem} is gone: import the data again"
        raise AlphintraError("DATASET_MISSING", message, kind=Kind.NOT_FOUND)
    frame = whole = pl.scan_parquet(path).select("ts", *_FIELDS)
    if start is not None:
        frame = frame.filter(pl.col("ts") >= start)
    if end is not None:
        frame = frame.filter(pl.col("ts") < end)
    found = frame.collect()
    ts = found["ts"].dt.epoch("us").to_numpy()
    last = whole.select(pl.col("ts").dt.epoch("us").max()).collect().item() if factors.splits else None
    # What is split after the last bar says nothing of its shares.
    splits = [text for text in factors.splits if last is not None and _split(text)[0] <= last]
    arrays, has_millionths = _split_columns(found, ts, splits)
    if factors.dividends:
        divisor = _dividend_divisor(ts, factors.dividends)
        arrays |= {name: arrays[name] / divisor for name in _PRICES}
        has_millionths = False
    return BarColumns(ts=ts * 1000, has_millionths=has_millionths, **arrays)


def write_dividend(ts: datetime, amount: Decimal, factor: float) -> str:
    """Return a dividend as text: its ex-date's bar, raw cash per share, and what earlier prices are divided by."""
    return f"{ts.isoformat()} {amount:f} {factor!r}"


def _split_columns(frame: pl.DataFrame, ts: NDArray[np.int64], splits: Sequence[str]) -> tuple[dict[str, Floats], bool]:
    """Return the columns, and whether no price has more than six decimals."""
    import numpy as np  # noqa: PLC0415 - as above

    has_millionths = True
    arrays = {name: np.empty(len(frame), dtype=np.float64) for name in _FIELDS}
    for first, count, ratio in _pieces(ts, splits):
        units, places = _scaled_units(frame.slice(first, count), ratio)
        for name, array in arrays.items():
            array[first : first + count] = _floats(units[name], places[name])
            if name in _PRICES and places[name] == _STORED_PLACES:
                has_millionths = has_millionths and _has_millionths(units[name])
    return arrays, has_millionths


def _has_millionths(units: pl.Series) -> bool:
    """Tell whether billionths are whole millionths, and no more than 64 bits hold."""
    import polars as pl  # noqa: PLC0415 - as above

    narrow = units.cast(pl.Int64, strict=False)
    return not narrow.null_count() and not (narrow % _PRICE_STEP != 0).any()


def _pieces(ts: NDArray[np.int64], splits: Sequence[str]) -> list[tuple[int, int, Fraction]]:
    """Return first row, number of rows and new shares per share of each stretch between two splits."""
    import numpy as np  # noqa: PLC0415 - as above

    known = sorted((_split(text) for text in splits), reverse=True)
    pieces, until, ratio = [], len(ts), Fraction(1)
    for moment, factor in known:
        first = int(np.searchsorted(ts, moment, side="left"))
        if first < until:
            pieces.append((first, until - first, ratio))
            until = first
        ratio *= factor
    if until:
        pieces.append((0, until, ratio))
    return pieces[::-1]


def _scaled_units(piece: pl.DataFrame, ratio: Fraction) -> tuple[dict[str, pl.Series], dict[str, int]]:
    """Return whole numbers of the last place of each column, and how many places that are.

    Prices are rounded half to even, volumes down, as `engine.corporate_actions` does.
    """
    import polars as pl  # noqa: PLC0415 - as above

    raw = piece.select(pl.col(_FIELDS).to_physical())
    if ratio == 1:
        return {name: raw[name] for name in _FIELDS}, dict.fromkeys(_FIELDS, _STORED_PLACES)

    def whole(value: int) -> pl.Expr:
        return pl.lit(value, dtype=pl.Int128)

    new, old = ratio.numerator, ratio.denominator
    step = new * _PRICE_STEP
    doubled = pl.col(_PRICES) * whole(2 * old) + whole(step)
    rounded = doubled // whole(2 * step)
    is_tie = (doubled % whole(2 * step) == whole(0)) & (rounded % whole(2) == whole(1))
    scaled = raw.select(
        rounded - is_tie.cast(pl.Int128),
        (pl.col("volume") * whole(new) // whole(old)).alias("volume"),
    )
    return {name: scaled[name] for name in _FIELDS}, dict.fromkeys(_PRICES, 6) | {"volume": _STORED_PLACES}


def _floats(units: pl.Series, places: int) -> Floats:
    """Return units / 10^places, each rounded once: what ``float`` makes of the exact amount."""
    import polars as pl  # noqa: PLC0415 - as above

    array: Any = units.cast(pl.Float64).to_numpy() / 10.0**places
    large = (array >= float(_EXACT) / 10.0**places).nonzero()[0]
    if len(large):
        # Rounded to 53 bits and then divided would be rounded twice; Python divides whole numbers with one rounding.
        array = array.copy()
        array[large] = [value / 10**places for value in units.gather(large).to_list()]
    return array  # type: ignore[no-any-return]


def _dividend_divisor(ts: NDArray[np.int64], dividends: Sequence[str]) -> Floats:
    """Return what the price of each bar is divided by: the factors of all later ex-dates."""
    import numpy as np  # noqa: PLC0415 - as above

    divisor = np.ones(len(ts), dtype=np.float64)
    for text in dividends:
        when, _amount, factor = text.split(" ")
        divisor[: int(np.searchsorted(ts, _micros(when), side="left"))] *= float(factor)
    return divisor


def _split(text: str) -> tuple[int, Fraction]:
    when, ratio = text.split(" ")
    return _micros(when), Fraction(ratio)


def _micros(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
