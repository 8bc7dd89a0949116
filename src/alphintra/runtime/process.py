"""One process of the platform: ``python -m alphintra.runtime.process CREDENTIALS_FILE``, started by the supervisor."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import uvloop

from alphintra import __version__
from alphintra.auth import app as auth
from alphintra.broker import app as broker
from alphintra.edge.app import build_app
from alphintra.edge.server import Server, serve
from alphintra.edge.settings import EdgeSettings
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.host import ServiceHost
from alphintra.infrastructure.nats_link import connect_nats
from alphintra.infrastructure.parts import Parts
from alphintra.infrastructure.system import SystemClock, SystemIds
from alphintra.infrastructure.telemetry import configure_logs, get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import EDGE_ASKS
from alphintra.nocode import app as nocode
from alphintra.notification import app as notification
from alphintra.risk import app as risk
from alphintra.runtime.credentials import EdgeCredentials, ProcessCredentials, read_credentials
from alphintra.runtime.readiness import announce_ready
from alphintra.strategy import app as strategy
from alphintra.trading import app as trading
from alphintra.user import app as user

__all__ = ["main"]

LOOPBACK: Final = "127.0.0.1"
EXIT_FAILED: Final = 1
GC_THRESHOLDS: Final = (50_000, 20, 20)  # the hot path makes many short-lived objects and few cycles

_WIRES: Final[Mapping[str, Callable[[ServiceHost, Parts], None]]] = MappingProxyType(
    {
        "auth": auth.wire,
        "broker": broker.wire,
        "nocode": nocode.wire,
        "notification": notification.wire,
        "risk": risk.wire,
        "strategy": strategy.wire,
        "trading": trading.wire,
        "user": user.wire,
    }
)


async def run(credentials: ProcessCredentials) -> None:
    """Run the process's services, and the edge where it lives here, until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    local = LocalDirectory()
    hosts = await asyncio.gather(
        *(
            ServiceHost.open(item, local=local, connections_max=credentials.connections_max)
            for item in credentials.services
        )
    )
    edge: tuple[Server, Bus] | None = None
    try:
        for host in hosts:
            _WIRES[host.service](host, credentials.parts)
        await asyncio.gather(*(host.start(credentials.parts) for host in hosts))
        if credentials.edge is not None:
            edge = await _start_edge(credentials.edge, local)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        announce_ready()
        get_logger().info("process.ready", services=[host.service for host in hosts], has_edge=edge is not None)
        await stop.wait()
    finally:
        if edge is not None:
            await edge[0].stop()
            await edge[1].close()
        await asyncio.gather(*(host.close() for host in hosts))


async def _start_edge(credentials: EdgeCredentials, local: LocalDirectory) -> tuple[Server, Bus]:
    asks = frozenset("{}.cmd.{}".format(*ask.split(".")) for ask in EDGE_ASKS)
    bus = Bus(name="edge", asks=asks, local=local, nats=await connect_nats(credentials.nats))
    settings = EdgeSettings(version=__version__, operator_token_sha256=credentials.operator_token_sha256)
    app = build_app(bus=bus, settings=settings, clock=SystemClock(), ids=SystemIds())
    return await serve(app, LOOPBACK, credentials.port), bus


def main() -> int:
    """Run the process whose credentials file is named on the command line."""
    credentials = read_credentials(Path(sys.argv[1]))
    configure_logs(credentials.name)
    try:
        uvloop.run(run(credentials))
    except AlphintraError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
