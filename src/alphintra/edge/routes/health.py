"""Whether the eight services are well, each as its own database sees it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

import msgspec

from alphintra.edge.guards import EDGE, Caller
from alphintra.edge.routing import Public, Routes
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.health import HEALTH_COMMANDS, MonthsView
from alphintra.kernel.messages import Context

__all__ = ["routes"]

routes = Routes("health")

ANSWER_S_MAX: Final = 2.0


class ServiceHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One service: ``status`` is ok or down; of one that is down only the name and the failure's code are known."""

    service: str
    status: str
    database: str | None = None
    role: str | None = None
    migrations: int | None = None
    events_waiting: int | None = None
    latency_ms: float | None = None
    months: MonthsView | None = None
    code: str = ""


class PlatformHealth(msgspec.Struct, frozen=True, kw_only=True):
    """All eight services; ``status`` is ok if each of them is."""

    status: str
    version: str
    services: tuple[ServiceHealth, ...]


@routes.get("/health")
async def get_health(caller: Public) -> PlatformHealth:
    """Ask all eight services for their health; answers 503 if any of them is down."""
    services = tuple(await asyncio.gather(*(_health_of(service, caller) for service in HEALTH_COMMANDS)))
    is_well = all(one.status == "ok" for one in services)
    caller.status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
    return PlatformHealth(
        status="ok" if is_well else "down",
        version=caller.gate.version,
        services=services,
    )


async def _health_of(service: str, caller: Caller) -> ServiceHealth:
    context = Context(trace_id=caller.context.trace_id, actor=EDGE)
    try:
        view = await caller.gate.bus.ask(HEALTH_COMMANDS[service](), context, timeout_s=ANSWER_S_MAX)
    except AlphintraError as error:
        return ServiceHealth(service=service, status="down", code=error.code)
    return ServiceHealth(
        service=service,
        status="ok",
        database=view.database,
        role=view.role,
        migrations=view.migrations,
        events_waiting=view.events_waiting,
        latency_ms=view.latency_ms,
        months=view.months,
    )
