"""Services moved under steady writes: the gap clients see, the first copy beside two known tools, the gate's cost."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.assess.bench import Bench, Notes, build
from alphintra.dataplane.assess.writers import Ledger, lost, written
from alphintra.dataplane.move.copying import copy_rows
from alphintra.dataplane.move.preparing import clear_side, prepare_target
from alphintra.dataplane.move.sides import Move, Side
from alphintra.dataplane.move.streams import drop_publication, drop_slot
from alphintra.dataplane.server import admin_connection
from alphintra.infrastructure.postgres import Database, Queries
from alphintra.infrastructure.system import SystemIds
from alphintra.runtime.scratch import scratch_lab
from benchmarks.children import MeasureError
from benchmarks.machine import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from alphintra.runtime.scratch import ScratchLab
    from alphintra.runtime.scratch_moves import ScratchMover
    from benchmarks.recorder import Recorder

__all__ = ["measure_moves"]

_SERVICE: Final = "trading"
_CLIENTS: Final = 8
_REST_S: Final = 0.02  # 8 clients: 400 writes a second
_USES: Final = 3000
_JOBS: Final = "2"
_TELL_EVERY: Final = 100
_TIMEOUT_S: Final = 1800.0
_QUERIES: Final = Queries({"nothing.read": "select 1"})


def measure_moves(recorder: Recorder, *, flips: int, orders: int, tell: Callable[[str], None], rounds: int = 1) -> None:
    """Measure all of it on servers that are thrown away. Raises MeasureError where a tool fails."""
    asyncio.run(_measure(recorder, flips=flips, orders=orders, tell=tell, rounds=rounds))


async def _measure(recorder: Recorder, *, flips: int, orders: int, tell: Callable[[str], None], rounds: int) -> None:
    async with scratch_lab() as lab:
        bench = await build(lab, "separate", orders=orders, notes=Notes())
        async with lab.moving(bench.layout) as mover:
            await _flip(recorder, bench, mover, flips=flips, tell=tell)
            await _gate(recorder, bench, mover)
        for _ in range(rounds):
            await _copy(recorder, bench, lab, tell=tell)


async def _flip(
    recorder: Recorder, bench: Bench, mover: ScratchMover, *, flips: int, tell: Callable[[str], None]
) -> None:
    """Move a service forth and back between two databases of a server while eight clients write to it."""
    there = replace(bench.placed("user"), database="alphintra_platform")
    gaps: list[float] = []
    watch = Watch()
    ledger, wrong = Ledger(), 0
    for begin in range(0, flips, _TELL_EVERY):
        async with written(mover, "user", writers=_CLIENTS, rest_s=_REST_S, ledger=ledger):
            for flip in range(begin, min(begin + _TELL_EVERY, flips)):
                ledger.longest_ms = 0.0
                await (mover.back() if flip % 2 else mover.go(there))
                gaps.append(ledger.longest_ms)
        wrong = await lost(mover, "user", ledger) + ledger.refused
        p50, p99 = _spread(gaps)
        tell(f"moves: {len(gaps)} change-overs, gap p50 {p50:.0f} ms, p99 {p99:.0f} ms, {wrong} writes wrong")
    usage = watch.stop()
    p50, p99 = _spread(gaps)
    recorder.add("moves.gap_p50", p50, usage=usage)
    recorder.add("moves.gap_p99", p99, usage=usage)
    recorder.add("moves.wrong", wrong)


def _spread(gaps: list[float]) -> tuple[float, float]:
    return median(gaps), quantiles(gaps, n=100, method="inclusive")[98]


async def _gate(recorder: Recorder, bench: Bench, mover: ScratchMover) -> None:
    """Time the shortest statement with the gate before it and without, in turns."""
    gated = await mover.open("user", _QUERIES)
    url = bench.url(bench.placed("user"))
    bare = await Database.open(url, queries=_QUERIES, application="bench", connections_max=2)
    watch, times = Watch(), {True: 0.0, False: 0.0}
    for number in range(2 * _USES):
        database = gated if number % 2 else bare
        began = perf_counter()
        async with database.session() as session:
            await session.value("nothing.read")
        times[bool(number % 2)] += perf_counter() - began
    recorder.add("moves.gated_read", times[True] / _USES * 1e6, base=times[False] / _USES * 1e6, usage=watch.stop())
    await gated.close()
    await bare.close()


async def _copy(recorder: Recorder, bench: Bench, lab: ScratchLab, *, tell: Callable[[str], None]) -> None:
    """Copy a service to another server: by dump and restore, by pgcopydb if there is one, and as a move does."""
    source = Side(server=bench.instance_of(bench.placed(_SERVICE)).server, placement=bench.placed(_SERVICE))
    other = await lab.open_another(f"copy_{SystemIds().new().hex[:6]}")
    place = replace(bench.placed(_SERVICE), instance=other.server.instance)
    target = Side(server=other.server, placement=place)
    watch = Watch()
    dump_s = await _dump_and_restore(source, target, lab)
    clone_s = None
    if shutil.which("pgcopydb") is None:
        tell("moves: pgcopydb is not installed, so nothing is compared with it: apt-get install pgcopydb")
    else:
        clone_s = await _clone(source, target, lab)
    ours_s = await _as_a_move(Move(ident="bench0", source=source, target=target), lab)
    usage = watch.stop()
    recorder.add("moves.copy", ours_s, base=dump_s, usage=usage)
    if clone_s is not None:
        recorder.add("moves.copy_clone", ours_s, base=clone_s, usage=usage)


async def _as_a_move(move: Move, lab: ScratchLab) -> float:
    began = perf_counter()
    await prepare_target(move, layout=(move.source.placement,), passwords=lab.passwords)
    await copy_rows(move, workers=int(_JOBS), on_progress=lambda _done: None)
    seconds = perf_counter() - began
    async with move.source.administrator() as connection:
        await drop_slot(connection, move.forward)
        await drop_publication(connection, move.forward)
    await clear_side(move.target, layout=())
    return seconds


async def _dump_and_restore(source: Side, target: Side, lab: ScratchLab) -> float:
    folder = lab.scratch / "bench.dump"
    shutil.rmtree(folder, ignore_errors=True)
    await _make_empty(target)
    began = perf_counter()
    await _run(lab, "pg_dump", "-Fd", "-j", _JOBS, "-n", source.schema, "-f", str(folder), "-d", _url(source))
    await _run(lab, "pg_restore", "-j", _JOBS, "--no-owner", "--no-acl", "-d", _url(target), str(folder))
    return perf_counter() - began


async def _clone(source: Side, target: Side, lab: ScratchLab) -> float:
    await _make_empty(target)
    words = ("clone", "--restart", "--no-owner", "--no-acl", "--table-jobs", _JOBS, "--index-jobs", _JOBS)
    work = str(lab.scratch / "pgcopydb")
    began = perf_counter()
    await _run(
        lab, "pgcopydb", *words, "--dir", work, "--source", _url(source), "--target", _url(target), is_ours=False
    )
    return perf_counter() - began


async def _make_empty(target: Side) -> None:
    async with admin_connection(target.server) as connection:
        await connection.execute(f'drop database if exists "{target.database}" with (force)')
        await connection.execute(f'create database "{target.database}" template template0')


def _url(side: Side) -> str:
    return side.server.admin_url.replace("/postgres?", f"/{side.database}?")


async def _run(lab: ScratchLab, program: str, *words: str, is_ours: bool = True) -> None:
    """Run a client program, which finds those of the servers' own version first."""
    path = os.pathsep.join((str(lab.programs), os.environ.get("PATH", "")))
    argv = (str(Path(lab.programs, program)) if is_ours else program, *words)
    child = await asyncio.create_subprocess_exec(
        *argv, env={**os.environ, "PATH": path}, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(_TIMEOUT_S):
        _, said = await child.communicate()
    if child.returncode != 0:
        last = said.decode(errors="replace").strip().splitlines()[-1:] or ["it says nothing"]
        raise MeasureError(f"{program} ended with {child.returncode}: {last[0]}")
