"""What risk answers and tells."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.contracts.alerts import AlertRulesView, AlertRuleView, AlertsView, AlertView
from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.assessments import (
    Assessment,
    AssessmentsView,
    AssessmentView,
    ExposureView,
    Finding,
    KillStateView,
    LimitsView,
    LimitVersionsView,
    MarkedView,
    MarkPrice,
    OrderDecisionsView,
    ReleasedView,
    ReportedView,
    RiskStateView,
)
from alphintra.contracts.controls import (
    InstrumentView,
    LatchesView,
    LatchView,
    LimitProposalsView,
    LimitProposalView,
    OverridesView,
    OverrideView,
    RestrictionsView,
    RestrictionView,
    SessionView,
    SharedLimitView,
)
from alphintra.contracts.measures import KeptReportsView, KeptReportView, RiskReportView
from alphintra.contracts.surveillance import (
    GetCase,
    ListCases,
    ListDetectors,
    MoveCase,
    ReplayDetector,
    SetDetector,
)
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.messages import Command, Event, Utc

__all__ = [
    "AcknowledgeAlert",
    "AlertEscalated",
    "AlertRaised",
    "ApproveOverride",
    "AssessOrder",
    "Assessment",
    "AssessmentView",
    "AssessmentsView",
    "CaseChanged",
    "CaseOpened",
    "ControlChanged",
    "DecideLimits",
    "ExposureView",
    "Finding",
    "GetCase",
    "GetDecisions",
    "GetInstrument",
    "GetLimits",
    "GetRiskReport",
    "GetRiskState",
    "GetSharedLimit",
    "KeepRiskReport",
    "KeepSession",
    "KillScopeChanged",
    "KillStateChanged",
    "KillStateView",
    "LiftLatch",
    "LiftRestriction",
    "LimitBreached",
    "LimitsChanged",
    "LimitsView",
    "ListAlertRules",
    "ListAlerts",
    "ListAssessments",
    "ListCases",
    "ListDetectors",
    "ListLatches",
    "ListLimits",
    "ListOverrides",
    "ListProposals",
    "ListRestrictions",
    "ListRiskReports",
    "MarkPrice",
    "MarkPrices",
    "MarkedView",
    "MoveCase",
    "OrdersBarred",
    "ProposeLimits",
    "ReleaseOrder",
    "ReleasedView",
    "RenewApproval",
    "ReplayDetector",
    "ReportInstance",
    "ReportedView",
    "RequestOverride",
    "RestrictSymbol",
    "RiskStateView",
    "SetAlertRule",
    "SetDetector",
    "SetInstrument",
    "SetKillState",
    "SetLimits",
    "SetSharedLimit",
]


class AssessOrder(Command[Assessment], tag="risk.assess_order.v1", frozen=True):
    """Check an order, for the version of the deployment named, and reserve for it; safe to repeat with its terms."""

    terms: OrderTerms
    book_id: UUID | None = None
    strategy_hash: str = ""


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
    """Store a new version of an account's limit set; it holds from the next order on.

    ``base_version`` is the version the change builds on: where another is in force, nothing changes.
    """

    account_id: UUID
    order_qty_max: Decimal
    order_notional_max: Decimal
    position_qty_max: Decimal
    may_short: bool = False
    controls: LimitControls = LimitControls()
    base_version: int | None = None
    reason: str = ""


class SetKillState(Command[KillStateView], tag="risk.set_kill_state.v1", frozen=True):
    """Block (or release) the firm, an account, a user, a strategy, a venue or a symbol; each change is an epoch."""

    scope: str
    state: str
    reason: str
    account_id: UUID | None = None
    owner_id: UUID | None = None
    book_id: UUID | None = None
    venue: str | None = None
    symbol: str | None = None


class ProposeLimits(Command[LimitProposalView], tag="risk.propose_limits.v1", frozen=True):
    """Propose a limit set that takes two people; it comes into force once another person approves it."""

    account_id: UUID
    order_qty_max: Decimal
    order_notional_max: Decimal
    position_qty_max: Decimal
    may_short: bool = False
    controls: LimitControls = LimitControls()
    base_version: int | None = None
    reason: str = ""


class DecideLimits(Command[LimitProposalView], tag="risk.decide_limits.v1", frozen=True):
    """Approve or decline proposed limits; whoever proposed them may only decline."""

    proposal_id: UUID
    is_approved: bool


class SetSharedLimit(Command[SharedLimitView], tag="risk.set_shared_limit.v1", frozen=True):
    """Set the credit of a user or of the firm, and the order value above which limits take two people.

    ``base_version`` is the version the change builds on, 0 for none: where another is in force, nothing changes.
    ``credit_warn_pct`` is the share of the credit that raises an alert when crossed, percent.
    """

    scope: str
    owner_id: UUID | None = None
    credit_max: Decimal | None = None
    four_eyes_above: Decimal | None = None
    base_version: int | None = None
    credit_warn_pct: Decimal = Decimal(80)


class GetSharedLimit(Command[SharedLimitView], tag="risk.get_shared_limit.v1", frozen=True):
    """Fetch the credit of a user or of the firm in force, and from which order value on limits take two people."""

    scope: str
    owner_id: UUID | None = None


class SetInstrument(Command[InstrumentView], tag="risk.set_instrument.v1", frozen=True):
    """Store a new version of a symbol's specification; it holds from the next order on."""

    symbol: str
    tick: Decimal | None = None
    lot: Decimal | None = None
    qty_min: Decimal | None = None
    qty_max: Decimal | None = None
    multiplier: Decimal = Decimal(1)
    expires_at: Utc | None = None
    sector: str = ""
    asset_class: str = ""
    collar_pct: Decimal | None = None
    collar_abs: Decimal | None = None
    is_shortable: bool = True
    is_halted: bool = False


class GetInstrument(Command[InstrumentView], tag="risk.get_instrument.v1", frozen=True):
    """Fetch the specification of a symbol in force."""

    symbol: str


class RestrictSymbol(Command[RestrictionView], tag="risk.restrict_symbol.v1", frozen=True):
    """Put a symbol on the restricted list, for one account or for all."""

    symbol: str
    reason: str
    account_id: UUID | None = None


class LiftRestriction(Command[RestrictionView], tag="risk.lift_restriction.v1", frozen=True):
    """Take a restriction off the list."""

    restriction_id: UUID


class ListRestrictions(Command[RestrictionsView], tag="risk.list_restrictions.v1", frozen=True):
    """List the restrictions in force."""


class GetDecisions(Command[OrderDecisionsView], tag="risk.get_decisions.v1", frozen=True):
    """Fetch every decision on one order, with what each was made from."""

    order_id: UUID


class ListLimits(Command[LimitVersionsView], tag="risk.list_limits.v1", frozen=True):
    """List the limit sets an account had, newest first."""

    account_id: UUID
    limit: int = 100


class ListProposals(Command[LimitProposalsView], tag="risk.list_proposals.v1", frozen=True):
    """List proposed limits of an account, newest first; with ``open_only`` those nobody has decided on."""

    account_id: UUID
    open_only: bool = False
    limit: int = 100


class ListOverrides(Command[OverridesView], tag="risk.list_overrides.v1", frozen=True):
    """List leave asked for on an account, newest first; with ``open_only`` what waits for a second person."""

    account_id: UUID
    open_only: bool = False
    limit: int = 100


class ListLatches(Command[LatchesView], tag="risk.list_latches.v1", frozen=True):
    """List the blocks in force for an account that a named person has to lift."""

    account_id: UUID


class LiftLatch(Command[LatchView], tag="risk.lift_latch.v1", frozen=True):
    """Lift a block, with a reason that stays on record."""

    latch_id: UUID
    reason: str


class RequestOverride(Command[OverrideView], tag="risk.request_override.v1", frozen=True):
    """Ask for leave to place, once, an order of the content of a refused one, past its soft controls."""

    order_id: UUID
    reason: str


class ApproveOverride(Command[OverrideView], tag="risk.approve_override.v1", frozen=True):
    """Give leave that another person asked for."""

    override_id: UUID


class KeepSession(Command[SessionView], tag="risk.keep_session.v1", frozen=True):
    """Be heard of: unless it is sent again in time, the account's orders are cancelled and it takes no more.

    ``timeout_s`` of 0 closes the session, which opts out.
    """

    account_id: UUID
    session_id: str
    timeout_s: int


class ReportInstance(Command[ReportedView], tag="risk.report_instance.v1", frozen=True):
    """Tell which build and configuration an instance of a service runs; again within a minute, or it is gone.

    One that runs ``deployments`` is held against the other instances of each of them: while two live, none of the
    deployment's orders passes. An instance heard of for the first time after another's last word takes over from it.
    """

    service: str
    instance: str
    build: str
    config_hash: str
    deployments: tuple[UUID, ...] = ()


class GetRiskState(Command[RiskStateView], tag="risk.get_risk_state.v1", frozen=True):
    """Fetch what risk holds for an account."""

    account_id: UUID


class ListAssessments(Command[AssessmentsView], tag="risk.list_assessments.v1", frozen=True):
    """List decisions on an account's orders, newest first; with ``refused_only`` those that approved nothing."""

    account_id: UUID
    limit: int = 100
    refused_only: bool = False


class MarkPrices(Command[MarkedView], tag="risk.mark_prices.v1", frozen=True):
    """Take the newest prices of a feed; an older sequence changes nothing.

    ``await_executions`` names executions the caller waits for, and ``await_closed`` orders that are to hold nothing of
    a position any more: ask again until none of them is missing.
    """

    feed_id: UUID
    seq: int
    at: Utc
    prices: tuple[MarkPrice, ...]
    await_executions: tuple[str, ...] = ()
    await_closed: tuple[UUID, ...] = ()


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


class KillScopeChanged(Event, tag="risk.kill_scope_changed.v1", frozen=True):
    """A kill state of a strategy or a symbol came into force: approvals from before its epoch are dead."""

    kill: KillStateView


class OrdersBarred(Event, tag="risk.orders_barred.v1", frozen=True):
    """Open orders have to go: those of a blocked strategy, those in symbols that may not be traded, or one of them.

    At least one of ``book_id``, ``symbols`` and ``order_id`` is given: nothing never means all. Without ``account_id``
    the orders of every account are meant.
    """

    code: str
    account_id: UUID | None = None
    book_id: UUID | None = None
    symbols: tuple[str, ...] = ()
    order_id: UUID | None = None


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


class ControlChanged(Event, tag="risk.control_changed.v1", frozen=True):
    """A block, restriction, specification, leave or shared limit changed: what kind, which one, and how."""

    kind: str
    key: str
    change: str
    account_id: UUID | None = None
