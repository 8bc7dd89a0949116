"""Difference of declared and observed state, as ordered actions with their SQL. Pure.

Nothing here ever drops a role, schema, table or database: what is not declared is reported by ``unexpected``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.hardening import closure_of
from alphintra.dataplane.model import (
    PUBLIC,
    SYSTEM_SCHEMAS,
    Database,
    DefaultGrant,
    Grant,
    Membership,
    Role,
    State,
    Thing,
)
from alphintra.dataplane.quoting import identifier, literal, qualified

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["VERIFIER", "Action", "fresh_database", "grant_statements", "plan", "unexpected"]

VERIFIER: Final = ":verifier"
"""Stands in an action's SQL where ``apply`` puts the SCRAM verifier; no plan ever holds a secret."""

_MEMBERSHIP_OPTIONS_SINCE = 160000
_ALL_ATTRIBUTES: Final = ("LOGIN", "INHERIT", "SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS")
_SUPERUSER_ATTRIBUTES: Final = frozenset({"SUPERUSER", "REPLICATION", "BYPASSRLS"})
_DEFAULT_KINDS: Final = {
    "table": "TABLES",
    "sequence": "SEQUENCES",
    "function": "ROUTINES",
    "type": "TYPES",
    "schema": "SCHEMAS",
    "large object": "LARGE OBJECTS",
}
_IN_SCHEMA: Final = frozenset({"table", "column", "sequence", "type"})
_MEMBERSHIPS: Final = "settle who belongs to which role"
_SETTINGS: Final = "set the sessions' search path and bounds"
_SCHEMAS: Final = "make schemas and settle who owns what"
_DEFAULTS: Final = "give nothing away of what is made later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One statement of a plan.

    Attributes:
        sql: the statement; ``VERIFIER`` in it is replaced when it runs.
        database: where it runs; empty for the administrator's own database.
        destructive: takes something away from a named role that somebody may have relied upon.
        transactional: may share a transaction with its neighbours (CREATE DATABASE may not).
        password_of: role whose verifier replaces ``VERIFIER``.
        purpose: what it is for, in words, the same for actions that belong together.
    """

    sql: str
    database: str = ""
    destructive: bool = False
    transactional: bool = True
    password_of: str = ""
    purpose: str = ""


def plan(declared: State, observed: State) -> tuple[Action, ...]:
    """Return what makes ``observed`` equal to ``declared``, in an order that works; empty if they agree.

    Grants on tables appear once the tables exist: plan again after the migrations.
    """
    actions = [*_plan_roles(declared, observed), *_plan_memberships(declared, observed)]
    actions += _revokes(observed.server_grants, "")
    actions += [
        Action(
            sql=f"CREATE DATABASE {identifier(name)} TEMPLATE template0 ENCODING 'UTF8'",
            transactional=False,
            purpose="make databases",
        )
        for name, database in sorted(declared.databases.items())
        if name not in observed.databases and database.schemas
    ]
    pairs = [
        (wanted, observed.databases.get(name) or fresh_database(name, declared, observed))
        for name, wanted in sorted(declared.databases.items())
        if wanted.schemas or not observed.admin  # the server's own databases are its superuser's
    ]
    for wanted, found in pairs:
        actions += _plan_database(wanted, found, observed=observed, ours=frozenset(declared.roles))
    actions += _plan_settings(declared, observed)
    for wanted, found in pairs:
        actions += _plan_inside(wanted, found, observed=observed)
    return tuple(actions)


def unexpected(declared: State, observed: State, *, instance: str = "") -> tuple[str, ...]:
    """Return, in words, what is there without a declaration or missing although declared; no action mends these.

    What is not of a database is told of the instance.
    """
    where = f"{instance}: " if instance else ""
    notes = [f"{where}{_named(thing)} is not declared" for thing in sorted(observed.things)]
    for name, wanted in sorted(declared.databases.items()):
        found = observed.databases.get(name)
        if found is None:
            continue
        notes += [f"{name}: {_named(thing)} is not declared" for thing in sorted(found.things - wanted.things)]
        if not wanted.schemas:
            continue
        if found.owner and observed.admin:
            notes.append(f"{name}: the database belongs to {found.owner}, whom {observed.admin} cannot replace")
        notes += [
            f"{name}: schema {schema} is not declared" for schema in sorted(set(found.schemas) - set(wanted.schemas))
        ]
        # Parts of a declared table are its own; `schema.sql` says whether it is cut up.
        tables = {(item.schema, item.parent or item.name) for item in found.relations if item.kind in {"table", "view"}}
        expected = {(grant.schema, grant.name) for grant in wanted.grants if grant.kind == "table"}
        notes += [f"{name}: table {schema}.{table} is not declared" for schema, table in sorted(tables - expected)]
        notes += [f"{name}: table {schema}.{table} is missing" for schema, table in sorted(expected - tables)]
        notes += [f"{name}: {_named(thing)} is missing" for thing in sorted(wanted.things - found.things)]
    return tuple(notes)


def _named(thing: Thing) -> str:
    return f"{thing.kind} {thing.name}"


def fresh_database(name: str, declared: State, observed: State) -> Database:
    """Return what a database just created from template0 holds, so that one plan can go from nothing to done."""
    public = {
        Grant(kind="database", name=name, grantee=PUBLIC, privilege="CONNECT"),
        Grant(kind="database", name=name, grantee=PUBLIC, privilege="TEMPORARY"),
        Grant(kind="language", name="plpgsql", grantee=PUBLIC, privilege="USAGE"),
        *(
            Grant(kind="schema", name=schema, grantee=PUBLIC, privilege="USAGE")
            for schema in ("public", *SYSTEM_SCHEMAS)
        ),
    }
    owners = set(declared.databases[name].schemas.values())
    defaults = {
        DefaultGrant(owner=owner, kind=kind, grantee=PUBLIC, privilege=privilege)
        for owner in owners
        for kind, privilege in (("function", "EXECUTE"), ("type", "USAGE"))
    }
    catalogue = observed.fresh or Database(name=name)
    return Database(
        name=name,
        grants=catalogue.grants | public,
        missing=catalogue.missing,
        default_grants=frozenset(defaults),
    )


def _plan_roles(declared: State, observed: State) -> list[Action]:
    actions: list[Action] = []
    for name, wanted in sorted(declared.roles.items()):
        found = observed.roles.get(name)
        if found is None:
            sql = f"CREATE ROLE {identifier(name)} WITH {_role_options(wanted, Role(name=name))}"
            actions.append(Action(sql=sql, purpose="make and limit roles"))
        elif found != wanted:
            lost = set(found.attributes) - set(wanted.attributes)
            sql = f"ALTER ROLE {identifier(name)} WITH {_role_options(wanted, found)}"
            actions.append(Action(sql=sql, destructive=bool(lost), purpose="make and limit roles"))
        # The password of a role that could not log in was never looked at: it may have none.
        could_log_in = found is not None and "LOGIN" in found.attributes
        if "LOGIN" in wanted.attributes and not (could_log_in and name not in observed.wrong_passwords):
            sql = f"ALTER ROLE {identifier(name)} WITH PASSWORD {VERIFIER}"
            actions.append(Action(sql=sql, password_of=name, destructive=could_log_in, purpose="set passwords"))
    return actions


def _role_options(wanted: Role, found: Role) -> str:
    # Only a superuser may even mention the superuser's attributes, so they appear where they have to change.
    words = [
        attribute if attribute in wanted.attributes else f"NO{attribute}"
        for attribute in _ALL_ATTRIBUTES
        if attribute not in _SUPERUSER_ATTRIBUTES or (attribute in wanted.attributes) != (attribute in found.attributes)
    ]
    if found.expires:
        words.append("VALID UNTIL 'infinity'")
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
            actions.append(Action(sql=sql, destructive=True, purpose=_MEMBERSHIPS))
    for item in sorted(wanted - found):
        options = f" WITH INHERIT {item.inherit}, SET {item.may_set}".upper() if has_options else ""
        sql = f"GRANT {identifier(item.role)} TO {identifier(item.member)}{options}"
        actions.append(Action(sql=sql, purpose=_MEMBERSHIPS))
    return actions


def _without_grantor(item: Membership) -> Membership:
    return Membership(
        role=item.role, member=item.member, inherit=item.inherit, may_set=item.may_set, may_admin=item.may_admin
    )


def _plan_database(wanted: Database, found: Database, *, observed: State, ours: frozenset[str]) -> list[Action]:
    actions = []
    if found.owner and not observed.admin:
        sql = f"ALTER DATABASE {identifier(found.name)} OWNER TO {identifier(observed.operator)}"
        actions.append(Action(sql=sql, destructive=True, purpose=_SCHEMAS))
    have = {grant for grant in found.grants if grant.kind == "database"}
    if not wanted.schemas:
        # The server's own databases: close them to everybody and to our roles, leave other people's grants alone.
        have = {grant for grant in have if grant.grantee == PUBLIC or grant.grantee in ours}
    want = {grant for grant in wanted.grants if grant.kind == "database"}
    return [*actions, *_revokes(have - want, ""), *_grants(want - have, "")]


def _plan_settings(declared: State, observed: State) -> list[Action]:
    wanted = {(item.database, item.role, item.name): item.value for item in declared.settings}
    found = {(item.database, item.role, item.name): item.value for item in observed.settings}
    actions = []
    for key in sorted(found.keys() - wanted.keys()):
        database, role, name = key
        sql = f"ALTER {_session_of(database, role)} RESET {identifier(name)}"
        actions.append(Action(sql=sql, destructive=True, purpose=_SETTINGS))
    for key, value in sorted(wanted.items()):
        if found.get(key) != value:
            database, role, name = key
            # search_path is a list: quoted as one string it would name a single schema with a comma in it.
            text = (
                ", ".join(identifier(part.strip()) for part in value.split(","))
                if name == "search_path"
                else literal(value)
            )
            sql = f"ALTER {_session_of(database, role)} SET {identifier(name)} = {text}"
            actions.append(Action(sql=sql, purpose=_SETTINGS))
    return actions


def _session_of(database: str, role: str) -> str:
    if not role and database:
        return f"DATABASE {identifier(database)}"
    who = identifier(role) if role else "ALL"
    return f"ROLE {who} IN DATABASE {identifier(database)}" if database else f"ROLE {who}"


def _plan_inside(wanted: Database, found: Database, *, observed: State) -> list[Action]:
    where = found.name
    actions: list[Action] = []
    for schema, owner in sorted(wanted.schemas.items()):
        if schema not in found.schemas:
            sql = f"CREATE SCHEMA {identifier(schema)} AUTHORIZATION {identifier(owner)}"
            actions.append(Action(sql=sql, database=where, purpose=_SCHEMAS))
        elif found.schemas[schema] != owner:
            sql = f"ALTER SCHEMA {identifier(schema)} OWNER TO {identifier(owner)}"
            actions.append(Action(sql=sql, database=where, destructive=True, purpose=_SCHEMAS))
    actions += _plan_owners(wanted, found)
    actions += [
        Action(sql=_default_sql(default, word), database=where, purpose=_DEFAULTS)
        for word, defaults in (
            ("REVOKE", found.default_grants - wanted.default_grants),
            ("GRANT", found.missing_defaults),
        )
        for default in sorted(defaults)
    ]
    want = {grant for grant in _expected(wanted, found) if _is_touchable(grant, observed)}
    have = {grant for grant in found.grants if _is_touchable(grant, observed)}
    extra = have - want
    # Taking a privilege on a table takes it on its columns too, so what stays declared there is granted again.
    tables = {(item.schema, item.name, item.grantee, item.privilege) for item in extra if item.kind == "table"}
    lost = {
        item
        for item in have
        if item.kind == "column" and (item.schema, item.name, item.grantee, item.privilege) in tables
    }
    return [*actions, *_revokes(extra, where), *_grants((want - (have - lost)) | found.missing, where)]


def _is_touchable(grant: Grant, observed: State) -> bool:
    """Whether a right inside a database can be changed there: all but the system's own, without a superuser."""
    is_system = grant.schema in SYSTEM_SCHEMAS or (grant.kind == "schema" and grant.name in SYSTEM_SCHEMAS)
    return grant.kind not in {"database", *observed.untouchable} and not (observed.admin and is_system)


def _plan_owners(wanted: Database, found: Database) -> list[Action]:
    # A view may be a materialized one: ALTER TABLE takes both.
    words = {"table": "TABLE", "view": "TABLE", "sequence": "SEQUENCE", "function": "ROUTINE", "type": "TYPE"}
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
            actions.append(Action(sql=sql, database=found.name, destructive=True, purpose=_SCHEMAS))
    return actions


def _expected(wanted: Database, found: Database) -> set[Grant]:
    """Declared grants whose object exists, and the backup role's right to read each sequence and part of a table.

    Services read and write the whole: on the parts nobody has a right but who saves them one by one.
    """
    there = {
        ("function" if item.kind == "function" else "table", item.schema, item.name)
        for item in found.relations
        if item.kind in {"table", "view", "function"}
    }
    grants = {
        grant
        for grant in wanted.grants
        if grant.kind not in {"table", "column", "function"}
        or grant.schema in SYSTEM_SCHEMAS
        or ("function" if grant.kind == "function" else "table", grant.schema, grant.name) in there
    }
    readers = wanted.backup_readers
    grants |= {
        Grant(kind=item.kind, schema=item.schema, name=item.name, grantee=readers[item.schema], privilege="SELECT")
        for item in found.relations
        if (item.kind == "sequence" or item.parent) and item.schema in readers
    }
    return grants


def _revokes(extra: Iterable[Grant], where: str) -> list[Action]:
    actions = []
    for group in _grouped(extra):
        first = group[0]
        sql = f"REVOKE {_privileges(group)} ON {_target(group)} FROM {_grantee(first.grantee)} CASCADE"
        destructive = first.grantee != PUBLIC
        actions.append(Action(sql=sql, database=where, destructive=destructive, purpose=_purpose(first)))
    return actions


def _grants(missing: Iterable[Grant], where: str) -> list[Action]:
    actions = []
    for group in _grouped(missing):
        first = group[0]
        sql = f"GRANT {_privileges(group)} ON {_target(group)} TO {_grantee(first.grantee)}"
        actions.append(Action(sql=sql, database=where, purpose=_purpose(first)))
    return actions


def grant_statements(grants: Iterable[Grant]) -> list[str]:
    """Return the statements that make grants, one for each object and grantee."""
    return [action.sql for action in _grants(grants, "")]


def _grouped(grants: Iterable[Grant]) -> list[list[Grant]]:
    """Return one group per object and grantee; of the system catalogue, one per closure, privilege and grantee."""

    def key(grant: Grant) -> tuple[str, ...]:
        if grant.schema in SYSTEM_SCHEMAS and grant.kind != "column":
            return (grant.kind, grant.schema, _purpose(grant), grant.grantee, grant.privilege)
        return (grant.kind, grant.schema, grant.name, grant.grantee)

    return [list(group) for _, group in groupby(sorted(grants, key=lambda grant: (key(grant), grant)), key=key)]


def _purpose(grant: Grant) -> str:
    if grant.schema in SYSTEM_SCHEMAS:
        closure = closure_of("table" if grant.kind == "column" else grant.kind, grant.name)
        return closure.purpose if closure and grant.schema == "pg_catalog" else "leave the system catalogue as it is"
    match grant.kind:
        case "database":
            return "settle who may connect"
        case "schema" | "language":
            return "settle who may use schemas and languages"
        case _:
            return "settle who may read and write what"


def _privileges(group: list[Grant]) -> str:
    if group[0].kind != "column":
        return ", ".join(sorted({grant.privilege for grant in group}))
    columns: dict[str, list[str]] = {}
    for grant in group:
        columns.setdefault(grant.privilege, []).append(identifier(grant.column))
    return ", ".join(f"{privilege} ({', '.join(names)})" for privilege, names in sorted(columns.items()))


def _target(group: list[Grant]) -> str:
    names = {
        f"{identifier(grant.schema)}.{grant.name}" if grant.kind == "function" else _qualified(grant) for grant in group
    }
    words = {"column": "TABLE", "function": "ROUTINE"}
    return f"{words.get(group[0].kind, group[0].kind.upper())} {', '.join(sorted(names))}"


def _qualified(grant: Grant) -> str:
    return qualified(grant.schema, grant.name) if grant.kind in _IN_SCHEMA else identifier(grant.name)


def _grantee(name: str) -> str:
    return PUBLIC if name == PUBLIC else identifier(name)


def _default_sql(default: DefaultGrant, word: str) -> str:
    where = f" IN SCHEMA {identifier(default.schema)}" if default.schema else ""
    direction = "FROM" if word == "REVOKE" else "TO"
    return (
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(default.owner)}{where} "
        f"{word} {default.privilege} ON {_DEFAULT_KINDS[default.kind]} {direction} {_grantee(default.grantee)}"
    )
