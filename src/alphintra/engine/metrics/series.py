"""What figures are computed from: the course of a book and its closed trades, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Curve", "Labels", "TradeTable", "excursions", "labels_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A text for each row, kept as a number into ``names``."""

    codes: NDArray[np.int64]
    names: tuple[str, ...]

    def texts(self) -> list[str]:
        """Return the text of each row."""
        return [self.names[code] for code in self.codes]


def labels_of(texts: Sequence[str]) -> Labels:
    """Number texts in the order in which they first come."""
    numbers: dict[str, int] = {}
    codes = [numbers.setdefault(text, len(numbers)) for text in texts]
    return Labels(np.array(codes, dtype=np.int64), tuple(numbers))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """A book at the close of each bar, oldest first; all arrays are as long as ``closes``.

    Attributes:
        closes: time of each close in nanoseconds since 1970 UTC, strictly rising.
        equity: worth of the book, fills of that bar included.
        net: signed value of what is held at the close.
        gross: the same with each symbol's value taken without its sign.
        traded: price times quantity of the bar's fills.
        fees: paid on the bar's fills.
        slippage: what the bar's fills cost beyond the price they were modelled on.
        borrow: paid for what was held short or on credit during the bar.
        initial: worth before the first bar.
        calendar: ``XNYS`` or ``24/7``: which days returns are taken over, 252 or 365 of them a year.
        benchmark: value of what the run is compared with, above zero; None for no comparison.
        market_value: price times volume of the bar over all symbols, for the capacity; None if unknown.
    """

    closes: NDArray[np.int64]
    equity: NDArray[np.float64]
    net: NDArray[np.float64]
    gross: NDArray[np.float64]
    traded: NDArray[np.float64]
    fees: NDArray[np.float64]
    slippage: NDArray[np.float64]
    borrow: NDArray[np.float64]
    initial: float
    calendar: str
    benchmark: NDArray[np.float64] | None = None
    market_value: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            _require_length(field.name, getattr(self, field.name), self.closes.size)

    def part(self, first: int) -> Curve:
        """Return the curve from the close of that bar on, which is its new beginning."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        taken: dict[str, Any] = {
            name: value[first:] if isinstance(value, np.ndarray) else value for name, value in values.items()
        }
        taken["initial"] = float(self.equity[first])
        return Curve(**taken)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TradeTable:
    """Closed trades, a row each, in the order in which they closed.

    Attributes:
        entry_index: bar of the first fill.
        exit_index: bar of the fill that made it flat.
        entry_time: nanoseconds since 1970 UTC.
        exit_time: nanoseconds since 1970 UTC.
        side: 1 for long, -1 for short.
        qty: quantity entered, above zero.
        entry_price: average.
        exit_price: average.
        gross: profit before fees.
        fees: of all fills of the trade.
        mae: largest move against the trade while it was open, as a fraction of the entry price, 0 or more.
        mfe: largest move in its favour, likewise.
        entry_tag: rule that opened it.
        exit_reason: rule that closed it.
        symbol: what was traded.
    """

    entry_index: NDArray[np.int64]
    exit_index: NDArray[np.int64]
    entry_time: NDArray[np.int64]
    exit_time: NDArray[np.int64]
    side: NDArray[np.int64]
    qty: NDArray[np.float64]
    entry_price: NDArray[np.float64]
    exit_price: NDArray[np.float64]
    gross: NDArray[np.float64]
    fees: NDArray[np.float64]
    mae: NDArray[np.float64]
    mfe: NDArray[np.float64]
    entry_tag: Labels
    exit_reason: Labels
    symbol: Labels

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            _require_length(field.name, value.codes if isinstance(value, Labels) else value, self.entry_index.size)

    @property
    def net(self) -> NDArray[np.float64]:
        """Profit after fees."""
        return self.gross - self.fees

    def __len__(self) -> int:
        return int(self.entry_index.size)


def excursions(
    span: tuple[NDArray[np.int64], NDArray[np.int64]],
    prices: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    side: NDArray[np.int64],
    highs: NDArray[np.float64],
    lows: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far prices went against each trade and for it, as fractions of its entry price.

    Seen are all prices of the bars from the entry's up to the one before the exit's, and of the exit's bar the exit
    price alone: what that bar did after the exit is none of the trade's, and what it did before it is not known.

    Args:
        span: bar of entry and bar of exit of each trade.
        prices: average entry and exit price of each trade.
        side: 1 for long, -1 for short.
        highs: highest price of each bar of the trades' symbol.
        lows: lowest price of each bar.
    """
    (first, last), (entered, left) = span, prices
    if first.size == 0:
        return np.zeros(0), np.zeros(0)
    highest = np.maximum(np.maximum(_over(np.maximum, highs, first, last), entered), left)
    lowest = np.minimum(np.minimum(_over(np.minimum, lows, first, last), entered), left)
    above, below = (highest - entered) / entered, (entered - lowest) / entered
    return np.where(side > 0, below, above), np.where(side > 0, above, below)


def _over(
    fold: np.ufunc, values: NDArray[np.float64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Fold the values of ``[first, last)`` of each row; where that is empty NumPy gives the first value's own bar."""
    padded = np.append(values, values[-1])
    bounds = np.stack((first, last), axis=1).reshape(-1)
    folded: NDArray[np.float64] = fold.reduceat(padded, bounds)[::2]
    # A trade that left on the bar it entered on has seen its two prices and nothing else that is known.
    neutral = -np.inf if fold is np.maximum else np.inf
    return np.where(last > first, folded, neutral)


def _require_length(name: str, value: object, length: int) -> None:
    if isinstance(value, np.ndarray) and value.shape != (length,):
        message = f"{name} has the shape {value.shape} where {length} values belong"
        raise AlphintraError("SERIES_LENGTH", message, pointer=f"/{name}")
