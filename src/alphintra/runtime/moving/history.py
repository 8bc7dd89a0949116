"""What moves of a home came to: every change-over with its pause, and what was compared. Kept when the moves are over.

It tells what the next pause will be, and is the evidence of claims about moves.
"""

from __future__ import annotations

import os
from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from alphintra.runtime.home import Home

__all__ = ["ChangeOver", "Expected", "expected_pause", "note_change_over", "read_history"]

_FILE: Final = "moves-history.jsonl"
_LOOKED_AT: Final = 40


class ChangeOver(msgspec.Struct, frozen=True, kw_only=True):
    """One change-over of one service, forth or back.

    Attributes:
        at: when it was over, ISO 8601 in UTC.
        service: which of the eight.
        source: database and instance it left.
        target: database and instance it is at.
        versions: major versions of PostgreSQL there and here.
        is_back: whether it was taken back.
        rows: compared, of all tables.
        differences: tables that were not the same.
        pause_ms: for which requests waited.
        fence_ms: for which nobody could write.
        phases_ms: by what was done.
    """

    at: str
    service: str
    source: str
    target: str
    versions: tuple[int, int]
    is_back: bool
    rows: int
    differences: int
    pause_ms: float
    fence_ms: float
    phases_ms: dict[str, float] = {}


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a pause will be by the latest ones measured in this home; nothing is known where there were none."""

    samples: int
    median_ms: float | None = None
    worst_ms: float | None = None


def note_change_over(home: Home, done: ChangeOver) -> None:
    """Add one at the end; a line that a power cut tears is left out when it is read."""
    line = msgspec.json.encode(done) + b"\n"
    descriptor = os.open(_path(home), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def read_history(home: Home) -> tuple[ChangeOver, ...]:
    """Return all that was noted, the oldest first."""
    try:
        lines = _path(home).read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    found = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=ChangeOver))
        except msgspec.DecodeError:
            continue
    return tuple(found)


def expected_pause(history: Sequence[ChangeOver], service: str) -> Expected:
    """Return what the latest change-overs tell: those of the service where there are any, else those of all."""
    own = [each for each in history if each.service == service] or list(history)
    pauses = [each.pause_ms for each in own[-_LOOKED_AT:]]
    if not pauses:
        return Expected(samples=0)
    return Expected(samples=len(pauses), median_ms=round(median(pauses), 1), worst_ms=round(max(pauses), 1))


def _path(home: Home) -> Path:
    return home.path / _FILE
