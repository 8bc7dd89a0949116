"""Watchlists in Alpaca's terms, by id and by name."""

from __future__ import annotations

import asyncio
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from alphintra.contracts.risk import GetLimits
from alphintra.contracts.user import (
    ChangeWatchlist,
    CreateWatchlist,
    DeleteWatchlist,
    GetWatchlist,
    ListWatchlists,
    WatchlistView,
)
from alphintra.edge.alpaca.desk import Desk, desk_of
from alphintra.edge.alpaca.reading import body_of, path_id, query_of, symbol_of
from alphintra.edge.alpaca.shapes import asset_shape, json_response, moment
from alphintra.edge.guards import Scope

__all__ = [
    "add_symbol",
    "create_watchlist",
    "delete_watchlist",
    "get_watchlist",
    "list_watchlists",
    "remove_symbol",
    "replace_watchlist",
]


async def list_watchlists(request: Request) -> Response:
    """List watchlists, without their assets."""
    desk = await desk_of(request, Scope.READ)
    found = await desk.caller.ask(ListWatchlists(account_id=desk.account_id))
    return json_response([_shape(item) for item in found.watchlists])


async def create_watchlist(request: Request) -> Response:
    """Make a watchlist of symbols."""
    desk = await desk_of(request, Scope.TRADE)
    body = await body_of(request)
    name, symbols = body.required_text("name"), tuple(map(symbol_of, body.texts("symbols")))
    made = await desk.caller.ask(CreateWatchlist(account_id=desk.account_id, name=name, symbols=symbols))
    return json_response(await _with_assets(desk, made))


async def get_watchlist(request: Request) -> Response:
    """Fetch a watchlist with its assets."""
    desk = await desk_of(request, Scope.READ)
    watchlist_id, name = _named(request)
    command = GetWatchlist(account_id=desk.account_id, watchlist_id=watchlist_id, name=name)
    return json_response(await _with_assets(desk, await desk.caller.ask(command)))


async def replace_watchlist(request: Request) -> Response:
    """Give a watchlist another name, other symbols, or both."""
    desk = await desk_of(request, Scope.TRADE)
    body = await body_of(request)
    watchlist_id, name = _named(request)
    command = ChangeWatchlist(
        account_id=desk.account_id,
        watchlist_id=watchlist_id,
        name=name,
        new_name=body.text("name"),
        symbols=tuple(map(symbol_of, body.texts("symbols"))) if body.has("symbols") else None,
    )
    return json_response(await _with_assets(desk, await desk.caller.ask(command)))


async def add_symbol(request: Request) -> Response:
    """Add a symbol at the end of a watchlist; one that is in it stays where it is."""
    desk = await desk_of(request, Scope.TRADE)
    body = await body_of(request)
    watchlist_id, name = _named(request)
    added = symbol_of(body.required_text("symbol"))
    command = ChangeWatchlist(account_id=desk.account_id, watchlist_id=watchlist_id, name=name, added=added)
    return json_response(await _with_assets(desk, await desk.caller.ask(command)))


async def remove_symbol(request: Request) -> Response:
    """Take a symbol out of a watchlist."""
    desk = await desk_of(request, Scope.TRADE)
    watchlist_id, name = _named(request)
    removed = symbol_of(request.path_params["symbol"])
    command = ChangeWatchlist(account_id=desk.account_id, watchlist_id=watchlist_id, name=name, removed=removed)
    return json_response(await _with_assets(desk, await desk.caller.ask(command)))


async def delete_watchlist(request: Request) -> Response:
    """Forget a watchlist, named by its id in the path or by its name in the query."""
    desk = await desk_of(request, Scope.TRADE)
    watchlist_id, name = _named(request)
    await desk.caller.ask(DeleteWatchlist(account_id=desk.account_id, watchlist_id=watchlist_id, name=name))
    return Response(status_code=204)


def _named(request: Request) -> tuple[UUID | None, str | None]:
    """Return the id in the path, or the name in the query of the routes by name."""
    if "watchlist_id" in request.path_params:
        return path_id(request, "watchlist_id"), None
    return None, query_of(request).required_text("name")


async def _with_assets(desk: Desk, watchlist: WatchlistView) -> dict[str, object]:
    datasets, limits = await asyncio.gather(desk.datasets(), desk.caller.ask(GetLimits(account_id=desk.account_id)))
    assets = [asset_shape(one, datasets.get(one), may_short=limits.may_short) for one in watchlist.symbols]
    return {**_shape(watchlist), "assets": assets}


def _shape(watchlist: WatchlistView) -> dict[str, object]:
    return {
        "id": watchlist.watchlist_id,
        "account_id": watchlist.account_id,
        "name": watchlist.name,
        "created_at": moment(watchlist.created_at),
        "updated_at": moment(watchlist.updated_at),
    }
