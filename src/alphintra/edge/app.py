"""Composition root of the gateway: hot routes outside, the wide API mounted, one front before both."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from alphintra.edge.alpaca.app import ALPACA_PREFIX, build_alpaca
from alphintra.edge.alpaca.updates import Updates
from alphintra.edge.front import Front
from alphintra.edge.guards import Gate
from alphintra.edge.live.hub import Hub
from alphintra.edge.live.socket import stream
from alphintra.edge.metrics import Metrics
from alphintra.edge.openapi import API_PREFIX, describe
from alphintra.edge.pages import api_page, home_page, setup_page
from alphintra.edge.problems import handlers
from alphintra.edge.routes import (
    accounts,
    connections,
    courses,
    governance,
    health,
    holdings,
    identity,
    market_data,
    messages,
    operator,
    orders,
    portfolio,
    risk,
    sample,
    session,
    sharing,
    strategies,
    surveillance,
    sweeps,
    workflows,
)
from alphintra.edge.routing import Operation
from alphintra.edge.settings import EdgeSettings
from alphintra.edge.web import WebInterface
from alphintra.infrastructure.bus import Bus
from alphintra.infrastructure.event_tap import EventTap
from alphintra.kernel.clock import Clock
from alphintra.kernel.ids import IdSource

__all__ = ["OPERATIONS", "build_app"]

_RESOURCES: Final = tuple(
    module.routes
    for module in (
        health,
        identity,
        session,
        workflows,
        sharing,
        market_data,
        strategies,
        courses,
        accounts,
        connections,
        holdings,
        portfolio,
        orders,
        risk,
        surveillance,
        sweeps,
        sample,
        governance,
        messages,
        operator,
    )
)
_WIDE: Final = tuple(operation for resource in _RESOURCES for operation in resource.operations)
OPERATIONS: Final[tuple[Operation, ...]] = (*_WIDE, *orders.HOT_OPERATIONS)


def build_app(
    *,
    bus: Bus,
    settings: EdgeSettings,
    clock: Clock,
    ids: IdSource,
    tap: EventTap | None = None,
    live: EventTap | None = None,
) -> Starlette:
    """Return the gateway as an ASGI application; it owns nothing that needs closing.

    Args:
        bus: named ``edge``, with the rights of the manifest's EDGE_ASKS.
        settings: version, operator token hash, allowed hosts.
        clock: decides whether tokens are valid and proofs still fresh.
        ids: names uploads.
        tap: where trade updates are heard; without it that stream refuses to be listened to.
        live: where everything the live stream tells of is heard; the same holds for it.
    """
    metrics = Metrics()
    gate = Gate(bus=bus, settings=settings, clock=clock, ids=ids)
    wide = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for resource in _RESOURCES:
        wide.include_router(resource.router)

    @cache
    def description() -> dict[str, Any]:
        return describe(version=settings.version, wide=wide.routes, operations=_WIDE, hot=orders.HOT_OPERATIONS)

    outside: list[Route | WebSocketRoute | Mount] = [
        *_pages(settings, description),
        metrics.route(gate),
        *orders.hot_routes(),
        WebSocketRoute(f"{API_PREFIX}/stream", stream),
        Mount(API_PREFIX, app=wide),
        Mount(ALPACA_PREFIX, app=build_alpaca(gate, Updates(tap))),
    ]
    caught = handlers(_methods_of(outside))
    wide.exception_handlers.update(caught)  # before the first request builds the stack
    app = Starlette(
        routes=outside,
        middleware=[Middleware(Front, settings=settings, metrics=metrics, clock=clock), Middleware(_Shortcut)],
        exception_handlers=caught,
    )
    app.router.redirect_slashes = False
    if settings.web_folder is not None:
        app.router.default = WebInterface(settings.web_folder, version=settings.version).behind(app.router.default)
    app.state.gate = gate
    app.state.hub = Hub(gate, live)
    wide.state.gate = gate
    return app


class _Shortcut:
    """Answers the request that comes most often without looking through the routes for it.

    What the endpoint raises is answered by the front, as what the routes raise is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._endpoints = {
            (method, route.path): route.endpoint
            for route in orders.hot_routes()
            if not route.param_convertors
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        endpoint = self._endpoints.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        scope["endpoint"] = endpoint  # by which requests are counted
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


def _pages(settings: EdgeSettings, description: Callable[[], dict[str, Any]]) -> list[Route]:
    async def home(_request: Request) -> Response:
        return home_page(settings.version)

    async def setup(_request: Request) -> Response:
        return setup_page()

    async def openapi(_request: Request) -> Response:
        return Response(msgspec.json.encode(description()), media_type="application/json")

    async def docs(_request: Request) -> Response:
        return api_page(description())

    # Where there may be a web interface it has these two paths, as all that no route has.
    without_web = [Route("/", home, methods=["GET"]), Route("/setup", setup, methods=["GET"])]
    return [
        *(without_web if settings.web_folder is None else ()),
        Route("/api/openapi.json", openapi, methods=["GET"]),
        Route("/api/docs", docs, methods=["GET"]),
    ]


def _methods_of(outside: Sequence[Route | WebSocketRoute | Mount]) -> Callable[[str], Sequence[str]]:
    """Return a function from a path to the methods it takes, whichever of the two applications serves them."""
    known = [
        (route.path_regex, method) for route in outside if isinstance(route, Route) for method in route.methods or ()
    ]
    known += [
        (re.compile(re.sub(r"\{\w+\}", "[^/]+", API_PREFIX + operation.path) + "$"), operation.method)
        for operation in _WIDE
    ]

    def methods_of(path: str) -> Sequence[str]:
        return sorted({method for pattern, method in known if pattern.match(path)})

    return methods_of
