# ruff: noqa: PLC0415 - rooms are loaded where they are needed: a process that serves no HTTP pays for no web framework
"""One process of the platform: ``python -m alphintra.runtime.process CREDENTIALS_FILE``, started by the supervisor."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvloop

from alphintra import __version__
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.host import ServiceHost
from alphintra.infrastructure.nats_link import connect_nats
from alphintra.infrastructure.parts import Parts
from alphintra.infrastructure.system import SystemClock, SystemIds
from alphintra.infrastructure.telemetry import configure_logs, get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest import EDGE_ASKS
from alphintra.runtime.credentials import EdgeCredentials, ProcessCredentials, read_credentials, service_credentials
from alphintra.runtime.readiness import announce_ready

if TYPE_CHECKING:
    from alphintra.edge.server import Server

__all__ = ["main"]

EXIT_FAILED: Final = 1
GC_THRESHOLDS: Final = (50_000, 20, 20)  # the hot path makes many short-lived objects and few cycles

Wire = Callable[[ServiceHost, Parts], None]


def _wire_of(service: str) -> Wire:  # noqa: PLR0911 - one answer per service
    """Return a service's composition root; only the services of this process are loaded, to keep it small."""
    match service:
        case "auth":
            from alphintra.auth.app import wire as wire_auth

            return wire_auth
        case "broker":
            from alphintra.broker.app import wire as wire_broker

            return wire_broker
        case "nocode":
            from alphintra.nocode.app import wire as wire_nocode

            return wire_nocode
        case "notification":
            from alphintra.notification.app import wire as wire_notification

            return wire_notification
        case "risk":
            from alphintra.risk.app import wire as wire_risk

            return wire_risk
        case "strategy":
            from alphintra.strategy.app import wire as wire_strategy

            return wire_strategy
        case "trading":
            from alphintra.trading.app import wire as wire_trading

            return wire_trading
        case "user":
            from alphintra.user.app import wire as wire_user

            return wire_user
        case _:
            raise AlphintraError("SERVICE_UNKNOWN", f"there is no service {service}", kind=Kind.BUG)


async def run(credentials: ProcessCredentials, *, source: Path | None = None) -> None:
    """Run the process's services, and the edge where it lives here, until SIGTERM or SIGINT.

    ``source`` is the file the credentials came from, read again where a database's password has been replaced.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    local = LocalDirectory()
    hosts = await asyncio.gather(
        *(
            ServiceHost.open(
                item,
                local=local,
                connections_max=credentials.connections_max,
                reread=None if source is None else partial(service_credentials, source, item.service),
            )
            for item in credentials.services
        )
    )
    edge: tuple[Server, Bus] | None = None
    try:
        for host in hosts:
            _wire_of(host.service)(host, credentials.parts)
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
    from alphintra.edge.alpaca.updates import HEARD
    from alphintra.edge.app import build_app
    from alphintra.edge.live.channels import HEARD as LIVE
    from alphintra.edge.server import serve
    from alphintra.edge.settings import EdgeSettings
    from alphintra.infrastructure.event_tap import EventTap

    nats = await connect_nats(credentials.nats)
    bus = Bus(name="edge", asks=asks, local=local, nats=nats)
    settings = EdgeSettings(
        version=__version__,
        operator_token_sha256=credentials.operator_token_sha256,
        rate_limit=credentials.rate_limit,
        allowed_hosts=credentials.allowed_hosts,
        web_folder=Path(__file__).parents[1] / "webdist",
        inspector_bell=Path(credentials.inspector_bell) if credentials.inspector_bell else None,
    )
    app = build_app(
        bus=bus,
        settings=settings,
        clock=SystemClock(),
        ids=SystemIds(),
        tap=EventTap(nats, HEARD),
        live=EventTap(nats, LIVE),
    )
    return await serve(app, credentials.host, credentials.port), bus


def main() -> int:
    """Run the process whose credentials file is named on the command line."""
    source = Path(sys.argv[1])
    credentials = read_credentials(source)
    configure_logs(credentials.name)
    try:
        uvloop.run(run(credentials, source=source))
    except AlphintraError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
