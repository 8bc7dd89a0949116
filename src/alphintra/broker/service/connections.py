"""Opening and reading connections."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.broker.domain.connections import Connection, open_paper_connection
from alphintra.broker.domain.paper import NOT_MODELLED, PaperSettings, preset_of
from alphintra.broker.repository.live import Live, LiveRows
from alphintra.broker.service.inbox import CONSUMER
from alphintra.broker.service.links import Venues, link_view, open_link, visible_link
from alphintra.contracts.broker import (
    ConnectionOpened,
    ConnectionsView,
    ConnectionView,
    GetConnection,
    PaperSettingsView,
)
from alphintra.infrastructure.events import Delivery, append_audit, append_event, receive_once
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.authority import is_for_account, require_for_account
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, UserId
from alphintra.kernel.vocabulary import AccountMode

if TYPE_CHECKING:
    from alphintra.broker.repository.records import Records
    from alphintra.contracts.trading import AccountOpened
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context

__all__ = ["get_connection", "list_connections", "open_connection", "settings_view", "visible_connection"]


async def open_connection(delivery: Delivery[AccountOpened], *, records: Records, ids: IdSource, at: datetime) -> None:
    """Connect a new paper account to its feed; a live account waits for somebody to add its venue and credentials."""
    event, context = delivery.event, delivery.context
    account_id = AccountId(event.account_id)
    connection = open_paper_connection(
        account_id, UserId(event.owner_id), mode=event.mode, feed_id=event.feed_id, at=at
    )
    async with records.transaction() as tx:
        if not await receive_once(tx.session, CONSUMER, delivery):
            return
        action = "connection.decline" if connection is None else "connection.open"
        if event.mode is AccountMode.LIVE:
            action = "connection.await"
            rows = LiveRows(tx.session)
            await open_link(rows, account_id, event.owner_id, starting_cash=event.starting_cash, at=at)
        detail: dict[str, object] = {"mode": event.mode, "feed_id": event.feed_id}
        await append_audit(tx.session, action, f"account:{account_id}", detail, ids=ids, context=context, at=at)
        if connection is None:
            get_logger().info(action, account_id=str(account_id), mode=event.mode)
            return
        await tx.add_connection(connection)
        opened = ConnectionOpened(account_id=account_id, adapter=connection.adapter)
        await append_event(tx.session, opened, ids=ids, aggregate_id=account_id, context=context, at=at)


async def get_connection(
    command: GetConnection, context: Context, *, records: Records, live: Live, venues: Venues
) -> ConnectionView:
    """Return an account's connection, of a paper account with its settings.

    Raises CONNECTION_NOT_FOUND, also for the account of somebody else.
    """
    link = await visible_link(command.account_id, context, live=live)
    if link is not None:
        return await link_view(link, venues)
    connection = await visible_connection(command.account_id, context, records)
    settings = await records.paper_settings(connection.account_id)
    return _connection_view(connection, settings)


async def list_connections(context: Context, *, records: Records, live: Live, venues: Venues) -> ConnectionsView:
    """Return the acting user's connections, oldest first, on paper with their settings. Raises USER_REQUIRED."""
    if context.actor.user_id is None:
        raise AlphintraError("USER_REQUIRED", "only a signed-in person has connections", kind=Kind.FORBIDDEN)
    owner_id = UserId(context.actor.user_id)
    connections = await records.connections_of(owner_id)
    settings = await records.paper_settings_of(owner_id)
    async with live.reading() as rows:
        links = await rows.links.of_owner(owner_id)
    actor = context.actor
    papers = [
        _connection_view(each, settings.get(each.account_id, PaperSettings()))
        for each in connections
        if is_for_account(actor, each.account_id, AccountMode.PAPER)
    ]
    lives = [await link_view(one, venues) for one in links if is_for_account(actor, one.account_id, AccountMode.LIVE)]
    return ConnectionsView(connections=(*papers, *lives))


async def visible_connection(account_id: UUID, context: Context, records: Records) -> Connection:
    """Return the connection of an account the actor may see. Raises CONNECTION_NOT_FOUND."""
    actor = context.actor
    connection = await records.connection(AccountId(account_id))
    trusted = "operator" in actor.roles or actor.id.startswith("service:")
    if connection is None or not (trusted or connection.owner_id == actor.user_id):
        message = f"account {account_id} has no connection (yet): list your accounts"
        raise AlphintraError("CONNECTION_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/account_id")
    require_for_account(actor, connection.account_id, AccountMode.PAPER)
    return connection


def settings_view(account_id: AccountId, settings: PaperSettings) -> PaperSettingsView:
    """Return what people are shown of the settings, with what the paper venue does not model."""
    return PaperSettingsView(
        account_id=account_id,
        preset=preset_of(settings),
        slippage_bps=settings.slippage_bps,
        commission_bps=settings.fees.commission_bps,
        fee_per_share=settings.fees.per_share,
        fee_minimum=settings.fees.minimum,
        participation=settings.participation,
        reject_bps=settings.reject_bps,
        latency_bars=settings.latency_bars,
        not_modelled=NOT_MODELLED,
    )


def _connection_view(connection: Connection, settings: PaperSettings) -> ConnectionView:
    return ConnectionView(
        account_id=connection.account_id,
        adapter=connection.adapter,
        feed_id=connection.feed_id,
        status=connection.status,
        opened_at=connection.opened_at,
        paper=settings_view(connection.account_id, settings),
    )
