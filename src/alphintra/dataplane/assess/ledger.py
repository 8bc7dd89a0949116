"""The seed's thirty claims: what is measured for each and by which rule it is judged. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from alphintra.dataplane.assess import verdicts
from alphintra.dataplane.assess.advise import combinations_for
from alphintra.dataplane.assess.figures import ClaimRow, Findings, Verdict, Word
from alphintra.dataplane.assess.landed import (
    compliance_reporting,
    compliance_reports,
    cross_service_report,
    maintenance_windows,
    phases,
    profile_lookups,
    rendered_manifests,
    retention_by_class,
    scaling_in_manifests,
    service_encryption,
    technology_migration,
    time_series,
)

__all__ = ["CLAIMS", "Claim", "judge"]

_Judge = Callable[[Findings, Findings | None], Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of the seed.

    Attributes:
        number: in the ledger.
        text: the claim.
        measured: what is measured for it.
        judge: figures of a layout, and separate's, to a verdict; its docstring is the rule.
    """

    number: int
    text: str
    measured: str
    judge: _Judge

    @property
    def rule(self) -> str:
        """The rule in words: that of the judging function."""
        first = (self.judge.__doc__ or "").strip().split("\n\n")[0]
        return " ".join(first.partition(": ")[2].split())


def _central_by_advice(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 28: under a condition if `db advise` recommends the layout for some of the 32 sets of answers."""
    chosen = combinations_for(found.layout)
    evidence = f"`alphintra db advise` recommends it for {len(chosen)} of the 32 sets of answers to the five questions"
    if not chosen:
        return Verdict(word=Word.FAILS, brief="0 of 32", evidence=evidence)
    brief = f"{len(chosen)} of 32"
    return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=f"for example: {chosen[0]}")


CLAIMS: Final = (
    Claim(
        number=1,
        text="Central: simpler infrastructure",
        measured="databases, instances, roles, pools, backup jobs and lines of configuration, counted",
        judge=verdicts.simpler,
    ),
    Claim(
        number=2,
        text="Central: easier cross-service queries",
        measured="one report over four services, run and timed in each layout",
        judge=cross_service_report,
    ),
    Claim(
        number=3,
        text="Central: single backup and restore",
        measured="steps, seconds and bytes of backups that were made; rows rolled back when trading was restored",
        judge=verdicts.single_backup,
    ),
    Claim(
        number=4,
        text="Central: reduced resource usage",
        measured="memory, disk, log and sessions under the same load of all eight services",
        judge=verdicts.less_resources,
    ),
    Claim(
        number=5,
        text="Central, hybrid: single point of failure",
        measured="each instance crashed, each database closed, a server process killed; who still answers",
        judge=verdicts.single_point_of_failure,
    ),
    Claim(
        number=6,
        text="Central: harder to scale one service",
        measured="trading's p50 and p99 beside heavy work of strategy, against quiet",
        judge=verdicts.harder_to_scale,
    ),
    Claim(
        number=7,
        text="Central: security blast radius",
        measured="rows and tables really read with each service's stolen credential, as a share of all others'",
        judge=verdicts.blast_radius,
    ),
    Claim(
        number=8,
        text="Central: compliance complexity (mixed data types)",
        measured="data classes in a database, personal beside financial data, rules on keeping that collide",
        judge=verdicts.compliance_mix,
    ),
    Claim(
        number=9,
        text="Hybrid: fewer databases, grouped by domain, some isolation, still coupled",
        measured="the same measures on the same table",
        judge=verdicts.hybrid_bundle,
    ),
    Claim(
        number=10,
        text="Separate: audit trails are service-specific",
        measured="each audit log appended to, rewritten and read with every credential; sealed, altered and verified",
        judge=verdicts.audit_trails,
    ),
    Claim(
        number=11,
        text="Separate: retention varies by data type",
        measured="retention of each service on rows that are due, half of them held; every row of the others compared",
        judge=retention_by_class,
    ),
    Claim(
        number=12,
        text="Separate: compliance reporting with isolation",
        measured="a bundle of each audit log, proven and forged without a server; every service read by every reader",
        judge=compliance_reporting,
    ),
    Claim(
        number=13,
        text="Separate: a trading breach is not a user-data compromise",
        measured="8 x 8 tries in SQL and 8 x 8 on the message bus, with each service's own credential and key",
        judge=verdicts.trading_breach,
    ),
    Claim(
        number=14,
        text="Service-specific encryption",
        measured="a dump of each service sealed with its key, 8 x 8 keys tried; one key replaced",
        judge=service_encryption,
    ),
    Claim(
        number=15,
        text="Granular access controls per business function",
        measured="roles inside each service, and what each was refused when it tried",
        judge=verdicts.granular_roles,
    ),
    Claim(
        number=16,
        text="Independent security patching",
        measured="trading's instance restarted; whose sessions ended",
        judge=verdicts.independent_patching,
    ),
    Claim(
        number=17,
        text="Trading data optimised for time-series queries",
        measured="the standard queries on the optimised and on the plain table",
        judge=time_series,
    ),
    Claim(
        number=18,
        text="User data optimised for profile lookups",
        measured="profile look-ups: p50, p99 and the plan",
        judge=profile_lookups,
    ),
    Claim(
        number=19,
        text="Risk data optimised for compliance reporting",
        measured="the standing reports over assessments, timed",
        judge=compliance_reports,
    ),
    Claim(
        number=20,
        text="Independent query performance per service",
        measured="as 6, and once more with a processor for each instance where there are several",
        judge=verdicts.independent_performance,
    ),
    Claim(
        number=21,
        text="Independent backup schedules",
        measured="trading restored from a copy of its instance and from a dump; whose later rows were lost",
        judge=verdicts.independent_backups,
    ),
    Claim(
        number=22,
        text="Service-specific maintenance windows",
        measured="upkeep of each service inside its window, tried at each half hour outside; whose tables it touched",
        judge=maintenance_windows,
    ),
    Claim(
        number=23,
        text="Technology migration per service",
        measured="one service moved online to another instance or major version",
        judge=technology_migration,
    ),
    Claim(
        number=24,
        text="Independent scaling strategies",
        measured="what the rendered manifests let be set for each service",
        judge=scaling_in_manifests,
    ),
    Claim(
        number=25,
        text="Each service has its own database and user",
        measured="the matrix of 13 against the manifest, drift included",
        judge=verdicts.own_database_and_user,
    ),
    Claim(
        number=26,
        text="Least privilege",
        measured="powers of service roles in the catalogue; a grant made by hand, looked for",
        judge=verdicts.least_privilege,
    ),
    Claim(
        number=27,
        text="No accidental cross-service data access",
        measured="every import and every statement of the installed services read; the bus tried",
        judge=verdicts.no_crossing,
    ),
    Claim(
        number=28,
        text="When to consider central",
        measured="the document's five questions, all 32 sets of answers",
        judge=_central_by_advice,
    ),
    Claim(
        number=29,
        text="Phases 1 to 3: keep, schemas, full consolidation",
        measured="each service moved to another layout and back, all into one schema or out of it, under writes",
        judge=phases,
    ),
    Claim(
        number=30,
        text="Runs on Kubernetes from postgresql-statefulset.yaml",
        measured="manifests rendered for the layout",
        judge=rendered_manifests,
    ),
)
"""Every claim of the ledger, in order; `CLAIMS[n - 1]` is number n."""


def judge(findings: Sequence[Findings]) -> tuple[ClaimRow, ...]:
    """Return every claim with its verdict for each layout that was measured."""
    base = next((found for found in findings if found.layout == "separate"), None)
    return tuple(
        ClaimRow(
            number=claim.number,
            claim=claim.text,
            measured=claim.measured,
            rule=claim.rule,
            verdicts={found.layout: claim.judge(found, base) for found in findings},
        )
        for claim in CLAIMS
    )
