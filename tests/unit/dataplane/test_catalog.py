"""What the manifest makes of each database."""

from __future__ import annotations

import pytest

from alphintra.dataplane.catalog import declare, role_settings
from alphintra.dataplane.layouts import Placement, login_roles, separate_layout
from alphintra.dataplane.model import PUBLIC
from alphintra.manifest import SERVICE_NAMES

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


def test_nothing_is_declared_for_everybody() -> None:
    granted = {grant.grantee for database in DECLARED.databases.values() for grant in database.grants}
    assert PUBLIC not in granted
    assert not any(grant.grantable for database in DECLARED.databases.values() for grant in database.grants)


@pytest.mark.parametrize("placement", LAYOUT, ids=lambda placement: placement.service)
def test_a_roles_grants_lie_in_its_own_database(placement: Placement) -> None:
    for role in (*placement.login_roles, placement.owner_role):
        assert {database for database, *_ in grants_of(role)} == {placement.database}


def test_no_login_role_has_more_than_login_and_each_has_a_bound() -> None:
    for name in login_roles(LAYOUT):
        role = DECLARED.roles[name]
        assert role.attributes == ("LOGIN",)
        assert 0 < role.connection_limit <= 20


def test_the_owner_cannot_log_in_and_only_the_migrator_becomes_it() -> None:
    assert DECLARED.roles["risk_owner"].attributes == ()
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
    assert tables == {"audit_events", "audit_pending"}


def test_sessions_resolve_names_in_the_own_schema_before_temporary_tables() -> None:
    paths = {item.role: item.value for item in role_settings((LAYOUT[0],)) if item.name == "search_path"}
    assert set(paths.values()) == {"auth_schema, pg_temp"}
    assert set(paths) == set(LAYOUT[0].login_roles)


def test_a_shared_server_keeps_its_own_databases_as_they_are() -> None:
    assert "postgres" in declare(LAYOUT).databases
    assert "postgres" not in declare(LAYOUT, exclusive=False).databases


def test_the_same_schemas_come_out_of_one_database_for_all() -> None:
    central = declare(Placement(service=name, database="alphintra_central") for name in SERVICE_NAMES)
    schemas = central.databases["alphintra_central"].schemas
    assert set(schemas) == {f"{name}_schema" for name in SERVICE_NAMES}
