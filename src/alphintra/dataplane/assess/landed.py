"""Verdicts on claims whose figures come from other parts: reports over services, optimised tables, manifests. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alphintra.dataplane.assess.figures import Verdict, Word
from alphintra.dataplane.assess.verdicts import values_of

if TYPE_CHECKING:
    from alphintra.dataplane.assess.figures import Findings

__all__ = [
    "FASTER_MIN",
    "LOOKUP_P50_MAX_MS",
    "SIZES_MIN",
    "compliance_reporting",
    "compliance_reports",
    "cross_service_report",
    "maintenance_windows",
    "phases",
    "profile_lookups",
    "rendered_manifests",
    "retention_by_class",
    "scaling_in_manifests",
    "service_encryption",
    "technology_migration",
    "time_series",
]

FASTER_MIN: Final = 2.0
"""How many times faster than on the plain table the median query must be for a table to count as optimised."""
LOOKUP_P50_MAX_MS: Final = 1.0
"""Longest median of a profile look-up that counts as fast, in ms; the p99 is told, but tells of the machine's load."""
SIZES_MIN: Final = 8
"""Services: each needs its own setting for scaling to count as independent."""


def cross_service_report(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 2: holds if one plain join makes the report; under a condition if it takes the read-only reporting path."""
    newest, whole, databases = (found.value(key) for key in ("report_ms", "report_whole_ms", "report_databases"))
    if newest is None or whole is None or databases is None:
        return _missing(found, "report over four services")
    evidence = (
        f"orders with assessment, strategy and messages from {databases:.0f} databases through the reporting path: the "
        f"newest 50 in {newest:.1f} ms, all {found.value('report_orders') or 0:.0f} in {whole:.0f} ms"
    )
    join, join_whole = found.value("report_join_ms"), found.value("report_join_whole_ms")
    if join is None or join_whole is None:
        condition = "reporting is switched on: roles that only read what is reported, and that no service has"
        brief = f"{newest:.0f} ms, {databases:.0f} db"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    same = "the same rows" if found.value("report_equal") else "other rows"
    evidence += f"; as one plain join {join:.1f} and {join_whole:.0f} ms, {same}"
    word = Word.HOLDS if found.value("report_equal") else Word.FAILS
    return Verdict(word=word, brief=f"join {join:.0f} ms", evidence=evidence)


def compliance_reporting(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 12: holds if each service's bundle proves its own rows, and each reader reads its service and no other."""
    values = values_of(found, "bundles_proven", "bundles_refused", "readers_own", "readers_crossed")
    if values is None:
        return _missing(found, "seal, prove and read")
    proven, refused, own, crossed = values
    evidence = (
        f"{proven:.0f} of 8 services give a bundle that proves rows of their audit log and nothing else, without a "
        f"server; {refused:.0f} of 8 bundles are refused once a row in them was changed; {own:.0f} of 8 readers read "
        f"all tables of their service; {crossed:.0f} of 56 pairs read tables of another"
    )
    is_true = proven == refused == own == SIZES_MIN and crossed == 0
    return Verdict(
        word=Word.HOLDS if is_true else Word.FAILS,
        brief=f"{proven:.0f} bundles, {crossed:.0f} crossed",
        evidence=evidence,
    )


def service_encryption(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 14: dumps are sealed with a key for each service, live files are not; false if a key opens another's."""
    values = values_of(found, "keys_own", "keys_crossed", "keys_rotated")
    if values is None:
        return _missing(found, "seal each dump")
    own, crossed, rotated = values
    evidence = (
        f"{own:.0f} of 8 services' sealed dumps open with their own key, {crossed:.0f} of 56 with another's; after one "
        f"key was replaced the new one {'opens' if rotated else 'does not open'} what came after it alone, and the old "
        "one what came before"
    )
    brief = f"{own:.0f} own, {crossed:.0f} crossed"
    if own < SIZES_MIN or crossed or not rotated:
        return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)
    condition = "of dumps; the files PostgreSQL works on, and copies of a whole instance, are one key's for all in it"
    return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)


def retention_by_class(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 11: holds if each service's retention took what was due of it, kept what was held, and touched no other."""
    keys = ("retention_archived", "retention_held", "retention_crossed", "retention_classes")
    values = [found.value(key) for key in keys]
    if any(value is None for value in values):
        return _missing(found, "retention and upkeep")
    archived, held, crossed, classes = (value or 0 for value in values)
    evidence = (
        f"{archived:.0f} of 8 services archived and took away what was due, {held:.0f} of 8 kept what is held, "
        f"{crossed:.0f} of 56 runs changed a row of another service; {classes:.0f} retention classes have an end"
    )
    is_true = archived == SIZES_MIN and held == SIZES_MIN and crossed == 0
    return Verdict(
        word=Word.HOLDS if is_true else Word.FAILS,
        brief=f"{archived:.0f} of 8, {crossed:.0f} crossed",
        evidence=evidence,
    )


def maintenance_windows(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 22: holds if upkeep is refused outside of each service's window and its instance serves no other."""
    keys = (
        "windows_refused",
        "windows_tried",
        "windows_kept",
        "windows_crossed",
        "windows_at_once",
        "windows_instances",
    )
    values = [found.value(key) for key in keys]
    if any(value is None for value in values):
        return _missing(found, "retention and upkeep")
    refused, tried, kept, crossed, at_once, instances = (value or 0 for value in values)
    evidence = (
        f"{kept:.0f} of 8 services kept up, {refused:.0f} of {tried:.0f} tries outside of a window refused, "
        f"{crossed:.0f} of 56 runs touched a table of another service; {at_once:.0f} window open at once by default"
    )
    brief = f"{refused:.0f}/{tried:.0f} refused"
    if refused != tried or kept != SIZES_MIN or crossed:
        return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)
    if instances < SIZES_MIN:
        condition = "for tables, indexes and keys: what needs a restart is common to all services of an instance"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    return Verdict(word=Word.HOLDS, brief=brief, evidence=evidence)


def technology_migration(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 23: holds if trading moves online to another instance and back, nothing lost, refused or different."""
    if refused := found.facts.get("moves_refused"):
        return _unmoved(refused[0])
    keys = ("pause_ms", "differences", "lost", "refused", "acknowledged", "others")
    values = [found.value(f"elsewhere_{key}") for key in keys]
    if any(value is None for value in values):
        return _missing(found, "move services online and back")
    pause, differences, lost, refusals, acknowledged, others = (value or 0.0 for value in values)
    versions = ", ".join(found.facts.get("elsewhere_versions", ()))
    evidence = (
        f"trading moved to an instance of its own (PostgreSQL {versions}) and back under {acknowledged:.0f} "
        f"acknowledged writes: {lost:.0f} lost, {refusals:.0f} refused, {differences:.0f} tables different; requests "
        f"waited at most {pause:.0f} ms; {others:.0f} of 7 other services were written to meanwhile"
    )
    is_true = differences == lost == refusals == 0 and acknowledged > 0 and others == SIZES_MIN - 1
    return Verdict(word=Word.HOLDS if is_true else Word.FAILS, brief=f"{pause:.0f} ms pause", evidence=evidence)


def phases(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 29: holds if services move one by one and all into one schema or out, and back, nothing lost or refused."""
    merged = values_of(found, "merge_services", "merge_acknowledged", "merge_refused", "merge_lost", "merge_pause_ms")
    said = "" if merged is None else _said_of_merge(merged)
    if refused := found.facts.get("moves_refused"):
        evidence = f"one by one the mover refuses ({refused[0]}): the services share one schema and one role"
        if merged is None or not _is_clean(merged):
            return Verdict(word=Word.FAILS, brief=refused[0], evidence=f"{evidence}{said and '; '}{said}")
        condition = "all services together, in one pause: one by one none leaves the shared schema"
        brief = f"{merged[4]:.0f} ms pause"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=f"{said}; {evidence}", condition=condition)
    keys = ("moved_services", "move_rows", "move_differences", "move_acknowledged", "move_refused", "move_lost")
    values = values_of(found, *keys)
    pause = found.figures.get("move_pause_ms")
    if pause is None or values is None:
        return _missing(found, "move services online and back")
    moved, rows, differences, acknowledged, refusals, lost = values
    evidence = (
        f"{moved:.0f} services moved to another layout and back under {acknowledged:.0f} acknowledged writes: "
        f"{lost:.0f} lost, {refusals:.0f} refused; {rows:.0f} rows compared, {differences:.0f} tables different; "
        f"requests waited {pause.value:.0f} ms at the median, {pause.high or pause.value:.0f} at most"
    )
    brief = f"{moved:.0f} forth and back"
    if differences or lost or refusals or not acknowledged:
        return Verdict(word=Word.FAILS, brief=f"{moved:.0f} moved", evidence=evidence)
    if merged is None:
        condition = "phases 1 and 2, both ways; into the one schema of phase 3 the way leads through central"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    word = Word.HOLDS if _is_clean(merged) else Word.FAILS
    return Verdict(word=word, brief=brief, evidence=f"{evidence}; {said}")


def _said_of_merge(merged: list[float]) -> str:
    services, acknowledged, refused, lost, pause = merged
    return (
        f"all {services:.0f} services into one schema or out of it, and back, in place, under {acknowledged:.0f} "
        f"acknowledged writes: {lost:.0f} lost, {refused:.0f} refused, all requests waited {pause:.0f} ms"
    )


def _is_clean(merged: list[float]) -> bool:
    _, acknowledged, refused, lost, _ = merged
    return acknowledged > 0 and refused == lost == 0


def _unmoved(code: str) -> Verdict:
    evidence = f"the mover refuses ({code}): its services share one schema and one role"
    return Verdict(word=Word.FAILS, brief=code, evidence=evidence)


def time_series(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 17: holds if trading's standard queries are at the median twice as fast as on the plain table."""
    return _optimised(found, 17)


def compliance_reports(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 19: holds if risk's standing reports are at the median twice as fast as on the plain table."""
    return _optimised(found, 19)


def profile_lookups(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 18: holds if look-ups read the index alone at a median below 1 ms; a condition if only the latter."""
    p50, p99, is_index_only = (found.value(key) for key in ("claim18_p50_ms", "claim18_p99_ms", "claim18_index_only"))
    if p50 is None or p99 is None or is_index_only is None:
        return _missing(found, "optimised tables")
    rows = found.value("optimised_rows") or 0
    plan = "from the index alone" if is_index_only else "by the index, then the row"
    evidence = f"profile look-ups among {rows:.0f} rows: p50 {p50:.2f} ms, p99 {p99:.2f} ms, {plan}"
    brief = f"p50 {p50:.2f} ms"
    if p50 > LOOKUP_P50_MAX_MS:
        return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)
    if is_index_only:
        return Verdict(word=Word.HOLDS, brief=brief, evidence=evidence)
    condition = "fast, but the plan reads the row beside the index"
    return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)


def scaling_in_manifests(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 24: holds if the manifests give each service its own replicas, pool and instance; else without instance."""
    keys = ("manifest_deployments", "manifest_pools", "manifest_instances")
    deployments, pools, instances = (found.value(key) for key in keys)
    if deployments is None or pools is None or instances is None:
        return _missing(found, "manifests")
    evidence = (
        f"{deployments:.0f} deployments with their own replicas and {pools:.0f} with their own pool; PostgreSQL "
        f"StatefulSets with their own memory and volume: {instances:.0f}; no read replicas"
    )
    brief = f"{deployments:.0f} services on {instances:.0f}"
    if deployments < SIZES_MIN or pools < SIZES_MIN:
        return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)
    if instances < SIZES_MIN:
        condition = "of the services' processes and pools; the instance is shared"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    return Verdict(word=Word.HOLDS, brief=brief, evidence=evidence)


def rendered_manifests(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 30: holds if postgresql-statefulset.yaml is rendered and every service's URL names a host in it."""
    keys = ("manifest_objects", "manifest_urls", "manifest_urls_known", "manifest_secrets")
    objects, urls, known, secrets = (found.value(key) for key in keys)
    if objects is None or urls is None or known is None or secrets is None:
        return _missing(found, "manifests")
    hosts = ", ".join(found.facts.get("manifest_hosts", ()))
    evidence = (
        f"{objects:.0f} objects rendered, {known:.0f} of {urls:.0f} database URLs name a Service that is among them "
        f"({hosts}), {secrets:.0f} passwords in the files; a cluster was not started"
    )
    is_true = urls == SIZES_MIN and known == urls and secrets == 0
    return Verdict(word=Word.HOLDS if is_true else Word.FAILS, brief=f"{objects:.0f} objects", evidence=evidence)


def _optimised(found: Findings, claim: int) -> Verdict:
    ratio, rows = found.figures.get(f"claim{claim}_faster"), found.value("optimised_rows")
    if ratio is None or rows is None:
        return _missing(found, "optimised tables")
    evidence = (
        f"{ratio.rounds} standing queries at {rows:.0f} rows, ours against the plain table: median x{ratio.value:.1f} "
        f"(x{ratio.low:.1f} to x{ratio.high:.0f}); the tables are the same in every layout"
    )
    slow = found.facts.get(f"claim{claim}_queries", ())
    evidence += f"; {'; '.join(slow)}" if slow else ""
    word = Word.HOLDS if ratio.value >= FASTER_MIN else Word.FAILS
    return Verdict(word=word, brief=f"x{ratio.value:.1f}", evidence=evidence)


def _missing(found: Findings, step: str) -> Verdict:
    reason = found.gaps.get(step, "not measured in this run")
    return Verdict(word=Word.UNMEASURED, brief="-", evidence=f"{step}: {reason}")
