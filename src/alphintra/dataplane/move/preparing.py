"""The target before the copy: roles, database, schema and tables as declared, the same parts, nobody who may write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alphintra.dataplane.apply import apply
from alphintra.dataplane.migrations import migrate
from alphintra.dataplane.move.fence import fence_statements
from alphintra.dataplane.move.streams import publish
from alphintra.dataplane.quoting import identifier, qualified
from alphintra.dataplane.schema import read_schema
from alphintra.dataplane.server import admin_connection
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.move.sides import Move, Side
    from alphintra.dataplane.server import Passwords

__all__ = ["clear_side", "is_there", "prepare_target", "require_same_schema"]

_PARTS: Final = """
    select p.relname::text as root, c.relname::text as name, pg_get_expr(c.relpartbound, c.oid) as bound
    from pg_class c join pg_inherits i on i.inhrelid = c.oid join pg_class p on p.oid = i.inhparent
    where c.relnamespace = $1::regnamespace and c.relispartition order by 1, 2
"""
_SHOWN: Final = 3


async def prepare_target(move: Move, *, layout: Sequence[Placement], passwords: Passwords) -> None:
    """Make the target ready to be copied to, and publish the source. Safe to repeat until the copy is whole.

    ``layout`` is where all services are now. Raises what `apply` and `migrate` raise.
    """
    both = (*layout, move.target.placement)
    await clear_side(move.target, is_schema_only=True, layout=layout)
    await apply(move.target.server, layout=both, passwords=passwords)
    migrator = move.target.placement.migrator_role
    await migrate(move.target.server, placement=move.target.placement, password=passwords(migrator))
    async with move.source.administrator() as source, move.target.administrator() as target:
        await _same_parts(source, target, move.target)
    await apply(move.target.server, layout=both, passwords=passwords)
    async with move.source.administrator() as source, move.target.administrator() as target:
        await target.execute(await fence_statements(target, move.target))
        await publish(source, move.forward, move.source.schema)
        await publish(target, move.back, move.target.schema)


async def require_same_schema(move: Move) -> None:
    """Raise MIGRATE_SCHEMA naming what differs, where somebody has changed the schema of one side meanwhile."""
    async with move.source.administrator() as source, move.target.administrator() as target:
        one = await read_schema(source, move.source.placement)
        other = await read_schema(target, move.target.placement)
        parts = [await source.fetch(_PARTS, identifier(move.source.schema))]
        parts.append(await target.fetch(_PARTS, identifier(move.target.schema)))
    odd = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    odd += sorted({row["name"] for row in parts[0]} ^ {row["name"] for row in parts[1]})
    if odd:
        shown = ", ".join(odd[:_SHOWN])
        message = f"the schemas of {move.service} differ by now ({shown}): undo by --rollback, then begin anew"
        raise AlphintraError("MIGRATE_SCHEMA", message, kind=Kind.CONFLICT)


async def clear_side(side: Side, *, layout: Sequence[Placement], is_schema_only: bool = False) -> None:
    """Remove a service's schema from a side it does not live on, and the database where nothing else lives in it."""
    there = [item for item in layout if (item.instance, item.database) == (side.server.instance, side.database)]
    if not await is_there(side):
        return
    async with admin_connection(side.server) as connection:
        if not there and not is_schema_only:
            await connection.execute(f"drop database {identifier(side.database)} with (force)")
            for role in (side.database, f"{side.database}_reporter"):
                await connection.execute(f"drop role if exists {identifier(role)}")
            return
    async with side.administrator() as connection:
        await connection.execute(
            f"set client_min_messages = error; drop schema if exists {identifier(side.schema)} cascade"
        )


async def is_there(side: Side) -> bool:
    """Tell whether the side's database exists."""
    async with admin_connection(side.server) as connection:
        found = await connection.fetchval("select 1 from pg_database where datname = $1", side.database)
    return found is not None


async def _same_parts(source: asyncpg.Connection, target: asyncpg.Connection, side: Side) -> None:
    """Cut the target's tables, which are empty, into the parts that the source's have."""
    wanted = {(row["root"], row["name"]): row["bound"] for row in await source.fetch(_PARTS, identifier(side.schema))}
    found = {(row["root"], row["name"]): row["bound"] for row in await target.fetch(_PARTS, identifier(side.schema))}
    odd = {root for root, name in wanted.keys() | found.keys() if wanted.get((root, name)) != found.get((root, name))}
    if not odd:
        return
    async with target.transaction():
        await target.execute(f"set local role {identifier(side.placement.owner_role)}")
        for root, name in found:
            if root in odd:
                await target.execute(f"drop table {qualified(side.schema, name)}")
        for (root, name), bound in wanted.items():
            if root in odd:
                part, whole = qualified(side.schema, name), qualified(side.schema, root)
                await target.execute(f"create table {part} partition of {whole} {bound}")
