"""The real clock and the real source of identifiers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from uuid_utils.compat import uuid7

from alphintra.infrastructure.clock_steps import stepped_by

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["SystemClock", "SystemIds"]


class SystemClock:
    """Reads the machine's clock, stepped where a chaos run says so."""

    def now(self) -> datetime:
        """Return the current time as aware UTC."""
        return datetime.now(UTC) + stepped_by()  # noqa: TID251 - the one place that reads the wall clock


class SystemIds:
    """Draws version 7 UUIDs: time-ordered, so that indexes grow at one end."""

    def new(self) -> UUID:
        """Return a fresh identifier."""
        return uuid7()
