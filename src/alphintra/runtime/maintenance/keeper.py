"""Upkeep by itself: ``python -m alphintra.runtime.maintenance.keeper HOME``, run by the supervisor.

Each service whose window the operator chose is kept up once each time its window opens, one after another. There is one
of it in a home: it holds a lock that ends with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from alphintra.dataplane.maintenance.tasks import TASKS
from alphintra.dataplane.maintenance.windows import windows_of
from alphintra.dataplane.schedule import Window
from alphintra.infrastructure.system import SystemClock
from alphintra.infrastructure.telemetry import configure_logs, get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.lock import alone
from alphintra.runtime.maintenance.work import Upkeep, maintain
from alphintra.runtime.places import chosen, writer_of
from alphintra.runtime.readiness import announce_ready

__all__ = ["WINDOWS_VARIABLE", "due_service", "main"]

WINDOWS_VARIABLE: Final = "ALPHINTRA_MAINTENANCE"
"""The windows that the settings choose, as JSON by service."""

_ACTOR: Final = "service:maintenance"
_NOTES: Final = "maintenance.json"
_LOOK_EVERY_S: Final = 5.0
_FAILED: Final = 1


def due_service(windows: Mapping[str, Window], next_at: Mapping[str, datetime], *, at: datetime) -> str | None:
    """Return a service whose window is open and that was not kept up since it opened, the one that waited longest.

    Args:
        windows: by service.
        next_at: of services that were kept up before: the first opening after that began.
        at: now.
    """
    due = [
        service
        for service, window in windows.items()
        if window.contains(at) and (service not in next_at or next_at[service] <= at)
    ]
    return min(due, key=lambda service: (service in next_at, next_at.get(service, at), service), default=None)


async def _keep(home: Home, windows: Mapping[str, Window]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    announce_ready()
    stopping = asyncio.create_task(stop.wait())
    while not stop.is_set():
        doing = asyncio.create_task(_look(home, windows))
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        doing.cancel()  # where it is not done: what runs in PostgreSQL is cancelled with it
        with suppress(asyncio.CancelledError):
            await doing
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY_S):
                await stop.wait()


async def _look(home: Home, windows: Mapping[str, Window]) -> None:
    clock = SystemClock()
    notes = _read_notes(home)
    at = clock.now()
    service = due_service(windows, notes, at=at)
    if service is None:
        return
    window = windows[service]
    write_atomically(home.path / _NOTES, msgspec.json.encode(notes | {service: window.opens_after(at)}))
    try:
        (place,) = chosen(home, (service,))
        upkeep = Upkeep(tasks=TASKS, window=window)
        done = await maintain(home, place, upkeep, writer=writer_of(_ACTOR, at=at), clock=clock.now)
    except AlphintraError as error:
        get_logger().error("maintenance.failed", service=service, code=error.code, detail=error.detail)
    else:
        failed = [f"{each.task} {each.table}: {each.failure}" for each in done if each.failure]
        get_logger().info("maintenance.done", service=service, steps=len(done), not_done=failed)


def _read_notes(home: Home) -> dict[str, datetime]:
    try:
        return msgspec.json.decode((home.path / _NOTES).read_bytes(), type=dict[str, datetime])
    except (OSError, msgspec.DecodeError):
        return {}  # none yet; upkeep once more does no harm


def main() -> int:
    """Run until SIGTERM; one line on standard error and status 1 where it cannot."""
    home = Home.existing(Path(sys.argv[1]))
    configure_logs("maintenance")
    message = "another process does the upkeep of this home by itself: end it first"
    busy = AlphintraError("MAINTENANCE_BUSY", message, kind=Kind.CONFLICT)
    try:
        with alone(home.run / "maintenance-keeper.lock", lambda _: busy):
            said = msgspec.json.decode(os.environ[WINDOWS_VARIABLE], type=dict[str, str])
            every = windows_of(said)
            asyncio.run(_keep(home, {service: every[service] for service in said}))
    except AlphintraError as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
