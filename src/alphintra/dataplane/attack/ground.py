"""What there is to attack, as the administrator sees it: oids, tables, sequences, functions, other databases.

An attacker could guess or enumerate all of it; probes that are told answer faster, and miss nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from alphintra.dataplane.quoting import identifier, literal, qualified
from alphintra.dataplane.server import admin_connection
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import service_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import asyncpg

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server

__all__ = ["Ground", "Property", "Relation", "names_of", "read_ground", "targets_of"]

_ROLES: Final = "select rolname, oid::bigint as oid, rolsuper and rolcanlogin as is_super, rolconnlimit from pg_roles"
_DATABASES: Final = "select datname, oid::bigint as oid from pg_database where datallowconn order by datname"
_RELATIONS: Final = """
    select n.nspname as schema, c.relname as name, c.oid::bigint as oid, c.relkind = 'S' as is_sequence,
        c.relkind in ('r', 'p') as is_table,
        array(
            select a.attname::text from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
                and a.attidentity <> 'a'
                and (a.attacl is not null or a.attnum = (
                    select min(b.attnum) from pg_attribute b
                    where b.attrelid = c.oid and b.attnum > 0 and not b.attisdropped and b.attgenerated = ''
                        and b.attidentity <> 'a'
                ))
            order by a.attnum
        ) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any($1::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    order by n.nspname, c.relname
"""
_FUNCTIONS: Final = """
    select n.nspname as schema, p.proname as name, p.oid::bigint as oid, p.prosecdef as is_definer,
        coalesce(array_to_string(p.proconfig, ' '), '') like '%search_path=%' as has_path,
        array(
            select format_type(t, null) from unnest(p.proargtypes) with ordinality as u (t, i) order by i
        ) as arguments
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = any($1::text[]) and p.prokind = 'f' order by n.nspname, p.proname
"""
_SCHEMAS: Final = "select nspname, oid::bigint as oid from pg_namespace where nspname = any($1::text[])"
_SERVERS: Final = "select srvname from pg_foreign_server order by srvname"
_STATEMENTS: Final = """
    select quote_ident(n.nspname) || '.pg_stat_statements' from pg_extension e
    join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'
"""
_DBLINK: Final = """
    select quote_ident(n.nspname) from pg_extension e
    join pg_namespace n on n.oid = e.extnamespace where e.extname = 'dblink'
"""
_PREDEFINED: Final = (
    "pg_checkpoint", "pg_create_subscription", "pg_database_owner", "pg_execute_server_program", "pg_maintain",
    "pg_monitor", "pg_read_all_data", "pg_read_all_settings", "pg_read_all_stats", "pg_read_server_files",
    "pg_signal_autovacuum_worker", "pg_signal_backend", "pg_stat_scan_tables", "pg_use_reserved_connections",
    "pg_write_all_data", "pg_write_server_files",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table or view that holds or shows a service's rows, or one of its sequences."""

    schema: str
    name: str
    oid: int
    columns: tuple[str, ...] = ()
    is_table: bool = True

    @property
    def sql(self) -> str:
        """Quoted name."""
        return qualified(self.schema, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """What one service has that others could want.

    Attributes:
        placement: where it lives.
        tables: its tables and views.
        sequences: its sequences.
        functions: calls of its functions that check the right to execute and never execute.
        definers: the same, of those that run with their owner's rights and let the caller choose where names resolve.
        schema_oid: of its schema; 0 if that is missing.
        function_oid: of one of its functions; 0 if it has none.
        foreign_servers: connections to other servers defined in its database.
        statements: name of ``pg_stat_statements`` in its database; empty where that is not installed.
        dblink: schema of dblink in its database; empty where that is not installed.
    """

    placement: Placement
    tables: tuple[Relation, ...] = ()
    sequences: tuple[Relation, ...] = ()
    functions: tuple[str, ...] = ()
    definers: tuple[str, ...] = ()
    schema_oid: int = 0
    function_oid: int = 0
    foreign_servers: tuple[str, ...] = ()
    statements: str = ""
    dblink: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One instance and what the services have on it.

    Attributes:
        server: how to get there.
        roles: name to oid of every role.
        superusers: roles that are superusers and may log in.
        connection_limits: sessions a role may have at once, -1 for any number.
        connections_max: sessions the instance has room for.
        has_superuser: whether its administrator is a superuser, who alone can close PostgreSQL's own catalogue.
        databases: name to oid of those that accept connections.
        properties: by service.
    """

    server: Server
    roles: Mapping[str, int]
    superusers: tuple[str, ...]
    connection_limits: Mapping[str, int]
    connections_max: int
    has_superuser: bool
    databases: Mapping[str, int]
    properties: Mapping[str, Property] = field(default_factory=dict)

    @property
    def predefined(self) -> tuple[str, ...]:
        """PostgreSQL's own privileged roles that this version has."""
        return tuple(name for name in _PREDEFINED if name in self.roles)


async def read_ground(server: Server, layout: Sequence[Placement]) -> Ground:
    """Read one instance as its administrator. Raises TOPOLOGY_CONNECT, PG_VERSION."""
    placed = tuple(item for item in layout if item.instance == server.instance)
    async with admin_connection(server) as connection:
        roles = await connection.fetch(_ROLES)
        databases = {row["datname"]: row["oid"] for row in await connection.fetch(_DATABASES)}
        has_superuser = bool(await connection.fetchval("select rolsuper from pg_roles where rolname = current_user"))
        connections_max = int(await connection.fetchval("show max_connections"))
    properties = {item.service: Property(placement=item) for item in placed}
    for name in sorted({item.database for item in placed} & databases.keys()):
        async with admin_connection(server, database=name) as connection:
            for item in placed:
                if item.database == name:
                    properties[item.service] = await _read_property(connection, item)
    return Ground(
        server=server,
        roles={row["rolname"]: row["oid"] for row in roles},
        superusers=tuple(sorted(row["rolname"] for row in roles if row["is_super"])),
        connection_limits={row["rolname"]: row["rolconnlimit"] for row in roles},
        connections_max=connections_max,
        has_superuser=has_superuser,
        databases=databases,
        properties=properties,
    )


async def _read_property(connection: asyncpg.Connection, placement: Placement) -> Property:
    schemas = list(placement.search_path[:-1])
    rows = [row for row in await connection.fetch(_RELATIONS, schemas) if _belongs(row, placement)]
    functions = [row for row in await connection.fetch(_FUNCTIONS, schemas) if row["schema"] == placement.schema]
    oids = {row["nspname"]: row["oid"] for row in await connection.fetch(_SCHEMAS, schemas)}
    return Property(
        placement=placement,
        tables=tuple(_relation(row) for row in rows if not row["is_sequence"]),
        sequences=tuple(_relation(row) for row in rows if row["is_sequence"]),
        functions=tuple(_call(row) for row in functions),
        definers=tuple(_call(row) for row in functions if row["is_definer"] and not row["has_path"]),
        schema_oid=oids.get(placement.schema, 0),
        function_oid=functions[0]["oid"] if functions else 0,
        foreign_servers=tuple(row["srvname"] for row in await connection.fetch(_SERVERS)),
        statements=await connection.fetchval(_STATEMENTS) or "",
        dblink=await connection.fetchval(_DBLINK) or "",
    )


def _belongs(row: Mapping[str, Any], placement: Placement) -> bool:
    """Tell whether a relation is the service's: all of its own schema is; of the merged one, its own tables are."""
    if row["schema"] == placement.schema:
        return True
    return (row["schema"], row["name"]) in {placement.location(table.name) for table in service_tables(placement.spec)}


def _relation(row: Mapping[str, Any]) -> Relation:
    return Relation(
        schema=row["schema"], name=row["name"], oid=row["oid"], columns=tuple(row["columns"]), is_table=row["is_table"]
    )


def _call(row: Mapping[str, Any]) -> str:
    """Return a query that calls the function for no row: the right to execute is checked when it starts.

    The arguments are columns of a subquery that is not pulled up, so that no constant call is folded away unchecked.
    """
    names = [f"a{index}" for index in range(len(row["arguments"]))]
    columns = ", ".join(f"null::{kind} as {name}" for name, kind in zip(names, row["arguments"], strict=True))
    call = f"{qualified(row['schema'], row['name'])}({', '.join(names)})"
    return f"select {call} from (select {columns} offset 0) as v where random() < 0"  # noqa: S608 - quoted names


def names_of(
    grounds: Mapping[str, Ground], attacker: Placement, victim: Placement, *, decoy_pid: int, token: str
) -> dict[str, str]:
    """Return what the braces of a probe's statement stand for; identifiers quoted, those with ``_text`` as strings."""
    here, there = grounds[attacker.instance], grounds[victim.instance]
    target, own = there.properties[victim.service], here.properties[attacker.service]
    table = next((item for item in target.tables if item.is_table), None)
    own_tables = [item for item in own.tables if item.is_table]
    own_table = next((item for item in own_tables if item.name.endswith("outbox")), next(iter(own_tables), None))
    roles = [name for name in (*victim.login_roles, victim.owner_role) if name != attacker.service_role]
    return {
        "token": identifier(token),
        "token_text": literal(token),
        "decoy_pid": str(decoy_pid),
        "role": identifier(victim.service_role),
        "role_text": literal(victim.service_role),
        "role_names": "array[" + ", ".join(literal(name) for name in roles) + "]::text[]",
        "role_oid": str(there.roles.get(victim.service_role, 0)),
        "owner": identifier(_owner(there, victim)),
        "database": identifier(victim.database),
        "database_text": literal(victim.database),
        "database_oid": str(there.databases.get(victim.database, 0)),
        "schema": identifier(victim.schema),
        "schema_text": literal(victim.schema),
        "schema_oid": str(target.schema_oid),
        "a_table": table.sql if table else identifier("missing"),
        "a_table_oid": str(table.oid if table else 0),
        "a_function_oid": str(target.function_oid),
        "statements": target.statements,
        "dblink": target.dblink,
        "own_role": identifier(attacker.service_role),
        "own_role_text": literal(attacker.service_role),
        "own_owner": identifier(_owner(here, attacker)),
        "own_database": identifier(attacker.database),
        "own_schema": identifier(attacker.schema),
        "own_schema_text": literal(attacker.schema),
        "own_table": own_table.sql if own_table else identifier("missing"),
    }


def targets_of(
    each: str, grounds: Mapping[str, Ground], attacker: Placement, victim: Placement
) -> list[dict[str, str]]:
    """Return what a probe is tried on, one after another; empty where the victim has nothing of the kind.

    Raises PROBE_TARGET for a kind that does not exist.
    """
    ground = grounds[victim.instance]
    target = ground.properties[victim.service]
    own = grounds[attacker.instance].properties[attacker.service]
    kinds: dict[str, Callable[[], list[dict[str, str]]]] = {
        "": lambda: [{}],
        "table": lambda: [{"table": item.sql} for item in target.tables],
        "column": lambda: [
            {"table": item.sql, "column": identifier(column)} for item in target.tables for column in item.columns
        ],
        "own_table": lambda: [{"own_any": item.sql} for item in own.tables if item.is_table],
        "own_audit": lambda: [
            {"own_audit": item.sql, "own_audit_column": identifier(item.columns[0])}
            for item in own.tables
            if item.name.endswith("audit_events") and item.columns
        ],
        "sequence": lambda: [{"sequence": literal(item.sql)} for item in target.sequences],
        "function": lambda: [{"call": call} for call in target.functions],
        "definer": lambda: [{"call": call} for call in target.definers],
        "foreign_server": lambda: [{"server": identifier(name)} for name in target.foreign_servers],
        "statements": lambda: [{}] if target.statements else [],
        "dblink": lambda: [{}] if target.dblink else [],
        "role": lambda: [{"any_role": identifier(name)} for name in _others(ground, attacker, victim)],
        "superuser": lambda: [{"any_role": identifier(name)} for name in ground.superusers],
        "predefined": lambda: [{"any_role": identifier(name)} for name in ground.predefined],
    }
    if each not in kinds:
        raise AlphintraError("PROBE_TARGET", f"a probe is tried on each {each!r}, which is nothing", kind=Kind.BUG)
    return kinds[each]()


def _owner(ground: Ground, placement: Placement) -> str:
    """Return the role that owns a service's objects; as usually set up that is the one that runs."""
    return placement.owner_role if placement.owner_role in ground.roles else placement.service_role


def _others(ground: Ground, attacker: Placement, victim: Placement) -> list[str]:
    """Return the victim's roles that exist and that the attacker does not bear itself; its own, but the one it uses."""
    own = set() if attacker == victim else {*attacker.login_roles, attacker.owner_role}
    names = dict.fromkeys((*victim.login_roles, victim.owner_role))
    return [name for name in names if name in ground.roles and name not in {*own, attacker.service_role}]
