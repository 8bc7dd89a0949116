"""Connections of live accounts to their venues, and the differences found there."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends

from alphintra.contracts.broker import (
    AddConnection,
    AdoptExecution,
    BreaksView,
    BreakView,
    CheckConnection,
    CloseConnection,
    ConnectionCheckView,
    ConnectionsView,
    ConnectionView,
    KeysRotatedView,
    ListBreaks,
    ListConnections,
    ListWatchedPrices,
    ReconcileConnection,
    ResolveBreak,
    RotateConnectionKeys,
    WatchedPricesView,
    WatchPrices,
)
from alphintra.edge.routing import Admin, Body, PageLimit, Reader, Routes, Trader

__all__ = ["routes"]

routes = Routes("connections")


class ConnectionBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A venue for a live account; ``confirm`` is the word ``live`` where the environment is the one with money."""

    adapter: str
    environment: str
    credentials: dict[str, str]
    exchange: str = ""
    base_url: str = ""
    confirm: str = ""


class SymbolsBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Symbols, e.g. AAPL or BTC/USD."""

    symbols: tuple[str, ...]


class ResolutionBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a person found out about a break; ``drop_order`` ends an order that the venue does not have."""

    resolution: str
    drop_order: bool = False


class AdoptionBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why an execution that was not ordered here belongs into the books."""

    reason: str


@routes.get("/connections")
async def list_connections(caller: Reader) -> ConnectionsView:
    """List the connections of one's accounts, with what their venues can do."""
    return await caller.ask(ListConnections())


@routes.put("/accounts/{account_id}/connection")
async def add_connection(
    caller: Trader, account_id: UUID, body: Annotated[ConnectionBody, Depends(Body(ConnectionBody))]
) -> ConnectionView:
    """Give a live account its venue, or new credentials for it."""
    caller.require_recent()
    command = AddConnection(
        account_id=account_id,
        adapter=body.adapter,
        environment=body.environment,
        credentials=body.credentials,
        exchange=body.exchange,
        base_url=body.base_url,
        confirm=body.confirm,
    )
    return await caller.ask(command)


@routes.post("/accounts/{account_id}/connection/check")
async def check_connection(caller: Trader, account_id: UUID) -> ConnectionCheckView:
    """Ask the venue a question that changes nothing."""
    return await caller.ask(CheckConnection(account_id=account_id))


@routes.post("/accounts/{account_id}/connection/reconcile")
async def reconcile_connection(caller: Trader, account_id: UUID) -> ConnectionView:
    """Compare orders, executions, positions and cash with the venue now."""
    return await caller.ask(ReconcileConnection(account_id=account_id))


@routes.delete("/accounts/{account_id}/connection")
async def close_connection(caller: Trader, account_id: UUID) -> ConnectionView:
    """End a connection for good and delete its credentials."""
    return await caller.ask(CloseConnection(account_id=account_id))


@routes.get("/accounts/{account_id}/connection/prices")
async def list_watched_prices(caller: Reader, account_id: UUID) -> WatchedPricesView:
    """List the prices a connection asks for at its venue, with the newest of each."""
    return await caller.ask(ListWatchedPrices(account_id=account_id))


@routes.put("/accounts/{account_id}/connection/prices")
async def watch_prices(
    caller: Trader, account_id: UUID, body: Annotated[SymbolsBody, Depends(Body(SymbolsBody))]
) -> WatchedPricesView:
    """Say which prices a connection asks for, in place of what was said before."""
    return await caller.ask(WatchPrices(account_id=account_id, symbols=body.symbols))


@routes.get("/accounts/{account_id}/breaks")
async def list_breaks(
    caller: Reader, account_id: UUID, limit: PageLimit = 100, *, resolved: bool = False
) -> BreaksView:  # fmt: skip
    """List differences between the venue and us, newest first; resolved ones too where asked for."""
    return await caller.ask(ListBreaks(account_id=account_id, is_open=not resolved, limit=limit))


@routes.post("/breaks/{break_id}/resolve")
async def resolve_break(
    caller: Trader, break_id: UUID, body: Annotated[ResolutionBody, Depends(Body(ResolutionBody))]
) -> BreakView:
    """Close a break with what a person found out."""
    command = ResolveBreak(break_id=break_id, resolution=body.resolution, drop_order=body.drop_order)
    return await caller.ask(command)


@routes.post("/breaks/{break_id}/adopt")
async def adopt_execution(
    caller: Trader, break_id: UUID, body: Annotated[AdoptionBody, Depends(Body(AdoptionBody))]
) -> BreakView:
    """Take an execution that was not ordered here into the account's books."""
    return await caller.ask(AdoptExecution(break_id=break_id, reason=body.reason))


@routes.post("/connections/rotate-keys")
async def rotate_keys(caller: Admin) -> KeysRotatedView:
    """Wrap every connection's data key by the newest key of this installation."""
    return await caller.ask(RotateConnectionKeys())
