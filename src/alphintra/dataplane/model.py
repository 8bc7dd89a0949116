"""Values shared by what is declared and what is observed, so that a plan is their plain difference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = [
    "PUBLIC",
    "SYSTEM_SCHEMAS",
    "Closure",
    "Database",
    "DefaultGrant",
    "Grant",
    "Membership",
    "Relation",
    "Role",
    "Setting",
    "State",
    "Thing",
]

PUBLIC: Final = "PUBLIC"
"""Grantee that stands for everybody; no role can have this name, reserved words are folded to lower case."""

SYSTEM_SCHEMAS: Final = frozenset({"pg_catalog", "information_schema"})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Role:
    """One role of the instance.

    Attributes:
        name: role name.
        attributes: those that are on, out of LOGIN, INHERIT, SUPERUSER, CREATEDB, CREATEROLE, REPLICATION, BYPASSRLS.
        connection_limit: sessions at once, -1 for no limit.
        expires: whether its password ends at some time; never declared.
    """

    name: str
    attributes: tuple[str, ...] = ()
    connection_limit: int = -1
    expires: bool = False


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
    """Value a setting has from the start of each session of a role in a database.

    Only observed: an empty database stands for all, an empty role for everybody.
    """

    database: str
    role: str
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Grant:
    """One privilege on one object for one grantee.

    Attributes:
        kind: database, schema, table, column, sequence, function, type or language; of the whole instance also
            parameter (of the configuration) and tablespace.
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
    """A table, view, sequence, function or type found in a service's schema, with its owner.

    Of a part of a table that is cut up, ``parent`` is the whole; empty for everything else.
    """

    schema: str
    name: str
    kind: str
    owner: str
    parent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Thing:
    """Something that no action makes or drops: it is as declared, or it is reported.

    Attributes:
        kind: what it is, in words: ``function``, ``trigger``, ``event trigger``, ``large object`` and so on.
        name: with its schema and table where it has them.
    """

    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Objects of the system catalogue that PUBLIC has no right on, and what that hides.

    Attributes:
        purpose: what it is for, as the heading of its statements.
        kind: ``table`` (views too) or ``function``.
        pattern: whole name of an object without its schema; an earlier closure of the same kind wins.
        is_readable: whether the catalogue's readers keep their right.
    """

    purpose: str
    kind: str
    pattern: str
    is_readable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What one database holds, or must hold.

    Attributes:
        name: database name.
        owner: who owns it where that is neither a superuser nor the connected administrator; observed only.
        schemas: schema name to owner, without the system's own schemas and ``public``.
        grants: privileges of everyone but the owners of the objects.
        default_grants: what objects created later would carry for others than their owner.
        relations: objects in the services' schemas; a declaration has none, they come from migrations.
        backup_readers: schema name to the role that may read every sequence and every part of a table in it; declared
            only.
        closures: what PUBLIC may not use of the system catalogue; declared only.
        missing: rights that owners have from the start, or everybody by PostgreSQL's default where nothing closes
            it, or the catalogue's readers by declaration, and that are gone; observed only.
        missing_defaults: rights that owners would lack on objects they create later; observed only.
        things: what else there is, beside the system's own: functions, triggers, extensions, publications, ...
    """

    name: str
    owner: str = ""
    schemas: dict[str, str] = field(default_factory=dict)
    grants: frozenset[Grant] = frozenset()
    default_grants: frozenset[DefaultGrant] = frozenset()
    relations: frozenset[Relation] = frozenset()
    backup_readers: dict[str, str] = field(default_factory=dict)
    closures: tuple[Closure, ...] = ()
    missing: frozenset[Grant] = frozenset()
    missing_defaults: frozenset[DefaultGrant] = frozenset()
    things: frozenset[Thing] = frozenset()


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
        is_exclusive: whether the instance serves Alphintra alone; declared only.
        operator: the connected administrator.
        admin: the same where it is no superuser: it must join the owners to act for them.
        server_grants: rights on parameters and tablespaces that PUBLIC or one of our roles holds; none is declared.
        fresh: what a database just created holds of the catalogue that closures speak of; observed only.
        things: what else the instance holds that could matter: roles, databases, replication slots, ...
        limits: what the connected administrator cannot see or change, in plain words.
        untouchable: kinds of objects whose privileges the administrator cannot change (``language``).
    """

    version: int = 0
    roles: dict[str, Role] = field(default_factory=dict)
    memberships: frozenset[Membership] = frozenset()
    settings: frozenset[Setting] = frozenset()
    databases: dict[str, Database] = field(default_factory=dict)
    wrong_passwords: frozenset[str] = frozenset()
    is_exclusive: bool = False
    operator: str = ""
    admin: str = ""
    server_grants: frozenset[Grant] = frozenset()
    fresh: Database | None = None
    things: frozenset[Thing] = frozenset()
    limits: tuple[str, ...] = ()
    untouchable: frozenset[str] = frozenset()
