"""Closed bars as columns of float64: what graphs are computed from, one row a symbol, one column a close."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from alphintra.engine.session_columns import SESSION_COLUMNS, session_columns
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from alphintra.engine.bars import Bar
    from alphintra.engine.sessions import Calendar

__all__ = ["BOOK_COLUMNS", "FIELDS", "Tape", "epoch_ns", "tape_across", "tape_of"]

FIELDS = ("open", "high", "low", "close", "volume")
BOOK_COLUMNS = ("qty", "avg_price", "cash", "equity", "entries", "last_entry")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Panel: TypeAlias = "NDArray[np.float64]"


@dataclass(frozen=True, slots=True)
class Tape:
    """Bars of one or more symbols.

    Args:
        ts: close times, nanoseconds since 1970 UTC, strictly rising.
        open: prices as C-contiguous float64, [symbols, closes]; NaN in all five where a symbol has no bar.
        high: as open.
        low: as open.
        close: as open.
        volume: as open.
        calendars: of each symbol; only nodes that ask for the time of a session need them.
        book: BOOK_COLUMNS as of each close; only nodes that ask for the position or the account need them.
    """

    ts: NDArray[np.int64]
    open: Panel
    high: Panel
    low: Panel
    close: Panel
    volume: Panel
    calendars: tuple[Calendar, ...] = ()
    book: Mapping[str, Panel] = dataclasses.field(default_factory=dict)

    @property
    def symbols(self) -> int:
        """How many symbols there are."""
        return int(self.close.shape[0])

    @property
    def closes(self) -> int:
        """How many close times there are."""
        return int(self.close.shape[1])

    def field(self, name: str) -> Panel:
        """Return open, high, low, close or volume."""
        panel: Panel = getattr(self, name)
        return panel

    def part(self, start: int, end: int) -> Tape:
        """Return the bars of some of the closes."""
        opened, high, low, close, volume = (np.ascontiguousarray(self.field(name)[:, start:end]) for name in FIELDS)
        book = {name: np.ascontiguousarray(column[:, start:end]) for name, column in self.book.items()}
        return Tape(self.ts[start:end], opened, high, low, close, volume, self.calendars, book)

    def clock(self, names: Collection[str]) -> dict[str, Panel]:
        """Return fields and columns of ``session_columns`` as [symbols, closes]; unknown where a symbol has no bar.

        Columns of the book are returned as they are.
        """
        fields = {name: self.field(name) for name in FIELDS if name in names}
        fields |= {name: self.book[name] for name in BOOK_COLUMNS if name in names and name in self.book}
        if len(fields) == len(names):
            return fields
        if len(self.calendars) != self.symbols:
            raise AlphintraError(
                "CALENDAR_UNKNOWN", "the bars come without their calendar or their book", kind=Kind.BUG
            )
        found = {calendar: session_columns(self.ts, calendar) for calendar in set(self.calendars)}
        missing = np.isnan(self.close)
        return fields | {
            name: np.where(missing, np.nan, np.stack([found[calendar][name] for calendar in self.calendars]))
            for name in SESSION_COLUMNS
            if name in names
        }


def epoch_ns(at: datetime) -> int:
    """Return an aware time as nanoseconds since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND * 1000


def tape_of(bars: Sequence[Bar], calendar: Calendar | None = None) -> Tape:
    """Return the bars of one symbol as columns; each value is the float64 nearest to the exact one."""
    opened, high, low, close, volume = (np.array([[float(getattr(bar, name)) for bar in bars]]) for name in FIELDS)
    ts = np.array([epoch_ns(bar.ts) for bar in bars], dtype=np.int64)
    calendars = () if calendar is None else (calendar,)
    return Tape(ts, opened, high, low, close, volume, calendars)


def tape_across(times: Sequence[datetime], rows: Sequence[Sequence[Bar | None]], calendars: Sequence[Calendar]) -> Tape:
    """Return the bars of several symbols as columns, a row each; None where one has no bar at a close."""
    opened, high, low, close, volume = (
        np.array([[np.nan if bar is None else float(getattr(bar, name)) for bar in row] for row in rows])
        for name in FIELDS
    )
    ts = np.array([epoch_ns(at) for at in times], dtype=np.int64)
    return Tape(ts, opened, high, low, close, volume, tuple(calendars))
