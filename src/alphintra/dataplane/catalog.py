"""What each database must be: roles, settings and grants generated from the manifest. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.model import Database, Grant, Membership, Role, Setting, State
from alphintra.manifest import COMMON_TABLES, SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alphintra.manifest import ServiceSpec, TableSpec

__all__ = [
    "SYSTEM_DATABASES",
    "Placement",
    "database_grants",
    "declare",
    "login_roles",
    "placements_of",
    "role_settings",
    "separate_layout",
    "service_tables",
    "table_grants",
]

SYSTEM_DATABASES: Final = ("postgres", "template1")

_READER_CONNECTIONS: Final = 5
_MIGRATOR_CONNECTIONS: Final = 4
_BACKUP_CONNECTIONS: Final = 4
_SEALER_CONNECTIONS: Final = 2

# Bounds of one session, by the kind of role; the migrator's are those every migration runs under.
_TIMEOUTS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "service": (
            ("statement_timeout", "15s"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ),
        "migrator": (("statement_timeout", "5s"), ("lock_timeout", "2s")),
        "reader": (("statement_timeout", "60s"), ("default_transaction_read_only", "on")),
        "backup": (("default_transaction_read_only", "on"),),
        "sealer": (("statement_timeout", "15s"), ("lock_timeout", "2s")),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Placement:
    """Where one service's schema lives: an instance and a database. A layout is a tuple of these."""

    service: str
    database: str
    instance: str = "main"

    @property
    def spec(self) -> ServiceSpec:
        """Declaration of the placed service."""
        return SERVICES[self.service]


def separate_layout(*, instance: str = "main") -> tuple[Placement, ...]:
    """Return the default layout: one database per service, all on one instance."""
    return tuple(Placement(service=service, database=f"alphintra_{service}", instance=instance) for service in SERVICES)


def placements_of(layout: Iterable[Placement], instance: str) -> tuple[Placement, ...]:
    """Return the placements of a layout that lie on one instance, in order of service name."""
    return tuple(sorted(placement for placement in layout if placement.instance == instance))


def login_roles(layout: Iterable[Placement]) -> tuple[str, ...]:
    """Return every role of a layout that may log in, so that a caller can make a secret for each."""
    return tuple(role for placement in layout for role in placement.spec.login_roles)


def service_tables(spec: ServiceSpec) -> tuple[TableSpec, ...]:
    """Return the declared tables of a service, the common ones first."""
    return (*COMMON_TABLES, *spec.tables)


def declare(placements: Iterable[Placement], *, exclusive: bool = True) -> State:
    """Return what one instance must hold.

    Args:
        placements: the services on this instance.
        exclusive: whether the instance is Alphintra's alone; only then are ``postgres`` and ``template1`` closed too.
    """
    placed = tuple(placements)
    databases = {
        database: _declare_database(database, tuple(item for item in placed if item.database == database))
        for database in sorted({placement.database for placement in placed})
    }
    if exclusive:
        databases |= {name: Database(name=name) for name in SYSTEM_DATABASES}
    roles = {role.name: role for placement in placed for role in _declare_roles(placement)}
    return State(
        roles=roles,
        memberships=frozenset(item for placement in placed for item in _declare_memberships(placement)),
        settings=frozenset(item for placement in placed for item in role_settings(placement)),
        databases=databases,
    )


def role_settings(placement: Placement) -> tuple[Setting, ...]:
    """Return the settings of a service's login roles in its database: search path, bounds, the migrator's role."""
    spec = placement.spec
    search_path = f"{spec.schema}, pg_temp"
    rows: list[tuple[str, str, str]] = []
    for kind, role in _kinds_of(spec):
        rows.append((role, "search_path", search_path))
        rows.extend((role, name, value) for name, value in _TIMEOUTS[kind])
    rows.append((spec.migrator_role, "role", spec.owner_role))
    return tuple(Setting(database=placement.database, role=role, name=name, value=value) for role, name, value in rows)


def database_grants(placement: Placement) -> tuple[Grant, ...]:
    """Return who may connect to the service's database: its own login roles and nobody else."""
    return tuple(
        Grant(kind="database", name=placement.database, grantee=role, privilege="CONNECT")
        for role in placement.spec.login_roles
    )


def table_grants(spec: ServiceSpec) -> tuple[Grant, ...]:
    """Return the privileges of a service's roles on its declared tables and their columns."""
    grants: list[Grant] = []
    for table in service_tables(spec):
        privileges = [(spec.service_role, word) for word in table.grants]
        privileges += [(spec.reader_role, "select"), (spec.backup_role, "select")]
        if table.name == "audit_events":
            privileges.append((spec.sealer_role, "select"))
        if table.name == "audit_pending":
            privileges += [(spec.sealer_role, "select"), (spec.sealer_role, "delete")]
        grants += [
            Grant(kind="table", schema=spec.schema, name=table.name, grantee=role, privilege=word.upper())
            for role, word in privileges
        ]
        columns = [("INSERT", name) for name in table.insert_columns] + [
            ("UPDATE", name) for name in table.update_columns
        ]
        grants += [
            Grant(
                kind="column",
                schema=spec.schema,
                name=table.name,
                column=column,
                grantee=spec.service_role,
                privilege=privilege,
            )
            for privilege, column in columns
        ]
    return tuple(grants)


def _kinds_of(spec: ServiceSpec) -> tuple[tuple[str, str], ...]:
    return (
        ("service", spec.service_role),
        ("migrator", spec.migrator_role),
        ("reader", spec.reader_role),
        ("backup", spec.backup_role),
        ("sealer", spec.sealer_role),
    )


def _declare_roles(placement: Placement) -> tuple[Role, ...]:
    spec = placement.spec
    limits = (
        (spec.service_role, spec.connections_max),
        (spec.migrator_role, _MIGRATOR_CONNECTIONS),
        (spec.reader_role, _READER_CONNECTIONS),
        (spec.backup_role, _BACKUP_CONNECTIONS),
        (spec.sealer_role, _SEALER_CONNECTIONS),
    )
    logins = tuple(Role(name=name, attributes=("LOGIN",), connection_limit=limit) for name, limit in limits)
    # The role named like the database is what pg_hba's `samerole` asks for: a move never edits pg_hba.
    return (Role(name=spec.owner_role), Role(name=placement.database), *logins)


def _declare_memberships(placement: Placement) -> tuple[Membership, ...]:
    spec = placement.spec
    keys = tuple(Membership(role=placement.database, member=role) for role in spec.login_roles)
    return (Membership(role=spec.owner_role, member=spec.migrator_role, may_set=True), *keys)


def _declare_database(name: str, placements: tuple[Placement, ...]) -> Database:
    grants: list[Grant] = []
    for placement in placements:
        spec = placement.spec
        grants += database_grants(placement)
        grants += [
            Grant(kind="schema", name=spec.schema, grantee=role, privilege="USAGE")
            for role in (spec.service_role, spec.reader_role, spec.backup_role, spec.sealer_role)
        ]
        # PUBLIC has no use of plpgsql; the owner needs it to create the trigger functions of its migrations.
        grants.append(Grant(kind="language", name="plpgsql", grantee=spec.owner_role, privilege="USAGE"))
        grants += table_grants(spec)
    schemas = {placement.spec.schema: placement.spec.owner_role for placement in placements}
    readers = {placement.spec.schema: placement.spec.backup_role for placement in placements}
    return Database(name=name, schemas=schemas, grants=frozenset(grants), sequence_readers=readers)
