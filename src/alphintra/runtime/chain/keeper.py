"""Seals the audit logs: ``python -m alphintra.runtime.chain.keeper HOME``, run by the supervisor.

Each service's log has a task of its own, with one session of that service's sealer; what fails is tried again, and
where services live is looked up anew then. A log is used behind its service's gate, so that it waits while the service
changes over to another place, and goes on there. The witness is shown each log before anything is put to it, and again
and again, also when nothing happens. There is one keeper in a home: it holds a lock that ends with it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alphintra.dataplane.chain.notes import NoteKeys
from alphintra.dataplane.chain.proofs import proof_of_growth
from alphintra.dataplane.chain.sealer import Sealer
from alphintra.dataplane.chain.session import LogSession, log_session
from alphintra.dataplane.chain.witness import Recovery, Witness
from alphintra.dataplane.retention.holds import append_audit
from alphintra.dataplane.retention.session import retainer_connection
from alphintra.infrastructure.backoff import retry_delay
from alphintra.infrastructure.gate import Gate, make_gate
from alphintra.infrastructure.system import SystemClock
from alphintra.infrastructure.telemetry import configure_logs, get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import SERVICE_NAMES
from alphintra.runtime.audit_keys import log_keys, witness_of
from alphintra.runtime.credentials import gate_path, role_password
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.lock import alone
from alphintra.runtime.places import chosen, writer_of
from alphintra.runtime.readiness import announce_ready

__all__ = ["LOCK", "LogKeeper", "main"]

LOCK: Final = "audit-keeper.lock"
SEAL_EVERY_S: Final = 0.25
"""At load; an audit row that is altered before it is sealed is not found out, so this is kept short."""
SHOW_EVERY_S: Final = 10.0
"""How often the witness is shown a log, also one that has not grown."""
_ACTOR: Final = "service:audit"
_IDLE_EVERY_S: Final = 1.0
_SIGN_EVERY_S: Final = 5.0
_REFUSED_EVERY_S: Final = 10.0
_REFUSED: Final = frozenset({"AUDIT_ALTERED", "AUDIT_ROLLBACK", "AUDIT_FORK"})
_FAILED: Final = 1
Inside = Callable[[], AbstractAsyncContextManager[None]]
"""Lets a log be used for as long as its service stays where it is."""


class _MovedError(Exception):
    """The service may live elsewhere by now: the session is of no use any more."""


class _Door:
    """A service's gate, as who stays at its database for longer passes it."""

    def __init__(self, path: Path) -> None:
        make_gate(path)
        self._gate = Gate(path, on_epoch=self._note)
        self._has_moved = False

    @asynccontextmanager
    async def arriving(self) -> AsyncIterator[None]:
        """Be inside to look up where the service lives, and to go there."""
        async with self._gate.passing():
            self._has_moved = False
            yield

    @asynccontextmanager
    async def inside(self) -> AsyncIterator[None]:
        """Be inside where we have arrived; waits while the gate is shut. Raises _MovedError, STORE_UNAVAILABLE."""
        async with self._gate.passing():
            if self._has_moved:
                raise _MovedError
            yield

    def close(self) -> None:
        """Leave the gate for good."""
        self._gate.close()

    async def _note(self) -> None:
        self._has_moved = True


@dataclass(slots=True, kw_only=True)
class LogKeeper:
    """Keeps the log of one service."""

    home: Home
    service: str
    witness: Witness
    stop: asyncio.Event

    async def keep(self) -> None:
        """Seal until asked to stop; returns then, and never fails."""
        failures = 0
        door = _Door(gate_path(self.home, self.service))
        while not self.stop.is_set():
            try:
                await self._stay(door)
                failures = 0
            except AlphintraError as error:
                failures += 1
                get_logger().error("audit.not_sealed", service=self.service, code=error.code, detail=error.detail)
                await self._rest(_REFUSED_EVERY_S if error.code in _REFUSED else retry_delay(failures))
        door.close()

    async def show(self, work: Sealer, connection: LogSession, *, inside: Inside = nullcontext) -> None:
        """Show the log to the witness. Raises AUDIT_ROLLBACK, AUDIT_FORK, AUDIT_ALTERED; its absence is borne."""
        try:
            seen = await asyncio.to_thread(self.witness.seen, work.keys.name)
            async with inside():
                note, edge = await work.head(connection)
                if seen is None and edge.size == 0:
                    return
                old_size = 0 if seen is None else seen.size
                proof = await proof_of_growth(connection, old_size=old_size, edge=edge, origin=work.keys.name)
            now = SystemClock().now()
            cosigned = await asyncio.to_thread(self.witness.show, note, proof, trusted=work.keys.trusted, at=now)
            copies = self.witness.path.parent / "checkpoints"
            copies.mkdir(mode=0o700, exist_ok=True)
            write_atomically(copies / f"{self.service}.txt", cosigned.encode(), durable=False)
            for recovery in self.witness.recoveries(work.keys.name):
                if recovery.size is not None and not recovery.record:
                    async with inside():
                        await self._record(work.keys, recovery, note=note)
        except AlphintraError as error:
            if error.code != "WITNESS_UNREACHABLE":
                raise
            get_logger().error("audit.no_witness", service=self.service, detail=error.detail)

    async def _stay(self, door: _Door) -> None:
        """Seal where the service lives, until it moves or we are asked to stop."""
        with suppress(_MovedError):
            async with AsyncExitStack() as stack:
                async with door.arriving():
                    ((server, placement),) = chosen(self.home, (self.service,))
                    session = log_session(server, placement, passwords=role_password(self.home), is_sealing=True)
                    connection = await stack.enter_async_context(session)
                await self._seal(connection, door.inside)

    async def _seal(self, connection: LogSession, inside: Inside) -> None:
        work = Sealer(log_keys(self.home, self.service))
        loop = asyncio.get_running_loop()
        await self.show(work, connection, inside=inside)
        shown_at = loop.time()
        signed_at = shown_at - _SIGN_EVERY_S
        while not self.stop.is_set():
            is_due = loop.time() - signed_at >= _SIGN_EVERY_S
            if is_due:
                work.keys = log_keys(self.home, self.service)  # there may be a new one
            async with inside():
                sealed = await work.seal(connection, is_signed=is_due)
            if sealed.note:
                signed_at = loop.time()
            if sealed.note or loop.time() - shown_at >= SHOW_EVERY_S:
                await self.show(work, connection, inside=inside)
                shown_at = loop.time()
            if not sealed.is_more:
                await self._rest(SEAL_EVERY_S if sealed.count else _IDLE_EVERY_S)
        async with inside():
            await work.seal(connection, is_signed=True)
        await self.show(work, connection, inside=inside)

    async def _record(self, keys: NoteKeys, found: Recovery, *, note: str) -> None:
        """Have the log itself tell of a recovery, and keep its record, signed by log and witness."""
        text = (
            f"{keys.name}\nrecovery\nlost {found.lost_size} {found.lost_root.hex()}\ngoes on from {found.size}\n"
            f"declared {found.declared_at.isoformat()} by {found.declared_by}\nreason {found.reason}\n"
        )
        record = f"{text}\n{keys.line(text)}{self.witness.keys.line(text)}"
        ((server, placement),) = chosen(self.home, (self.service,))
        detail: dict[str, object] = {
            "lost_size": found.lost_size,
            "lost_root": found.lost_root.hex(),
            "size": found.size,
            "declared_by": found.declared_by,
            "reason": found.reason,
            "checkpoint": note,
        }
        password = role_password(self.home)(placement.retainer_role)
        writer = writer_of(_ACTOR, at=SystemClock().now())
        async with retainer_connection(server, placement, password=password) as connection, connection.transaction():
            await append_audit(connection, "audit.recover", f"log:{keys.name}", detail, writer=writer)
        self.witness.close(found, record)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stop.wait()


async def _keep(home: Home) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    witness = witness_of(home, provisioned_order(home).witness)
    announce_ready()
    async with asyncio.TaskGroup() as group:
        for service in SERVICE_NAMES:
            group.create_task(LogKeeper(home=home, service=service, witness=witness, stop=stop).keep())


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
