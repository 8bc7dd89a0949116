"""Retention and upkeep of each service, run for real in a layout: what they did, and whom they touched."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.maintenance.tasks import run_tasks
from alphintra.dataplane.maintenance.windows import require_open, windows_of
from alphintra.dataplane.quoting import qualified
from alphintra.dataplane.retention.holds import Writer, set_hold
from alphintra.dataplane.retention.run import Archives, RetentionRun
from alphintra.dataplane.retention.seal import SealKeys
from alphintra.dataplane.retention.session import retainer_connection
from alphintra.dataplane.server import admin_connection
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.holds import Hold
from alphintra.manifest import service_tables
from alphintra.manifest.disposals import Manner, disposals_of
from alphintra.manifest.retention import DEFAULT_PROFILE

if TYPE_CHECKING:
    from alphintra.dataplane.assess.bench import Bench, Notes
    from alphintra.dataplane.layouts import Placement

__all__ = ["note_retention", "note_windows"]

_AT: Final = datetime(2027, 6, 1, tzinfo=UTC)
_OLD: Final = datetime(2023, 1, 1, tzinfo=UTC)  # no longer hot then, and not to be destroyed yet
_HELD: Final = datetime(2024, 1, 1, tzinfo=UTC)
_ROWS: Final = 20
_SEED_BYTES: Final = 32
_WEEK: Final = tuple(datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=30 * step) for step in range(7 * 48))


async def note_retention(bench: Bench, notes: Notes) -> None:
    """Let the events of each service grow old, put half of them under a hold, and run its retention alone."""
    ids = SystemIds()
    writer = Writer(actor="operator", at=_AT, trace_id="0" * 32, ids=ids)
    keys = SealKeys([base64.b64encode(os.urandom(_SEED_BYTES)).decode()])
    for placement in bench.layout:
        await _grow_old(bench, placement)
    archived = held = crossed = 0
    for placement in bench.layout:
        before = {other.service: await _sums(bench, other) for other in bench.layout if other != placement}
        password = bench.lab.passwords(placement.retainer_role)
        server = bench.instance_of(placement).server
        async with retainer_connection(server, placement, password=password) as connection:
            hold = Hold(hold_id=ids.new(), kind="all", subject="", from_at=_HELD, to_at=None)
            await set_hold(connection, placement.service, hold, reason="assessment", writer=writer)
            run = RetentionRun(
                connection,
                placement.service,
                archives=Archives(root=bench.lab.scratch / "archives", keys=keys),
                writer=writer,
                profile=DEFAULT_PROFILE,
            )
            done = await run.run()
        taken = sum(each.rows for each in done if each.table == "event_log" and each.what == "archived")
        archived += taken == _ROWS
        held += await _count(bench, placement, since=_HELD) == _ROWS
        crossed += sum(
            [await _sums(bench, other) != before[other.service] for other in bench.layout if other != placement]
        )
    classes = {
        each.retention
        for placement in bench.layout
        for table in service_tables(placement.spec)
        for each in disposals_of(placement.service, table)
        if each.manner is not Manner.KEPT
    }
    notes.put("retention_archived", archived, "services")
    notes.put("retention_held", held, "services")
    notes.put("retention_crossed", crossed, "pairs")
    notes.put("retention_classes", len(classes), "classes")


async def note_windows(bench: Bench, notes: Notes) -> None:
    """Vacuum each service inside its window, and try it at every half hour of a week outside of it."""
    windows = windows_of({})
    refused = tried = kept = crossed = 0
    for placement in bench.layout:
        window = windows[placement.service]
        before = {other.service: await _vacuums(bench, other) for other in bench.layout if other != placement}
        outside = [at for at in _WEEK if not window.contains(at)]
        tried += len(outside)
        refused += sum(_is_refused(placement.service, at) for at in outside)
        password = bench.lab.passwords(placement.migrator_role)
        done = await run_tasks(
            bench.instance_of(placement).server, placement, ("vacuum",), password=password, may_go_on=lambda: True
        )
        kept += not any(each.failure for each in done)
        crossed += sum(
            [await _vacuums(bench, other) != before[other.service] for other in bench.layout if other != placement]
        )
    at_once = max(sum(window.contains(at) for window in windows.values()) for at in _WEEK)
    notes.put("windows_refused", refused, "tries")
    notes.put("windows_tried", tried, "tries")
    notes.put("windows_kept", kept, "services")
    notes.put("windows_crossed", crossed, "pairs")
    notes.put("windows_at_once", at_once, "services")
    notes.put("windows_instances", len(bench.instances), "instances")


def _is_refused(service: str, at: datetime) -> bool:
    try:
        require_open(service, windows_of({})[service], at=at)
    except AlphintraError as error:
        return error.code == "MAINTENANCE_WINDOW"
    return False


async def _grow_old(bench: Bench, placement: Placement) -> None:
    log = qualified(*placement.location("event_log"))
    statement = (
        f"insert into {log} (event_id, subject, aggregate_id, payload, occurred_at, recorded_at) "  # noqa: S608 - quoted
        "select gen_random_uuid(), 'assessment', gen_random_uuid(), '{}', d.at + n * interval '1 minute', "
        "d.at + n * interval '1 minute' from unnest($1::timestamptz[]) as d (at), generate_series(1, $2::int) as n"
    )
    async with admin_connection(bench.instance_of(placement).server, database=placement.database) as connection:
        await connection.execute(statement, [_OLD, _HELD], _ROWS)


async def _count(bench: Bench, placement: Placement, *, since: datetime) -> int:
    log = qualified(*placement.location("event_log"))
    statement = f"select count(*) from {log} where subject = 'assessment' and recorded_at >= $1 and recorded_at < $2"  # noqa: S608 - quoted
    async with admin_connection(bench.instance_of(placement).server, database=placement.database) as connection:
        return int(await connection.fetchval(statement, since, since + timedelta(days=1)))


async def _sums(bench: Bench, placement: Placement) -> tuple[tuple[str, int, int], ...]:
    """Return each table's number of rows and the sum of their hashes."""
    found = []
    async with admin_connection(bench.instance_of(placement).server, database=placement.database) as connection:
        for table in service_tables(placement.spec):
            where = qualified(*placement.location(table.name))
            row = await connection.fetchrow(
                f"select count(*) as n, coalesce(sum(hash_record_extended(t, 0)::numeric), 0) as s from {where} as t"  # noqa: S608 - quoted
            )
            found.append((table.name, row["n"], int(row["s"])))
    return tuple(found)


async def _vacuums(bench: Bench, placement: Placement) -> int:
    names = [placement.location(table.name) for table in service_tables(placement.spec)]
    async with admin_connection(bench.instance_of(placement).server, database=placement.database) as connection:
        return int(
            await connection.fetchval(
                "select coalesce(sum(s.vacuum_count), 0) from pg_stat_all_tables s "
                "join unnest($1::text[], $2::text[]) as t (place, name) "
                "on t.place = s.schemaname and t.name = s.relname",
                *map(list, zip(*names, strict=True)),
            )
        )
