"""Node types, templates, graphs and their versions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends
from starlette.requests import Request

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
from alphintra.edge.decoding import Document, Label
from alphintra.edge.routing import Body, Reader, Routes, Trader
from alphintra.edge.versions import expected_version

__all__ = ["routes"]

routes = Routes("workflows")


class GraphBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A strategy graph."""

    graph: Document


class WorkflowBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A workflow to store, from a graph or from a template by name: exactly one of them."""

    name: Label
    graph: Document | None = None
    template: str | None = None


class WorkflowVersionBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A changed graph; ``base_version`` is the version it was made from, unless If-Match says it."""

    graph: Document
    base_version: int | None = None


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
async def list_workflows(caller: Reader) -> WorkflowsView:
    """List one's workflows."""
    return await caller.ask(ListWorkflows())


@routes.post("/workflows", status=201)
async def create_workflow(caller: Trader, body: Annotated[WorkflowBody, Depends(Body(WorkflowBody))]) -> WorkflowView:
    """Store a workflow."""
    graph = None if body.graph is None else str(body.graph)
    return await caller.ask(CreateWorkflow(name=str(body.name), graph=graph, template=body.template))


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
    return await caller.ask(SaveWorkflow(workflow_id=workflow_id, base_version=version, graph=str(body.graph)))


@routes.get("/workflow-versions/{version_id}")
async def get_workflow_version(caller: Reader, version_id: UUID) -> WorkflowVersionView:
    """Fetch one immutable version with its graph."""
    return await caller.ask(GetWorkflowVersion(version_id=version_id))
