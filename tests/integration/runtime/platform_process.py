"""A supervisor in a process of its own: ``platform_process.py HOME [with-children]``, for tests that kill it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from alphintra.runtime.embedded_nats import EmbeddedNats
from alphintra.runtime.embedded_postgres import EmbeddedPostgres
from alphintra.runtime.home import Home
from alphintra.runtime.supervisor import Supervisor
from alphintra.runtime.units import ProcessSpec, Unit

# Ready, with a child of its own; both ignore requests to stop, as a hanging service would.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork():
    from alphintra.runtime.readiness import announce_ready
    announce_ready()
while True:
    time.sleep(60)
"""


class SteadyClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


async def main(path: Path, *, has_children: bool) -> None:
    home = Home.open(path)
    servers: list[Unit] = [EmbeddedPostgres(home), EmbeddedNats(home, users={})]
    supervisor = Supervisor(home, clock=SteadyClock(), servers=servers if not has_children else servers[:1])

    async def prepare() -> Sequence[ProcessSpec]:
        spec = ProcessSpec(name="stubborn", argv=(sys.executable, "-c", STUBBORN), env={})
        return [replace(spec, stop_timeout_s=120.0)] if has_children else []

    await supervisor.run(prepare, on_ready=lambda _: print("up", flush=True))  # noqa: T201 - the test waits for it


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), has_children=len(sys.argv) > 2))
