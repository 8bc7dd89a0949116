"""Logs of supervised processes: bounded files, and reading them back."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.home import Home

__all__ = ["LogFile", "OutputPump", "logs"]

_BYTES_MAX = 5 * 1024 * 1024
_OLD_FILES = 2
_CHUNK = 65_536
_TAIL_BYTES = 4_096
_FATAL = ("FATAL:", "PANIC:")
_FOLLOW_EVERY_S = 0.2


class LogFile:
    """Appends to ``<name>.log``; a full file becomes ``.log.1``, the oldest is dropped.

    Args:
        path: the current file.
        bytes_max: size at which a file is full.
        old_files: how many full files are kept.
    """

    def __init__(self, path: Path, *, bytes_max: int = _BYTES_MAX, old_files: int = _OLD_FILES) -> None:
        self.path = path
        self._bytes_max = bytes_max
        self._old_files = old_files
        self._file: BinaryIO = self._open()
        self._size = self._file.tell()

    def write(self, data: bytes) -> None:
        """Append and make visible to readers; rotates between two writes, so a file overshoots by one at most."""
        with suppress(OSError):  # a full disk costs lines, not the process that wrote them or the one that watches it
            if self._size >= self._bytes_max:
                self._rotate()
            self._file.write(data)
            self._size += len(data)

    def fileno(self) -> int:
        """Return the descriptor, for a child that writes by itself."""
        return self._file.fileno()

    def end(self) -> int:
        """Return where the file ends now, for `last_line`."""
        return self.path.stat().st_size

    def last_line(self, *, since: int = 0) -> str:
        """Return the last line with text in it, of those that follow the ``end`` taken before; or an empty string.

        A line that tells of a fatal error is preferred: servers say more on their way out.
        """
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _TAIL_BYTES, since if since <= size else 0))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
        told = [line for line in lines if line]
        fatal = [line for line in told if any(word in line for word in _FATAL)]
        return next(reversed(fatal or told), "")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self) -> BinaryIO:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        file = os.fdopen(descriptor, "ab", buffering=0)
        file.seek(0, os.SEEK_END)
        return file

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._old_files, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            newer = self.path.with_name(f"{self.path.name}.{number - 1}") if number > 1 else self.path
            if newer.exists():
                newer.replace(older)
        self._file = self._open()
        self._size = self._file.tell()


class OutputPump:
    """Carries what a child writes to its log, through a pipe, while the event loop runs.

    Pass `write_end` to the child and then call `started`.
    """

    def __init__(self, log: LogFile) -> None:
        self._log = log
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read_end, self._pass_on)
        self._is_open = True

    def started(self) -> None:
        """Drop our copy of the child's end, so that the pipe ends with the child."""
        os.close(self.write_end)

    def drain(self) -> None:
        """Pass on what is left and stop, also where a stranger still holds the other end."""
        while self._is_open and self._pass_on():
            pass
        self._close()

    def _pass_on(self) -> bool:
        try:
            data = os.read(self._read_end, _CHUNK)
        except BlockingIOError:
            return False
        if data:
            self._log.write(data)
        else:
            self._close()
        return bool(data)

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._loop.remove_reader(self._read_end)
            os.close(self._read_end)


def logs(home: Home, name: str, *, lines: int = 100, follow: bool = False) -> Iterator[str]:
    """Yield the last lines of a process's log without their ends, then, if asked, new ones as they come, for ever.

    Raises:
        AlphintraError: LOG_UNKNOWN, which lists the logs there are.
    """
    known = sorted(path.stem for path in home.logs.glob("*.log"))
    if name not in known:
        detail = f"there is no log of {name!r}: choose from {', '.join(known) or 'none yet'}"
        raise AlphintraError("LOG_UNKNOWN", detail, kind=Kind.NOT_FOUND, pointer="name")
    return _read_log(home.logs / f"{name}.log", lines, follow=follow)


def _read_log(path: Path, lines: int, *, follow: bool) -> Iterator[str]:
    file = path.open(encoding="utf-8", errors="replace")
    try:
        yield from (line.rstrip("\n") for line in deque(file, maxlen=lines))
        partial = ""
        while follow:
            is_complete = _was_rotated(file.fileno(), path)  # asked first: what is read after is all there will be
            text = file.readline()
            partial += text
            if partial.endswith("\n"):
                yield partial[:-1]
                partial = ""
            elif not text and is_complete:
                file.close()
                file = path.open(encoding="utf-8", errors="replace")
            elif not text:
                time.sleep(_FOLLOW_EVERY_S)
    finally:
        file.close()


def _was_rotated(descriptor: int, path: Path) -> bool:
    try:
        return not os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:  # in the middle of a rotation
        return False
