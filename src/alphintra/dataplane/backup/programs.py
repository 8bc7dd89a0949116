"""PostgreSQL's own programs, run to their end or to ours."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from alphintra.dataplane.server import Server

__all__ = ["Means", "Programs", "Task", "login_environment"]

_READ_BYTES: Final = 1_048_576
_WORDS_BYTES: Final = 4096
_PARAMETERS: Final = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


@dataclass(slots=True)
class Task:
    """Something long: how far it is told to, and by what it is cancelled.

    Attributes:
        on_bytes: told what has been read or written so far, in bytes before compression.
        cancelled: set to end it; nothing of it counts then.
    """

    on_bytes: Callable[[int], None] = field(default=lambda _bytes: None)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raise BACKUP_CANCELLED if it was."""
        if self.cancelled.is_set():
            raise AlphintraError("BACKUP_CANCELLED", "stopped as asked: nothing of it counts", kind=Kind.CONFLICT)


def login_environment(server: Server, database: str) -> dict[str, str]:
    """Return the environment in which PostgreSQL's programs log in as the administrator; a password stays in it."""
    parts = urlsplit(server.admin_url)
    query = dict(parse_qsl(parts.query))
    words = {
        "PGHOST": parts.hostname or query.get("host", ""),
        "PGPORT": str(parts.port or query.get("port", "5432")),
        "PGUSER": unquote(parts.username or query.get("user", "")),
        "PGPASSWORD": unquote(parts.password or query.get("password", "")),
        "PGDATABASE": database,
        "PGCONNECT_TIMEOUT": "5",
        "PGAPPNAME": "alphintra-backup",
        **{name: query[word] for word, name in _PARAMETERS.items() if word in query},
    }
    return {name: value for name, value in words.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The programs of one folder."""

    folder: Path

    def run(self, name: str, *arguments: str, env: dict[str, str] | None = None, task: Task) -> str:
        """Run a program to its end and return what it said last on standard error.

        Raises BACKUP_FAILED with its last words, BACKUP_CANCELLED.
        """
        with self._started(name, arguments, env or {}, stdin=None, stdout=subprocess.DEVNULL) as (process, words):
            _await(process, task)
            return self._judge(name, process, words)

    def read(
        self, name: str, arguments: Sequence[str], *, env: dict[str, str], task: Task, count: bool = True
    ) -> Iterator[bytes]:
        """Return what a program writes on standard output; its failure, too, comes from here. As `run`."""
        done = 0
        with self._started(name, arguments, env, stdin=None, stdout=subprocess.PIPE) as (process, words):
            while piece := _pipe(process.stdout).read(_READ_BYTES):
                task.check()
                done += len(piece)
                if count:
                    task.on_bytes(done)
                yield piece
            _await(process, task)
            self._judge(name, process, words)

    def pipe(
        self,
        source: tuple[str, Sequence[str], dict[str, str]],
        sink: tuple[str, Sequence[str], dict[str, str]],
        *,
        task: Task,
    ) -> None:
        """Run two programs, the second reading what the first writes. As `run`."""
        name, arguments, env = sink
        with self._started(name, arguments, env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as (process, words):
            entry = _pipe(process.stdin)
            try:
                for piece in self.read(source[0], source[1], env=source[2], task=task, count=False):
                    entry.write(piece)
                entry.close()
            except BrokenPipeError:
                pass  # its own words say why
            _await(process, task)
            self._judge(name, process, words)

    @contextmanager
    def _started(
        self,
        name: str,
        arguments: Sequence[str],
        env: dict[str, str],
        *,
        stdin: int | None,
        stdout: int,
    ) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
        """Lend the running program, ended with the block at the latest, and a file of what it says: a pipe fills up."""
        with tempfile.TemporaryFile() as words:
            try:
                process = subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
                    [str(self.folder / name), *arguments],
                    stdin=subprocess.DEVNULL if stdin is None else stdin,
                    stdout=stdout,
                    stderr=words,
                    env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **env},
                    cwd="/",
                )
            except OSError as error:
                message = f"{self.folder / name} cannot be run: {error.strerror}"
                raise AlphintraError("SERVER_PROGRAM_MISSING", message, kind=Kind.UNAVAILABLE) from error
            try:
                yield process, words
            finally:
                if process.poll() is None:
                    process.kill()
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None and not pipe.closed:
                        with suppress(BrokenPipeError):
                            pipe.close()
                process.wait()

    @staticmethod
    def _judge(name: str, process: subprocess.Popen[bytes], words: IO[bytes]) -> str:
        words.seek(max(words.seek(0, 2) - _WORDS_BYTES, 0))
        lines = [line for line in words.read().decode(errors="replace").splitlines() if line.strip()]
        said = lines[-1].strip() if lines else "it said nothing"
        if process.returncode != 0:
            errors = [line.strip() for line in lines if "error:" in line or "FATAL:" in line]
            raise AlphintraError("BACKUP_FAILED", f"{name} failed: {(errors or [said])[0]}", kind=Kind.UNAVAILABLE)
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a backup or restore works with: programs, a folder for what is too large for memory, how it is watched."""

    programs: Programs
    scratch: Path
    task: Task


def _await(process: subprocess.Popen[bytes], task: Task) -> None:
    while True:
        try:
            process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            task.check()
        else:
            return


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise AlphintraError("BACKUP_FAILED", "a program has no pipe", kind=Kind.BUG)
    return pipe
