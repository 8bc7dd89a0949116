"""What risk shows of decisions, limits, kill states and exposure."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.contracts.approval import Approval
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.messages import Utc, View

__all__ = [
    "Assessment",
    "AssessmentView",
    "AssessmentsView",
    "ExposureView",
    "Finding",
    "KillStateView",
    "LimitVersionsView",
    "LimitsView",
    "MarkPrice",
    "MarkedView",
    "OrderDecisionView",
    "OrderDecisionsView",
    "ReleasedView",
    "ReportedView",
    "RiskStateView",
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
    """The limit set in force for an account; versions never change once stored. ``reason`` is why it was set."""

    account_id: UUID
    version: int
    order_qty_max: Decimal
    order_notional_max: Decimal
    position_qty_max: Decimal
    may_short: bool
    set_by: str
    set_at: Utc
    controls: LimitControls = LimitControls()
    reason: str = ""


class LimitVersionsView(View, frozen=True):
    """The limit sets an account had, newest first."""

    versions: tuple[LimitsView, ...]


class KillStateView(View, frozen=True):
    """A kill state: ``state`` is normal, reduce_only, cancel_only or halted.

    ``scope`` is firm, account, user, strategy, venue or symbol, and what it is for is named beside it. Those who send
    orders are told of a user's or venue's by one for each of its accounts.
    """

    scope: str
    account_id: UUID | None
    state: str
    epoch: int
    reason: str
    set_by: str
    set_at: Utc
    owner_id: UUID | None = None
    book_id: UUID | None = None
    venue: str | None = None
    symbol: str | None = None


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


class OrderDecisionView(View, frozen=True):
    """One decision on an order with all it was made from, and whether that is still what was stored.

    ``inputs`` is a JSON document; who may not know why a symbol is restricted finds no reason there.
    """

    decision_id: UUID
    order_id: UUID
    account_id: UUID
    attempt: int
    approved: bool
    findings: tuple[Finding, ...]
    limit_version: int
    kill_epoch: int
    decided_at: Utc
    inputs: str
    is_intact: bool


class OrderDecisionsView(View, frozen=True):
    """All decisions on one order, newest first."""

    decisions: tuple[OrderDecisionView, ...]


class AssessmentsView(View, frozen=True):
    """Stored decisions, newest first."""

    assessments: tuple[AssessmentView, ...]


class ReleasedView(View, frozen=True):
    """Whether a reservation was open and is now released."""

    released: bool


class ReportedView(View, frozen=True):
    """Which services have instances that differ, and which of the deployments reported two instances run."""

    differing: tuple[str, ...]
    doubled: tuple[UUID, ...] = ()


class MarkedView(View, frozen=True):
    """The last price sequence risk holds for a feed, and which of the awaited executions it has not booked yet."""

    seq: int
    missing: tuple[str, ...] = ()


class MarkPrice(View, frozen=True):
    """A symbol's newest price, and the quote around it where the feed tells one."""

    symbol: str
    price: Decimal
    bid: Decimal | None = None
    ask: Decimal | None = None
