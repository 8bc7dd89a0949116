"""A database made that of another layout where it is: tables change their schema, name and owner, no row is copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alphintra.dataplane.apply import apply
from alphintra.dataplane.failures import explained
from alphintra.dataplane.merge import follow_search_path, merge_tables, split_tables
from alphintra.dataplane.quoting import identifier, qualified
from alphintra.dataplane.server import admin_connection
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import service_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Passwords, Server

__all__ = ["drop_roles", "files_of", "require_same_tables", "reshape"]

_LEAVES: Final = """
    select c.oid::bigint, coalesce(pg_relation_filenode(c.oid), 0)::bigint
    from pg_partition_tree(to_regclass($1)) t join pg_class c on c.oid = t.relid
    union all
    select c.oid::bigint, pg_relation_filenode(c.oid)::bigint from pg_class c
    where c.oid = to_regclass($1) and c.relkind = 'r' and not c.relispartition order by 1
"""


async def reshape(server: Server, *, old: Iterable[Placement], new: Sequence[Placement], passwords: Passwords) -> None:
    """Make the database of the old places that of the new ones; as far as it is not, so it can be repeated.

    Raises MIGRATE_FAILED, APPLY_FAILED.
    """
    with explained("MIGRATE_FAILED", lambda reason: f"reshaping broke off ({reason}): use --resume, or --rollback"):
        async with admin_connection(server, database=new[0].database) as connection:
            for place in old:
                await split_tables(connection, place)
            for schema in {place.merged_schema for place in old if place.merged_schema}:
                await connection.execute(f"drop schema if exists {identifier(schema)}")
            for place in new:
                await follow_search_path(connection, place)
        await apply(server, layout=new, passwords=passwords)
        if any(place.merged_schema for place in new):
            async with admin_connection(server, database=new[0].database) as connection:
                for place in new:
                    await merge_tables(connection, place)
            await apply(server, layout=new, passwords=passwords)


async def files_of(server: Server, places: Iterable[Placement]) -> dict[str, tuple[int, ...]]:
    """Return which relation and file each table is, by service and name: the same ones hold the same rows."""
    found: dict[str, tuple[int, ...]] = {}
    with explained("MIGRATE_FAILED", lambda reason: f"looking at the tables broke off ({reason})"):
        for place in places:
            async with admin_connection(server, database=place.database) as connection:
                for table in service_tables(place.spec):
                    rows = await connection.fetch(_LEAVES, qualified(*place.location(table.name)))
                    found[f"{place.service}.{table.name}"] = tuple(number for row in rows for number in row)
    return found


def require_same_tables(before: Mapping[str, tuple[int, ...]], after: Mapping[str, tuple[int, ...]]) -> None:
    """Raise MIGRATE_DIFFERS where a table is not the one it was."""
    if odd := sorted(name for name in before if before[name] != after.get(name) or not before[name]):
        message = f"{', '.join(odd)} are not the tables they were: the services stay where they are"
        raise AlphintraError("MIGRATE_DIFFERS", message, kind=Kind.CONFLICT)


async def drop_roles(server: Server, roles: Iterable[str], *, database: str, heir: str) -> None:
    """Remove roles and what they were granted; what somebody made in their name goes to the heir."""
    with explained("MIGRATE_FAILED", lambda reason: f"clearing up broke off ({reason}): use the command again"):
        async with admin_connection(server, database=database) as connection:
            found = await connection.fetch(
                "select quote_ident(rolname) from pg_roles where rolname = any($1) order by 1", list(roles)
            )
            for (role,) in found:
                await connection.execute(
                    f"reassign owned by {role} to {identifier(heir)}; drop owned by {role}; drop role {role}"
                )
