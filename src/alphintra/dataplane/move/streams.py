"""The stream of changes between the sides: publications, slots, subscriptions and how far they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.move.sides import MARKER_SCHEMA
from alphintra.dataplane.quoting import identifier, literal
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "applied",
    "create_slot",
    "drop_publication",
    "drop_slot",
    "drop_subscription",
    "lag_bytes",
    "mark",
    "move_up",
    "note_beginning",
    "publish",
    "require_published",
    "subscribe",
    "wait_until_close",
]

_SLOT_WAIT_S: Final = 20
_POLL_S: Final = 0.001
_CATCH_UP_POLL_S: Final = 0.05
_CLOSE_BYTES: Final = 262_144
_ORIGIN_VERSION: Final = 160000
_FROM: Final = " from"  # after a slot's name: not published, and no name of a stream
_MARKER: Final = f'"{MARKER_SCHEMA}".marker'
_BLOCKERS: Final = """
    select string_agg(what, '; ') from (
        select format('prepared transaction %s in %s', gid, database) as what from pg_prepared_xacts
        union all
        select format('process %s of %s in %s, writing since %s', pid, usename, datname, xact_start)
        from pg_stat_activity where backend_xid is not null and xact_start < now() - interval '2 seconds'
    ) as found
"""
_ERRORS: Final = "select apply_error_count from pg_stat_subscription_stats where subname = $1"
_ERRORS_MAX: Final = 3  # a lost connection counts as one; a change that cannot be applied is tried again and again
_FAR: Final = """
    select pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint as behind, active,
        wal_status = 'lost' as is_lost
    from pg_replication_slots where slot_name = $1
"""


async def publish(connection: asyncpg.Connection, name: str, schema: str) -> None:
    """Publish a schema and this move's own marks, of whose arrival all earlier changes' arrival is known.

    Made anew where it is there: with a schema that was dropped since, what it published of it has gone too.
    """
    await connection.execute(
        f'create schema if not exists "{MARKER_SCHEMA}"; create table if not exists {_MARKER} '
        "(move text not null, epoch bigint not null, constraint marker_pkey primary key (move, epoch))"
    )
    await connection.execute(
        f"set client_min_messages = error; drop publication if exists {identifier(name)}; "
        f"create publication {identifier(name)} for tables in schema {identifier(schema)}, "
        f"table {_MARKER} where (move = {literal(name)}) with (publish_via_partition_root = true)"
    )


async def require_published(connection: asyncpg.Connection, name: str, schema: str) -> None:
    """Raise MIGRATE_STREAM where a publication lacks its schema: changes would be lost, while marks still arrive."""
    held = await connection.fetchval(
        "select exists (select from pg_publication p join pg_publication_namespace n on n.pnpubid = p.oid "
        "where p.pubname = $1 and n.pnnspid = $2::regnamespace)",
        name,
        identifier(schema),
    )
    if not held:
        message = f"the publication {name} lacks {schema}, so that changes would be lost: nothing was switched"
        raise AlphintraError("MIGRATE_STREAM", message, kind=Kind.CONFLICT)


async def create_slot(connection: asyncpg.Connection, name: str) -> None:
    """Create a slot for later, if it is not there. Raises MIGRATE_BLOCKED naming who keeps it from being made.

    A slot waits for every transaction that writes, in any database of the server.
    """
    if await connection.fetchval("select 1 from pg_replication_slots where slot_name = $1", name) is not None:
        return
    try:
        await connection.execute(
            f"set statement_timeout = '{_SLOT_WAIT_S}s'; "
            f"select pg_create_logical_replication_slot({literal(name)}, 'pgoutput')"
        )
    except asyncpg.QueryCanceledError as error:
        await connection.execute("set statement_timeout = 0")
        raise await blocked(connection) from error
    await connection.execute("set statement_timeout = 0")


async def blocked(connection: asyncpg.Connection) -> AlphintraError:
    """Return the error that names who holds up a slot."""
    who = await connection.fetchval(_BLOCKERS) or "a transaction that has ended meanwhile"
    message = f"a replication slot waited {_SLOT_WAIT_S} s for {who}: end it, then run the command again"
    return AlphintraError("MIGRATE_BLOCKED", message, kind=Kind.CONFLICT)


async def subscribe(connection: asyncpg.Connection, name: str, *, words: str, origin_version: int) -> None:
    """Follow a publication through the slot of the same name, which is there; copies nothing.

    ``words`` is the connection string, ``origin_version`` that of the server it leads to.
    """
    if await connection.fetchval("select 1 from pg_subscription where subname = $1", name) is None:
        # Not disable_on_error: a server that crashes and comes back is an error too, and nobody would enable it again.
        options = "create_slot = false, copy_data = false, enabled = false, streaming = on"
        if min(origin_version, _version(connection)) >= _ORIGIN_VERSION:
            options += ", origin = none"
        quoted = identifier(name)
        await connection.execute(
            f"create subscription {quoted} connection {literal(words)} publication {quoted} "
            f"with ({options}, slot_name = {literal(name)})"
        )
    await connection.execute(f"alter subscription {identifier(name)} enable")


async def drop_subscription(connection: asyncpg.Connection, name: str) -> None:
    """Stop following and forget it; the slot at the other side stays."""
    if await connection.fetchval("select 1 from pg_subscription where subname = $1", name) is None:
        return
    quoted = identifier(name)
    await connection.execute(f"alter subscription {quoted} disable")
    await connection.execute(f"alter subscription {quoted} set (slot_name = none)")
    await connection.execute(f"drop subscription {quoted}")


async def drop_slot(connection: asyncpg.Connection, name: str) -> None:
    """Drop a slot if it is there, ending who still reads it."""
    for _ in range(100):
        row = await connection.fetchrow("select active_pid from pg_replication_slots where slot_name = $1", name)
        if row is None:
            return
        if row["active_pid"] is not None:
            await connection.execute(f"select pg_terminate_backend({row['active_pid']})")
        try:
            await connection.execute(f"select pg_drop_replication_slot({literal(name)})")
        except (asyncpg.ObjectInUseError, asyncpg.UndefinedObjectError):
            await asyncio.sleep(_CATCH_UP_POLL_S)


async def drop_publication(connection: asyncpg.Connection, name: str) -> None:
    """Publish no more, and drop the marks with the last move that used them."""
    await connection.execute(f"drop publication if exists {identifier(name)}")
    marker = await connection.fetchval("select to_regclass($1)::oid", _MARKER)
    if marker is not None and not await connection.fetchval(
        "select exists (select from pg_publication_rel where prrelid = $1)", marker
    ):
        await connection.execute(f'drop schema if exists "{MARKER_SCHEMA}" cascade')


async def lag_bytes(source: asyncpg.Connection, target: asyncpg.Connection, name: str) -> int | None:
    """Return how much of the log is still to be applied; None while the stream does not run.

    Raises MIGRATE_STREAM where somebody has stopped it, MIGRATE_SLOT_LOST where the log it needs is gone.
    """
    enabled = await target.fetchval("select subenabled from pg_subscription where subname = $1", name)
    if enabled is False:
        message = f"somebody has disabled the subscription {name}: enable it and use --resume, or undo by --rollback"
        raise AlphintraError("MIGRATE_STREAM", message, kind=Kind.CONFLICT)
    row = await source.fetchrow(_FAR, name)
    if row is None or row["is_lost"]:
        message = f"the log that {name} still needs is gone: undo by --rollback and begin anew"
        raise AlphintraError("MIGRATE_SLOT_LOST", message, kind=Kind.CONFLICT)
    return int(row["behind"]) if row["active"] else None


async def wait_until_close(
    source: asyncpg.Connection,
    target: asyncpg.Connection,
    name: str,
    *,
    wait_s: float,
    on_lag: Callable[[int | None], None],
) -> None:
    """Return when the stream runs and is a moment behind.

    Raises MIGRATE_LAG if that does not come about in time, MIGRATE_STREAM where a change cannot be applied.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    errors = await target.fetchval(_ERRORS, name) or 0
    while True:
        if (await target.fetchval(_ERRORS, name) or 0) - errors >= _ERRORS_MAX:
            message = f"the server cannot apply a change of {name}: its log names it; undo by --rollback"
            raise AlphintraError("MIGRATE_STREAM", message, kind=Kind.CONFLICT)
        behind = await lag_bytes(source, target, name)
        on_lag(behind)
        if behind is not None and behind < _CLOSE_BYTES:
            return
        if loop.time() > deadline:
            far = "does not run" if behind is None else f"is {behind} bytes behind"
            message = f"after {wait_s:g} s the stream {name} {far}: lessen the load and use --resume, or --rollback"
            raise AlphintraError("MIGRATE_LAG", message, kind=Kind.UNAVAILABLE)
        await asyncio.sleep(_CATCH_UP_POLL_S)


async def mark(connection: asyncpg.Connection, name: str) -> int:
    """Write a mark into the stream and return its number."""
    number = await connection.fetchval(
        f"insert into {_MARKER} (move, epoch) select $1, coalesce(max(epoch), 0) + 1 "  # noqa: S608 - a constant
        f"from {_MARKER} where move = $1 returning epoch",
        name,
    )
    return int(number)


async def note_beginning(connection: asyncpg.Connection, name: str) -> None:
    """Note durably where the log of a side is, from which on it is written to by the service.

    The commit makes durable with it all that was applied until now, which replication leaves to a later moment.
    """
    await connection.execute(
        f"set synchronous_commit = on; insert into {_MARKER} (move, epoch) "  # noqa: S608 - quoted
        f"values ({literal(name + _FROM)}, (pg_current_wal_insert_lsn() - '0/0')::bigint) on conflict do nothing"
    )


async def move_up(connection: asyncpg.Connection, slot: str) -> None:
    """Let a parked slot begin at what `note_beginning` noted last: what is before it must not come back.

    To be repeated before the slot is used: a crash forgets it.
    """
    noted = f"select '0/0'::pg_lsn + max(epoch) from {_MARKER} where move = $1"  # noqa: S608 - a constant
    await connection.execute(
        "select pg_replication_slot_advance(slot_name, $2) from pg_replication_slots "
        "where slot_name = $1 and not active and confirmed_flush_lsn < $2",
        slot,
        await connection.fetchval(noted, slot + _FROM),
    )


async def applied(connection: asyncpg.Connection, name: str, number: int, *, wait_s: float) -> bool:
    """Wait until a mark has arrived, and with it all that was committed before; False if it does not in time."""
    deadline = asyncio.get_running_loop().time() + wait_s
    found = f"select 1 from {_MARKER} where move = $1 and epoch = $2"  # noqa: S608 - a constant
    while await connection.fetchval(found, name, number) is None:
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True


def _version(connection: asyncpg.Connection) -> int:
    return int(connection.get_server_version().major) * 10000
