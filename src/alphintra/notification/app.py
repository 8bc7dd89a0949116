"""Composition root of notification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts.auth import UserRegistered
from alphintra.contracts.drift import DriftFound
from alphintra.contracts.notification import ListMessages, MarkRead
from alphintra.contracts.risk import AlertEscalated, AlertRaised, KillStateChanged
from alphintra.contracts.strategy import BacktestFinished, FeedFinished
from alphintra.contracts.trading import AccountOpened, FillBooked, MonthsMissing, OrderClosed, OrderDenied
from alphintra.notification.endpoints import Endpoints
from alphintra.notification.repository import Inboxes

if TYPE_CHECKING:
    from alphintra.infrastructure.host import Parts, ServiceHost

__all__ = ["wire"]


def wire(host: ServiceHost, _parts: Parts) -> None:
    """Enter what notification answers and hears."""
    endpoints = Endpoints(inboxes=Inboxes(host.database), clock=host.clock, ids=host.ids)
    host.bus.answer(ListMessages, endpoints.list_messages)
    host.bus.answer(MarkRead, endpoints.mark_read)
    host.hear(UserRegistered, endpoints.on_user_registered)
    host.hear(AccountOpened, endpoints.on_account_opened)
    host.hear(OrderDenied, endpoints.on_order_denied)
    host.hear(FillBooked, endpoints.on_fill_booked)
    host.hear(OrderClosed, endpoints.on_order_closed)
    host.hear(MonthsMissing, endpoints.on_months_missing)
    host.hear(KillStateChanged, endpoints.on_kill_state_changed)
    host.hear(BacktestFinished, endpoints.on_backtest_finished)
    host.hear(FeedFinished, endpoints.on_feed_finished)
    host.hear(DriftFound, endpoints.on_drift_found)
    host.hear(AlertRaised, endpoints.on_alert_raised)
    host.hear(AlertEscalated, endpoints.on_alert_escalated)
