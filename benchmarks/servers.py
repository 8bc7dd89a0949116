"""Bare PostgreSQL and NATS, as the platform runs them, in a process that ends with its standard input.

``python -m benchmarks.servers HOME`` prints one JSON line when both answer, and stops them when its input is closed.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Self

from alphintra.dataplane.bus_permissions import rights
from alphintra.runtime.embedded_nats import BusUser, EmbeddedNats
from alphintra.runtime.embedded_postgres import EmbeddedPostgres
from alphintra.runtime.home import Home
from alphintra.runtime.postgres_files import first_process
from benchmarks.children import ROOT, MeasureError, bare_environ
from benchmarks.machine import tree_cpu_s

__all__ = ["BareServers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Started:
    seconds: float
    programs: str
    socket: str
    port: int
    admin_url: str
    postgres_pid: int


class BareServers:
    """The two servers of one home, for the length of a ``with`` block."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __enter__(self) -> Self:
        """Start both side by side. Raises MeasureError if one does not start."""
        self._child = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "benchmarks.servers", str(self._home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=bare_environ(),
        )
        line = self._child.stdout.readline() if self._child.stdout else b""
        if not line:
            self._child.wait()
            raise MeasureError("the bare servers did not start; their words are above")
        self.started = _Started(**json.loads(line))
        self.cpu_s = tree_cpu_s(self._child.pid)
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop both."""
        if self._child.stdin is not None:
            self._child.stdin.close()
        self._child.wait()

    def postgres_cpu_s(self) -> float:
        """Return the CPU seconds PostgreSQL has used so far."""
        return tree_cpu_s(self.started.postgres_pid)


async def _run(path: Path) -> None:
    home = Home.open(path)
    users = {name: BusUser(publish=held.publish, subscribe=held.subscribe) for name, held in rights().items()}
    postgres, nats = EmbeddedPostgres(home), EmbeddedNats(home, users=users)
    at = perf_counter()
    await asyncio.gather(postgres.start(), nats.start())
    seconds = perf_counter() - at
    try:
        facts = {
            "seconds": seconds,
            "programs": str(postgres.programs),
            "socket": str(postgres.socket_folder),
            "port": postgres.port,
            "admin_url": postgres.admin_dsn(),
            "postgres_pid": first_process(postgres.data),
        }
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.buffer.read)
    finally:
        await asyncio.gather(postgres.stop(), nats.stop())


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1])))
