"""Reads what an audit needs from a server's catalogues, in transactions that cannot write."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.audit.facts import (
    Account,
    Belongs,
    Facts,
    HbaRule,
    Held,
    LaterHeld,
    Owned,
    Routine,
    ServerFacts,
)
from alphintra.dataplane.audit.mapping import targets_of
from alphintra.dataplane.model import PUBLIC
from alphintra.dataplane.server import admin_connection
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from alphintra.dataplane.audit.mapping import Mapped
    from alphintra.dataplane.server import Server

__all__ = ["read_facts", "reading"]

_BOUNDS: Final = (
    "set default_transaction_read_only = on; set lock_timeout = '500ms'; set statement_timeout = '30s'; "
    "set idle_in_transaction_session_timeout = '60s'; set client_min_messages = error"
)

_SERVER: Final = """
    select current_setting('server_version_num')::int as version, rolname as admin, rolsuper as is_superuser,
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            - coalesce(current_setting('reserved_connections', true)::int, 0) as connections,
        current_setting('ssl')::boolean as has_tls,
        current_setting('listen_addresses', true) as listens,
        current_setting('password_encryption') as password_encryption
    from pg_roles where rolname = current_user
"""

_ACCOUNTS: Final = """
    select rolname as name, rolconnlimit as connection_limit, array_remove(array[
        case when rolcanlogin then 'LOGIN' end, case when rolinherit then 'INHERIT' end,
        case when rolsuper then 'SUPERUSER' end, case when rolcreatedb then 'CREATEDB' end,
        case when rolcreaterole then 'CREATEROLE' end, case when rolreplication then 'REPLICATION' end,
        case when rolbypassrls then 'BYPASSRLS' end], null) as attributes
    from pg_roles
"""

_VERIFIERS: Final = """
    select rolname as name, case when rolpassword is null then 'none'
        when rolpassword like 'SCRAM-SHA-256$%' then 'scram'
        when rolpassword like 'md5%' then 'md5' else 'other' end as verifier
    from pg_authid
"""

_BELONGS: Final = """
    select g.rolname as role, m.rolname as member, a.admin_option as may_admin,
        coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit) as inherits,
        coalesce((to_jsonb(a) ->> 'set_option')::boolean, true) as may_set
    from pg_auth_members a join pg_roles g on g.oid = a.roleid join pg_roles m on m.oid = a.member
"""

_DATABASES: Final = """
    select d.datname as name, pg_get_userbyid(d.datdba) as owner, coalesce(r.rolname, '') as grantee,
        x.privilege_type as privilege, x.is_grantable
    from pg_database d
    left join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x on x.grantee <> d.datdba
    left join pg_roles r on r.oid = x.grantee
    where d.datallowconn
"""

_CONNECTS: Final = """
    select r.rolname as role, d.datname as database
    from pg_roles r cross join pg_database d
    where r.rolcanlogin and d.datallowconn and has_database_privilege(r.oid, d.oid, 'CONNECT')
"""

_HBA: Final = """
    select line_number as line, type as kind, database as databases, user_name as users,
        coalesce(address, '') || coalesce(case when netmask is null then null else '/' || netmask end, '') as address,
        auth_method as method
    from pg_hba_file_rules where error is null order by line_number
"""

_SCHEMAS: Final = """
    select nspname as name, pg_get_userbyid(nspowner) as owner,
        exists (select from pg_class c where c.relnamespace = n.oid) or
            exists (select from pg_proc p where p.pronamespace = n.oid) as is_used
    from pg_namespace n
    where nspname !~ '^pg_' and nspname <> 'information_schema' and not exists (
        select from pg_depend d where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e')
    order by 1
"""

# Objects that extensions brought are judged with their extension.
_OBJECTS: Final = """
    select o.kind, o.schema, o.name, o.column, pg_get_userbyid(o.owner_id) as owner,
        coalesce(r.rolname, '') as grantee, x.privilege_type as privilege, x.is_grantable
    from (
        select 'schema' as kind, '' as schema, nspname::text as name, '' as column, nspowner as owner_id,
            coalesce(nspacl, acldefault('n', nspowner)) as acl, 'pg_namespace'::regclass as class, oid
        from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
        union all
        select case when c.relkind in ('v', 'm') then 'view' when c.relkind <> 'S' then 'table'
                when exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
                    and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')) then 'linked sequence'
                else 'sequence' end,
            n.nspname, c.relname, '', c.relowner,
            coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)),
            'pg_class'::regclass, c.oid
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        union all
        select 'column', n.nspname, c.relname, a.attname, c.relowner, a.attacl, 'pg_class'::regclass, c.oid
        from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and a.attacl is not null and not a.attisdropped
        union all
        select 'function', n.nspname, quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')',
            '', p.proowner, coalesce(p.proacl, acldefault('f', p.proowner)), 'pg_proc'::regclass, p.oid
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        union all
        select 'language', '', lanname, '', lanowner, coalesce(lanacl, acldefault('l', lanowner)), 0, 0
        from pg_language where lanispl
        union all
        select 'wrapper', '', fdwname, '', fdwowner, coalesce(fdwacl, acldefault('F', fdwowner)), 0, 0
        from pg_foreign_data_wrapper
        union all
        select 'server', '', srvname, '', srvowner, coalesce(srvacl, acldefault('S', srvowner)), 0, 0
        from pg_foreign_server
    ) o
    left join lateral aclexplode(o.acl) x on x.grantee <> o.owner_id
    left join pg_roles r on r.oid = x.grantee
    where not exists (select from pg_depend d where d.classid = o.class and d.objid = o.oid and d.deptype = 'e')
"""

_ROUTINES: Final = """
    select n.nspname as schema, pg_get_userbyid(p.proowner) as owner,
        quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')' as signature,
        coalesce((select substr(c, 13) from unnest(p.proconfig) c where c like 'search_path=%'), '') as path
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where p.prosecdef and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
"""

_LATER: Final = """
    select pg_get_userbyid(o.owner_id) as owner, o.kind, o.schema, coalesce(r.rolname, '') as grantee,
        x.privilege_type as privilege
    from (
        select w.owner_id, k.kind, '' as schema,
            coalesce(a.defaclacl, acldefault(case k.code when 'S' then 's' else k.code end::"char", w.owner_id)) as acl
        from (select distinct relowner as owner_id from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = any($1::text[])) w
        cross join (values ('r'::"char", 'table'), ('S', 'sequence'), ('f', 'function')) as k (code, kind)
        left join pg_default_acl a on a.defaclrole = w.owner_id and a.defaclobjtype = k.code and a.defaclnamespace = 0
        union all
        select a.defaclrole, k.kind, n.nspname, a.defaclacl
        from pg_default_acl a join pg_namespace n on n.oid = a.defaclnamespace
        join (values ('r'::"char", 'table'), ('S', 'sequence'), ('f', 'function')) as k (code, kind)
            on k.code = a.defaclobjtype
    ) o
    cross join lateral aclexplode(o.acl) x
    left join pg_roles r on r.oid = x.grantee
    where x.grantee <> o.owner_id
"""

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1", ""})


@asynccontextmanager
async def reading(server: Server, *, database: str = "") -> AsyncIterator[asyncpg.Connection]:
    """Open the administrator's connection so that no transaction on it can write. Raises as `admin_connection`."""
    async with admin_connection(server, database=database) as connection:
        await connection.execute(_BOUNDS)
        yield connection


async def read_facts(server: Server, mapped: Sequence[Mapped]) -> Facts:
    """Read the instance, then each mapped database.

    Raises TOPOLOGY_CONNECT, PG_VERSION, TOPOLOGY_UNKNOWN for a database, role or schema that is not there, AUDIT_MAP
    where a schema has to be named.
    """
    async with reading(server) as connection:
        facts = await _read_instance(connection, mapped)
    held = set(facts.held)
    owned = set(facts.owned)
    routines: list[Routine] = []
    later: set[LaterHeld] = set()
    extensions: dict[str, tuple[str, ...]] = {}
    schemas: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys(item.database for item in mapped):
        async with reading(server, database=name) as connection:
            rows = await connection.fetch(_SCHEMAS)
            # `public` is in every database: it counts as somebody's data only where there is something in it.
            schemas[name] = tuple(row["name"] for row in rows if row["name"] != "public" or row["is_used"])
            for row in await connection.fetch(_OBJECTS):
                _add_object(row, name, held, owned)
            routines += [Routine(database=name, **dict(row)) for row in await connection.fetch(_ROUTINES)]
            later |= {
                LaterHeld(database=name, **{**dict(row), "grantee": row["grantee"] or PUBLIC})
                for row in await connection.fetch(_LATER, list(schemas[name]))
            }
            found = await connection.fetch("select extname from pg_extension order by 1")
            extensions[name] = tuple(row["extname"] for row in found)
    return Facts(
        server=facts.server,
        targets=targets_of(mapped, schemas),
        accounts=facts.accounts,
        belongs=facts.belongs,
        held=frozenset(held),
        owned=frozenset(owned),
        routines=tuple(sorted(routines)),
        later=frozenset(later),
        hba=facts.hba,
        extensions=extensions,
        connects=facts.connects,
    )


def _add_object(row: asyncpg.Record, database: str, held: set[Held], owned: set[Owned]) -> None:
    kind = {"view": "table", "linked sequence": "sequence"}.get(row["kind"], row["kind"])
    # A sequence of a column goes with its table.
    if row["kind"] not in {"column", "language", "wrapper", "server", "linked sequence"}:
        place = {"database": database, "schema": row["schema"], "name": row["name"]}
        owned.add(Owned(kind=row["kind"], owner=row["owner"], **place))
    if row["privilege"] is not None:
        held.add(
            Held(
                kind=kind,
                database=database,
                schema=row["schema"],
                name=row["name"],
                column=row["column"],
                grantee=row["grantee"] or PUBLIC,
                privilege=row["privilege"],
                is_grantable=row["is_grantable"],
            )
        )


async def _read_instance(connection: asyncpg.Connection, mapped: Sequence[Mapped]) -> Facts:
    row = await connection.fetchrow(_SERVER)
    listens = {part.strip() for part in (row["listens"] or "*").split(",")}  # hidden from some: assume the worst
    server = ServerFacts(
        **{key: value for key, value in dict(row).items() if key != "listens"}, is_local=listens <= _LOOPBACK
    )
    verifiers = {}
    if server.is_superuser:
        verifiers = {row["name"]: row["verifier"] for row in await connection.fetch(_VERIFIERS)}
    accounts = {
        row["name"]: Account(
            name=row["name"],
            attributes=frozenset(row["attributes"]),
            connection_limit=row["connection_limit"],
            verifier=verifiers.get(row["name"], "hidden"),
        )
        for row in await connection.fetch(_ACCOUNTS)
    }
    held, owned = set(), set()
    for row in await connection.fetch(_DATABASES):
        owned.add(Owned(kind="database", database=row["name"], name=row["name"], owner=row["owner"]))
        if row["privilege"] is not None:
            held.add(
                Held(
                    kind="database",
                    database=row["name"],
                    name=row["name"],
                    grantee=row["grantee"] or PUBLIC,
                    privilege=row["privilege"],
                    is_grantable=row["is_grantable"],
                )
            )
    _require_known(mapped, accounts, {item.name for item in owned})
    return Facts(
        server=server,
        targets=(),
        accounts=accounts,
        belongs=tuple(sorted(Belongs(**dict(row)) for row in await connection.fetch(_BELONGS))),
        held=frozenset(held),
        owned=frozenset(owned),
        hba=await _read_hba(connection),
        connects=frozenset((row["role"], row["database"]) for row in await connection.fetch(_CONNECTS)),
    )


async def _read_hba(connection: asyncpg.Connection) -> tuple[HbaRule, ...] | None:
    try:
        rows = await connection.fetch(_HBA)
    except asyncpg.InsufficientPrivilegeError:
        return None
    return tuple(
        HbaRule(**{**dict(row), "databases": tuple(row["databases"] or ()), "users": tuple(row["users"] or ())})
        for row in rows
    )


def _require_known(mapped: Sequence[Mapped], accounts: dict[str, Account], databases: set[str]) -> None:
    for item in mapped:
        if item.database not in databases:
            message = f"{item.service}: the server has no database {item.database} that takes connections"
            raise AlphintraError("TOPOLOGY_UNKNOWN", message, pointer="--map")
        if item.role not in accounts:
            message = f"{item.service}: the server has no role {item.role}"
            raise AlphintraError("TOPOLOGY_UNKNOWN", message, pointer="--map")
