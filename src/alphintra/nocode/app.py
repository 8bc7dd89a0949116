"""Composition root of nocode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts import nocode as messages
from alphintra.contracts.auth import UserRegistered
from alphintra.contracts.executions import DeploymentEnded, DeploymentStarted
from alphintra.contracts.strategy import BacktestFinished
from alphintra.nocode.endpoints import Endpoints
from alphintra.nocode.repository import Workflows

if TYPE_CHECKING:
    from alphintra.infrastructure.host import Parts, ServiceHost

__all__ = ["wire"]


def wire(host: ServiceHost, _parts: Parts) -> None:
    """Enter what nocode answers and hears."""
    endpoints = Endpoints(workflows=Workflows(host.database), clock=host.clock, ids=host.ids)
    answer = host.bus.answer
    answer(messages.ListNodes, endpoints.list_nodes)
    answer(messages.ListTemplates, endpoints.list_templates)
    answer(messages.ValidateGraph, endpoints.validate_graph)
    answer(messages.CreateWorkflow, endpoints.create_workflow)
    answer(messages.SaveWorkflow, endpoints.save_workflow)
    answer(messages.GetWorkflow, endpoints.get_workflow)
    answer(messages.ListWorkflows, endpoints.list_workflows)
    answer(messages.GetWorkflowVersion, endpoints.get_workflow_version)
    answer(messages.UseWorkflowVersion, endpoints.use_workflow_version)
    answer(messages.ListWorkflowVersions, endpoints.list_workflow_versions)
    answer(messages.CompareWorkflowVersions, endpoints.compare_workflow_versions)
    answer(messages.RestoreWorkflowVersion, endpoints.restore_workflow_version)
    answer(messages.RenameWorkflow, endpoints.rename_workflow)
    answer(messages.ArchiveWorkflow, endpoints.archive_workflow)
    answer(messages.UnarchiveWorkflow, endpoints.unarchive_workflow)
    answer(messages.DuplicateWorkflow, endpoints.duplicate_workflow)
    answer(messages.ExportWorkflowVersion, endpoints.export_workflow_version)
    answer(messages.ImportWorkflow, endpoints.import_workflow)
    answer(messages.ShareWorkflow, endpoints.share_workflow)
    answer(messages.RevokeShare, endpoints.revoke_share)
    answer(messages.ListShares, endpoints.list_shares)
    answer(messages.SaveDraft, endpoints.save_draft)
    answer(messages.GetDraft, endpoints.get_draft)
    answer(messages.DiscardDraft, endpoints.discard_draft)
    answer(messages.ListWorkflowExecutions, endpoints.list_workflow_executions)
    answer(messages.ListNewestExecutions, endpoints.list_newest_executions)
    host.hear(UserRegistered, endpoints.on_user_registered)
    host.hear(BacktestFinished, endpoints.on_backtest_finished)
    host.hear(DeploymentStarted, endpoints.on_deployment_started)
    host.hear(DeploymentEnded, endpoints.on_deployment_ended)
