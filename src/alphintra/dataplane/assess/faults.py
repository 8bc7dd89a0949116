"""Failure domains and neighbours: instances really stopped and crashed, and work really done beside other work."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final

import asyncpg
import psutil  # type: ignore[import-untyped]

from alphintra.dataplane.assess.load import heavy_strategy, submit_orders
from alphintra.dataplane.quoting import identifier
from alphintra.dataplane.server import admin_connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.dataplane.assess.bench import Bench, Notes
    from alphintra.dataplane.assess.lab import Instance

__all__ = ["note_backend_crash", "note_closed_databases", "note_neighbour", "note_patching", "note_stopped_instances"]

_LOST: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_TIMEOUT_S: Final = 5.0
_SESSIONS: Final = 4


async def note_stopped_instances(bench: Bench, notes: Notes) -> None:
    """Crash each instance in turn, ask every service, start it again and time until it answers."""
    lost: dict[str, tuple[str, ...]] = {}
    recovery: list[float] = []
    for name, instance in bench.instances.items():
        await instance.crash()
        lost[name] = await _silent(bench)
        began = time.perf_counter()
        await instance.start()
        recovery.append(time.perf_counter() - began)
    notes.put("lost_with_instance", max(len(found) for found in lost.values()), "services")
    notes.spread("recovery_s", recovery, "s")
    notes.facts["lost_with_instance"] = tuple(f"{name}: {', '.join(found)}" for name, found in lost.items())


async def note_closed_databases(bench: Bench, notes: Notes) -> None:
    """Close each database in turn, as a damaged one would be, and ask every service."""
    lost: dict[str, tuple[str, ...]] = {}
    for name, placement in {placement.database: placement for placement in bench.layout}.items():
        async with admin_connection(bench.instance_of(placement).server) as connection:
            await connection.execute(f"alter database {identifier(name)} allow_connections false")
            try:
                lost[name] = await _silent(bench)
            finally:
                await connection.execute(f"alter database {identifier(name)} allow_connections true")
    notes.put("lost_with_database", max(len(found) for found in lost.values()), "services")
    notes.facts["lost_with_database"] = tuple(f"{name}: {', '.join(found)}" for name, found in lost.items())


async def note_backend_crash(bench: Bench, notes: Notes) -> None:
    """Kill one of trading's server processes, as a fault in it would, and count the other services' lost sessions."""
    sessions = await _sessions(bench)
    try:
        victim = await sessions["trading"].fetchval("select pg_backend_pid()")
        os.kill(victim, signal.SIGKILL)
        dropped = []
        for service, session in sessions.items():
            with suppress(*_LOST):
                # The server ends the sessions of all who share it within moments: ask until it has, or did not.
                for _ in range(20):
                    await asyncio.sleep(0.02)
                    await session.fetchval("select 1", timeout=_TIMEOUT_S)
                continue
            dropped.append(service)
    finally:
        for session in sessions.values():
            session.terminate()
    began = time.perf_counter()
    while await _silent(bench):
        if time.perf_counter() - began > _TIMEOUT_S * 6:
            break
        await asyncio.sleep(0.02)
    others = [service for service in dropped if service != "trading"]
    notes.put("dropped_by_crash", len(others), "services")
    notes.facts["dropped_by_crash"] = tuple(others)


async def note_patching(bench: Bench, notes: Notes) -> None:
    """Restart trading's instance in good order, as an update would, and count whose sessions ended."""
    sessions = await _sessions(bench)
    instance = bench.instance_of(bench.placed("trading"))
    began = time.perf_counter()
    await instance.stop()
    await instance.start()
    seconds = time.perf_counter() - began
    ended = []
    for service, session in sessions.items():
        try:
            await session.fetchval("select 1", timeout=_TIMEOUT_S)
        except _LOST:
            ended.append(service)
        session.terminate()
    others = [service for service in ended if service != "trading"]
    notes.put("ended_by_patch", len(others), "services")
    notes.put("patch_s", seconds, "s")
    notes.facts["ended_by_patch"] = tuple(others)


async def note_neighbour(bench: Bench, notes: Notes, *, rounds: int, orders: int) -> None:
    """Time trading's orders alone and beside heavy work of strategy, in turns; ratios are of neighbouring rounds.

    With an instance for each service it is measured a second time, each of the two on a processor of its own.
    """
    await _neighbour(bench, notes, rounds=rounds, orders=orders, prefix="")
    trading, strategy = (bench.instance_of(bench.placed(name)) for name in ("trading", "strategy"))
    cpus = sorted(os.sched_getaffinity(0))
    if trading is strategy or len(cpus) < 2:  # noqa: PLR2004 - one each
        return
    try:
        _pin(trading, cpus[:1])
        _pin(strategy, cpus[1:2])
        await _neighbour(bench, notes, rounds=rounds, orders=orders, prefix="pinned_")
    finally:
        _pin(trading, cpus)
        _pin(strategy, cpus)


async def _neighbour(bench: Bench, notes: Notes, *, rounds: int, orders: int, prefix: str) -> None:
    figures: dict[str, list[float]] = {}
    database = await bench.open(bench.placed("trading"), connections_max=1)
    try:
        await submit_orders(database, count=orders // 4)
        for _ in range(rounds):
            quiet = sorted(await submit_orders(database, count=orders))
            async with heavy_strategy(bench, sessions=_SESSIONS):
                await asyncio.sleep(0.2)  # let the neighbour get going
                loaded = sorted(await submit_orders(database, count=orders))
            for share in (50, 99):
                calm, busy = (_percentile(found, share) for found in (quiet, loaded))
                figures.setdefault(f"p{share}_quiet_ms", []).append(calm * 1000)
                figures.setdefault(f"p{share}_loaded_ms", []).append(busy * 1000)
                figures.setdefault(f"p{share}_ratio", []).append(busy / calm)
    finally:
        await database.close()
    for key, values in figures.items():
        notes.spread(f"{prefix}{key}", values, "ms" if key.endswith("_ms") else "x")


def _percentile(ordered: Sequence[float], share: int) -> float:
    """Return the nearest-rank percentile of values in rising order."""
    rank = -(-len(ordered) * share // 100)
    return ordered[max(rank - 1, 0)]


def _pin(instance: Instance, cpus: Sequence[int]) -> None:
    """Let an instance and all its sessions, those to come too, run on these processors."""
    for pid in instance.processes():
        with suppress(psutil.Error):
            psutil.Process(pid).cpu_affinity(list(cpus))


async def _sessions(bench: Bench) -> dict[str, asyncpg.Connection]:
    async with AsyncExitStack() as opened:
        sessions = {}
        for placement in bench.layout:
            session = await asyncpg.connect(bench.url(placement), timeout=_TIMEOUT_S)
            opened.callback(session.terminate)
            sessions[placement.service] = session
        opened.pop_all()
    return sessions


async def _silent(bench: Bench) -> tuple[str, ...]:
    """Return the services that get no answer on a new session."""

    async def ask(url: str) -> bool:
        try:
            session = await asyncpg.connect(url, timeout=_TIMEOUT_S)
        except _LOST:
            return False
        try:
            await session.fetchval("select count(*) from schema_migrations", timeout=_TIMEOUT_S)
        except _LOST:
            return False
        finally:
            session.terminate()
        return True

    answers = await asyncio.gather(*(ask(bench.url(placement)) for placement in bench.layout))
    return tuple(item.service for item, answer in zip(bench.layout, answers, strict=True) if not answer)
