"""Ways into nocode: commands and events; each decoded, one use case, encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts import nocode as messages
from alphintra.contracts.nocode import (
    DraftView,
    NodeCatalogueView,
    TemplatesView,
    ValidationView,
    WorkflowsView,
    WorkflowVersionView,
    WorkflowView,
)
from alphintra.contracts.workflows import (
    SharesView,
    ShareView,
    WorkflowComparisonView,
    WorkflowDocumentView,
    WorkflowExecutionsView,
    WorkflowHistoryView,
)
from alphintra.nocode.service import drafts, exchange, executions, history, sharing, workflows

if TYPE_CHECKING:
    from alphintra.contracts.auth import UserRegistered
    from alphintra.contracts.executions import DeploymentEnded, DeploymentStarted
    from alphintra.contracts.strategy import BacktestFinished
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.nocode.repository import Workflows

__all__ = ["Endpoints"]


class Endpoints:
    """Handlers with what they need at hand."""

    def __init__(self, *, workflows: Workflows, clock: Clock, ids: IdSource) -> None:
        self._workflows = workflows
        self._clock = clock
        self._ids = ids

    async def list_nodes(self, _command: messages.ListNodes, _context: Context) -> NodeCatalogueView:
        """Answer ``nocode.list_nodes``."""
        return workflows.list_nodes()

    async def list_templates(self, _command: messages.ListTemplates, _context: Context) -> TemplatesView:
        """Answer ``nocode.list_templates``."""
        return workflows.list_templates()

    async def validate_graph(self, command: messages.ValidateGraph, _context: Context) -> ValidationView:
        """Answer ``nocode.validate_graph``."""
        return workflows.validate_graph(command)

    async def create_workflow(self, command: messages.CreateWorkflow, context: Context) -> WorkflowView:
        """Answer ``nocode.create_workflow``."""
        at = self._clock.now()
        return await workflows.create_workflow(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def save_workflow(self, command: messages.SaveWorkflow, context: Context) -> WorkflowView:
        """Answer ``nocode.save_workflow``."""
        at = self._clock.now()
        return await workflows.save_workflow(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def get_workflow(self, command: messages.GetWorkflow, context: Context) -> WorkflowView:
        """Answer ``nocode.get_workflow``."""
        at = self._clock.now()
        return await workflows.get_workflow(command, context, workflows=self._workflows, at=at)

    async def list_workflows(self, command: messages.ListWorkflows, context: Context) -> WorkflowsView:
        """Answer ``nocode.list_workflows``."""
        at = self._clock.now()
        return await workflows.list_workflows(command, context, workflows=self._workflows, at=at)

    async def get_workflow_version(self, command: messages.GetWorkflowVersion, context: Context) -> WorkflowVersionView:
        """Answer ``nocode.get_workflow_version``."""
        at = self._clock.now()
        return await workflows.get_workflow_version(command, context, workflows=self._workflows, at=at)

    async def use_workflow_version(self, command: messages.UseWorkflowVersion, context: Context) -> WorkflowVersionView:
        """Answer ``nocode.use_workflow_version``."""
        at = self._clock.now()
        return await workflows.use_workflow_version(command, context, workflows=self._workflows, at=at)

    async def list_workflow_versions(
        self, command: messages.ListWorkflowVersions, context: Context
    ) -> WorkflowHistoryView:
        """Answer ``nocode.list_workflow_versions``."""
        at = self._clock.now()
        return await history.list_workflow_versions(command, context, workflows=self._workflows, at=at)

    async def compare_workflow_versions(
        self, command: messages.CompareWorkflowVersions, context: Context
    ) -> WorkflowComparisonView:
        """Answer ``nocode.compare_workflow_versions``."""
        at = self._clock.now()
        return await history.compare_workflow_versions(command, context, workflows=self._workflows, at=at)

    async def restore_workflow_version(
        self, command: messages.RestoreWorkflowVersion, context: Context
    ) -> WorkflowView:
        """Answer ``nocode.restore_workflow_version``."""
        at = self._clock.now()
        return await history.restore_workflow_version(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def rename_workflow(self, command: messages.RenameWorkflow, context: Context) -> WorkflowView:
        """Answer ``nocode.rename_workflow``."""
        at = self._clock.now()
        return await history.rename_workflow(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def archive_workflow(self, command: messages.ArchiveWorkflow, context: Context) -> WorkflowView:
        """Answer ``nocode.archive_workflow``."""
        at = self._clock.now()
        return await history.set_archived(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def unarchive_workflow(self, command: messages.UnarchiveWorkflow, context: Context) -> WorkflowView:
        """Answer ``nocode.unarchive_workflow``."""
        at = self._clock.now()
        return await history.set_archived(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def duplicate_workflow(self, command: messages.DuplicateWorkflow, context: Context) -> WorkflowView:
        """Answer ``nocode.duplicate_workflow``."""
        at = self._clock.now()
        return await history.duplicate_workflow(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def export_workflow_version(
        self, command: messages.ExportWorkflowVersion, context: Context
    ) -> WorkflowDocumentView:
        """Answer ``nocode.export_workflow_version``."""
        at = self._clock.now()
        return await exchange.export_workflow_version(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def import_workflow(self, command: messages.ImportWorkflow, context: Context) -> WorkflowView:
        """Answer ``nocode.import_workflow``."""
        at = self._clock.now()
        return await exchange.import_workflow(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def share_workflow(self, command: messages.ShareWorkflow, context: Context) -> ShareView:
        """Answer ``nocode.share_workflow``."""
        at = self._clock.now()
        return await sharing.share_workflow(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def revoke_share(self, command: messages.RevokeShare, context: Context) -> ShareView:
        """Answer ``nocode.revoke_share``."""
        at = self._clock.now()
        return await sharing.revoke_share(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def list_shares(self, command: messages.ListShares, context: Context) -> SharesView:
        """Answer ``nocode.list_shares``."""
        at = self._clock.now()
        return await sharing.list_shares(command, context, workflows=self._workflows, at=at)

    async def save_draft(self, command: messages.SaveDraft, context: Context) -> DraftView:
        """Answer ``nocode.save_draft``."""
        at = self._clock.now()
        return await drafts.save_draft(command, context, workflows=self._workflows, at=at)

    async def get_draft(self, command: messages.GetDraft, context: Context) -> DraftView:
        """Answer ``nocode.get_draft``."""
        at = self._clock.now()
        return await drafts.get_draft(command, context, workflows=self._workflows, at=at)

    async def discard_draft(self, command: messages.DiscardDraft, context: Context) -> DraftView:
        """Answer ``nocode.discard_draft``."""
        at = self._clock.now()
        return await drafts.discard_draft(command, context, workflows=self._workflows, at=at)

    async def list_workflow_executions(
        self, command: messages.ListWorkflowExecutions, context: Context
    ) -> WorkflowExecutionsView:
        """Answer ``nocode.list_workflow_executions``."""
        at = self._clock.now()
        return await executions.list_workflow_executions(command, context, workflows=self._workflows, at=at)

    async def list_newest_executions(
        self, command: messages.ListNewestExecutions, context: Context
    ) -> WorkflowExecutionsView:
        """Answer ``nocode.list_newest_executions``."""
        at = self._clock.now()
        return await executions.list_newest_executions(command, context, workflows=self._workflows, at=at)

    async def on_backtest_finished(self, delivery: Delivery[BacktestFinished]) -> None:
        """Hear ``strategy.backtest_finished``."""
        await executions.remember_backtest(delivery, workflows=self._workflows)

    async def on_deployment_started(self, delivery: Delivery[DeploymentStarted]) -> None:
        """Hear ``strategy.deployment_started``."""
        await executions.remember_start(delivery, workflows=self._workflows)

    async def on_deployment_ended(self, delivery: Delivery[DeploymentEnded]) -> None:
        """Hear ``strategy.deployment_ended``."""
        await executions.remember_end(delivery, workflows=self._workflows)

    async def on_user_registered(self, delivery: Delivery[UserRegistered]) -> None:
        """Hear ``auth.user_registered``."""
        await sharing.remember_person(delivery, workflows=self._workflows)
