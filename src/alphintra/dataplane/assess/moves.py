"""Services moved online in a lab, forth and back, while they are written to: what was lost, refused or different.

The lab moves them as `alphintra db migrate` does. A ledger kept by the writers says what was acknowledged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.assess.writers import all_written, lost, written
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.dataplane.assess.bench import Bench, Notes
    from alphintra.dataplane.assess.lab import Mover

__all__ = ["note_moves"]

_WRITERS: Final = 2
_REST_S: Final = 0.01
_ELSEWHERE: Final = "elsewhere"
_SERVICE: Final = "trading"
_MERGES: Final = {"central": LayoutName.CONSOLIDATED, "consolidated": LayoutName.CENTRAL}


async def note_moves(bench: Bench, notes: Notes, *, services: Sequence[str]) -> None:
    """Move services to the other layout and trading to an instance of its own; each back, compared row by row.

    Where all services live in one database they also come into one schema together, or leave it, and back. A layout
    whose services cannot move one by one is noted with the code of the refusal.
    """
    async with bench.lab.moving(bench.layout) as mover:
        try:
            await _through_layouts(bench, notes, mover, services)
            await _to_another_instance(bench, notes, mover)
        except AlphintraError as error:
            if error.code != "MIGRATE_LAYOUT":
                raise
            notes.facts["moves_refused"] = (error.code,)
        if bench.name in _MERGES:
            await _merge(bench, notes, mover, to=_MERGES[bench.name])


async def _through_layouts(bench: Bench, notes: Notes, mover: Mover, services: Sequence[str]) -> None:
    """Separate goes to central, and everything else to separate, service by service, forth and back."""
    to = LayoutName.CENTRAL if bench.name == "separate" else LayoutName.SEPARATE
    wanted = {item.service: item for item in choose_layout(LayoutChoice(name=to))}
    pauses: list[float] = []
    rows = differences = moved = acknowledged = refused = gone = 0
    for service in services:
        source = bench.placed(service)
        database = wanted[service].database
        if bench.name == "instances":  # there it has the other layout's database: it goes to a neighbour's instance
            target = replace(source, instance=next(name for name in bench.instances if name != source.instance))
        else:
            target = replace(source, database=database)
        async with written(mover, service, writers=_WRITERS, rest_s=_REST_S) as ledger:
            for result in (await mover.go(target), await mover.back()):
                pauses.append(result.pause_ms)
                rows += result.rows
                differences += result.differences
            moved += 1
        acknowledged += len(ledger.acknowledged)
        refused += ledger.refused
        gone += await lost(mover, service, ledger)
    notes.put("moved_services", moved, "services")
    notes.put("move_rows", rows, "rows")
    notes.put("move_differences", differences, "tables")
    notes.put("move_acknowledged", acknowledged, "writes")
    notes.put("move_refused", refused, "writes")
    notes.put("move_lost", gone, "writes")
    notes.spread("move_pause_ms", pauses, "ms")


async def _to_another_instance(bench: Bench, notes: Notes, mover: Mover) -> None:
    """Move trading to an instance made for it, and back, while the seven others are written to."""
    source = bench.placed(_SERVICE)
    server = await mover.make_instance(_ELSEWHERE)
    others = [placement.service for placement in bench.layout if placement.service != _SERVICE]
    async with (
        all_written(mover, others, rest_s=_REST_S) as kept,
        written(mover, _SERVICE, writers=_WRITERS, rest_s=_REST_S) as ledger,
    ):
        there = await mover.go(replace(source, instance=server))
        back = await mover.back()
    notes.put("elsewhere_pause_ms", max(there.pause_ms, back.pause_ms), "ms")
    notes.put("elsewhere_differences", there.differences + back.differences, "tables")
    notes.put("elsewhere_lost", await lost(mover, _SERVICE, ledger), "writes")
    notes.put("elsewhere_refused", ledger.refused + sum(each.refused for each in kept.values()), "writes")
    notes.put("elsewhere_acknowledged", len(ledger.acknowledged), "writes")
    notes.put("elsewhere_others", sum(bool(each.acknowledged) for each in kept.values()), "services")
    notes.facts["elsewhere_versions"] = (f"{there.versions[0]} to {there.versions[1]}",)


async def _merge(bench: Bench, notes: Notes, mover: Mover, *, to: LayoutName) -> None:
    """Bring all services into one schema and role, or out of it, and back, while all are written to."""
    choice = LayoutChoice(name=to, accepts_consolidated=True)
    wanted = {item.service: item for item in choose_layout(choice)}
    targets = [
        replace(wanted[source.service], database=source.database, instance=source.instance) for source in bench.layout
    ]
    services = [placement.service for placement in bench.layout]
    async with all_written(mover, services, rest_s=_REST_S) as ledgers:
        pauses = [await mover.reshape(targets), await mover.unshape()]
    notes.put("merge_services", len(services), "services")
    notes.put("merge_acknowledged", sum(len(each.acknowledged) for each in ledgers.values()), "writes")
    notes.put("merge_refused", sum(each.refused for each in ledgers.values()), "writes")
    notes.put("merge_lost", sum([await lost(mover, name, each) for name, each in ledgers.items()]), "writes")
    notes.spread("merge_pause_ms", pauses, "ms")
