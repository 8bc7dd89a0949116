"""Layouts of the eight services over instances, databases, schemas and roles; a layout is eight placements. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import COMMON_TABLES, SERVICES, service_tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alphintra.manifest import ServiceSpec

__all__ = [
    "MAIN_INSTANCE",
    "LayoutChoice",
    "LayoutName",
    "Placement",
    "choose_layout",
    "instances_of",
    "layout_label",
    "login_roles",
    "merge_rule",
    "placements_of",
    "separate_layout",
]

_EVERY_SERVICE: Final = frozenset(table.name for table in COMMON_TABLES)
_DOMAINS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "alphintra_financial": ("trading", "risk", "strategy"),
        "alphintra_platform": ("user", "auth", "notification"),
        "alphintra_workflow": ("nocode", "broker"),
    }
)
_CENTRAL: Final = "alphintra_central"
_CONSOLIDATED: Final = "alphintra_consolidated"
_CENTRAL_ROLE: Final = "central_app_user"
_CONSOLIDATED_ROLE: Final = "consolidated_app_user"
_MERGED_SCHEMA: Final = "alphintra_schema"
MAIN_INSTANCE: Final = "main"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_RESERVED: Final = frozenset({"postgres", "template0", "template1", "public", "information_schema"})


class LayoutName(StrEnum):
    """Which services share a database: none, those of a domain, all, or all of them one schema."""

    SEPARATE = "separate"
    HYBRID = "hybrid"
    CENTRAL = "central"
    CONSOLIDATED = "consolidated"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Placement:
    """Where one service lives: an instance, a database, a schema, and the roles that come there. A layout is eight.

    Attributes:
        service: which of the eight.
        database: database name.
        instance: PostgreSQL instance it lies on.
        schema_name: schema the service's statements resolve in, if not the manifest's.
        service_role_name: login role of the running service, if not the manifest's; several services may share it.
        role_prefix: start of the other roles' names, if not the service's name.
        merged_schema: schema that holds the rows of all services, where they share one (``consolidated``).
        is_reported: whether cross-service reports may read what the service shows them; the place is the same.
    """

    service: str
    database: str
    instance: str = MAIN_INSTANCE
    schema_name: str = ""
    service_role_name: str = ""
    role_prefix: str = ""
    merged_schema: str = ""
    is_reported: bool = field(default=False, compare=False)

    @property
    def spec(self) -> ServiceSpec:
        """Declaration of the placed service."""
        return SERVICES[self.service]

    @property
    def schema(self) -> str:
        """Schema the service's statements resolve in."""
        return self.schema_name or self.spec.schema

    @property
    def search_path(self) -> tuple[str, ...]:
        """Schemas that names are looked up in, the temporary one last so that it can hide nothing."""
        return tuple(name for name in (self.schema, self.merged_schema, "pg_temp") if name)

    @property
    def service_role(self) -> str:
        """Login role of the running service."""
        return self.service_role_name or f"{self.role_prefix or self.service}_service_user"

    @property
    def owner_role(self) -> str:
        """Role that owns schema and tables; cannot log in."""
        return f"{self.role_prefix or self.service}_owner"

    @property
    def migrator_role(self) -> str:
        """Login role that becomes the owner to apply migrations."""
        return f"{self.role_prefix or self.service}_migrator"

    @property
    def reader_role(self) -> str:
        """Login role for read-only inspection."""
        return f"{self.role_prefix or self.service}_reader"

    @property
    def backup_role(self) -> str:
        """Login role that dumps."""
        return f"{self.role_prefix or self.service}_backup"

    @property
    def sealer_role(self) -> str:
        """Login role that seals the audit log."""
        return f"{self.role_prefix or self.service}_sealer"

    @property
    def retainer_role(self) -> str:
        """Login role that sets legal holds, archives records and takes away those whose time is up."""
        return f"{self.role_prefix or self.service}_retainer"

    @property
    def login_roles(self) -> tuple[str, ...]:
        """All roles of the service that may log in."""
        return (
            self.service_role,
            self.migrator_role,
            self.reader_role,
            self.backup_role,
            self.sealer_role,
            self.retainer_role,
        )

    def visible(self, table: str) -> tuple[str, str]:
        """Return schema and name under which the service's own statements reach one of its tables, or a view of it."""
        schema, name = self.location(table)
        return (schema, name) if name == table else (self.schema, table)

    def shares_role_with(self, other: Placement) -> bool:
        """Whether one credential is both services', in the same database: then nothing lies between them."""
        mine = (self.instance, self.database, self.service_role)
        return mine == (other.instance, other.database, other.service_role)

    def location(self, table: str) -> tuple[str, str]:
        """Return schema and name of the table that holds the rows of one of the service's tables."""
        if not self.merged_schema:
            return self.schema, table
        return self.merged_schema, f"{self.service}_{table}" if table in _EVERY_SERVICE else table


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutChoice:
    """What an operator chooses about the layout.

    Attributes:
        name: of the layout.
        is_isolated: one PostgreSQL instance per database; one per service, then, in ``separate``.
        has_shared_role: in ``central``, one ``central_app_user`` for all services in place of a role each.
        accepts_consolidated: that ``consolidated`` has no isolation at all is known and accepted.
        databases: other names for databases, by the layout's own name.
        schemas: other names for schemas, by service; ``merged`` names the shared one of ``consolidated``.
        roles: other names for the services' login roles, by service; ``shared`` names the one all use.
        instances: instance of a database, by its (final) name; those not named lie on ``main``.
    """

    name: LayoutName = LayoutName.SEPARATE
    is_isolated: bool = False
    has_shared_role: bool = False
    accepts_consolidated: bool = False
    databases: Mapping[str, str] = field(default_factory=dict)
    schemas: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    instances: Mapping[str, str] = field(default_factory=dict)


def choose_layout(choice: LayoutChoice) -> tuple[Placement, ...]:
    """Return where each service lives, in order of service name.

    Raises LAYOUT_NOT_ACCEPTED for ``consolidated`` without its acceptance, LAYOUT_ROLE for a shared role elsewhere than
    in ``central``, LAYOUT_NAME for a name that is none or names nothing, LAYOUT_DUPLICATE for one used twice.
    """
    if choice.name is LayoutName.CONSOLIDATED and not choice.accepts_consolidated:
        message = (
            "consolidated puts all services into one schema under one role, without any isolation: "
            "set accept_consolidated = true if that is meant, or choose separate, hybrid or central"
        )
        raise AlphintraError("LAYOUT_NOT_ACCEPTED", message, kind=Kind.FORBIDDEN, pointer="layout.accept_consolidated")
    if choice.has_shared_role and choice.name is not LayoutName.CENTRAL:
        message = f"a shared role belongs to the central layout, not to {choice.name.value}: leave shared_role out"
        raise AlphintraError("LAYOUT_ROLE", message, pointer="layout.shared_role")
    _require_known(choice)
    placements = tuple(_place(service, choice) for service in SERVICES)
    _require_distinct(placements, choice)
    return placements


def separate_layout(*, instance: str = MAIN_INSTANCE) -> tuple[Placement, ...]:
    """Return the default layout: one database per service, all on one instance."""
    return tuple(Placement(service=service, database=f"alphintra_{service}", instance=instance) for service in SERVICES)


def placements_of(layout: Iterable[Placement], instance: str) -> tuple[Placement, ...]:
    """Return the placements of a layout that lie on one instance, in order of service name."""
    return tuple(sorted(placement for placement in layout if placement.instance == instance))


def instances_of(layout: Iterable[Placement]) -> tuple[str, ...]:
    """Return the names of a layout's instances, in order."""
    return tuple(sorted({placement.instance for placement in layout}))


def layout_label(layout: Iterable[Placement]) -> str:
    """Return which layout this is by which services share a database; ``mixed`` where it is none, as amid a move."""
    shared: dict[tuple[str, str], set[str]] = {}
    is_merged = False
    for placement in layout:
        shared.setdefault((placement.instance, placement.database), set()).add(placement.service)
        is_merged |= bool(placement.merged_schema)
    if is_merged:
        return LayoutName.CONSOLIDATED.value
    found = sorted(sorted(services) for services in shared.values())
    for name in (LayoutName.SEPARATE, LayoutName.HYBRID, LayoutName.CENTRAL):
        groups: dict[str, list[str]] = {}
        for service in sorted(SERVICES):
            groups.setdefault(_default_group(service, name), []).append(service)
        if found == sorted(groups.values()):
            return name.value
    return "mixed"


def login_roles(layout: Iterable[Placement]) -> tuple[str, ...]:
    """Return every role of a layout that may log in, so that a caller can make a secret for each."""
    return tuple(dict.fromkeys(role for placement in layout for role in placement.login_roles))


def merge_rule(layout: Iterable[Placement]) -> tuple[tuple[str, str], ...]:
    """Return each table's place by its service's own name for it, where the two differ: ``consolidated`` alone."""
    return tuple(
        (f"{placement.schema}.{table.name}", ".".join(placement.location(table.name)))
        for placement in layout
        if placement.merged_schema
        for table in service_tables(placement.spec)
    )


def _place(service: str, choice: LayoutChoice) -> Placement:
    match choice.name:
        case LayoutName.SEPARATE:
            default = f"alphintra_{service}"
        case LayoutName.HYBRID:
            default = next(name for name, members in _DOMAINS.items() if service in members)
        case LayoutName.CENTRAL:
            default = _CENTRAL
        case LayoutName.CONSOLIDATED:
            default = _CONSOLIDATED
    database = choice.databases.get(default, default)
    instance = database.removeprefix("alphintra_") if choice.is_isolated else MAIN_INSTANCE
    is_merged = choice.name is LayoutName.CONSOLIDATED
    role = choice.roles.get(service, "")
    if is_merged:
        role = choice.roles.get("shared", _CONSOLIDATED_ROLE)
    elif choice.has_shared_role:
        role = choice.roles.get("shared", _CENTRAL_ROLE)
    return Placement(
        service=service,
        database=database,
        instance=choice.instances.get(database, instance),
        schema_name=choice.schemas.get(service, ""),
        service_role_name=role,
        role_prefix="consolidated" if is_merged else "",
        merged_schema=choice.schemas.get("merged", _MERGED_SCHEMA) if is_merged else "",
    )


def _require_known(choice: LayoutChoice) -> None:
    defaults = {
        LayoutName.SEPARATE: {f"alphintra_{service}" for service in SERVICES},
        LayoutName.HYBRID: set(_DOMAINS),
        LayoutName.CENTRAL: {_CENTRAL},
        LayoutName.CONSOLIDATED: {_CONSOLIDATED},
    }[choice.name]
    is_shared = choice.has_shared_role or choice.name is LayoutName.CONSOLIDATED
    databases = {choice.databases.get(name, name) for name in defaults}
    known = {
        "databases": defaults,
        "schemas": set(SERVICES) | ({"merged"} if choice.name is LayoutName.CONSOLIDATED else set()),
        "roles": {"shared"} if is_shared else set(SERVICES),
        "instances": databases,
    }
    for table, keys in known.items():
        chosen: Mapping[str, str] = getattr(choice, table)
        for key, name in chosen.items():
            pointer = f"layout.{table}.{key}"
            if key not in keys:
                message = f"{pointer} names nothing in the {choice.name.value} layout: known are {_listed(keys)}"
                raise AlphintraError("LAYOUT_NAME", message, pointer=pointer)
            if not _NAME.fullmatch(name) or name.startswith("pg_") or name in _RESERVED:
                message = f"{pointer} is {name!r}: use lower-case letters, digits and underscores, at most 63, not pg_"
                raise AlphintraError("LAYOUT_NAME", message, pointer=pointer)


def _require_distinct(placements: tuple[Placement, ...], choice: LayoutChoice) -> None:
    defaults = len({_default_group(placement.service, choice.name) for placement in placements})
    names = {placement.database for placement in placements}
    if len(names) < defaults:
        message = f"two databases of the {choice.name.value} layout have one name ({_listed(names)}): give each its own"
        raise AlphintraError("LAYOUT_DUPLICATE", message, pointer="layout.databases")
    _require_once([placement.schema for placement in placements] + _merged(placements), "layout.schemas", "schema")
    roles = [role for placement in placements for role in _all_roles(placement)]
    if not (choice.has_shared_role or choice.name is LayoutName.CONSOLIDATED):
        _require_once(roles, "layout.roles", "role")
    # The role that opens a database bears its name.
    if both := names & set(roles):
        message = f"{_listed(both)} is the name of a database and of a role: give one of them another"
        raise AlphintraError("LAYOUT_DUPLICATE", message, pointer="layout.roles")


def _require_once(names: list[str], pointer: str, what: str) -> None:
    if twice := {name for name, count in Counter(names).items() if count > 1}:
        message = f"{what} {_listed(twice)} is used for more than one service: give each its own"
        raise AlphintraError("LAYOUT_DUPLICATE", message, pointer=pointer)


def _all_roles(placement: Placement) -> tuple[str, ...]:
    return (*placement.login_roles, placement.owner_role)


def _merged(placements: tuple[Placement, ...]) -> list[str]:
    return sorted({placement.merged_schema for placement in placements if placement.merged_schema})


def _default_group(service: str, name: LayoutName) -> str:
    return _place(service, LayoutChoice(name=name)).database


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
