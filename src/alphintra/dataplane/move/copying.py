"""The first copy: rows as of one instant, from which the stream goes on, by several workers, indexes last."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from alphintra.dataplane.move.indexes import drop_indexes, make_indexes
from alphintra.dataplane.move.streams import blocked
from alphintra.dataplane.quoting import identifier, literal, qualified
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from alphintra.dataplane.move.sides import Move, Side

__all__ = ["Copied", "Piece", "copy_rows", "pieces_of"]

_PIECE_PAGES: Final = 8192  # 64 MiB
_SLOT_WAIT_MS: Final = 20_000
_BUFFERED: Final = 16
_NO_END_S: Final = 7 * 86_400
_LEAVES: Final = """
    select c.relname as name, coalesce(r.relname, c.relname) as root, greatest(c.reltuples, 0)::bigint as rows,
        pg_relation_size(c.oid) / current_setting('block_size')::int as pages, pg_total_relation_size(c.oid) as bytes,
        (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
    from pg_class c left join pg_class r on r.oid = pg_partition_root(c.oid)
    where c.relnamespace = $1::regnamespace and c.relkind = 'r' order by bytes desc, name
"""
_HOLDER: Final = """
    select l.virtualtransaction from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'virtualxid' and l.granted and a.application_name = $1
"""
_TRIGGERS: Final = """
    select c.relname as table, t.tgname as name, t.tgenabled::text as state
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = $1::regnamespace and not t.tgisinternal and t.tgparentid = 0 order by 1, 2
"""
_ENABLED: Final = {"O": "enable", "A": "enable always", "R": "enable replica", "D": "disable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of pages of a table or a part of one; the last has no end.

    Attributes:
        table: what it is read from.
        root: what it is written to, the whole where the table is a part.
        columns: those that are stored, in order.
        first: first page.
        end: page after the last, None for the last piece.
        rows: estimate.
        bytes: estimate, with indexes.
    """

    table: str
    root: str
    columns: tuple[str, ...]
    first: int
    end: int | None
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """How far the copy is, in rows and bytes of the rows."""

    rows: int
    bytes: int


async def pieces_of(connection: asyncpg.Connection, schema: str) -> tuple[Piece, ...]:
    """Return what the tables of a schema are copied in, the largest first."""
    found: list[Piece] = []
    for row in await connection.fetch(_LEAVES, identifier(schema)):
        starts = range(0, max(row["pages"], 1), _PIECE_PAGES)
        for start in starts:
            end = start + _PIECE_PAGES
            found.append(
                Piece(
                    table=row["name"],
                    root=row["root"],
                    columns=tuple(row["columns"] or ()),
                    first=start,
                    end=end if end < row["pages"] else None,
                    rows=row["rows"] // len(starts),
                    bytes=row["bytes"] // len(starts),
                )
            )
    return tuple(found)


async def copy_rows(move: Move, *, workers: int, on_progress: Callable[[Copied], None]) -> Copied:
    """Make the forward slot and copy all rows as of its beginning to the target, whose tables are emptied before.

    Cut anywhere, the target has to be made anew before the next call.

    Raises MIGRATE_BLOCKED where a transaction keeps the slot from being made, TOPOLOGY_CONNECT.
    """
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(move.source.administrator())
        target = await stack.enter_async_context(move.target.administrator())
        await _empty(target, move.target)
        pieces = await pieces_of(source, move.source.schema)
        indexes = await drop_indexes(target, move.target.schema, sum(piece.bytes for piece in pieces))
        snapshot = await stack.enter_async_context(_slot_snapshot(move, source))
        fault_point("migrate.slot")
        done = await _copy_pieces(move, pieces, snapshot=snapshot, workers=workers, on_progress=on_progress)
        fault_point("migrate.filled")
        await make_indexes(move.target, indexes, workers=workers)
        await _same_triggers(source, target, move.source.schema)
        await target.execute(_analyze(move.target.schema, pieces), timeout=_NO_END_S)
    return done


async def _copy_pieces(
    move: Move, pieces: Sequence[Piece], *, snapshot: str, workers: int, on_progress: Callable[[Copied], None]
) -> Copied:
    waiting = deque(pieces)
    total = Copied(rows=0, bytes=0)

    async def work() -> None:
        nonlocal total
        async with move.source.administrator() as reads, move.target.administrator() as writes:
            await reads.execute(
                f"begin isolation level repeatable read read only; set transaction snapshot {literal(snapshot)}"
            )
            await writes.execute("set session_replication_role = replica")
            while waiting:
                rows, size = await _copy_piece(reads, writes, waiting.popleft(), schema=move.source.schema)
                total = Copied(rows=total.rows + rows, bytes=total.bytes + size)
                on_progress(total)
            await reads.execute("commit")

    async with asyncio.TaskGroup() as group:
        for _ in range(min(workers, len(pieces)) or 1):
            group.create_task(work())
    return total


async def _copy_piece(
    reads: asyncpg.Connection, writes: asyncpg.Connection, piece: Piece, *, schema: str
) -> tuple[int, int]:
    """Copy one piece; return its rows and the bytes of them."""
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=_BUFFERED)
    size = 0

    async def put(data: bytes) -> None:
        nonlocal size
        size += len(data)
        await chunks.put(bytes(data))

    async def arriving() -> AsyncIterator[bytes]:
        while (data := await chunks.get()) is not None:
            yield data

    async def read() -> str:
        columns = ", ".join(identifier(name) for name in piece.columns)
        pages = f"ctid >= '({piece.first},0)'" + (f" and ctid < '({piece.end},0)'" if piece.end is not None else "")
        query = f"select {columns} from only {qualified(schema, piece.table)} where {pages}"  # noqa: S608 - quoted
        status: str = await reads.copy_from_query(query, output=put, format="binary", timeout=_NO_END_S)
        await chunks.put(None)
        return status

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read())
        group.create_task(
            writes.copy_to_table(
                piece.root,
                schema_name=schema,
                columns=piece.columns,
                source=arriving(),
                format="binary",
                timeout=_NO_END_S,
            )
        )
    return int(reading.result().rsplit(" ", 1)[-1]), size


@asynccontextmanager
async def _slot_snapshot(move: Move, source: asyncpg.Connection) -> AsyncIterator[str]:
    """Make the forward slot and lend the name of the snapshot it begins with."""
    name = move.forward
    settings = {"replication": "database", "application_name": name, "statement_timeout": str(_SLOT_WAIT_MS)}
    walsender = await asyncpg.connect(
        move.source.server.admin_url, database=move.source.database, server_settings=settings
    )
    try:
        try:
            await walsender.execute(
                f"CREATE_REPLICATION_SLOT {identifier(name)} LOGICAL pgoutput (SNAPSHOT 'export')",
                timeout=2 * _SLOT_WAIT_MS / 1000,
            )
        except (asyncpg.QueryCanceledError, TimeoutError) as error:
            raise await blocked(source) from error
        # The driver drops what the command answers. A snapshot is named after the transaction that exports it.
        holder = await source.fetchval(_HOLDER, name)
        if holder is None:
            raise AlphintraError("MIGRATE_SNAPSHOT", f"the snapshot of {name} is gone: try again", kind=Kind.CONFLICT)
        process, transaction = map(int, holder.split("/"))
        yield f"{process:08X}-{transaction:08X}-1"
    finally:
        walsender.terminate()


async def _empty(connection: asyncpg.Connection, side: Side) -> None:
    """Take out what the migrations, or a copy that was cut, left; no trigger may fire meanwhile."""
    schema = identifier(side.schema)
    roots: Sequence[Any] = await connection.fetch(
        "select relname from pg_class where relnamespace = $1::regnamespace "
        "and relkind in ('r', 'p') and not relispartition",
        schema,
    )
    names = [qualified(side.schema, row["relname"]) for row in roots]
    async with connection.transaction():
        for name in names:
            await connection.execute(f"alter table {name} disable trigger user")
        await connection.execute(f"truncate {', '.join(names)}")


async def _same_triggers(source: asyncpg.Connection, target: asyncpg.Connection, schema: str) -> None:
    async with target.transaction():
        for row in await source.fetch(_TRIGGERS, identifier(schema)):
            await target.execute(
                f"alter table {qualified(schema, row['table'])} {_ENABLED[row['state']]} trigger "
                f"{identifier(row['name'])}"
            )


def _analyze(schema: str, pieces: Sequence[Piece]) -> str:
    return "analyze " + ", ".join(dict.fromkeys(qualified(schema, piece.root) for piece in pieces))
