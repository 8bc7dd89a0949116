"""Bars: one closed interval of prices, in exact decimals, stamped with the time it closed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.kernel.clock import require_utc
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import AMOUNT_MAX, round_price

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

__all__ = ["Bar", "bar_from_floats", "require_ordered"]

_FIELDS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices of one closed interval of one symbol.

    Args:
        ts: aware UTC time at which the interval **closed**; nothing of the bar is known before it.
        open: first price, above zero.
        high: highest price, not below open or close.
        low: lowest price, not above open or close.
        close: last price, above zero.
        volume: traded quantity, zero or more.

    Raises:
        AlphintraError: TIME_NO_ZONE, PRICE_MISSING for NaN, BAR_INVALID for prices that contradict each other.
    """

    ts: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    def __post_init__(self) -> None:
        require_utc(self.ts, pointer="/ts")
        for name in _FIELDS:
            amount: Decimal = getattr(self, name)
            if amount.is_nan():
                raise _missing(name)
            if abs(amount) >= AMOUNT_MAX:
                raise self._invalid(name, f"{name} {amount:.3E} is beyond the largest amount, 10^18")
        if self.low <= 0:
            raise self._invalid("low", f"low {self.low} is not above zero")
        if self.high < self.open or self.high < self.close or self.high < self.low:
            raise self._invalid("high", f"high {self.high} is below open {self.open}, low {self.low} or {self.close}")
        if self.low > self.open or self.low > self.close:
            raise self._invalid("low", f"low {self.low} is above open {self.open} or close {self.close}")
        if self.volume < 0:
            raise self._invalid("volume", f"volume {self.volume} is negative")

    def field_as_float(self, name: str) -> float:
        """Return open, high, low, close or volume as float64, the type indicators compute in."""
        amount: Decimal = getattr(self, name)
        return float(amount)

    def _invalid(self, name: str, reason: str) -> AlphintraError:
        message = f"bar of {self.ts.isoformat()}: {reason}; correct the source file"
        return AlphintraError("BAR_INVALID", message, pointer=f"/{name}")


def bar_from_floats(ts: datetime, ohlcv: Sequence[float | None]) -> Bar:
    """Build a bar from float64 open, high, low, close and volume, each rounded once to a millionth.

    Raises PRICE_MISSING where a value is None or NaN, BAR_INVALID where one is infinite, too few or contradictory.
    """
    if len(ohlcv) != len(_FIELDS):
        message = f"bar of {ts.isoformat()}: {len(ohlcv)} values given, write open, high, low, close and volume"
        raise AlphintraError("BAR_INVALID", message)
    amounts = []
    for name, value in zip(_FIELDS, ohlcv, strict=True):
        if value is None or math.isnan(value):
            raise _missing(name)
        if abs(value) >= float(AMOUNT_MAX):
            message = f"bar of {ts.isoformat()}: {name} {value:.3e} is beyond the largest amount, 10^18"
            raise AlphintraError("BAR_INVALID", message, pointer=f"/{name}")
        amounts.append(round_price(Decimal(repr(value))))
    return Bar(ts, *amounts)


def require_ordered(bars: Iterable[Bar]) -> None:
    """Check that bars rise strictly in time. Raises TIME_ORDER naming the first one that does not."""
    previous: datetime | None = None
    for index, bar in enumerate(bars):
        if previous is not None and bar.ts <= previous:
            message = (
                f"bar {index} closes at {bar.ts.isoformat()}, not after the bar before it "
                f"({previous.isoformat()}): sort the bars and remove duplicates"
            )
            raise AlphintraError("TIME_ORDER", message, pointer=f"/{index}/ts")
        previous = bar.ts


def _missing(name: str) -> AlphintraError:
    return AlphintraError(
        "PRICE_MISSING", f"{name} is empty or not a number: fill it or drop the bar", pointer=f"/{name}"
    )
