"""What the gateway counts, in the form Prometheus reads."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alphintra.edge.guards import Gate, Scope

__all__ = ["METRICS_MEDIA", "Metrics"]

METRICS_MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
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
            await gate.admit(request, Scope.ADMIN)
            return Response(generate_latest(self._registry), media_type=METRICS_MEDIA)

        return Route("/metrics", metrics, methods=["GET"])
