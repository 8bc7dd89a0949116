"""What strategy answers and tells of drift: a deployment held against the backtest of its bars."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.kernel.messages import Command, Event, Utc, View

__all__ = ["DriftCountView", "DriftFound", "DriftLineView", "DriftView", "GetDrift", "MeasureDrift"]


class DriftCountView(View, frozen=True):
    """How many differences have a reason."""

    reason: str
    count: int


class DriftLineView(View, frozen=True):
    """One thing a deployment did otherwise than its backtest: ``kind`` is decision, order, fill or position."""

    ts: Utc
    kind: str
    reason: str
    detail: str


class DriftView(View, frozen=True):
    """A deployment held against the backtest of the bars it ran on, with the same version.

    ``equity_bps`` is the difference in worth in bps of the capital, ``slippage_bps`` how much worse fills were than
    those of the backtest. Of the differences the first are shown, all are counted in ``reasons``. ``is_over`` says
    that somebody has to look.
    """

    deployment_id: UUID
    made_at: Utc
    graph_hash: str
    symbol: str
    first_ts: Utc | None
    last_ts: Utc | None
    bars: int
    decisions: int
    orders: int
    fills: int
    equity: Decimal
    replayed_equity: Decimal
    equity_bps: Decimal
    slippage_bps: Decimal
    is_over: bool
    reasons: tuple[DriftCountView, ...]
    differences: tuple[DriftLineView, ...]


class MeasureDrift(Command[DriftView], tag="strategy.measure_drift.v1", frozen=True):
    """Hold a deployment against the backtest of its bars now, and keep what comes of it."""

    deployment_id: UUID


class GetDrift(Command[DriftView], tag="strategy.get_drift.v1", frozen=True):
    """Fetch the newest report on a deployment's drift that was kept."""

    deployment_id: UUID


class DriftFound(Event, tag="strategy.drift_found.v1", frozen=True):
    """A deployment does otherwise than the backtest of its bars, by more than prices of fills."""

    report_id: UUID
    deployment_id: UUID
    owner_id: UUID
    account_id: UUID
    symbol: str
    equity_bps: Decimal
    reasons: tuple[DriftCountView, ...]
