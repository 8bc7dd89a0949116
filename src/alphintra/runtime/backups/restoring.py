"""One service of a running home brought back to a moment, beside the running one, checked, and put in its place.

The seven others go on. How far it is stands in ``restore.json``; which schema is in charge is PostgreSQL's own to say.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec

from alphintra.dataplane.apply import apply
from alphintra.dataplane.backup.carrying import (
    Carried,
    Carry,
    bring_beside,
    drop_schemas,
    make_current,
    put_back,
    rename_schema,
    require_clear,
    take_over,
)
from alphintra.dataplane.backup.dumps import DUMP, require_known_schema
from alphintra.dataplane.backup.model import Manifest
from alphintra.dataplane.backup.programs import Task, login_environment
from alphintra.dataplane.backup.replay import forgotten, queue_again, schemas_like, unheard
from alphintra.dataplane.backup.sides import drop_database, make_database
from alphintra.dataplane.bus_permissions import producers_heard_by
from alphintra.dataplane.failures import explained
from alphintra.dataplane.move.sides import Side
from alphintra.dataplane.schema import schema_drift
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.gate import GateKeeper
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.backups.side import choose_base, clear_sides, side_instance
from alphintra.runtime.backups.work import Backups, service_scope
from alphintra.runtime.credentials import gate_path, role_password
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.layout import restore_file
from alphintra.runtime.moving.journal import moves_lock, read_journal

__all__ = ["Restored", "Restoring", "Wanted"]

_SHUT_WAIT_S: Final = 2.0
_SHUT_TRIES: Final = 5
_REST_S: Final = 0.5
_HEAR_S: Final = 120.0


class Restored(msgspec.Struct, kw_only=True):
    """What became of a restore; kept in ``restore.json`` until it is finished or rolled back.

    Attributes:
        ident: of the restore, part of the names it makes.
        service: which of the eight.
        backup: it was made from.
        at: moment the service was brought to.
        is_in_charge: whether it took over.
        rows: brought back, every one compared.
        heard_again: events that were delivered once more.
        lost: events that nobody has a record of any more.
        forgotten: what the service had told others after the moment, by subject: it knows nothing of it now.
        seconds: by what was done.
        pause_ms: for which requests waited.
    """

    ident: str
    service: str
    backup: str
    at: datetime
    is_in_charge: bool = False
    rows: int = 0
    heard_again: int = 0
    lost: int = 0
    forgotten: dict[str, int] = {}
    seconds: dict[str, float] = {}
    pause_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for.

    Attributes:
        service: which of the eight.
        at: moment; None for that of the backup, or the last one there is log of.
        backup: ident of a dump to take in place of the instance's backup and log.
    """

    service: str
    at: datetime | None = None
    backup: str = ""


@dataclass(slots=True, kw_only=True)
class Restoring:
    """The restore of one service while the right to move services of this home is held; see `opened`."""

    backups: Backups
    task: Task
    tell: Callable[[str], None]
    state: Restored | None = None

    @classmethod
    @contextmanager
    def opened(cls, backups: Backups, *, task: Task, tell: Callable[[str], None]) -> Iterator[Restoring]:
        """Hold the right to restore. Raises ALREADY_RUNNING, RESTORE_MOVING while services are being moved."""
        with moves_lock(backups.home):
            if read_journal(backups.home) is not None:
                message = (
                    "services of this home are being moved: end that by `alphintra db migrate --finish` or --rollback"
                )
                raise AlphintraError("RESTORE_MOVING", message, kind=Kind.CONFLICT)
            clear_sides(backups.home, "restored")
            yield cls(backups=backups, task=task, tell=tell, state=_read(backups.home))

    async def begin(self, wanted: Wanted) -> Restored:
        """Restore a service, let it take over, and have it hear what it needs to.

        Raises RESTORE_OPEN, RESTORE_TARGET, PITR_RANGE, BACKUP_*, SPACE, RESTORE_*: with the running one in charge.
        """
        if self.state is not None:
            message = (
                f"the restore of {self.state.service} is not ended: use `alphintra backup restore --finish`, "
                "--rollback or --resume"
            )
            raise AlphintraError("RESTORE_OPEN", message, kind=Kind.CONFLICT)
        running = self._running(wanted.service)
        await require_clear(running)
        ident = secrets.token_hex(3)
        began = perf_counter()
        carry = Carry(ident=ident, running=running)
        async with self._source(carry, wanted) as (source, manifest, at):
            self._keep(Restored(ident=ident, service=wanted.service, backup=manifest.ident, at=at))
            fault_point("restore.begun")
            self._lap("restore", began)
            began = perf_counter()
            self.tell("bringing it beside the running one")
            await self._settle(bring_beside(carry, source, means=self.backups.means(self.task)), carry)
        self._lap("carry", began)
        return await self.resume()

    async def resume(self) -> Restored:
        """Go on where a run was cut: let it take over if it has not, and hear what it needs to."""
        state = self._open()
        carry = self._carry(state)
        there = await schemas_like(carry.running, state.ident)
        if not state.is_in_charge and carry.before not in there:
            if carry.restored.schema not in there or not state.rows:
                message = f"{state.service} was not brought back whole: use --rollback, then begin anew"
                raise AlphintraError("RESTORE_UNFINISHED", message, kind=Kind.CONFLICT)
            await self._take_over(carry)
        state.is_in_charge = True
        self._keep(state)
        await apply(carry.running.server, layout=self.backups.layout, passwords=role_password(self.backups.home))
        drift = await schema_drift(carry.running.server, carry.running.placement)
        if drift:
            message = f"the restored schema is not what it must be ({drift[0]}): use --rollback"
            raise AlphintraError("SCHEMA_DRIFT", message, kind=Kind.CONFLICT)
        await self._hear_again(carry, state)
        return state

    async def finish(self) -> Restored:
        """Drop what was there before, for good. Raises RESTORE_NONE, RESTORE_UNFINISHED."""
        state = self._open()
        if not state.is_in_charge:
            message = f"{state.service} has not been put in its place: use --resume, or --rollback"
            raise AlphintraError("RESTORE_UNFINISHED", message, kind=Kind.CONFLICT)
        carry = self._carry(state)
        await drop_schemas(carry.running, [carry.before, carry.restored.schema])
        self._keep(None)
        return state

    async def rollback(self) -> Restored:
        """Put what was there before back, without what was written since; or give up one that did not take over."""
        state = self._open()
        carry = self._carry(state)
        if carry.before in await schemas_like(carry.running, state.ident):
            await self._gated(carry, put_back)
            await apply(carry.running.server, layout=self.backups.layout, passwords=role_password(self.backups.home))
        await drop_schemas(carry.running, [carry.restored.schema])
        self._keep(None)
        return state

    async def _take_over(self, carry: Carry) -> None:
        self.tell("letting it take over")
        state = self._open()
        state.pause_ms = await self._gated(carry, take_over)

    async def _gated(self, carry: Carry, does: Callable[[Carry], Awaitable[None]]) -> float:
        """Do it while requests wait; return for how long, in ms."""
        gate = GateKeeper(gate_path(self.backups.home, carry.running.placement.service))
        try:
            for _ in range(_SHUT_TRIES):
                began = perf_counter()
                if await gate.shut(wait_s=_SHUT_WAIT_S):
                    break
                await asyncio.sleep(_REST_S)
            else:
                message = (
                    "requests of the service stay at its database for too long: use --resume when it has less to do"
                )
                raise AlphintraError("RESTORE_BUSY", message, kind=Kind.UNAVAILABLE)
            try:
                await does(carry)
            finally:
                gate.open(is_elsewhere=True)
            return round((perf_counter() - began) * 1000, 2)
        finally:
            gate.close()

    async def _hear_again(self, carry: Carry, state: Restored) -> None:
        """Have others tell again what the service had heard, until it has heard it. Raises RESTORE_DEAF."""
        began = perf_counter()
        self.tell("hearing again what it had heard")
        state.forgotten = await forgotten(carry.running, carry.before)
        heard = producers_heard_by(state.service)
        producers = {name: self._running(name) for name in heard}
        missing = await unheard(carry.running, carry.before)
        state.heard_again = max(state.heard_again, len(missing))
        found = await queue_again(producers, missing, attempt=int(state.ident, 16) + 1)
        state.lost = len(found.lost)
        self._keep(state)
        fault_point("restore.replaying")
        deadline = asyncio.get_running_loop().time() + _HEAR_S
        while (left := await unheard(carry.running, carry.before)) - found.lost:
            if asyncio.get_running_loop().time() > deadline:
                message = (
                    f"{state.service} has not heard {len(left)} events again yet: see that it runs, then use --resume"
                )
                raise AlphintraError("RESTORE_DEAF", message, kind=Kind.UNAVAILABLE)
            await asyncio.sleep(_REST_S)
        self._lap("replay", began)
        self._keep(state)

    @asynccontextmanager
    async def _source(self, carry: Carry, wanted: Wanted) -> AsyncIterator[tuple[Side, Manifest, datetime]]:
        """Lend a server that holds the service as it was, its schema renamed to what it is to be called beside."""
        running = carry.running
        passwords = role_password(self.backups.home)
        if wanted.backup:
            async with self._from_dump(carry, wanted) as (side, manifest):
                yield side, manifest, manifest.began_at
            return
        if not running.server.exclusive:
            raise _not_ours(running.server.instance)
        manifest, at = await choose_base(self.backups, running.server.instance, wanted.at)
        async with side_instance(self.backups, manifest, at=wanted.at, task=self.task, tell=self.tell) as server:
            side = Side(server=server, placement=running.placement)
            await self._settle(make_current(side, passwords=passwords, ident=manifest.ident), carry)
            await rename_schema(side, carry.restored.schema)
            yield replace(side, placement=carry.restored), manifest, wanted.at or at

    @asynccontextmanager
    async def _from_dump(self, carry: Carry, wanted: Wanted) -> AsyncIterator[tuple[Side, Manifest]]:
        """Lend a database of the same server that a dump was restored into; it is dropped afterwards."""
        running = carry.running
        catalogue = self.backups.catalogue(service_scope(wanted.service))
        manifest = await asyncio.to_thread(catalogue.find, wanted.backup)
        if wanted.at is not None and wanted.at != manifest.began_at:
            message = f"a dump shows {manifest.began_at.isoformat()} alone: leave --at out, or leave the backup out"
            raise AlphintraError("PITR_RANGE", message, pointer="--at")
        require_known_schema(wanted.service, manifest.migrations, manifest.ident)
        database = f"alphintra_restore_{carry.ident}"
        means = self.backups.means(self.task)
        file = means.scratch / f"{manifest.ident}.dump"
        self.tell(f"reading {manifest.ident}")
        try:
            await asyncio.to_thread(_fetch, file, catalogue.read(manifest, DUMP), self.task)
            await make_database(running.server, database)
            arguments = ("--exit-on-error", "--no-password", "-j", "2", "-d", database, str(file))
            env = login_environment(running.server, database)
            await asyncio.to_thread(lambda: means.programs.run("pg_restore", *arguments, env=env, task=self.task))
            side = Side(server=running.server, placement=replace(running.placement, database=database))
            await rename_schema(side, carry.restored.schema)
            yield Side(server=running.server, placement=replace(carry.restored, database=database)), manifest
        finally:
            file.unlink(missing_ok=True)
            await drop_database(running.server, database)

    async def _settle(self, does: Awaitable[Carried | None], carry: Carry) -> None:
        """Do a step that changes nothing of the running service; what it made is dropped where it fails."""
        service = carry.running.placement.service
        try:
            with explained(
                "RESTORE_FAILED",
                lambda reason: f"bringing {service} back broke off, and nothing was changed: {reason}",
            ):
                found = await does
        except AlphintraError:
            await self._give_up(carry)
            raise
        if found is not None and self.state is not None:
            self.state.rows = found.rows
            self._keep(self.state)

    async def _give_up(self, carry: Carry) -> None:
        await drop_schemas(carry.running, [carry.restored.schema])
        self._keep(None)

    def _running(self, service: str) -> Side:
        placement = self.backups.placement(service)
        return Side(server=self.backups.server(placement.instance), placement=placement)

    def _carry(self, state: Restored) -> Carry:
        return Carry(ident=state.ident, running=self._running(state.service))

    def _open(self) -> Restored:
        if self.state is None:
            message = "no service of this home is being restored: begin with --service"
            raise AlphintraError("RESTORE_NONE", message, kind=Kind.CONFLICT)
        return self.state

    def _keep(self, state: Restored | None) -> None:
        self.state = state
        path = restore_file(self.backups.home)
        if state is None:
            path.unlink(missing_ok=True)
        else:
            write_atomically(path, msgspec.json.encode(state))

    def _lap(self, what: str, began: float) -> None:
        state = self._open()
        state.seconds = state.seconds | {what: round(perf_counter() - began, 2)}


def _fetch(file: Path, pieces: Iterator[bytes], task: Task) -> None:
    with file.open("wb") as out:
        for piece in pieces:
            task.check()
            out.write(piece)


def _read(home: Home) -> Restored | None:
    try:
        return msgspec.json.decode(restore_file(home).read_bytes(), type=Restored)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        message = (
            f"{restore_file(home)} cannot be understood: remove it, and drop what `alphintra db plan` does not know"
        )
        raise AlphintraError("RESTORE_JOURNAL", message, kind=Kind.CONFLICT) from error


def _not_ours(instance: str) -> AlphintraError:
    message = (
        f"instance {instance} is a server of yours: restore one service from its dump (name a backup of it), or the "
        "instance by pgBackRest or Barman (`alphintra backup external`)"
    )
    return AlphintraError("BACKUP_EXTERNAL", message, kind=Kind.FORBIDDEN)
