"""What an instance really holds, read from PostgreSQL's own catalogues."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.model import PUBLIC, Database, DefaultGrant, Grant, Membership, Relation, Role, Setting, State
from alphintra.dataplane.scram import fits
from alphintra.dataplane.server import admin_connection, role_connection
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alphintra.dataplane.server import Passwords, Server

__all__ = ["inspect"]

_LOGINS_AT_ONCE: Final = 8
_LOGIN_DATABASE: Final = "postgres"

_ROLES: Final = """
    select rolname, rolconnlimit, array_remove(array[
        case when rolcanlogin then 'LOGIN' end, case when rolinherit then 'INHERIT' end,
        case when rolsuper then 'SUPERUSER' end, case when rolcreatedb then 'CREATEDB' end,
        case when rolcreaterole then 'CREATEROLE' end, case when rolreplication then 'REPLICATION' end,
        case when rolbypassrls then 'BYPASSRLS' end], null) as attributes
    from pg_roles where rolname = any($1::text[])
"""

# The key role of a database outside this run (another layout, a move under way) gives nothing but its own door.
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
"""

_SETTINGS: Final = """
    select d.datname as database, r.rolname as role, split_part(c, '=', 1) as name,
        substr(c, strpos(c, '=') + 1) as value
    from pg_db_role_setting s
    join pg_database d on d.oid = s.setdatabase
    join pg_roles r on r.oid = s.setrole
    cross join unnest(s.setconfig) as c
    where d.datname = any($1::text[]) and r.rolname = any($2::text[])
"""

_DATABASES: Final = """
    select d.datname as name, coalesce(r.rolname, '') as grantee, x.privilege_type as privilege, x.is_grantable
    from pg_database d
    left join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x on x.grantee <> d.datdba
    left join pg_roles r on r.oid = x.grantee
    where d.datname = any($1::text[])
"""

_SCHEMAS: Final = """
    select nspname as name, pg_get_userbyid(nspowner) as owner from pg_namespace
    where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')
"""

_RELATIONS: Final = """
    select n.nspname as schema, c.relname as name, pg_get_userbyid(c.relowner) as owner,
        case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'view' else 'table' end as kind
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any($1::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select n.nspname, quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')',
        pg_get_userbyid(p.proowner), 'function'
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = any($1::text[]) and p.prokind <> 'a'
    union all
    select n.nspname, t.typname, pg_get_userbyid(t.typowner), 'type'
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    left join pg_class c on c.oid = t.typrelid
    where n.nspname = any($1::text[]) and (t.typtype in ('e', 'd', 'r') or (t.typtype = 'c' and c.relkind = 'c'))
"""

# One row per privilege that somebody other than the object's owner holds, built-in defaults included.
_GRANTS: Final = """
    select o.kind, o.schema, o.name, o.column, coalesce(r.rolname, '') as grantee,
        x.privilege_type as privilege, x.is_grantable
    from (
        select 'schema' as kind, '' as schema, nspname::text as name, '' as column, nspowner as owner,
            coalesce(nspacl, acldefault('n', nspowner)) as acl
        from pg_namespace where nspname = any($1::text[]) or nspname = 'public'
        union all
        select 'language', '', lanname, '', lanowner, coalesce(lanacl, acldefault('l', lanowner))
        from pg_language where lanname = 'plpgsql'
        union all
        select case c.relkind when 'S' then 'sequence' else 'table' end, n.nspname, c.relname, '', c.relowner,
            coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any($1::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        union all
        select 'column', n.nspname, c.relname, a.attname, c.relowner, a.attacl
        from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = any($1::text[]) and a.attacl is not null and not a.attisdropped
        union all
        select 'function', n.nspname, quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')',
            '', p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = any($1::text[]) and p.prokind <> 'a'
        union all
        select 'type', n.nspname, t.typname, '', t.typowner, coalesce(t.typacl, acldefault('T', t.typowner))
        from pg_type t join pg_namespace n on n.oid = t.typnamespace
        left join pg_class c on c.oid = t.typrelid
        where n.nspname = any($1::text[]) and (t.typtype in ('e', 'd', 'r') or (t.typtype = 'c' and c.relkind = 'c'))
    ) o
    cross join lateral aclexplode(o.acl) x
    left join pg_roles r on r.oid = x.grantee
    where x.grantee <> o.owner
"""

_DEFAULTS: Final = """
    select w.rolname as owner, o.kind, o.schema, coalesce(r.rolname, '') as grantee, x.privilege_type as privilege
    from (
        select w.oid as owner, k.kind, '' as schema,
            coalesce(a.defaclacl, acldefault(case k.code when 'S' then 's' else k.code end::"char", w.oid)) as acl
        from pg_roles w
        cross join (
            values ('r'::"char", 'table'), ('S', 'sequence'), ('f', 'function'), ('T', 'type')
        ) as k (code, kind)
        left join pg_default_acl a on a.defaclrole = w.oid and a.defaclobjtype = k.code and a.defaclnamespace = 0
        where w.rolname = any($1::text[])
        union all
        select a.defaclrole, k.kind, n.nspname, a.defaclacl
        from pg_default_acl a
        join pg_namespace n on n.oid = a.defaclnamespace
        join (values ('r'::"char", 'table'), ('S', 'sequence'), ('f', 'function'), ('T', 'type')) as k (code, kind)
            on k.code = a.defaclobjtype
    ) o
    join pg_roles w on w.oid = o.owner
    cross join lateral aclexplode(o.acl) x
    left join pg_roles r on r.oid = x.grantee
    where w.rolname = any($1::text[]) and x.grantee <> w.oid
"""

_SELF: Final = """
    select rolname, rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user
"""


async def inspect(server: Server, declared: State, *, passwords: Passwords | None = None) -> State:
    """Read what ``declared`` speaks of: its roles, their memberships and settings, its databases.

    With ``passwords`` the caller's secrets are compared with the stored verifiers, or tried at login where the
    administrator is no superuser and cannot read them. Raises TOPOLOGY_CONNECT, PG_VERSION.
    """
    wrong: frozenset[str] = frozenset()
    async with admin_connection(server) as connection:
        state, present = await _read_instance(connection, declared)
        if passwords is not None and not state.admin:
            wrong = await _unfitting(connection, state.roles, passwords)
    if passwords is not None and state.admin:
        wrong = await _refused(server, state.roles, passwords)
    databases: dict[str, Database] = {}
    for name, grants in present.items():
        wanted = declared.databases[name]
        if not wanted.schemas:
            databases[name] = Database(name=name, grants=grants)
            continue
        async with admin_connection(server, database=name) as connection:
            databases[name] = await _read_database(connection, wanted, grants)
    return State(
        version=state.version,
        roles=state.roles,
        memberships=state.memberships,
        settings=state.settings,
        databases=databases,
        wrong_passwords=wrong,
        admin=state.admin,
        limits=state.limits,
        untouchable=state.untouchable,
    )


async def _read_instance(connection: asyncpg.Connection, declared: State) -> tuple[State, dict[str, frozenset[Grant]]]:
    names = list(declared.roles)
    databases = list(declared.databases)
    this = await connection.fetchrow(_SELF)
    admin = "" if this["rolsuper"] else str(this["rolname"])
    rows = await connection.fetch(_ROLES, names)
    roles = {
        row["rolname"]: Role(
            name=row["rolname"], attributes=tuple(row["attributes"]), connection_limit=row["rolconnlimit"]
        )
        for row in rows
    }
    owners = {owner for database in declared.databases.values() for owner in database.schemas.values()}
    memberships = _memberships(await connection.fetch(_MEMBERSHIPS, names), admin=admin, owners=owners)
    settings = frozenset(Setting(**dict(row)) for row in await connection.fetch(_SETTINGS, databases, names))
    acl: dict[str, set[Grant]] = {}
    for row in await connection.fetch(_DATABASES, databases):
        grants = acl.setdefault(row["name"], set())
        if row["privilege"] is not None:
            grants.add(_grant(row, kind="database"))
    limits = (
        (
            "usage of plpgsql cannot be taken from PUBLIC",
            "the server's own databases stay open to PUBLIC",
        )
        if admin
        else ()
    )
    state = State(
        version=int(await connection.fetchval("select current_setting('server_version_num')::int")),
        roles=roles,
        memberships=memberships,
        settings=frozenset(_normal(setting) for setting in settings),
        admin=admin,
        limits=limits,
        untouchable=frozenset({"language"}) if admin else frozenset(),
    )
    return state, {name: frozenset(grants) for name, grants in acl.items()}


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


async def _unfitting(connection: asyncpg.Connection, roles: dict[str, Role], passwords: Passwords) -> frozenset[str]:
    sql = "select rolname, rolpassword from pg_authid where rolname = any($1::text[])"
    rows = await connection.fetch(sql, _logins(roles))
    return frozenset(row["rolname"] for row in rows if not fits(passwords(row["rolname"]), row["rolpassword"]))


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


async def _read_database(connection: asyncpg.Connection, wanted: Database, grants: frozenset[Grant]) -> Database:
    schemas = list(wanted.schemas)
    owners = list(wanted.schemas.values())
    inside = await connection.fetch(_GRANTS, schemas)
    return Database(
        name=wanted.name,
        schemas={row["name"]: row["owner"] for row in await connection.fetch(_SCHEMAS)},
        grants=grants | {_grant(row, kind=row["kind"]) for row in inside},
        default_grants=frozenset(
            DefaultGrant(**{**dict(row), "grantee": row["grantee"] or PUBLIC})
            for row in await connection.fetch(_DEFAULTS, owners)
        ),
        relations=frozenset(Relation(**dict(row)) for row in await connection.fetch(_RELATIONS, schemas)),
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
