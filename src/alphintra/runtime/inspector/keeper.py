"""Tells operators how the installation stands: ``python -m alphintra.runtime.inspector.keeper HOME``.

The supervisor runs it while somebody looks, and once an hour. It answers the edge over the bus, under a key that can do
nothing else there, and only the questions of the manifest, which carry no argument. What it reads it reads with the
home's credentials; none of them leaves it. There is one of it in a home: it holds a lock that ends with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Final, Generic, TypeVar

import msgspec

from alphintra.contracts.inspector import (
    AccessView,
    GetAccess,
    GetAudits,
    GetDatabases,
    GetProcesses,
    GetQueues,
    ProbeAccess,
)
from alphintra.contracts.upkeep import GetBackups, GetLayouts, GetMoves, GetRetention, GetWindows
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats
from alphintra.infrastructure.system import SystemClock
from alphintra.infrastructure.telemetry import configure_logs, get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Command, Context, View
from alphintra.manifest import INSPECTOR
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.inspector.access import AccessProbe
from alphintra.runtime.inspector.looking import look_at_audits, look_at_databases, look_at_processes, look_at_queues
from alphintra.runtime.inspector.upkeep import Upkeep
from alphintra.runtime.lock import alone
from alphintra.runtime.nats_keys import nats_seed
from alphintra.runtime.readiness import announce_ready
from alphintra.runtime.settings import RuntimeSettings

__all__ = ["SETTINGS_VARIABLE", "Attention", "Looked", "main", "require_operator"]

SETTINGS_VARIABLE: Final = "ALPHINTRA_INSPECTOR"
"""What the settings say about backups, retention and maintenance, as JSON; nothing of it is a secret."""

V = TypeVar("V", bound=View)
Look = Callable[..., Awaitable[V]]

_ROLES: Final = frozenset({"owner", "operator"})
_ACTOR: Final = "service:inspector"
_LOOK_EVERY_S: Final = 1.0
_IDLE_S: Final = 120.0
_SOON_S: Final = 2.0
_LATER_S: Final = 20.0  # what reads whole tables, or a store elsewhere
_FAILED: Final = 1


class Looked(Generic[V]):
    """One thing that is looked at when asked, at most every so often; what was seen last stands where looking fails."""

    def __init__(self, look: Look[V], *, clock: Callable[[], datetime], believed_s: float) -> None:
        self._look = look
        self._clock = clock
        self._believed_s = believed_s
        self._lock = asyncio.Lock()
        self._seen: V | None = None
        self._looked_s = -believed_s

    async def view(self) -> V:
        """Return what is seen now, or was a moment ago. Raises what looking raises if it has never succeeded."""
        async with self._lock:
            if self._seen is not None and monotonic() - self._looked_s < self._believed_s:
                return self._seen
            try:
                self._seen = await self._look(at=self._clock())
            except AlphintraError as error:
                get_logger().warning("inspector.unseen", code=error.code, detail=error.detail)
                if self._seen is None:
                    raise
                self._seen = msgspec.structs.replace(self._seen, problem=f"{error.code}: {error.detail}")
            self._looked_s = monotonic()
            return self._seen


class Attention:
    """Since when nobody has asked anything."""

    def __init__(self) -> None:
        self._asked_s = monotonic()

    def admit(self, context: Context) -> None:
        """Take a question in. Raises AUTH_ROLE, as `require_operator`."""
        require_operator(context)
        self._asked_s = monotonic()

    @property
    def is_over(self) -> bool:
        """Whether nobody looks any more."""
        return monotonic() - self._asked_s > _IDLE_S


def require_operator(context: Context) -> None:
    """Refuse whoever is neither owner nor operator, whatever the edge has let in. Raises AUTH_ROLE."""
    if not _ROLES & set(context.actor.roles):
        held = ", ".join(context.actor.roles) or "none"
        message = f"this needs the role owner or operator; yours is {held}"
        raise AlphintraError("AUTH_ROLE", message, kind=Kind.FORBIDDEN)


def _looks(home: Home, settings: RuntimeSettings) -> dict[type[Command[Any]], Looked[Any]]:
    upkeep = Upkeep(home, settings)
    looks: dict[type[Command[Any]], tuple[Look[Any], float]] = {
        GetProcesses: (partial(look_at_processes, home), _SOON_S),
        GetDatabases: (partial(look_at_databases, home), _SOON_S),
        GetQueues: (partial(look_at_queues, home), _SOON_S),
        GetAudits: (partial(look_at_audits, home), _SOON_S),
        GetMoves: (upkeep.look_at_moves, 0.0),
        GetLayouts: (upkeep.look_at_layouts, _SOON_S),
        GetWindows: (upkeep.look_at_windows, _SOON_S),
        GetBackups: (upkeep.look_at_backups, _LATER_S),
        GetRetention: (upkeep.look_at_retention, _LATER_S),
    }
    clock = SystemClock().now
    return {command: Looked(look, clock=clock, believed_s=believed_s) for command, (look, believed_s) in looks.items()}


def _answer(bus: Bus, looks: Mapping[type[Command[Any]], Looked[Any]], probe: AccessProbe, seen: Attention) -> None:
    for command, looked in looks.items():
        bus.answer(command, partial(_show, looked, seen))

    async def get_access(_command: GetAccess, context: Context) -> AccessView:
        seen.admit(context)
        return probe.view()

    async def probe_access(_command: ProbeAccess, context: Context) -> AccessView:
        seen.admit(context)
        get_logger().info("inspector.probe_asked", actor=context.actor.id)
        return await probe.probe(context.actor.id)

    bus.answer(GetAccess, get_access)
    bus.answer(ProbeAccess, probe_access)


async def _show(looked: Looked[V], seen: Attention, _command: Command[V], context: Context) -> V:
    seen.admit(context)
    return await looked.view()


async def _keep(home: Home, settings: RuntimeSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    probe = AccessProbe(home, clock=SystemClock())
    credentials = NatsCredentials(url=provisioned_order(home).nats_url, user=INSPECTOR, seed=nats_seed(home, INSPECTOR))
    bus = Bus(name=INSPECTOR, asks=frozenset(), local=LocalDirectory(), nats=await connect_nats(credentials))
    seen = Attention()
    _answer(bus, _looks(home, settings), probe, seen)
    try:
        await bus.start()
        announce_ready()
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set() and not seen.is_over:
            doing = asyncio.create_task(_probe_when_due(probe))
            await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            doing.cancel()  # where it is not done: transactions of a probe are rolled back with it
            with suppress(asyncio.CancelledError):
                await doing
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await stop.wait()
    finally:
        await bus.close()


async def _probe_when_due(probe: AccessProbe) -> None:
    try:
        if not probe.is_due:
            return
        found = await probe.probe(_ACTOR)
    except AlphintraError as error:
        get_logger().error("inspector.probe_failed", code=error.code, detail=error.detail)
    else:
        log = get_logger().error if found.breaches else get_logger().info
        log("inspector.probed", breaches=found.breaches, took_s=found.took_s)


def main() -> int:
    """Run until nobody looks any more, or SIGTERM; one line on standard error and status 1 where it cannot."""
    home = Home.existing(Path(sys.argv[1]))
    configure_logs(INSPECTOR)
    message = "another process inspects this home: end it first"
    busy = AlphintraError("INSPECTOR_BUSY", message, kind=Kind.CONFLICT)
    try:
        with alone(home.run / "inspector.lock", lambda _: busy):
            said = msgspec.json.decode(os.environ[SETTINGS_VARIABLE], type=dict[str, Any])
            asyncio.run(_keep(home, RuntimeSettings(home=home.path, **said)))
    except AlphintraError as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
