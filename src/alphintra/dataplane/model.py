"""Values shared by what is declared and what is observed, so that a plan is their plain difference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = [
    "PUBLIC",
    "Database",
    "DefaultGrant",
    "Grant",
    "Membership",
    "Relation",
    "Role",
    "Setting",
    "State",
]

PUBLIC: Final = "PUBLIC"
"""Grantee that stands for everybody; no role can have this name, reserved words are folded to lower case."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Role:
    """One role of the instance.

    Attributes:
        name: role name.
        attributes: those that are on, out of LOGIN, INHERIT, SUPERUSER, CREATEDB, CREATEROLE, REPLICATION, BYPASSRLS.
        connection_limit: sessions at once, -1 for no limit.
    """

    name: str
    attributes: tuple[str, ...] = ()
    connection_limit: int = -1


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Membership:
    """That ``member`` belongs to ``role``, and what it may do with it (always False, True, False below 16).

    ``grantor`` is observed only: from 16 on a membership can be taken back only in the name of who gave it.
    """

    role: str
    member: str
    inherit: bool = False
    may_set: bool = False
    may_admin: bool = False
    grantor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Setting:
    """Value a setting has from the start of each session of a role in a database."""

    database: str
    role: str
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Grant:
    """One privilege on one object for one grantee.

    Attributes:
        kind: database, schema, table, column, sequence, function, type or language.
        name: unquoted name of the object inside its schema; for a function quoted, with its argument types.
        schema: schema of the object, empty for databases, schemas and languages.
        column: column name where kind is column.
        grantee: role, or ``PUBLIC``.
        privilege: upper case, as in GRANT.
        grantable: whether the grantee may pass it on; never declared.
    """

    kind: str
    name: str
    schema: str = ""
    column: str = ""
    grantee: str
    privilege: str
    grantable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DefaultGrant:
    """Privilege that objects created later by ``owner`` will carry for ``grantee``."""

    owner: str
    kind: str
    schema: str = ""
    grantee: str
    privilege: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Relation:
    """A table, view, sequence, function or type found in a service's schema, with its owner."""

    schema: str
    name: str
    kind: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What one database holds, or must hold.

    Attributes:
        name: database name.
        schemas: schema name to owner, without the system's own schemas and ``public``.
        grants: privileges of everyone but the owners of the objects.
        default_grants: what objects created later would carry for others than their owner.
        relations: objects in the services' schemas; a declaration has none, they come from migrations.
        sequence_readers: schema name to the role that may read every sequence in it; declared only.
    """

    name: str
    schemas: dict[str, str] = field(default_factory=dict)
    grants: frozenset[Grant] = frozenset()
    default_grants: frozenset[DefaultGrant] = frozenset()
    relations: frozenset[Relation] = frozenset()
    sequence_readers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What one PostgreSQL instance holds of Alphintra, or must hold.

    Attributes:
        version: server_version_num, such as 180006; 0 in a declaration.
        roles: roles by name; observed ones only where declared.
        memberships: memberships that give one of our roles something, or somebody one of our roles.
        settings: settings per role and database.
        databases: databases by name.
        wrong_passwords: login roles whose stored verifier does not fit the secret the caller holds.
        admin: the connected administrator where it is no superuser: it must join the owners to act for them.
        limits: what the connected administrator cannot see or change, in plain words.
        untouchable: kinds of objects whose privileges the administrator cannot change (``language``).
    """

    version: int = 0
    roles: dict[str, Role] = field(default_factory=dict)
    memberships: frozenset[Membership] = frozenset()
    settings: frozenset[Setting] = frozenset()
    databases: dict[str, Database] = field(default_factory=dict)
    wrong_passwords: frozenset[str] = frozenset()
    admin: str = ""
    limits: tuple[str, ...] = ()
    untouchable: frozenset[str] = frozenset()
