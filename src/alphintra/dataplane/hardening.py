"""What is taken from PUBLIC in PostgreSQL's own catalogue, by level, as data. Pure.

PostgreSQL lets everybody who may connect read nearly all of its catalogue: names of roles and databases, who is
connected, what is locked, sources of functions and views, sizes and statistics of other people's tables. ``strict``
takes that away in each database and leaves what drivers need to learn a type. Entries of shared catalogues, such as
``pg_roles``, are per database too. ``hardened`` leaves the catalogue as PostgreSQL ships it.

Patterns are regular expressions that read the same in PostgreSQL and in Python, so that they fit what each version
of PostgreSQL has; what a version lacks is left out.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import Final

from alphintra.dataplane.model import PUBLIC, SYSTEM_SCHEMAS, Closure, Grant

__all__ = ["CATALOG_READER", "Hardening", "advisory_grants", "catalogue_grants", "closure_of", "closures"]

CATALOG_READER: Final = "alphintra_catalog_reader"
"""Role without login that may read what is closed: for owners, who change schemas, and for backups, which dump them."""


class Hardening(StrEnum):
    """How far the system catalogue is closed to PUBLIC."""

    HARDENED = "hardened"
    STRICT = "strict"


def _words(text: str) -> str:
    """Return a pattern for whole names, from words that may hold patterns themselves."""
    return f"^({'|'.join(text.split())})$"


_STRICT: Final = (
    Closure(
        purpose="hide roles, databases and their settings",
        kind="table",
        pattern=_words(
            "pg_roles pg_user pg_group pg_database pg_db_role_setting pg_auth_members pg_tablespace pg_parameter_acl "
            "pg_shdescription pg_shdepend pg_shseclabel"
        ),
    ),
    Closure(
        purpose="hide sessions, locks, statistics and replication",
        kind="table",
        pattern=_words(
            "pg_stat.* pg_locks pg_replication_.* pg_prepared_.* pg_subscription.* pg_publication.* pg_cursors "
            "pg_wait_events pg_aios pg_shmem_.* pg_backend_.* pg_dsm_.*"
        ),
    ),
    Closure(
        purpose="hide the configuration of the server",
        kind="table",
        pattern=_words("pg_settings pg_file_settings pg_hba_.* pg_ident_.* pg_config pg_available_.* pg_timezone_.*"),
    ),
    Closure(purpose="hide names, definitions and rights of other schemas", kind="table", pattern=".*"),
    Closure(
        purpose="answer nobody's questions about other people's rights",
        kind="function",
        pattern=_words(
            "has_.*_privilege pg_has_role pg_get_userbyid pg_get_acl row_security_active makeaclitem aclexplode "
            "acldefault aclcontains aclinsert aclremove to_regrole"
        ),
    ),
    Closure(
        purpose="hide sessions, locks and statistics behind functions, and end nobody's session",
        kind="function",
        pattern=_words(
            "pg_stat_.* pg_lock_status pg_blocking_pids pg_safe_snapshot_blocking_pids "
            "pg_isolation_test_session_is_blocked pg_cancel_backend pg_terminate_backend pg_notification_queue_usage "
            "pg_prepared_xact pg_get_wait_events pg_get_aios pg_get_shmem.* pg_listening_channels"
        ),
        is_readable=False,
    ),
    Closure(
        purpose="hide sizes and files",
        kind="function",
        pattern=_words(
            "pg_(database|relation|table|indexes|total_relation|tablespace)_size pg_relation_file.* "
            "pg_filenode_relation pg_tablespace_.* pg_ls_.* pg_stat_file pg_read_.* pg_database_collation_.* "
            "pg_collation_actual_version"
        ),
        is_readable=False,
    ),
    Closure(
        purpose="hide the traffic of the instance, and let nobody write into its log",
        kind="function",
        pattern=_words(
            "pg_current_wal_.* pg_current_logfile pg_last_.* pg_wal.* pg_split_walfile_name pg_get_wal.* "
            "pg_logical_.* pg_replication_.* pg_.*_slots? pg_.*replication_slot.* pg_control_.* "
            "txid_.* pg_current_xact_id.* pg_current_snapshot pg_snapshot_.* pg_visible_in_snapshot pg_xact_.* "
            "pg_export_snapshot pg_get_multixact.* pg_postmaster_start_time pg_conf_load_time pg_notify"
        ),
        is_readable=False,
    ),
    Closure(
        purpose="let nobody leave large objects behind",
        kind="function",
        pattern=_words("lo_.* loread lowrite be_lo_.*"),
        is_readable=False,
    ),
    Closure(
        purpose="let nobody take the locks of another service",
        kind="function",
        pattern=_words("pg_advisory_.* pg_try_advisory_.*"),
        is_readable=False,
    ),
    Closure(
        purpose="hide definitions and sources",
        kind="function",
        pattern=_words(
            "pg_get_.* pg_show_.* pg_describe_object pg_identify_object.* (obj|col|shobj)_description pg_.*_is_visible "
            "pg_(relation|column)_is_updatable pg_relation_is_publishable pg_index.*_has_property "
            "pg_indexam_has_property pg_partition_.* pg_sequence_.* pg_options_to_table pg_extension_.* "
            "pg_available_extension.* pg_timezone_.* pg_config pg_cursor pg_prepared_statement pg_event_trigger_.* "
            "pg_hba_.* pg_ident_.* pg_import_.* pg_nextoid binary_upgrade_.* to_reg(class|namespace|proc|procedure) "
            "to_reg(oper|operator|collation)"
        ),
    ),
    Closure(
        purpose="let nobody read the catalogue as XML",
        kind="function",
        pattern=_words("(database|schema|table|query|cursor)_to_xml.*"),
    ),
)

# What asyncpg and psycopg read to learn a type they were not born with, such as uuid[].
_TYPE_COLUMNS: Final = (
    ("pg_type", "oid typname typnamespace typtype typlen typelem typarray typbasetype typdelim typrelid"),
    ("pg_namespace", "oid nspname"),
    ("pg_range", "rngtypid rngsubtype rngmultitypid"),
    ("pg_class", "oid reltype"),
    ("pg_attribute", "attrelid attname attnum atttypid attisdropped"),
)

_ADVISORY: Final = {
    "migrator": ("pg_advisory_lock(bigint)",),
    "sealer": ("pg_try_advisory_xact_lock(bigint)",),
    "auth": ("pg_advisory_xact_lock(bigint)",),
    "broker": ("pg_advisory_xact_lock(bigint)", "pg_advisory_xact_lock_shared(bigint)"),
    "risk": ("pg_advisory_xact_lock(bigint)", "pg_advisory_xact_lock_shared(bigint)"),
}


def closures(level: Hardening) -> tuple[Closure, ...]:
    """Return what a level closes."""
    return _STRICT if level is Hardening.STRICT else ()


def closure_of(kind: str, name: str) -> Closure | None:
    """Return the strict closure a system object falls under; a function's name may carry its arguments."""
    return _closure_of(kind, name.partition("(")[0].strip('"'))


@cache
def _closure_of(kind: str, name: str) -> Closure | None:
    return next((item for item in _STRICT if item.kind == kind and re.search(item.pattern, name)), None)


def catalogue_grants(level: Hardening) -> tuple[Grant, ...]:
    """Return what a level lets PUBLIC and the catalogue's readers use of the system schemas, explicitly."""
    if level is not Hardening.STRICT:
        return tuple(_usage(schema, PUBLIC) for schema in sorted(SYSTEM_SCHEMAS))
    return (
        _usage("pg_catalog", PUBLIC),
        _usage("information_schema", CATALOG_READER),
        *(
            Grant(kind="column", schema="pg_catalog", name=table, column=column, grantee=PUBLIC, privilege="SELECT")
            for table, columns in _TYPE_COLUMNS
            for column in columns.split()
        ),
    )


def advisory_grants(user: str, role: str) -> tuple[Grant, ...]:
    """Return the functions for advisory locks that a service, or the owner as ``migrator``, calls."""
    return tuple(
        Grant(kind="function", schema="pg_catalog", name=name, grantee=role, privilege="EXECUTE")
        for name in _ADVISORY.get(user, ())
    )


def _usage(schema: str, grantee: str) -> Grant:
    return Grant(kind="schema", name=schema, grantee=grantee, privilege="USAGE")
