"""Difference of declared and observed state, as ordered actions with their SQL. Pure.

Nothing here ever drops a role, schema, table or database: what is not declared is reported by ``unexpected``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.model import PUBLIC, Database, DefaultGrant, Grant, Membership, Role, State
from alphintra.dataplane.quoting import identifier, literal, qualified

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["VERIFIER", "Action", "fresh_database", "plan", "unexpected"]

VERIFIER: Final = ":verifier"
"""Stands in an action's SQL where ``apply`` puts the SCRAM verifier; no plan ever holds a secret."""

_MEMBERSHIP_OPTIONS_SINCE = 160000
_ALL_ATTRIBUTES: Final = ("LOGIN", "INHERIT", "SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS")
_SUPERUSER_ATTRIBUTES: Final = frozenset({"SUPERUSER", "REPLICATION", "BYPASSRLS"})
_DEFAULT_KINDS: Final = {"table": "TABLES", "sequence": "SEQUENCES", "function": "ROUTINES", "type": "TYPES"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One statement of a plan.

    Attributes:
        sql: the statement; ``VERIFIER`` in it is replaced when it runs.
        database: where it runs; empty for the administrator's own database.
        destructive: takes something away from a named role that somebody may have relied upon.
        transactional: may share a transaction with its neighbours (CREATE DATABASE may not).
        password_of: role whose verifier replaces ``VERIFIER``.
    """

    sql: str
    database: str = ""
    destructive: bool = False
    transactional: bool = True
    password_of: str = ""


def plan(declared: State, observed: State) -> tuple[Action, ...]:
    """Return what makes ``observed`` equal to ``declared``, in an order that works; empty if they agree.

    Grants on tables appear once the tables exist: plan again after the migrations.
    """
    actions = [*_plan_roles(declared, observed), *_plan_memberships(declared, observed)]
    actions += [
        Action(sql=f"CREATE DATABASE {identifier(name)} TEMPLATE template0 ENCODING 'UTF8'", transactional=False)
        for name, database in sorted(declared.databases.items())
        if name not in observed.databases and database.schemas
    ]
    for name, wanted in sorted(declared.databases.items()):
        if observed.admin and not wanted.schemas:
            continue  # the server's own databases are its superuser's
        found = observed.databases.get(name) or fresh_database(name, declared)
        actions += _plan_database_acl(wanted, found, ours=frozenset(declared.roles))
    actions += _plan_settings(declared, observed)
    for name, wanted in sorted(declared.databases.items()):
        if wanted.schemas:
            found = observed.databases.get(name) or fresh_database(name, declared)
            actions += _plan_inside(wanted, found, untouchable=observed.untouchable)
    return tuple(actions)


def unexpected(declared: State, observed: State) -> tuple[str, ...]:
    """Return, in words, what is there without a declaration or missing although declared; no action mends these."""
    notes: list[str] = []
    for name, wanted in sorted(declared.databases.items()):
        found = observed.databases.get(name)
        if found is None or not wanted.schemas:
            continue
        notes += [
            f"{name}: schema {schema} is not declared" for schema in sorted(set(found.schemas) - set(wanted.schemas))
        ]
        tables = {(item.schema, item.name) for item in found.relations if item.kind in {"table", "view"}}
        expected = {(grant.schema, grant.name) for grant in wanted.grants if grant.kind == "table"}
        notes += [f"{name}: table {schema}.{table} is not declared" for schema, table in sorted(tables - expected)]
        notes += [f"{name}: table {schema}.{table} is missing" for schema, table in sorted(expected - tables)]
    return tuple(notes)


def fresh_database(name: str, declared: State) -> Database:
    """Return what a database just created from template0 holds, so that one plan can go from nothing to done."""
    public = (
        Grant(kind="database", name=name, grantee=PUBLIC, privilege="CONNECT"),
        Grant(kind="database", name=name, grantee=PUBLIC, privilege="TEMPORARY"),
        Grant(kind="schema", name="public", grantee=PUBLIC, privilege="USAGE"),
        Grant(kind="language", name="plpgsql", grantee=PUBLIC, privilege="USAGE"),
    )
    owners = set(declared.databases[name].schemas.values())
    defaults = {
        DefaultGrant(owner=owner, kind=kind, grantee=PUBLIC, privilege=privilege)
        for owner in owners
        for kind, privilege in (("function", "EXECUTE"), ("type", "USAGE"))
    }
    return Database(name=name, grants=frozenset(public), default_grants=frozenset(defaults))


def _plan_roles(declared: State, observed: State) -> list[Action]:
    actions: list[Action] = []
    for name, wanted in sorted(declared.roles.items()):
        found = observed.roles.get(name)
        if found is None:
            actions.append(Action(sql=f"CREATE ROLE {identifier(name)} WITH {_role_options(wanted, Role(name=name))}"))
        elif found != wanted:
            lost = set(found.attributes) - set(wanted.attributes)
            sql = f"ALTER ROLE {identifier(name)} WITH {_role_options(wanted, found)}"
            actions.append(Action(sql=sql, destructive=bool(lost)))
        if "LOGIN" in wanted.attributes and (found is None or name in observed.wrong_passwords):
            sql = f"ALTER ROLE {identifier(name)} WITH PASSWORD {VERIFIER}"
            actions.append(Action(sql=sql, password_of=name, destructive=found is not None))
    return actions


def _role_options(wanted: Role, found: Role) -> str:
    # Only a superuser may even mention the superuser's attributes, so they appear where they have to change.
    words = [
        attribute if attribute in wanted.attributes else f"NO{attribute}"
        for attribute in _ALL_ATTRIBUTES
        if attribute not in _SUPERUSER_ATTRIBUTES or (attribute in wanted.attributes) != (attribute in found.attributes)
    ]
    return " ".join([*words, f"CONNECTION LIMIT {wanted.connection_limit}"])


def _plan_memberships(declared: State, observed: State) -> list[Action]:
    wanted = set(declared.memberships)
    if observed.admin:
        owners = {owner for database in declared.databases.values() for owner in database.schemas.values()}
        wanted |= {Membership(role=owner, member=observed.admin, inherit=True, may_set=True) for owner in owners}
    has_options = observed.version >= _MEMBERSHIP_OPTIONS_SINCE
    if not has_options:
        wanted = {Membership(role=item.role, member=item.member, may_set=True) for item in wanted}
    found = {_without_grantor(item) for item in observed.memberships}
    actions = []
    for item in sorted(observed.memberships):
        if _without_grantor(item) not in wanted:
            by = f" GRANTED BY {identifier(item.grantor)}" if item.grantor and has_options else ""
            sql = f"REVOKE {identifier(item.role)} FROM {identifier(item.member)}{by} CASCADE"
            actions.append(Action(sql=sql, destructive=True))
    for item in sorted(wanted - found):
        options = f" WITH INHERIT {item.inherit}, SET {item.may_set}".upper() if has_options else ""
        actions.append(Action(sql=f"GRANT {identifier(item.role)} TO {identifier(item.member)}{options}"))
    return actions


def _without_grantor(item: Membership) -> Membership:
    return Membership(
        role=item.role, member=item.member, inherit=item.inherit, may_set=item.may_set, may_admin=item.may_admin
    )


def _plan_database_acl(wanted: Database, found: Database, *, ours: frozenset[str]) -> list[Action]:
    have = {grant for grant in found.grants if grant.kind == "database"}
    if not wanted.schemas:
        # The server's own databases: close them to everybody and to our roles, leave other people's grants alone.
        have = {grant for grant in have if grant.grantee == PUBLIC or grant.grantee in ours}
    want = {grant for grant in wanted.grants if grant.kind == "database"}
    return [*_revokes(have - want, ""), *_grants(want - have, "")]


def _plan_settings(declared: State, observed: State) -> list[Action]:
    wanted = {(item.database, item.role, item.name): item.value for item in declared.settings}
    found = {(item.database, item.role, item.name): item.value for item in observed.settings}
    actions = []
    for key in sorted(found.keys() - wanted.keys()):
        database, role, name = key
        sql = f"ALTER ROLE {identifier(role)} IN DATABASE {identifier(database)} RESET {identifier(name)}"
        actions.append(Action(sql=sql, destructive=True))
    for key, value in sorted(wanted.items()):
        if found.get(key) != value:
            database, role, name = key
            # search_path is a list: quoted as one string it would name a single schema with a comma in it.
            text = (
                ", ".join(identifier(part.strip()) for part in value.split(","))
                if name == "search_path"
                else literal(value)
            )
            sql = f"ALTER ROLE {identifier(role)} IN DATABASE {identifier(database)} SET {identifier(name)} = {text}"
            actions.append(Action(sql=sql))
    return actions


def _plan_inside(wanted: Database, found: Database, *, untouchable: frozenset[str]) -> list[Action]:
    where = found.name
    actions: list[Action] = []
    for schema, owner in sorted(wanted.schemas.items()):
        if schema not in found.schemas:
            sql = f"CREATE SCHEMA {identifier(schema)} AUTHORIZATION {identifier(owner)}"
            actions.append(Action(sql=sql, database=where))
        elif found.schemas[schema] != owner:
            sql = f"ALTER SCHEMA {identifier(schema)} OWNER TO {identifier(owner)}"
            actions.append(Action(sql=sql, database=where, destructive=True))
    actions += _plan_owners(wanted, found)
    for default in sorted(found.default_grants - wanted.default_grants):
        actions.append(Action(sql=_default_sql(default), database=where))
    want = {grant for grant in _expected(wanted, found) if grant.kind not in {"database", *untouchable}}
    have = {grant for grant in found.grants if grant.kind not in {"database", *untouchable}}
    extra = have - want
    # Taking a privilege on a table takes it on its columns too, so what stays declared there is granted again.
    tables = {(item.schema, item.name, item.grantee, item.privilege) for item in extra if item.kind == "table"}
    lost = {
        item
        for item in have
        if item.kind == "column" and (item.schema, item.name, item.grantee, item.privilege) in tables
    }
    return [*actions, *_revokes(extra, where), *_grants(want - (have - lost), where)]


def _plan_owners(wanted: Database, found: Database) -> list[Action]:
    words = {"table": "TABLE", "view": "VIEW", "sequence": "SEQUENCE", "function": "ROUTINE", "type": "TYPE"}
    actions = []
    for item in sorted(found.relations):
        owner = wanted.schemas.get(item.schema)
        if owner is not None and item.owner != owner:
            name = (
                f"{identifier(item.schema)}.{item.name}"
                if item.kind == "function"
                else qualified(item.schema, item.name)
            )
            sql = f"ALTER {words[item.kind]} {name} OWNER TO {identifier(owner)}"
            actions.append(Action(sql=sql, database=found.name, destructive=True))
    return actions


def _expected(wanted: Database, found: Database) -> set[Grant]:
    """Declared grants whose object exists, and the backup role's right to read each sequence that exists."""
    tables = {(item.schema, item.name) for item in found.relations if item.kind in {"table", "view"}}
    grants = {
        grant
        for grant in wanted.grants
        if grant.kind not in {"table", "column"} or (grant.schema, grant.name) in tables
    }
    readers = wanted.sequence_readers
    grants |= {
        Grant(kind="sequence", schema=item.schema, name=item.name, grantee=readers[item.schema], privilege="SELECT")
        for item in found.relations
        if item.kind == "sequence" and item.schema in readers
    }
    return grants


def _revokes(extra: Iterable[Grant], where: str) -> list[Action]:
    actions = []
    for group in _grouped(extra):
        first = group[0]
        sql = f"REVOKE {_privileges(group)} ON {_target(first)} FROM {_grantee(first.grantee)} CASCADE"
        actions.append(Action(sql=sql, database=where, destructive=first.grantee != PUBLIC))
    return actions


def _grants(missing: Iterable[Grant], where: str) -> list[Action]:
    return [
        Action(sql=f"GRANT {_privileges(group)} ON {_target(group[0])} TO {_grantee(group[0].grantee)}", database=where)
        for group in _grouped(missing)
    ]


def _grouped(grants: Iterable[Grant]) -> list[list[Grant]]:
    def key(grant: Grant) -> tuple[str, str, str, str]:
        return (grant.kind, grant.schema, grant.name, grant.grantee)

    return [list(group) for _, group in groupby(sorted(grants, key=lambda grant: (key(grant), grant)), key=key)]


def _privileges(group: list[Grant]) -> str:
    if group[0].kind != "column":
        return ", ".join(sorted({grant.privilege for grant in group}))
    columns: dict[str, list[str]] = {}
    for grant in group:
        columns.setdefault(grant.privilege, []).append(identifier(grant.column))
    return ", ".join(f"{privilege} ({', '.join(names)})" for privilege, names in sorted(columns.items()))


def _target(grant: Grant) -> str:
    match grant.kind:
        case "table" | "column":
            return f"TABLE {qualified(grant.schema, grant.name)}"
        case "sequence" | "type":
            return f"{grant.kind.upper()} {qualified(grant.schema, grant.name)}"
        case "function":
            return f"ROUTINE {identifier(grant.schema)}.{grant.name}"
        case _:
            return f"{grant.kind.upper()} {identifier(grant.name)}"


def _grantee(name: str) -> str:
    return PUBLIC if name == PUBLIC else identifier(name)


def _default_sql(default: DefaultGrant) -> str:
    where = f" IN SCHEMA {identifier(default.schema)}" if default.schema else ""
    return (
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(default.owner)}{where} "
        f"REVOKE {default.privilege} ON {_DEFAULT_KINDS[default.kind]} FROM {_grantee(default.grantee)}"
    )
