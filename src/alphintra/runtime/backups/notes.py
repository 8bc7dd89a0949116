"""What came of each scheduled backup the last time, as a file in the home."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from alphintra.runtime.home import Home, write_atomically

__all__ = ["Done", "noted", "write_note"]

_FILE: Final = "backup-runs.json"


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a job the last time.

    Attributes:
        began_at: when it began.
        ended_at: when it ended; None for one that was cut.
        code: of what went wrong; empty if nothing did.
        detail: what went wrong.
        backup: what it made.
    """

    began_at: datetime
    ended_at: datetime | None = None
    code: str = ""
    detail: str = ""
    backup: str = ""

    @property
    def is_well(self) -> bool:
        """Whether it ended well."""
        return self.ended_at is not None and not self.code


def noted(home: Home) -> dict[str, Done]:
    """Return what came of each job the last time; nothing where none ran, or the note cannot be read any more."""
    try:
        return msgspec.json.decode((home.path / _FILE).read_bytes(), type=dict[str, Done])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def write_note(home: Home, done: Mapping[str, Done]) -> None:
    """Note durably what came of each job."""
    write_atomically(home.path / _FILE, msgspec.json.encode(done))
