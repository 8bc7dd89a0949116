"""Rules of the audit about what lies inside databases: owners, grants, functions, extensions, defaults. Pure."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.audit.finding import Finding, Severity, Statement, counted
from alphintra.dataplane.audit.roles import ways_into
from alphintra.dataplane.model import PUBLIC
from alphintra.dataplane.quoting import identifier, qualified

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alphintra.dataplane.audit.facts import Facts, Held, Owned
    from alphintra.dataplane.audit.mapping import Target

__all__ = ["judge_defaults", "judge_extensions", "judge_functions", "judge_grants", "judge_owners"]

_WORDS: Final = {"table": "TABLE", "view": "VIEW", "sequence": "SEQUENCE", "function": "ROUTINE", "schema": "SCHEMA"}
_REACHING_OUT: Final = {
    "dblink": "opens connections to other databases",
    "postgres_fdw": "opens connections to other databases",
    "file_fdw": "reads files of the server",
    "adminpack": "reads and writes files of the server",
}
_LATER_KINDS: Final = {"table": "TABLES", "sequence": "SEQUENCES", "function": "ROUTINES"}


def judge_owners(facts: Facts) -> list[Finding]:
    """Judge services that own what they should only use: an owner may change, drop and hand out."""
    findings = []
    for target in facts.targets:
        mine = [item for item in facts.owned if item.owner == target.role and item.database == target.database]
        schemas = [item for item in mine if item.kind == "schema" and item.name in target.schemas]
        inside = [item for item in mine if item.schema in target.schemas and item.kind in _WORDS]
        if not schemas and not inside:
            continue
        tables = sum(item.kind == "table" for item in inside)
        what = [f"schema {item.name}" for item in schemas] + ([f"{tables} tables"] if tables else [])
        detail = (
            f"{target.role} owns {counted(what) or f'{len(inside)} objects'} of {target.service}: whoever holds its "
            "password may drop or alter them, switch off triggers, rewrite the audit log and grant them to anybody"
        )
        findings.append(
            Finding(
                code="TOPOLOGY_PRIVILEGE",
                severity=Severity.WEAKNESS,
                services=(target.service,),
                detail=detail,
                close=_new_owner(target, schemas, inside, facts),
            )
        )
    return findings


def judge_grants(facts: Facts) -> list[Finding]:
    """Judge privileges on a service's schemas and objects that another service, or everybody, holds."""
    findings = []
    for target in facts.targets:
        own = {target.role, *(owner for owner in _owners(target, facts))}
        inside = [item for item in facts.held if _is_of(item, target)]
        findings += _judge_public_grants(target, inside)
        for other in facts.targets:
            if other.role in own:
                continue
            through = {other.role} | ways_into(other.role, facts)
            crossing = [item for item in inside if item.grantee in through and item.grantee not in own]
            # A function or a type of another's is out of reach without its schema.
            if crossing and {item.kind for item in crossing} - {"function"}:
                findings.append(_crossing(other, target, crossing))
        grantable = [item for item in inside if item.is_grantable and item.grantee == target.role]
        if grantable:
            detail = f"{target.role} may pass on its rights on {counted(_names(grantable))}"
            close = tuple(
                Statement(sql=f"REVOKE GRANT OPTION FOR {sql}", database=target.database) for sql in _revokes(grantable)
            )
            findings.append(
                Finding(
                    code="CAN_GRANT",
                    severity=Severity.WEAKNESS,
                    services=(target.service,),
                    detail=detail,
                    close=close,
                )
            )
    return findings + _judge_public_schema(facts)


def judge_functions(facts: Facts) -> list[Finding]:
    """Judge functions that run with their owner's rights: an open search path hands those to the caller."""
    findings = []
    for item in facts.routines:
        of = next((target for target in facts.targets if _holds(target, item.database, item.schema)), None)
        services = (of.service,) if of is not None else ()
        parts = [part.strip().strip('"') for part in item.path.split(",")] if item.path else []
        # Where pg_temp is not named it is searched first.
        if not parts or parts[-1] != "pg_temp" or "$user" in parts or "public" in parts:
            path = ", ".join(identifier(part) for part in (item.schema, "pg_temp"))
            how = "pins no search path" if not parts else f"searches {item.path}"
            detail = (
                f"{item.schema}.{item.signature} in {item.database} runs with the rights of {item.owner} and {how}: "
                "a caller can slip a table of its own under a name it uses"
            )
            sql = f"ALTER ROUTINE {identifier(item.schema)}.{item.signature} SET search_path = {path}"
            findings.append(
                Finding(
                    code="DEFINER_SEARCH_PATH",
                    severity=Severity.WEAKNESS,
                    services=services,
                    detail=detail,
                    close=(Statement(sql=sql, database=item.database),),
                )
            )
    return findings


def judge_extensions(facts: Facts) -> list[Finding]:
    """Judge languages everybody may use, and extensions that reach out of the database."""
    findings = []
    for database, names in sorted(facts.extensions.items()):
        services = tuple(target.service for target in facts.targets if target.database == database)
        languages = [
            item
            for item in facts.held
            if item.kind == "language" and item.database == database and item.grantee == PUBLIC
        ]
        # Only a superuser can take it away, so to anybody else it is no finding but a fact.
        severity = Severity.WEAKNESS if facts.server.is_superuser else Severity.REMARK
        for item in languages:
            detail = f"every role in {database} may run {item.name} of its own, in DO blocks and functions"
            sql = f"REVOKE USAGE ON LANGUAGE {identifier(item.name)} FROM PUBLIC"
            close = (Statement(sql=sql, database=database),)
            findings.append(
                Finding(code="LANGUAGE_PUBLIC", severity=severity, services=services, detail=detail, close=close)
            )
        for name in names:
            if name in _REACHING_OUT:
                detail = f"extension {name} in {database} {_REACHING_OUT[name]}: a stolen credential does so too"
                close = (Statement(sql=f"DROP EXTENSION {identifier(name)}", database=database),)
                findings.append(
                    Finding(
                        code="EXTENSION_REACHES_OUT",
                        severity=Severity.WEAKNESS,
                        services=services,
                        detail=detail,
                        close=close,
                    )
                )
    return findings


def judge_defaults(facts: Facts) -> list[Finding]:
    """Judge default privileges that open objects made later to everybody or to another service."""
    findings = []
    roles = {target.role: target.service for target in facts.targets}

    def key(item: object) -> tuple[str, str, str, str]:
        return (item.database, item.owner, item.schema, item.grantee)  # type: ignore[attr-defined]  # LaterHeld

    for (database, owner, schema, grantee), group in groupby(sorted(facts.later, key=key), key=key):
        here = [target for target in facts.targets if target.database == database]
        owning = [target for target in here if owner in {target.role, *_owners(target, facts)}]
        if not owning or (grantee != PUBLIC and (grantee not in roles or grantee in {item.role for item in owning})):
            continue
        items = sorted(group)
        kinds = tuple(dict.fromkeys(item.kind for item in items))
        where = f" IN SCHEMA {identifier(schema)}" if schema else ""
        to = PUBLIC if grantee == PUBLIC else identifier(grantee)
        close = tuple(
            Statement(
                sql=f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(owner)}{where} "
                f"REVOKE ALL ON {_LATER_KINDS[kind]} FROM {to}",
                database=database,
            )
            for kind in kinds
        )
        whom = "everybody" if grantee == PUBLIC else f"{grantee} of {roles[grantee]}"
        detail = f"each {' and '.join(kinds)} that {owner} makes in {database} from now on is open to {whom}"
        findings.append(
            Finding(
                code="DEFAULT_PRIVILEGES",
                severity=Severity.WEAKNESS if grantee == PUBLIC else Severity.BREACH,
                services=tuple(target.service for target in owning),
                detail=detail,
                close=close,
            )
        )
    return findings


def _judge_public_grants(target: Target, inside: list[Held]) -> list[Finding]:
    findings = []
    held = [item for item in inside if item.grantee == PUBLIC]
    objects = [item for item in held if item.kind in {"table", "column", "sequence"}]
    if objects:
        detail = f"{counted(_names(objects))} of {target.service} can be used by every role that gets into the database"
        findings.append(_public("PUBLIC_TABLE", Severity.BREACH, target, detail, objects))
    schemas = [item for item in held if item.kind == "schema" and item.name != "public"]
    if schemas:
        detail = f"every role that gets into {target.database} may look up names in {counted(_names(schemas))}"
        findings.append(_public("PUBLIC_SCHEMA", Severity.BREACH, target, detail, schemas))
    functions = [item for item in held if item.kind == "function"]
    if functions:
        detail = f"every role may call {len(functions)} functions of {target.service}: {counted(_names(functions))}"
        findings.append(_public("PUBLIC_FUNCTION", Severity.WEAKNESS, target, detail, functions))
    return findings


def _public(code: str, severity: Severity, target: Target, detail: str, items: list[Held]) -> Finding:
    close = tuple(Statement(sql=f"REVOKE {sql}", database=target.database) for sql in _revokes(items))
    return Finding(code=code, severity=severity, services=(target.service,), detail=detail, close=close)


def _judge_public_schema(facts: Facts) -> list[Finding]:
    """Judge the schema ``public``, where what anybody makes is found by everybody."""
    findings = []
    for database in dict.fromkeys(target.database for target in facts.targets):
        held = sorted(
            item
            for item in facts.held
            if item.kind == "schema" and item.name == "public" and item.database == database and item.grantee == PUBLIC
        )
        if not held:
            continue
        services = tuple(target.service for target in facts.targets if target.database == database)
        words = {item.privilege for item in held}
        is_writable = "CREATE" in words
        detail = (
            f"every role may make objects in schema public of {database}, which others then find by their search path"
            if is_writable
            else f"every role may use schema public of {database}: what is put there is open to all by habit"
        )
        sql = "REVOKE ALL ON SCHEMA public FROM PUBLIC"
        findings.append(
            Finding(
                code="PUBLIC_CREATE" if is_writable else "PUBLIC_USAGE",
                severity=Severity.BREACH if is_writable and len(services) > 1 else Severity.WEAKNESS,
                services=services,
                detail=detail,
                close=(Statement(sql=sql, database=database),),
            )
        )
    return findings


def _crossing(other: Target, target: Target, crossing: list[Held]) -> Finding:
    words = ", ".join(sorted({item.privilege for item in crossing}))
    detail = f"{other.service} ({other.role}) holds {words} on {counted(_names(crossing))} of {target.service}"
    return Finding(
        code="CROSS_GRANT",
        severity=Severity.BREACH,
        services=(other.service, target.service),
        detail=detail,
        close=tuple(Statement(sql=f"REVOKE {sql}", database=target.database) for sql in _revokes(crossing)),
    )


def _new_owner(target: Target, schemas: list[Owned], inside: list[Owned], facts: Facts) -> tuple[Statement, ...]:
    """Return what gives a service's objects an owner that nobody can log in as, and the service its daily rights."""
    owner = f"{target.service}_owner"
    role, where = identifier(target.role), target.database
    sqls = [] if owner in facts.accounts else [f"CREATE ROLE {identifier(owner)} NOLOGIN"]
    sqls += [f"ALTER SCHEMA {identifier(item.name)} OWNER TO {identifier(owner)}" for item in schemas]
    for item in sorted(inside):
        name = (
            f"{identifier(item.schema)}.{item.name}" if item.kind == "function" else qualified(item.schema, item.name)
        )
        sqls.append(f"ALTER {_WORDS[item.kind]} {name} OWNER TO {identifier(owner)}")
    for schema in dict.fromkeys([*(item.name for item in schemas), *(item.schema for item in inside)]):
        sqls += [
            f"GRANT USAGE ON SCHEMA {identifier(schema)} TO {role}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {identifier(schema)} TO {role}",
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {identifier(schema)} TO {role}",
        ]
    sqls.append(f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(owner)} REVOKE EXECUTE ON ROUTINES FROM PUBLIC")
    return tuple(Statement(sql=sql, database=where) for sql in sqls)


def _owners(target: Target, facts: Facts) -> set[str]:
    return {
        item.owner
        for item in facts.owned
        if item.database == target.database
        and (item.schema in target.schemas or (item.kind == "schema" and item.name in target.schemas))
    }


def _is_of(item: Held, target: Target) -> bool:
    if item.kind == "schema":
        return _holds(target, item.database, item.name)
    return _holds(target, item.database, item.schema)


def _holds(target: Target, database: str, schema: str) -> bool:
    return database == target.database and schema in target.schemas


def _names(items: Iterable[Held]) -> list[str]:
    return list(dict.fromkeys(f"{item.schema}.{item.name}" if item.schema else item.name for item in sorted(items)))


def _revokes(items: Iterable[Held]) -> list[str]:
    """Return ``privileges ON object FROM grantee`` for each object and grantee."""
    groups: dict[tuple[str, str], list[Held]] = defaultdict(list)
    for item in sorted(items):
        groups[_object(item), item.grantee].append(item)
    sqls = []
    for (name, grantee), group in groups.items():
        columns = sorted(f"{item.privilege} ({identifier(item.column)})" for item in group if item.kind == "column")
        whole = sorted({item.privilege for item in group if item.kind != "column"})
        to = PUBLIC if grantee == PUBLIC else identifier(grantee)
        sqls.append(f"{', '.join([*whole, *columns])} ON {name} FROM {to}")
    return sqls


def _object(item: Held) -> str:
    match item.kind:
        case "schema":
            return f"SCHEMA {identifier(item.name)}"
        case "sequence":
            return f"SEQUENCE {qualified(item.schema, item.name)}"
        case "function":
            return f"ROUTINE {identifier(item.schema)}.{item.name}"
        case _:
            return f"TABLE {qualified(item.schema, item.name)}"
