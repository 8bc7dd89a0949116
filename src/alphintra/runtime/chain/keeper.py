"""Seals the audit logs: ``python -m alphintra.runtime.chain.keeper HOME``, run by the supervisor.

Each service's log has a task of its own, with one session of that service's sealer; what fails is tried again, and
where services live is looked up anew then. There is one keeper in a home: it holds a lock that ends with it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from alphintra.dataplane.chain.sealer import Sealer
from alphintra.dataplane.chain.session import LogSession, log_session
from alphintra.infrastructure.backoff import retry_delay
from alphintra.infrastructure.telemetry import configure_logs, get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import SERVICE_NAMES
from alphintra.runtime.chain.work import log_keys
from alphintra.runtime.credentials import role_password
from alphintra.runtime.home import Home
from alphintra.runtime.lock import alone
from alphintra.runtime.readiness import announce_ready
from alphintra.runtime.retention import chosen

__all__ = ["LOCK", "main"]

LOCK: Final = "audit-keeper.lock"
SEAL_EVERY_S: Final = 0.25
"""At load; an audit row that is altered before it is sealed is not found out, so this is kept short."""
_IDLE_EVERY_S: Final = 1.0
_SIGN_EVERY_S: Final = 5.0
_ALTERED_EVERY_S: Final = 30.0
_FAILED: Final = 1


async def keep_sealed(home: Home, service: str, stop: asyncio.Event) -> None:
    """Seal one service's log until asked to stop; returns then, and never fails."""
    failures = 0
    while not stop.is_set():
        try:
            ((server, placement),) = chosen(home, (service,))
            passwords = role_password(home)
            async with log_session(server, placement, passwords=passwords, is_sealing=True) as connection:
                await _seal(home, service, connection, stop)
                failures = 0
        except AlphintraError as error:
            failures += 1
            get_logger().error("audit.not_sealed", service=service, code=error.code, detail=error.detail)
            await _rest(stop, _ALTERED_EVERY_S if error.code == "AUDIT_ALTERED" else retry_delay(failures))


async def _seal(home: Home, service: str, connection: LogSession, stop: asyncio.Event) -> None:
    work = Sealer(log_keys(home, service))
    loop = asyncio.get_running_loop()
    signed_at = loop.time() - _SIGN_EVERY_S
    while not stop.is_set():
        is_due = loop.time() - signed_at >= _SIGN_EVERY_S
        if is_due:
            work.keys = log_keys(home, service)  # there may be a new one
        sealed = await work.seal(connection, is_signed=is_due)
        if sealed.note:
            signed_at = loop.time()
        if not sealed.is_more:
            await _rest(stop, SEAL_EVERY_S if sealed.count else _IDLE_EVERY_S)
    await work.seal(connection, is_signed=True)


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


async def _keep(home: Home) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    announce_ready()
    async with asyncio.TaskGroup() as group:
        for service in SERVICE_NAMES:
            group.create_task(keep_sealed(home, service, stop))


def main() -> int:
    """Run until SIGTERM; one line on standard error and status 1 where it cannot."""
    home = Home.existing(Path(sys.argv[1]))
    configure_logs("audit")
    message = "another process seals the audit logs of this home: end it first"
    busy = AlphintraError("SEALER_BUSY", message, kind=Kind.CONFLICT)
    try:
        with alone(home.run / LOCK, lambda _: busy):
            asyncio.run(_keep(home))
    except AlphintraError as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
