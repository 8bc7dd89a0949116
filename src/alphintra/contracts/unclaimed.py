"""Reports of venues on orders that trading does not know: kept aside, shown, taken up once their order is known."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.messages import Command, Event, Utc, View

__all__ = [
    "ListUnclaimedReports",
    "ReplayReports",
    "ReportsReplayedView",
    "ReportsUnclaimed",
    "UnclaimedReportView",
    "UnclaimedReportsView",
]


class UnclaimedReportView(View, frozen=True):
    """A report on an order that is not known.

    Attributes:
        event_id: the event it came as.
        order_id: the order it is on, as broker names it.
        kind: the event's name, e.g. order_canceled or execution_reported.
        occurred_at: when broker told it.
        kept_at: when trading gave up waiting for its order.
        claimed_at: when it took effect, its order being known by then; None as long as it waits.
    """

    event_id: UUID
    order_id: UUID
    kind: str
    occurred_at: Utc
    kept_at: Utc
    claimed_at: Utc | None


class UnclaimedReportsView(View, frozen=True):
    """Reports on orders that were not known, newest first, and how many wait."""

    reports: tuple[UnclaimedReportView, ...]
    waiting: int


class ReportsReplayedView(View, frozen=True):
    """How many reports took effect now, and how many still wait for their order."""

    replayed: int
    waiting: int


class ListUnclaimedReports(Command[UnclaimedReportsView], tag="trading.list_unclaimed_reports.v1", frozen=True):
    """List reports on orders that were not known, newest first; those that wait only, unless all are asked for."""

    is_waiting: bool = True
    limit: int = 100


class ReplayReports(Command[ReportsReplayedView], tag="trading.replay_reports.v1", frozen=True):
    """Take up every report whose order is known meanwhile; trading does so by itself every ten seconds."""


class ReportsUnclaimed(Event, tag="trading.reports_unclaimed.v1", frozen=True):
    """Reports on orders that trading does not know were kept aside.

    Attributes:
        order_id: the first of the orders.
        count: how many reports.
        detail: what they are, in one sentence.
    """

    order_id: UUID
    count: int
    detail: str
