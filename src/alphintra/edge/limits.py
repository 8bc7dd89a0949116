"""How many requests a caller may make: a bucket of tokens each, filled evenly, emptied by one a request."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["BURST_S", "Limits"]

BURST_S: Final = 5
"""Seconds of the sustained rate a caller may use up at once."""

_CALLERS_MAX: Final = 4096


class Limits:
    """Two buckets for each caller: one for what takes things back, so that a flood of orders never stops a cancel."""

    def __init__(self, per_s: int) -> None:
        """Start with full buckets.

        Args:
            per_s: sustained requests a second of one caller; cancels and halts as many again.
        """
        self._per_s = per_s
        self._full = float(per_s * BURST_S)
        self._buckets: OrderedDict[tuple[str, bool], tuple[float, float]] = OrderedDict()

    def take(self, caller: str, *, is_reserved: bool, at: float) -> None:
        """Take a token of the caller's bucket. Raises RATE_LIMITED if there is none.

        Args:
            caller: whose bucket.
            is_reserved: whether the request takes something back.
            at: monotonic seconds.
        """
        key = (caller, is_reserved)
        tokens, before = self._buckets.pop(key, (self._full, at))
        tokens = min(self._full, tokens + (at - before) * self._per_s)
        is_there = tokens >= 1
        self._buckets[key] = (tokens - is_there, at)
        if len(self._buckets) > _CALLERS_MAX:
            self._buckets.popitem(last=False)  # whoever was silent longest has a full bucket again
        if not is_there:
            message = f"more than {self._per_s} requests a second over a while: wait a second, or send fewer"
            raise AlphintraError("RATE_LIMITED", message, kind=Kind.LIMITED)
