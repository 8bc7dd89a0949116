"""A whole assessment: one layout after another, step by step, each step told before it begins."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from alphintra.dataplane.assess import backups, beyond, counting, faults, moves, reach, trails, upkeep
from alphintra.dataplane.assess.bench import LAYOUTS, Notes, build
from alphintra.dataplane.assess.crossings import note_crossings
from alphintra.dataplane.assess.figures import Findings
from alphintra.dataplane.assess.load import same_load
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SERVICE_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.dataplane.assess.bench import Bench
    from alphintra.dataplane.assess.lab import Lab

__all__ = ["FULL", "QUICK", "STEPS", "Extent", "Told", "measure", "measure_all", "steps_total"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured.

    Attributes:
        orders: loaded into each layout.
        load_rounds: transactions of each service in the common load.
        neighbour_rounds: rounds with and without a neighbour.
        neighbour_orders: orders timed in each.
        attacked: services that are attacked from each other with every probe.
        optimised_rows: rows of the tables of claims 17 to 19.
        optimised_rounds: how often their queries are timed, at least 5.
        moved: services that are moved to another layout and back.
    """

    orders: int
    load_rounds: int
    neighbour_rounds: int
    neighbour_orders: int
    attacked: tuple[str, ...]
    optimised_rows: int
    optimised_rounds: int
    moved: tuple[str, ...]


FULL: Final = Extent(
    orders=50_000,
    load_rounds=300,
    neighbour_rounds=5,
    neighbour_orders=300,
    optimised_rows=10_000_000,
    optimised_rounds=5,
    attacked=SERVICE_NAMES,
    moved=SERVICE_NAMES,
)
QUICK: Final = Extent(
    orders=2_000,
    load_rounds=40,
    neighbour_rounds=3,
    neighbour_orders=100,
    attacked=("risk", "trading", "user"),
    moved=("user",),
    optimised_rows=10_000,
    optimised_rounds=5,
)


async def _parts(bench: Bench, notes: Notes, _extent: Extent) -> None:
    counting.count_parts(bench, notes)
    counting.count_classes(bench, notes)
    note_crossings(notes)


async def _resources(bench: Bench, notes: Notes, extent: Extent) -> None:
    await counting.checkpoint(bench)
    before = await counting.log_positions(bench)
    databases, seconds = await same_load(bench, rounds=extent.load_rounds)
    try:
        notes.put("load_s", seconds, "s")
        await counting.note_resources(bench, notes, log_before=before)
    finally:
        for database in databases.values():
            await database.close()


async def _reach(bench: Bench, notes: Notes, _extent: Extent) -> None:
    await reach.note_reach(bench, notes)
    await reach.note_matrix(bench, notes)
    await reach.note_roles(bench, notes)
    await reach.note_audit(bench, notes)
    await reach.note_powers(bench, notes)


async def _trails(bench: Bench, notes: Notes, _extent: Extent) -> None:
    await trails.note_trails(bench, notes)
    await trails.note_readers(bench, notes)


async def _probes(bench: Bench, notes: Notes, extent: Extent) -> None:
    await reach.note_probes(bench, notes, services=extent.attacked)


async def _bus(bench: Bench, notes: Notes, _extent: Extent) -> None:
    await reach.note_bus(bench, notes)


async def _copies(bench: Bench, notes: Notes, _extent: Extent) -> None:
    await backups.note_physical(bench, notes)


async def _dumps(bench: Bench, notes: Notes, _extent: Extent) -> None:
    await backups.note_dumps(bench, notes)


async def _keys(bench: Bench, notes: Notes, _extent: Extent) -> None:
    await backups.note_keys(bench, notes)


async def _faults(bench: Bench, notes: Notes, _extent: Extent) -> None:
    await faults.note_backend_crash(bench, notes)
    await faults.note_patching(bench, notes)
    await faults.note_stopped_instances(bench, notes)
    await faults.note_closed_databases(bench, notes)


async def _report(bench: Bench, notes: Notes, extent: Extent) -> None:
    await beyond.note_report(bench, notes, rounds=extent.neighbour_rounds)


async def _manifests(bench: Bench, notes: Notes, _extent: Extent) -> None:
    beyond.note_manifests(bench.lab.manifests(LAYOUTS[bench.name]), notes)


async def _upkeep(bench: Bench, notes: Notes, _extent: Extent) -> None:
    await upkeep.note_windows(bench, notes)
    await upkeep.note_retention(bench, notes)


async def _moves(bench: Bench, notes: Notes, extent: Extent) -> None:
    await moves.note_moves(bench, notes, services=extent.moved)


async def _neighbour(bench: Bench, notes: Notes, extent: Extent) -> None:
    await faults.note_neighbour(bench, notes, rounds=extent.neighbour_rounds, orders=extent.neighbour_orders)


STEPS: Final = (
    ("count the parts", _parts),
    ("work, memory, disk and log", _resources),
    ("reach with stolen credentials", _reach),
    ("seal, prove and read", _trails),
    ("attack with every probe", _probes),
    ("try the message bus", _bus),
    ("report over four services", _report),
    ("manifests", _manifests),
    ("copy and restore instances", _copies),
    ("dump and restore one service", _dumps),
    ("seal each dump, try every key", _keys),
    ("crash, stop and close", _faults),
    ("retention and upkeep", _upkeep),
    ("move services online and back", _moves),
    ("trading beside heavy work of strategy", _neighbour),
)
"""What is measured of a layout, in order; the neighbour comes last, for it leaves rows behind."""


def steps_total(layouts: Sequence[str]) -> int:
    """Return how many steps a run has: the tables, and for each layout its building and what is measured of it."""
    return 1 + len(layouts) * (1 + len(STEPS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Whom a run tells what it does: the step about to begin, and how many steps are done of how many."""

    begins: Callable[[str], None] = field(default=lambda _step: None)
    done: Callable[[], None] = field(default=lambda: None)


async def measure_all(
    lab: Lab, layouts: Sequence[str], extent: Extent, told: Told, *, tables: Findings | None = None
) -> tuple[Findings, ...]:
    """Measure layouts one after another, each thrown away before the next, and once what is the same in all.

    Given ``tables``, what is known of them is taken and not measured again. Raises as `measure`.
    """
    shared = Notes()
    shared.put("load_before", os.getloadavg()[0], "processes")  # of others: ours begins now
    gap: dict[str, str] = {}
    if tables is None:
        gap = await _measure_tables(lab, extent, told, shared)
    else:
        beyond.take_tables(tables, shared)
        told.done()
    found = []
    for layout in layouts:
        mine = await measure(lab, layout, extent, told)
        found.append(
            msgspec.structs.replace(
                mine, figures=mine.figures | shared.figures, facts=mine.facts | shared.facts, gaps=mine.gaps | gap
            )
        )
    return tuple(found)


async def _measure_tables(lab: Lab, extent: Extent, told: Told, notes: Notes) -> dict[str, str]:
    """Measure the tables of claims 17 to 19, which every layout has alike; return the gap where that failed."""
    name = "optimised tables"

    tenths: list[int] = []

    def progress(share: float) -> None:
        tenth = int(share * 10)
        if tenth not in tenths:
            tenths.append(tenth)
            told.begins(f"{name}, {extent.optimised_rows} rows: {share:.0%}")

    progress(0.0)
    try:
        (instance,) = await lab.open_instances(["main"])
        result = await beyond.measure_tables(
            instance.server, rows=extent.optimised_rows, rounds=extent.optimised_rounds, progress=progress
        )
    except AlphintraError as error:
        return {name: f"{error.code}: {error.detail}"}
    finally:
        told.done()
    beyond.note_tables(result, notes)
    return {}


async def measure(lab: Lab, layout: str, extent: Extent, told: Told) -> Findings:
    """Build a layout and run every step on it.

    A step that a part of the system refuses is a gap in the findings, with the reason; its claims are "not measured".
    Raises what building raises.
    """
    notes = Notes()
    seconds: dict[str, float] = {}
    gaps: dict[str, str] = {}
    told.begins(f"{layout}: build")
    began = time.perf_counter()
    bench = await build(lab, layout, orders=extent.orders, notes=notes)
    seconds["build"] = time.perf_counter() - began
    told.done()
    for name, step in STEPS:
        told.begins(f"{layout}: {name}")
        began = time.perf_counter()
        try:
            await step(bench, notes, extent)
        except AlphintraError as error:
            gaps[name] = f"{error.code}: {error.detail}"
        seconds[name] = time.perf_counter() - began
        told.done()
    return Findings(layout=layout, figures=notes.figures, facts=notes.facts, seconds=seconds, gaps=gaps)
