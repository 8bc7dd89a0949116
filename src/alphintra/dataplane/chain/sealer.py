"""Seals audit rows: each becomes a leaf, in one transaction with its leaving the queue; now and then a checkpoint.

Nothing is kept but what is in the tables: whatever is cut is done again by the next pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.chain.leaves import AUDIT_COLUMNS, hashes_of, row_of
from alphintra.dataplane.chain.notes import Checkpoint, checkpoint_of
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.merkle import Frontier

if TYPE_CHECKING:
    import asyncpg

    from alphintra.dataplane.chain.notes import NoteKeys

__all__ = ["SEAL_BATCH", "Sealed", "Sealer", "altered", "edge_at"]

SEAL_BATCH: Final = 5_000
_READ: Final = 50_000
_SIZE: Final = "select coalesce(max(leaf_index) + 1, 0) from audit_leaves"
_TAKE: Final = f"""
    with taken as (
        delete from audit_pending where audit_id = any (array(select audit_id from audit_pending limit $1))
        returning audit_id
    )
    select t.audit_id::text as queued_id, {AUDIT_COLUMNS}
    from taken as t left join audit_events as e on e.audit_id = t.audit_id
    order by e.recorded_at, t.audit_id
"""  # noqa: S608 - a constant
_LEAVES: Final = """
    insert into audit_leaves (leaf_index, audit_id, leaf_hash)
    select $1::bigint + n.place - 1, n.audit_id, n.leaf_hash
    from unnest($2::uuid[], $3::bytea[]) with ordinality as n (audit_id, leaf_hash, place)
"""
_NOTE: Final = "insert into audit_checkpoints (tree_size, note, frontier) values ($1, $2, $3)"
_NEWEST: Final = "select tree_size, note, frontier from audit_checkpoints order by tree_size desc limit 1"
_HASHES: Final = """
    select leaf_index, leaf_hash from audit_leaves where leaf_index >= $1 and leaf_index < $2 order by leaf_index
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a pass came to.

    Attributes:
        count: rows sealed.
        size: leaves there are.
        note: checkpoint it wrote, empty for none.
        is_more: whether rows were left for the next pass.
    """

    count: int
    size: int
    note: str = ""
    is_more: bool = False


class Sealer:
    """Seals one service's audit log; two never seal at once.

    Args:
        keys: of the service; their name is the log's origin.
    """

    def __init__(self, keys: NoteKeys) -> None:
        self.keys = keys
        self._edge: Frontier | None = None
        self._signed = 0
        # The number of the lock: the same for every sealer of this log, another for each other one.
        self._lock = int.from_bytes(sha256(f"seal {keys.name}".encode()).digest()[:8], "big", signed=True)

    async def seal(self, connection: asyncpg.Connection, *, is_signed: bool) -> Sealed:
        """Seal what waits, up to `SEAL_BATCH` rows; with ``is_signed`` write a checkpoint too, if the log has grown.

        Raises SEALER_BUSY while another one seals, AUDIT_ALTERED where what is there is not what was sealed.
        """
        async with connection.transaction():
            if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", self._lock):
                message = f"another sealer works on {self.keys.name}: there may be one at a time"
                raise AlphintraError("SEALER_BUSY", message, kind=Kind.CONFLICT)
            edge = await self._known(connection)
            rows = await connection.fetch(_TAKE, SEAL_BATCH)
            fault_point("audit.taken")
            if rows:
                await self._append(connection, edge, rows)
            note = ""
            if is_signed and edge.size > self._signed:
                note = self.keys.sign(Checkpoint(origin=self.keys.name, size=edge.size, root=edge.root()))
                await connection.execute(_NOTE, edge.size, note, edge.to_bytes())
            fault_point("audit.sealed")
        fault_point("audit.committed")
        self._edge = edge
        if note:
            self._signed = edge.size
        return Sealed(count=len(rows), size=edge.size, note=note, is_more=len(rows) == SEAL_BATCH)

    async def head(self, connection: asyncpg.Connection) -> tuple[str, Frontier]:
        """Return a note of the log as far as it is signed, and its edge. Raises AUDIT_ALTERED."""
        row = await connection.fetchrow(_NEWEST)
        edge = Frontier() if row is None else self._checked(row)
        return self.keys.sign(Checkpoint(origin=self.keys.name, size=edge.size, root=edge.root())), edge

    async def _append(self, connection: asyncpg.Connection, edge: Frontier, rows: list[asyncpg.Record]) -> None:
        lost = [row["queued_id"] for row in rows if row["audit_id"] is None]
        if lost:
            raise altered(self.keys.name, f"audit row {lost[0]} waits to be sealed and is not there")
        hashes = hashes_of(map(row_of, rows))
        await connection.execute(_LEAVES, edge.size, [row["audit_id"] for row in rows], hashes)
        edge.extend(hashes)

    async def _known(self, connection: asyncpg.Connection) -> Frontier:
        """Return the edge of what is there: as left by the last pass, or read anew. Raises AUDIT_ALTERED."""
        size = await connection.fetchval(_SIZE)
        if self._edge is not None and self._edge.size == size:
            return self._edge.copy()
        newest = await connection.fetchrow(_NEWEST)
        edge = Frontier() if newest is None else self._checked(newest)
        signed = edge.size
        if size < signed:
            raise altered(self.keys.name, f"{signed} leaves were signed, and {size} are there")
        await _read_on(connection, edge, size, origin=self.keys.name)
        self._signed = signed
        return edge

    def _checked(self, row: asyncpg.Record) -> Frontier:
        try:
            edge = Frontier.from_bytes(row["tree_size"], row["frontier"])
            found = checkpoint_of(row["note"], self.keys.trusted)
        except (ValueError, AlphintraError) as error:
            raise altered(self.keys.name, f"the checkpoint of {row['tree_size']} leaves is not ours") from error
        if (found.origin, found.size, found.root) != (self.keys.name, edge.size, edge.root()):
            raise altered(self.keys.name, f"the checkpoint of {edge.size} leaves is another one's")
        return edge


async def edge_at(connection: asyncpg.Connection, size: int, *, origin: str) -> Frontier:
    """Return the edge of the first leaves, read from them all. Raises AUDIT_ALTERED."""
    edge = Frontier()
    await _read_on(connection, edge, size, origin=origin)
    return edge


def altered(origin: str, what: str) -> AlphintraError:
    """Return the error for a log that is not what it was."""
    message = f"{origin}: {what}; nothing more is sealed: see `alphintra audit verify`"
    return AlphintraError("AUDIT_ALTERED", message, kind=Kind.CONFLICT)


async def _read_on(connection: asyncpg.Connection, edge: Frontier, size: int, *, origin: str) -> None:
    while edge.size < size:
        end = min(edge.size + _READ, size)
        rows = await connection.fetch(_HASHES, edge.size, end)
        if len(rows) != end - edge.size:
            raise altered(origin, f"of leaves {edge.size} to {end - 1} only {len(rows)} are there")
        edge.extend(row["leaf_hash"] for row in rows)
