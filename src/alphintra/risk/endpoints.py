"""Ways into risk: commands, events and the timer that gives back what nobody confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypedDict
from uuid import UUID

from alphintra.contracts import oversight as watched
from alphintra.contracts import risk as messages
from alphintra.contracts.trading import (
    AccountOpened,
    CancelRequested,
    CashBooked,
    FillBooked,
    OrderClosed,
    OrderSubmitted,
    OrderUpdated,
    PositionTransferred,
    SplitApplied,
)
from alphintra.kernel.errors import AlphintraError
from alphintra.risk.service import (
    alerts,
    bookings,
    cases,
    checks,
    decisions,
    governance,
    inquiry,
    kills,
    oversight,
    reports,
    rules,
    watch,
    watchdogs,
    watching,
)

if TYPE_CHECKING:
    from alphintra.contracts import controls
    from alphintra.contracts.alerts import AlertRulesView, AlertRuleView, AlertsView, AlertView
    from alphintra.contracts.assessments import LimitVersionsView, OrderDecisionsView
    from alphintra.contracts.broker import (
        BreakFound,
        ConnectionChanged,
        ConnectionOpened,
        OrderUncertain,
        PricesStalled,
    )
    from alphintra.contracts.measures import KeptReportsView, KeptReportView, RiskReportView
    from alphintra.contracts.order_checks import CheckOrder, OrderCheckView
    from alphintra.contracts.strategy import FeedFinished, FeedStatusChanged, ProtectionLost
    from alphintra.contracts.surveillance import CasesView, CaseView, DetectorsView, DetectorView, ReplayView
    from alphintra.contracts.unclaimed import ReportsUnclaimed
    from alphintra.infrastructure.events import Delivery
    from alphintra.infrastructure.signing import SigningKey
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.risk.repository import AlertRecords, MetricRecords, RiskRecords, SurveillanceRecords

__all__ = ["AlertEndpoints", "ControlEndpoints", "Endpoints", "MeasureEndpoints", "SurveillanceEndpoints"]

SWEEP_INTERVAL_S = 5.0
WATCH_INTERVAL_S = 1.0
EXAMINE_INTERVAL_S = 2.0
EXAMINE_INTERVAL_S_MAX = 4.0  # a case is opened within seconds at any load
EXAMINE_PAUSE = 9.0  # so many times as long as a look took
TOUCHED_MAX = 10_000  # accounts noted between two looks; past that the others wait for their next fill
MEASURE_INTERVAL_S = 60.0
SESSION_INTERVAL_S = 1.0
_WATCHERS = {"watch", "sessions"}  # jobs that look after all others, one another too
SWEEP_DELAY_S = 60.0  # after a start: confirmations that waited for us are heard before anything lapses

Outcomes = Sequence[messages.Assessment | AlphintraError]
Beat = Callable[[str], Awaitable[None]]  # a background job tells that it came round


class _Parts(TypedDict):
    records: RiskRecords
    ids: IdSource


class Endpoints:
    """Handlers with what they need at hand; ``key`` signs approvals, ``touch`` hears which accounts changed."""

    def __init__(
        self, *, records: RiskRecords, clock: Clock, ids: IdSource, key: SigningKey, touch: Callable[[UUID], None]
    ) -> None:
        self._records = records
        self._touch = touch
        self._clock = clock
        self._ids = ids
        self._key = key

    async def assess_orders(self, requests: Sequence[tuple[messages.AssessOrder, Context]]) -> Outcomes:
        """Answer a batch of ``risk.assess_order``."""
        asked = [decisions.Asked(one.terms, context, one.book_id, one.strategy_hash) for one, context in requests]
        return await self._decide(asked, is_renewal=False)

    async def renew_approvals(self, requests: Sequence[tuple[messages.RenewApproval, Context]]) -> Outcomes:
        """Answer a batch of ``risk.renew_approval``."""
        asked = [decisions.Asked(command.terms, context) for command, context in requests]
        return await self._decide(asked, is_renewal=True)

    async def release_order(self, command: messages.ReleaseOrder, context: Context) -> messages.ReleasedView:
        """Answer ``risk.release_order``."""
        at = self._clock.now()
        return await bookings.release_order(command, context, records=self._records, ids=self._ids, at=at)

    async def get_limits(self, command: messages.GetLimits, context: Context) -> messages.LimitsView:
        """Answer ``risk.get_limits``."""
        return await rules.get_limits(command, context, records=self._records)

    async def set_limits(self, command: messages.SetLimits, context: Context) -> messages.LimitsView:
        """Answer ``risk.set_limits``."""
        at = self._clock.now()
        return await rules.set_limits(command, context, records=self._records, ids=self._ids, at=at)

    async def set_kill_state(self, command: messages.SetKillState, context: Context) -> messages.KillStateView:
        """Answer ``risk.set_kill_state``."""
        at = self._clock.now()
        return await kills.set_kill_state(command, context, records=self._records, ids=self._ids, at=at)

    async def get_risk_state(self, command: messages.GetRiskState, context: Context) -> messages.RiskStateView:
        """Answer ``risk.get_risk_state``."""
        return await rules.get_risk_state(command, context, records=self._records, at=self._clock.now())

    async def check_order(self, command: CheckOrder, context: Context) -> OrderCheckView:
        """Answer ``risk.check_order``."""
        return await checks.check_order(command, context, records=self._records, at=self._clock.now())

    async def list_assessments(self, command: messages.ListAssessments, context: Context) -> messages.AssessmentsView:
        """Answer ``risk.list_assessments``."""
        return await rules.list_assessments(command, context, records=self._records)

    async def mark_prices(self, command: messages.MarkPrices, _context: Context) -> messages.MarkedView:
        """Answer ``risk.mark_prices``."""
        return await rules.mark_prices(command, records=self._records, ids=self._ids, at=self._clock.now())

    async def on_account_opened(self, delivery: Delivery[AccountOpened]) -> None:
        """Hear ``trading.account_opened``."""
        await bookings.open_account(delivery, records=self._records, ids=self._ids)

    async def on_order_submitted(self, delivery: Delivery[OrderSubmitted]) -> None:
        """Hear ``trading.order_submitted``."""
        await self.on_orders_submitted([delivery])

    async def on_orders_submitted(self, deliveries: Sequence[Delivery[OrderSubmitted]]) -> None:
        """Hear many of ``trading.order_submitted``."""
        await bookings.confirm_orders(deliveries, records=self._records, ids=self._ids, at=self._clock.now())
        for delivery in deliveries:
            self._touch(delivery.event.terms.account_id)

    async def on_fill_booked(self, delivery: Delivery[FillBooked]) -> None:
        """Hear ``trading.fill_booked``."""
        await bookings.book_fill(delivery, records=self._records, ids=self._ids, at=self._clock.now())
        self._touch(delivery.event.execution.account_id)

    async def on_order_closed(self, delivery: Delivery[OrderClosed]) -> None:
        """Hear ``trading.order_closed``."""
        await self.on_orders_closed([delivery])

    async def on_orders_closed(self, deliveries: Sequence[Delivery[OrderClosed]]) -> None:
        """Hear many of ``trading.order_closed``."""
        await bookings.close_orders(deliveries, records=self._records, at=self._clock.now())

    async def on_cash_booked(self, delivery: Delivery[CashBooked]) -> None:
        """Hear ``trading.cash_booked``."""
        await bookings.book_cash(delivery, records=self._records, at=self._clock.now())

    async def on_split_applied(self, delivery: Delivery[SplitApplied]) -> None:
        """Hear ``trading.split_applied``."""
        await bookings.apply_split(delivery, records=self._records, at=self._clock.now())

    async def on_position_transferred(self, delivery: Delivery[PositionTransferred]) -> None:
        """Hear ``trading.position_transferred``."""
        await bookings.transfer_position(delivery, records=self._records, at=self._clock.now())

    async def sweep(self, beat: Beat) -> None:
        """Give back what nobody confirmed, again and again until cancelled."""
        await asyncio.sleep(SWEEP_DELAY_S)
        while True:
            await bookings.lapse_reservations(records=self._records, at=self._clock.now())
            await beat("sweep")
            await asyncio.sleep(SWEEP_INTERVAL_S)

    async def _decide(self, asked: Sequence[decisions.Asked], *, is_renewal: bool) -> Outcomes:
        return await decisions.assess_orders(
            asked, is_renewal=is_renewal, records=self._records, ids=self._ids, key=self._key, at=self._clock.now()
        )


class MeasureEndpoints:
    """Handlers of what is measured and reported."""

    def __init__(self, *, records: RiskRecords, metrics: MetricRecords, clock: Clock, ids: IdSource) -> None:
        self._records = records
        self._metrics = metrics
        self._clock = clock
        self._ids = ids

    async def get_risk_report(self, command: messages.GetRiskReport, context: Context) -> RiskReportView:
        """Answer ``risk.get_risk_report``."""
        at = self._clock.now()
        return await reports.get_risk_report(command, context, books=self._records, metrics=self._metrics, at=at)

    async def keep_risk_report(self, command: messages.KeepRiskReport, context: Context) -> KeptReportView:
        """Answer ``risk.keep_risk_report``."""
        return await reports.keep_risk_report(
            command, context, books=self._records, metrics=self._metrics, ids=self._ids, at=self._clock.now()
        )

    async def list_risk_reports(self, command: messages.ListRiskReports, context: Context) -> KeptReportsView:
        """Answer ``risk.list_risk_reports``."""
        return await reports.list_risk_reports(command, context, books=self._records, metrics=self._metrics)

    async def measure(self, beat: Beat) -> None:
        """Keep the reports that are due, again and again until cancelled."""
        while True:
            await asyncio.sleep(MEASURE_INTERVAL_S)
            at = self._clock.now()
            await reports.keep_due_reports(books=self._records, metrics=self._metrics, ids=self._ids, at=at)
            await beat("measure")


class AlertEndpoints:
    """Handlers of alerts: what raises them, who lists and acknowledges them, and the look taken every second."""

    def __init__(self, *, records: AlertRecords, clock: Clock, ids: IdSource) -> None:
        self._alerts = records
        self._clock = clock
        self._ids = ids
        self._touched: set[UUID] = set()
        self._seen: dict[UUID, int] = {}  # how far each feed had come at the last look
        self._began = clock.now()

    def touch(self, account_id: UUID) -> None:
        """Note that an account's positions or working orders changed, for the next look."""
        if len(self._touched) < TOUCHED_MAX:
            self._touched.add(account_id)

    async def list_alerts(self, command: messages.ListAlerts, context: Context) -> AlertsView:
        """Answer ``risk.list_alerts``."""
        return await alerts.list_alerts(command, context, alerts=self._alerts)

    async def acknowledge_alert(self, command: messages.AcknowledgeAlert, context: Context) -> AlertView:
        """Answer ``risk.acknowledge_alert``."""
        at = self._clock.now()
        return await alerts.acknowledge_alert(command, context, alerts=self._alerts, ids=self._ids, at=at)

    async def list_alert_rules(self, _command: messages.ListAlertRules, _context: Context) -> AlertRulesView:
        """Answer ``risk.list_alert_rules``."""
        return await alerts.list_alert_rules(alerts=self._alerts)

    async def set_alert_rule(self, command: messages.SetAlertRule, context: Context) -> AlertRuleView:
        """Answer ``risk.set_alert_rule``."""
        at = self._clock.now()
        return await alerts.set_alert_rule(command, context, alerts=self._alerts, ids=self._ids, at=at)

    async def on_break_found(self, delivery: Delivery[BreakFound]) -> None:
        """Hear ``broker.break_found``."""
        await alerts.hear_break(delivery, alerts=self._alerts, ids=self._ids, at=self._clock.now())

    async def on_order_uncertain(self, delivery: Delivery[OrderUncertain]) -> None:
        """Hear ``broker.order_uncertain``."""
        await alerts.hear_uncertain(delivery, alerts=self._alerts, ids=self._ids, at=self._clock.now())

    async def on_reports_unclaimed(self, delivery: Delivery[ReportsUnclaimed]) -> None:
        """Hear ``trading.reports_unclaimed``."""
        await alerts.hear_unclaimed(delivery, alerts=self._alerts, ids=self._ids, at=self._clock.now())

    async def on_connection_changed(self, delivery: Delivery[ConnectionChanged]) -> None:
        """Hear ``broker.connection_changed``."""
        await alerts.hear_connection(delivery, alerts=self._alerts, ids=self._ids, at=self._clock.now())

    async def on_prices_stalled(self, delivery: Delivery[PricesStalled]) -> None:
        """Hear ``broker.prices_stalled``."""
        await watchdogs.hear_stall(delivery, alerts=self._alerts, ids=self._ids, at=self._clock.now())

    async def on_feed_finished(self, delivery: Delivery[FeedFinished]) -> None:
        """Hear ``strategy.feed_finished``."""
        await alerts.hear_feed(delivery, alerts=self._alerts, ids=self._ids, at=self._clock.now())

    async def on_protection_lost(self, delivery: Delivery[ProtectionLost]) -> None:
        """Hear ``strategy.protection_lost``."""
        await alerts.hear_protection_lost(delivery, alerts=self._alerts, ids=self._ids, at=self._clock.now())

    async def on_feed_status_changed(self, delivery: Delivery[FeedStatusChanged]) -> None:
        """Hear ``strategy.feed_status_changed``."""
        await watchdogs.expect_feed(delivery, alerts=self._alerts, at=self._clock.now())

    async def beat(self, job: str) -> None:
        """Note that a background job came round, and see who did not; so each job watches the others."""
        at = self._clock.now()
        await watchdogs.beat(job, alerts=self._alerts, at=at)
        if job in _WATCHERS:
            await watchdogs.look_after(since=self._began, alerts=self._alerts, ids=self._ids, at=at)

    async def watch(self) -> None:
        """Look for what calls for an alert or an escalation, every second until cancelled."""
        last: datetime | None = None
        while True:
            await self.look(since=alerts.lookback(last, at=self._clock.now()))
            last = self._clock.now()
            await self.beat("watch")
            await asyncio.sleep(WATCH_INTERVAL_S)

    async def look(self, *, since: datetime) -> None:
        """Raise and escalate once what is due; accounts whose look failed are looked at again."""
        touched, self._touched = self._touched, set()
        seen = dict(self._seen)
        at = self._clock.now()
        try:
            await alerts.watch(sorted(touched), seen, since=since, alerts=self._alerts, ids=self._ids, at=at)
        except BaseException:
            self._touched |= touched
            raise
        self._seen = seen
        await alerts.escalate_alerts(alerts=self._alerts, ids=self._ids, at=at)


class SurveillanceEndpoints:
    """Handlers of surveillance: the copy of orders and trades, their examination, and cases."""

    def __init__(self, *, records: SurveillanceRecords, clock: Clock, ids: IdSource) -> None:
        self._records = records
        self._clock = clock
        self._ids = ids

    async def copy_actions(self, deliveries: Sequence[Delivery[Any]]) -> None:
        """Hear ``trading.order_submitted``, ``trading.order_closed`` and ``trading.fill_booked``."""
        await watching.copy_actions(deliveries, records=self._records, at=self._clock.now())

    async def list_cases(self, command: messages.ListCases, context: Context) -> CasesView:
        """Answer ``risk.list_cases``."""
        return await cases.list_cases(command, context, records=self._records)

    async def get_case(self, command: messages.GetCase, context: Context) -> CaseView:
        """Answer ``risk.get_case``."""
        return await cases.get_case(command, context, records=self._records)

    async def move_case(self, command: messages.MoveCase, context: Context) -> CaseView:
        """Answer ``risk.move_case``."""
        at = self._clock.now()
        return await cases.move_case(command, context, records=self._records, ids=self._ids, at=at)

    async def list_detectors(self, _command: messages.ListDetectors, context: Context) -> DetectorsView:
        """Answer ``risk.list_detectors``."""
        return await cases.list_detectors(context, records=self._records, at=self._clock.now())

    async def set_detector(self, command: messages.SetDetector, context: Context) -> DetectorView:
        """Answer ``risk.set_detector``."""
        at = self._clock.now()
        return await cases.set_detector(command, context, records=self._records, ids=self._ids, at=at)

    async def replay_detector(self, command: messages.ReplayDetector, context: Context) -> ReplayView:
        """Answer ``risk.replay_detector``."""
        return await cases.replay_detector(command, context, records=self._records, at=self._clock.now())

    async def examine(self, beat: Beat) -> None:
        """Look at what was copied until cancelled: every two seconds, less often where a look takes long.

        What a look costs grows with what is looked at together, not with what is new: at load fewer looks see as much.
        """
        while True:
            started = perf_counter()
            await self.examine_once()
            took = perf_counter() - started
            await beat("examine")
            await asyncio.sleep(min(max(EXAMINE_INTERVAL_S, took * EXAMINE_PAUSE), EXAMINE_INTERVAL_S_MAX))

    async def examine_once(self) -> int:
        """Look at what was copied since the last look; returns how many cases were opened."""
        at = self._clock.now()
        await watching.ensure_parameters(records=self._records, at=at)
        return await watching.examine(records=self._records, ids=self._ids, at=at)


class ControlEndpoints:
    """Handlers of what people and the platform set, and of the watches."""

    def __init__(self, *, records: RiskRecords, clock: Clock, ids: IdSource) -> None:
        self._parts: _Parts = {"records": records, "ids": ids}
        self._records = records
        self._clock = clock

    async def propose_limits(self, command: messages.ProposeLimits, context: Context) -> controls.LimitProposalView:
        """Answer ``risk.propose_limits``."""
        return await governance.propose_limits(command, context, **self._parts, at=self._clock.now())

    async def decide_limits(self, command: messages.DecideLimits, context: Context) -> controls.LimitProposalView:
        """Answer ``risk.decide_limits``."""
        return await governance.decide_limits(command, context, **self._parts, at=self._clock.now())

    async def set_shared_limit(self, command: messages.SetSharedLimit, context: Context) -> controls.SharedLimitView:
        """Answer ``risk.set_shared_limit``."""
        return await governance.set_shared_limit(command, context, **self._parts, at=self._clock.now())

    async def get_shared_limit(self, command: messages.GetSharedLimit, context: Context) -> controls.SharedLimitView:
        """Answer ``risk.get_shared_limit``."""
        return await governance.get_shared_limit(command, context, records=self._records)

    async def set_instrument(self, command: messages.SetInstrument, context: Context) -> controls.InstrumentView:
        """Answer ``risk.set_instrument``."""
        return await governance.set_instrument(command, context, **self._parts, at=self._clock.now())

    async def restrict_symbol(self, command: messages.RestrictSymbol, context: Context) -> controls.RestrictionView:
        """Answer ``risk.restrict_symbol``."""
        return await governance.restrict_symbol(command, context, **self._parts, at=self._clock.now())

    async def lift_restriction(self, command: messages.LiftRestriction, context: Context) -> controls.RestrictionView:
        """Answer ``risk.lift_restriction``."""
        return await governance.lift_restriction(command, context, **self._parts, at=self._clock.now())

    async def lift_latch(self, command: messages.LiftLatch, context: Context) -> controls.LatchView:
        """Answer ``risk.lift_latch``."""
        return await governance.lift_latch(command, context, **self._parts, at=self._clock.now())

    async def request_override(self, command: messages.RequestOverride, context: Context) -> controls.OverrideView:
        """Answer ``risk.request_override``."""
        return await governance.request_override(command, context, **self._parts, at=self._clock.now())

    async def approve_override(self, command: messages.ApproveOverride, context: Context) -> controls.OverrideView:
        """Answer ``risk.approve_override``."""
        return await governance.approve_override(command, context, **self._parts, at=self._clock.now())

    async def get_instrument(self, command: messages.GetInstrument, _context: Context) -> controls.InstrumentView:
        """Answer ``risk.get_instrument``."""
        return await governance.get_instrument(command, records=self._records)

    async def list_restrictions(
        self, _command: messages.ListRestrictions, context: Context
    ) -> controls.RestrictionsView:
        """Answer ``risk.list_restrictions``."""
        return await governance.list_restrictions(context, records=self._records)

    async def list_latches(self, command: messages.ListLatches, context: Context) -> controls.LatchesView:
        """Answer ``risk.list_latches``."""
        return await governance.list_latches(command, context, records=self._records)

    async def get_decisions(self, command: messages.GetDecisions, context: Context) -> OrderDecisionsView:
        """Answer ``risk.get_decisions``."""
        return await inquiry.get_decisions(command, context, records=self._records)

    async def list_limits(self, command: messages.ListLimits, context: Context) -> LimitVersionsView:
        """Answer ``risk.list_limits``."""
        return await inquiry.list_limits(command, context, records=self._records)

    async def get_limit_use(self, command: watched.GetLimitUse, context: Context) -> watched.LimitUsesView:
        """Answer ``risk.get_limit_use``."""
        return await oversight.get_limit_use(command, context, records=self._records, at=self._clock.now())

    async def list_kill_states(self, command: watched.ListKillStates, context: Context) -> watched.KillStatesView:
        """Answer ``risk.list_kill_states``."""
        return await oversight.list_kill_states(command, context, records=self._records)

    async def list_controls(self, _command: watched.ListControls, _context: Context) -> watched.ControlsView:
        """Answer ``risk.list_controls``."""
        return oversight.list_controls()

    async def list_proposals(self, command: messages.ListProposals, context: Context) -> controls.LimitProposalsView:
        """Answer ``risk.list_proposals``."""
        return await inquiry.list_proposals(command, context, records=self._records)

    async def list_overrides(self, command: messages.ListOverrides, context: Context) -> controls.OverridesView:
        """Answer ``risk.list_overrides``."""
        return await inquiry.list_overrides(command, context, records=self._records, at=self._clock.now())

    async def keep_session(self, command: messages.KeepSession, context: Context) -> controls.SessionView:
        """Answer ``risk.keep_session``."""
        return await watch.keep_session(command, context, **self._parts, at=self._clock.now())

    async def report_instance(self, command: messages.ReportInstance, _context: Context) -> messages.ReportedView:
        """Answer ``risk.report_instance``."""
        return await watch.report_instance(command, records=self._records, at=self._clock.now())

    async def on_orders_told(self, deliveries: Sequence[Delivery[OrderUpdated | CancelRequested]]) -> None:
        """Hear a run of ``trading.order_updated`` and ``trading.cancel_requested``."""
        await watch.note_orders(deliveries, records=self._records)

    async def on_break_found(self, delivery: Delivery[BreakFound]) -> None:
        """Hear ``broker.break_found``."""
        await watch.hear_break(delivery, **self._parts, at=self._clock.now())

    async def on_connection_opened(self, delivery: Delivery[ConnectionOpened]) -> None:
        """Hear ``broker.connection_opened``."""
        await watch.learn_venue(delivery, records=self._records)

    async def watch_sessions(self, beat: Beat) -> None:
        """Find sessions that fell silent, again and again until cancelled."""
        while True:
            await watch.find_lost_sessions(**self._parts, at=self._clock.now())
            await beat("sessions")
            await asyncio.sleep(SESSION_INTERVAL_S)
