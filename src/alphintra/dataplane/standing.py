"""How databases stand, as PostgreSQL itself tells an administrator: sizes, connections, queues, rights. Reads only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from alphintra.dataplane.failures import explained
from alphintra.dataplane.layouts import placements_of
from alphintra.dataplane.migrations import migrations_of
from alphintra.dataplane.quoting import qualified
from alphintra.dataplane.server import admin_connection
from alphintra.manifest import service_tables

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    import asyncpg

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server

__all__ = [
    "AuditStanding",
    "DatabaseStanding",
    "InstanceStanding",
    "OutboxStanding",
    "TableSize",
    "find_audits",
    "find_databases",
    "find_grants",
    "find_instances",
    "find_outboxes",
]

T = TypeVar("T")
_TABLES_SHOWN: Final = 8

_INSTANCE: Final = """
    select current_setting('server_version') as version, pg_postmaster_start_time() as started_at,
        (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
        current_setting('max_connections')::int as connections_max
"""
_DATABASE: Final = """
    select pg_database_size(current_database()) as bytes,
        (select count(*) from pg_stat_activity where datname = current_database() and usename = any($1::text[]))
            as connections
"""
# A table that is cut into parts counts with all of them.
_SIZES: Final = """
    select n.nspname as schema, c.relname as name,
        coalesce(sum(pg_total_relation_size(p.relid)), 0)::bigint as bytes,
        coalesce(sum(s.n_live_tup), 0)::bigint as rows
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join lateral (
        select relid from pg_partition_tree(c.oid) where isleaf and c.relkind = 'p'
        union all
        select c.oid where c.relkind = 'r'
    ) p
    left join pg_stat_all_tables s on s.relid = p.relid
    where n.nspname = any($1::text[]) and c.relkind in ('r', 'p') and not c.relispartition
    group by n.nspname, c.relname
"""
_RIGHTS: Final = """
    select r.rolname as role, n.nspname as schema,
        has_database_privilege(r.oid, current_database(), 'CONNECT') as may_connect,
        has_schema_privilege(r.oid, n.oid, 'USAGE') as may_use, has_schema_privilege(r.oid, n.oid, 'CREATE') as may_make
    from pg_roles r cross join pg_namespace n
    where r.rolname = any($1::text[]) and n.nspname = any($2::text[])
"""
_TABLE_RIGHTS: Final = """
    select r.rolname as role, n.nspname as schema, c.relname as name, array_remove(array[
        case when has_table_privilege(r.oid, c.oid, 'SELECT') then 'SELECT'
            when has_any_column_privilege(r.oid, c.oid, 'SELECT') then 'SELECT of columns' end,
        case when has_table_privilege(r.oid, c.oid, 'INSERT') then 'INSERT'
            when has_any_column_privilege(r.oid, c.oid, 'INSERT') then 'INSERT of columns' end,
        case when has_table_privilege(r.oid, c.oid, 'UPDATE') then 'UPDATE'
            when has_any_column_privilege(r.oid, c.oid, 'UPDATE') then 'UPDATE of columns' end,
        case when has_table_privilege(r.oid, c.oid, 'DELETE') then 'DELETE' end,
        case when has_table_privilege(r.oid, c.oid, 'TRUNCATE') then 'TRUNCATE' end], null) as rights
    from pg_roles r cross join pg_class c join pg_namespace n on n.oid = c.relnamespace
    where r.rolname = any($1::text[]) and n.nspname = any($2::text[]) and c.relkind in ('r', 'p', 'v')
        and not c.relispartition
    order by c.relname
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceStanding:
    """One instance: how many connections there are of how many there may be."""

    instance: str
    version: str
    started_at: datetime
    connections: int
    connections_max: int
    is_exclusive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """One table with its parts and indexes; ``rows`` is PostgreSQL's estimate."""

    name: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStanding:
    """One service's data: its own tables, and the database around them.

    Attributes:
        bytes: of its own tables.
        database_bytes: of the database, with what others have there.
        connections: of the service's roles in that database.
        migrations: how many are applied; ``migration`` is the last of them, ``pending`` how many are not.
        tables: the largest.
    """

    placement: Placement
    bytes: int
    database_bytes: int
    connections: int
    migrations: int
    migration: str
    migrated_at: datetime | None
    pending: int
    tables: tuple[TableSize, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxStanding:
    """Events of a service that wait to be published; ``attempts_max`` is of the one that was tried most often."""

    service: str
    waiting: int
    oldest_at: datetime | None
    attempts_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStanding:
    """The audit log of a service: leaves of its tree, how many the last signature covers, and what waits for a seal."""

    service: str
    sealed: int
    sealed_at: datetime | None
    signed: int
    signed_at: datetime | None
    unsealed: int
    oldest_unsealed_at: datetime | None


async def find_instances(servers: Sequence[Server]) -> tuple[InstanceStanding, ...]:
    """Return how each instance stands. Raises TOPOLOGY_CONNECT, PG_VERSION, INSPECTION_CUT."""

    async def one(server: Server) -> InstanceStanding:
        async with admin_connection(server) as connection:
            with _unless_cut():
                found = dict(await connection.fetchrow(_INSTANCE))
        found["version"] = found["version"].split()[0]
        return InstanceStanding(instance=server.instance, is_exclusive=server.exclusive, **found)

    return tuple(await asyncio.gather(*(one(server) for server in servers)))


async def find_databases(servers: Sequence[Server], layout: Sequence[Placement]) -> tuple[DatabaseStanding, ...]:
    """Return how each service's data stands. Raises as `find_instances`."""
    return await _of_each(servers, layout, _database)


async def find_outboxes(servers: Sequence[Server], layout: Sequence[Placement]) -> tuple[OutboxStanding, ...]:
    """Return what each service has not published yet. Raises as `find_instances`."""
    return await _of_each(servers, layout, _outbox)


async def find_audits(servers: Sequence[Server], layout: Sequence[Placement]) -> tuple[AuditStanding, ...]:
    """Return how each service's audit log stands. Raises as `find_instances`."""
    return await _of_each(servers, layout, _audit)


async def find_grants(servers: Sequence[Server], layout: Sequence[Placement]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return by service and target what the service's role may do with the target's data, as the catalogue says.

    It counts what a role has by membership and through PUBLIC too. Raises as `find_instances`.
    """
    found: dict[tuple[str, str], tuple[str, ...]] = {}

    async def one(connection: asyncpg.Connection, target: Placement) -> None:
        for user, words in (await _grants(connection, target, layout)).items():
            found[user, target.service] = words

    await _of_each(servers, layout, one)
    return found


async def _of_each(
    servers: Sequence[Server],
    layout: Sequence[Placement],
    look: Callable[[asyncpg.Connection, Placement], Awaitable[T]],
) -> tuple[T, ...]:
    """Look at every service's data through one connection per database, in order of the layout."""
    by_service: dict[str, T] = {}

    async def one(server: Server, database: str, placements: list[Placement]) -> None:
        async with admin_connection(server, database=database) as connection:
            with _unless_cut():
                for placement in placements:
                    by_service[placement.service] = await look(connection, placement)

    shared: dict[tuple[str, str], list[Placement]] = {}
    for server in servers:
        for placement in placements_of(layout, server.instance):
            shared.setdefault((server.instance, placement.database), []).append(placement)
    known = {server.instance: server for server in servers}
    await asyncio.gather(
        *(one(known[instance], database, placements) for (instance, database), placements in shared.items())
    )
    return tuple(by_service[placement.service] for placement in layout if placement.service in by_service)


def _unless_cut() -> AbstractContextManager[None]:
    return explained("INSPECTION_CUT", lambda reason: f"looking at the database was cut: {reason}; look again")


async def _database(connection: asyncpg.Connection, placement: Placement) -> DatabaseStanding:
    about = await connection.fetchrow(_DATABASE, list(placement.login_roles))
    own = {placement.location(table.name): table.name for table in service_tables(placement.spec)}
    schemas = sorted({schema for schema, _ in own})
    sizes = [
        TableSize(name=own[row["schema"], row["name"]], bytes=row["bytes"], rows=row["rows"])
        for row in await connection.fetch(_SIZES, schemas)
        if (row["schema"], row["name"]) in own
    ]
    record = qualified(*placement.location("schema_migrations"))
    applied = await connection.fetch(f"select origin, name, applied_at from {record} order by applied_at, name")  # noqa: S608 - quoted
    done = {(row["origin"], row["name"]) for row in applied}
    return DatabaseStanding(
        placement=placement,
        bytes=sum(size.bytes for size in sizes),
        database_bytes=about["bytes"],
        connections=about["connections"],
        migrations=len(applied),
        migration=f"{applied[-1]['origin']}/{applied[-1]['name']}" if applied else "",
        migrated_at=applied[-1]["applied_at"] if applied else None,
        pending=sum((item.origin, item.name) not in done for item in migrations_of(placement.service)),
        tables=tuple(sorted(sizes, key=lambda size: (-size.bytes, size.name))[:_TABLES_SHOWN]),
    )


async def _outbox(connection: asyncpg.Connection, placement: Placement) -> OutboxStanding:
    outbox = qualified(*placement.location("outbox"))
    row = await connection.fetchrow(
        f"select count(*) as waiting, min(enqueued_at) as oldest_at, coalesce(max(attempts), 0) as attempts_max "  # noqa: S608 - quoted
        f"from {outbox}"
    )
    return OutboxStanding(service=placement.service, **dict(row))


async def _audit(connection: asyncpg.Connection, placement: Placement) -> AuditStanding:
    log, pending, leaves, notes = (
        qualified(*placement.location(name))
        for name in ("audit_events", "audit_pending", "audit_leaves", "audit_checkpoints")
    )
    row = await connection.fetchrow(
        f"select coalesce(l.leaf_index + 1, 0) as sealed, l.sealed_at, "  # noqa: S608 - quoted
        f"coalesce(c.tree_size, 0) as signed, c.signed_at, p.unsealed, p.oldest_unsealed_at "
        f"from (select count(*) as unsealed, min(a.recorded_at) as oldest_unsealed_at "
        f"from {pending} q left join {log} a using (audit_id)) p "
        f"left join (select leaf_index, sealed_at from {leaves} order by leaf_index desc limit 1) l on true "
        f"left join (select tree_size, signed_at from {notes} order by tree_size desc limit 1) c on true"
    )
    return AuditStanding(service=placement.service, **dict(row))


async def _grants(
    connection: asyncpg.Connection, target: Placement, layout: Sequence[Placement]
) -> dict[str, tuple[str, ...]]:
    roles = sorted({placement.service_role for placement in layout})
    names = [table.name for table in service_tables(target.spec)]
    own = {target.location(name) for name in names} | {target.visible(name) for name in names}
    schemas = sorted({schema for schema, _ in own})
    words: dict[str, list[str]] = {role: [] for role in roles}
    for row in await connection.fetch(_RIGHTS, roles, schemas):
        lines = words[row["role"]]
        if row["may_connect"] and not lines:
            lines.append(f"CONNECT on database {target.database}")
        rights = ", ".join(right for right, may in (("USAGE", row["may_use"]), ("CREATE", row["may_make"])) if may)
        if rights:
            lines.append(f"{rights} on schema {row['schema']}")
    tables: dict[tuple[str, str], list[str]] = {}
    for row in await connection.fetch(_TABLE_RIGHTS, roles, schemas):
        if row["rights"] and (row["schema"], row["name"]) in own:
            tables.setdefault((row["role"], ", ".join(row["rights"])), []).append(row["name"])
    for (role, rights), found in sorted(tables.items()):
        words[role].append(f"{rights} on {', '.join(found)}")
    return {placement.service: tuple(words[placement.service_role]) for placement in layout}
