"""Ways into notification: commands and events; each decoded, one use case, encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts import notification as messages
from alphintra.notification.service import channels, inbox, telling

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
    from alphintra.notification.repository.inboxes import Inboxes
    from alphintra.notification.service.channels import Desk

__all__ = ["ChannelEndpoints", "Endpoints"]


class Endpoints:
    """Handlers with what they need at hand."""

    def __init__(self, *, inboxes: Inboxes, clock: Clock, ids: IdSource) -> None:
        self._inboxes = inboxes
        self._clock = clock
        self._ids = ids

    async def list_messages(self, command: messages.ListMessages, context: Context) -> messages.MessagesView:
        """Answer ``notification.list_messages``."""
        return await inbox.list_messages(command, context, inboxes=self._inboxes)

    async def mark_read(self, command: messages.MarkRead, context: Context) -> messages.MessageView:
        """Answer ``notification.mark_read``."""
        return await inbox.mark_read(command, context, inboxes=self._inboxes, at=self._clock.now())

    async def acknowledge_messages(
        self, command: messages.AcknowledgeMessages, context: Context
    ) -> messages.MessagesAcknowledged:
        """Answer ``notification.acknowledge_messages``."""
        return await inbox.acknowledge_messages(command, context, inboxes=self._inboxes, at=self._clock.now())

    async def report_job(self, command: messages.ReportJob, context: Context) -> messages.JobReported:
        """Answer ``notification.report_job``."""
        return await telling.report_job(command, context, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_user_registered(self, delivery: Delivery[UserRegistered]) -> None:
        """Hear ``auth.user_registered``."""
        await telling.add_recipient(delivery, inboxes=self._inboxes)

    async def on_account_opened(self, delivery: Delivery[AccountOpened]) -> None:
        """Hear ``trading.account_opened``."""
        await telling.add_owner(delivery, inboxes=self._inboxes)

    async def on_order_denied(self, delivery: Delivery[OrderDenied]) -> None:
        """Hear ``trading.order_denied``."""
        await telling.tell_order_denied(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_fill_booked(self, delivery: Delivery[FillBooked]) -> None:
        """Hear ``trading.fill_booked``."""
        await telling.tell_fill_booked(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_order_closed(self, delivery: Delivery[OrderClosed]) -> None:
        """Hear ``trading.order_closed``."""
        await telling.tell_order_closed(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_months_missing(self, delivery: Delivery[MonthsMissing]) -> None:
        """Hear ``trading.months_missing``."""
        await telling.tell_months_missing(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_kill_state_changed(self, delivery: Delivery[KillStateChanged]) -> None:
        """Hear ``risk.kill_state_changed``."""
        await telling.tell_kill_state(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_backtest_finished(self, delivery: Delivery[BacktestFinished]) -> None:
        """Hear ``strategy.backtest_finished``."""
        await telling.tell_backtest_finished(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_feed_finished(self, delivery: Delivery[FeedFinished]) -> None:
        """Hear ``strategy.feed_finished``."""
        await telling.tell_feed_finished(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_drift_found(self, delivery: Delivery[DriftFound]) -> None:
        """Hear ``strategy.drift_found``."""
        await telling.tell_drift(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_alert_raised(self, delivery: Delivery[AlertRaised]) -> None:
        """Hear ``risk.alert_raised``."""
        await telling.tell_alert(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())

    async def on_alert_escalated(self, delivery: Delivery[AlertEscalated]) -> None:
        """Hear ``risk.alert_escalated``."""
        await telling.tell_alert(delivery, inboxes=self._inboxes, ids=self._ids, at=self._clock.now())


class ChannelEndpoints:
    """Handlers of channels with what they need at hand."""

    def __init__(self, *, desk: Desk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    async def list_channels(self, _command: messages.ListChannels, context: Context) -> messages.ChannelsView:
        """Answer ``notification.list_channels``."""
        return await channels.list_channels(context, desk=self._desk)

    async def add_channel(self, command: messages.AddChannel, context: Context) -> messages.ChannelAdded:
        """Answer ``notification.add_channel``."""
        return await channels.add_channel(command, context, desk=self._desk, at=self._clock.now())

    async def confirm_channel(self, command: messages.ConfirmChannel, context: Context) -> messages.ChannelView:
        """Answer ``notification.confirm_channel``."""
        return await channels.confirm_channel(command, context, desk=self._desk, at=self._clock.now())

    async def send_test(self, command: messages.SendTest, context: Context) -> messages.SendingView:
        """Answer ``notification.send_test``."""
        return await channels.send_test(command, context, desk=self._desk, at=self._clock.now())

    async def rotate_channel_secret(
        self, command: messages.RotateChannelSecret, context: Context
    ) -> messages.ChannelAdded:
        """Answer ``notification.rotate_channel_secret``."""
        return await channels.rotate_channel_secret(command, context, desk=self._desk, at=self._clock.now())

    async def remove_channel(self, command: messages.RemoveChannel, context: Context) -> messages.ChannelView:
        """Answer ``notification.remove_channel``."""
        return await channels.remove_channel(command, context, desk=self._desk, at=self._clock.now())

    async def set_rules(self, command: messages.SetRules, context: Context) -> messages.ChannelView:
        """Answer ``notification.set_rules``."""
        return await channels.set_rules(command, context, desk=self._desk, at=self._clock.now())

    async def get_schedule(self, _command: messages.GetSchedule, context: Context) -> messages.ScheduleView:
        """Answer ``notification.get_schedule``."""
        return await channels.get_schedule(context, desk=self._desk)

    async def set_schedule(self, command: messages.SetSchedule, context: Context) -> messages.ScheduleView:
        """Answer ``notification.set_schedule``."""
        return await channels.set_schedule(command, context, desk=self._desk, at=self._clock.now())

    async def list_sendings(self, command: messages.ListSendings, context: Context) -> messages.SendingsView:
        """Answer ``notification.list_sendings``."""
        return await channels.list_sendings(command, context, desk=self._desk)

    async def rotate_channel_keys(
        self, _command: messages.RotateChannelKeys, context: Context
    ) -> messages.ChannelKeysView:
        """Answer ``notification.rotate_channel_keys``."""
        return await channels.rotate_channel_keys(context, desk=self._desk, at=self._clock.now())
