"""Audits a PostgreSQL that Alphintra did not build: what its catalogues say, what its borders hold. Changes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from alphintra.dataplane.audit.finding import Finding, Severity, counted
from alphintra.dataplane.audit.grants import (
    judge_defaults,
    judge_extensions,
    judge_functions,
    judge_grants,
    judge_owners,
)
from alphintra.dataplane.audit.probes import run_probes
from alphintra.dataplane.audit.reading import read_facts
from alphintra.dataplane.audit.roles import judge_databases, judge_logins, judge_roles, judge_server
from alphintra.dataplane.audit.trial import run_trials
from alphintra.dataplane.matrix import AccessMatrix, Outcome
from alphintra.dataplane.server import Server
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.dataplane.audit.facts import Facts
    from alphintra.dataplane.audit.mapping import Mapped, Target
    from alphintra.dataplane.audit.trial import Credentials, Manner

__all__ = ["Audit", "audit_server", "judge", "server_of"]

_LOOPBACK = "127.0.0.1"
_PORT = 5432


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What came of an audit.

    Attributes:
        targets: the mapped services.
        findings: what the rules say, breaches first.
        matrix: who got at whose data.
        manners: how each service's row of the matrix was tried.
        version: the server's, such as 15 or 18.
    """

    targets: tuple[Target, ...]
    findings: tuple[Finding, ...]
    matrix: AccessMatrix
    manners: tuple[Manner, ...]
    version: int

    @property
    def is_clean(self) -> bool:
        """Whether no border is open or weak; remarks do not count."""
        return all(finding.severity is Severity.REMARK for finding in self.findings)


def server_of(url: str) -> Server:
    """Return the server an administrator's URL names; roles log in where it points, over TCP if that is a socket.

    Raises AUDIT_URL for what is no ``postgresql://`` URL; the text is not repeated, it may hold a password.
    """
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        host = parts.hostname or query.get("host", _LOOPBACK)
        port = parts.port or int(query.get("port", _PORT))
        is_sound = parts.scheme in {"postgresql", "postgres"} and bool(parts.netloc or "host" in query)
    except ValueError:
        is_sound, host, port = False, "", 0
    if not is_sound:
        message = "the URL is none of the form postgresql://admin@host:port/database: correct it"
        raise AlphintraError("AUDIT_URL", message, pointer="--url")
    return Server(admin_url=url, host=_LOOPBACK if host.startswith("/") else host, port=port, exclusive=False)


def judge(facts: Facts) -> tuple[Finding, ...]:
    """Apply every rule to what was read; breaches come first."""
    rules = (
        judge_databases,
        judge_roles,
        judge_grants,
        judge_owners,
        judge_functions,
        judge_defaults,
        judge_extensions,
        judge_logins,
        judge_server,
    )
    found = [finding for rule in rules for finding in rule(facts)]
    order = list(Severity)
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


async def audit_server(
    server: Server,
    mapped: Sequence[Mapped],
    *,
    credentials: Credentials,
    with_probes: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Audit:
    """Read a server, apply the rules, try the borders: all in transactions that cannot write.

    ``with_probes`` adds the attack probes for services whose passwords are known; those are rolled back. ``progress``
    is told the share that is done, from 0 to 1.

    Raises TOPOLOGY_CONNECT (whom, where, why), PG_VERSION, TOPOLOGY_UNKNOWN and AUDIT_MAP, all as bad input.
    """
    try:
        facts = await read_facts(server, mapped)
        trials = await run_trials(server, facts, credentials=credentials, progress=_part(progress, 0.0, 0.3))
        probed: tuple[Finding, ...] = ()
        if with_probes:
            probed = await run_probes(
                server, facts.targets, credentials=credentials, progress=_part(progress, 0.3, 1.0)
            )
    except AlphintraError as error:
        if error.kind is not Kind.UNAVAILABLE:
            raise
        # Whoever names a server on the command line has to name one that answers.
        raise AlphintraError(error.code, error.detail, pointer="--url") from error
    matrix = AccessMatrix(kind="database", cells=trials.cells)
    return Audit(
        targets=facts.targets,
        findings=(*_reached(matrix), *judge(facts), *probed, *_untried(trials.manners)),
        matrix=matrix,
        manners=trials.manners,
        version=facts.server.version // 10000,
    )


def _part(progress: Callable[[float], None] | None, start: float, end: float) -> Callable[[float], None] | None:
    """Return how a part of the work tells its share of the whole."""
    return None if progress is None else lambda share: progress(start + (end - start) * share)


def _reached(matrix: AccessMatrix) -> list[Finding]:
    """Turn what got through into findings, one per service that gets at others; what it needs to close stands there."""
    findings = []
    for user in dict.fromkeys(cell.user for cell in matrix.cells):
        cells = [cell for cell in matrix.cells if cell.user == user]
        crossed = [cell for cell in cells if cell.target != user and cell.is_allowed]
        if crossed:
            how = Counter(probe.name for cell in crossed for probe in cell.probes if probe.outcome is Outcome.ALLOWED)
            ways = ", ".join(f"{name} {count}" for name, count in how.items())
            detail = (
                f"with its own rights {user} gets at {len(crossed)} of {len(cells) - 1} other services ({ways}): "
                f"{counted([cell.target for cell in crossed])}"
            )
            services = (user, *(cell.target for cell in crossed))
            findings.append(Finding(code="BORDER_OPEN", severity=Severity.BREACH, services=services, detail=detail))
        for cell in cells:
            unproven = [probe for probe in cell.probes if probe.outcome is Outcome.ERROR]
            if cell.target == user:
                unproven += [probe for probe in cell.probes if probe.may and probe.outcome is Outcome.DENIED]
            for probe in unproven:
                detail = f"{probe.name} as {user} at {cell.target} proved nothing: {probe.answer}"
                if cell.target == user:
                    detail = f"{user} does not get at its own data by {probe.name}: {probe.answer}"
                findings.append(
                    Finding(
                        code="OWN_ACCESS" if cell.target == user else "UNPROVEN",
                        severity=Severity.WEAKNESS,
                        services=tuple(dict.fromkeys((user, cell.target))),
                        detail=detail,
                    )
                )
    return findings


def _untried(manners: Sequence[Manner]) -> list[Finding]:
    findings = []
    told = {
        "acting": "no password given: the administrator acted for the role, so its login was not tried",
        "asked": "no password given and no superuser: PostgreSQL was asked what it would allow, nothing was tried",
    }
    for word, sentence in told.items():
        services = tuple(item.service for item in manners if item.word == word)
        if services:
            detail = f"{counted(services)}: {sentence}"
            findings.append(
                Finding(code="CREDENTIALS_NOT_TRIED", severity=Severity.REMARK, services=services, detail=detail)
            )
    return findings
