"""A replay: the bars of several symbols as numbered steps, one per time at which any of them closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alphintra.engine.bars import Bar
from alphintra.kernel.errors import AlphintraError

__all__ = ["Step", "steps_of", "within"]


@dataclass(frozen=True, slots=True)
class Step:
    """Everything that closed at one time; ``seq`` counts from 1."""

    seq: int
    ts: datetime
    bars: tuple[tuple[str, Bar], ...]


def within(bars: Sequence[Bar], start: datetime | None, end: datetime | None) -> tuple[Bar, ...]:
    """Return the bars that closed in ``[start, end)``. Raises RANGE for a reversed or empty range."""
    if start is not None and end is not None and start >= end:
        raise AlphintraError("RANGE", f"the range ends ({end}) before it starts ({start})", pointer="/end")
    chosen = tuple(bar for bar in bars if (start is None or bar.ts >= start) and (end is None or bar.ts < end))
    if not chosen:
        span = f"{bars[0].ts:%Y-%m-%d} to {bars[-1].ts:%Y-%m-%d}" if bars else "nothing"
        raise AlphintraError("RANGE", f"no bar lies in the range: the data spans {span}", pointer="/start")
    return chosen


def steps_of(series: Mapping[str, Sequence[Bar]]) -> tuple[Step, ...]:
    """Merge the bars of several symbols by closing time, oldest first; symbols in alphabetical order."""
    by_time: dict[datetime, list[tuple[str, Bar]]] = {}
    for symbol in sorted(series):
        for bar in series[symbol]:
            by_time.setdefault(bar.ts, []).append((symbol, bar))
    return tuple(Step(seq, ts, tuple(by_time[ts])) for seq, ts in enumerate(sorted(by_time), start=1))
