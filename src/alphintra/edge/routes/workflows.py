"""Node types, templates, graphs and their versions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends, Query
from starlette.requests import Request

from alphintra.contracts.nocode import (
    ArchiveWorkflow,
    CompareWorkflowVersions,
    CreateWorkflow,
    DiscardDraft,
    DraftView,
    DuplicateWorkflow,
    ExportWorkflowVersion,
    GetDraft,
    GetWorkflow,
    GetWorkflowVersion,
    ImportWorkflow,
    ListNewestExecutions,
    ListNodes,
    ListTemplates,
    ListWorkflowExecutions,
    ListWorkflows,
    ListWorkflowVersions,
    NodeCatalogueView,
    RenameWorkflow,
    RestoreWorkflowVersion,
    SaveDraft,
    SaveWorkflow,
    TemplatesView,
    UnarchiveWorkflow,
    ValidateGraph,
    ValidationView,
    WorkflowsView,
    WorkflowVersionView,
    WorkflowView,
)
from alphintra.contracts.workflows import (
    WorkflowComparisonView,
    WorkflowDocumentView,
    WorkflowExecutionsView,
    WorkflowHistoryView,
)
from alphintra.edge.decoding import Document, Label
from alphintra.edge.routing import Body, PageLimit, Reader, Routes, Trader
from alphintra.edge.versions import expected_version

__all__ = ["routes"]

routes = Routes("workflows")


class GraphBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A strategy graph."""

    graph: Document


class WorkflowBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A workflow to store, from a graph or from a template by name: exactly one of them; ``note`` is for version 1.

    ``timeframe`` takes a template to bars of another interval than its own.
    """

    name: Label
    graph: Document | None = None
    template: str | None = None
    note: str = ""
    timeframe: str | None = None


class WorkflowVersionBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A changed graph; ``base_version`` is the version it was made from, unless If-Match says it."""

    graph: Document
    base_version: int | None = None
    note: str = ""


class RestoreBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to say about restoring a version; ``base_version`` is the newest one known, unless If-Match says it."""

    base_version: int | None = None
    note: str = ""


class NameBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The name a workflow is to have."""

    name: Label


class ImportBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An exported document, and the name to store it under where it is not its own."""

    document: Document
    name: Label | None = None


@routes.get("/nodes")
async def list_nodes(caller: Reader) -> NodeCatalogueView:
    """List the node types a graph may use."""
    return await caller.ask(ListNodes())


@routes.get("/templates")
async def list_templates(caller: Reader) -> TemplatesView:
    """List ready strategies that open as editable graphs."""
    return await caller.ask(ListTemplates())


@routes.post("/workflows/validate")
async def validate_graph(caller: Reader, body: Annotated[GraphBody, Depends(Body(GraphBody))]) -> ValidationView:
    """Check a graph without storing it; every problem is told with its fix."""
    return await caller.ask(ValidateGraph(graph=str(body.graph)))


@routes.get("/workflows")
async def list_workflows(
    caller: Reader,
    shared: Annotated[bool, Query(description="Those others share with one instead of one's own.")] = False,  # noqa: FBT002 - a query
    archived: Annotated[bool, Query(description="Archived ones too.")] = False,  # noqa: FBT002 - a query
) -> WorkflowsView:
    """List one's workflows, or those others share with one."""
    return await caller.ask(ListWorkflows(is_shared=shared, with_archived=archived))


@routes.post("/workflows", status=201)
async def create_workflow(caller: Trader, body: Annotated[WorkflowBody, Depends(Body(WorkflowBody))]) -> WorkflowView:
    """Store a workflow."""
    graph = None if body.graph is None else str(body.graph)
    return await caller.ask(
        CreateWorkflow(
            name=str(body.name), graph=graph, template=body.template, note=body.note, timeframe=body.timeframe
        )
    )


@routes.get("/workflows/{workflow_id}")
async def get_workflow(caller: Reader, workflow_id: UUID) -> WorkflowView:
    """Fetch a workflow; the ETag is its newest version."""
    workflow = await caller.ask(GetWorkflow(workflow_id=workflow_id))
    caller.headers["ETag"] = f'"{workflow.version}"'
    return workflow


@routes.post("/workflows/{workflow_id}/versions", status=201)
async def save_workflow(
    caller: Trader,
    request: Request,
    workflow_id: UUID,
    body: Annotated[WorkflowVersionBody, Depends(Body(WorkflowVersionBody))],
) -> WorkflowView:
    """Store a new version; answers 412 if another one was stored since the base."""
    version = expected_version(request, body.base_version, pointer="/base_version")
    command = SaveWorkflow(workflow_id=workflow_id, base_version=version, graph=str(body.graph), note=body.note)
    return await caller.ask(command)


@routes.get("/workflow-versions/{version_id}")
async def get_workflow_version(caller: Reader, version_id: UUID) -> WorkflowVersionView:
    """Fetch one immutable version with its graph."""
    return await caller.ask(GetWorkflowVersion(version_id=version_id))


@routes.get("/workflows/{workflow_id}/versions")
async def list_workflow_versions(
    caller: Reader,
    workflow_id: UUID,
    before: Annotated[int | None, Query(ge=1, description="Only versions below this number.")] = None,
    limit: PageLimit = 50,
) -> WorkflowHistoryView:
    """List versions, newest first: who saved them, when, and what they said."""
    return await caller.ask(ListWorkflowVersions(workflow_id=workflow_id, before=before, limit=limit))


@routes.post("/workflows/{workflow_id}/versions/{version}/restore", status=201)
async def restore_workflow_version(
    caller: Trader,
    request: Request,
    workflow_id: UUID,
    version: int,
    body: Annotated[RestoreBody, Depends(Body(RestoreBody))],
) -> WorkflowView:
    """Save an older version as a new one; answers 412 if another one was stored since the base."""
    base = expected_version(request, body.base_version, pointer="/base_version")
    command = RestoreWorkflowVersion(workflow_id=workflow_id, version=version, base_version=base, note=body.note)
    return await caller.ask(command)


@routes.post("/workflows/{workflow_id}/rename")
async def rename_workflow(
    caller: Trader, workflow_id: UUID, body: Annotated[NameBody, Depends(Body(NameBody))]
) -> WorkflowView:
    """Give a workflow another name; its owner may."""
    return await caller.ask(RenameWorkflow(workflow_id=workflow_id, name=str(body.name)))


@routes.post("/workflows/{workflow_id}/archive")
async def archive_workflow(caller: Trader, workflow_id: UUID) -> WorkflowView:
    """Put a workflow away: kept, shown on demand, neither changed nor executed; its owner may."""
    return await caller.ask(ArchiveWorkflow(workflow_id=workflow_id))


@routes.post("/workflows/{workflow_id}/unarchive")
async def unarchive_workflow(caller: Trader, workflow_id: UUID) -> WorkflowView:
    """Take a workflow out of the archive; its owner may."""
    return await caller.ask(UnarchiveWorkflow(workflow_id=workflow_id))


@routes.post("/workflows/import", status=201)
async def import_workflow(caller: Trader, body: Annotated[ImportBody, Depends(Body(ImportBody))]) -> WorkflowView:
    """Store an exported document as a new workflow; all of it or nothing."""
    name = None if body.name is None else str(body.name)
    return await caller.ask(ImportWorkflow(document=str(body.document), name=name))


@routes.get("/workflow-versions/{version_id}/export")
async def export_workflow_version(caller: Reader, version_id: UUID) -> WorkflowDocumentView:
    """Fetch a version as a document that can be imported elsewhere."""
    return await caller.ask(ExportWorkflowVersion(version_id=version_id))


@routes.get("/workflow-versions/{version_id}/compare/{with_version_id}")
async def compare_workflow_versions(caller: Reader, version_id: UUID, with_version_id: UUID) -> WorkflowComparisonView:
    """Tell how the second version differs from the first: sentences, and node by node."""
    command = CompareWorkflowVersions(before_version_id=version_id, after_version_id=with_version_id)
    return await caller.ask(command)


@routes.post("/workflow-versions/{version_id}/duplicate", status=201)
async def duplicate_workflow(
    caller: Trader, version_id: UUID, body: Annotated[NameBody, Depends(Body(NameBody))]
) -> WorkflowView:
    """Store a version one may see as a new workflow of one's own."""
    return await caller.ask(DuplicateWorkflow(version_id=version_id, name=str(body.name)))


class DraftBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A graph to keep as one's draft; ``revision`` is the one it follows, 0 for the first."""

    graph: Document
    base_version: int
    revision: int


@routes.get("/workflows/{workflow_id}/draft")
async def get_draft(caller: Reader, workflow_id: UUID) -> DraftView:
    """Fetch one's own draft with its problems; revision 0 if nothing is kept."""
    return await caller.ask(GetDraft(workflow_id=workflow_id))


@routes.put("/workflows/{workflow_id}/draft")
async def save_draft(
    caller: Trader, workflow_id: UUID, body: Annotated[DraftBody, Depends(Body(DraftBody))]
) -> DraftView:
    """Keep a graph, with problems or without, as one's own draft; it makes no version."""
    command = SaveDraft(
        workflow_id=workflow_id, base_version=body.base_version, revision=body.revision, graph=str(body.graph)
    )
    return await caller.ask(command)


@routes.delete("/workflows/{workflow_id}/draft")
async def discard_draft(caller: Trader, workflow_id: UUID) -> DraftView:
    """Forget one's own draft."""
    return await caller.ask(DiscardDraft(workflow_id=workflow_id))


@routes.get("/workflows/{workflow_id}/executions")
async def list_workflow_executions(
    caller: Reader,
    workflow_id: UUID,
    version: Annotated[int | None, Query(ge=1, description="Only those of this version.")] = None,
    limit: PageLimit = 50,
) -> WorkflowExecutionsView:
    """List backtests and deployments, newest first: everybody's to the owner, to others their own."""
    return await caller.ask(ListWorkflowExecutions(workflow_id=workflow_id, version=version, limit=limit))


@routes.get("/workflow-executions")
async def list_newest_executions(
    caller: Reader,
    each: Annotated[int, Query(ge=1, le=100, description="How many of each kind and workflow at most.")] = 50,
) -> WorkflowExecutionsView:
    """List what runs of every workflow one may see, and its newest backtests and deployments, newest first."""
    return await caller.ask(ListNewestExecutions(each=each))
