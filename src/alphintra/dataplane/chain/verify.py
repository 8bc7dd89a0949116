"""Whether a service's audit log is what was sealed and signed: every row hashed anew, every root told anew.

Rows are read by stretches in the order of their leaves, within one snapshot: the log may be of any length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.chain.coverage import first_unaudited
from alphintra.dataplane.chain.leaves import AUDIT_COLUMNS, canonical, row_of
from alphintra.dataplane.chain.notes import Checkpoint, checkpoint_of
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.merkle import Frontier, leaf_hash

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import asyncpg

    from alphintra.dataplane.chain.notes import NoteKey

__all__ = ["UNSEALED_MAX", "Fault", "Finding", "Verified", "Witnessed", "verify_log"]

UNSEALED_MAX: Final = timedelta(seconds=30)
"""How old an audit row may be that is not sealed yet, and a witness's word."""

_CHUNK: Final = 20_000
# Leaves are asked for by stretches: whatever statistics say, reading the whole of the rows for each would not end.
_SETTINGS: Final = "set local enable_hashjoin = off; set local enable_mergejoin = off; set local timezone = 'UTC'"
_SHAPE: Final = "select count(*) as leaves, coalesce(max(leaf_index) + 1, 0) as size from audit_leaves"
_STRETCH: Final = f"""
    select l.leaf_index, l.leaf_hash, l.audit_id::text as sealed_id, {AUDIT_COLUMNS}
    from audit_leaves as l left join audit_events as e on e.audit_id = l.audit_id
    where l.leaf_index >= $1 and l.leaf_index < $2 order by l.leaf_index
"""  # noqa: S608 - a constant
_NOTES: Final = """
    select tree_size, note, frontier from audit_checkpoints where tree_size > $1 and tree_size <= $2 order by tree_size
"""
_BEYOND: Final = "select max(tree_size) from audit_checkpoints"
_WAITING: Final = """
    select count(*) as count, count(*) filter (where e.audit_id is null) as lost, now() - min(e.recorded_at) as age,
        (array_agg(q.audit_id::text) filter (where e.audit_id is null))[1] as first_lost
    from audit_pending as q left join audit_events as e on e.audit_id = q.audit_id
"""
_ROWS: Final = "select count(*) from audit_events"
_BOTH: Final = "select count(*) from audit_pending as q join audit_leaves as l on l.audit_id = q.audit_id"
_STRAY: Final = """
    select e.audit_id::text from audit_events as e
    where not exists (select from audit_leaves as l where l.audit_id = e.audit_id)
        and not exists (select from audit_pending as q where q.audit_id = e.audit_id)
    order by e.recorded_at limit 1
"""


class Fault(IntEnum):
    """What may be wrong with a log; the value is the exit status of `alphintra audit verify`."""

    ALTERED = 2
    TRUNCATED = 3
    FORK = 4
    UNSEALED = 5
    WITNESS_BEHIND = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong; ``leaf`` is the first one concerned, where it is known."""

    fault: Fault
    detail: str
    leaf: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """What a witness says of a log: its last checkpoint, and how long ago it was shown it."""

    checkpoint: Checkpoint
    age: timedelta


@dataclass(slots=True, kw_only=True)
class Verified:
    """What a verification found.

    Attributes:
        origin: of the log.
        leaves: how many were hashed anew.
        root: over them.
        checkpoints: how many signatures and roots were checked.
        pending: audit rows that are not sealed yet.
        pending_age: of the oldest of them.
        findings: what is wrong, nothing for a log that is sound.
    """

    origin: str
    leaves: int = 0
    root: bytes = b""
    checkpoints: int = 0
    pending: int = 0
    pending_age: timedelta = timedelta()
    findings: list[Finding] = field(default_factory=list)

    @property
    def status(self) -> int:
        """Exit status: that of the gravest finding, 0 for none."""
        order = (Fault.ALTERED, Fault.FORK, Fault.TRUNCATED, Fault.UNSEALED, Fault.WITNESS_BEHIND)
        found = {each.fault for each in self.findings}
        return next((int(fault) for fault in order if fault in found), 0)


async def verify_log(
    connection: asyncpg.Connection,
    *,
    origin: str,
    trusted: Sequence[NoteKey],
    witnessed: Witnessed | None = None,
    unsealed_max: timedelta = UNSEALED_MAX,
    service: str = "",
) -> Verified:
    """Verify a service's whole audit log, on a connection that may read it.

    Args:
        connection: of a role that may read the service's tables.
        origin: name of the log.
        trusted: keys that may have signed it.
        witnessed: what the witness said before the connection was opened.
        unsealed_max: how long a row may be unsealed, and the witness not have been shown the log.
        service: whose it is, for what has to be audited; empty for none of that.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(_SETTINGS)
        run = _Run(connection, Verified(origin=origin), trusted, witnessed)
        await run.leaves()
        await run.queue(unsealed_max)
        await run.coverage(service)
    if witnessed is not None and witnessed.age > unsealed_max:
        run.find(Fault.WITNESS_BEHIND, f"the witness was last shown the log {_spoken(witnessed.age)} ago")
    return run.found


class _Run:
    """One verification within its snapshot."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        found: Verified,
        trusted: Sequence[NoteKey],
        witnessed: Witnessed | None,
    ) -> None:
        self.found = found
        self._connection = connection
        self._trusted = trusted
        self._witnessed = witnessed
        self._edge = Frontier()
        self._signed = 0  # size of the last checkpoint whose root was right
        self._is_row_bad = False

    def find(self, fault: Fault, detail: str, *, leaf: int | None = None) -> None:
        self.found.findings.append(Finding(fault=fault, detail=detail, leaf=leaf))

    async def leaves(self) -> None:
        shape = await self._connection.fetchrow(_SHAPE)
        size, signed = shape["size"], await self._connection.fetchval(_BEYOND) or 0
        if signed > size:
            self.find(Fault.TRUNCATED, f"{signed} leaves were signed, and {size} are there", leaf=size)
        if self._witnessed is not None and self._witnessed.checkpoint.size > max(size, signed):
            seen = self._witnessed.checkpoint.size
            self.find(Fault.TRUNCATED, f"the witness has seen {seen} leaves, and {size} are there", leaf=size)
        async for rows in self._stretches(size):
            notes = await self._connection.fetch(_NOTES, rows[0]["leaf_index"], rows[-1]["leaf_index"] + 1)
            if not self._take(rows, {row["tree_size"]: row for row in notes}):
                break
        self.found.leaves, self.found.root = self._edge.size, self._edge.root()

    async def queue(self, unsealed_max: timedelta) -> None:
        """Check that each audit row is sealed or waits to be, and for how long."""
        waiting = await self._connection.fetchrow(_WAITING)
        self.found.pending = waiting["count"]
        self.found.pending_age = waiting["age"] or timedelta()
        if waiting["lost"]:
            self.find(
                Fault.ALTERED, f"audit row {waiting['first_lost']} waits to be sealed and is not there: it was removed"
            )
        if self.found.pending_age > unsealed_max:
            age = _spoken(self.found.pending_age)
            self.find(Fault.UNSEALED, f"{waiting['count']} audit rows wait to be sealed, the oldest for {age}")
        rows = await self._connection.fetchval(_ROWS)
        sealed = (await self._connection.fetchrow(_SHAPE))["leaves"]
        twice = await self._connection.fetchval(_BOTH)
        if twice:
            self.find(Fault.ALTERED, f"{twice} audit rows that are sealed wait to be sealed again")
        if rows != sealed + waiting["count"] - waiting["lost"] - twice and not self.found.findings:
            stray = await self._connection.fetchval(_STRAY)
            if stray is not None:
                self.find(Fault.ALTERED, f"audit row {stray} is neither sealed nor waits to be")

    async def coverage(self, service: str) -> None:
        """Check that what has to be audited was."""
        unaudited = await first_unaudited(self._connection, service)
        if unaudited:
            self.find(Fault.ALTERED, unaudited)

    def _take(self, rows: Sequence[asyncpg.Record], notes: dict[int, asyncpg.Record]) -> bool:
        """Take in a stretch; False where a leaf is missing, after which no place is that of before."""
        edge, seen = self._edge, self._witnessed.checkpoint if self._witnessed is not None else None
        for row in rows:
            place = edge.size
            if row["leaf_index"] != place:
                self.find(Fault.ALTERED, f"leaf {place} is missing", leaf=place)
                return False
            self._compare(row, place)
            edge.extend((row["leaf_hash"],))
            if edge.size in notes:
                self._check(notes[edge.size])
            if seen is not None and seen.size == edge.size and seen.root != edge.root():
                self.find(Fault.FORK, f"the witness has seen other leaves among the first {seen.size}")
        return True

    def _compare(self, row: asyncpg.Record, place: int) -> None:
        if self._is_row_bad:
            return  # the first one is named; roots go on being checked
        if row["audit_id"] is None:
            self._is_row_bad = True
            self.find(Fault.ALTERED, f"the audit row {row['sealed_id']} of leaf {place} is missing", leaf=place)
        elif leaf_hash(canonical(row_of(row))) != row["leaf_hash"]:
            self._is_row_bad = True
            self.find(Fault.ALTERED, f"the audit row {row['audit_id']} of leaf {place} was altered", leaf=place)

    def _check(self, row: asyncpg.Record) -> None:
        size = row["tree_size"]
        self.found.checkpoints += 1
        try:
            signed = checkpoint_of(row["note"], self._trusted)
        except AlphintraError as error:
            self.find(Fault.ALTERED, f"the checkpoint of {size} leaves: {error.detail}", leaf=size - 1)
            return
        if (signed.origin, signed.size) != (self.found.origin, size):
            self.find(Fault.ALTERED, f"the checkpoint of {size} leaves is another one's", leaf=size - 1)
        elif signed.root == self._edge.root() and row["frontier"] == self._edge.to_bytes():
            self._signed = size
        elif not any(each.leaf is not None and each.leaf < size for each in self.found.findings):
            what = f"of leaves {self._signed} to {size - 1} one or more were altered, moved or put in"
            self.find(Fault.ALTERED, f"{what}: their root is not the one that was signed", leaf=self._signed)

    async def _stretches(self, size: int) -> AsyncIterator[list[asyncpg.Record]]:
        """Yield the leaves with their rows in order."""
        for start in range(0, size, _CHUNK):
            rows = await self._connection.fetch(_STRETCH, start, start + _CHUNK)
            if rows:
                yield rows


def _spoken(age: timedelta) -> str:
    return f"{age.total_seconds():.0f} s"
