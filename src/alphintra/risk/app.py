"""Composition root of risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts import broker as from_broker
from alphintra.contracts import risk as messages
from alphintra.contracts import trading as from_trading
from alphintra.contracts.strategy import FeedFinished
from alphintra.infrastructure.signing import SigningKey
from alphintra.risk.endpoints import AlertEndpoints, Endpoints, MeasureEndpoints
from alphintra.risk.repository import AlertRecords, MetricRecords, RiskRecords

if TYPE_CHECKING:
    from alphintra.infrastructure.host import Parts, ServiceHost

__all__ = ["wire"]


def wire(host: ServiceHost, parts: Parts) -> None:
    """Enter what risk answers, hears and does in the background. Needs the secret ``approval_seed``."""
    key = SigningKey(host.credentials.secrets["approval_seed"])
    alerts = AlertEndpoints(records=AlertRecords(host.database), clock=host.clock, ids=host.ids)
    endpoints = Endpoints(
        records=RiskRecords(host.database), clock=host.clock, ids=host.ids, key=key, touch=alerts.touch
    )
    host.bus.answer_many(messages.AssessOrder, endpoints.assess_orders)
    host.bus.answer_many(messages.RenewApproval, endpoints.renew_approvals)
    answer = host.bus.answer
    answer(messages.ReleaseOrder, endpoints.release_order)
    answer(messages.GetLimits, endpoints.get_limits)
    answer(messages.SetLimits, endpoints.set_limits)
    answer(messages.SetKillState, endpoints.set_kill_state)
    answer(messages.GetRiskState, endpoints.get_risk_state)
    answer(messages.ListAssessments, endpoints.list_assessments)
    answer(messages.MarkPrices, endpoints.mark_prices)
    host.hear(from_trading.AccountOpened, endpoints.on_account_opened)
    host.hear_many((from_trading.OrderSubmitted,), endpoints.on_orders_submitted)
    host.hear(from_trading.FillBooked, endpoints.on_fill_booked)
    host.hear_many((from_trading.OrderClosed,), endpoints.on_orders_closed)
    host.hear(from_trading.CashBooked, endpoints.on_cash_booked)
    host.hear(from_trading.SplitApplied, endpoints.on_split_applied)
    host.hear(from_trading.PositionTransferred, endpoints.on_position_transferred)
    if parts.background:
        host.run("sweep", endpoints.sweep)
    _wire_measures(host, parts)
    _wire_alerts(host, parts, alerts)


def _wire_measures(host: ServiceHost, parts: Parts) -> None:
    measures = MeasureEndpoints(
        records=RiskRecords(host.database), metrics=MetricRecords(host.database), clock=host.clock, ids=host.ids
    )
    host.bus.answer(messages.GetRiskReport, measures.get_risk_report)
    host.bus.answer(messages.KeepRiskReport, measures.keep_risk_report)
    host.bus.answer(messages.ListRiskReports, measures.list_risk_reports)
    if parts.background:
        host.run("measure", measures.measure)


def _wire_alerts(host: ServiceHost, parts: Parts, alerts: AlertEndpoints) -> None:
    host.bus.answer(messages.ListAlerts, alerts.list_alerts)
    host.bus.answer(messages.AcknowledgeAlert, alerts.acknowledge_alert)
    host.bus.answer(messages.ListAlertRules, alerts.list_alert_rules)
    host.bus.answer(messages.SetAlertRule, alerts.set_alert_rule)
    host.hear(from_broker.BreakFound, alerts.on_break_found)
    host.hear(from_broker.OrderUncertain, alerts.on_order_uncertain)
    host.hear(from_broker.ConnectionChanged, alerts.on_connection_changed)
    host.hear(FeedFinished, alerts.on_feed_finished)
    if parts.background:
        host.run("watch", alerts.watch)
