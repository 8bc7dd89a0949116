"""When a table that is cut by month is about to run out of months, and how that is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

__all__ = ["WARNED_BEFORE", "Cut", "earliest_end", "warning_of"]

WARNED_BEFORE: Final = timedelta(days=14)
"""So long before its start a missing month is told of: three are made ahead, so all attempts of weeks have failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A table that is cut by month.

    Attributes:
        table: its name, with the schema.
        kept_until: the first instant that no month holds; None where there is no month at all.
        has_rest: whether rows lie in the part for times that no month holds.
    """

    table: str
    kept_until: datetime | None
    has_rest: bool


def warning_of(cut: Cut, *, at: datetime) -> str:
    """Return what is wrong with the months of a table, in one sentence; empty if nothing is."""
    mend = "nothing is lost; see what `alphintra db months --keep` says"
    if cut.kept_until is None:
        return f"{cut.table} has no months: {mend}"
    if cut.kept_until - at < WARNED_BEFORE:
        return f"{cut.table} has no month from {cut.kept_until:%Y-%m-%d} on: {mend}"
    return ""


def earliest_end(cuts: tuple[Cut, ...]) -> datetime | None:
    """Return until when all tables have their months; None where one has none, or there is no such table."""
    ends = [cut.kept_until for cut in cuts]
    return None if not ends or None in ends else min(end for end in ends if end is not None)
