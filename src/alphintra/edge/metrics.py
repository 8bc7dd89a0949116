"""What the gateway counts, in the form Prometheus reads."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alphintra.edge.guards import EDGE, Caller, Gate, Scope
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.health import HEALTH_COMMANDS
from alphintra.kernel.messages import Context
from alphintra.manifest import SERVICES

__all__ = ["METRICS_MEDIA", "Metrics"]

METRICS_MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CUT_BY_MONTH: Final = tuple(spec.name for spec in SERVICES.values() if any(table.by_month for table in spec.tables))
_ANSWER_S_MAX: Final = 2.0
_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30)


class Metrics:
    """Counters of one gateway; names and labels are stable, routes are named by their operation."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._requests = Counter(
            "alphintra_http_requests",
            "Requests answered, by operation and status.",
            ("method", "operation", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "alphintra_http_request_seconds",
            "Time from a request to its answer, by operation.",
            ("operation",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._kept_until = Gauge(
            "alphintra_months_kept_until_seconds",
            "First instant that no month of the tables cut by month holds, in seconds since 1970; 0 for none.",
            ("service",),
            registry=self._registry,
        )
        self._rest = Gauge(
            "alphintra_months_rest",
            "Whether rows of such tables lie outside of every month.",
            ("service",),
            registry=self._registry,
        )
        self._known: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    def answered(self, scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
        """Count an answer."""
        method = scope["method"]
        key = (method if method in _METHODS else "other", getattr(scope.get("endpoint"), "__name__", "none"), status)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = (self._requests.labels(*key), self._seconds.labels(key[1]))
        found[0].inc()
        found[1].observe(seconds)

    def route(self, gate: Gate) -> Route:
        """Return the route that shows everything to the operator and to keys with the scope ``admin``."""

        async def metrics(request: Request) -> Response:
            caller = await gate.admit(request, Scope.ADMIN)
            await asyncio.gather(*(self._ask_months(service, caller) for service in _CUT_BY_MONTH))
            return Response(generate_latest(self._registry), media_type=METRICS_MEDIA)

        return Route("/metrics", metrics, methods=["GET"])

    async def _ask_months(self, service: str, caller: Caller) -> None:
        """Take over how a service's months stand; of one that does not answer nothing is shown."""
        context = Context(trace_id=caller.context.trace_id, actor=EDGE)
        try:
            months = (await caller.gate.bus.ask(HEALTH_COMMANDS[service](), context, timeout_s=_ANSWER_S_MAX)).months
        except AlphintraError:
            months = None
        if months is None:
            for gauge in (self._kept_until, self._rest):
                with suppress(KeyError):
                    gauge.remove(service)
            return
        self._kept_until.labels(service).set(months.kept_until.timestamp() if months.kept_until else 0)
        self._rest.labels(service).set(months.has_rest)
