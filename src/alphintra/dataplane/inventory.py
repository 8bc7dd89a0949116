"""What else there is in a database and in an instance: all that no plan makes or drops, so that it can be reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alphintra.dataplane.model import Thing

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from alphintra.dataplane.model import State

__all__ = ["things_in_database", "things_on_instance"]

# Numbers below 16384 are the system's own. $1: schemas whose tables and sequences are looked at elsewhere.
_IN_DATABASE: Final = """
    select 'function' as kind, n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
        as name
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid >= 16384 and n.nspname !~ '^pg_temp_'
    union all
    select case t.tgenabled when 'D' then 'disabled trigger' when 'R' then 'trigger for replication only'
        else 'trigger' end, n.nspname || '.' || c.relname || '.' || t.tgname
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where not t.tgisinternal and n.nspname !~ '^pg_temp_'
    union all
    select 'rule', n.nspname || '.' || c.relname || '.' || r.rulename
    from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
    where r.oid >= 16384 and r.rulename <> '_RETURN'
    union all
    select 'policy', n.nspname || '.' || c.relname || '.' || p.polname
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
    union all
    select 'row security of', n.nspname || '.' || c.relname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relrowsecurity or c.relforcerowsecurity
    union all
    select case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'view' else 'table' end,
        n.nspname || '.' || c.relname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid >= 16384 and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname <> all ($1::text[])
        and n.nspname !~ '^pg_temp_' -- of a session, and gone with it
    union all
    select 'sequence', n.nspname || '.' || c.relname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'S' and n.nspname = any ($1::text[]) and not exists (
        select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refobjsubid > 0 and d.deptype in ('a', 'i')
    )
    union all
    select 'type', n.nspname || '.' || t.typname
    from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
    where t.oid >= 16384 and n.nspname !~ '^pg_temp_'
        and (t.typtype in ('d', 'e', 'r') or (t.typtype = 'b' and t.typelem = 0) or c.relkind = 'c')
    union all
    select 'owner of schema', nspname || ', ' || pg_get_userbyid(nspowner)
    from pg_namespace
    where (oid < 16384 and nspname <> 'public' and nspowner <> 10)
        or (nspname = 'public' and nspowner <> 10 and pg_get_userbyid(nspowner) <> 'pg_database_owner')
    union all
    select 'owner of', 'pg_catalog.' || relname || ', ' || pg_get_userbyid(relowner)
    from pg_class where oid < 16384 and relkind in ('r', 'v') and relowner <> 10
    union all
    select 'owner of', 'pg_catalog.' || proname || ', ' || pg_get_userbyid(proowner)
    from pg_proc where oid < 16384 and proowner <> 10
    union all
    select 'event trigger', evtname from pg_event_trigger
    union all
    select 'extension', extname from pg_extension where oid >= 16384
    union all
    select 'foreign data wrapper', fdwname from pg_foreign_data_wrapper
    union all
    select 'foreign server', srvname from pg_foreign_server
    union all
    select 'user mapping', srvname || ' of ' || usename from pg_user_mappings
    union all
    select 'publication', pubname from pg_publication
    union all
    select 'subscription', s.subname
    from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database()
    union all
    select 'large object', m.oid || ' of ' || pg_get_userbyid(m.lomowner) from pg_largeobject_metadata m
    union all
    select 'language', lanname from pg_language where oid >= 16384
    union all
    select 'access method', amname from pg_am where oid >= 16384
    union all
    select 'cast', format_type(castsource, null) || ' as ' || format_type(casttarget, null)
    from pg_cast where oid >= 16384
    union all
    select 'operator', oid::regoperator::text from pg_operator where oid >= 16384
    union all
    select 'operator class', opcname from pg_opclass where oid >= 16384
    union all
    select 'operator family', opfname from pg_opfamily where oid >= 16384
    union all
    select 'collation', collname from pg_collation where oid >= 16384
    union all
    select 'conversion', conname from pg_conversion where oid >= 16384
    union all
    select 'transform', format_type(trftype, null) from pg_transform where oid >= 16384
    union all
    select 'text search configuration', cfgname from pg_ts_config where oid >= 16384
    union all
    select 'text search dictionary', dictname from pg_ts_dict where oid >= 16384
    union all
    select 'text search parser', prsname from pg_ts_parser where oid >= 16384
    union all
    select 'text search template', tmplname from pg_ts_template where oid >= 16384
    union all
    select 'extended statistics', stxname from pg_statistic_ext
    union all
    select 'security label', provider || ': ' || label from pg_seclabel
"""

# $1: our roles, $2: our databases, $3: whether the instance is ours alone, $4: the administrator.
_ON_INSTANCE: Final = """
    select 'role' as kind, rolname::text as name
    from pg_roles where $3 and oid >= 16384 and rolname <> all ($1::text[]) and rolname <> $4
    union all
    select 'database', datname from pg_database
    where $3 and oid >= 16384 and datname <> all ($2::text[])
    union all
    select 'tablespace', spcname from pg_tablespace where $3 and oid >= 16384
    union all
    select 'replication slot', slot_name from pg_replication_slots
    where not temporary and ($3 or database = any ($2::text[]))
    union all
    select 'prepared transaction', gid from pg_prepared_xacts where database = any ($2::text[])
    union all
    select 'replication origin', roname from pg_replication_origin where $3
    union all
    select 'database without connections', datname from pg_database
    where datname = any ($2::text[]) and (not datallowconn or datconnlimit <> -1)
    union all
    select 'template database', datname from pg_database
    where datname = any ($2::text[]) and datistemplate and datname <> 'template1'
    union all
    select 'security label', provider || ': ' || label from pg_shseclabel where $3
"""

# What ALTER SYSTEM has set; our own configuration is written at every start.
_ALTERED: Final = """
    select distinct 'setting by ALTER SYSTEM' as kind, name
    from pg_file_settings where sourcefile ~ 'postgresql[.]auto[.]conf$'
"""


async def things_in_database(connection: asyncpg.Connection, schemas: Iterable[str]) -> frozenset[Thing]:
    """Return what a database holds beside tables and sequences of the given schemas and the system's own."""
    rows = await connection.fetch(_IN_DATABASE, list(schemas))
    return frozenset(Thing(kind=row["kind"], name=row["name"]) for row in rows)


async def things_on_instance(
    connection: asyncpg.Connection, declared: State, *, operator: str, is_superuser: bool
) -> frozenset[Thing]:
    """Return what an instance holds beside what is declared; of an instance shared with others, only what is ours."""
    databases = list(declared.databases)
    rows = await connection.fetch(_ON_INSTANCE, list(declared.roles), databases, declared.is_exclusive, operator)
    if declared.is_exclusive and is_superuser:
        rows += await connection.fetch(_ALTERED)
    return frozenset(Thing(kind=row["kind"], name=row["name"]) for row in rows)
