"""The attack probes on a foreign server, with the credentials the caller holds: what they open, as findings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alphintra.dataplane.attack.assault import attack_layout
from alphintra.dataplane.attack.model import Effect, Level
from alphintra.dataplane.audit.finding import Finding, Severity, Statement, counted
from alphintra.dataplane.layouts import Placement
from alphintra.manifest import SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable

    from alphintra.dataplane.attack.findings import Assessment
    from alphintra.dataplane.audit.mapping import Target
    from alphintra.dataplane.audit.trial import Credentials
    from alphintra.dataplane.server import Server

__all__ = ["run_probes"]


async def run_probes(
    server: Server,
    targets: tuple[Target, ...],
    *,
    credentials: Credentials,
    progress: Callable[[float], None] | None = None,
) -> tuple[Finding, ...]:
    """Attack every pair of mapped services with every probe, each in a transaction that is rolled back.

    Only where every service is one of Alphintra's and its password is known; else a remark says why not. What gives
    access is a breach; what only tells names and the like is counted in a remark, since it takes a closed catalogue
    to hide it. Raises TOPOLOGY_CONNECT and PG_VERSION.
    """
    passwords = {target.role: credentials(target.role, target.database) for target in targets}
    strangers = [target.service for target in targets if target.service not in SERVICES]
    silent = [target.service for target in targets if passwords[target.role] is None]
    if strangers or silent:
        why = (
            f"{counted(strangers)} are none of Alphintra's" if strangers else f"{counted(silent)} came without password"
        )
        detail = f"the attack probes were not run: {why}"
        return (Finding(code="PROBES_NOT_RUN", severity=Severity.REMARK, detail=detail),)
    placements = tuple(_placement(target, server) for target in targets)
    found = await attack_layout(
        (replace(server, exclusive=False),),
        layout=placements,
        passwords=lambda role: passwords.get(role) or "",
        level=Level.HARDENED,
        progress=progress,
    )
    return _findings(found)


def _placement(target: Target, server: Server) -> Placement:
    usual = f"{target.service}_schema"
    schema = usual if usual in target.schemas else (target.schemas or (usual,))[0]
    return Placement(
        service=target.service,
        database=target.database,
        instance=server.instance,
        schema_name=schema,
        service_role_name=target.role,
    )


def _findings(found: Assessment) -> tuple[Finding, ...]:
    findings = [
        Finding(
            code="PROBE_OPEN",
            severity=Severity.BREACH,
            services=tuple(dict.fromkeys(name for pair in item.unaccepted for name in pair)),
            detail=f"{item.attack.name}: {item.attack.means} ({len(item.unaccepted)} pairs; {item.answer.text[:120]})",
            close=(Statement(sql=f"-- {item.attack.close}"),),
        )
        for item in found.unaccepted
        if item.attack.effect is Effect.ACCESS
    ]
    leaks = [item.attack.name for item in found.findings if item.attack.effect is Effect.LEAK]
    if leaks:
        detail = f"{len(leaks)} probes learn something of other services without reaching their rows: {counted(leaks)}"
        findings.append(Finding(code="PROBE_LEAKS", severity=Severity.REMARK, detail=detail))
    if found.errors:
        names = list(dict.fromkeys(result.attack.name for result in found.errors))
        detail = f"{len(names)} of {len(found.probes)} probes proved nothing somewhere: {counted(names)}"
        findings.append(Finding(code="PROBE_INCONCLUSIVE", severity=Severity.REMARK, detail=detail))
    return tuple(findings)
