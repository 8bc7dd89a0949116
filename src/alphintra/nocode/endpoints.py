"""Ways into nocode: commands; each decoded, one use case, encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts.nocode import (
    CreateWorkflow,
    GetWorkflow,
    GetWorkflowVersion,
    ListNodes,
    ListTemplates,
    ListWorkflows,
    NodeCatalogueView,
    SaveWorkflow,
    TemplatesView,
    ValidateGraph,
    ValidationView,
    WorkflowsView,
    WorkflowVersionView,
    WorkflowView,
)
from alphintra.nocode import service

if TYPE_CHECKING:
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

    async def list_nodes(self, _command: ListNodes, _context: Context) -> NodeCatalogueView:
        """Answer ``nocode.list_nodes``."""
        return service.list_nodes()

    async def list_templates(self, _command: ListTemplates, _context: Context) -> TemplatesView:
        """Answer ``nocode.list_templates``."""
        return service.list_templates()

    async def validate_graph(self, command: ValidateGraph, _context: Context) -> ValidationView:
        """Answer ``nocode.validate_graph``."""
        return service.validate_graph(command)

    async def create_workflow(self, command: CreateWorkflow, context: Context) -> WorkflowView:
        """Answer ``nocode.create_workflow``."""
        at = self._clock.now()
        return await service.create_workflow(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def save_workflow(self, command: SaveWorkflow, context: Context) -> WorkflowView:
        """Answer ``nocode.save_workflow``."""
        at = self._clock.now()
        return await service.save_workflow(command, context, workflows=self._workflows, ids=self._ids, at=at)

    async def get_workflow(self, command: GetWorkflow, context: Context) -> WorkflowView:
        """Answer ``nocode.get_workflow``."""
        return await service.get_workflow(command, context, workflows=self._workflows)

    async def list_workflows(self, _command: ListWorkflows, context: Context) -> WorkflowsView:
        """Answer ``nocode.list_workflows``."""
        return await service.list_workflows(context, workflows=self._workflows)

    async def get_workflow_version(self, command: GetWorkflowVersion, context: Context) -> WorkflowVersionView:
        """Answer ``nocode.get_workflow_version``."""
        return await service.get_workflow_version(command, context, workflows=self._workflows)
