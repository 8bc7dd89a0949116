"""What an instance really holds, read from PostgreSQL's own catalogues."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.hardening import CATALOG_READER
from alphintra.dataplane.inventory import things_in_database, things_on_instance
from alphintra.dataplane.model import (
    PUBLIC,
    SYSTEM_SCHEMAS,
    Database,
    DefaultGrant,
    Grant,
    Membership,
    Relation,
    Role,
    Setting,
    State,
    Thing,
)
from alphintra.dataplane.scram import fits
from alphintra.dataplane.server import admin_connection, role_connection
from alphintra.dataplane.system_objects import Catalogue, catalogue_rights, read_catalogue
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alphintra.dataplane.server import Passwords, Server

__all__ = ["inspect", "observe_database", "observe_instance"]

_LOGINS_AT_ONCE: Final = 8
_DATABASES_AT_ONCE: Final = 4
_LOGIN_DATABASE: Final = "postgres"
_LIMITS: Final = (
    "usage of plpgsql cannot be taken from PUBLIC",
    "the server's own databases stay open to PUBLIC",
    "the system catalogue stays readable by PUBLIC: only a superuser can close it",
)

_ROLES: Final = """
    select rolname as name, rolconnlimit as connection_limit, coalesce(rolvaliduntil < 'infinity', false) as expires,
        array_remove(array[
        case when rolcanlogin then 'LOGIN' end, case when rolinherit then 'INHERIT' end,
        case when rolsuper then 'SUPERUSER' end, case when rolcreatedb then 'CREATEDB' end,
        case when rolcreaterole then 'CREATEROLE' end, case when rolreplication then 'REPLICATION' end,
        case when rolbypassrls then 'BYPASSRLS' end], null) as attributes
    from pg_roles where rolname = any($1::text[])
"""

# The key role of a database outside this run (another layout, a move under way) gives nothing but its own door, and
# roles outside this run read the catalogue of their own databases.
_MEMBERSHIPS: Final = """
    select g.rolname as role, m.rolname as member, b.rolname as grantor, a.admin_option as may_admin,
        coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, false) as inherit,
        coalesce((to_jsonb(a) ->> 'set_option')::boolean, true) as may_set
    from pg_auth_members a
    join pg_roles g on g.oid = a.roleid
    join pg_roles m on m.oid = a.member
    left join pg_roles b on b.oid = a.grantor
    where (g.rolname = any($1::text[]) or m.rolname = any($1::text[]))
        and (g.rolname = any($1::text[]) or not exists (select from pg_database d where d.datname = g.rolname))
        and (g.rolname <> $2 or m.rolname = any($1::text[]))
"""

# Ours in any way: of our roles here or everywhere, of our databases, and of everybody where the instance is ours.
_SETTINGS: Final = """
    select coalesce(d.datname, '') as database, coalesce(r.rolname, '') as role, split_part(c, '=', 1) as name,
        substr(c, strpos(c, '=') + 1) as value
    from pg_db_role_setting s
    left join pg_database d on d.oid = s.setdatabase
    left join pg_roles r on r.oid = s.setrole
    cross join unnest(s.setconfig) as c
    where (d.datname = any($1::text[]) or s.setdatabase = 0) and (r.rolname = any($2::text[]) or s.setrole = 0)
        and (s.setdatabase <> 0 or s.setrole <> 0 or $3)
"""

_DATABASES: Final = """
    select d.datname as name, coalesce(r.rolname, '') as grantee, x.privilege_type as privilege, x.is_grantable,
        case when o.rolsuper or o.rolname = current_user then '' else o.rolname end as owner
    from pg_database d
    join pg_roles o on o.oid = d.datdba
    left join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x on x.grantee <> d.datdba
    left join pg_roles r on r.oid = x.grantee
    where d.datname = any($1::text[])
"""

# Rights on parameters and tablespaces that come from no default; of others only where the instance is ours.
_SERVER_GRANTS: Final = """
    select o.kind, o.name, coalesce(r.rolname, '') as grantee, x.privilege_type as privilege, x.is_grantable
    from (
        select 'parameter' as kind, parname as name, 10 as owner, paracl as acl from pg_parameter_acl
        union all
        select 'tablespace', spcname, spcowner, spcacl from pg_tablespace
    ) o
    cross join lateral aclexplode(o.acl) x
    left join pg_roles r on r.oid = x.grantee
    where x.grantee <> o.owner and (x.grantee = 0 or r.rolname = any($1::text[]) or $2)
"""

_SCHEMAS: Final = """
    select nspname as name, pg_get_userbyid(nspowner) as owner from pg_namespace
    where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')
"""

_RELATIONS: Final = """
    select n.nspname as schema, c.relname as name, pg_get_userbyid(c.relowner) as owner,
        case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'view' else 'table' end as kind,
        coalesce(w.relname, '') as parent
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_inherits i on i.inhrelid = c.oid and c.relispartition
    left join pg_class w on w.oid = i.inhparent
    where n.nspname = any($1::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select n.nspname, quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')',
        pg_get_userbyid(p.proowner), 'function', ''
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = any($1::text[]) and p.prokind <> 'a'
    union all
    select n.nspname, t.typname, pg_get_userbyid(t.typowner), 'type', ''
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    left join pg_class c on c.oid = t.typrelid
    where n.nspname = any($1::text[]) and (t.typtype in ('e', 'd', 'r') or (t.typtype = 'c' and c.relkind = 'c'))
"""

# One row per privilege that somebody other than the object's owner holds, built-in defaults included; and one per
# privilege that its owner has not. The system's own schemas and languages are a superuser's to change.
_GRANTS: Final = """
    with object as (
        select 'schema' as kind, '' as schema, nspname::text as name, '' as column, nspowner as owner,
            coalesce(nspacl, acldefault('n', nspowner)) as acl, acldefault('n', nspowner) as initial
        from pg_namespace
        where nspname = any($1::text[]) or nspname = 'public'
            or ($2 and nspname in ('pg_catalog', 'information_schema'))
        union all
        select 'language', '', lanname, '', lanowner, coalesce(lanacl, acldefault('l', lanowner)),
            acldefault('c', lanowner)
        from pg_language where lanname = any($3::text[])
        union all
        select case c.relkind when 'S' then 'sequence' else 'table' end, n.nspname, c.relname, '', c.relowner,
            coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)),
            acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any($1::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        union all
        select 'column', n.nspname, c.relname, a.attname, c.relowner, a.attacl, acldefault('c', c.relowner)
        from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any($1::text[]) and a.attacl is not null and not a.attisdropped
        union all
        select 'function', n.nspname, quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')',
            '', p.proowner, coalesce(p.proacl, acldefault('f', p.proowner)), acldefault('f', p.proowner)
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = any($1::text[]) and p.prokind <> 'a'
        union all
        select 'type', n.nspname, t.typname, '', t.typowner, coalesce(t.typacl, acldefault('T', t.typowner)),
            acldefault('T', t.typowner)
        from pg_type t join pg_namespace n on n.oid = t.typnamespace
        left join pg_class c on c.oid = t.typrelid
        where n.nspname = any($1::text[]) and (t.typtype in ('e', 'd', 'r') or (t.typtype = 'c' and c.relkind = 'c'))
    )
    select true as is_there, o.kind, o.schema, o.name, o.column, coalesce(r.rolname, '') as grantee,
        x.privilege_type as privilege, x.is_grantable
    from object o
    cross join lateral aclexplode(o.acl) x
    left join pg_roles r on r.oid = x.grantee
    where x.grantee <> o.owner
    union all
    select false, o.kind, o.schema, o.name, o.column, r.rolname, x.privilege_type, false
    from object o
    cross join lateral aclexplode(o.initial) x
    join pg_roles r on r.oid = x.grantee
    where x.grantee = o.owner and not exists (
        select from aclexplode(o.acl) h where h.grantee = o.owner and h.privilege_type = x.privilege_type
    )
"""

# Of the owners all defaults, of others what they would give away beyond PostgreSQL's own.
_DEFAULTS: Final = """
    with kind (code, kind) as (
        values ('r'::"char", 'table'), ('S', 'sequence'), ('f', 'function'), ('T', 'type'), ('n', 'schema'),
            ('L', 'large object')
    ), object as (
        select w.oid as owner, k.kind, '' as schema, true as is_ours,
            acldefault(case k.code when 'S' then 's' else k.code end::"char", w.oid) as initial,
            coalesce(a.defaclacl, acldefault(case k.code when 'S' then 's' else k.code end::"char", w.oid)) as acl
        from pg_roles w
        cross join kind k
        left join pg_default_acl a on a.defaclrole = w.oid and a.defaclobjtype = k.code and a.defaclnamespace = 0
        where w.rolname = any($1::text[])
        union all
        select a.defaclrole, k.kind, coalesce(n.nspname, ''), false,
            case when n.oid is null
                then acldefault(case k.code when 'S' then 's' else k.code end::"char", a.defaclrole)
                else acldefault('c', a.defaclrole) end,
            a.defaclacl
        from pg_default_acl a
        join pg_roles w on w.oid = a.defaclrole
        join kind k on k.code = a.defaclobjtype
        left join pg_namespace n on n.oid = a.defaclnamespace
        where a.defaclnamespace <> 0 or w.rolname <> all ($1::text[])
    )
    select true as is_there, w.rolname as owner, o.kind, o.schema, coalesce(r.rolname, '') as grantee,
        x.privilege_type as privilege
    from object o
    join pg_roles w on w.oid = o.owner
    cross join lateral aclexplode(o.acl) x
    left join pg_roles r on r.oid = x.grantee
    where x.grantee <> w.oid and (o.is_ours or not exists (
        select from aclexplode(o.initial) i where i.grantee = x.grantee and i.privilege_type = x.privilege_type
    ))
    union all
    select false, w.rolname, o.kind, o.schema, w.rolname, x.privilege_type
    from object o
    join pg_roles w on w.oid = o.owner
    cross join lateral aclexplode(o.initial) x
    where o.is_ours and x.grantee = w.oid and not exists (
        select from aclexplode(o.acl) h where h.grantee = x.grantee and h.privilege_type = x.privilege_type
    )
"""

_VERIFIERS: Final = "select rolname, rolpassword from pg_authid where rolname = any($1::text[])"
_SELF: Final = """
    select rolname, rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user
"""


async def inspect(server: Server, declared: State, *, passwords: Passwords | None = None) -> State:
    """Read what ``declared`` speaks of: its roles, their memberships and settings, its databases.

    With ``passwords`` the caller's secrets are compared with the stored verifiers, or tried at login where the
    administrator is no superuser and cannot read them. Raises TOPOLOGY_CONNECT, PG_VERSION, and TOPOLOGY_RIGHTS where
    a superuser has closed the catalogue to this administrator.
    """
    try:
        return await _inspect(server, declared, passwords)
    except asyncpg.InsufficientPrivilegeError as error:
        message = (
            f"{server.admin_label} may not read PostgreSQL's catalogue ({error}): another administrator hardened this "
            f"server; use that one, or GRANT {CATALOG_READER} to this one WITH INHERIT TRUE"
        )
        raise AlphintraError("TOPOLOGY_RIGHTS", message, kind=Kind.FORBIDDEN) from error


async def _inspect(server: Server, declared: State, passwords: Passwords | None) -> State:
    stored: list[asyncpg.Record] = []
    async with admin_connection(server) as connection:
        state = await observe_instance(connection, declared)
        closures = next((item.closures for item in declared.databases.values()), ())
        catalogue = await read_catalogue(connection, () if state.admin else closures)
        state = replace(state, fresh=catalogue.fresh)
        if passwords is not None and not state.admin:
            stored = await connection.fetch(_VERIFIERS, _logins(state.roles))
    gate = asyncio.Semaphore(_DATABASES_AT_ONCE)

    async def look(database: Database) -> Database:
        wanted = declared.databases[database.name]
        if state.admin and not wanted.schemas:
            return database
        async with gate, admin_connection(server, database=database.name) as connection:
            return await observe_database(connection, wanted, database, None if state.admin else catalogue)

    async def try_passwords() -> frozenset[str]:
        if passwords is None:
            return frozenset()
        if state.admin:
            return await _refused(server, state.roles, passwords)
        secrets = {row["rolname"]: passwords(row["rolname"]) for row in stored}
        return await asyncio.to_thread(_unfitting, stored, secrets)  # meanwhile the databases are looked at

    trying = asyncio.create_task(try_passwords())
    try:
        found = await asyncio.gather(*(look(database) for database in state.databases.values()))
        wrong = await trying
    finally:
        trying.cancel()
    return replace(state, databases={database.name: database for database in found}, wrong_passwords=wrong)


async def observe_instance(connection: asyncpg.Connection, declared: State) -> State:
    """Read what is shared by all databases of an instance; of the databases who may enter, nothing from inside."""
    names = list(declared.roles)
    databases = list(declared.databases)
    this = await connection.fetchrow(_SELF)
    operator = str(this["rolname"])
    admin = "" if this["rolsuper"] else operator
    roles = {
        row["name"]: Role(**{**dict(row), "attributes": tuple(row["attributes"])})
        for row in await connection.fetch(_ROLES, names)
    }
    owners = {owner for database in declared.databases.values() for owner in database.schemas.values()}
    memberships = _memberships(await connection.fetch(_MEMBERSHIPS, names, CATALOG_READER), admin=admin, owners=owners)
    settings = await connection.fetch(_SETTINGS, databases, names, declared.is_exclusive)
    on_server = await connection.fetch(_SERVER_GRANTS, names, declared.is_exclusive)
    return State(
        version=int(await connection.fetchval("select current_setting('server_version_num')::int")),
        roles=roles,
        memberships=memberships,
        settings=frozenset(_normal(Setting(**dict(row))) for row in settings),
        databases=_databases(await connection.fetch(_DATABASES, databases)),
        operator=operator,
        admin=admin,
        server_grants=frozenset(_grant(row, kind=row["kind"]) for row in on_server),
        things=await things_on_instance(connection, declared, operator=operator, is_superuser=not admin),
        limits=_LIMITS if admin else (),
        untouchable=frozenset({"language"}) if admin else frozenset(),
    )


def _databases(rows: Iterable[asyncpg.Record]) -> dict[str, Database]:
    found: dict[str, Database] = {}
    for row in rows:
        database = found.setdefault(row["name"], Database(name=row["name"], owner=row["owner"]))
        if row["privilege"] is not None:
            found[row["name"]] = replace(database, grants=database.grants | {_grant(row, kind="database")})
    return found


def _memberships(rows: Iterable[asyncpg.Record], *, admin: str, owners: set[str]) -> frozenset[Membership]:
    """Read memberships; what an administrator got by creating the roles counts only where it acts for an owner."""
    result = set()
    for row in rows:
        if admin and row["member"] == admin:
            if row["role"] in owners and row["may_set"] and (row["inherit"] or not row["may_admin"]):
                inherit = bool(row["inherit"])
                result.add(Membership(role=row["role"], member=admin, inherit=inherit, may_set=True))
            continue
        result.add(Membership(**{**dict(row), "grantor": row["grantor"] or ""}))
    return frozenset(result)


def _normal(setting: Setting) -> Setting:
    """Write a search path the way it is declared, without the quotes PostgreSQL keeps."""
    if setting.name != "search_path":
        return setting
    value = ", ".join(part.strip().strip('"') for part in setting.value.split(","))
    return Setting(database=setting.database, role=setting.role, name=setting.name, value=value)


def _logins(roles: dict[str, Role]) -> list[str]:
    return [name for name, role in roles.items() if "LOGIN" in role.attributes]


def _unfitting(stored: Iterable[asyncpg.Record], secrets: Mapping[str, str]) -> frozenset[str]:
    return frozenset(row["rolname"] for row in stored if not fits(secrets[row["rolname"]], row["rolpassword"]))


async def _refused(server: Server, roles: dict[str, Role], passwords: Passwords) -> frozenset[str]:
    """Log in as every role; only a refused password counts, since rights are looked at after it."""
    gate = asyncio.Semaphore(_LOGINS_AT_ONCE)

    async def is_refused(role: str) -> bool:
        async with gate:
            try:
                async with role_connection(server, role=role, password=passwords(role), database=_LOGIN_DATABASE):
                    return False
            except AlphintraError as error:
                return isinstance(error.__cause__, asyncpg.InvalidPasswordError)

    names = _logins(roles)
    answers = await asyncio.gather(*(is_refused(name) for name in names))
    return frozenset(name for name, refused in zip(names, answers, strict=True) if refused)


async def observe_database(
    connection: asyncpg.Connection, wanted: Database, found: Database, catalogue: Catalogue | None
) -> Database:
    """Add to ``found`` what the connected database holds; without ``catalogue``, nothing of the system's own."""
    schemas = list(wanted.schemas)
    languages = [grant.name for grant in wanted.grants if grant.kind == "language"]
    there: frozenset[Grant] = frozenset()
    missing: frozenset[Grant] = frozenset()
    if catalogue is not None:
        there, missing = await catalogue_rights(connection, catalogue)
    if not schemas:
        usage = await connection.fetch(_GRANTS, [], True, languages)  # noqa: FBT003 - a value of the statement
        there |= {_grant(row, kind="schema") for row in usage if row["is_there"] and row["name"] in SYSTEM_SCHEMAS}
        things = await things_in_database(connection, schemas)
        things |= {Thing(kind="schema", name=row["name"]) for row in await connection.fetch(_SCHEMAS)}
        return replace(found, grants=found.grants | there, missing=missing, things=things)
    inside = await connection.fetch(_GRANTS, schemas, catalogue is not None, languages)
    defaults = await connection.fetch(_DEFAULTS, list(wanted.schemas.values()))
    return replace(
        found,
        schemas={row["name"]: row["owner"] for row in await connection.fetch(_SCHEMAS)},
        grants=found.grants | there | {_grant(row, kind=row["kind"]) for row in inside if row["is_there"]},
        default_grants=frozenset(_default(row) for row in defaults if row["is_there"]),
        relations=frozenset(Relation(**dict(row)) for row in await connection.fetch(_RELATIONS, schemas)),
        missing=missing | {_grant(row, kind=row["kind"]) for row in inside if not row["is_there"]},
        missing_defaults=frozenset(_default(row) for row in defaults if not row["is_there"]),
        things=await things_in_database(connection, schemas),
    )


def _default(row: asyncpg.Record) -> DefaultGrant:
    return DefaultGrant(
        owner=row["owner"],
        kind=row["kind"],
        schema=row["schema"],
        grantee=row["grantee"] or PUBLIC,
        privilege=row["privilege"],
    )


def _grant(row: asyncpg.Record, *, kind: str) -> Grant:
    return Grant(
        kind=kind,
        name=row["name"],
        schema=row.get("schema", ""),
        column=row.get("column", ""),
        grantee=row["grantee"] or PUBLIC,
        privilege=row["privilege"],
        grantable=row["is_grantable"],
    )
