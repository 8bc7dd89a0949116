"""Composition root of notification."""

from __future__ import annotations

from random import SystemRandom
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from alphintra.contracts import notification as messages
from alphintra.contracts.auth import UserRegistered
from alphintra.contracts.drift import DriftFound
from alphintra.contracts.risk import AlertEscalated, AlertRaised, KillStateChanged
from alphintra.contracts.strategy import BacktestFinished, FeedFinished
from alphintra.contracts.trading import AccountOpened, FillBooked, MonthsMissing, OrderClosed, OrderDenied
from alphintra.infrastructure.envelope import Envelopes, parse_keys
from alphintra.notification.domain.outgoing import parse_mail_server, parse_networks, parse_sender
from alphintra.notification.endpoints import ChannelEndpoints, Endpoints
from alphintra.notification.gateways.mail import Mailer, new_tls
from alphintra.notification.gateways.webhooks import Webhooks, look_up
from alphintra.notification.repository.inboxes import Inboxes
from alphintra.notification.service.channels import Desk
from alphintra.notification.service.sending import Sender, SenderTools

if TYPE_CHECKING:
    from alphintra.infrastructure.host import Parts, ServiceHost

__all__ = ["wire"]

_KEYS = "channel_keys"


def wire(host: ServiceHost, parts: Parts) -> None:
    """Enter what notification answers, hears and sends.

    For channels it needs the keys that wrap their secrets as the secret ``channel_keys``; for mail ``smtp_url`` and the
    option ``smtp_from``. The option ``webhook_networks`` opens networks of the operator's own to webhooks.
    """
    inboxes = Inboxes(host.database)
    endpoints = Endpoints(inboxes=inboxes, clock=host.clock, ids=host.ids)
    host.bus.answer(messages.ListMessages, endpoints.list_messages)
    host.bus.answer(messages.MarkRead, endpoints.mark_read)
    host.bus.answer(messages.AcknowledgeMessages, endpoints.acknowledge_messages)
    host.bus.answer(messages.ReportJob, endpoints.report_job)
    _hear(host, endpoints)
    _wire_channels(host, parts, inboxes)


def _hear(host: ServiceHost, endpoints: Endpoints) -> None:
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


def _wire_channels(host: ServiceHost, parts: Parts, inboxes: Inboxes) -> None:
    secrets, options = host.credentials.secrets, host.credentials.options
    tls = new_tls()
    server = parse_mail_server(secrets.get("smtp_url", ""))
    sender_address = parse_sender(options.get("smtp_from", ""))
    mailer = Mailer(server, sender_address, tls=tls) if server is not None and sender_address else None
    webhooks = Webhooks(parse_networks(options.get("webhook_networks", "")), tls=tls, lookup=look_up)

    def envelopes() -> Envelopes:
        keys = host.current_credentials().secrets.get(_KEYS, "")
        return Envelopes("notification", parse_keys(keys, of="notification's channels"))

    desk = Desk(
        inboxes=inboxes,
        envelopes=envelopes,
        webhooks=webhooks,
        mail_from="" if mailer is None else sender_address,
        time_zones=frozenset(available_timezones() - {"Factory", "localtime"}),
        ids=host.ids,
    )
    endpoints = ChannelEndpoints(desk=desk, clock=host.clock)
    host.bus.answer(messages.ListChannels, endpoints.list_channels)
    host.bus.answer(messages.AddChannel, endpoints.add_channel)
    host.bus.answer(messages.ConfirmChannel, endpoints.confirm_channel)
    host.bus.answer(messages.SendTest, endpoints.send_test)
    host.bus.answer(messages.RotateChannelSecret, endpoints.rotate_channel_secret)
    host.bus.answer(messages.RemoveChannel, endpoints.remove_channel)
    host.bus.answer(messages.SetRules, endpoints.set_rules)
    host.bus.answer(messages.GetSchedule, endpoints.get_schedule)
    host.bus.answer(messages.SetSchedule, endpoints.set_schedule)
    host.bus.answer(messages.ListSendings, endpoints.list_sendings)
    host.bus.answer(messages.RotateChannelKeys, endpoints.rotate_channel_keys)
    if parts.background:
        sender = Sender(
            SenderTools(
                inboxes=inboxes,
                envelopes=envelopes,
                mailer=mailer,
                webhooks=webhooks,
                clock=host.clock,
                ids=host.ids,
                chance=SystemRandom().random,
            )
        )
        host.on_wake(sender.wake)
        host.run("sender", sender.run)
