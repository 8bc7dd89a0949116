"""What a home notes of the moves under way, so that another run, or a guard, knows how far they are."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import msgspec

from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.move.sides import Move, Side, stream_name
from alphintra.dataplane.server import Server
from alphintra.infrastructure.gate import keeper_lock_path
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.credentials import gate_path
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.layout import moves_file
from alphintra.runtime.proc import is_alive

__all__ = ["UNDER_WAY", "Journal", "Record", "Step", "moves_lock", "read_journal", "write_journal"]

_GUARD_S = 70.0
_TRY_EVERY_S = 0.05


class Step(StrEnum):
    """How far one service is; where it lives is told by the home's layout alone."""

    PLANNED = "planned"  # target being made and filled; begun anew where it was cut
    COPIED = "copied"  # all rows of one instant are there, and the stream can go on from it
    SWITCHING = "switching"  # either side may be in charge: the layout tells
    SWITCHED = "switched"  # the target is in charge; the way back may not be open yet
    REVERSED = "reversed"  # what is written at the target goes back to the source
    VERIFIED = "verified"  # as before, and every row was compared
    RETURNING = "returning"  # either side may be in charge, on the way back
    RETURNED = "returned"  # the source is in charge again, the target can go
    FINISHING = "finishing"  # the way back is given up, and what is at the old place goes


UNDER_WAY = frozenset({Step.SWITCHING, Step.RETURNING})
"""Steps in which the rights of both sides may be anything."""


class Record(msgspec.Struct, kw_only=True):
    """One service's move."""

    service: str
    ident: str
    source: Placement
    target: Placement
    step: Step = Step.PLANNED
    rows: int = 0
    bytes: int = 0
    pause_ms: float = 0.0

    @property
    def stream(self) -> str:
        """Name of what the move makes in PostgreSQL on the way forth."""
        return stream_name(self.service, self.ident)

    def move(self, servers: dict[str, Server]) -> Move:
        """Return it with its servers. Raises INSTANCE_UNKNOWN."""
        for placement in (self.source, self.target):
            if placement.instance not in servers:
                message = (
                    f"instance {placement.instance} does not run: give its URL as admin_urls.{placement.instance} in "
                    "alphintra.toml; `alphintra logs supervisor` tells why one of the home's own did not start"
                )
                raise AlphintraError("INSTANCE_UNKNOWN", message, kind=Kind.UNAVAILABLE)
        source = Side(server=servers[self.source.instance], placement=self.source)
        target = Side(server=servers[self.target.instance], placement=self.target)
        return Move(ident=self.ident, source=source, target=target)


class Journal(msgspec.Struct, kw_only=True):
    """The moves that one command began: none of another may begin before they are finished or rolled back."""

    to: str
    records: list[Record]

    @property
    def is_merge(self) -> bool:
        """Whether services come into one schema or leave it, in place and together; see `merging`."""
        return any(record.source.merged_schema != record.target.merged_schema for record in self.records)


def read_journal(home: Home) -> Journal | None:
    """Return the moves under way, None if there are none. Raises MIGRATE_JOURNAL if the file is not ours."""
    path = moves_file(home)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Journal)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        message = f"{path} cannot be understood: restore it, or undo the move by hand as docs/databases.md tells"
        raise AlphintraError("MIGRATE_JOURNAL", message, kind=Kind.CONFLICT) from error


def write_journal(home: Home, journal: Journal | None) -> None:
    """Note durably how far the moves are; None when there are none any more."""
    path = moves_file(home)
    if journal is None:
        path.unlink(missing_ok=True)
    else:
        write_atomically(path, msgspec.json.encode(journal))


@contextmanager
def moves_lock(home: Home) -> Iterator[int]:
    """Be the one who moves services of this home; lends the lock's descriptor. Raises ALREADY_RUNNING."""
    path = keeper_lock_path(gate_path(home, "any"))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> None:
    """Take the lock; where the mover has died, its guard has it for as long as it takes to end what was cut."""
    deadline = time.monotonic() + _GUARD_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.pread(descriptor, 32, 0).decode().strip()
            if (pid.isdigit() and is_alive(int(pid))) or time.monotonic() > deadline:
                message = f"another command moves services of this home (process {pid}): wait for it to end"
                raise AlphintraError("ALREADY_RUNNING", message, kind=Kind.CONFLICT) from error
            time.sleep(_TRY_EVERY_S)
        else:
            return
