"""How measured figures become verdicts: one function per claim of the seed, each a stated rule. Pure.

A function gets what was measured of a layout and, where the claim compares, what was measured of ``separate``. A figure
that is absent makes the verdict "not measured", never a yes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alphintra.dataplane.assess.figures import Verdict, Word

if TYPE_CHECKING:
    from alphintra.dataplane.assess.figures import Figure, Findings

__all__ = [
    "RATIO_MAX",
    "SAVING",
    "audit_trails",
    "blast_radius",
    "compliance_mix",
    "granular_roles",
    "harder_to_scale",
    "hybrid_bundle",
    "independent_backups",
    "independent_patching",
    "independent_performance",
    "least_privilege",
    "less_resources",
    "missing",
    "no_crossing",
    "own_database_and_user",
    "simpler",
    "single_backup",
    "single_point_of_failure",
    "trading_breach",
    "unmeasured",
    "values_of",
]

RATIO_MAX: Final = 1.25
"""Slow-down beside a neighbour up to which performance counts as independent: five quarters of the quiet time."""
SAVING: Final = 0.9
"""Share of separate's resources below which a layout counts as saving; above its inverse it counts as costing more."""

_SERVICES: Final = 8
_PAIRS: Final = 56
_ROLE_KINDS: Final = 7
_LOAD_MIN: Final = 1.0
_BASE: Final = "separate"


def unmeasured(reason: str) -> Verdict:
    """Return the verdict of a claim nothing was measured for, with the reason."""
    return Verdict(word=Word.UNMEASURED, brief="-", evidence=reason)


def simpler(found: Findings, base: Findings | None) -> Verdict:
    """Claim 1: holds if there are fewer parts to run than in separate."""
    values = values_of(found, "parts", "databases", "instances", "login_roles", "pools", "configuration_lines")
    if values is None:
        return missing(found, "parts")
    if base is None or base.value("parts") is None:
        return _needs_base()
    parts, databases, instances, logins, pools, lines = values
    of_base = base.figures["parts"].value
    evidence = (
        f"{_some(databases, 'database', 'databases')} on {_some(instances, 'instance', 'instances')}, {logins:.0f} "
        f"login roles, {pools:.0f} pools, {_some(databases, 'dump job', 'dump jobs')} and {lines:.0f} lines of server "
        f"configuration: {parts:.0f} parts to separate's "
        f"{of_base:.0f}"
    )
    return Verdict(word=_word(is_true=parts < of_base), brief=f"{parts:.0f} parts", evidence=evidence)


def single_backup(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 3: holds if one copy and one dump hold everything; under a condition if one of the two does."""
    values = values_of(
        found,
        "backup_jobs_whole",
        "backup_jobs_dump",
        "whole_s",
        "whole_mib",
        "dump_s",
        "dump_mib",
        "whole_rolled_back",
    )
    if values is None:
        return missing(found, "backups")
    copies, dumps, copy_s, copy_mib, dump_s, dump_mib, rolled = values
    evidence = (
        f"{_some(copies, 'copy', 'copies')} of instances in {copy_s:.1f} s ({copy_mib:.0f} MiB), "
        f"{_some(dumps, 'dump', 'dumps')} of databases in {dump_s:.1f} s "
        f"({dump_mib:.1f} MiB); bringing trading back from its copy rolls back {rolled:.0f} other services"
    )
    brief = f"{_some(copies, 'copy', 'copies')}, {_some(dumps, 'dump', 'dumps')}, {rolled:.0f} rolled back"
    if copies == 1 and dumps == 1:
        return Verdict(word=Word.HOLDS, brief=brief, evidence=evidence)
    if copies == 1 or dumps == 1:
        condition = "as a copy of the whole instance; dumps are one for each database"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)


def less_resources(found: Findings, base: Findings | None) -> Verdict:
    """Claim 4: holds if of memory, disk and log at least two are below 90 % of separate's and none above 111 %."""
    values = values_of(found, "pss_mib", "disk_mib", "wal_mib", "sessions", "rss_mib")
    if values is None:
        return missing(found, "resources")
    evidence = (
        f"memory {values[0]:.0f} MiB (shared pages counted once; {values[4]:.0f} MiB resident), disk {values[1]:.0f} "
        f"MiB, log {values[2]:.2f} MiB and {values[3]:.0f} sessions for the same load"
    )
    if found.layout == _BASE:
        return Verdict(
            word=Word.FAILS, brief=f"{values[0]:.0f} MiB", evidence=f"{evidence}: what the others are held to"
        )
    of_base = None if base is None else values_of(base, "pss_mib", "disk_mib", "wal_mib")
    if of_base is None:
        return _needs_base()
    ratios = [mine / other if other else 1.0 for mine, other in zip(values, of_base, strict=False)]
    names = ("memory", "disk", "log")
    savings = [name for name, ratio in zip(names, ratios, strict=True) if ratio <= SAVING]
    losses = [name for name, ratio in zip(names, ratios, strict=True) if ratio >= 1 / SAVING]
    evidence += "; of separate's: " + ", ".join(
        f"{name} {ratio:.0%}" for name, ratio in zip(names, ratios, strict=True)
    )
    brief = f"{values[0]:.0f} MiB ({ratios[0]:.0%})"
    if len(savings) > 1 and not losses:
        return Verdict(word=Word.HOLDS, brief=brief, evidence=evidence)
    if savings:
        condition = f"for {' and '.join(savings)} alone"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)


def single_point_of_failure(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 5: holds if the loss of one instance, or of one server process, takes more than one service's data away."""
    values = values_of(found, "lost_with_instance", "lost_with_database", "dropped_by_crash", "recovery_s")
    if values is None:
        return missing(found, "faults")
    instance, database, dropped, recovery = values
    evidence = (
        f"crashing the worst instance silences {instance:.0f} of 8 services (back in {recovery:.2f} s), closing the "
        f"worst database {database:.0f}; a crashed process of trading ends the sessions of {dropped:.0f} of 7 others"
    )
    return Verdict(word=_word(is_true=instance > 1), brief=f"{instance:.0f} of 8 lost", evidence=evidence)


def harder_to_scale(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 6: holds if heavy work of strategy makes trading's p99 worse than five quarters of the quiet one."""
    own, pinned = found.figures.get("p99_ratio"), found.figures.get("pinned_p99_ratio")
    if own is None:
        return missing(found, "neighbour")
    evidence = _beside(found, "")
    if own.value <= RATIO_MAX:
        return Verdict(word=Word.FAILS, brief=f"p99 x{own.value:.1f}", evidence=evidence)
    if pinned is not None and pinned.value <= RATIO_MAX:
        evidence += f"; each on a processor of its own: {_beside(found, 'pinned_')}"
        condition = "only while they share processors"
        return Verdict(word=Word.CONDITION, brief=f"p99 x{own.value:.1f}", evidence=evidence, condition=condition)
    return Verdict(word=Word.HOLDS, brief=f"p99 x{own.value:.1f}", evidence=evidence)


def independent_performance(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 20: holds if trading's p99 beside heavy work of strategy stays within five quarters of the quiet one."""
    own, pinned = found.figures.get("p99_ratio"), found.figures.get("pinned_p99_ratio")
    if own is None:
        return missing(found, "neighbour")
    evidence = _beside(found, "")
    brief = f"p99 x{own.value:.1f}"
    if pinned is not None:
        evidence += f"; each on a processor of its own: {_beside(found, 'pinned_')}"
        brief += f", own CPU x{pinned.value:.1f}"
    if own.value <= RATIO_MAX:
        return Verdict(word=Word.HOLDS, brief=brief, evidence=evidence)
    if pinned is not None and pinned.value <= RATIO_MAX:
        condition = "each instance has processors of its own"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)


def blast_radius(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 7: holds if a service's credential reads others' rows; a condition if only an administrator's does."""
    values = values_of(found, "reach_share", "reach_tables", "administrator_share", "rows")
    if values is None:
        return missing(found, "reach")
    share, tables, administrator, rows = values
    evidence = (
        f"of {rows:.0f} rows the worst service credential reads {share:.0%} of the others' ({tables:.0f} tables), the "
        f"administrator of the worst instance {administrator:.0%} of all"
    )
    probes = found.value("open_probes")
    if probes is not None:
        evidence += f"; {probes:.0f} of {found.value('probes') or 0:.0f} attack probes get through, rows or not"
    brief = f"{share:.0%} of others' rows"
    if share > 0:
        return Verdict(word=Word.HOLDS, brief=brief, evidence=evidence)
    if administrator >= 1:
        condition = "with the administrator's credential or the server's own account, not with a service's"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)


def compliance_mix(found: Findings, base: Findings | None) -> Verdict:
    """Claim 8: holds if a database has personal beside financial data; a condition if more rules collide in it."""
    values = values_of(found, "classes_worst", "mixed_databases", "colliding_worst")
    if values is None:
        return missing(found, "classes")
    classes, mixed, colliding = values
    evidence = (
        f"up to {classes:.0f} data classes in a database, {mixed:.0f} databases with personal beside financial data, "
        f"up to {colliding:.0f} pairs of rules on keeping that collide in one (and in its dump)"
    )
    brief = f"{classes:.0f} classes, {colliding:.0f} collisions"
    if mixed:
        return Verdict(word=Word.HOLDS, brief=brief, evidence=evidence)
    of_base = None if base is None else base.value("colliding_worst")
    if of_base is not None and colliding > of_base:
        condition = f"within a domain: separate has {of_base:.0f} colliding pairs at most"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)


def hybrid_bundle(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 9: holds with fewer databases than services, several, no foreign row read, services that fall together."""
    values = values_of(found, "databases", "reach_share", "lost_with_database")
    if values is None:
        return missing(found, "reach or faults")
    databases, share, lost = values
    parts = {
        "fewer databases than services": databases < _SERVICES,
        "grouped by domain": 1 < databases < _SERVICES,
        "rows isolated": share == 0,
        "still coupled": lost > 1,
    }
    lacking = [name for name, is_true in parts.items() if not is_true]
    evidence = (
        f"{_some(databases, 'database', 'databases')}, {share:.0%} of others' rows reachable, {lost:.0f} services fall "
        "with one database"
    )
    evidence += f"; not so: {', '.join(lacking)}" if lacking else ""
    return Verdict(word=_word(is_true=not lacking), brief=f"{databases:.0f} db, {lost:.0f} fall", evidence=evidence)


def audit_trails(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 10: holds if each log is append-only, closed to the others, and shows what an administrator altered."""
    values = values_of(found, "audit_kept", "audit_crossed", "trails_sound", "trails_shown")
    if values is None:
        return missing(found, "audit or trails")
    kept, crossed, sound, shown = values
    evidence = (
        f"{kept:.0f} of 8 services have an audit log of their own that they can only append to; {crossed:.0f} of 56 "
        f"pairs read or write another's; {sound:.0f} of 8 sealed logs verify, each with its own key, and in "
        f"{shown:.0f} of 8 a row that the administrator altered is found"
    )
    brief = f"{kept:.0f} of 8 own"
    if kept < _SERVICES or crossed or sound < _SERVICES:
        return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)
    if shown < _SERVICES:
        condition = "append-only is enforced; an administrator's changes are not shown everywhere"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    return Verdict(word=Word.HOLDS, brief=brief, evidence=evidence)


def trading_breach(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 13: holds with 8 pairs allowed and 56 denied, in SQL and on the bus, and no row of a person read."""
    values = values_of(found, "sql_allow", "sql_deny", "trading_reads_people")
    if values is None:
        return missing(found, "matrix")
    allow, deny, people = values
    evidence = (
        f"SQL: {allow:.0f} pairs allow, {deny:.0f} deny; trading's credential reads {people:.0f} rows of user and auth"
    )
    is_true = allow == _SERVICES and deny == _PAIRS and people == 0
    bus = values_of(found, "bus_allow", "bus_deny", "bus_tries", "bus_wrong")
    brief = f"{allow:.0f} allow, {deny:.0f} deny"
    if bus is None:
        if not is_true:
            return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)
        condition = "in the databases: the bus was not tried"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    evidence += f"; bus: {bus[0]:.0f} allow, {bus[1]:.0f} deny, {bus[3]:.0f} of {bus[2]:.0f} tries not as declared"
    is_true = is_true and bus[0] == _SERVICES and bus[1] == _PAIRS and bus[3] == 0
    return Verdict(word=_word(is_true=is_true), brief=brief, evidence=evidence)


def granular_roles(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 15: holds with seven roles of its own for each service, and every try beyond a role's part refused."""
    values = values_of(found, "role_kinds", "roles_own", "column_grants", "role_tries", "role_refused")
    if values is None:
        return missing(found, "roles")
    kinds, own, columns, tries, refused = values
    evidence = (
        f"{own:.0f} roles (at least {kinds:.0f} for a service: owner without log-in, migrator, service, reader, "
        f"backup, sealer, retainer), {columns:.0f} grants on columns; {refused:.0f} of {tries:.0f} tries "
        "beyond a role's part refused"
    )
    is_true = kinds == _ROLE_KINDS and own == _SERVICES * _ROLE_KINDS and refused == tries
    return Verdict(
        word=_word(is_true=is_true), brief=f"{own:.0f} roles, {refused:.0f}/{tries:.0f} refused", evidence=evidence
    )


def independent_patching(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 16: holds if restarting trading's instance ends no session of another service."""
    values = values_of(found, "ended_by_patch", "patch_s")
    if values is None:
        return missing(found, "faults")
    ended, seconds = values
    evidence = f"restarting trading's instance ({seconds:.2f} s) ended the sessions of {ended:.0f} of 7 other services"
    return Verdict(word=_word(is_true=ended == 0), brief=f"{ended:.0f} of 7 interrupted", evidence=evidence)


def independent_backups(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 21: holds if a restored copy rolls back no other service; under a condition if only a dump does not."""
    values = values_of(
        found, "whole_rolled_back", "dump_rolled_back", "dump_restored", "whole_restore_s", "dump_restore_s"
    )
    if values is None:
        return missing(found, "backups")
    whole, dump, restored, whole_s, dump_s = values
    evidence = (
        f"trading from a copy of its instance in {whole_s:.1f} s: {whole:.0f} other services rolled back; from a dump "
        f"in {dump_s:.1f} s: {dump:.0f}"
    )
    drift = found.value("dump_drift")
    evidence += "" if drift is None else f", {drift:.0f} differences from the manifest after it"
    if whole == 0:
        return Verdict(word=Word.HOLDS, brief="0 rolled back", evidence=evidence)
    if dump == 0 and restored == 1:
        condition = "from a dump to the moment it was made; to a second from a copy of its whole instance beside it"
        brief = f"dump 0, copy {whole:.0f} rolled back"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    return Verdict(word=Word.FAILS, brief=f"{whole:.0f} rolled back", evidence=evidence)


def own_database_and_user(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 25: holds with a role each and no way into others' data; a condition where the database is shared."""
    values = values_of(found, "service_roles", "databases", "sql_allow", "sql_deny", "sql_tries", "sql_wrong", "drift")
    if values is None:
        return missing(found, "matrix")
    roles, databases, allow, deny, tries, wrong, drift = values
    evidence = (
        f"{roles:.0f} service roles, {databases:.0f} databases; {allow:.0f} pairs allow and {deny:.0f} deny, "
        f"{wrong:.0f} of {tries:.0f} tries not as declared, {drift:.0f} differences from the manifest"
    )
    brief = f"{allow:.0f} allow, {deny:.0f} deny"
    if not (roles == _SERVICES and allow == _SERVICES and deny == _PAIRS and wrong == 0 and drift == 0):
        return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)
    if databases < _SERVICES:
        condition = "its own schema: the database is shared"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    return Verdict(word=Word.HOLDS, brief=brief, evidence=evidence)


def least_privilege(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 26: holds with no power to own or grant, no foreign row, no drift, and a grant made by hand found."""
    values = values_of(found, "powers", "drift", "drift_planted", "drift_found", "reach_share")
    if values is None:
        return missing(found, "powers")
    powers, drift, planted, seen, share = values
    evidence = (
        f"{powers:.0f} powers of service roles to own, create, grant or administer, {share:.0%} of others' rows "
        f"readable, {drift:.0f} differences from the manifest; {seen:.0f} of {planted:.0f} grants made by hand found"
    )
    is_true = powers == 0 and drift == 0 and seen == planted and share == 0
    return Verdict(word=_word(is_true=is_true), brief=f"{powers:.0f} powers, {share:.0%} foreign", evidence=evidence)


def no_crossing(found: Findings, _base: Findings | None) -> Verdict:
    """Claim 27: holds if no import, statement or subject crosses; under a condition where the database would let it."""
    values = values_of(
        found, "modules", "cross_imports", "statements_read", "cross_statements", "bus_wrong", "reach_share"
    )
    if values is None:
        return missing(found, "code or bus")
    modules, imports, statements, crossed, bus, share = values
    evidence = (
        f"{imports:.0f} imports between services in {modules:.0f} modules, {crossed:.0f} of {statements:.0f} "
        f"statements name another's table, {bus:.0f} tries on the bus not as declared"
    )
    brief = f"{imports + crossed:.0f} crossings"
    if imports or crossed or bus:
        return Verdict(word=Word.FAILS, brief=brief, evidence=evidence)
    if share > 0:
        condition = "kept by the code alone: the database would not refuse it"
        return Verdict(word=Word.CONDITION, brief=brief, evidence=evidence, condition=condition)
    return Verdict(word=Word.HOLDS, brief=brief, evidence=evidence)


def _beside(found: Findings, prefix: str) -> str:
    def said(key: str) -> str:
        figure = found.figures[f"{prefix}{key}"]
        return f"{figure.value:.1f}"

    return (
        f"trading's p50 {said('p50_quiet_ms')} ms quiet, {said('p50_loaded_ms')} ms beside strategy; p99 "
        f"{said('p99_quiet_ms')} and {said('p99_loaded_ms')} ms: {_ratio(found.figures[f'{prefix}p99_ratio'])}"
        f"{_busy(found)}"
    )


def _busy(found: Findings) -> str:
    """Say so where other work took part of the machine while it was measured."""
    load = found.value("load_before")
    return "" if load is None or load < _LOAD_MIN else f", on a machine with a load of {load:.0f} by other work"


def _ratio(figure: Figure) -> str:
    spread = "" if figure.low is None or figure.high is None else f" ({figure.low:.1f} to {figure.high:.1f})"
    return f"x{figure.value:.1f}{spread} over {figure.rounds} rounds"


def values_of(found: Findings, *keys: str) -> list[float] | None:
    """Return figures in the order asked, None where one of them was not measured."""
    values = [found.value(key) for key in keys]
    known = [value for value in values if value is not None]
    return known if len(known) == len(keys) else None


def missing(found: Findings, step: str) -> Verdict:
    """Return the verdict of a claim whose figures are not there, with the reasons there are."""
    reasons = "; ".join(f"{name}: {reason}" for name, reason in found.gaps.items())
    return unmeasured(f"{step} not measured in this run{f' ({reasons})' if reasons else ''}")


def _needs_base() -> Verdict:
    return unmeasured("compares with separate, which was not measured beside it: run with --all")


def _some(count: float, one: str, many: str) -> str:
    return f"{count:.0f} {one if count == 1 else many}"


def _word(*, is_true: bool) -> Word:
    return Word.HOLDS if is_true else Word.FAILS
