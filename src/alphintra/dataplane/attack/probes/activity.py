"""What others do at this moment, and how much: sessions, statements, locks, traffic, sizes, the log."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from alphintra.dataplane.attack.model import Attack, Effect, Floor, Level, Place

__all__ = ["ACTIVITY", "LOCKS", "SIZES", "STATISTICS", "WAL"]

_STRICT: Final = "harden to strict: SELECT on the view is revoked from PUBLIC in this database"
_STRICT_FUNCTION: Final = "harden to strict: EXECUTE on the function is revoked from PUBLIC in this database"
_MONITOR: Final = "take the attacker's role out of pg_monitor and pg_read_all_stats"


def _seen(name: str, sql: str, *, means: str, close: str = _STRICT, place: Place = Place.INSTANCE) -> Attack:
    """Return a probe that reads what PostgreSQL shows to everybody until strict takes it away."""
    return Attack(
        name=name,
        place=place,
        sql=sql,
        shows=True,
        effect=Effect.LEAK,
        closed_by=Level.STRICT,
        within_role=True,
        means=means,
        close=close,
    )


def _view(name: str, view: str, *, means: str) -> Attack:
    """Return a probe of a view that may be empty at this moment: that it answers is the leak."""
    return _seen(name, f"select count(*) + 1 from pg_catalog.{view}", means=means)  # noqa: S608 - a name of ours


ACTIVITY: Final = (
    _seen(
        "activity.sessions",
        "select datname || ' ' || usename from pg_catalog.pg_stat_activity where pid = {decoy_pid}",
        means="who is connected to what, and since when, can be watched",
    ),
    _seen(
        "activity.application_name",
        "select application_name from pg_catalog.pg_stat_activity where pid = {decoy_pid} and application_name like "
        "'decoy %'",
        means="what other services call their sessions can be read",
    ),
    _seen(
        "activity.sessions_function",
        "select count(*) from pg_catalog.pg_stat_get_activity({decoy_pid})",
        means="who is connected can be watched through a function",
        close=_STRICT_FUNCTION,
    ),
    _seen(
        "activity.backend_functions",
        "select max(pg_catalog.pg_stat_get_backend_pid(i)) from pg_catalog.pg_stat_get_backend_idset() as i",
        means="sessions and their databases can be listed through functions",
        close=_STRICT_FUNCTION,
    ),
    Attack(
        name="activity.statements",
        place=Place.INSTANCE,
        sql="select query from pg_catalog.pg_stat_activity where pid = {decoy_pid} and query like '%secret of%'",
        shows=True,
        effect=Effect.LEAK,
        within_role=True,
        means="statements of other services, with the values in them, can be read as they run",
        close=_MONITOR,
    ),
    Attack(
        name="activity.statements_function",
        place=Place.INSTANCE,
        sql="select pg_catalog.pg_stat_get_backend_activity(i) from pg_catalog.pg_stat_get_backend_idset() as i "
        "where pg_catalog.pg_stat_get_backend_pid(i) = {decoy_pid} "
        "and pg_catalog.pg_stat_get_backend_activity(i) like '%secret of%'",
        shows=True,
        effect=Effect.LEAK,
        within_role=True,
        means="statements of other services can be read through functions",
        close=_MONITOR,
    ),
    Attack(
        name="activity.wait_and_address",
        place=Place.INSTANCE,
        sql="select coalesce(state, '') || coalesce(host(client_addr), '') from pg_catalog.pg_stat_activity "
        "where pid = {decoy_pid}",
        shows=True,
        effect=Effect.LEAK,
        within_role=True,
        means="state and address of other services' sessions can be read",
        close=_MONITOR,
    ),
    Attack(
        name="activity.pg_stat_statements",
        place=Place.DATABASE,
        each="statements",
        sql="select query from {statements} where userid = {role_oid} and query not like '<%' limit 1",
        shows=True,
        effect=Effect.LEAK,
        within_role=True,
        refusals=frozenset({"55000"}),
        means="normalised statements of other services can be read",
        close="revoke SELECT on pg_stat_statements from PUBLIC, and membership in pg_read_all_stats",
    ),
    Attack(
        name="activity.pg_stat_statements_traffic",
        place=Place.DATABASE,
        each="statements",
        sql="select count(*) + 1 from {statements} where userid = {role_oid}",
        shows=True,
        effect=Effect.LEAK,
        closed_by=Level.STRICT,
        within_role=True,
        refusals=frozenset({"55000"}),
        means="how often and how long other services' statements run can be read",
        close="revoke SELECT on pg_stat_statements from PUBLIC",
    ),
    _view("activity.ssl", "pg_stat_ssl", means="how other sessions are encrypted can be read"),
    _view("activity.gssapi", "pg_stat_gssapi", means="how other sessions are authenticated can be read"),
    _view("activity.vacuum", "pg_stat_progress_vacuum", means="maintenance of other databases can be watched"),
    _view("activity.copy", "pg_stat_progress_copy", means="imports and exports of other services can be watched"),
    _view("activity.analyze", "pg_stat_progress_analyze", means="statistics runs of other databases can be watched"),
    _view("activity.index", "pg_stat_progress_create_index", means="index builds of other services can be watched"),
    _view("activity.backup", "pg_stat_progress_basebackup", means="when and how far the instance is backed up shows"),
    _view("activity.senders", "pg_stat_replication", means="who follows the instance, and how far behind, shows"),
    _view("activity.receiver", "pg_stat_wal_receiver", means="what the instance itself follows shows"),
    _view("activity.subscriptions", "pg_stat_subscription", means="subscriptions of other databases show"),
    _view("activity.slots", "pg_replication_slots", means="replication slots of other databases show"),
    _view("activity.slot_traffic", "pg_stat_replication_slots", means="traffic of other databases' slots shows"),
    _view("activity.origins", "pg_replication_origin_status", means="what other databases replicate from shows"),
    _view("activity.prepared", "pg_prepared_xacts", means="names of other services' prepared transactions show"),
    _seen(
        "activity.prepared_function",
        "select count(*) + 1 from pg_catalog.pg_prepared_xact()",
        means="prepared transactions of other databases show through a function",
        close=_STRICT_FUNCTION,
    ),
    Attack(
        name="activity.cancel",
        place=Place.INSTANCE,
        sql="select pg_catalog.pg_cancel_backend({decoy_pid})",
        shows=True,
        within_role=True,
        means="other services' statements can be cancelled as they run",
        close="take the attacker's role out of pg_signal_backend",
    ),
    Attack(
        name="activity.log_memory",
        place=Place.INSTANCE,
        sql="select pg_catalog.pg_log_backend_memory_contexts({decoy_pid})",
        shows=True,
        means="the server's log can be flooded with other sessions' memory",
        close="revoke EXECUTE on pg_log_backend_memory_contexts (as PostgreSQL ships it)",
    ),
)

LOCKS: Final = (
    _seen(
        "locks.pg_locks",
        "select count(*) from pg_catalog.pg_locks where pid = {decoy_pid}",
        means="what other services lock, and who waits for whom, can be watched",
    ),
    _seen(
        "locks.pg_lock_status",
        "select count(*) from pg_catalog.pg_lock_status() where pid = {decoy_pid}",
        means="what other services lock can be watched through a function",
        close=_STRICT_FUNCTION,
    ),
    _seen(
        "locks.blocking",
        "select pg_catalog.pg_blocking_pids({decoy_pid}) is not null",
        means="who keeps another session waiting can be asked",
        close=_STRICT_FUNCTION,
    ),
    Attack(
        name="locks.advisory",
        place=Place.DATABASE,
        sql="select pg_catalog.pg_try_advisory_xact_lock(hashtextextended({token_text}, 0))",
        shows=True,
        closed_by=Level.STRICT,
        within_role=True,
        means="advisory locks of another service, such as that of its migrations, can be held, so that it waits",
        close="harden to strict: EXECUTE on advisory locks is left to the roles that use them",
    ),
    Attack(
        name="locks.advisory_exhaustion",
        place=Place.INSTANCE,
        sql="select pg_catalog.pg_try_advisory_xact_lock_shared(hashtextextended({token_text}, 1))",
        closed_by=Level.STRICT,
        means="the lock table of the whole instance can be filled with advisory locks, so that nobody gets any",
        close="harden to strict: EXECUTE on advisory locks is left to the roles that use them",
    ),
)

STATISTICS: Final = (
    _seen(
        "statistics.pg_stat_database",
        "select xact_commit from pg_catalog.pg_stat_database where datid = {database_oid} "
        "and datname <> current_database()",
        means="how many transactions, rows and bytes other databases handle can be watched",
    ),
    _seen(
        "statistics.database_functions",
        "select pg_catalog.pg_stat_get_db_xact_commit({database_oid}::oid) + 1",
        means="traffic of other databases can be watched through functions",
        close=_STRICT_FUNCTION,
    ),
    _seen(
        "statistics.table_writes",
        "select count(*) from pg_catalog.pg_stat_all_tables where schemaname = {schema_text}",
        means="how often other services insert, update and delete in which table can be watched",
        place=Place.DATABASE,
    ),
    _seen(
        "statistics.table_functions",
        "select pg_catalog.pg_stat_get_tuples_inserted({a_table_oid}::oid) + 1",
        means="writes to other services' tables can be watched through functions",
        close=_STRICT_FUNCTION,
        place=Place.DATABASE,
    ),
    _seen(
        "statistics.index_use",
        "select count(*) from pg_catalog.pg_stat_all_indexes where schemaname = {schema_text}",
        means="which of other services' indexes are used can be watched",
        place=Place.DATABASE,
    ),
    _seen(
        "statistics.table_io",
        "select count(*) from pg_catalog.pg_statio_all_tables where schemaname = {schema_text}",
        means="how much of other services' tables is read can be watched",
        place=Place.DATABASE,
    ),
    _seen(
        "statistics.function_use",
        "select count(*) + 1 from pg_catalog.pg_stat_user_functions",
        means="how often other services' functions run can be watched",
        place=Place.DATABASE,
    ),
    _seen(
        "statistics.values",
        "select count(*) from pg_catalog.pg_stats where schemaname = {schema_text}",
        means="the most frequent values of other services' columns can be read",
        place=Place.DATABASE,
        close="revoke SELECT on the tables: pg_stats shows what the reader could read anyway",
    ),
    _view("statistics.instance_wal", "pg_stat_wal", means="how much all services write together can be watched"),
    replace(
        _view("statistics.instance_io", "pg_stat_io", means="how much all services read and write can be watched"),
        refusals=frozenset({"42P01"}),  # PostgreSQL 15 has no such view
    ),
    _view("statistics.archiver", "pg_stat_archiver", means="how the instance's log is archived shows"),
    _view("statistics.writer", "pg_stat_bgwriter", means="how busy the instance is can be watched"),
    _view("statistics.caches", "pg_stat_slru", means="use of the instance's internal caches can be watched"),
    Attack(
        name="statistics.reset",
        place=Place.INSTANCE,
        sql="select pg_catalog.pg_stat_reset_shared('nothing')",
        proofs=frozenset({"22023"}),
        means="statistics of the instance, which monitoring lives on, can be wiped",
        close="revoke EXECUTE on pg_stat_reset_shared (as PostgreSQL ships it)",
    ),
    Attack(
        name="statistics.reset_table",
        place=Place.DATABASE,
        sql="select pg_catalog.pg_stat_reset_single_table_counters(0)",
        means="statistics that vacuum goes by can be wiped, so that other services' tables bloat",
        close="revoke EXECUTE on pg_stat_reset_single_table_counters (as PostgreSQL ships it)",
    ),
)

SIZES: Final = (
    _seen(
        "sizes.table",
        "select pg_catalog.pg_total_relation_size({a_table_oid}::oid::regclass)",
        means="sizes of other services' tables can be read, and so how much they do",
        close=_STRICT_FUNCTION,
        place=Place.DATABASE,
    ),
    _seen(
        "sizes.relation",
        "select pg_catalog.pg_relation_size({a_table_oid}::oid::regclass) + 1",
        means="sizes of other services' tables can be read, fork by fork",
        close=_STRICT_FUNCTION,
        place=Place.DATABASE,
    ),
    _seen(
        "sizes.file",
        "select pg_catalog.pg_relation_filepath({a_table_oid}::oid::regclass)",
        means="which file holds other services' tables can be asked",
        close=_STRICT_FUNCTION,
        place=Place.DATABASE,
    ),
    Attack(
        name="sizes.database",
        place=Place.INSTANCE,
        sql="select pg_catalog.pg_database_size({database_oid}::oid) where {database_text} <> current_database()",
        shows=True,
        effect=Effect.LEAK,
        closed_by=Level.HARDENED,
        within_role=True,
        means="sizes of other databases can be read",
        close="revoke CONNECT on the database from PUBLIC",
    ),
    _seen(
        "sizes.tablespace",
        "select pg_catalog.pg_tablespace_size('pg_default')",
        means="how much all databases hold together can be watched",
        close=_STRICT_FUNCTION,
    ),
    _seen(
        "sizes.tablespace_databases",
        "select count(*) from pg_catalog.pg_tablespace_databases(1663)",
        means="how many databases the instance has can be counted",
        close=_STRICT_FUNCTION,
    ),
)

WAL: Final = (
    _seen(
        "wal.position",
        "select pg_catalog.pg_current_wal_lsn()",
        means="how much all services write, second by second, can be watched",
        close=_STRICT_FUNCTION,
    ),
    _seen(
        "wal.insert_position",
        "select pg_catalog.pg_current_wal_insert_lsn()",
        means="how much all services write can be watched",
        close=_STRICT_FUNCTION,
    ),
    _seen(
        "wal.flush_position",
        "select pg_catalog.pg_current_wal_flush_lsn()",
        means="how much all services write and flush can be watched",
        close=_STRICT_FUNCTION,
    ),
    _seen(
        "wal.control",
        "select redo_lsn::text || ' ' || next_xid from pg_catalog.pg_control_checkpoint()",
        means="checkpoints and the number of transactions of the instance can be watched",
        close=_STRICT_FUNCTION,
    ),
    Attack(
        name="wal.last_commit",
        place=Place.INSTANCE,
        sql="select xid::text || ' ' || timestamp from pg_catalog.pg_last_committed_xact()",
        shows=True,
        effect=Effect.LEAK,
        closed_by=Level.STRICT,
        within_role=True,
        refusals=frozenset({"55000"}),  # the server does not keep the times of commits
        means="when anybody in the instance last committed can be watched",
        close=_STRICT_FUNCTION,
    ),
    _seen(
        "wal.snapshot",
        "select pg_catalog.pg_current_snapshot()::text",
        means="how many transactions run in the instance can be watched",
        close=_STRICT_FUNCTION,
    ),
    Attack(
        name="wal.transaction_numbers",
        place=Place.INSTANCE,
        each="own_table",
        sql="select xmin from {own_any} limit 1",
        effect=Effect.LEAK,
        floor=Floor.SHARED_INSTANCE,
        closed_by=Level.STRICT,
        within_role=True,
        means="the instance counts transactions of all databases in one sequence: a row of one's own tells how many "
        "there were since the last",
        close="give the service an instance of its own: every row bears its transaction's number",
    ),
    Attack(
        name="wal.message",
        place=Place.DATABASE,
        sql="select pg_catalog.pg_logical_emit_message(true, {token_text}, 'probe')",
        closed_by=Level.STRICT,
        means="messages can be forged in the log that another service's change readers follow",
        close=_STRICT_FUNCTION,
    ),
    Attack(
        name="wal.switch",
        place=Place.INSTANCE,
        sql="select pg_catalog.pg_create_restore_point(repeat('x', 2000))",
        proofs=frozenset({"22023"}),
        means="the instance's log can be written to and switched at will",
        close="revoke EXECUTE on pg_create_restore_point (as PostgreSQL ships it)",
    ),
    Attack(
        name="wal.replay",
        place=Place.INSTANCE,
        sql="select pg_catalog.pg_wal_replay_pause()",
        proofs=frozenset({"55000"}),
        means="a standby's recovery can be paused",
        close="revoke EXECUTE on pg_wal_replay_pause (as PostgreSQL ships it)",
    ),
    Attack(
        name="wal.promote",
        place=Place.INSTANCE,
        sql="select pg_catalog.pg_promote(false)",
        proofs=frozenset({"55000"}),
        means="a standby can be made a primary, so that there are two",
        close="revoke EXECUTE on pg_promote (as PostgreSQL ships it)",
    ),
    Attack(
        name="wal.backup",
        place=Place.INSTANCE,
        sql="select pg_catalog.pg_backup_start(repeat('x', 2000))",
        proofs=frozenset({"22023"}),
        means="a backup of everything can be begun",
        close="revoke EXECUTE on pg_backup_start (as PostgreSQL ships it)",
    ),
)
