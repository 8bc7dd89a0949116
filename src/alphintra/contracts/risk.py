"""What risk answers and tells."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.contracts.alerts import AlertRulesView, AlertRuleView, AlertsView, AlertView
from alphintra.contracts.approval import Approval, OrderTerms
from alphintra.contracts.measures import KeptReportsView, KeptReportView, RiskReportView
from alphintra.contracts.surveillance import CasesView, CaseView, DetectorsView, DetectorView, ReplayView
from alphintra.kernel.messages import Command, Event, Utc, View

__all__ = [
    "AcknowledgeAlert",
    "AlertEscalated",
    "AlertRaised",
    "AssessOrder",
    "Assessment",
    "AssessmentView",
    "AssessmentsView",
    "CaseChanged",
    "CaseOpened",
    "Finding",
    "GetCase",
    "GetLimits",
    "GetRiskReport",
    "GetRiskState",
    "KeepRiskReport",
    "KillStateChanged",
    "KillStateView",
    "LimitBreached",
    "LimitsChanged",
    "LimitsView",
    "ListAlertRules",
    "ListAlerts",
    "ListAssessments",
    "ListCases",
    "ListDetectors",
    "ListRiskReports",
    "MarkPrice",
    "MarkPrices",
    "MarkedView",
    "MoveCase",
    "ReleaseOrder",
    "ReleasedView",
    "RenewApproval",
    "ReplayDetector",
    "RiskStateView",
    "SetAlertRule",
    "SetDetector",
    "SetKillState",
    "SetLimits",
]


class Finding(View, frozen=True):
    """One control that refused an order: the limit, what was observed, and the field it is about."""

    code: str
    rule: str
    field: str
    limit: str
    observed: str
    detail: str


class Assessment(View, frozen=True):
    """The decision on one order; an approval comes with it if no control refused."""

    decision_id: UUID
    order_id: UUID
    findings: tuple[Finding, ...]
    limit_version: int
    kill_epoch: int
    approval: Approval | None


class LimitsView(View, frozen=True):
    """The limit set in force for an account; versions never change once stored."""

    account_id: UUID
    version: int
    order_qty_max: Decimal
    order_notional_max: Decimal
    position_qty_max: Decimal
    may_short: bool
    set_by: str
    set_at: Utc


class KillStateView(View, frozen=True):
    """A kill state: ``scope`` is ``firm`` or ``account``; ``state`` normal, reduce_only, cancel_only or halted."""

    scope: str
    account_id: UUID | None
    state: str
    epoch: int
    reason: str
    set_by: str
    set_at: Utc


class ExposureView(View, frozen=True):
    """What risk holds for one symbol of an account: booked position and open reservations."""

    symbol: str
    position_qty: Decimal
    reserved_buy_qty: Decimal
    reserved_sell_qty: Decimal
    last_price: Decimal | None


class RiskStateView(View, frozen=True):
    """Exposure, free cash and kill states of an account as risk sees them."""

    account_id: UUID
    cash: Decimal
    reserved_cash: Decimal
    exposures: tuple[ExposureView, ...]
    kill_states: tuple[KillStateView, ...]


class AssessmentView(View, frozen=True):
    """A stored decision."""

    decision_id: UUID
    order_id: UUID
    account_id: UUID
    approved: bool
    findings: tuple[Finding, ...]
    limit_version: int
    kill_epoch: int
    decided_at: Utc


class AssessmentsView(View, frozen=True):
    """Stored decisions, newest first."""

    assessments: tuple[AssessmentView, ...]


class ReleasedView(View, frozen=True):
    """Whether a reservation was open and is now released."""

    released: bool


class MarkedView(View, frozen=True):
    """The last price sequence risk holds for a feed, and which of the awaited executions it has not booked yet."""

    seq: int
    missing: tuple[str, ...] = ()


class MarkPrice(View, frozen=True):
    """A symbol's newest price."""

    symbol: str
    price: Decimal


class AssessOrder(Command[Assessment], tag="risk.assess_order.v1", frozen=True):
    """Check an order and reserve for it; safe to repeat for the same order and terms."""

    terms: OrderTerms


class ReleaseOrder(Command[ReleasedView], tag="risk.release_order.v1", frozen=True):
    """Give back the reservation of an order that was not accepted after all."""

    order_id: UUID


class RenewApproval(Command[Assessment], tag="risk.renew_approval.v1", frozen=True):
    """Re-issue an approval that expired in a queue; refused unless its reservation and kill epoch still stand."""

    terms: OrderTerms


class GetLimits(Command[LimitsView], tag="risk.get_limits.v1", frozen=True):
    """Fetch the limit set in force for an account."""

    account_id: UUID


class SetLimits(Command[LimitsView], tag="risk.set_limits.v1", frozen=True):
    """Store a new version of an account's limit set; it holds from the next order on."""

    account_id: UUID
    order_qty_max: Decimal
    order_notional_max: Decimal
    position_qty_max: Decimal
    may_short: bool = False


class SetKillState(Command[KillStateView], tag="risk.set_kill_state.v1", frozen=True):
    """Block (or release) trading for the firm or one account; every change starts a new epoch."""

    scope: str
    state: str
    reason: str
    account_id: UUID | None = None


class GetRiskState(Command[RiskStateView], tag="risk.get_risk_state.v1", frozen=True):
    """Fetch what risk holds for an account."""

    account_id: UUID


class ListAssessments(Command[AssessmentsView], tag="risk.list_assessments.v1", frozen=True):
    """List decisions on an account's orders, newest first."""

    account_id: UUID
    limit: int = 100


class MarkPrices(Command[MarkedView], tag="risk.mark_prices.v1", frozen=True):
    """Take the newest prices of a feed; an older sequence changes nothing.

    ``await_executions`` names executions the caller waits for: ask again until none of them is missing.
    """

    feed_id: UUID
    seq: int
    at: Utc
    prices: tuple[MarkPrice, ...]
    await_executions: tuple[str, ...] = ()


class GetRiskReport(Command[RiskReportView], tag="risk.get_risk_report.v1", frozen=True):
    """Measure an account's book as it stands; beta is against ``benchmark``, a symbol of the account's feed."""

    account_id: UUID
    benchmark: str = ""


class KeepRiskReport(Command[KeptReportView], tag="risk.keep_risk_report.v1", frozen=True):
    """Measure an account's book and keep the report, beside those that are kept every hour."""

    account_id: UUID


class ListRiskReports(Command[KeptReportsView], tag="risk.list_risk_reports.v1", frozen=True):
    """List an account's kept reports, newest first."""

    account_id: UUID
    limit: int = 100


class ListAlerts(Command[AlertsView], tag="risk.list_alerts.v1", frozen=True):
    """List alerts, newest first: all of them to owner and operator, to others those about their accounts."""

    open_only: bool = False
    limit: int = 100


class AcknowledgeAlert(Command[AlertView], tag="risk.acknowledge_alert.v1", frozen=True):
    """Take an alert up in one's own name; who did first stays."""

    alert_id: UUID
    note: str = ""


class ListAlertRules(Command[AlertRulesView], tag="risk.list_alert_rules.v1", frozen=True):
    """List what alerts are raised about."""


class SetAlertRule(Command[AlertRuleView], tag="risk.set_alert_rule.v1", frozen=True):
    """Store a new version of a rule; it holds from the next look on."""

    rule: str
    is_enabled: bool
    severity: str
    threshold: Decimal
    repeat_after_s: int
    escalate_after_s: int


class ListCases(Command[CasesView], tag="risk.list_cases.v1", frozen=True):
    """List cases of surveillance, newest first; for owner and operator, and never about themselves."""

    state: str | None = None
    limit: int = 100


class GetCase(Command[CaseView], tag="risk.get_case.v1", frozen=True):
    """Fetch a case with its evidence."""

    case_id: UUID


class MoveCase(Command[CaseView], tag="risk.move_case.v1", frozen=True):
    """Act on a case: review, escalate, propose_closure with an outcome, confirm_closure or reject_closure."""

    case_id: UUID
    action: str
    reason: str
    outcome: str | None = None


class ListDetectors(Command[DetectorsView], tag="risk.list_detectors.v1", frozen=True):
    """List the detectors of surveillance with their parameters in force."""


class SetDetector(Command[DetectorView], tag="risk.set_detector.v1", frozen=True):
    """Store a new version of a detector's parameters; what is not named stays, and that is a review too."""

    detector: str
    values: dict[str, Decimal]
    reason: str


class ReplayDetector(Command[ReplayView], tag="risk.replay_detector.v1", frozen=True):
    """Run a detector over stored history; no case is opened."""

    detector: str
    since: Utc
    until: Utc


class LimitsChanged(Event, tag="risk.limits_changed.v1", frozen=True):
    """A limit set came into force."""

    account_id: UUID
    version: int


class LimitBreached(Event, tag="risk.limit_breached.v1", frozen=True):
    """An order was refused by a control."""

    account_id: UUID
    order_id: UUID
    findings: tuple[Finding, ...]


class KillStateChanged(Event, tag="risk.kill_state_changed.v1", frozen=True):
    """A kill state came into force."""

    kill: KillStateView


class AlertRaised(Event, tag="risk.alert_raised.v1", frozen=True):
    """Something a person is to look at; ``key`` is the same for the same happening."""

    alert: AlertView
    owner_id: UUID | None
    key: str


class AlertEscalated(Event, tag="risk.alert_escalated.v1", frozen=True):
    """Nobody acknowledged an alert in time."""

    alert: AlertView
    owner_id: UUID | None


class CaseOpened(Event, tag="risk.case_opened.v1", frozen=True):
    """A detector found something that a person is to look at."""

    case_id: UUID
    detector: str
    owner_id: UUID
    symbol: str


class CaseChanged(Event, tag="risk.case_changed.v1", frozen=True):
    """Somebody acted on a case."""

    case_id: UUID
    action: str
    state: str
    version: int
