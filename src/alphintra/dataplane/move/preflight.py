"""What is looked at before anything is changed: whether a move can succeed, and what it will copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.move.sides import MARKER_SCHEMA
from alphintra.dataplane.quoting import identifier, qualified
from alphintra.dataplane.schema import require_schemas
from alphintra.dataplane.server import admin_connection
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import service_tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from alphintra.dataplane.move.sides import Move, Side

__all__ = ["TableSize", "check", "check_in_place", "needed_bytes"]

_SPARE_SPACE: Final = 1.5
_COUNTED_BYTES: Final = 64 * 1024 * 1024
_COUNT_S: Final = 3600.0
_LEAVES: Final = """
    select c.relname as name, coalesce(r.relname, c.relname) as root, c.reltuples::bigint as rows,
        pg_total_relation_size(c.oid) as bytes
    from pg_class c left join pg_class r on r.oid = pg_partition_root(c.oid)
    where c.relnamespace = $1::regnamespace and c.relkind = 'r'
"""
_NO_IDENTITY: Final = """
    select string_agg(c.relname, ', ' order by c.relname) from pg_class c
    where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and case c.relreplident
        when 'f' then false
        when 'd' then not exists (select from pg_index x where x.indrelid = c.oid and x.indisprimary)
        when 'i' then not exists (select from pg_index x where x.indrelid = c.oid and x.indisreplident)
        else true end
"""
_ODD: Final = """
    select string_agg(format('%s %s', case when relpersistence = 'u' then 'unlogged table' when relkind = 'm' then
        'materialized view' else 'foreign table' end, relname), ', ' order by relname)
    from pg_class where relnamespace = $1::regnamespace
        and (relkind in ('m', 'f') or (relkind in ('r', 'p') and relpersistence = 'u'))
"""
_IS_FILLED: Final = """
    select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1)
"""
_FREE: Final = """
    select current_setting('max_replication_slots')::int - (select count(*) from pg_replication_slots) as slots,
        current_setting('max_wal_senders')::int - (select count(*) from pg_stat_replication) as senders,
        current_setting('max_logical_replication_workers')::int
            - (select count(*) from pg_subscription where subenabled) as workers,
        current_setting('wal_level') as wal_level,
        (select string_agg(format('%s in %s', gid, database), ', ') from pg_prepared_xacts) as prepared
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """One table, parts included.

    Attributes:
        table: name.
        rows: counted where that is quick or PostgreSQL has no idea, else as it estimates them.
        bytes: with indexes.
        is_exact: whether all rows were counted.
    """

    table: str
    rows: int
    bytes: int
    is_exact: bool = True


async def check(
    move: Move, *, together: int = 1, is_new: bool = False, space_bytes: int | None = None
) -> tuple[TableSize, ...]:
    """Raise if the move cannot succeed, having changed nothing; return what it will copy.

    Args:
        move: what is to be moved.
        together: services that keep their ways back at a time.
        is_new: whether the target's server is still to be made: there is nothing to look at, then.
        space_bytes: what the target's disk has left, where that is known.

    Raises TOPOLOGY_CONNECT, PG_VERSION, MIGRATE_VERSION, MIGRATE_RIGHTS, MIGRATE_WAL_LEVEL, MIGRATE_CAPACITY,
    MIGRATE_PREPARED, MIGRATE_TARGET, SCHEMA_DRIFT, MIGRATE_IDENTITY, MIGRATE_UNSUPPORTED, SPACE.
    """
    async with move.source.administrator() as source:
        if is_new:
            await _require_server(move.source, source, _needs(move, together)[0])
        else:
            await _require_target(move, source, together)
        await _require_movable(move, source)
        sizes = await _sizes(source, move.source.schema)
    await require_schemas(move.source.server, layout=(move.source.placement,))
    needed = needed_bytes(sizes)
    if space_bytes is not None and space_bytes < needed:
        message = f"{move.service} needs {needed} bytes at {move.target.label}, {space_bytes} are free: free some"
        raise AlphintraError("SPACE", message, kind=Kind.UNAVAILABLE)
    return sizes


async def check_in_place(move: Move) -> tuple[TableSize, ...]:
    """Raise if the service's tables cannot change their schema and owner where they are; return what they hold.

    Raises TOPOLOGY_CONNECT, MIGRATE_RIGHTS, MIGRATE_TARGET, SCHEMA_DRIFT.
    """
    place = move.source.placement
    await require_schemas(move.source.server, layout=(place,))
    async with move.source.administrator() as connection:
        if await connection.fetchval("select current_setting('is_superuser')") != "on":
            message = f"changing owners needs a superuser on instance {move.source.server.instance}: set its URL to one"
            raise AlphintraError("MIGRATE_RIGHTS", message, kind=Kind.FORBIDDEN)
        coming = move.target.placement.merged_schema
        if coming and await connection.fetchval(_IS_FILLED, coming):
            message = f"{move.source.label} already holds {coming}: drop that schema, if nobody needs it"
            raise AlphintraError("MIGRATE_TARGET", message, kind=Kind.CONFLICT)
        if not place.merged_schema:
            return await _sizes(connection, place.schema)
        names = {place.location(table.name)[1] for table in service_tables(place.spec)}
        return tuple(size for size in await _sizes(connection, place.merged_schema) if size.table in names)


def needed_bytes(tables: Iterable[TableSize]) -> int:
    """Return what a service needs at its target's disk: log and sorting come on top of its tables."""
    return int(sum(table.bytes for table in tables) * _SPARE_SPACE)


async def _sizes(connection: asyncpg.Connection, schema: str) -> tuple[TableSize, ...]:
    found: dict[str, TableSize] = {}
    for row in await connection.fetch(_LEAVES, identifier(schema)):
        is_exact = row["rows"] < 0 or row["bytes"] <= _COUNTED_BYTES
        rows = row["rows"]
        if is_exact:
            part = qualified(schema, row["name"])
            rows = await connection.fetchval(f"select count(*) from only {part}", timeout=_COUNT_S)  # noqa: S608 - quoted
        before = found.get(row["root"], TableSize(table=row["root"], rows=0, bytes=0))
        found[row["root"]] = TableSize(
            table=row["root"],
            rows=before.rows + rows,
            bytes=before.bytes + row["bytes"],
            is_exact=before.is_exact and is_exact,
        )
    return tuple(sorted(found.values(), key=lambda size: (-size.bytes, size.table)))


def _needs(move: Move, together: int) -> tuple[dict[str, int], dict[str, int]]:
    """Return what a move takes at its source and at its target: the way forth of one service, the ways back of all."""
    source = {"slots": 1, "senders": 2, "workers": together}
    target = {"slots": together, "senders": together, "workers": 1}
    if move.source.server.instance == move.target.server.instance:
        # The way forth of each service has gone when its way back begins.
        both = {"slots": together + 1, "senders": together + 2, "workers": together}
        return both, both
    return source, target


async def _require_target(move: Move, source: asyncpg.Connection, together: int) -> None:
    async with admin_connection(move.target.server) as target:
        _require_version(move, source, target)
        needs = _needs(move, together)
        for side, connection, needed in ((move.source, source, needs[0]), (move.target, target, needs[1])):
            await _require_server(side, connection, needed)
        await _require_empty(move, target)


def _require_version(move: Move, source: asyncpg.Connection, target: asyncpg.Connection) -> None:
    old, new = source.get_server_version().major, target.get_server_version().major
    if new < old:
        message = (
            f"{move.target.server.instance} is PostgreSQL {new}, {move.service} lies on PostgreSQL {old}: "
            "move to the same version or a newer one"
        )
        raise AlphintraError("MIGRATE_VERSION", message)


async def _require_server(side: Side, connection: asyncpg.Connection, needs: dict[str, int]) -> None:
    where = f"instance {side.server.instance}"
    # Asked first, and not of a table: nobody else may read the rest where the catalogue is closed.
    if await connection.fetchval("select current_setting('is_superuser')") != "on":
        message = f"moving needs a superuser on {where}, {side.server.admin_label} is none: set its URL to one"
        raise AlphintraError("MIGRATE_RIGHTS", message, kind=Kind.FORBIDDEN)
    found = await connection.fetchrow(_FREE)
    if found["wal_level"] != "logical":
        message = f"wal_level on {where} is {found['wal_level']}: set it to logical and restart that server"
        raise AlphintraError("MIGRATE_WAL_LEVEL", message)
    for what, needed in needs.items():
        if found[what] < needed:
            message = (
                f"{where} has {found[what]} replication {what} free, the move takes {needed}: move fewer services at "
                "a time, or raise the setting and restart that server"
            )
            raise AlphintraError("MIGRATE_CAPACITY", message, kind=Kind.UNAVAILABLE)
    if found["prepared"]:
        message = f"{where} has prepared transactions, which hold up every slot: end {found['prepared']}"
        raise AlphintraError("MIGRATE_PREPARED", message, kind=Kind.CONFLICT)


async def _require_empty(move: Move, target: asyncpg.Connection) -> None:
    known = "select 1 from pg_database where datname = $1"
    if await target.fetchval(known, move.target.database) is None:
        return
    async with move.target.administrator() as connection:
        held = await connection.fetchval(
            "select string_agg(c.relname, ', ') from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')",
            move.target.schema,
        )
    if held:
        message = (
            f"{move.target.label} already holds {move.target.schema} ({held[:80]}): "
            "drop that schema, if nobody needs it, or choose another place"
        )
        raise AlphintraError("MIGRATE_TARGET", message, kind=Kind.CONFLICT)


async def _require_movable(move: Move, source: asyncpg.Connection) -> None:
    schema = identifier(move.source.schema)
    if bare := await source.fetchval(_NO_IDENTITY, schema):
        message = f"{bare} of {move.service} has no primary key, so changes of its rows cannot be followed: add one"
        raise AlphintraError("MIGRATE_IDENTITY", message)
    if odd := await source.fetchval(_ODD, schema):
        message = f"{odd} of {move.service} does not travel with a stream of changes: remove it, or make it a table"
        raise AlphintraError("MIGRATE_UNSUPPORTED", message)
    if await source.fetchval("select 1 from pg_namespace where nspname = $1", MARKER_SCHEMA) is not None:
        names = await source.fetchval(
            "select string_agg(pubname, ', ') from pg_publication where pubname like $1", f"am\\_{move.service}\\_%"
        )
        if names:
            message = f"an earlier move of {move.service} left {names}: drop the publication and its slot first"
            raise AlphintraError("MIGRATE_OPEN", message, kind=Kind.CONFLICT)
