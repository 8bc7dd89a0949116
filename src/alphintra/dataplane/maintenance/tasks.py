"""What upkeep does to one service's tables, table by table, as the owner of its schema; and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncpg

from alphintra.dataplane.migrations import owner_connection
from alphintra.dataplane.months import keep_months
from alphintra.dataplane.quoting import literal, qualified
from alphintra.dataplane.server import admin_connection
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import service_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server

__all__ = ["TASKS", "Done", "Progress", "cancel_upkeep", "find_progress", "run_tasks"]

TASKS: Final = ("parts", "vacuum", "analyze", "reindex")
"""In the order in which a run does them."""

_NAME: Final = "alphintra-maintenance"
_LONG_S: Final = 6 * 3600.0

# A rebuild that was cut leaves an index nobody uses, and which each write pays for.
_LEFT: Final = """
    select n.nspname, i.relname
    from pg_index x
    join pg_class i on i.oid = x.indexrelid
    join pg_class t on t.oid = x.indrelid
    join pg_namespace n on n.oid = i.relnamespace
    where not x.indisvalid and i.relname ~ '_cc(new|old)[0-9]*$' and pg_get_userbyid(t.relowner) = current_user
        and n.nspname = $1 and t.relname = $2
"""
_PROGRESS: Final = """
    select a.pid, a.application_name, a.query_start, p.phase, p.done, p.total
    from pg_stat_activity a
    left join (
        select pid, phase, heap_blks_scanned as done, heap_blks_total as total from pg_stat_progress_vacuum
        union all
        select pid, phase, sample_blks_scanned, sample_blks_total from pg_stat_progress_analyze
        union all
        select pid, phase, blocks_done, blocks_total from pg_stat_progress_create_index
    ) p on p.pid = a.pid
    where a.application_name like $1 and a.state <> 'idle'
    order by a.application_name
"""
_CANCEL: Final = """
    select count(*) filter (where pg_cancel_backend(pid)) from pg_stat_activity
    where application_name like $1 and state <> 'idle'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One task on one table: done, or why not."""

    task: str
    table: str
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What PostgreSQL says of a statement of upkeep that runs.

    Attributes:
        doing: service, task and table.
        phase: PostgreSQL's word; empty where it tells none.
        share: from 0 to 1, of this phase.
    """

    pid: int
    doing: str
    phase: str
    share: float


async def run_tasks(
    server: Server,
    placement: Placement,
    tasks: Sequence[str],
    *,
    password: str,
    may_go_on: Callable[[], bool],
    tell: Callable[[str], None] = lambda _words: None,
) -> tuple[Done, ...]:
    """Do tasks on every table of a service; those that may not be begun any more are told as such.

    One that fails, or is cancelled, does not keep the others from their turn, but for a cancellation, which ends the
    run. Raises MIGRATION_BUSY, TOPOLOGY_CONNECT, MAINTENANCE_CUT where the server went away.
    """
    done: list[Done] = []
    async with owner_connection(server, placement=placement, password=password) as connection:
        await connection.execute("set lock_timeout = '5s'")
        try:
            for task, table in _steps(placement, tasks):
                if not may_go_on():
                    done.append(Done(task=task, table=table, failure="the window has closed"))
                    continue
                tell(f"{placement.service}: {task} {table}".rstrip())
                fault_point("maintenance.step")
                name = f"{_NAME}:{placement.service}:{task}:{table}"[:63]
                await connection.execute(f"set application_name = {literal(name)}")
                failure = await _step(connection, placement, task, table)
                done.append(Done(task=task, table=table, failure=failure))
                if failure == "cancelled":
                    break
        except (asyncpg.InterfaceError, asyncpg.PostgresConnectionError, OSError, TimeoutError) as error:
            message = f"{placement.service}: upkeep was cut ({type(error).__name__}): run it again in its window"
            raise AlphintraError("MAINTENANCE_CUT", message, kind=Kind.UNAVAILABLE) from error
    return tuple(done)


def _steps(placement: Placement, tasks: Sequence[str]) -> tuple[tuple[str, str], ...]:
    tables = [table.name for table in service_tables(placement.spec)]
    return tuple((task, table) for task in TASKS if task in tasks for table in ([""] if task == "parts" else tables))


async def _step(connection: asyncpg.Connection, placement: Placement, task: str, table: str) -> str:
    """Do one task on one table; return why not, or nothing."""
    try:
        if task == "parts":
            await keep_months(connection, placement)
            return ""
        schema, name = placement.location(table)
        place = qualified(schema, name)
        if task == "reindex":
            for row in await connection.fetch(_LEFT, schema, name):
                left = qualified(row["nspname"], row["relname"])
                await connection.execute(f"drop index concurrently {left}", timeout=_LONG_S)
        words = {"vacuum": "vacuum", "analyze": "analyze", "reindex": "reindex table concurrently"}
        await connection.execute(f"{words[task]} {place}", timeout=_LONG_S)
    except asyncpg.QueryCanceledError:
        return "cancelled"
    except asyncpg.PostgresConnectionError:
        raise
    except asyncpg.PostgresError as error:
        return str(error).splitlines()[0]
    return ""


async def find_progress(server: Server) -> tuple[Progress, ...]:
    """Return how far upkeep on an instance is, as PostgreSQL tells. Raises TOPOLOGY_CONNECT."""
    async with admin_connection(server) as connection:
        rows = await connection.fetch(_PROGRESS, f"{_NAME}:%")
    return tuple(
        Progress(
            pid=row["pid"],
            doing=row["application_name"].partition(":")[2],
            phase=row["phase"] or "",
            share=(row["done"] or 0) / row["total"] if row["total"] else 0.0,
        )
        for row in rows
    )


async def cancel_upkeep(server: Server, service: str) -> int:
    """Cancel what upkeep of a service does now on an instance; returns how many statements that were."""
    async with admin_connection(server) as connection:
        return int(await connection.fetchval(_CANCEL, f"{_NAME}:{service}:%"))
