"""The routes below ``/alpaca``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from alphintra.edge.alpaca import (
    account,
    activities,
    announcements,
    bars,
    history,
    market,
    orders,
    positions,
    watchlists,
)
from alphintra.edge.alpaca.desk import Choices
from alphintra.edge.alpaca.errors import ALPACA_PREFIX, HANDLERS
from alphintra.edge.alpaca.stream import stream
from alphintra.edge.alpaca.updates import Updates
from alphintra.edge.guards import Gate, Scope

__all__ = ["ALPACA_PREFIX", "ENDPOINTS", "AlpacaRoute", "build_alpaca"]


@dataclass(frozen=True, slots=True)
class AlpacaRoute:
    """One route: the scope is what its handler asks of the caller, named here for the tests that try it."""

    method: str
    path: str
    scope: Scope
    handler: Callable[[Request], Awaitable[Response]]


def _data_routes(root: str) -> tuple[AlpacaRoute, ...]:
    return (
        AlpacaRoute("GET", f"{root}/bars", Scope.READ, bars.list_bars),
        AlpacaRoute("GET", f"{root}/bars/latest", Scope.READ, bars.list_latest_bars),
        AlpacaRoute("GET", f"{root}/latest/bars", Scope.READ, bars.list_latest_bars),
        *(
            AlpacaRoute("GET", f"{root}/{path}", Scope.READ, bars.refuse_quotes_and_trades)
            for path in (
                "quotes",
                "quotes/latest",
                "latest/quotes",
                "trades",
                "trades/latest",
                "latest/trades",
                "snapshots",
                "latest/orderbooks",
            )
        ),
        AlpacaRoute("GET", f"{root}/{{symbol:path}}/bars", Scope.READ, bars.get_bars),
        AlpacaRoute("GET", f"{root}/{{symbol:path}}/bars/latest", Scope.READ, bars.get_latest_bar),
        AlpacaRoute("GET", f"{root}/{{symbol:path}}/quotes", Scope.READ, bars.refuse_quotes_and_trades),
        AlpacaRoute("GET", f"{root}/{{symbol:path}}/quotes/latest", Scope.READ, bars.refuse_quotes_and_trades),
        AlpacaRoute("GET", f"{root}/{{symbol:path}}/trades", Scope.READ, bars.refuse_quotes_and_trades),
        AlpacaRoute("GET", f"{root}/{{symbol:path}}/trades/latest", Scope.READ, bars.refuse_quotes_and_trades),
        AlpacaRoute("GET", f"{root}/{{symbol:path}}/snapshot", Scope.READ, bars.refuse_quotes_and_trades),
    )


ENDPOINTS: Final = (
    AlpacaRoute("GET", "/v2/account", Scope.READ, account.get_account),
    AlpacaRoute("GET", "/v2/account/configurations", Scope.READ, account.get_configurations),
    AlpacaRoute("PATCH", "/v2/account/configurations", Scope.TRADE, account.change_configurations),
    AlpacaRoute("GET", "/v2/account/activities", Scope.READ, activities.list_activities),
    AlpacaRoute("GET", "/v2/account/activities/{activity_type}", Scope.READ, activities.list_activities_of_type),
    AlpacaRoute("GET", "/v2/account/portfolio/history", Scope.READ, history.get_portfolio_history),
    AlpacaRoute("POST", "/v2/orders", Scope.TRADE, orders.submit_order),
    AlpacaRoute("GET", "/v2/orders", Scope.READ, orders.list_orders),
    AlpacaRoute("DELETE", "/v2/orders", Scope.TRADE, orders.cancel_all_orders),
    AlpacaRoute("GET", "/v2/orders:by_client_order_id", Scope.READ, orders.get_order_by_client_order_id),
    AlpacaRoute("GET", "/v2/orders/{order_id}", Scope.READ, orders.get_order),
    AlpacaRoute("PATCH", "/v2/orders/{order_id}", Scope.TRADE, orders.replace_order),
    AlpacaRoute("DELETE", "/v2/orders/{order_id}", Scope.TRADE, orders.cancel_order),
    AlpacaRoute("GET", "/v2/positions", Scope.READ, positions.list_positions),
    AlpacaRoute("DELETE", "/v2/positions", Scope.TRADE, positions.close_all_positions),
    AlpacaRoute("GET", "/v2/positions/{symbol:path}", Scope.READ, positions.get_position),
    AlpacaRoute("DELETE", "/v2/positions/{symbol:path}", Scope.TRADE, positions.close_position),
    AlpacaRoute("GET", "/v2/assets", Scope.READ, market.list_assets),
    AlpacaRoute("GET", "/v2/assets/{symbol:path}", Scope.READ, market.get_asset),
    AlpacaRoute("GET", "/v2/corporate_actions/announcements", Scope.READ, announcements.list_announcements),
    AlpacaRoute(
        "GET", "/v2/corporate_actions/announcements/{announcement_id}", Scope.READ, announcements.get_announcement
    ),
    AlpacaRoute("GET", "/v2/clock", Scope.READ, market.get_clock),
    AlpacaRoute("GET", "/v2/calendar", Scope.READ, market.get_calendar),
    AlpacaRoute("GET", "/v2/watchlists", Scope.READ, watchlists.list_watchlists),
    AlpacaRoute("POST", "/v2/watchlists", Scope.TRADE, watchlists.create_watchlist),
    AlpacaRoute("GET", "/v2/watchlists/{watchlist_id}", Scope.READ, watchlists.get_watchlist),
    AlpacaRoute("PUT", "/v2/watchlists/{watchlist_id}", Scope.TRADE, watchlists.replace_watchlist),
    AlpacaRoute("POST", "/v2/watchlists/{watchlist_id}", Scope.TRADE, watchlists.add_symbol),
    AlpacaRoute("DELETE", "/v2/watchlists/{watchlist_id}", Scope.TRADE, watchlists.delete_watchlist),
    AlpacaRoute("DELETE", "/v2/watchlists/{watchlist_id}/{symbol:path}", Scope.TRADE, watchlists.remove_symbol),
    AlpacaRoute("GET", "/v2/watchlists:by_name", Scope.READ, watchlists.get_watchlist),
    AlpacaRoute("PUT", "/v2/watchlists:by_name", Scope.TRADE, watchlists.replace_watchlist),
    AlpacaRoute("POST", "/v2/watchlists:by_name", Scope.TRADE, watchlists.add_symbol),
    AlpacaRoute("DELETE", "/v2/watchlists:by_name", Scope.TRADE, watchlists.delete_watchlist),
    AlpacaRoute("DELETE", "/v2/watchlists:by_name/{symbol:path}", Scope.TRADE, watchlists.remove_symbol),
    *_data_routes("/v2/stocks"),
    *_data_routes("/v1beta3/crypto/us"),
)


def build_alpaca(gate: Gate, updates: Updates) -> Starlette:
    """Return the application that is mounted at ``/alpaca``."""
    app = Starlette(
        routes=[
            *(Route(one.path, one.handler, methods=[one.method]) for one in ENDPOINTS),
            WebSocketRoute("/stream", stream),
        ],
        exception_handlers=dict(HANDLERS),
    )
    app.router.redirect_slashes = False
    app.state.gate = gate
    app.state.choices = Choices()
    app.state.updates = updates
    return app
