"""Composition root of broker."""

from __future__ import annotations

from random import SystemRandom
from typing import TYPE_CHECKING

from alphintra.broker.endpoints import Endpoints, LinkEndpoints
from alphintra.broker.gateways.adapters import Adapters
from alphintra.broker.gateways.approvals import Approvals
from alphintra.broker.gateways.marks import Marks
from alphintra.broker.repository.live import Live
from alphintra.broker.repository.records import Records
from alphintra.broker.service.link_worker import Keeping, LinkKeeper
from alphintra.broker.service.pricing import PriceKeeping
from alphintra.contracts import broker as messages
from alphintra.contracts.risk import KillScopeChanged, KillStateChanged
from alphintra.contracts.trading import AccountOpened, CancelRequested, CashBooked, OrderSubmitted, SplitApplied
from alphintra.infrastructure.signing import VerifyKey

if TYPE_CHECKING:
    from alphintra.infrastructure.host import Parts, ServiceHost

__all__ = ["wire"]

_KEYS = "connection_keys"


def wire(host: ServiceHost, parts: Parts) -> None:
    """Enter what broker answers, hears and does in the background.

    It needs risk's public key as the secret ``approval_verify_key``, and for connections of live accounts the keys
    that wrap their data keys as ``connection_keys``.
    """
    verify_key = VerifyKey.from_text(host.credentials.secrets["approval_verify_key"])
    live = Live(host.database)
    venues = Adapters(lambda: host.current_credentials().secrets.get(_KEYS, ""))
    approvals = Approvals(host.bus, verify_key=verify_key, clock=host.clock)
    endpoints = Endpoints(
        records=Records(host.database), live=live, venues=venues, approvals=approvals, clock=host.clock, ids=host.ids
    )
    host.bus.answer(messages.AdvanceMarket, endpoints.advance_market)
    host.bus.answer(messages.GetConnection, endpoints.get_connection)
    host.bus.answer(messages.ListConnections, endpoints.list_connections)
    host.bus.answer(messages.ListVenueOrders, endpoints.list_venue_orders)
    host.bus.answer(messages.SetPaperSettings, endpoints.set_paper_settings)
    host.hear(AccountOpened, endpoints.on_account_opened)
    host.hear(CashBooked, endpoints.on_cash_booked)
    host.hear(SplitApplied, endpoints.on_split_applied)
    host.hear_many((OrderSubmitted,), endpoints.on_orders_submitted)
    host.hear_many((CancelRequested,), endpoints.on_cancels_requested)
    host.hear(KillStateChanged, endpoints.on_kill_state_changed)
    host.hear(KillScopeChanged, endpoints.on_kill_scope_changed)
    _wire_links(host, LinkEndpoints(live=live, venues=venues, clock=host.clock, ids=host.ids))
    if parts.background:
        chance = SystemRandom().random
        keeping = Keeping(
            live=live,
            venues=venues,
            approvals=approvals,
            prices=PriceKeeping(live=live, marks=Marks(host.bus), clock=host.clock, ids=host.ids),
            clock=host.clock,
            ids=host.ids,
            chance=chance,
        )
        keeper = LinkKeeper(keeping)
        host.on_wake(keeper.wake)
        host.run("links", keeper.run)


def _wire_links(host: ServiceHost, endpoints: LinkEndpoints) -> None:
    host.bus.answer(messages.AddConnection, endpoints.add_connection)
    host.bus.answer(messages.CheckConnection, endpoints.check_connection)
    host.bus.answer(messages.CloseConnection, endpoints.close_connection)
    host.bus.answer(messages.ReconcileConnection, endpoints.reconcile_connection)
    host.bus.answer(messages.ListBreaks, endpoints.list_breaks)
    host.bus.answer(messages.ResolveBreak, endpoints.resolve_break)
    host.bus.answer(messages.AdoptExecution, endpoints.adopt_execution)
    host.bus.answer(messages.RotateConnectionKeys, endpoints.rotate_keys)
    host.bus.answer(messages.WatchPrices, endpoints.watch_prices)
    host.bus.answer(messages.ListWatchedPrices, endpoints.list_watched_prices)
    host.bus.answer(messages.ListVenueBars, endpoints.list_venue_bars)
