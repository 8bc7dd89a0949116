"""Composition root of broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.broker.endpoints import Endpoints
from alphintra.broker.gateways.approvals import Approvals
from alphintra.broker.repository.records import Records
from alphintra.contracts.broker import AdvanceMarket, GetConnection, ListConnections, ListVenueOrders, SetPaperSettings
from alphintra.contracts.risk import KillStateChanged
from alphintra.contracts.trading import AccountOpened, CancelRequested, OrderSubmitted
from alphintra.infrastructure.signing import VerifyKey

if TYPE_CHECKING:
    from alphintra.infrastructure.host import Parts, ServiceHost

__all__ = ["wire"]


def wire(host: ServiceHost, _parts: Parts) -> None:
    """Enter what broker answers and hears; it needs risk's public key as the secret ``approval_verify_key``."""
    verify_key = VerifyKey.from_text(host.credentials.secrets["approval_verify_key"])
    endpoints = Endpoints(
        records=Records(host.database),
        approvals=Approvals(host.bus, verify_key=verify_key, clock=host.clock),
        clock=host.clock,
        ids=host.ids,
    )
    host.bus.answer(AdvanceMarket, endpoints.advance_market)
    host.bus.answer(GetConnection, endpoints.get_connection)
    host.bus.answer(ListConnections, endpoints.list_connections)
    host.bus.answer(ListVenueOrders, endpoints.list_venue_orders)
    host.bus.answer(SetPaperSettings, endpoints.set_paper_settings)
    host.hear(AccountOpened, endpoints.on_account_opened)
    host.hear_many((OrderSubmitted,), endpoints.on_orders_submitted)
    host.hear_many((CancelRequested,), endpoints.on_cancels_requested)
    host.hear(KillStateChanged, endpoints.on_kill_state_changed)
