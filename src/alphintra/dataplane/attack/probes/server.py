"""Files, programs, replication and configuration of the server, which belong to no service."""

from __future__ import annotations

from typing import Final

from alphintra.dataplane.attack.model import Attack, Level, Place
from alphintra.dataplane.attack.tactics import hold_prepared

__all__ = ["CONFIGURATION", "FILES", "REPLICATION"]


def _shipped(name: str, sql: str, *, means: str, what: str, proofs: frozenset[str] = frozenset()) -> Attack:
    """Return a probe of what PostgreSQL keeps for superusers, unless somebody gave it away."""
    return Attack(
        name=name,
        place=Place.SELF,
        sql=sql,
        proofs=proofs,
        means=means,
        close=f"revoke {what} from the attacker's role and from PUBLIC (as PostgreSQL ships it)",
    )


_PROGRAM: Final = "membership in pg_execute_server_program"
_READ: Final = "membership in pg_read_server_files"
_WRITE: Final = "membership in pg_write_server_files"
_ANY_FILE: Final = "files of the server, all databases' data among them, can be read"
_ABSENT: Final = frozenset({"58P01"})  # past the right, the file is not there
_ABSENT_OBJECT: Final = frozenset({"42704"})
_BAD_NAME: Final = frozenset({"42602"})  # past the right, the name is none

FILES: Final = (
    _shipped(
        "files.copy_to_program",
        "copy (select 1) to program 'true'",
        means="programs run on the server as its own account: everything is open",
        what=_PROGRAM,
    ),
    _shipped(
        "files.copy_from_program",
        "copy {own_table} from program 'true'",
        means="programs run on the server as its own account: everything is open",
        what=_PROGRAM,
    ),
    _shipped(
        "files.copy_to_file",
        "copy (select 1 where false) to '/dev/null'",
        means="files of the server, its settings and data among them, can be overwritten",
        what=_WRITE,
    ),
    _shipped("files.copy_from_file", "copy {own_table} from '/dev/null'", means=_ANY_FILE, what=_READ),
    _shipped("files.read", "select pg_catalog.pg_read_file('PG_VERSION')", means=_ANY_FILE, what=_READ),
    _shipped("files.read_binary", "select pg_catalog.pg_read_binary_file('PG_VERSION')", means=_ANY_FILE, what=_READ),
    _shipped(
        "files.stat",
        "select pg_catalog.pg_stat_file('PG_VERSION')",
        means="size and age of the server's files can be watched",
        what=_READ,
    ),
    _shipped("files.list", "select pg_catalog.pg_ls_dir('.')", means="folders of the server can be listed", what=_READ),
    _shipped(
        "files.list_logs",
        "select pg_catalog.pg_ls_logdir()",
        means="the server's log files can be listed",
        what="membership in pg_monitor",
        proofs=_ABSENT,
    ),
    _shipped(
        "files.list_wal",
        "select pg_catalog.pg_ls_waldir() limit 1",
        means="files of the instance's log can be listed",
        what="membership in pg_monitor",
    ),
    _shipped(
        "files.list_temporary",
        "select pg_catalog.pg_ls_tmpdir()",
        means="temporary files of all databases can be listed",
        what="membership in pg_monitor",
    ),
    _shipped(
        "files.current_log",
        "select pg_catalog.pg_current_logfile()",
        means="the name of the server's log file can be read",
        what="membership in pg_monitor",
    ),
    _shipped(
        "files.import",
        "select pg_catalog.lo_import('/nowhere/at/all')",
        means="files of the server can be imported as large objects",
        what="EXECUTE on lo_import",
        proofs=_ABSENT,
    ),
    _shipped(
        "files.export",
        "select pg_catalog.lo_export(1, '/nowhere/at/all')",
        means="files can be written on the server",
        what="EXECUTE on lo_export",
        proofs=_ABSENT | _ABSENT_OBJECT,
    ),
    Attack(
        name="files.large_object",
        place=Place.SELF,
        sql="select pg_catalog.lo_create(0)",
        closed_by=Level.STRICT,
        means="data can be put beside the tables, where no grant bounds it, until the shared disk is full",
        close="harden to strict: EXECUTE on large object functions is revoked from PUBLIC",
    ),
    Attack(
        name="files.large_object_bytes",
        place=Place.SELF,
        sql="select pg_catalog.lo_from_bytea(0, 'x')",
        closed_by=Level.STRICT,
        means="data can be put beside the tables by one call, until the shared disk is full",
        close="harden to strict: EXECUTE on large object functions is revoked from PUBLIC",
    ),
    _shipped(
        "files.load",
        "load 'auto_explain'",
        means="libraries of the server can be loaded into a session",
        what="SUPERUSER",
        proofs=_ABSENT,
    ),
)

REPLICATION: Final = (
    _shipped(
        "replication.physical_slot",
        "select pg_catalog.pg_create_physical_replication_slot('No name', false, true)",
        means="a slot can keep the instance's log until the disk is full",
        what="REPLICATION",
        proofs=_BAD_NAME,
    ),
    _shipped(
        "replication.logical_slot",
        "select pg_catalog.pg_create_logical_replication_slot('No name', 'pgoutput', true)",
        means="changes of every service in the database can be followed",
        what="REPLICATION",
        proofs=_BAD_NAME,
    ),
    _shipped(
        "replication.drop_slot",
        "select pg_catalog.pg_drop_replication_slot({token_text})",
        means="replication of others can be broken",
        what="REPLICATION",
        proofs=_ABSENT_OBJECT,
    ),
    _shipped(
        "replication.advance_slot",
        "select pg_catalog.pg_replication_slot_advance({token_text}, '0/1')",
        means="replication of others can be made to skip changes",
        what="REPLICATION",
        proofs=_ABSENT_OBJECT,
    ),
    _shipped(
        "replication.read_slot",
        "select pg_catalog.pg_logical_slot_peek_changes({token_text}, null, null)",
        means="changes that others wait for can be read",
        what="REPLICATION",
        proofs=_ABSENT_OBJECT,
    ),
    _shipped(
        "replication.origin",
        "select pg_catalog.pg_replication_origin_create({token_text})",
        means="replication of others can be made to take own writes for replicated ones",
        what="EXECUTE on pg_replication_origin_create",
    ),
    Attack(
        name="replication.publication",
        place=Place.SELF,
        sql="create publication {token}",
        closed_by=Level.HARDENED,
        means="changes can be published to subscribers anywhere",
        close="revoke CREATE on the database from the running service's role and from PUBLIC",
    ),
    _shipped(
        "replication.publish_all",
        "create publication {token} for all tables",
        means="changes of every service in the database can be published",
        what="SUPERUSER",
    ),
    _shipped(
        "replication.publish_schema",
        "create publication {token} for tables in schema {own_schema}",
        means="changes of a whole schema can be published",
        what="SUPERUSER",
    ),
    _shipped(
        "replication.subscription",
        "create subscription {token} connection 'dbname=x' publication x with (connect = false)",
        means="the server can be made to connect elsewhere and to write what it is told",
        what="membership in pg_create_subscription",
    ),
    Attack(
        name="replication.prepared_transaction",
        place=Place.SELF,
        tactic=hold_prepared,
        means="a prepared transaction outlives its session: it holds locks and stops vacuum and moves of all databases",
        close="set max_prepared_transactions = 0 (as PostgreSQL ships it)",
    ),
)

CONFIGURATION: Final = (
    Attack(
        name="configuration.alter_system",
        place=Place.SELF,
        sql="alter system set work_mem = 'nonsense'",
        proofs=frozenset({"22023"}),
        is_bare=True,
        means="the server can be reconfigured",
        close="revoke ALTER SYSTEM on the parameter (as PostgreSQL ships it)",
    ),
    _shipped(
        "configuration.hba",
        "select from pg_catalog.pg_hba_file_rules limit 1",
        means="who may connect from where can be read",
        what="SELECT on pg_hba_file_rules",
    ),
    _shipped(
        "configuration.ident",
        "select from pg_catalog.pg_ident_file_mappings limit 1",
        means="which account of the machine may act as whom can be read",
        what="SELECT on pg_ident_file_mappings",
    ),
    _shipped(
        "configuration.file",
        "select from pg_catalog.pg_file_settings limit 1",
        means="the server's configuration files can be read",
        what="SELECT on pg_file_settings",
    ),
    _shipped(
        "configuration.data_directory",
        "show data_directory",
        means="where the server keeps its data can be read",
        what="membership in pg_read_all_settings",
    ),
    _shipped(
        "configuration.passwords",
        "show primary_conninfo",
        means="the credential of the instance's own replication can be read",
        what="membership in pg_read_all_settings",
    ),
    Attack(
        name="configuration.hidden_settings",
        place=Place.SELF,
        sql="select setting from pg_catalog.pg_settings where name = 'hba_file'",
        shows=True,
        means="settings kept for superusers can be read through a view",
        close="revoke membership in pg_read_all_settings from the attacker's role (as PostgreSQL ships it)",
    ),
    _shipped(
        "configuration.shared_memory",
        "select from pg_catalog.pg_shmem_allocations limit 1",
        means="how the server's memory is laid out can be read",
        what="membership in pg_read_all_stats",
    ),
    _shipped(
        "configuration.session_memory",
        "select from pg_catalog.pg_backend_memory_contexts limit 1",
        means="memory of the server's processes can be read",
        what="membership in pg_read_all_stats",
    ),
    _shipped(
        "configuration.build",
        "select from pg_catalog.pg_config limit 1",
        means="where the server is installed, and how it was built, can be read",
        what="EXECUTE on pg_config",
    ),
    _shipped(
        "configuration.reload",
        "select pg_catalog.pg_reload_conf()",
        means="the server can be made to read its configuration again",
        what="EXECUTE on pg_reload_conf",
    ),
    _shipped(
        "configuration.rotate_log",
        "select pg_catalog.pg_rotate_logfile()",
        means="the server's log can be rotated away",
        what="EXECUTE on pg_rotate_logfile",
    ),
    _shipped(
        "configuration.silence_log",
        "set local log_statement = 'none'",
        means="a session can keep its statements out of the log",
        what="SET on the parameter log_statement",
    ),
    _shipped(
        "configuration.no_triggers",
        "set local session_replication_role = replica",
        means="triggers, such as those that guard the audit log, can be switched off",
        what="SET on the parameter session_replication_role",
    ),
    _shipped(
        "configuration.temporary_files",
        "set local temp_file_limit = -1",
        means="temporary files can fill the shared disk whatever limit is set",
        what="SET on the parameter temp_file_limit",
    ),
    _shipped(
        "configuration.catalog_writes",
        "set local allow_system_table_mods = on",
        means="the system catalogue can be altered",
        what="SET on the parameter allow_system_table_mods",
    ),
    _shipped(
        "configuration.update_catalog",
        "update pg_catalog.pg_class set relname = relname where false",
        means="the system catalogue can be written to",
        what="UPDATE on the system catalogue",
    ),
    _shipped(
        "configuration.lock_catalog",
        "lock table pg_catalog.pg_class in share update exclusive mode nowait",
        means="the system catalogue can be locked, so that nobody in the database goes on",
        what="rights on the system catalogue",
    ),
    _shipped(
        "configuration.checkpoint",
        "checkpoint",
        means="the instance can be made to write everything out again and again",
        what="membership in pg_checkpoint",
    ),
    Attack(
        name="configuration.create_tablespace",
        place=Place.SELF,
        sql="create tablespace {token} location 'nowhere'",
        proofs=frozenset({"42P17"}),
        is_bare=True,
        means="data can be put anywhere on the server's disks",
        close="take SUPERUSER from the attacker's role",
    ),
    Attack(
        name="configuration.create_database",
        place=Place.SELF,
        sql="create database {token} template {token}",
        proofs=frozenset({"3D000"}),
        is_bare=True,
        means="databases can be made",
        close="take CREATEDB from the attacker's role",
    ),
    Attack(
        name="configuration.drop_own_database",
        place=Place.SELF,
        sql="drop database {own_database}",
        proofs=frozenset({"55006"}),  # past the right: a session is in it, this very one
        is_bare=True,
        means="the database belongs to the running service: it can drop it, with all services in it",
        close="ALTER DATABASE … OWNER TO the administrator",
    ),
    Attack(
        name="configuration.alter_own_database",
        place=Place.SELF,
        sql="alter database {own_database} connection limit 0",
        means="the database belongs to the running service: it can lock everybody out",
        close="ALTER DATABASE … OWNER TO the administrator",
    ),
)
