"""Strategy in a process of its own, so that a test can kill it as a power cut would; its time is a file's.

Called with a file of JSON: database_url, nats (url, user, seed), catalogue, clock (the file with the time), ready (the
file it makes once it answers), urls of sources.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from alphintra.infrastructure.bus import LocalDirectory
from alphintra.infrastructure.host import Parts, ServiceCredentials, ServiceHost
from alphintra.infrastructure.nats_link import NatsCredentials
from alphintra.strategy import app
from alphintra.strategy.gateways.bar_sources import Sources
from alphintra.strategy.service import feed_runner, live_runner

LOOK_S = 0.1  # how long a feed rests before it looks at the time again


@dataclass(frozen=True, slots=True)
class FileClock:
    """A clock that shows what stands in a file, which is replaced as a whole."""

    path: Path

    def now(self) -> datetime:
        """Return the time in the file."""
        return datetime.fromisoformat(self.path.read_text())


async def run(told: dict[str, Any]) -> None:
    """Be the service until the process ends."""
    for module in (feed_runner, live_runner):
        vars(module)["IDLE_S"] = LOOK_S
    vars(app)["Sources"] = partial(Sources, urls=told["urls"])
    credentials = ServiceCredentials(
        service="strategy",
        database_url=told["database_url"],
        nats=NatsCredentials(**told["nats"]),
        options={"catalogue": told["catalogue"]},
    )
    host = await ServiceHost.open(credentials, local=LocalDirectory(), connections_max=8)
    host.clock = FileClock(Path(told["clock"]))
    app.wire(host, Parts(work=False))
    await host.start(Parts(work=False))
    await asyncio.to_thread(Path(told["ready"]).touch)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(json.loads(Path(sys.argv[1]).read_text())))
