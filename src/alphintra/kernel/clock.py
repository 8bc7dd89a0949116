"""Time: aware UTC only, read at the edge of a use case and passed down as ``at``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from alphintra.kernel.errors import AlphintraError

__all__ = ["Clock", "require_utc"]


class Clock(Protocol):
    """Source of the current time; injected, so that tests and simulations own it."""

    def now(self) -> datetime:
        """Return the current time as aware UTC."""
        ...


def require_utc(value: datetime, *, pointer: str = "") -> datetime:
    """Return the value unchanged if it is aware UTC. Raises TIME_NO_ZONE otherwise."""
    if value.utcoffset() != timedelta(0):
        message = f"time {value.isoformat()} carries no UTC offset: write it as 2026-01-31T09:30:00Z"
        raise AlphintraError("TIME_NO_ZONE", message, pointer=pointer)
    return value
