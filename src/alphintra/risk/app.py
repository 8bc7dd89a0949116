"""Composition root of risk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from alphintra.contracts import broker as from_broker
from alphintra.contracts import risk as messages
from alphintra.contracts import trading as from_trading
from alphintra.contracts.order_checks import CheckOrder
from alphintra.contracts.oversight import GetLimitUse, ListControls, ListKillStates
from alphintra.contracts.strategy import FeedFinished, FeedStatusChanged, ProtectionLost
from alphintra.contracts.unclaimed import ReportsUnclaimed
from alphintra.infrastructure.signing import SigningKey
from alphintra.risk.endpoints import (
    AlertEndpoints,
    ControlEndpoints,
    Endpoints,
    MeasureEndpoints,
    SurveillanceEndpoints,
)
from alphintra.risk.repository import AlertRecords, MetricRecords, RiskRecords, SurveillanceRecords

if TYPE_CHECKING:
    from alphintra.infrastructure.events import Delivery
    from alphintra.infrastructure.host import Parts, ServiceHost

__all__ = ["wire"]

Heard = Callable[[Sequence["Delivery[Any]"]], Awaitable[None]]


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
    answer(CheckOrder, endpoints.check_order)
    answer(messages.ListAssessments, endpoints.list_assessments)
    answer(messages.MarkPrices, endpoints.mark_prices)
    host.hear(from_trading.AccountOpened, endpoints.on_account_opened)
    _wire_surveillance(host, parts, endpoints, alerts)
    host.hear(from_trading.CashBooked, endpoints.on_cash_booked)
    host.hear(from_trading.SplitApplied, endpoints.on_split_applied)
    host.hear(from_trading.PositionTransferred, endpoints.on_position_transferred)
    if parts.background:
        host.run("sweep", partial(endpoints.sweep, alerts.beat))
    controls = _wire_controls(host, parts, alerts)
    _wire_measures(host, parts, alerts)
    _wire_alerts(host, parts, alerts, controls)


def _wire_controls(host: ServiceHost, parts: Parts, alerts: AlertEndpoints) -> ControlEndpoints:
    endpoints = ControlEndpoints(records=RiskRecords(host.database), clock=host.clock, ids=host.ids)
    answer = host.bus.answer
    answer(messages.ProposeLimits, endpoints.propose_limits)
    answer(messages.DecideLimits, endpoints.decide_limits)
    answer(messages.SetSharedLimit, endpoints.set_shared_limit)
    answer(messages.GetSharedLimit, endpoints.get_shared_limit)
    answer(messages.SetInstrument, endpoints.set_instrument)
    answer(messages.GetInstrument, endpoints.get_instrument)
    answer(messages.RestrictSymbol, endpoints.restrict_symbol)
    answer(messages.LiftRestriction, endpoints.lift_restriction)
    answer(messages.ListRestrictions, endpoints.list_restrictions)
    answer(messages.ListLatches, endpoints.list_latches)
    answer(messages.GetDecisions, endpoints.get_decisions)
    answer(messages.ListLimits, endpoints.list_limits)
    answer(messages.ListProposals, endpoints.list_proposals)
    answer(GetLimitUse, endpoints.get_limit_use)
    answer(ListKillStates, endpoints.list_kill_states)
    answer(ListControls, endpoints.list_controls)
    answer(messages.ListOverrides, endpoints.list_overrides)
    answer(messages.LiftLatch, endpoints.lift_latch)
    answer(messages.RequestOverride, endpoints.request_override)
    answer(messages.ApproveOverride, endpoints.approve_override)
    answer(messages.KeepSession, endpoints.keep_session)
    answer(messages.ReportInstance, endpoints.report_instance)

    async def on_orders_told(
        deliveries: Sequence[Delivery[from_trading.OrderUpdated | from_trading.CancelRequested]],
    ) -> None:
        await endpoints.on_orders_told(deliveries)
        for delivery in deliveries:
            event = delivery.event
            alerts.touch(
                event.account_id if isinstance(event, from_trading.CancelRequested) else event.order.account_id
            )

    host.hear_many((from_trading.OrderUpdated, from_trading.CancelRequested), on_orders_told)
    host.hear(from_broker.ConnectionOpened, endpoints.on_connection_opened)
    if parts.background:
        host.run("sessions", partial(endpoints.watch_sessions, alerts.beat))
    return endpoints


def _wire_measures(host: ServiceHost, parts: Parts, alerts: AlertEndpoints) -> None:
    measures = MeasureEndpoints(
        records=RiskRecords(host.database), metrics=MetricRecords(host.database), clock=host.clock, ids=host.ids
    )
    host.bus.answer(messages.GetRiskReport, measures.get_risk_report)
    host.bus.answer(messages.KeepRiskReport, measures.keep_risk_report)
    host.bus.answer(messages.ListRiskReports, measures.list_risk_reports)
    if parts.background:
        host.run("measure", partial(measures.measure, alerts.beat))


def _wire_alerts(host: ServiceHost, parts: Parts, alerts: AlertEndpoints, controls: ControlEndpoints) -> None:
    async def on_break_found(delivery: Delivery[from_broker.BreakFound]) -> None:
        await controls.on_break_found(delivery)  # the block comes first: both bear being told again
        await alerts.on_break_found(delivery)

    host.bus.answer(messages.ListAlerts, alerts.list_alerts)
    host.bus.answer(messages.AcknowledgeAlert, alerts.acknowledge_alert)
    host.bus.answer(messages.ListAlertRules, alerts.list_alert_rules)
    host.bus.answer(messages.SetAlertRule, alerts.set_alert_rule)
    host.hear(from_broker.BreakFound, on_break_found)
    host.hear(from_broker.OrderUncertain, alerts.on_order_uncertain)
    host.hear(ReportsUnclaimed, alerts.on_reports_unclaimed)
    host.hear(from_broker.ConnectionChanged, alerts.on_connection_changed)
    host.hear(from_broker.PricesStalled, alerts.on_prices_stalled)
    host.hear(FeedFinished, alerts.on_feed_finished)
    host.hear(ProtectionLost, alerts.on_protection_lost)
    host.hear(FeedStatusChanged, alerts.on_feed_status_changed)
    if parts.background:
        host.run("watch", alerts.watch)


def _wire_surveillance(host: ServiceHost, parts: Parts, endpoints: Endpoints, alerts: AlertEndpoints) -> None:
    """Enter surveillance; what trading tells of orders and trades is booked, then copied, a run at a time."""
    surveillance = SurveillanceEndpoints(records=SurveillanceRecords(host.database), clock=host.clock, ids=host.ids)

    async def on_fills_booked(deliveries: Sequence[Delivery[from_trading.FillBooked]]) -> None:
        for delivery in deliveries:
            await endpoints.on_fill_booked(delivery)

    def copied(book: Heard) -> Heard:
        async def heard(deliveries: Sequence[Delivery[Any]]) -> None:
            await book(deliveries)
            await surveillance.copy_actions(deliveries)

        return heard

    host.hear_many((from_trading.OrderSubmitted,), copied(endpoints.on_orders_submitted))
    host.hear_many((from_trading.FillBooked,), copied(on_fills_booked))
    host.hear_many((from_trading.OrderClosed,), copied(endpoints.on_orders_closed))
    host.bus.answer(messages.ListCases, surveillance.list_cases)
    host.bus.answer(messages.GetCase, surveillance.get_case)
    host.bus.answer(messages.MoveCase, surveillance.move_case)
    host.bus.answer(messages.ListDetectors, surveillance.list_detectors)
    host.bus.answer(messages.SetDetector, surveillance.set_detector)
    host.bus.answer(messages.ReplayDetector, surveillance.replay_detector)
    if parts.background:
        host.run("examine", partial(surveillance.examine, alerts.beat))
