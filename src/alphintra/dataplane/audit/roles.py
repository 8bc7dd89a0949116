"""Rules of the audit about roles, databases and the server: who may log in where, and what roles are. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.audit.finding import Finding, Severity, Statement, counted
from alphintra.dataplane.model import PUBLIC
from alphintra.dataplane.quoting import identifier
from alphintra.manifest import SERVICES

if TYPE_CHECKING:
    from alphintra.dataplane.audit.facts import Facts, HbaRule
    from alphintra.dataplane.audit.mapping import Target

__all__ = ["judge_databases", "judge_logins", "judge_roles", "judge_server", "ways_into"]

_SYSTEM: Final = ("postgres", "template1")
_POWERS: Final = {
    "SUPERUSER": "is a superuser: every border of the server ends at it",
    "BYPASSRLS": "passes by row security",
    "REPLICATION": "may read every database of the server through replication",
    "CREATEROLE": "may make and change other roles",
    "CREATEDB": "may make databases",
}
_CONNECTIONS_SUGGESTED: Final = 20
_METHODS: Final = {
    "trust": ("HBA_TRUST", Severity.BREACH, "without any password"),
    "password": ("HBA_CLEARTEXT", Severity.WEAKNESS, "with the password in clear on the wire"),
    "md5": ("HBA_MD5", Severity.REMARK, "with md5 where a verifier is md5, which is weaker than scram-sha-256"),
}


def ways_into(role: str, facts: Facts) -> frozenset[str]:
    """Return every role that ``role`` has the rights of or may become, over any number of steps, without itself."""
    found: set[str] = set()
    waiting = [role]
    while waiting:
        member = waiting.pop()
        for item in facts.belongs:
            if item.member == member and (item.inherits or item.may_set or item.may_admin) and item.role not in found:
                found.add(item.role)
                waiting.append(item.role)
    return frozenset(found)


def judge_server(facts: Facts) -> list[Finding]:
    """Judge what holds for all services: TLS, stored passwords, sum of connections, what a shared server shows."""
    findings = []
    server = facts.server
    if not server.has_tls and not server.is_local:
        detail = "the server offers no TLS but listens beyond this machine: passwords' proofs and data can be read"
        findings.append(
            Finding(
                code="TLS_OFF",
                severity=Severity.WEAKNESS,
                detail=detail,
                close=(Statement(sql="ALTER SYSTEM SET ssl = on"),),
            )
        )
    if server.password_encryption != "scram-sha-256":  # noqa: S105 - the name of a method
        detail = f"new passwords are stored as {server.password_encryption}, which can be used without being guessed"
        close = (Statement(sql="ALTER SYSTEM SET password_encryption = 'scram-sha-256'"),)
        findings.append(Finding(code="PASSWORD_ENCRYPTION", severity=Severity.WEAKNESS, detail=detail, close=close))
    roles = {item.role for item in facts.targets}
    limits = [facts.accounts[role].connection_limit for role in roles]
    if all(limit >= 0 for limit in limits) and sum(limits) > server.connections:
        detail = f"the roles may open {sum(limits)} sessions together, the server takes {server.connections}"
        close = (Statement(sql=f"ALTER SYSTEM SET max_connections = {sum(limits) + 10}"),)
        findings.append(Finding(code="TOPOLOGY_POOL", severity=Severity.WEAKNESS, detail=detail, close=close))
    missing = set(SERVICES) - {item.service for item in facts.targets}
    if missing and len(missing) < len(SERVICES):
        detail = f"the map names no {counted(sorted(missing))}: what nobody mapped was not audited"
        findings.append(Finding(code="TOPOLOGY_MISSING", severity=Severity.REMARK, detail=detail))
    if len(facts.targets) > 1:
        detail = (
            "on a shared instance every role can learn the names of roles and databases, and one service's load, crash "
            "or restart is felt by all; an instance per service closes this"
        )
        findings.append(Finding(code="SHARED_INSTANCE", severity=Severity.REMARK, detail=detail))
    return findings


def judge_roles(facts: Facts) -> list[Finding]:
    """Judge each service's role: its powers, its memberships, its password, its limit, and whom it is shared with."""
    findings: list[Finding] = []
    by_role: dict[str, list[Target]] = defaultdict(list)
    for target in facts.targets:
        by_role[target.role].append(target)
    for role, targets in by_role.items():
        services = tuple(target.service for target in targets)
        if len(targets) > 1:
            detail = f"{counted(services)} log in as one role, {role}: nothing separates them"
            findings.append(Finding(code="SHARED_ROLE", severity=Severity.BREACH, services=services, detail=detail))
        findings += _judge_powers(role, services, facts)
        findings += _judge_memberships(role, targets, facts)
        findings += _judge_password(role, services, facts)
        if facts.accounts[role].connection_limit < 0:
            detail = f"{role} may open any number of sessions, and so keep all other services out"
            sql = f"ALTER ROLE {identifier(role)} CONNECTION LIMIT {_CONNECTIONS_SUGGESTED}"
            findings.append(
                Finding(
                    code="CONNECTIONS_UNLIMITED",
                    severity=Severity.WEAKNESS,
                    services=services,
                    detail=detail,
                    close=(Statement(sql=sql),),
                )
            )
    return findings


def judge_databases(facts: Facts) -> list[Finding]:
    """Judge each mapped database: its owner, what PUBLIC and services may do with it, who else may enter."""
    findings = []
    of_database: dict[str, list[Target]] = defaultdict(list)
    for target in facts.targets:
        of_database[target.database].append(target)
    for database, targets in of_database.items():
        findings += _judge_public(database, targets, facts)
        findings += _judge_own_rights(database, targets, facts)
        findings += _judge_entering(database, targets, facts)
        if len(targets) > 1:
            services = tuple(target.service for target in targets)
            detail = (
                f"{counted(services)} share database {database}: each can learn the others' table and column names, "
                f"function sources and notifications; separate databases close this"
            )
            findings.append(
                Finding(code="TOPOLOGY_SHARED_DB", severity=Severity.REMARK, services=services, detail=detail)
            )
    mapped = frozenset(of_database)
    for database in _SYSTEM:
        if database not in mapped and _public_has(database, "CONNECT", facts):
            detail = f"every role may connect to {database}, where it learns the names of all roles and databases"
            close = (Statement(sql=f"REVOKE CONNECT, TEMPORARY ON DATABASE {identifier(database)} FROM PUBLIC"),)
            findings.append(Finding(code="PUBLIC_CONNECT_SYSTEM", severity=Severity.REMARK, detail=detail, close=close))
    return findings


def judge_logins(facts: Facts) -> list[Finding]:
    """Judge the lines of pg_hba.conf that let a mapped role into a mapped database."""
    if facts.hba is None:
        detail = f"{facts.server.admin} may not read pg_hba.conf: whether passwords are asked for is unknown"
        return [Finding(code="HBA_HIDDEN", severity=Severity.REMARK, detail=detail)]
    findings = []
    for rule in facts.hba:
        if rule.method not in _METHODS:
            continue
        let_in = tuple(dict.fromkeys(target.service for target in facts.targets if _lets_in(rule, target, facts)))
        if not let_in:
            continue
        code, severity, how = _METHODS[rule.method]
        where = f" from {rule.address}" if rule.address else ""
        detail = f"pg_hba.conf line {rule.line} lets the roles of {counted(let_in)} in{where} ({rule.kind}) {how}"
        close = (Statement(sql=f"-- pg_hba.conf line {rule.line}: write scram-sha-256, then SELECT pg_reload_conf()"),)
        findings.append(Finding(code=code, severity=severity, services=let_in, detail=detail, close=close))
    return findings


def _lets_in(rule: HbaRule, target: Target, facts: Facts) -> bool:
    groups = {target.role, *(f"+{role}" for role in (target.role, *ways_into(target.role, facts)))}
    by_user = "all" in rule.users or bool(groups & set(rule.users)) or any(user[:1] == "/" for user in rule.users)
    by_database = bool({"all", target.database} & set(rule.databases))
    by_database |= "sameuser" in rule.databases and target.database == target.role
    is_member = target.database in ways_into(target.role, facts) | {target.role}
    by_database |= bool({"samerole", "samegroup"} & set(rule.databases)) and is_member
    return by_user and by_database


def _judge_powers(role: str, services: tuple[str, ...], facts: Facts) -> list[Finding]:
    attributes = facts.accounts[role].attributes
    held = [power for power in _POWERS if power in attributes]
    findings = []
    for power in held:
        severity = Severity.BREACH if power in {"SUPERUSER", "REPLICATION", "CREATEROLE"} else Severity.WEAKNESS
        close = (Statement(sql=f"ALTER ROLE {identifier(role)} NO{power}"),)
        findings.append(
            Finding(
                code=f"ROLE_{power}",
                severity=severity,
                services=services,
                detail=f"{role} {_POWERS[power]}",
                close=close,
            )
        )
    if "LOGIN" not in attributes:
        detail = f"{role} cannot log in: it is no role a service runs under, check the map"
        findings.append(Finding(code="ROLE_NO_LOGIN", severity=Severity.REMARK, services=services, detail=detail))
    return findings


def _judge_memberships(role: str, targets: list[Target], facts: Facts) -> list[Finding]:
    findings = []
    services = tuple(target.service for target in targets)
    others = {target.role: target.service for target in facts.targets if target.role != role}
    own = {(target.database, schema) for target in targets for schema in target.schemas}
    owners = {item.owner for item in facts.owned if (item.database, item.schema or item.name) in own}
    foreign_owners = {
        item.owner: target.service
        for target in facts.targets
        if target.role != role
        for item in facts.owned
        if item.database == target.database and item.schema in target.schemas and item.owner not in owners
    }
    for reached in sorted(ways_into(role, facts)):
        account = facts.accounts[reached]
        close = tuple(
            Statement(sql=f"REVOKE {identifier(item.role)} FROM {identifier(item.member)}")
            for item in facts.belongs
            if item.role == reached and item.member == role
        )
        severity = Severity.BREACH
        if reached in others or reached in foreign_owners:
            victim = others.get(reached) or foreign_owners[reached]
            code, detail = "CROSS_MEMBERSHIP", f"{role} has the rights of {reached}, and so of {victim}"
        elif reached.startswith("pg_"):
            code, detail = "PREDEFINED_ROLE", f"{role} has the rights of {reached}, which crosses every schema"
        elif "SUPERUSER" in account.attributes:
            code, detail = "CROSS_MEMBERSHIP", f"{role} may become the superuser {reached}"
        elif reached in owners:
            severity = Severity.WEAKNESS
            code, detail = "OWNER_MEMBER", f"{role} may become {reached}, the owner of its tables, and change them"
        else:
            continue
        findings.append(Finding(code=code, severity=severity, services=services, detail=detail, close=close))
    given = [item.role for item in facts.belongs if item.member == role and item.may_admin]
    if given:
        close = tuple(
            Statement(sql=f"REVOKE ADMIN OPTION FOR {identifier(name)} FROM {identifier(role)}") for name in given
        )
        detail = f"{role} may hand on membership in {counted(given)}"
        findings.append(
            Finding(code="CAN_GRANT", severity=Severity.WEAKNESS, services=services, detail=detail, close=close)
        )
    return findings


def _judge_password(role: str, services: tuple[str, ...], facts: Facts) -> list[Finding]:
    match facts.accounts[role].verifier:
        case "md5" | "other" as kind:
            detail = f"the password of {role} is stored as {kind}: whoever reads it can log in with it"
            sql = f"ALTER ROLE {identifier(role)} PASSWORD 'a new one' -- with password_encryption = 'scram-sha-256'"
            close = (Statement(sql=sql),)
            return [
                Finding(code="PASSWORD_MD5", severity=Severity.WEAKNESS, services=services, detail=detail, close=close)
            ]
        case "none":
            detail = f"{role} has no password: it can log in only where pg_hba.conf asks for none"
            return [Finding(code="PASSWORD_NONE", severity=Severity.REMARK, services=services, detail=detail)]
        case "hidden":
            detail = f"{facts.server.admin} may not see how the password of {role} is stored"
            return [Finding(code="PASSWORD_HIDDEN", severity=Severity.REMARK, services=services, detail=detail)]
        case _:
            return []


def _judge_public(database: str, targets: list[Target], facts: Facts) -> list[Finding]:
    findings = []
    services = tuple(target.service for target in targets)
    roles = ", ".join(identifier(role) for role in dict.fromkeys(target.role for target in targets))
    name = identifier(database)
    if _public_has(database, "CONNECT", facts):
        detail = f"every role of the server may connect to {database}: PUBLIC holds CONNECT, as from the start"
        close = (
            Statement(sql=f"GRANT CONNECT ON DATABASE {name} TO {roles}"),
            Statement(sql=f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"),
        )
        findings.append(
            Finding(code="PUBLIC_CONNECT", severity=Severity.BREACH, services=services, detail=detail, close=close)
        )
    if _public_has(database, "TEMPORARY", facts):
        detail = (
            f"every role that gets into {database} may fill its disk with temporary tables, and hide tables by them"
        )
        revoke = (Statement(sql=f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC"),)
        findings.append(
            Finding(code="PUBLIC_TEMPORARY", severity=Severity.WEAKNESS, services=services, detail=detail, close=revoke)
        )
    return findings


def _judge_own_rights(database: str, targets: list[Target], facts: Facts) -> list[Finding]:
    findings = []
    owner = next(item.owner for item in facts.owned if item.kind == "database" and item.name == database)
    for role in dict.fromkeys(target.role for target in targets):
        services = tuple(target.service for target in targets if target.role == role)
        if role == owner or owner in ways_into(role, facts):
            detail = f"{role} owns database {database}: it may drop it, rename it and let anybody in"
            close = (
                Statement(sql=f"ALTER DATABASE {identifier(database)} OWNER TO {identifier(facts.server.admin)}"),
                Statement(sql=f"GRANT CONNECT ON DATABASE {identifier(database)} TO {identifier(role)}"),
            )
            findings.append(
                Finding(code="OWNS_DATABASE", severity=Severity.WEAKNESS, services=services, detail=detail, close=close)
            )
        held = {
            item.privilege
            for item in facts.held
            if item.kind == "database" and item.name == database and item.grantee == role
        } & {"CREATE", "TEMPORARY"}
        if held:
            words = ", ".join(sorted(held))
            detail = (
                f"{role} holds {words} on database {database}: it may make "
                + " and ".join(
                    {"CREATE": "schemas, extensions and publications", "TEMPORARY": "temporary tables"}[word]
                    for word in sorted(held)
                )
                + " there"
            )
            revoke = (Statement(sql=f"REVOKE {words} ON DATABASE {identifier(database)} FROM {identifier(role)}"),)
            findings.append(
                Finding(
                    code="DATABASE_CREATE" if "CREATE" in held else "DATABASE_TEMPORARY",
                    severity=Severity.WEAKNESS,
                    services=services,
                    detail=detail,
                    close=revoke,
                )
            )
    return findings


def _judge_entering(database: str, targets: list[Target], facts: Facts) -> list[Finding]:
    if _public_has(database, "CONNECT", facts):
        return []  # said already, of everybody
    findings = []
    own = {target.role for target in targets}
    mapped = {target.role: target.service for target in facts.targets}
    others = sorted(
        role
        for role, entered in facts.connects
        if entered == database and role not in own and "SUPERUSER" not in facts.accounts[role].attributes
    )
    for role in others:
        if role in mapped:
            detail = f"{role} of {mapped[role]} may connect to {database}, which holds nothing of it"
            close = (Statement(sql=f"REVOKE CONNECT ON DATABASE {identifier(database)} FROM {identifier(role)}"),)
            services = (mapped[role], *(target.service for target in targets))
            findings.append(
                Finding(code="TOPOLOGY_GRANT", severity=Severity.BREACH, services=services, detail=detail, close=close)
            )
    strangers = [role for role in others if role not in mapped]
    if strangers:
        detail = f"{database} also lets in {counted(strangers)}, which the map does not name"
        services = tuple(target.service for target in targets)
        findings.append(Finding(code="OTHER_ROLES", severity=Severity.REMARK, services=services, detail=detail))
    return findings


def _public_has(database: str, privilege: str, facts: Facts) -> bool:
    return any(
        item.kind == "database" and item.name == database and item.grantee == PUBLIC and item.privilege == privilege
        for item in facts.held
    )
