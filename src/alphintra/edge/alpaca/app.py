"""The routes below ``/alpaca``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alphintra.edge.alpaca import account, market, orders, positions
from alphintra.edge.alpaca.desk import Choices
from alphintra.edge.alpaca.errors import ALPACA_PREFIX, HANDLERS
from alphintra.edge.guards import Gate, Scope

__all__ = ["ALPACA_PREFIX", "ENDPOINTS", "AlpacaRoute", "build_alpaca"]


@dataclass(frozen=True, slots=True)
class AlpacaRoute:
    """One route: the scope is what its handler asks of the caller, named here for the tests that try it."""

    method: str
    path: str
    scope: Scope
    handler: Callable[[Request], Awaitable[Response]]


ENDPOINTS: Final = (
    AlpacaRoute("GET", "/v2/account", Scope.READ, account.get_account),
    AlpacaRoute("GET", "/v2/account/configurations", Scope.READ, account.get_configurations),
    AlpacaRoute("PATCH", "/v2/account/configurations", Scope.TRADE, account.change_configurations),
    AlpacaRoute("POST", "/v2/orders", Scope.TRADE, orders.submit_order),
    AlpacaRoute("GET", "/v2/orders", Scope.READ, orders.list_orders),
    AlpacaRoute("DELETE", "/v2/orders", Scope.TRADE, orders.cancel_all_orders),
    AlpacaRoute("GET", "/v2/orders:by_client_order_id", Scope.READ, orders.get_order_by_client_order_id),
    AlpacaRoute("GET", "/v2/orders/{order_id}", Scope.READ, orders.get_order),
    AlpacaRoute("DELETE", "/v2/orders/{order_id}", Scope.TRADE, orders.cancel_order),
    AlpacaRoute("GET", "/v2/positions", Scope.READ, positions.list_positions),
    AlpacaRoute("DELETE", "/v2/positions", Scope.TRADE, positions.close_all_positions),
    AlpacaRoute("GET", "/v2/positions/{symbol:path}", Scope.READ, positions.get_position),
    AlpacaRoute("DELETE", "/v2/positions/{symbol:path}", Scope.TRADE, positions.close_position),
    AlpacaRoute("GET", "/v2/assets", Scope.READ, market.list_assets),
    AlpacaRoute("GET", "/v2/assets/{symbol:path}", Scope.READ, market.get_asset),
    AlpacaRoute("GET", "/v2/clock", Scope.READ, market.get_clock),
    AlpacaRoute("GET", "/v2/calendar", Scope.READ, market.get_calendar),
)


def build_alpaca(gate: Gate) -> Starlette:
    """Return the application that is mounted at ``/alpaca``."""
    app = Starlette(
        routes=[Route(one.path, one.handler, methods=[one.method]) for one in ENDPOINTS],
        exception_handlers=dict(HANDLERS),
    )
    app.router.redirect_slashes = False
    app.state.gate = gate
    app.state.choices = Choices()
    return app
