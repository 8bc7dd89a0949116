"""A witness of logs: it keeps, outside the databases, how far each one was when it was last shown, and says so.

It signs what only ever grew: a log that is smaller than before, or that is another one, is refused until a recovery is
declared. It is a file of its own, on whatever disk it is put: whoever holds databases, keys and this file can rewrite
all three, so that copies of its checkpoints belong elsewhere.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.chain.notes import Checkpoint, NoteKeys, checkpoint_of, cosignatures_of
from alphintra.dataplane.chain.verify import Witnessed
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.merkle import is_consistent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from alphintra.dataplane.chain.notes import NoteKey

__all__ = ["Recovery", "Seen", "Witness"]

_WAIT_S: Final = 5.0
_TABLES: Final = """
    create table if not exists logs (
        origin text primary key, size integer not null, root blob not null, note text not null, seen_at text not null
    ) strict;
    create table if not exists days (
        origin text not null, day text not null, note text not null, primary key (origin, day)
    ) strict;
    create table if not exists recoveries (
        recovery integer primary key, origin text not null, lost_size integer not null, lost_root blob not null,
        reason text not null, declared_by text not null, declared_at text not null,
        size integer, record text not null default ''
    ) strict;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A log as the witness last saw it; ``note`` is the checkpoint with the signatures of log and witness."""

    size: int
    root: bytes
    note: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """That a loss was declared: what the log had been, why, by whom, and what it went on from.

    Attributes:
        size: leaves it went on from; None while it has not been shown again.
        record: the same as a text that log and witness have signed; empty while it is open.
    """

    origin: str
    lost_size: int
    lost_root: bytes
    reason: str
    declared_by: str
    declared_at: datetime
    size: int | None = None
    record: str = ""


class Witness:
    """The witness of a home's logs.

    Args:
        folder: where its file is, made at first use and readable by this account alone.
        keys: its own, which no database knows.
    """

    def __init__(self, folder: Path, keys: NoteKeys) -> None:
        self.path = folder / "witness.db"
        self.keys = keys

    def seen(self, origin: str) -> Seen | None:
        """Return a log as it was last seen, None for one that never was. Raises WITNESS_UNREACHABLE, AUDIT_NOTE."""
        if not self.path.exists():
            return None
        with self._opened() as store:
            row = store.execute("select size, root, note, seen_at from logs where origin = ?", (origin,)).fetchone()
        if row is None:
            return None
        return Seen(size=row[0], root=row[1], note=row[2], at=datetime.fromisoformat(row[3]))

    def witnessed(self, origin: str, trusted: Sequence[NoteKey], *, at: datetime) -> Witnessed | None:
        """Return what it says of a log, once both signatures are checked; None where it never saw it.

        Raises AUDIT_SIGNATURE where its file was written by somebody else, WITNESS_UNREACHABLE.
        """
        seen = self.seen(origin)
        if seen is None:
            return None
        checkpoint = checkpoint_of(seen.note, trusted)
        signed = cosignatures_of(seen.note, self.keys.trusted)
        if not signed or (checkpoint.origin, checkpoint.size, checkpoint.root) != (origin, seen.size, seen.root):
            message = f"what the witness holds of {origin} is not signed by it: its file was changed"
            raise AlphintraError("AUDIT_SIGNATURE", message, kind=Kind.CONFLICT)
        return Witnessed(checkpoint=checkpoint, age=at - max(each.at for each in signed))

    def show(self, note: str, proof: Sequence[bytes], *, trusted: Sequence[NoteKey], at: datetime) -> str:
        """Take note of a checkpoint that only ever grew, and return it with the witness's signature.

        Args:
            note: checkpoint that the log's key has signed.
            proof: that its tree begins with the one last seen.
            trusted: keys of the log.
            at: now, UTC.

        Raises AUDIT_ROLLBACK for a log that is smaller than before, AUDIT_FORK for one that is another,
        AUDIT_SIGNATURE, AUDIT_NOTE, WITNESS_UNREACHABLE.
        """
        checkpoint = checkpoint_of(note, trusted)
        cosigned = self.keys.cosign(note, at=at)
        fault_point("audit.shown")
        with self._opened() as store:
            row = store.execute("select size, root from logs where origin = ?", (checkpoint.origin,)).fetchone()
            if row is not None:
                seen = Checkpoint(origin=checkpoint.origin, size=row[0], root=row[1])
                self._require_grown(store, checkpoint, seen, proof)
            store.execute(
                "insert or replace into logs (origin, size, root, note, seen_at) values (?, ?, ?, ?, ?)",
                (checkpoint.origin, checkpoint.size, checkpoint.root, cosigned, at.isoformat()),
            )
            store.execute(
                "insert or replace into days (origin, day, note) values (?, ?, ?)",
                (checkpoint.origin, at.date().isoformat(), cosigned),
            )
        fault_point("audit.witnessed")
        return cosigned

    def declare(self, origin: str, *, reason: str, by: str, at: datetime) -> Recovery:
        """Declare that what a log lost is known; the next checkpoint is taken whatever it is.

        Raises AUDIT_UNKNOWN for a log that was never seen, WITNESS_UNREACHABLE.
        """
        with self._opened() as store:
            row = store.execute("select size, root from logs where origin = ?", (origin,)).fetchone()
            if row is None:
                message = f"the witness has never seen {origin}: there is nothing to recover from"
                raise AlphintraError("AUDIT_UNKNOWN", message, kind=Kind.NOT_FOUND)
            store.execute("delete from recoveries where origin = ? and size is null", (origin,))
            store.execute(
                "insert into recoveries (origin, lost_size, lost_root, reason, declared_by, declared_at) "
                "values (?, ?, ?, ?, ?, ?)",
                (origin, row[0], row[1], reason, by, at.isoformat()),
            )
        return self.recoveries(origin)[-1]

    def close(self, recovery: Recovery, record: str) -> None:
        """Keep the signed record of a recovery that is over."""
        with self._opened() as store:
            store.execute(
                "update recoveries set record = ? where origin = ? and declared_at = ?",
                (record, recovery.origin, recovery.declared_at.isoformat()),
            )

    def recoveries(self, origin: str) -> tuple[Recovery, ...]:
        """Return the recoveries of a log that were declared, oldest first. Raises WITNESS_UNREACHABLE."""
        if not self.path.exists():
            return ()
        with self._opened() as store:
            rows = store.execute(
                "select origin, lost_size, lost_root, reason, declared_by, declared_at, size, record "
                "from recoveries where origin = ? order by recovery",
                (origin,),
            ).fetchall()
        return tuple(
            Recovery(
                origin=row[0],
                lost_size=row[1],
                lost_root=row[2],
                reason=row[3],
                declared_by=row[4],
                declared_at=datetime.fromisoformat(row[5]),
                size=row[6],
                record=row[7],
            )
            for row in rows
        )

    def _require_grown(
        self, store: sqlite3.Connection, checkpoint: Checkpoint, seen: Checkpoint, proof: Sequence[bytes]
    ) -> None:
        has_grown = seen.size == 0 or is_consistent(
            old_size=seen.size, old_root=seen.root, size=checkpoint.size, root=checkpoint.root, path=proof
        )
        taken = store.execute(
            "update recoveries set size = ? where origin = ? and size is null", (checkpoint.size, checkpoint.origin)
        ).rowcount
        if has_grown or taken:
            return
        if checkpoint.size < seen.size:
            message = (
                f"{seen.origin} had {seen.size} leaves and has {checkpoint.size}: if it was brought back on purpose, "
                "declare it with `alphintra audit recover`"
            )
            raise AlphintraError("AUDIT_ROLLBACK", message, kind=Kind.CONFLICT)
        message = f"{seen.origin} does not begin with the {seen.size} leaves the witness has seen: it is another log"
        raise AlphintraError("AUDIT_FORK", message, kind=Kind.CONFLICT)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Lend the file within one transaction, durable at its end. Raises WITNESS_UNREACHABLE."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            store = sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)
            try:
                store.execute("pragma synchronous = full")
                store.executescript(_TABLES)
                store.execute("begin immediate")
                yield store
                store.execute("commit")
            finally:
                store.close()
        except (OSError, sqlite3.Error) as error:
            message = f"the witness's file {self.path} cannot be used ({error}): see that its disk is there"
            raise AlphintraError("WITNESS_UNREACHABLE", message, kind=Kind.UNAVAILABLE) from error
