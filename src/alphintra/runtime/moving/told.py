"""What the command that moves services says of its work, for whoever looks on: gone when it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from alphintra.infrastructure.system import SystemClock
from alphintra.runtime.home import Home, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Progress", "Told", "read_told", "telling"]

_FILE: Final = "moves-told.json"
_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is being done, for whom, and how far it is.

    Attributes:
        service: which of the eight.
        doing: in words.
        rows: copied or compared so far.
        bytes: of rows copied so far.
        share: of the copy, 0 to 1; None where there is nothing to count.
        eta_s: of the copy.
        lag_bytes: of the log that is still to be applied.
    """

    service: str
    doing: str
    rows: int = 0
    bytes: int = 0
    share: float | None = None
    eta_s: float | None = None
    lag_bytes: int | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The latest said of one service's move; fields as in `Progress`."""

    at: datetime
    doing: str
    rows: int = 0
    bytes: int = 0
    share: float | None = None
    eta_s: float | None = None
    lag_bytes: int | None = None


@contextmanager
def telling(home: Home, tell: Callable[[Progress], None]) -> Iterator[Callable[[Progress], None]]:
    """Lend a function that passes progress on and notes it, each new step at once and else twice a second."""
    said: dict[str, Told] = {}
    noted_at = -_EVERY_S

    def note(progress: Progress) -> None:
        nonlocal noted_at
        before = said.get(progress.service)
        said[progress.service] = Told(
            at=SystemClock().now(),
            doing=progress.doing,
            rows=progress.rows,
            bytes=progress.bytes,
            share=progress.share,
            eta_s=progress.eta_s,
            lag_bytes=progress.lag_bytes,
        )
        now = time.monotonic()
        if before is None or before.doing != progress.doing or now - noted_at >= _EVERY_S:
            noted_at = now
            write_atomically(_path(home), msgspec.json.encode(said), durable=False)
        tell(progress)

    try:
        yield note
    finally:
        _path(home).unlink(missing_ok=True)


def read_told(home: Home) -> dict[str, Told]:
    """Return the latest said of each service's move; nothing where no command moves any."""
    try:
        return msgspec.json.decode(_path(home).read_bytes(), type=dict[str, Told])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def _path(home: Home) -> Path:
    return home.run / _FILE
