"""Holes that are planted, one at a time, and the findings each must bring up."""

from __future__ import annotations

from dataclasses import dataclass

from fixtures.postgres import password_of

VICTIM = "risk_schema"
ATTACKER = "trading_service_user"
TABLE = f"{VICTIM}.assessments"
OWN = "trading_schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """What is done as superuser, how it is undone, and what must get through then and did not before.

    One that is not exact opens more, with whatever PostgreSQL's version has.
    """

    name: str
    plant: tuple[str, ...]
    undo: tuple[str, ...]
    opens: frozenset[str]
    database: str = "alphintra_central"
    is_exact: bool = True
    is_quick: bool = False


def hole(name: str, plant: str, undo: str, *opens: str, is_quick: bool = False, is_exact: bool = True) -> Hole:
    """Return a hole of statements parted by semicolons, inside the database both services share."""
    return Hole(
        name=name,
        plant=tuple(plant.split("; ")),
        undo=tuple(undo.split("; ")),
        opens=frozenset(opens),
        is_quick=is_quick,
        is_exact=is_exact,
    )


def granted(privilege: str, *opens: str, is_quick: bool = False) -> Hole:
    """Return the hole of one privilege on one of the victim's tables."""
    return hole(
        f"{privilege} on a table",
        f"grant usage on schema {VICTIM} to {ATTACKER}; grant {privilege} on {TABLE} to {ATTACKER}",
        f"revoke {privilege} on {TABLE} from {ATTACKER}; revoke usage on schema {VICTIM} from {ATTACKER}",
        "schema.usage",
        *opens,
        is_quick=is_quick,
    )


def attribute(word: str, undo: str, *opens: str) -> Hole:
    """Return the hole of one attribute of the attacker's role."""
    return hole(f"role {word}", f"alter role {ATTACKER} {word}", f"alter role {ATTACKER} {undo}", *opens)


HOLES = (
    hole(
        "own tables",
        f"alter table {OWN}.outbox owner to {ATTACKER}",
        f"alter table {OWN}.outbox owner to trading_owner; "
        f"grant select, insert, update, delete on {OWN}.outbox to {ATTACKER}",
        "own.alter_table",
        "own.drop_table",
        "own.grant_public",
    ),
    hole(
        "create in its own schema",
        f"grant create on schema {OWN} to {ATTACKER}",
        f"revoke create on schema {OWN} from {ATTACKER}",
        "own.create_aggregate",
        "own.create_collation",
        "own.create_domain",
        "own.create_function",
        "own.create_operator",
        "own.create_sequence",
        "own.create_table",
        "own.create_type",
        "own.create_view",
    ),
    hole(
        "create in the database",
        f"grant create on database alphintra_central to {ATTACKER}",
        f"revoke create on database alphintra_central from {ATTACKER}",
        "code.extension_trusted",
        "own.create_schema",
        "replication.publication",
        "schema.create_schema",
    ),
    hole(
        "ownership of a table it can name",
        f"alter table {TABLE} owner to {ATTACKER}; grant usage on schema {VICTIM} to {ATTACKER}",
        f"revoke usage on schema {VICTIM} from {ATTACKER}; alter table {TABLE} owner to risk_owner",
        "data.analyze",
        "data.delete",
        "data.insert",
        "data.read",
        "data.read_column",
        "data.read_lock",
        "data.row_lock",
        "data.table_lock",
        "data.trigger",
        "data.truncate",
        "data.update",
        "schema.alter_table",
        "schema.comment",
        "schema.drop_table",
        "schema.grant_table",
        "schema.own_table",
        "schema.policy",
        "schema.reindex",
        "schema.rule",
        "schema.usage",
    ),
    hole(
        "one password for two",
        f"alter role risk_reader password '{password_of(ATTACKER)}'",
        f"alter role risk_reader password '{password_of('risk_reader')}'",
        "connect.as_victim",
    ),
    hole(
        "its own owner",
        f"grant trading_owner to {ATTACKER} with inherit false, set true",
        f"revoke trading_owner from {ATTACKER}",
        "own_role.set_sibling",
    ),
    hole(
        "grant option",
        f"grant usage on schema {VICTIM} to {ATTACKER} with grant option",
        f"revoke usage on schema {VICTIM} from {ATTACKER}",
        "schema.grant",
        "schema.usage",
    ),
    hole(
        "the victim's schema",
        f"alter schema {VICTIM} owner to {ATTACKER}",
        f"alter schema {VICTIM} owner to risk_owner",
        "schema.create_in_victim",
        "schema.drop",
        "schema.drop_table",
        "schema.grant",
        "schema.usage",
    ),
    hole(
        "advisory locks",
        "grant execute on function pg_try_advisory_xact_lock(bigint) to public",
        "revoke execute on function pg_try_advisory_xact_lock(bigint) from public",
        "locks.advisory",
    ),
    hole(
        "large objects",
        "grant execute on function lo_create(oid) to public",
        "revoke execute on function lo_create(oid) from public",
        "files.large_object",
    ),
    hole(
        "statistics of everybody",
        "grant select on pg_stat_all_tables, pg_stat_database to public; grant execute on function "
        "pg_stat_get_tuples_inserted(oid), pg_stat_get_db_xact_commit(oid) to public",
        "revoke select on pg_stat_all_tables, pg_stat_database from public; revoke execute on function "
        "pg_stat_get_tuples_inserted(oid), pg_stat_get_db_xact_commit(oid) from public",
        "statistics.database_functions",
        "statistics.table_functions",
        "statistics.table_writes",
    ),
    hole(
        "every row by a predefined role",
        f"grant pg_read_all_data to {ATTACKER} with inherit true",
        f"revoke pg_read_all_data from {ATTACKER}",
        "data.read",
        "data.read_column",
        "data.read_lock",
        "data.sequence_read",
        "data.large_objects",
        "names.pg_authid",
        "names.pg_shadow",
        "names.pg_statistic",
        "own_role.set_predefined",
        "schema.usage",
        is_exact=False,
    ),
    hole(
        "a forged log",
        "grant execute on function pg_logical_emit_message(boolean, text, text, boolean) to public",
        "revoke execute on function pg_logical_emit_message(boolean, text, text, boolean) from public",
        "wal.message",
    ),
    hole(
        "the rights of its owner",
        f"grant trading_owner to {ATTACKER} with inherit true, set false",
        f"revoke trading_owner from {ATTACKER}",
        "own.alter_table",
        "own.audit_delete",
        "own.audit_disable_triggers",
        "own.audit_update",
        "own.create_table",
        "own.default_privileges",
        "own.drop_schema",
        "own.drop_table",
        "own.grant_public",
        "own.grant_schema",
        "code.do_block",
        is_exact=False,
    ),
    hole(
        "names of roles",
        "grant select on pg_roles to public",
        "revoke select on pg_roles from public",
        "names.pg_roles",
    ),
    hole(
        "usage of a schema",
        f"grant usage on schema {VICTIM} to {ATTACKER}",
        f"revoke usage on schema {VICTIM} from {ATTACKER}",
        "schema.usage",
    ),
    granted("select", "data.read", "data.read_column", "data.read_lock", is_quick=True),
    granted("insert", "data.insert", "data.read_lock"),
    granted("delete", "data.delete", "data.table_lock", "data.read_lock"),
    granted("truncate", "data.truncate", "data.table_lock", "data.read_lock"),
    granted("maintain", "data.analyze", "data.table_lock", "data.read_lock", "schema.reindex"),
    hole(
        "select on one column",
        f"grant usage on schema {VICTIM} to {ATTACKER}; grant select (order_id) on {TABLE} to {ATTACKER}",
        f"revoke select (order_id) on {TABLE} from {ATTACKER}; "  # noqa: S608 - names of ours
        f"revoke usage on schema {VICTIM} from {ATTACKER}",
        "schema.usage",
        "data.read",
        "data.read_column",
    ),
    hole(
        "update of one column",
        f"grant usage on schema {VICTIM} to {ATTACKER}; grant update (order_id) on {TABLE} to {ATTACKER}",
        f"revoke update (order_id) on {TABLE} from {ATTACKER}; revoke usage on schema {VICTIM} from {ATTACKER}",
        "schema.usage",
        "data.update",
    ),
    hole(
        "membership in the owner",
        f"grant risk_owner to {ATTACKER} with inherit false, set true",
        f"revoke risk_owner from {ATTACKER}",
        "roles.set_role",
    ),
    hole(
        "membership with admin option",
        f"grant risk_owner to {ATTACKER} with admin true, inherit false, set false",
        f"revoke risk_owner from {ATTACKER}",
        "roles.join",
    ),
    hole(
        "ownership of a table",
        f"alter table {TABLE} owner to {ATTACKER}",
        f"alter table {TABLE} owner to risk_owner",
    ),
    hole(
        "sessions shown to everybody",
        "grant select on pg_stat_activity to public; grant execute on function pg_stat_get_activity(int) to public",
        "revoke select on pg_stat_activity from public; "
        "revoke execute on function pg_stat_get_activity(int) from public",
        "activity.sessions",
        "activity.sessions_function",
        "activity.application_name",
    ),
    hole(
        "membership in pg_signal_backend",
        f"grant pg_signal_backend to {ATTACKER} with inherit true; grant execute on function pg_cancel_backend(int), "
        "pg_terminate_backend(int, bigint) to public",
        f"revoke pg_signal_backend from {ATTACKER}; revoke execute on function pg_cancel_backend(int), "
        "pg_terminate_backend(int, bigint) from public",
        "activity.cancel",
        "activity.terminate",
        "own_role.set_predefined",
    ),
    hole(
        "sources shown to everybody",
        "grant select on pg_proc to public",
        "revoke select on pg_proc from public",
        "catalog.function_names",
        "catalog.function_source",
    ),
    hole(
        "create in public",
        "grant create, usage on schema public to public",
        "revoke create, usage on schema public from public",
        "schema.create_in_public",
        "schema.function_in_public",
        "own.create_in_public",
    ),
    hole(
        "temporary objects",
        "grant temporary on database alphintra_central to public",
        "revoke temporary on database alphintra_central from public",
        "own.temporary_table",
        "own.temporary_function",
    ),
    hole(
        "plpgsql for everybody",
        "grant usage on language plpgsql to public",
        "revoke usage on language plpgsql from public",
        "code.do_block",
    ),
    hole(
        "a definer function without a search path",
        f"create function {VICTIM}.planted() returns int language sql security definer as 'select 1'; "
        f"alter function {VICTIM}.planted() owner to risk_owner; grant usage on schema {VICTIM} to {ATTACKER}; "
        f"grant execute on function {VICTIM}.planted() to public",
        f"drop function {VICTIM}.planted(); revoke usage on schema {VICTIM} from {ATTACKER}",
        "schema.usage",
        "data.call_function",
        "data.call_definer",
    ),
    hole(
        "own audit log",
        f"grant update, delete, truncate on {OWN}.audit_events to {ATTACKER}",
        f"revoke update, delete, truncate on {OWN}.audit_events from {ATTACKER}",
        "own.audit_update",
        "own.audit_delete",
    ),
    hole(
        "dblink installed",
        "create schema planted; create extension dblink schema planted; grant usage on schema planted to public",
        "drop schema planted cascade",
        "code.dblink_call",
    ),
    hole(
        "a foreign server",
        "create extension postgres_fdw; create server planted foreign data wrapper postgres_fdw; "
        f"grant usage on foreign server planted to {ATTACKER}",
        "drop extension postgres_fdw cascade",
        "code.use_foreign_server",
    ),
    hole(
        "the database itself",
        f"alter database alphintra_central owner to {ATTACKER}",
        "alter database alphintra_central owner to postgres; "
        f"grant connect on database alphintra_central to {ATTACKER}",
        "code.extension_trusted",
        "configuration.alter_own_database",
        "configuration.drop_own_database",
        "own.create_in_public",
        "own.create_schema",
        "own.temporary_function",
        "own.temporary_table",
        "own_role.set_predefined",
        "replication.publication",
        "roles.own_database",
        "schema.create_in_public",
        "schema.create_schema",
        "schema.function_in_public",
    ),
    hole(
        "parameters",
        f"grant set on parameter session_replication_role to {ATTACKER}; grant alter system on parameter work_mem "
        f"to {ATTACKER}",
        f"revoke set on parameter session_replication_role from {ATTACKER}; revoke alter system on parameter work_mem "
        f"from {ATTACKER}",
        "configuration.no_triggers",
        "configuration.alter_system",
    ),
    attribute("createdb", "nocreatedb", "configuration.create_database"),
    attribute("connection limit -1", "connection limit 20", "connect.exhaustion"),
    attribute("replication", "noreplication"),
    attribute("createrole", "nocreaterole", "own_role.create_role"),
    hole(
        "files of the server",
        f"grant pg_read_server_files to {ATTACKER} with inherit true; "
        f"grant execute on function pg_read_file(text) to {ATTACKER}",
        f"revoke pg_read_server_files from {ATTACKER}; revoke execute on function pg_read_file(text) from {ATTACKER}",
        "files.read",
        "files.copy_from_file",
        "own_role.set_predefined",
    ),
    hole(
        "programs of the server",
        f"grant pg_execute_server_program to {ATTACKER} with inherit true",
        f"revoke pg_execute_server_program from {ATTACKER}",
        "files.copy_to_program",
        "files.copy_from_program",
        "own_role.set_predefined",
    ),
    hole(
        "sequences",
        f"create sequence {VICTIM}.planted; grant usage on schema {VICTIM} to {ATTACKER}; "
        f"grant all on sequence {VICTIM}.planted to {ATTACKER}",
        f"drop sequence {VICTIM}.planted; revoke usage on schema {VICTIM} from {ATTACKER}",
        "schema.usage",
        "data.sequence_read",
        "data.sequence_advance",
        "data.sequence_set",
    ),
)
