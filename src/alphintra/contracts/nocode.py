"""What nocode answers and tells. Graphs travel as JSON text: their schema belongs to the engine."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.messages import Command, Event, Utc, View

__all__ = [
    "CreateWorkflow",
    "GetWorkflow",
    "GetWorkflowVersion",
    "GraphProblemView",
    "ListNodes",
    "ListTemplates",
    "ListWorkflows",
    "NodeCatalogueView",
    "SaveWorkflow",
    "TemplateView",
    "TemplatesView",
    "ValidateGraph",
    "ValidationView",
    "WorkflowVersionView",
    "WorkflowVersioned",
    "WorkflowView",
    "WorkflowsView",
]


class GraphProblemView(View, frozen=True):
    """One thing wrong with a graph: where it is and how to mend it; ``pointer`` is a JSON pointer into the graph."""

    code: str
    node: str
    port: str
    message: str
    fix: str
    pointer: str = ""


class ValidationView(View, frozen=True):
    """Every problem of a graph, none if it is valid, and then its hash and warm-up."""

    problems: tuple[GraphProblemView, ...]
    graph_hash: str = ""
    warmup_bars: int = 0


class NodeCatalogueView(View, frozen=True):
    """All node types with their ports and parameters, as JSON text."""

    document: str


class TemplateView(View, frozen=True):
    """A ready strategy: opens as an editable graph."""

    name: str
    title: str
    description: str
    graph: str


class TemplatesView(View, frozen=True):
    """All templates."""

    templates: tuple[TemplateView, ...]


class WorkflowView(View, frozen=True):
    """A workflow and its newest version."""

    workflow_id: UUID
    name: str
    version_id: UUID
    version: int
    graph_hash: str
    warmup_bars: int
    updated_at: Utc


class WorkflowsView(View, frozen=True):
    """The acting user's workflows, newest first."""

    workflows: tuple[WorkflowView, ...]


class WorkflowVersionView(View, frozen=True):
    """One immutable version of a workflow; ``graph`` is canonical JSON text with the layout added.

    The layout is no part of ``graph_hash``: the newest version shows where its nodes stand now, an older one where
    they stood when it was stored.
    """

    workflow_id: UUID
    version_id: UUID
    version: int
    name: str
    graph: str
    graph_hash: str
    warmup_bars: int
    created_at: Utc


class ListNodes(Command[NodeCatalogueView], tag="nocode.list_nodes.v1", frozen=True):
    """List the node types a graph may use."""


class ListTemplates(Command[TemplatesView], tag="nocode.list_templates.v1", frozen=True):
    """List the ready strategies."""


class ValidateGraph(Command[ValidationView], tag="nocode.validate_graph.v1", frozen=True):
    """Check a graph without storing it."""

    graph: str


class CreateWorkflow(Command[WorkflowView], tag="nocode.create_workflow.v1", frozen=True):
    """Store a workflow from a graph or from a template by name: exactly one of them."""

    name: str
    graph: str | None = None
    template: str | None = None


class SaveWorkflow(Command[WorkflowView], tag="nocode.save_workflow.v1", frozen=True):
    """Store a new version on top of ``base_version``; an unchanged strategy keeps its version and takes the layout."""

    workflow_id: UUID
    base_version: int
    graph: str


class GetWorkflow(Command[WorkflowView], tag="nocode.get_workflow.v1", frozen=True):
    """Fetch a workflow."""

    workflow_id: UUID


class ListWorkflows(Command[WorkflowsView], tag="nocode.list_workflows.v1", frozen=True):
    """List the acting user's workflows."""


class GetWorkflowVersion(Command[WorkflowVersionView], tag="nocode.get_workflow_version.v1", frozen=True):
    """Fetch one immutable version with its graph."""

    version_id: UUID


class WorkflowVersioned(Event, tag="nocode.workflow_versioned.v1", frozen=True):
    """A workflow got a new version."""

    workflow_id: UUID
    version_id: UUID
    version: int
    graph_hash: str
