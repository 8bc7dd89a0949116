"""The gate before a service's database: closed for the moment in which the service moves to another one.

A gate is a small file that every process of a service and the mover have open. Processes pass it with each use of the
database: one byte to read, and a shared lock held while anything of theirs is inside. The mover shuts it, waits for the
exclusive lock, which says that nobody is inside any more, and opens it again; who comes meanwhile waits and does not
fail. A new epoch tells everyone that the database is another one now. Locks end with their process, so that nobody
waits for a mover that has died: it holds a lock too, and where nobody holds that, a shut gate means nothing.
"""

from __future__ import annotations

import asyncio
import fcntl
import mmap
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["Gate", "GateKeeper", "keeper_lock_path", "make_gate"]

_BYTES: Final = 16
_SHUT: Final = 0  # offset of the byte that says so
_EPOCH: Final = slice(8, 16)
_LOOK_EVERY_S: Final = 0.002
_LOOK_FOR_KEEPER_EVERY: Final = 25  # looks
_WAIT_MAX_S: Final = 12.0
_KEEPER: Final = "keeper.lock"

_passes: ContextVar[tuple[_Pass, ...]] = ContextVar("passes", default=())


class _Pass:
    """That a task, or one it has started, is inside a gate."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.is_valid = True


def make_gate(path: Path) -> None:
    """Create a gate, open, where there is none; an existing one is left as it is, since processes have it open."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if os.fstat(descriptor).st_size < _BYTES:
            os.ftruncate(descriptor, _BYTES)
    finally:
        os.close(descriptor)


def keeper_lock_path(gate: Path) -> Path:
    """Return the file whose exclusive lock says that somebody keeps the gates of this folder."""
    return gate.parent / _KEEPER


class Gate:
    """A process's view of one gate."""

    def __init__(self, path: Path, *, on_epoch: Callable[[], Awaitable[None]]) -> None:
        """Open a gate that exists.

        Args:
            path: of the gate.
            on_epoch: awaited before the first who passes, and before the first of each new epoch: the database may be
                another one.
        """
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._map = mmap.mmap(self._descriptor, _BYTES)
        self._inside = 0
        self._epoch = b""
        self._renewing = asyncio.Lock()
        self._on_epoch = on_epoch

    def close(self) -> None:
        """Leave the gate for good."""
        self._map.close()
        os.close(self._descriptor)

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """Be inside; waits while the gate is shut. Raises STORE_UNAVAILABLE after 12 s.

        Whoever is inside may enter again, shut or not: else it could never leave.
        """
        above = _passes.get()
        is_nested = any(each.gate is self and each.is_valid for each in above)
        if is_nested:
            self._inside += 1
        else:
            await self._enter()
        own = _Pass(self)
        token = _passes.set((*above, own))
        try:
            if not is_nested and self._map[_EPOCH] != self._epoch:
                await self._renew()
            yield
        finally:
            _passes.reset(token)
            own.is_valid = False
            self._leave()

    async def _enter(self) -> None:
        looks = 0
        while not self._let_in(looks):
            looks += 1
            if looks * _LOOK_EVERY_S > _WAIT_MAX_S:
                detail = "the database is being moved, which takes longer than it should: try again"
                raise AlphintraError("STORE_UNAVAILABLE", detail, kind=Kind.UNAVAILABLE)
            await asyncio.sleep(_LOOK_EVERY_S)

    def _let_in(self, looks: int) -> bool:
        """Take the shared lock for the first of us inside; False where the gate is shut, and kept as far as we know."""
        if self._map[_SHUT] and (looks % _LOOK_FOR_KEEPER_EVERY or self._is_kept()):
            return False
        if self._inside == 0:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if self._map[_SHUT] and self._is_kept():  # shut since we looked
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
                return False
        self._inside += 1
        return True

    def _leave(self) -> None:
        self._inside -= 1
        if self._inside == 0:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    async def _renew(self) -> None:
        async with self._renewing:
            epoch = self._map[_EPOCH]
            if epoch != self._epoch:
                await self._on_epoch()
                self._epoch = epoch

    def _is_kept(self) -> bool:
        """Tell whether a mover, or the guard that finishes for it, lives."""
        try:
            descriptor = os.open(keeper_lock_path(self._path), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False


class GateKeeper:
    """The mover's side of one gate; only who holds the folder's keeper lock may use it."""

    def __init__(self, path: Path) -> None:
        make_gate(path)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    @property
    def descriptor(self) -> int:
        """File descriptor that carries the lock, for a process that is to keep it on."""
        return self._descriptor

    async def shut(self, *, wait_s: float) -> bool:
        """Let nobody in any more and wait until nobody is inside; False, and open again, where that takes too long."""
        os.pwrite(self._descriptor, b"\1", _SHUT)
        deadline = asyncio.get_running_loop().time() + wait_s
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            if asyncio.get_running_loop().time() > deadline:
                self.open()
                return False
            await asyncio.sleep(_LOOK_EVERY_S / 2)

    def open(self, *, is_elsewhere: bool = False) -> None:
        """Let everybody in; ``is_elsewhere`` tells them that the database is another one now."""
        if is_elsewhere:
            epoch = int.from_bytes(os.pread(self._descriptor, 8, _EPOCH.start), "little") + 1
            os.pwrite(self._descriptor, epoch.to_bytes(8, "little"), _EPOCH.start)
        os.pwrite(self._descriptor, b"\0", _SHUT)
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file, and of the lock if no other process carries it on."""
        os.close(self._descriptor)
