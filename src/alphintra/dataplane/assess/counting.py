"""Counts of a layout: its moving parts, the memory, disk and log it takes, and what lies beside what."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import psutil  # type: ignore[import-untyped]

from alphintra.dataplane.declaration import declare
from alphintra.dataplane.layouts import placements_of
from alphintra.dataplane.server import admin_connection
from alphintra.manifest import service_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.dataplane.assess.bench import Bench, Notes
    from alphintra.dataplane.layouts import Placement

__all__ = ["checkpoint", "count_classes", "count_parts", "log_positions", "note_resources"]

_MIB: Final = 1024 * 1024

# What the rules on keeping say about a class of data: kept at least so long, or erased at most so long after its use.
# Sources: MiFID II article 16(7) with MiFIR article 25(1) (records of orders and of how they were decided, 5 to 7
# years), GDPR article 5(1)(e) and 17 (personal data no longer than needed), licence terms of market data.
_KEPT_YEARS_MIN: Final[Mapping[str, float]] = MappingProxyType(
    {
        "order": 7, "cash": 7, "position": 7, "account": 7, "risk_decision": 7, "venue_message": 7, "decision": 7,
        "deployment": 7, "audit": 7, "risk_metric": 7, "connection": 7,
    }
)  # fmt: skip
_KEPT_YEARS_MAX: Final[Mapping[str, float]] = MappingProxyType(
    {
        "personal": 30 / 365, "preference": 30 / 365, "credential": 0, "session": 30 / 365, "message": 90 / 365,
        "delivery": 13 / 12, "market_data": 90 / 365, "event": 7 / 365,
    }
)  # fmt: skip
_PERSONAL: Final = frozenset({"personal", "preference", "credential", "session", "message"})
_FINANCIAL: Final = frozenset({"order", "cash", "position", "account", "risk_decision", "risk_metric", "venue_message"})
_EVERYWHERE: Final = frozenset({"audit", "event", "operation"})


def count_parts(bench: Bench, notes: Notes) -> None:
    """Count what somebody has to run: databases, roles, pools, backup jobs, lines of configuration."""
    declared = [declare(placements_of(bench.layout, name)) for name in bench.instances]
    databases = {(placement.instance, placement.database) for placement in bench.layout}
    logins = sum("LOGIN" in role.attributes for state in declared for role in state.roles.values())
    limits = [role.connection_limit for state in declared for role in state.roles.values()]
    pools = {(item.instance, item.database, item.service_role, item.search_path) for item in bench.layout}
    notes.put("databases", len(databases), "databases")
    notes.put("instances", len(bench.instances), "instances")
    notes.put("roles", sum(len(state.roles) for state in declared), "roles")
    notes.put("login_roles", logins, "roles")
    notes.put("service_roles", len({item.service_role for item in bench.layout}), "roles")
    notes.put("pools", len(pools), "pools")
    notes.put("connections_allowed", sum(limit for limit in limits if limit > 0), "sessions")
    notes.put("backup_jobs_whole", len(bench.instances), "jobs")
    notes.put("backup_jobs_dump", len(databases), "jobs")
    notes.put("provision_statements", bench.statements, "statements")
    lines = sum(len(instance.configuration()) for instance in bench.instances.values())
    notes.put("configuration_lines", lines, "lines")
    notes.put("parts", len(databases) + len(bench.instances) + logins + len(databases), "parts")


def count_classes(bench: Bench, notes: Notes) -> None:
    """Count the kinds of data each database holds, and the pairs of rules on keeping that collide in it."""
    by_database: dict[str, list[Placement]] = {}
    for placement in bench.layout:
        by_database.setdefault(placement.database, []).append(placement)
    classes = {
        database: {table.data_class for item in placed for table in service_tables(item.spec)} - _EVERYWHERE
        for database, placed in by_database.items()
    }
    mixed = [name for name, found in classes.items() if found & _PERSONAL and found & _FINANCIAL]
    colliding = {
        name: sorted(
            f"{keep} kept {_KEPT_YEARS_MIN[keep]:g} years, {erase} at most {_KEPT_YEARS_MAX[erase] * 365:.0f} days"
            for keep in found & _KEPT_YEARS_MIN.keys()
            for erase in found & _KEPT_YEARS_MAX.keys()
        )
        for name, found in classes.items()
    }
    notes.put("classes_worst", max(len(found) for found in classes.values()), "data classes")
    notes.put("mixed_databases", len(mixed), "databases")
    notes.put("colliding_worst", max(len(found) for found in colliding.values()), "pairs of rules")
    notes.facts["classes"] = tuple(f"{name}: {', '.join(sorted(found))}" for name, found in sorted(classes.items()))
    notes.facts["mixed"] = tuple(sorted(mixed))
    notes.facts["colliding"] = tuple(f"{name}: {len(found)} pairs" for name, found in sorted(colliding.items()))


async def checkpoint(bench: Bench) -> None:
    """Write everything to disk, so that what follows starts alike in every layout."""
    for instance in bench.instances.values():
        async with admin_connection(instance.server) as connection:
            await connection.execute("checkpoint")


async def log_positions(bench: Bench) -> int:
    """Return how many bytes the instances have written to their logs since they were made, all together."""
    total = 0
    for instance in bench.instances.values():
        async with admin_connection(instance.server) as connection:
            total += int(await connection.fetchval("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"))
    return total


async def note_resources(bench: Bench, notes: Notes, *, log_before: int) -> None:
    """Note memory, processes, sessions, disk and the log written since ``log_before``; sessions must be open still."""
    pids = [pid for instance in bench.instances.values() for pid in instance.processes()]
    rss, pss = await asyncio.to_thread(_memory, pids)
    notes.put("pss_mib", pss / _MIB, "MiB")
    notes.put("rss_mib", rss / _MIB, "MiB")
    notes.put("processes", len(pids), "processes")
    sessions = 0
    for instance in bench.instances.values():
        async with admin_connection(instance.server) as connection:
            sessions += await connection.fetchval(
                "select count(*) from pg_stat_activity "
                "where backend_type = 'client backend' and pid <> pg_backend_pid()"
            )
            await connection.execute("checkpoint")
    notes.put("sessions", sessions, "sessions")
    notes.put("wal_mib", (await log_positions(bench) - log_before) / _MIB, "MiB")
    disk = sum(_size(instance.folder) for instance in bench.instances.values())
    logs = sum(_size(instance.folder / "pg_wal") for instance in bench.instances.values())
    notes.put("disk_mib", (disk - logs) / _MIB, "MiB")
    notes.put("disk_log_mib", logs / _MIB, "MiB")


def _memory(pids: list[int]) -> tuple[int, int]:
    """Return resident and proportional bytes; memory that n processes share counts once in the second."""
    rss = pss = 0
    for pid in pids:
        try:
            found = psutil.Process(pid).memory_full_info()
        except psutil.Error:
            continue  # it has just ended
        rss += found.rss
        pss += found.pss
    return rss, pss


def _size(folder: Path) -> int:
    return sum(path.stat(follow_symlinks=False).st_size for path in folder.rglob("*") if path.is_file())
