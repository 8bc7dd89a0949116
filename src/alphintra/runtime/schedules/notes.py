"""What came of each scheduled job the last time, and what operators were told of it, as a file in the home."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.home import Home, write_atomically

__all__ = ["Done", "begun", "failed", "noted", "succeeded", "write_note"]

_FILE: Final = "backup-runs.json"
_IN_THE_WAY: Final = frozenset({"ALREADY_RUNNING", "RETENTION_BUSY"})


class Done(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a job the last time.

    Attributes:
        began_at: when it began.
        ended_at: when it ended; None for one that was cut.
        code: of what went wrong; empty if nothing did.
        detail: what went wrong.
        made: the backup it made, or what it took away.
        failing_since: when the first of the runs began that have failed since one ended well.
        told: the ``failing_since`` operators were told of last; None once they were told that it works again.
        is_first_seen: it has not run yet, and its schedule counts from ``began_at`` on.
    """

    began_at: datetime
    ended_at: datetime | None = None
    code: str = ""
    detail: str = ""
    made: str = msgspec.field(default="", name="backup")
    failing_since: datetime | None = None
    told: datetime | None = None
    is_first_seen: bool = False

    @property
    def is_well(self) -> bool:
        """Whether it ended well."""
        return self.ended_at is not None and not self.code


def begun(last: Done | None, *, at: datetime) -> Done:
    """Return the note of a run that begins."""
    if last is None:
        return Done(began_at=at)
    return Done(began_at=at, failing_since=last.failing_since, told=last.told)


def succeeded(run: Done, *, at: datetime, made: str = "") -> Done:
    """Return the note of a run that ended well."""
    return Done(began_at=run.began_at, ended_at=at, made=made, told=run.told)


def failed(run: Done, error: AlphintraError, *, last: Done | None, at: datetime) -> Done:
    """Return the note of a run that failed.

    Where somebody else was at it, it counts as a failure from the second time in a row on.
    """
    since = run.failing_since
    if since is None and (error.code not in _IN_THE_WAY or (last is not None and not last.is_well)):
        since = run.began_at
    return Done(
        began_at=run.began_at,
        ended_at=at,
        code=error.code,
        detail=error.detail,
        failing_since=since,
        told=run.told,
    )


def noted(home: Home) -> dict[str, Done]:
    """Return what came of each job the last time; nothing where none ran, or the note cannot be read any more."""
    try:
        return msgspec.json.decode((home.path / _FILE).read_bytes(), type=dict[str, Done])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def write_note(home: Home, done: Mapping[str, Done]) -> None:
    """Note durably what came of each job."""
    write_atomically(home.path / _FILE, msgspec.json.encode(done))
