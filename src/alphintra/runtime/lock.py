"""Exclusive locks that end with their process, however that ends; that of a home's one supervisor among them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.home import Home

__all__ = ["alone", "holder_of", "require_not_running", "supervisor_lock"]

_TRIES = 20
_TRY_EVERY_S = 0.01


@contextmanager
def alone(path: Path, busy: Callable[[str], AlphintraError]) -> Iterator[None]:
    """Hold the lock of a file. Raises what ``busy`` makes of the process number of who has it, ``?`` if unknown."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise busy(os.pread(descriptor, 32, 0).decode().strip() or "?") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def supervisor_lock(home: Home) -> Iterator[None]:
    """Hold the home's supervisor lock. Raises ALREADY_RUNNING, with the process number of the holder."""
    descriptor = os.open(_path(home), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _take(descriptor)
        except BlockingIOError as error:
            raise _running(home, _read_pid(descriptor)) from error
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def require_not_running(home: Home) -> None:
    """Raise ALREADY_RUNNING, with the process number of the supervisor, if there is one; changes nothing."""
    pid = holder_of(home)
    if pid is not None:
        raise _running(home, pid)


def holder_of(home: Home) -> int | None:
    """Return the process number of the running supervisor, or None if there is none."""
    try:
        descriptor = os.open(_path(home), os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_pid(descriptor)
    finally:
        os.close(descriptor)
    return None


def _take(descriptor: int) -> None:
    """Take the lock, trying for a moment: `holder_of` holds it for an instant to look, and is no supervisor."""
    for _ in range(_TRIES - 1):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_TRY_EVERY_S)
        else:
            return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _running(home: Home, pid: int) -> AlphintraError:
    detail = f"Alphintra already runs in {home.path} (process {pid}): stop it with 'alphintra down'"
    return AlphintraError("ALREADY_RUNNING", detail, kind=Kind.CONFLICT, pointer="ALPHINTRA_HOME")


def _path(home: Home) -> Path:
    return home.run / "supervisor.lock"


def _read_pid(descriptor: int) -> int:
    """Return the number the holder wrote; 0 in the instant before it has."""
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0
