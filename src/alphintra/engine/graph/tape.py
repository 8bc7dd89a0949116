"""Closed bars as columns of float64: what graphs are computed from, one row a symbol, one column a close."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alphintra.engine.bars import Bar

__all__ = ["FIELDS", "Tape", "epoch_ns", "tape_of"]

FIELDS = ("open", "high", "low", "close", "volume")
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
    """

    ts: NDArray[np.int64]
    open: Panel
    high: Panel
    low: Panel
    close: Panel
    volume: Panel

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


def epoch_ns(at: datetime) -> int:
    """Return an aware time as nanoseconds since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND * 1000


def tape_of(bars: Sequence[Bar]) -> Tape:
    """Return the bars of one symbol as columns; each value is the float64 nearest to the exact one."""
    columns = [np.array([[float(getattr(bar, name)) for bar in bars]]) for name in FIELDS]
    return Tape(np.array([epoch_ns(bar.ts) for bar in bars], dtype=np.int64), *columns)
