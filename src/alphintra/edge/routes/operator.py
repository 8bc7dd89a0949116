"""How the installation itself stands, for owners and operators: told by the inspector, which alone can look."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final, TypeVar

from alphintra.contracts.inspector import (
    AccessView,
    AuditsView,
    DatabasesView,
    GetAccess,
    GetAudits,
    GetDatabases,
    GetProcesses,
    GetQueues,
    ProbeAccess,
    ProcessesView,
    QueuesView,
)
from alphintra.contracts.upkeep import (
    BackupsView,
    GetBackups,
    GetLayouts,
    GetMoves,
    GetRetention,
    GetWindows,
    LayoutsView,
    MovesView,
    RetentionView,
    WindowsView,
)
from alphintra.edge.guards import Caller
from alphintra.edge.routing import Admin, Routes
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Command

__all__ = ["routes"]

routes = Routes("operator")

R = TypeVar("R")
LOOK_S_MAX: Final = 20.0
PROBE_S_MAX: Final = 60.0
_AGAIN_S: Final = 0.3


@routes.get("/operator/access")
async def get_access(caller: Admin) -> AccessView:
    """Show who gets at whose data, as the last probe with the services' own credentials found it."""
    return await _ask(caller, GetAccess())


@routes.post("/operator/access/probe")
async def probe_access(caller: Admin) -> AccessView:
    """Try every service's credential on every database now: one probe at a time, at most one in five seconds."""
    return await _ask(caller, ProbeAccess(), within_s=PROBE_S_MAX)


@routes.get("/operator/processes")
async def get_processes(caller: Admin) -> ProcessesView:
    """List the supervised processes: since when, how often started again, how much memory."""
    return await _ask(caller, GetProcesses())


@routes.get("/operator/databases")
async def get_databases(caller: Admin) -> DatabasesView:
    """Show the layout in force, its instances, and each service's database with its largest tables."""
    return await _ask(caller, GetDatabases())


@routes.get("/operator/queues")
async def get_queues(caller: Admin) -> QueuesView:
    """Show what waits to be published, and how far each consumer is behind."""
    return await _ask(caller, GetQueues())


@routes.get("/operator/audits")
async def get_audits(caller: Admin) -> AuditsView:
    """Show each service's audit log, and what of it is not sealed yet."""
    return await _ask(caller, GetAudits())


@routes.get("/operator/layouts")
async def get_layouts(caller: Admin) -> LayoutsView:
    """Show the assessment of layouts that the home keeps, with its evidence."""
    return await _ask(caller, GetLayouts())


@routes.get("/operator/moves")
async def get_moves(caller: Admin) -> MovesView:
    """Show services that are being moved, how far that is, and what earlier moves came to."""
    return await _ask(caller, GetMoves())


@routes.get("/operator/backups")
async def get_backups(caller: Admin) -> BackupsView:
    """Show scheduled backups, the newest of each service and instance, and what was restored for real."""
    return await _ask(caller, GetBackups())


@routes.get("/operator/retention")
async def get_retention(caller: Admin) -> RetentionView:
    """Show how long records are kept, what is due, what is held, and what was done."""
    return await _ask(caller, GetRetention())


@routes.get("/operator/windows")
async def get_windows(caller: Admin) -> WindowsView:
    """Show when the upkeep of each service may be done, and the upkeep that runs."""
    return await _ask(caller, GetWindows())


async def _ask(caller: Caller, command: Command[R], *, within_s: float = LOOK_S_MAX) -> R:
    """Ask the inspector, which runs only while somebody looks: it is rung for, and asked until it is there.

    A question that was asked twice does no harm: none of them changes anything.
    """
    bell = caller.gate.inspector_bell
    deadline = monotonic() + within_s
    while True:
        if bell is not None:
            bell.touch(mode=0o600)
        try:
            return await caller.ask(command, timeout_s=max(deadline - monotonic(), _AGAIN_S))
        except AlphintraError as error:
            if error.code != "INSPECTOR_UNAVAILABLE" or bell is None or monotonic() + _AGAIN_S > deadline:
                raise
        await asyncio.sleep(_AGAIN_S)
