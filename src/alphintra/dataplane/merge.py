"""The rows of all services in one schema, for ``consolidated``: tables are moved there, names are kept by views.

A table whose name no other service has moves as it is. One that every service has (the common ones) is prefixed with
its service's name, as `layouts.merge_rule` tells, and a view of the old name stays in the service's own schema, which
stands first in its search path: no statement of a service changes. Migrations speak of tables and not of views, so
tables go back for as long as they run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alphintra.dataplane.quoting import identifier, qualified
from alphintra.manifest import service_tables

if TYPE_CHECKING:
    import asyncpg

    from alphintra.dataplane.layouts import Placement

__all__ = ["follow_search_path", "merge_tables", "split_tables"]

_KIND: Final = """
    select c.relkind::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = $2
"""

# Names that live in the schema beside the table: its indexes (and so its keys) and the sequences of its columns.
_COMPANIONS: Final = """
    select c.relname, case c.relkind when 'S' then 'SEQUENCE' else 'INDEX' end as kind
    from pg_class t
    join pg_namespace n on n.oid = t.relnamespace
    join pg_class c on c.oid in (
        select indexrelid from pg_index where indrelid = t.oid
        union all
        select objid from pg_depend where refobjid = t.oid and classid = 'pg_class'::regclass and deptype in ('a', 'i')
    )
    where n.nspname = $1 and t.relname = $2 and c.relkind in ('i', 'I', 'S')
"""

_BOUND: Final = """
    select oid::regprocedure::text from pg_proc
    where pronamespace = $1::regnamespace and exists (select from unnest(proconfig) c where c like 'search_path=%')
    order by 1
"""

_PARTS: Final = """
    select c.relname
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid and c.relispartition
    join pg_class t on t.oid = i.inhparent
    join pg_namespace n on n.oid = t.relnamespace
    where n.nspname = $1 and t.relname = $2
"""


async def merge_tables(connection: asyncpg.Connection, placement: Placement) -> None:
    """Move a service's tables into the merged schema, as far as they are not there.

    The connection is the migrator's, in the role of the owner.
    """
    if not placement.merged_schema:
        return
    async with connection.transaction():
        for table in service_tables(placement.spec):
            schema, name = placement.location(table.name)
            if await connection.fetchval(_KIND, placement.schema, table.name) in {"r", "p"}:
                await _move(connection, table.name, name, origin=placement.schema, target=schema)
            if name != table.name and await connection.fetchval(_KIND, schema, name) is not None:
                view = qualified(placement.schema, table.name)
                base = qualified(schema, name)
                await connection.execute(f"create or replace view {view} as select * from {base}")  # noqa: S608 - quoted


async def split_tables(connection: asyncpg.Connection, placement: Placement) -> None:
    """Move a service's tables back into its own schema, as far as they are not there.

    The connection is the migrator's, in the role of the owner.
    """
    if not placement.merged_schema:
        return
    async with connection.transaction():
        for table in service_tables(placement.spec):
            schema, name = placement.location(table.name)
            if await connection.fetchval(_KIND, placement.schema, table.name) == "v":
                await connection.execute(f"drop view {qualified(placement.schema, table.name)}")
            if await connection.fetchval(_KIND, schema, name) in {"r", "p"}:
                await _move(connection, name, table.name, origin=schema, target=placement.schema)


async def follow_search_path(connection: asyncpg.Connection, placement: Placement) -> None:
    """Let a service's functions look names up where the service does: each keeps the search path it was made under."""
    path = ", ".join(identifier(name) for name in placement.search_path)
    async with connection.transaction():
        for row in await connection.fetch(_BOUND, identifier(placement.schema)):
            await connection.execute(f"alter routine {row[0]} set search_path to {path}")


async def _move(connection: asyncpg.Connection, old: str, new: str, *, origin: str, target: str) -> None:
    """Rename a table with what bears its name, and set its schema and its parts'; one of the two may be as it was."""
    if old != new:
        for row in await connection.fetch(_COMPANIONS, origin, old):
            renamed = row["relname"].replace(old, new, 1)
            companion = qualified(origin, row["relname"])
            await connection.execute(f"alter {row['kind']} {companion} rename to {identifier(renamed)}")
        await connection.execute(f"alter table {qualified(origin, old)} rename to {identifier(new)}")
    for row in await connection.fetch(_PARTS, origin, new):
        await connection.execute(f"alter table {qualified(origin, row['relname'])} set schema {identifier(target)}")
    await connection.execute(f"alter table {qualified(origin, new)} set schema {identifier(target)}")
