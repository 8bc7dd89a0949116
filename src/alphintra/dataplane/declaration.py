"""What each database must be: roles, settings and grants generated from the manifest. Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.hardening import CATALOG_READER, Hardening, advisory_grants, catalogue_grants, closures
from alphintra.dataplane.layouts import placements_of
from alphintra.dataplane.model import Database, Grant, Membership, Role, Setting, State, Thing
from alphintra.dataplane.reporting_grants import with_reporting
from alphintra.manifest import COMMON_TABLES, RETAINER_FUNCTIONS, SEALER_RIGHTS, service_tables
from alphintra.manifest.disposals import retainer_rights

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server
    from alphintra.manifest import TableSpec

__all__ = [
    "SYSTEM_DATABASES",
    "database_grants",
    "declare",
    "declare_on",
    "function_grants",
    "role_settings",
    "table_grants",
]

SYSTEM_DATABASES: Final = ("postgres", "template1")

_CONNECTIONS: Final = MappingProxyType({"reader": 5, "migrator": 4, "backup": 4, "sealer": 2, "retainer": 2})

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
        "retainer": (("lock_timeout", "5s"),),  # it reads whole months
    }
)


def declare_on(server: Server, layout: Iterable[Placement]) -> State:
    """Return what a server must hold of a layout, at its level of hardening."""
    placements = placements_of(layout, server.instance)
    return declare(placements, exclusive=server.exclusive, hardening=server.hardening)


def declare(
    placements: Iterable[Placement], *, exclusive: bool = True, hardening: Hardening = Hardening.STRICT
) -> State:
    """Return what one instance must hold.

    Args:
        placements: the services on this instance.
        exclusive: whether the instance is Alphintra's alone; only then are ``postgres`` and ``template1`` closed too.
        hardening: how far the system catalogue is closed to PUBLIC.
    """
    placed = tuple(placements)
    databases = {
        database: _declare_database(database, tuple(item for item in placed if item.database == database), hardening)
        for database in sorted({placement.database for placement in placed})
    }
    if exclusive:
        grants = frozenset(catalogue_grants(hardening))
        shut = closures(hardening)
        databases |= {name: Database(name=name, grants=grants, closures=shut) for name in SYSTEM_DATABASES}
    services = State(
        roles=_declare_roles(placed),
        memberships=frozenset(item for placement in placed for item in _declare_memberships(placement)),
        settings=frozenset(role_settings(placed)),
        databases=databases,
        is_exclusive=exclusive,
    )
    return with_reporting(services, placed)


def role_settings(placements: Iterable[Placement]) -> tuple[Setting, ...]:
    """Return the settings of login roles in their database: search path, bounds, the migrator's role.

    A role that several services share has no search path of its own there: each service's URL carries it.
    """
    placed = tuple(placements)
    rows: dict[tuple[str, str, str], str] = {}
    for placement in placed:
        database = placement.database
        for kind, role in _kinds_of(placement):
            sharing = {item.search_path for item in placed if item.database == database and role in item.login_roles}
            if len(sharing) == 1:
                rows[database, role, "search_path"] = ", ".join(placement.search_path)
            rows |= {(database, role, name): value for name, value in _TIMEOUTS[kind]}
        rows[database, placement.migrator_role, "role"] = placement.owner_role
    return tuple(
        Setting(database=database, role=role, name=name, value=value) for (database, role, name), value in rows.items()
    )


def database_grants(placement: Placement) -> tuple[Grant, ...]:
    """Return who may connect to the service's database: its own login roles and nobody else."""
    return tuple(
        Grant(kind="database", name=placement.database, grantee=role, privilege="CONNECT")
        for role in placement.login_roles
    )


def table_grants(placement: Placement) -> tuple[Grant, ...]:
    """Return the privileges of a service's roles on its declared tables and their columns.

    Where a table is merged under another name, the service's roles hold them on the view that bears the old one, and
    the backup role on both.
    """
    grants: list[Grant] = []
    for table in service_tables(placement.spec):
        schema, name = placement.location(table.name)
        if name != table.name:
            grants.append(
                Grant(kind="table", schema=schema, name=name, grantee=placement.backup_role, privilege="SELECT")
            )
        schema, name = placement.visible(table.name)
        grants += _grants_on(table, placement, schema=schema, name=name)
    return tuple(grants)


def function_grants(placement: Placement) -> list[Grant]:
    """Return the rights to call the functions of the schema's owner: the service's own ones, and retention's."""
    callable_by = {placement.service_role: placement.spec.functions, placement.retainer_role: RETAINER_FUNCTIONS}
    return [
        Grant(kind="function", schema=placement.schema, name=name, grantee=role, privilege="EXECUTE")
        for role, names in callable_by.items()
        for name in names
    ]


def _grants_on(table: TableSpec, placement: Placement, *, schema: str, name: str) -> list[Grant]:
    privileges = [(placement.service_role, word) for word in table.grants]
    privileges += [(placement.reader_role, "select"), (placement.backup_role, "select")]
    sealed, leaves = SEALER_RIGHTS.get(table.name, ((), ())) if table in COMMON_TABLES else ((), ())
    privileges += [(placement.sealer_role, word) for word in sealed]
    words, inserted, updated = retainer_rights(placement.spec, table)
    privileges += [(placement.retainer_role, word) for word in words]
    columns = [(placement.service_role, "INSERT", column) for column in table.insert_columns]
    columns += [(placement.service_role, "UPDATE", column) for column in table.update_columns]
    columns += [(placement.sealer_role, "INSERT", column) for column in leaves]
    columns += [(placement.retainer_role, "INSERT", column) for column in inserted]
    columns += [(placement.retainer_role, "UPDATE", column) for column in updated]
    return [
        Grant(kind="table", schema=schema, name=name, grantee=role, privilege=word.upper()) for role, word in privileges
    ] + [
        Grant(kind="column", schema=schema, name=name, column=column, grantee=role, privilege=privilege)
        for role, privilege, column in columns
    ]


def _kinds_of(placement: Placement) -> tuple[tuple[str, str], ...]:
    return (
        ("service", placement.service_role),
        ("migrator", placement.migrator_role),
        ("reader", placement.reader_role),
        ("backup", placement.backup_role),
        ("sealer", placement.sealer_role),
        ("retainer", placement.retainer_role),
    )


def _declare_roles(placements: tuple[Placement, ...]) -> dict[str, Role]:
    """Return the roles of all services; one that several share may open as many sessions as all of them together."""
    limits: dict[str, int] = {}
    for placement in placements:
        for kind, role in _kinds_of(placement):
            own = placement.spec.connections_max if kind == "service" else _CONNECTIONS[kind]
            limits[role] = limits.get(role, 0) + own
    # Before PostgreSQL 16 what a member inherits is an attribute of the member.
    readers = {name for placement in placements for name in _catalog_readers(placement)}
    logins = {
        name: Role(
            name=name, attributes=("LOGIN", "INHERIT") if name in readers else ("LOGIN",), connection_limit=limit
        )
        for name, limit in limits.items()
    }
    owners = {
        placement.owner_role: Role(name=placement.owner_role, attributes=("INHERIT",)) for placement in placements
    }
    # The role named like the database is what pg_hba's `samerole` asks for: a move never edits pg_hba.
    plain = {CATALOG_READER, *(placement.database for placement in placements)}
    return {name: Role(name=name) for name in plain} | owners | logins


def _catalog_readers(placement: Placement) -> tuple[str, ...]:
    return (placement.owner_role, placement.backup_role)


def _declare_memberships(placement: Placement) -> tuple[Membership, ...]:
    keys = tuple(Membership(role=placement.database, member=role) for role in placement.login_roles)
    readers = (Membership(role=CATALOG_READER, member=role, inherit=True) for role in _catalog_readers(placement))
    return (Membership(role=placement.owner_role, member=placement.migrator_role, may_set=True), *keys, *readers)


def _declare_database(name: str, placements: tuple[Placement, ...], hardening: Hardening) -> Database:
    grants: list[Grant] = list(catalogue_grants(hardening))
    things: set[Thing] = set()
    schemas: dict[str, str] = {}
    readers: dict[str, str] = {}
    for placement in placements:
        grants += database_grants(placement)
        for schema in placement.search_path[:-1]:
            schemas[schema] = placement.owner_role
            readers[schema] = placement.backup_role
            grants += [
                Grant(kind="schema", name=schema, grantee=role, privilege="USAGE")
                for role in placement.login_roles
                if role != placement.migrator_role
            ]
        # PUBLIC has no use of plpgsql; the owner needs it to create the trigger functions of its migrations.
        grants.append(Grant(kind="language", name="plpgsql", grantee=placement.owner_role, privilege="USAGE"))
        grants += table_grants(placement)
        grants += function_grants(placement)
        if hardening is Hardening.STRICT:
            grants += advisory_grants(placement.service, placement.service_role)
            grants += advisory_grants("migrator", placement.owner_role)
            grants += advisory_grants("sealer", placement.sealer_role)
        things |= _things(placement)
    return Database(
        name=name,
        schemas=schemas,
        grants=frozenset(grants),
        backup_readers=readers,
        closures=closures(hardening),
        things=frozenset(things),
    )


def _things(placement: Placement) -> set[Thing]:
    """Return the functions and triggers that a service's migrations make."""
    functions = (*placement.spec.functions, *RETAINER_FUNCTIONS)
    found = {Thing(kind="function", name=f"{placement.schema}.{name}") for name in functions}
    for table in service_tables(placement.spec):
        where = ".".join(placement.location(table.name))
        found |= {Thing(kind="trigger", name=f"{where}.{trigger}") for trigger in table.triggers}
        found |= {Thing(kind="function", name=f"{placement.schema}.{function}()") for function in table.functions}
    return found
