"""Ways into notification: commands and events; each decoded, one use case, encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts.notification import ListMessages, MarkRead, MessagesView, MessageView
from alphintra.notification import service

if TYPE_CHECKING:
    from alphintra.contracts.auth import UserRegistered
    from alphintra.contracts.drift import DriftFound
    from alphintra.contracts.risk import AlertEscalated, AlertRaised, KillStateChanged
    from alphintra.contracts.strategy import BacktestFinished, FeedFinished
    from alphintra.contracts.trading import AccountOpened, FillBooked, MonthsMissing, OrderClosed, OrderDenied
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.notification.repository import Inboxes

__all__ = ["Endpoints"]


class Endpoints:
    """Handlers with what they need at hand."""

    def __init__(self, *, inboxes: Inboxes, clock: Clock, ids: IdSource) -> None:
        self._inboxes = inboxes
        self._clock = clock
        self._ids = ids

    async def list_messages(self, command: ListMessages, context: Context) -> MessagesView:
        """Answer ``notification.list_messages``."""
        return await service.list_messages(command, context, inboxes=self._inboxes)

    async def mark_read(self, command: MarkRead, context: Context) -> MessageView:
        """Answer ``notification.mark_read``."""
        return await service.mark_read(command, context, inboxes=self._inboxes, at=self._clock.now())

    async def on_user_registered(self, delivery: Delivery[UserRegistered]) -> None:
        """Hear ``auth.user_registered``."""
        await service.add_recipient(delivery, inboxes=self._inboxes)

    async def on_account_opened(self, delivery: Delivery[AccountOpened]) -> None:
        """Hear ``trading.account_opened``."""
        await service.add_owner(delivery, inboxes=self._inboxes)

    async def on_order_denied(self, delivery: Delivery[OrderDenied]) -> None:
        """Hear ``trading.order_denied``."""
        await service.tell_order_denied(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_fill_booked(self, delivery: Delivery[FillBooked]) -> None:
        """Hear ``trading.fill_booked``."""
        await service.tell_fill_booked(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_order_closed(self, delivery: Delivery[OrderClosed]) -> None:
        """Hear ``trading.order_closed``."""
        await service.tell_order_closed(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_months_missing(self, delivery: Delivery[MonthsMissing]) -> None:
        """Hear ``trading.months_missing``."""
        await service.tell_months_missing(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_kill_state_changed(self, delivery: Delivery[KillStateChanged]) -> None:
        """Hear ``risk.kill_state_changed``."""
        await service.tell_kill_state(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_backtest_finished(self, delivery: Delivery[BacktestFinished]) -> None:
        """Hear ``strategy.backtest_finished``."""
        await service.tell_backtest_finished(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_feed_finished(self, delivery: Delivery[FeedFinished]) -> None:
        """Hear ``strategy.feed_finished``."""
        await service.tell_feed_finished(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_drift_found(self, delivery: Delivery[DriftFound]) -> None:
        """Hear ``strategy.drift_found``."""
        await service.tell_drift(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_alert_raised(self, delivery: Delivery[AlertRaised]) -> None:
        """Hear ``risk.alert_raised``."""
        await service.tell_alert(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_alert_escalated(self, delivery: Delivery[AlertEscalated]) -> None:
        """Hear ``risk.alert_escalated``."""
        await service.tell_alert(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())
