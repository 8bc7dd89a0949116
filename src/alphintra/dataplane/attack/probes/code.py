"""Code, objects and data of one's own: what a running service can make, alter or rewrite in its own database."""

from __future__ import annotations

from typing import Final

from alphintra.dataplane.attack.model import Attack, Level, Place

__all__ = ["CODE", "OWN"]

_SHIPPED: Final = "take SUPERUSER from the attacker's role"
_CREATE_DATABASE: Final = "revoke CREATE on the database from the running service's role and from PUBLIC"
_CREATE_SCHEMA: Final = "let the owner role own the schema, and revoke CREATE on it from the running service's role"
# The server does not have the extension's files; it is there already, and its own probes tell what it gives.
_NOT_INSTALLED: Final = frozenset({"0A000", "42710"})
_UNFIT: Final = frozenset({"42P17"})  # past the right, what is named does not fit
_ABSENT: Final = frozenset({"42704"})  # there is no wrapper of that name to use


def _code(
    name: str,
    sql: str,
    *,
    means: str,
    close: str,
    closed_by: Level = Level.USUAL,
    proofs: frozenset[str] = frozenset(),
) -> Attack:
    """Return a probe of code and of ways out of the database."""
    return Attack(
        name=f"code.{name}",
        place=Place.SELF,
        sql=sql,
        refusals=_NOT_INSTALLED,
        proofs=proofs,
        closed_by=closed_by,
        means=means,
        close=close,
    )


def _untrusted(name: str, *, means: str) -> Attack:
    return _code(f"extension_{name}", f"create extension {name} schema {{own_schema}}", means=means, close=_SHIPPED)


def _ddl(name: str, sql: str, *, means: str, proofs: frozenset[str] = frozenset()) -> Attack:
    """Return a probe of what only the owner of a schema should do, as usually every service can."""
    return Attack(
        name=f"own.{name}",
        place=Place.SELF,
        sql=sql,
        proofs=proofs,
        closed_by=Level.HARDENED,
        means=means,
        close=_CREATE_SCHEMA,
    )


def _audit(name: str, sql: str, *, means: str) -> Attack:
    """Return a probe of the log that even the service itself must not rewrite."""
    return Attack(
        name=f"own.audit_{name}",
        place=Place.SELF,
        each="own_audit",
        sql=sql,
        refusals=frozenset({"42809"}),  # a view, whose table is tried too
        closed_by=Level.HARDENED,
        means=means,
        close="let the owner role own the table, and leave the running service SELECT and INSERT alone",
    )


CODE: Final = (
    _code(
        "do_block",
        "do $$ begin perform 1; end $$",
        closed_by=Level.HARDENED,
        means="programs can be run in the server: loops that try names, locks and passwords without a round trip",
        close="revoke USAGE on language plpgsql from PUBLIC",
    ),
    _code(
        "language",
        "create language plpython3u",
        means="an untrusted language can be installed: code runs as the server's account",
        close=_SHIPPED,
    ),
    _code(
        "c_function",
        "create function {own_schema}.{token}() returns int language c as 'nothing', 'nothing'",
        proofs=frozenset({"58P01"}),  # past the right, there is no such library
        means="functions of any library can be called: code runs as the server's account",
        close=_SHIPPED,
    ),
    _code(
        "internal_function",
        "create function {own_schema}.{token}(internal) returns int language internal as 'int4in'",
        means="functions inside the server can be called past their checks",
        close=_SHIPPED,
    ),
    _untrusted("dblink", means="the server can be made to connect, as itself or with guessed passwords, to anything"),
    _untrusted("postgres_fdw", means="tables of other databases can be attached"),
    _untrusted("file_fdw", means="files of the server can be attached as tables"),
    _untrusted("pageinspect", means="pages of every table can be read, past all grants"),
    _untrusted("pg_stat_statements", means="statements of other services can be collected"),
    _code(
        "extension_trusted",
        "create extension hstore schema {own_schema}",
        closed_by=Level.HARDENED,
        means="trusted extensions can be installed, whose objects then belong to the superuser",
        close=_CREATE_DATABASE,
    ),
    Attack(
        name="code.dblink_call",
        place=Place.DATABASE,
        each="dblink",
        sql="select {dblink}.dblink_connect('connect_timeout=1 hostaddr=127.0.0.1 port=1')",
        proofs=frozenset({"08001", "2F003"}),
        means="the server can be made to connect to other databases with guessed passwords",
        close="revoke USAGE on dblink's schema and EXECUTE on its functions from PUBLIC, or drop the extension",
    ),
    Attack(
        name="code.use_foreign_server",
        place=Place.DATABASE,
        each="foreign_server",
        sql="create user mapping for current_user server {server}",
        means="connections to other servers that somebody defined can be used",
        close="revoke USAGE on the foreign server from the attacker's role and from PUBLIC",
    ),
    _code(
        "foreign_data_wrapper",
        "create foreign data wrapper {token}",
        means="ways to other data can be made",
        close=_SHIPPED,
    ),
    Attack(
        name="code.foreign_server",
        place=Place.SELF,
        sql="create server {token} foreign data wrapper postgres_fdw",
        refusals=_ABSENT,
        means="connections to other servers can be defined",
        close="revoke USAGE on the foreign data wrapper",
    ),
    _code(
        "event_trigger",
        "create event trigger {token} on ddl_command_start "
        "execute function pg_catalog.suppress_redundant_updates_trigger()",
        proofs=_UNFIT,
        means="code of the attacker runs with everybody's schema changes",
        close=_SHIPPED,
    ),
    _code(
        "cast",
        "create cast (int4 as int2) without function",
        proofs=_UNFIT,
        means="casts can be made to lie",
        close=_SHIPPED,
    ),
    _code(
        "access_method",
        "create access method {token} type index handler bthandler",
        means="code of the server's own can be put under indexes",
        close=_SHIPPED,
    ),
    _code(
        "operator_class",
        "create operator class {own_schema}.{token} for type int4 using btree as operator 1 <",
        means="indexes can be made to lie",
        close=_SHIPPED,
    ),
    _code(
        "base_type",
        "create type {own_schema}.{token} (input = int4in, output = int4out)",
        proofs=frozenset({"42710"}),  # past the right, its functions are wanted first
        means="types that read memory can be made",
        close=_SHIPPED,
    ),
    _code(
        "text_search",
        "create text search parser {own_schema}.{token} (start = prsd_start, gettoken = prsd_nexttoken, "
        "end = prsd_end, lextypes = prsd_lextype)",
        means="code of the server's own can be put under searches",
        close=_SHIPPED,
    ),
    _code(
        "import_collations",
        "select pg_catalog.pg_import_system_collations('pg_catalog')",
        means="the system catalogue can be filled",
        close="revoke EXECUTE on pg_import_system_collations (as PostgreSQL ships it)",
    ),
)

OWN: Final = (
    _ddl("create_table", "create table {own_schema}.{token} ()", means="a running service can make tables"),
    _ddl(
        "create_function",
        "create function {own_schema}.{token}() returns int language sql as 'select 1'",
        means="a running service can make functions: stolen once, it leaves code behind",
    ),
    _ddl(
        "create_view", "create view {own_schema}.{token} as select 1 as one", means="a running service can make views"
    ),
    _ddl("create_sequence", "create sequence {own_schema}.{token}", means="a running service can make sequences"),
    _ddl("create_type", "create type {own_schema}.{token} as enum ('a')", means="a running service can make types"),
    _ddl("create_domain", "create domain {own_schema}.{token} as int", means="a running service can make domains"),
    _ddl(
        "create_operator",
        "create operator {own_schema}.=== (leftarg = int4, rightarg = int4, function = int4eq)",
        means="a running service can make operators that its statements find first",
    ),
    _ddl(
        "create_aggregate",
        "create aggregate {own_schema}.{token} (int4) (sfunc = int4pl, stype = int4)",
        means="a running service can make aggregates",
    ),
    _ddl(
        "create_collation",
        'create collation {own_schema}.{token} from "C"',
        means="a running service can make collations",
    ),
    _ddl(
        "alter_table", "alter table {own_table} add column {token} int", means="a running service can alter its tables"
    ),
    _ddl(
        "drop_table",
        "drop table {own_table}",
        means="a running service, once stolen, can drop its tables",
        proofs=frozenset({"2BP01"}),
    ),
    _ddl(
        "grant_public",
        "grant select on {own_table} to public",
        means="a running service can give its rows to everybody",
    ),
    _ddl(
        "grant_schema",
        "grant usage on schema {own_schema} to public",
        means="a running service can open its schema to everybody",
    ),
    _ddl(
        "drop_schema",
        "drop schema {own_schema}",
        means="a running service, once stolen, can drop all it has",
        proofs=frozenset({"2BP01"}),
    ),
    _audit(
        "update",
        "update {own_audit} set {own_audit_column} = default where false",
        means="a running service can rewrite its own audit log",
    ),
    _audit("delete", "delete from {own_audit} where false", means="a running service can delete from its audit log"),
    _audit("truncate", "truncate {own_audit}", means="a running service can empty its own audit log"),
    _audit(
        "disable_triggers",
        "alter table {own_audit} disable trigger user",
        means="a running service can switch off what guards its audit log",
    ),
    Attack(
        name="own.create_schema",
        place=Place.SELF,
        sql="create schema {token}",
        closed_by=Level.HARDENED,
        means="a running service can make schemas, where nobody looks",
        close=_CREATE_DATABASE,
    ),
    Attack(
        name="own.create_in_public",
        place=Place.SELF,
        sql="create table public.{token} ()",
        means="a running service can make tables in public",
        close="revoke CREATE on schema public from PUBLIC",
    ),
    Attack(
        name="own.temporary_table",
        place=Place.SELF,
        sql="create temporary table {token} ()",
        closed_by=Level.HARDENED,
        means="temporary tables can be made: they hide the real ones wherever pg_temp is looked through first",
        close="revoke TEMPORARY on the database from PUBLIC and from the running service's role",
    ),
    Attack(
        name="own.temporary_function",
        place=Place.SELF,
        sql="create function pg_temp.{token}() returns int language sql as 'select 1'",
        closed_by=Level.HARDENED,
        means="temporary functions can be made, and handed to code that runs with other rights",
        close="revoke TEMPORARY on the database from PUBLIC and from the running service's role",
    ),
    Attack(
        name="own.default_privileges",
        place=Place.SELF,
        sql="alter default privileges for role {own_owner} grant select on tables to public",
        closed_by=Level.HARDENED,
        means="a running service can open the tables its migrations will make",
        close="take the running service's role out of its owner role",
    ),
)
