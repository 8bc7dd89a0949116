"""What the manifest makes of each database."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from alphintra.dataplane.declaration import declare, role_settings
from alphintra.dataplane.hardening import CATALOG_READER, Hardening
from alphintra.dataplane.layouts import Placement, login_roles, separate_layout
from alphintra.dataplane.migrations import migrations_of
from alphintra.dataplane.model import PUBLIC, SYSTEM_SCHEMAS
from alphintra.manifest import RETAINER_FUNCTIONS, SERVICE_NAMES, service_tables

LAYOUT = separate_layout()
DECLARED = declare(LAYOUT)


def grants_of(role: str) -> set[tuple[str, str, str, str]]:
    """Return (database, object, column, privilege) of a role, over all databases."""
    return {
        (database.name, grant.name, grant.column, grant.privilege)
        for database in DECLARED.databases.values()
        for grant in database.grants
        if grant.grantee == role
    }


def test_eight_services_get_eight_databases_of_their_own() -> None:
    assert [placement.database for placement in LAYOUT] == [f"alphintra_{name}" for name in SERVICE_NAMES]


def test_nothing_is_declared_for_everybody_but_what_drivers_need_to_learn_a_type() -> None:
    open_to_all = {
        (grant.schema, grant.name, grant.column)
        for database in DECLARED.databases.values()
        for grant in database.grants
        if grant.grantee == PUBLIC
    }
    assert {name for schema, name, _ in open_to_all if schema == "pg_catalog"} == {
        "pg_type",
        "pg_namespace",
        "pg_range",
        "pg_class",
        "pg_attribute",
    }
    assert {item for item in open_to_all if item[0] != "pg_catalog"} == {("", "pg_catalog", "")}
    assert not any(name == "pg_class" and column not in {"oid", "reltype"} for _, name, column in open_to_all)
    assert not any(grant.grantable for database in DECLARED.databases.values() for grant in database.grants)


@pytest.mark.parametrize("placement", LAYOUT, ids=lambda placement: placement.service)
def test_a_roles_grants_lie_in_its_own_database(placement: Placement) -> None:
    for role in (*placement.login_roles, placement.owner_role):
        assert {database for database, *_ in grants_of(role)} == {placement.database}


def test_no_login_role_has_more_than_login_and_each_has_a_bound() -> None:
    for name in login_roles(LAYOUT):
        role = DECLARED.roles[name]
        assert role.attributes == (("LOGIN", "INHERIT") if name.endswith("_backup") else ("LOGIN",))
        assert 0 < role.connection_limit <= 20


def test_the_owner_cannot_log_in_and_only_the_migrator_becomes_it() -> None:
    assert "LOGIN" not in DECLARED.roles["risk_owner"].attributes
    (membership,) = (item for item in DECLARED.memberships if item.role == "risk_owner")
    assert (membership.member, membership.inherit, membership.may_set) == ("risk_migrator", False, True)


def test_the_service_can_neither_change_nor_unseal_its_audit_log() -> None:
    rights = {(name, privilege) for _, name, _, privilege in grants_of("risk_service_user")}
    assert {right for right in rights if right[0] == "audit_events"} == {
        ("audit_events", "SELECT"),
        ("audit_events", "INSERT"),
    }
    assert not any(name == "audit_pending" for name, _ in rights)
    columns = {column for _, name, column, privilege in grants_of("risk_service_user") if name == "audit_events"}
    assert "recorded_at" not in columns


def test_the_sealer_sees_the_audit_log_and_nothing_else() -> None:
    tables = {name for _, name, _, _ in grants_of("risk_sealer")} - {"alphintra_risk", "risk_schema"}
    assert tables == {
        "audit_events",
        "audit_pending",
        "audit_leaves",
        "audit_checkpoints",
        "pg_try_advisory_xact_lock(bigint)",
    }


def test_sessions_resolve_names_in_the_own_schema_before_temporary_tables() -> None:
    paths = {item.role: item.value for item in role_settings((LAYOUT[0],)) if item.name == "search_path"}
    assert set(paths.values()) == {"auth_schema, pg_temp"}
    assert set(paths) == set(LAYOUT[0].login_roles)


def test_owners_and_backups_alone_read_the_catalogue_and_they_inherit_nothing_else() -> None:
    readers = {item.member for item in DECLARED.memberships if item.role == CATALOG_READER}
    assert readers == {role for placement in LAYOUT for role in (placement.owner_role, placement.backup_role)}
    inheriting = {(item.role, item.member) for item in DECLARED.memberships if item.inherit}
    assert inheriting == {(CATALOG_READER, member) for member in readers}


def test_hardened_closes_nothing_of_the_catalogue() -> None:
    for database in declare(LAYOUT, hardening=Hardening.HARDENED).databases.values():
        assert database.closures == ()
        assert not any(grant.schema in SYSTEM_SCHEMAS for grant in database.grants)


def test_functions_and_triggers_of_the_manifest_are_those_of_the_migrations() -> None:
    for placement in LAYOUT:
        made = {
            (kind.lower(), name)
            for migration in migrations_of(placement.service)
            for kind, name in re.findall(
                r"(?i)create (?:or replace )?(?:constraint )?(function|trigger)\s+(\w+)", migration.sql
            )
        }
        declared = {("trigger", name) for table in service_tables(placement.spec) for name in table.triggers}
        declared |= {("function", name) for table in service_tables(placement.spec) for name in table.functions}
        functions = (*placement.spec.functions, *RETAINER_FUNCTIONS)
        declared |= {("function", name.partition("(")[0]) for name in functions}
        assert declared == made


def test_advisory_locks_are_for_the_services_that_take_them() -> None:
    for placement in LAYOUT:
        held = {
            grant.name.partition("(")[0]
            for grant in DECLARED.databases[placement.database].grants
            if grant.schema == "pg_catalog" and grant.grantee == placement.service_role
        }
        text = (files("alphintra") / placement.service / "sql" / "queries.sql").read_text(encoding="utf-8")
        assert held == set(re.findall(r"pg_\w*advisory\w*", text))


def test_a_shared_server_keeps_its_own_databases_as_they_are() -> None:
    assert "postgres" in declare(LAYOUT).databases
    assert "postgres" not in declare(LAYOUT, exclusive=False).databases


def test_the_same_schemas_come_out_of_one_database_for_all() -> None:
    central = declare(Placement(service=name, database="alphintra_central") for name in SERVICE_NAMES)
    schemas = central.databases["alphintra_central"].schemas
    assert set(schemas) == {f"{name}_schema" for name in SERVICE_NAMES}
