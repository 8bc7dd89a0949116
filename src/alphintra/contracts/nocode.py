"""What nocode answers and tells. Graphs travel as JSON text: their schema belongs to the engine."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.contracts.workflows import (
    SharesView,
    ShareView,
    WorkflowComparisonView,
    WorkflowDocumentView,
    WorkflowExecutionsView,
    WorkflowHistoryView,
)
from alphintra.kernel.messages import Command, Event, Utc, View

__all__ = [
    "ArchiveWorkflow",
    "CompareWorkflowVersions",
    "CreateWorkflow",
    "DiscardDraft",
    "DraftView",
    "DuplicateWorkflow",
    "ExportWorkflowVersion",
    "ExposedParameterView",
    "GetDraft",
    "GetWorkflow",
    "GetWorkflowVersion",
    "GraphProblemView",
    "ImportWorkflow",
    "ListNewestExecutions",
    "ListNodes",
    "ListShares",
    "ListTemplates",
    "ListWorkflowExecutions",
    "ListWorkflowVersions",
    "ListWorkflows",
    "NodeCatalogueView",
    "RenameWorkflow",
    "RestoreWorkflowVersion",
    "RevokeShare",
    "SaveDraft",
    "SaveWorkflow",
    "ShareRevoked",
    "ShareWorkflow",
    "TemplateView",
    "TemplatesView",
    "UnarchiveWorkflow",
    "UseWorkflowVersion",
    "ValidateGraph",
    "ValidationView",
    "WorkflowArchived",
    "WorkflowRenamed",
    "WorkflowShared",
    "WorkflowUnarchived",
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
    """Every problem of a graph, none if it is valid, and then its hash and warm-up; warnings refuse nothing."""

    problems: tuple[GraphProblemView, ...]
    graph_hash: str = ""
    warmup_bars: int = 0
    warnings: tuple[GraphProblemView, ...] = ()


class NodeCatalogueView(View, frozen=True):
    """All node types with their ports and parameters, as JSON text."""

    document: str


class ExposedParameterView(View, frozen=True):
    """A number of a strategy that a search may turn, by ``node.param``: what it is, and how far it may go."""

    name: str
    value: Decimal
    min: Decimal
    max: Decimal
    step: Decimal


class TemplateView(View, frozen=True):
    """A ready strategy: opens as an editable graph; ``constraints`` hold between its parameters."""

    name: str
    title: str
    description: str
    graph: str
    parameters: tuple[ExposedParameterView, ...] = ()
    constraints: tuple[str, ...] = ()


class TemplatesView(View, frozen=True):
    """All templates."""

    templates: tuple[TemplateView, ...]


class WorkflowView(View, frozen=True):
    """A workflow and its newest version; ``permissions`` say what the acting user may do with it.

    They are out of owner, view, edit and execute. ``archived_at`` is None while the workflow is in use.
    """

    workflow_id: UUID
    name: str
    version_id: UUID
    version: int
    graph_hash: str
    warmup_bars: int
    updated_at: Utc
    owner_id: UUID | None = None
    permissions: tuple[str, ...] = ()
    archived_at: Utc | None = None


class WorkflowsView(View, frozen=True):
    """Workflows of the acting user, or shared with them, newest first."""

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
    note: str = ""
    created_by: UUID | None = None
    origin_version_id: UUID | None = None


class DraftView(View, frozen=True):
    """What one person keeps of a workflow without having saved it, with the problems it has.

    Each keeping raises ``revision``. ``base_version`` is the version the draft was begun from, ``newest_version`` the
    workflow's: where they differ, somebody saved meanwhile. Revision 0 and no graph if nothing is kept.
    """

    workflow_id: UUID
    base_version: int
    newest_version: int
    revision: int
    graph: str
    problems: tuple[GraphProblemView, ...]
    warnings: tuple[GraphProblemView, ...]
    updated_at: Utc | None


class ListNodes(Command[NodeCatalogueView], tag="nocode.list_nodes.v1", frozen=True):
    """List the node types a graph may use."""


class ListTemplates(Command[TemplatesView], tag="nocode.list_templates.v1", frozen=True):
    """List the ready strategies."""


class ValidateGraph(Command[ValidationView], tag="nocode.validate_graph.v1", frozen=True):
    """Check a graph without storing it."""

    graph: str


class CreateWorkflow(Command[WorkflowView], tag="nocode.create_workflow.v1", frozen=True):
    """Store a workflow from a graph or from a template by name: exactly one of them.

    A template may be taken to another timeframe than its own.
    """

    name: str
    graph: str | None = None
    template: str | None = None
    note: str = ""
    timeframe: str | None = None


class SaveWorkflow(Command[WorkflowView], tag="nocode.save_workflow.v1", frozen=True):
    """Store a new version on top of ``base_version``; an unchanged strategy keeps its version and takes the layout."""

    workflow_id: UUID
    base_version: int
    graph: str
    note: str = ""


class GetWorkflow(Command[WorkflowView], tag="nocode.get_workflow.v1", frozen=True):
    """Fetch a workflow."""

    workflow_id: UUID


class ListWorkflows(Command[WorkflowsView], tag="nocode.list_workflows.v1", frozen=True):
    """List the acting user's workflows, or those others share with them; archived ones only if asked for."""

    is_shared: bool = False
    with_archived: bool = False


class GetWorkflowVersion(Command[WorkflowVersionView], tag="nocode.get_workflow_version.v1", frozen=True):
    """Fetch one immutable version with its graph."""

    version_id: UUID


class UseWorkflowVersion(Command[WorkflowVersionView], tag="nocode.use_workflow_version.v1", frozen=True):
    """Fetch one immutable version to run it for the acting user, who must be its owner or granted to execute it."""

    version_id: UUID


class ListWorkflowVersions(Command[WorkflowHistoryView], tag="nocode.list_workflow_versions.v1", frozen=True):
    """List versions of a workflow, newest first, those below ``before`` where that is given."""

    workflow_id: UUID
    before: int | None = None
    limit: int = 50


class CompareWorkflowVersions(Command[WorkflowComparisonView], tag="nocode.compare_workflow_versions.v1", frozen=True):
    """Tell how one version differs from another, be they of one workflow or of two."""

    before_version_id: UUID
    after_version_id: UUID


class RestoreWorkflowVersion(Command[WorkflowView], tag="nocode.restore_workflow_version.v1", frozen=True):
    """Save an older version's graph as a new version on top of ``base_version``."""

    workflow_id: UUID
    version: int
    base_version: int
    note: str = ""


class RenameWorkflow(Command[WorkflowView], tag="nocode.rename_workflow.v1", frozen=True):
    """Give a workflow another name. Owner only."""

    workflow_id: UUID
    name: str


class ArchiveWorkflow(Command[WorkflowView], tag="nocode.archive_workflow.v1", frozen=True):
    """Put a workflow away: it is kept and shown on demand, and neither changed nor executed. Owner only."""

    workflow_id: UUID


class UnarchiveWorkflow(Command[WorkflowView], tag="nocode.unarchive_workflow.v1", frozen=True):
    """Take a workflow out of the archive. Owner only."""

    workflow_id: UUID


class DuplicateWorkflow(Command[WorkflowView], tag="nocode.duplicate_workflow.v1", frozen=True):
    """Store a version that one may see as version 1 of a new workflow of one's own."""

    version_id: UUID
    name: str


class ExportWorkflowVersion(Command[WorkflowDocumentView], tag="nocode.export_workflow_version.v1", frozen=True):
    """Fetch a version as a document that can be imported elsewhere."""

    version_id: UUID


class ImportWorkflow(Command[WorkflowView], tag="nocode.import_workflow.v1", frozen=True):
    """Store an exported document as a new workflow, under ``name`` if given; all of it or nothing."""

    document: str
    name: str | None = None


class ShareWorkflow(Command[ShareView], tag="nocode.share_workflow.v1", frozen=True):
    """Grant a person (by id or e-mail), or everybody in a role, to view, edit or execute a workflow. Owner only."""

    workflow_id: UUID
    permission: str
    user: str | None = None
    role: str | None = None
    expires_at: Utc | None = None


class RevokeShare(Command[ShareView], tag="nocode.revoke_share.v1", frozen=True):
    """Take a grant back; what already runs goes on. Owner only."""

    grant_id: UUID


class ListShares(Command[SharesView], tag="nocode.list_shares.v1", frozen=True):
    """List the grants of a workflow. Owner only."""

    workflow_id: UUID


class SaveDraft(Command[DraftView], tag="nocode.save_draft.v1", frozen=True):
    """Keep a graph, with problems or without, as the acting user's own draft; it makes no version.

    ``revision`` is the one this follows: 0 for the first.
    """

    workflow_id: UUID
    base_version: int
    revision: int
    graph: str


class GetDraft(Command[DraftView], tag="nocode.get_draft.v1", frozen=True):
    """Fetch the acting user's own draft of a workflow."""

    workflow_id: UUID


class DiscardDraft(Command[DraftView], tag="nocode.discard_draft.v1", frozen=True):
    """Forget the acting user's own draft of a workflow."""

    workflow_id: UUID


class ListWorkflowExecutions(Command[WorkflowExecutionsView], tag="nocode.list_workflow_executions.v1", frozen=True):
    """List what a workflow, or one version of it, was run for: all of it to the owner, to others their own."""

    workflow_id: UUID
    version: int | None = None
    limit: int = 50


class ListNewestExecutions(Command[WorkflowExecutionsView], tag="nocode.list_newest_executions.v1", frozen=True):
    """List what runs of every workflow the acting user may see, and the newest ``each`` of a kind and workflow.

    Of one's own workflows it is what everybody ran, of shared ones what one ran oneself.
    """

    each: int = 50


class WorkflowVersioned(Event, tag="nocode.workflow_versioned.v1", frozen=True):
    """A workflow got a new version."""

    workflow_id: UUID
    version_id: UUID
    version: int
    graph_hash: str


class WorkflowRenamed(Event, tag="nocode.workflow_renamed.v1", frozen=True):
    """A workflow got another name."""

    workflow_id: UUID
    name: str


class WorkflowArchived(Event, tag="nocode.workflow_archived.v1", frozen=True):
    """A workflow was put away."""

    workflow_id: UUID


class WorkflowUnarchived(Event, tag="nocode.workflow_unarchived.v1", frozen=True):
    """A workflow was taken out of the archive."""

    workflow_id: UUID


class WorkflowShared(Event, tag="nocode.workflow_shared.v1", frozen=True):
    """Somebody may use a workflow: a person, or everybody in a role."""

    workflow_id: UUID
    grant_id: UUID
    permission: str
    user_id: UUID | None
    role: str | None
    expires_at: Utc | None


class ShareRevoked(Event, tag="nocode.share_revoked.v1", frozen=True):
    """A grant was taken back."""

    workflow_id: UUID
    grant_id: UUID
    permission: str
    user_id: UUID | None
    role: str | None
