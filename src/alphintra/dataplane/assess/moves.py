"""Services moved online in a lab, forth and back, while they are written to: what was lost, refused or different.

The lab moves them as `alphintra db migrate` does. A ledger kept by the writers says what was acknowledged.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout
from alphintra.infrastructure.postgres import Queries
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from uuid import UUID

    from alphintra.dataplane.assess.bench import Bench, Notes
    from alphintra.dataplane.assess.lab import Mover
    from alphintra.infrastructure.postgres import Database

__all__ = ["note_moves"]

_WRITERS: Final = 2
_REST_S: Final = 0.01
_ELSEWHERE: Final = "elsewhere"
_SERVICE: Final = "trading"
_QUERIES: Final = Queries(
    {
        "event.add": "insert into event_log (event_id, subject, aggregate_id, payload, occurred_at) "
        "values ($1, 'assess', $1, 'a move', now())",
        "event.known": "select event_id from event_log where subject = 'assess'",
    }
)


@dataclass(slots=True)
class _Ledger:
    """What writers were told."""

    acknowledged: set[UUID] = field(default_factory=set)
    refused: int = 0


async def note_moves(bench: Bench, notes: Notes, *, services: Sequence[str]) -> None:
    """Move services to the other layout and trading to an instance of its own; each back, compared row by row.

    A layout whose services cannot move is noted with the code of the refusal.
    """
    async with bench.lab.moving(bench.layout) as mover:
        try:
            await _through_layouts(bench, notes, mover, services)
        except AlphintraError as error:
            if error.code != "MIGRATE_LAYOUT":
                raise
            notes.facts["moves_refused"] = (error.code,)
            return
        await _to_another_instance(bench, notes, mover)


async def _through_layouts(bench: Bench, notes: Notes, mover: Mover, services: Sequence[str]) -> None:
    """Separate goes to central, and everything else to separate, service by service, forth and back."""
    to = LayoutName.CENTRAL if bench.name == "separate" else LayoutName.SEPARATE
    wanted = {item.service: item for item in choose_layout(LayoutChoice(name=to))}
    pauses: list[float] = []
    rows = differences = moved = acknowledged = refused = lost = 0
    for service in services:
        source = bench.placed(service)
        database = wanted[service].database
        if bench.name == "instances":  # there it has the other layout's database: it goes to a neighbour's instance
            target = replace(source, instance=next(name for name in bench.instances if name != source.instance))
        else:
            target = replace(source, database=database)
        async with _written(mover, service) as ledger:
            for result in (await mover.go(target), await mover.back()):
                pauses.append(result.pause_ms)
                rows += result.rows
                differences += result.differences
            moved += 1
        acknowledged += len(ledger.acknowledged)
        refused += ledger.refused
        lost += await _lost(mover, service, ledger)
    notes.put("moved_services", moved, "services")
    notes.put("move_rows", rows, "rows")
    notes.put("move_differences", differences, "tables")
    notes.put("move_acknowledged", acknowledged, "writes")
    notes.put("move_refused", refused, "writes")
    notes.put("move_lost", lost, "writes")
    notes.spread("move_pause_ms", pauses, "ms")


async def _to_another_instance(bench: Bench, notes: Notes, mover: Mover) -> None:
    """Move trading to an instance made for it, and back, while the seven others are written to."""
    source = bench.placed(_SERVICE)
    server = await mover.make_instance(_ELSEWHERE)
    others = [placement.service for placement in bench.layout if placement.service != _SERVICE]
    async with _all_written(mover, others) as kept, _written(mover, _SERVICE) as ledger:
        there = await mover.go(replace(source, instance=server))
        back = await mover.back()
    notes.put("elsewhere_pause_ms", max(there.pause_ms, back.pause_ms), "ms")
    notes.put("elsewhere_differences", there.differences + back.differences, "tables")
    notes.put("elsewhere_lost", await _lost(mover, _SERVICE, ledger), "writes")
    notes.put("elsewhere_refused", ledger.refused + sum(each.refused for each in kept.values()), "writes")
    notes.put("elsewhere_acknowledged", len(ledger.acknowledged), "writes")
    notes.put("elsewhere_others", sum(bool(each.acknowledged) for each in kept.values()), "services")
    notes.facts["elsewhere_versions"] = (f"{there.versions[0]} to {there.versions[1]}",)


@asynccontextmanager
async def _all_written(mover: Mover, services: Sequence[str]) -> AsyncIterator[dict[str, _Ledger]]:
    ledgers = {service: _Ledger() for service in services}
    databases = {service: await mover.open(service, _QUERIES) for service in services}
    is_over = asyncio.Event()
    tasks = [asyncio.create_task(_write(databases[service], ledger, is_over)) for service, ledger in ledgers.items()]
    try:
        yield ledgers
    finally:
        is_over.set()
        await asyncio.gather(*tasks)
        for database in databases.values():
            await database.close()


@asynccontextmanager
async def _written(mover: Mover, service: str) -> AsyncIterator[_Ledger]:
    """Write to a service without a rest, as its own process would, through its gate."""
    ledger, is_over = _Ledger(), asyncio.Event()
    database = await mover.open(service, _QUERIES)
    tasks = [asyncio.create_task(_write(database, ledger, is_over)) for _ in range(_WRITERS)]
    try:
        yield ledger
    finally:
        is_over.set()
        await asyncio.gather(*tasks)
        await database.close()


async def _write(database: Database, ledger: _Ledger, is_over: asyncio.Event) -> None:
    ids = SystemIds()
    while not is_over.is_set():
        event = ids.new()
        try:
            async with database.transaction() as session:
                await session.execute("event.add", event)
        except AlphintraError:
            ledger.refused += 1
        else:
            ledger.acknowledged.add(event)
        await asyncio.sleep(_REST_S)


async def _lost(mover: Mover, service: str, ledger: _Ledger) -> int:
    """Count what was acknowledged and is not there."""
    database = await mover.open(service, _QUERIES)
    try:
        async with database.session() as session:
            held = {row["event_id"] for row in await session.rows("event.known")}
    finally:
        await database.close()
    return len(ledger.acknowledged - held)
