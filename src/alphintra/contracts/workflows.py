"""What nocode shows of workflows beside their graphs: history, differences, grants, drafts and executions."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.messages import Utc, View

__all__ = [
    "ShareView",
    "SharesView",
    "VersionSummaryView",
    "WorkflowComparisonView",
    "WorkflowDocumentView",
    "WorkflowExecutionView",
    "WorkflowExecutionsView",
    "WorkflowHistoryView",
]


class VersionSummaryView(View, frozen=True):
    """One version of a workflow without its graph: who saved it, when and why.

    ``origin_version_id`` is the version it was restored or duplicated from, None for any other.
    """

    version_id: UUID
    version: int
    graph_hash: str
    warmup_bars: int
    created_at: Utc
    created_by: UUID
    created_by_email: str
    note: str
    origin_version_id: UUID | None = None


class WorkflowHistoryView(View, frozen=True):
    """Versions of a workflow, newest first; ``has_more`` tells whether there are older ones."""

    workflow_id: UUID
    versions: tuple[VersionSummaryView, ...]
    has_more: bool


class WorkflowComparisonView(View, frozen=True):
    """How one version differs from another: sentences for people, ``difference`` as JSON text for programs."""

    before_version_id: UUID
    after_version_id: UUID
    is_same: bool
    sentences: tuple[str, ...]
    difference: str


class WorkflowDocumentView(View, frozen=True):
    """A version as a document that another installation can import, as JSON text."""

    document: str


class ShareView(View, frozen=True):
    """A grant that was not revoked: to a person or to everybody in a role; it holds until ``expires_at``, if any."""

    grant_id: UUID
    workflow_id: UUID
    permission: str
    user_id: UUID | None
    email: str
    role: str | None
    granted_at: Utc
    expires_at: Utc | None
    is_expired: bool


class SharesView(View, frozen=True):
    """Grants of a workflow, oldest first."""

    shares: tuple[ShareView, ...]


class WorkflowExecutionView(View, frozen=True):
    """One execution of a version: a backtest, or a deployment on paper or live; figures by name."""

    execution_id: UUID
    kind: str
    workflow_id: UUID
    version_id: UUID
    version: int
    symbol: str
    executed_by: UUID
    executed_by_email: str
    status: str
    started_at: Utc | None
    ended_at: Utc | None
    figures: dict[str, float | None]
    workflow_name: str = ""


class WorkflowExecutionsView(View, frozen=True):
    """Executions of workflows, newest first."""

    executions: tuple[WorkflowExecutionView, ...]
