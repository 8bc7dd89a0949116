"""What the catalogues of a foreign server say, as plain values that the rules of the audit are applied to. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from alphintra.dataplane.audit.mapping import Target

__all__ = ["Account", "Belongs", "Facts", "HbaRule", "Held", "LaterHeld", "Owned", "Routine", "ServerFacts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """The instance as a whole.

    Attributes:
        version: server_version_num.
        admin: role the audit is connected as.
        is_superuser: whether that role is a superuser, who alone sees verifiers and may act for others.
        connections: sessions the server takes from others than superusers.
        has_tls: whether the server offers TLS.
        is_local: whether it listens on this machine alone.
        password_encryption: how new passwords are stored.
    """

    version: int
    admin: str
    is_superuser: bool
    connections: int
    has_tls: bool
    is_local: bool
    password_encryption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A role; ``verifier`` is scram, md5, none, other, or hidden where the administrator may not look."""

    name: str
    attributes: frozenset[str]
    connection_limit: int
    verifier: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Belongs:
    """That ``member`` is in ``role``: whether it has its rights at once, may become it, may hand it on."""

    role: str
    member: str
    inherits: bool
    may_set: bool
    may_admin: bool


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Held:
    """A privilege somebody other than the owner has; built-in defaults included.

    Attributes:
        kind: database, schema, table, sequence, column, function, language, wrapper or server.
        database: where the object lies; its own name for a database.
        schema: empty where the kind has none.
        name: unquoted, for a function quoted with its argument types.
        column: for a column.
        grantee: role or ``PUBLIC``.
        privilege: as in GRANT.
        is_grantable: may be passed on.
    """

    kind: str
    database: str
    schema: str = ""
    name: str
    column: str = ""
    grantee: str
    privilege: str
    is_grantable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Owned:
    """An object and its owner: kind is database, schema, table, view, sequence or function."""

    kind: str
    database: str
    schema: str = ""
    name: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Routine:
    """A function that runs with its owner's rights, and the search path it pins (empty for none)."""

    database: str
    schema: str
    signature: str
    owner: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LaterHeld:
    """A privilege that objects made later by ``owner`` will carry; built-in defaults included."""

    database: str
    owner: str
    schema: str
    kind: str
    grantee: str
    privilege: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HbaRule:
    """A line of pg_hba.conf that lets somebody in."""

    line: int
    kind: str
    databases: tuple[str, ...]
    users: tuple[str, ...]
    address: str
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that was read.

    Attributes:
        server: the instance.
        targets: the mapped services.
        accounts: every role but PostgreSQL's own, by name.
        belongs: every membership.
        held: privileges on databases of the instance, and inside the mapped ones.
        owned: owners of databases of the instance, and inside the mapped ones.
        routines: security-definer functions of the mapped databases.
        later: default privileges there.
        hba: lines of pg_hba.conf; None where the administrator may not read them.
        extensions: extensions by database.
        connects: pairs of role (that may log in) and database it may connect to, by whatever way.
    """

    server: ServerFacts
    targets: tuple[Target, ...]
    accounts: dict[str, Account]
    belongs: tuple[Belongs, ...] = ()
    held: frozenset[Held] = frozenset()
    owned: frozenset[Owned] = frozenset()
    routines: tuple[Routine, ...] = ()
    later: frozenset[LaterHeld] = frozenset()
    hba: tuple[HbaRule, ...] | None = None
    extensions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    connects: frozenset[tuple[str, str]] = frozenset()
