"""What PostgreSQL's catalogues tell about others: names, definitions, rights."""

from __future__ import annotations

from typing import Final

from alphintra.dataplane.attack.model import Attack, Effect, Floor, Level, Place

__all__ = ["CATALOG", "NAMES"]

_STRICT: Final = "harden to strict: SELECT on the catalogue is revoked from PUBLIC in this database"
_STRICT_FUNCTION: Final = "harden to strict: EXECUTE on the function is revoked from PUBLIC in this database"


def _name(name: str, sql: str, *, means: str, close: str = _STRICT, floor: Floor = Floor.NONE) -> Attack:
    """Return a probe that reads a shared catalogue of the victim's instance."""
    return Attack(
        name=f"names.{name}",
        place=Place.INSTANCE,
        sql=sql,
        shows=True,
        effect=Effect.LEAK,
        closed_by=Level.STRICT,
        floor=floor,
        within_role=True,
        means=means,
        close=close,
    )


def _catalog(name: str, sql: str, *, means: str, close: str = _STRICT, floor: Floor = Floor.NONE) -> Attack:
    """Return a probe that reads a catalogue of the victim's database."""
    return Attack(
        name=f"catalog.{name}",
        place=Place.DATABASE,
        sql=sql,
        shows=True,
        effect=Effect.LEAK,
        closed_by=Level.STRICT,
        floor=floor,
        within_role=True,
        means=means,
        close=close,
    )


_SECRETS: Final = tuple(
    Attack(
        name=f"names.{view}",
        place=Place.DATABASE if view == "pg_statistic" else Place.INSTANCE,
        sql=f"select {column} from pg_catalog.{view} limit 1",  # noqa: S608 - names of ours
        effect=Effect.LEAK,
        means=means,
        close=f"revoke SELECT on {view}.{column} from PUBLIC (as PostgreSQL ships it)",  # noqa: S608 - advice
    )
    for view, column, means in (
        ("pg_authid", "rolpassword", "verifiers of everybody's passwords can be read, and attacked elsewhere"),
        (
            "pg_shadow",
            "passwd",
            "verifiers of everybody's passwords can be read through a view, and attacked elsewhere",
        ),
        ("pg_user_mapping", "umoptions", "passwords for other servers can be read"),
        ("pg_subscription", "subconninfo", "passwords of subscriptions can be read"),
        ("pg_statistic", "stavalues1", "the most frequent values of other services' columns can be read"),
    )
)

NAMES: Final = (
    *_SECRETS,
    _name(
        "pg_roles",
        "select string_agg(rolname, ' ') from pg_catalog.pg_roles where rolname = any({role_names})",
        means="names and attributes of other services' roles can be read",
    ),
    _name(
        "pg_user",
        "select string_agg(usename, ' ') from pg_catalog.pg_user where usename = any({role_names})",
        means="names of other services' login roles can be read",
    ),
    _name(
        "pg_group",
        "select count(*) from pg_catalog.pg_group where groname = {database_text} or groname = any({role_names})",
        means="groups and their members can be read",
    ),
    _name(
        "pg_auth_members",
        "select count(*) from pg_catalog.pg_auth_members where {role_oid} in (roleid, member)",
        means="who belongs to which role can be read",
    ),
    _name(
        "pg_database",
        "select datname from pg_catalog.pg_database where datname = {database_text} and datname <> current_database()",
        means="names of other databases, their owners and rights can be read",
    ),
    _name(
        "pg_db_role_setting",
        "select count(*) from pg_catalog.pg_db_role_setting where setrole = {role_oid}",
        means="settings of other services' roles, such as search paths and bounds, can be read",
    ),
    _name(
        "pg_shdepend",
        "select count(*) from pg_catalog.pg_shdepend where refobjid = {role_oid}",
        means="how much other services' roles own, and in which database, can be counted",
    ),
    _name(
        "pg_shdescription",
        "select count(*) + 1 from pg_catalog.pg_shdescription where objoid in ({role_oid}, {database_oid})",
        means="comments on other services' roles and databases can be read",
    ),
    _name(
        "shobj_description",
        "select coalesce(pg_catalog.shobj_description({role_oid}, 'pg_authid'), 'none')",
        means="comments on other services' roles and databases can be read through a function",
        close=_STRICT_FUNCTION,
    ),
    _name(
        "pg_get_userbyid",
        "select nullif(pg_catalog.pg_get_userbyid({role_oid})::text = {role_text}, false)",
        means="names of roles can be listed by number through a function",
        close=_STRICT_FUNCTION,
    ),
    _name(
        "regrole",
        "select {role_oid}::oid::regrole::text = {role_text}",
        floor=Floor.SHARED_INSTANCE,
        means="names of roles can be listed by casting numbers to regrole",
        close="give the service an instance of its own: casts have no privilege",
    ),
    _name(
        "to_regrole",
        "select pg_catalog.to_regrole({role_text}) is not null",
        means="whether a role exists can be asked through a function",
        close=_STRICT_FUNCTION,
    ),
    _name(
        "has_privilege",
        "select pg_catalog.has_database_privilege({role_text}, {database_text}, 'connect')",
        means="who may connect to what can be asked",
        close=_STRICT_FUNCTION,
    ),
    _name(
        "pg_has_role",
        "select pg_catalog.pg_has_role({role_text}, 'pg_monitor', 'member') is not null",
        means="who belongs to which role can be asked",
        close=_STRICT_FUNCTION,
    ),
    _name(
        "pg_tablespace",
        "select count(*) from pg_catalog.pg_tablespace",
        means="where the instance keeps its files, and who owns that, can be read",
    ),
    _name(
        "pg_parameter_acl",
        "select count(*) + 1 from pg_catalog.pg_parameter_acl",
        means="who may set which parameter of the server can be read",
    ),
)

CATALOG: Final = (
    _catalog(
        "schemas",
        "select count(*) from pg_catalog.pg_namespace where nspname = {schema_text} and nspowner > 0",
        means="names and owners of other services' schemas can be read",
    ),
    _catalog(
        "schema_names",
        "select string_agg(nspname, ' ') from pg_catalog.pg_namespace where nspname = {schema_text}",
        means="names of other services' schemas can be read, as drivers do to learn a type",
        floor=Floor.SHARED_DATABASE,
        close="give the service a database of its own: drivers need these columns to learn types such as uuid[]",
    ),
    _catalog(
        "tables",
        "select relname from pg_catalog.pg_class where oid = {a_table_oid}",
        means="names of other services' tables can be read",
    ),
    _catalog(
        "columns",
        "select count(attname) from pg_catalog.pg_attribute where attrelid = {a_table_oid}",
        means="names and types of other services' columns can be read, as drivers do to learn a type",
        floor=Floor.SHARED_DATABASE,
        close="give the service a database of its own: drivers need these columns to learn types such as uuid[]",
    ),
    _catalog(
        "column_details",
        "select count(*) from pg_catalog.pg_attribute where attrelid = {a_table_oid} and attstattarget is null",
        means="details of other services' columns, such as rights and defaults, can be read",
    ),
    _catalog(
        "types",
        "select string_agg(typname, ' ') from pg_catalog.pg_type where typnamespace = {schema_oid}",
        means="names of other services' types, and so of its tables, can be read, as drivers do to learn a type",
        floor=Floor.SHARED_DATABASE,
        close="give the service a database of its own: drivers need these columns to learn types such as uuid[]",
    ),
    _catalog(
        "names_by_number",
        "select {a_table_oid}::oid::regclass::text || ' ' || {schema_oid}::oid::regnamespace::text || ' ' "
        "|| {a_function_oid}::oid::regproc::text",
        means="names of other services' schemas, tables and functions can be listed by casting numbers to regclass",
        floor=Floor.SHARED_DATABASE,
        close="give the service a database of its own: casts have no privilege",
    ),
    _catalog(
        "row_estimates",
        "select reltuples::text || ' rows' from pg_catalog.pg_class where oid = {a_table_oid}",
        means="how many rows other services' tables hold can be estimated",
    ),
    _catalog(
        "rights",
        "select coalesce(relacl::text, 'owner only') from pg_catalog.pg_class where oid = {a_table_oid}",
        means="who has which right on other services' tables can be read",
    ),
    _catalog(
        "pg_tables",
        "select count(*) from pg_catalog.pg_tables where schemaname = {schema_text}",
        means="names and owners of other services' tables can be read through a view",
    ),
    _catalog(
        "information_schema",
        "select count(*) from information_schema.tables where table_schema = {schema_text}",
        means="tables of other services that the attacker has a right on are listed",
    ),
    _catalog(
        "information_schema_routines",
        "select count(*) from information_schema.routines where routine_schema = {schema_text}",
        means="functions of other services that the attacker has a right on are listed",
    ),
    _catalog(
        "information_schema_schemata",
        "select count(*) from information_schema.schemata where schema_name = {schema_text}",
        means="schemas of other services that the attacker owns are listed",
    ),
    _catalog(
        "function_names",
        "select string_agg(proname, ' ') from pg_catalog.pg_proc where pronamespace = {schema_oid}",
        means="names of other services' functions can be read",
    ),
    _catalog(
        "function_source",
        "select count(prosrc) from pg_catalog.pg_proc where pronamespace = {schema_oid}",
        means="source text of other services' functions can be read",
    ),
    _catalog(
        "pg_get_functiondef",
        "select length(pg_catalog.pg_get_functiondef({a_function_oid}))",
        means="source text of other services' functions can be read through a function",
        close=_STRICT_FUNCTION,
    ),
    _catalog(
        "pg_views",
        "select count(*) + 1 from pg_catalog.pg_views where schemaname = {schema_text} and definition is not null",
        means="texts of other services' views can be read",
    ),
    _catalog(
        "pg_get_viewdef",
        "select coalesce(pg_catalog.pg_get_viewdef({a_table_oid}::oid), 'none')",
        means="texts of other services' views can be read through a function",
        close=_STRICT_FUNCTION,
    ),
    _catalog(
        "pg_matviews",
        "select count(*) + 1 from pg_catalog.pg_matviews where schemaname = {schema_text}",
        means="texts of other services' materialised views can be read",
    ),
    _catalog(
        "constraints",
        "select count(*) from pg_catalog.pg_constraint where connamespace = {schema_oid}",
        means="constraints of other services' tables can be read",
    ),
    _catalog(
        "pg_get_constraintdef",
        "select string_agg(pg_catalog.pg_get_constraintdef(oid), '; ') from generate_series({a_table_oid}, "
        "{a_table_oid} + 300) as oid",
        means="texts of other services' constraints, and so their rules, can be read by number through a function",
        close=_STRICT_FUNCTION,
    ),
    _catalog(
        "indexes",
        "select count(indexdef) from pg_catalog.pg_indexes where schemaname = {schema_text}",
        means="definitions of other services' indexes can be read",
    ),
    _catalog(
        "pg_get_indexdef",
        "select string_agg(pg_catalog.pg_get_indexdef(oid), '; ') from generate_series({a_table_oid}, "
        "{a_table_oid} + 300) as oid",
        means="definitions of other services' indexes can be read by number through a function",
        close=_STRICT_FUNCTION,
    ),
    _catalog(
        "pg_index",
        "select count(*) from pg_catalog.pg_index where indrelid = {a_table_oid}",
        means="which columns of other services' tables are keys can be read",
    ),
    _catalog(
        "triggers",
        "select count(*) + 1 from pg_catalog.pg_trigger where tgrelid >= {schema_oid}",
        means="triggers of other services' tables can be read",
    ),
    _catalog(
        "comments",
        "select count(*) + 1 from pg_catalog.pg_description where objoid >= {schema_oid}",
        means="comments on other services' objects can be read",
    ),
    _catalog(
        "obj_description",
        "select coalesce(pg_catalog.obj_description({a_table_oid}, 'pg_class'), 'none')",
        means="comments on other services' objects can be read through a function",
        close=_STRICT_FUNCTION,
    ),
    _catalog(
        "defaults",
        "select count(*) + 1 from pg_catalog.pg_attrdef where adrelid >= {schema_oid}",
        means="default expressions of other services' columns can be read",
    ),
    _catalog(
        "rules",
        "select count(*) + 1 from pg_catalog.pg_rewrite where ev_class >= {schema_oid}",
        means="rules and view trees of other services can be read",
    ),
    _catalog(
        "policies",
        "select count(*) + 1 from pg_catalog.pg_policy",
        means="row policies of other services can be read",
    ),
    _catalog(
        "dependencies",
        "select count(*) from pg_catalog.pg_depend where refobjid = {a_table_oid}",
        means="what depends on other services' tables can be read",
    ),
    _catalog(
        "inheritance",
        "select count(*) + 1 from pg_catalog.pg_inherits",
        means="partitions of other services' tables can be read",
    ),
    _catalog(
        "sequences",
        "select count(*) + 1 from pg_catalog.pg_sequences where schemaname = {schema_text}",
        means="sequences of other services can be read",
    ),
    _catalog(
        "default_rights",
        "select count(*) + 1 from pg_catalog.pg_default_acl",
        means="which rights other services' future tables will carry can be read",
    ),
    _catalog(
        "publications",
        "select count(*) + 1 from pg_catalog.pg_publication",
        means="what other services publish can be read",
    ),
    _catalog(
        "foreign_servers",
        "select count(*) + 1 from pg_catalog.pg_foreign_server",
        means="addresses of other servers that services of the database connect to can be read",
    ),
    _catalog(
        "extensions",
        "select count(*) from pg_catalog.pg_extension",
        means="installed extensions and their versions can be read",
    ),
    _catalog(
        "event_triggers",
        "select count(*) + 1 from pg_catalog.pg_event_trigger",
        means="event triggers of the database can be read",
    ),
    _catalog(
        "has_table_privilege",
        "select pg_catalog.has_table_privilege({role_text}, {a_table_oid}::oid, 'select') is not null",
        means="which rights other services have on their tables can be asked",
        close=_STRICT_FUNCTION,
    ),
    Attack(
        name="catalog.schema_to_xml",
        place=Place.DATABASE,
        sql="select length(pg_catalog.schema_to_xml_and_xmlschema({schema_text}, false, false, '')::text) > 1000",
        shows=True,
        effect=Effect.LEAK,
        closed_by=Level.STRICT,
        within_role=True,
        refusals=frozenset({"0A000"}),  # built without XML
        means="other services' tables can be dumped as XML",
        close=_STRICT_FUNCTION,
    ),
)
