"""Who may use PostgreSQL's own catalogue, database by database, as far as it differs from what is declared.

An object of the catalogue has the same number in every database of an instance. So the patterns of the closures are
resolved once, and each database is asked only what it has otherwise: in a database as declared, nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.hardening import CATALOG_READER
from alphintra.dataplane.model import PUBLIC, Database, Grant

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from alphintra.dataplane.model import Closure

__all__ = ["Catalogue", "catalogue_rights", "read_catalogue"]

# Objects closures speak of, and what PUBLIC has on them in a new database. Numbers below 16384 are the system's own.
_CLOSED: Final = """
    with closure as materialized (
        select * from unnest($1::text[], $2::text[], $3::boolean[]) with ordinality as c (kind, pattern, readable, rank)
    ), object as materialized (
        select 'table' as kind, c.oid, 0 as sub, c.relname::text as name, '' as "column",
            coalesce(i.initprivs, c.relacl, acldefault('r', c.relowner)) as acl
        from pg_class c
        left join pg_init_privs i on i.objoid = c.oid and i.classoid = 'pg_class'::regclass and i.objsubid = 0
        where c.oid < 16384 and c.relnamespace = 'pg_catalog'::regnamespace and c.relkind in ('r', 'v')
        union all
        select 'table', c.oid, a.attnum, c.relname::text, a.attname::text, i.initprivs
        from pg_init_privs i
        join pg_class c on c.oid = i.objoid
        join pg_attribute a on a.attrelid = c.oid and a.attnum = i.objsubid
        where i.classoid = 'pg_class'::regclass and i.objsubid > 0 and c.relnamespace = 'pg_catalog'::regnamespace
        union all
        select 'function', p.oid, 0, p.proname::text, '',
            coalesce(i.initprivs, acldefault('f', p.proowner))
        from pg_proc p
        left join pg_init_privs i on i.objoid = p.oid and i.classoid = 'pg_proc'::regclass and i.objsubid = 0
        where p.oid < 16384 and p.pronamespace = 'pg_catalog'::regnamespace
            and p.proname ~ (select string_agg(pattern, '|') from closure where kind = 'function')
    )
    select o.kind, o.oid, o.sub, o."column", c.readable, x.privilege_type as privilege,
        case o.kind when 'table' then o.name
            else (select quote_ident(o.name) || '(' || oidvectortypes(p.proargtypes) || ')'
            from pg_proc p where p.oid = o.oid) end as name
    from object o
    cross join lateral (
        select c.readable from closure c where c.kind = o.kind and o.name ~ c.pattern order by c.rank limit 1
    ) c
    left join lateral aclexplode(o.acl) x on x.grantee = 0
"""

# What is there and should not be, and what should and is not: against a new database, less PUBLIC where it is closed,
# plus the readers there. PostgreSQL keeps no record of what information_schema grants from the start: all but its
# inner views, to PUBLIC.
_DIFFERENCES: Final = """
    with closed as materialized (
        select * from unnest($1::oid[], $2::boolean[], $3::boolean[]) as c (oid, is_table, readable)
    ), reader as materialized (
        select coalesce((select oid from pg_roles where rolname = $4), 4294967295::oid) as oid -- to be made
    ), object as materialized (
        select 'table' as kind, 'pg_class'::regclass::oid as class, c.oid, 0 as sub, c.relnamespace as schema,
            c.relowner as owner, s.oid is not null as is_closed, coalesce(s.readable, false) as readable,
            coalesce(c.relacl, acldefault('r', c.relowner)) as acl,
            case when c.relnamespace = 'pg_catalog'::regnamespace then acldefault('r', c.relowner)
                when c.relname ~ '^(_pg_.*|sql_parts|transforms)$' then acldefault('r', c.relowner)
                else acldefault('r', c.relowner) || makeaclitem(0, c.relowner, 'SELECT', false) end as initial
        from pg_class c
        left join closed s on s.is_table and s.oid = c.oid
        where c.oid < 16384 and c.relkind in ('r', 'v') and (s.oid is not null or c.relacl is not null)
            and c.relnamespace in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
        union all
        select 'column', 'pg_class'::regclass, c.oid, a.attnum, c.relnamespace,
            c.relowner, s.oid is not null, coalesce(s.readable, false),
            coalesce(a.attacl, acldefault('c', c.relowner)), acldefault('c', c.relowner)
        from pg_attribute a
        join pg_class c on c.oid = a.attrelid
        left join closed s on s.is_table and s.oid = c.oid
        left join pg_init_privs i on i.objoid = c.oid and i.classoid = 'pg_class'::regclass and i.objsubid = a.attnum
        where c.oid < 16384 and (a.attacl is not null or i.objoid is not null)
            and c.relnamespace in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
        union all
        select 'function', 'pg_proc'::regclass, p.oid, 0, p.pronamespace,
            p.proowner, s.oid is not null, coalesce(s.readable, false),
            coalesce(p.proacl, acldefault('f', p.proowner)), acldefault('f', p.proowner)
        from pg_proc p
        left join closed s on not s.is_table and s.oid = p.oid
        where p.oid < 16384 and (s.oid is not null or p.proacl is not null)
    ), expected as materialized (
        select o.*, coalesce(i.initprivs, o.initial) as base
        from object o
        left join pg_init_privs i on i.objoid = o.oid and i.classoid = o.class and i.objsubid = o.sub
    ), want as (
        select e.class, e.oid, e.sub, x.grantee, x.privilege_type, x.is_grantable
        from expected e cross join aclexplode(e.base) x
        where x.grantee <> e.owner and not (e.is_closed and x.grantee = 0)
        union
        select e.class, e.oid, e.sub, reader.oid, x.privilege_type, false
        from expected e cross join aclexplode(e.base) x cross join reader
        where e.readable and x.grantee = 0 and x.privilege_type in ('SELECT', 'EXECUTE')
    ), have as (
        select e.class, e.oid, e.sub, x.grantee, x.privilege_type, x.is_grantable
        from expected e cross join aclexplode(e.acl) x
        where x.grantee <> e.owner
    ), difference as (
        (select true as is_there, a.* from (select * from have except select * from want) a)
        union all
        (select false, b.* from (select * from want except select * from have) b)
    )
    select d.is_there, e.kind, n.nspname as schema, d.privilege_type as privilege, d.is_grantable,
        coalesce(r.rolname, case when d.grantee = 0 then '' else $4 end) as grantee,
        case e.kind when 'function' then
            (select quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')'
            from pg_proc p where p.oid = d.oid)
        else (select c.relname::text from pg_class c where c.oid = d.oid) end as name,
        coalesce((select a.attname from pg_attribute a where e.kind = 'column' and a.attrelid = d.oid
            and a.attnum = d.sub), '') as "column"
    from difference d
    join expected e using (class, oid, sub)
    join pg_namespace n on n.oid = e.schema
    left join pg_roles r on r.oid = d.grantee
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The objects that closures speak of in one version of PostgreSQL.

    Attributes:
        numbers: of the objects.
        tables: whether each is a table or view; a function otherwise.
        readable: whether readers keep their right on each.
        fresh: what a database just created lacks and has too much.
    """

    numbers: Sequence[int] = ()
    tables: Sequence[bool] = ()
    readable: Sequence[bool] = ()
    fresh: Database


async def read_catalogue(connection: asyncpg.Connection, closures: Sequence[Closure]) -> Catalogue:
    """Find the objects that closures speak of; same in each database of the instance."""
    rows = []
    if closures:
        kinds, patterns, readable = zip(
            *((item.kind, item.pattern, item.is_readable) for item in closures), strict=True
        )
        rows = await connection.fetch(_CLOSED, kinds, patterns, readable)
    objects = {(row["kind"], row["oid"]): row for row in rows}
    open_to_all = {_default(row, grantee=PUBLIC) for row in rows if row["privilege"]}
    of_readers = {
        _default(row, grantee=CATALOG_READER)
        for row in rows
        if row["readable"] and row["privilege"] in {"SELECT", "EXECUTE"}
    }
    return Catalogue(
        numbers=[oid for _, oid in objects],
        tables=[kind == "table" for kind, _ in objects],
        readable=[row["readable"] for row in objects.values()],
        fresh=Database(name="", grants=frozenset(open_to_all), missing=frozenset(of_readers)),
    )


async def catalogue_rights(
    connection: asyncpg.Connection, catalogue: Catalogue
) -> tuple[frozenset[Grant], frozenset[Grant]]:
    """Return the rights on the catalogue that a database has beyond what closures leave, and those it lacks."""
    rows = await connection.fetch(_DIFFERENCES, catalogue.numbers, catalogue.tables, catalogue.readable, CATALOG_READER)
    there = frozenset(_grant(row) for row in rows if row["is_there"])
    return there, frozenset(_grant(row) for row in rows if not row["is_there"])


def _default(row: asyncpg.Record, *, grantee: str) -> Grant:
    return Grant(
        kind="column" if row["column"] else row["kind"],
        schema="pg_catalog",
        name=row["name"],
        column=row["column"],
        grantee=grantee,
        privilege=row["privilege"],
    )


def _grant(row: asyncpg.Record) -> Grant:
    return Grant(
        kind=row["kind"],
        schema=row["schema"],
        name=row["name"],
        column=row["column"],
        grantee=row["grantee"] or PUBLIC,
        privilege=row["privilege"],
        grantable=row["is_grantable"],
    )
