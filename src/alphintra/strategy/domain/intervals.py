"""Intervals of bars: their names here and at Alpaca, and which can be made of which."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from alphintra.kernel.errors import AlphintraError

__all__ = ["Interval", "interval_of", "require_not_finer"]

MINUTES_MAX: Final = 59
HOURS_MAX: Final = 23
MONTHS: Final = frozenset({1, 2, 3, 4, 6, 12})
_HOUR: Final = 60
_DAY: Final = 1440
_NAME: Final = re.compile(r"([0-9]{1,3})?(min|t|m|hour|h|day|d|week|w|month|mo)", re.IGNORECASE)
_UNITS: Final = MappingProxyType(
    {"min": "m", "t": "m", "m": "m", "hour": "h", "h": "h", "day": "d", "d": "d", "week": "w", "w": "w"}
)
_LONG: Final = MappingProxyType({"d": _DAY, "w": 7 * _DAY, "mo": 28 * _DAY})


@dataclass(frozen=True, slots=True)
class Interval:
    """How long a bar is; ``unit`` is m, h, d, w or mo (months)."""

    count: int
    unit: str

    @property
    def is_intraday(self) -> bool:
        """Whether a day has several of it."""
        return self.unit in {"m", "h"}

    @property
    def minutes(self) -> int:
        """Its length; of months the shortest."""
        return self.count * {"m": 1, "h": _HOUR, **_LONG}[self.unit]

    @property
    def polars_name(self) -> str:
        """What it is called in durations such as 15m, 4h, 1d or 3mo, as polars writes them."""
        return f"{self.count}{self.unit}"


def interval_of(name: str) -> Interval:
    """Read a name such as 1d, 5m, 15Min, 1Hour, 1Day, 1Week or 3Month. Raises TIMEFRAME_INVALID."""
    found = _NAME.fullmatch(name.strip())
    unit = "" if found is None else _UNITS.get(found[2].lower(), "mo")
    count = 0 if found is None else int(found[1] or 1)
    if unit == "m" and count % _HOUR == 0:
        unit, count = "h", count // _HOUR
    is_known = {
        "m": 1 <= count <= MINUTES_MAX,
        "h": 1 <= count <= HOURS_MAX,
        "d": count == 1,
        "w": count == 1,
        "mo": count in MONTHS,
    }.get(unit, False)
    if not is_known:
        message = f"invalid timeframe {name[:20]!r}: write 1-59Min, 1-23Hour, 1Day, 1Week or 1-12Month"
        raise AlphintraError("TIMEFRAME_INVALID", message, pointer="/timeframe")
    return Interval(count, unit)


def require_not_finer(wanted: Interval, stored: Interval, *, symbol: str) -> None:
    """Refuse bars shorter than the stored ones, or that those do not add up to. Raises TIMEFRAME_UNAVAILABLE."""
    is_made_of = wanted.minutes % stored.minutes == 0 if wanted.is_intraday else wanted.minutes >= stored.minutes
    if wanted.is_intraday > stored.is_intraday or wanted.minutes < stored.minutes or not is_made_of:
        message = f"{symbol} is stored in bars of {stored.polars_name}: {wanted.polars_name} cannot be made of them"
        raise AlphintraError("TIMEFRAME_UNAVAILABLE", message, pointer="/timeframe")
