"""Use cases of nocode: one function per command."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from alphintra.contracts.nocode import (
    CreateWorkflow,
    GetWorkflow,
    GetWorkflowVersion,
    GraphProblemView,
    NodeCatalogueView,
    SaveWorkflow,
    TemplatesView,
    TemplateView,
    ValidateGraph,
    ValidationView,
    WorkflowsView,
    WorkflowVersioned,
    WorkflowVersionView,
    WorkflowView,
)
from alphintra.engine.graph import SCHEMA, TIMEFRAMES, Graph, catalogue_document
from alphintra.engine.templates import GALLERY
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId, WorkflowId, WorkflowVersionId
from alphintra.nocode import domain

if TYPE_CHECKING:
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.nocode.repository import Workflows, WorkflowsTransaction

__all__ = [
    "create_workflow",
    "get_workflow",
    "get_workflow_version",
    "list_nodes",
    "list_templates",
    "list_workflows",
    "save_workflow",
    "validate_graph",
]


def list_nodes() -> NodeCatalogueView:
    """Return the node types as ``{"schema", "timeframes", "nodes"}``: all an editor needs to offer them."""
    document = {"schema": SCHEMA, "timeframes": TIMEFRAMES, "nodes": catalogue_document()}
    return NodeCatalogueView(document=msgspec.json.encode(document).decode())


def list_templates() -> TemplatesView:
    """Return the ready strategies, by name."""
    return TemplatesView(
        templates=tuple(
            TemplateView(
                name=item.name, title=item.title, description=item.description, graph=domain.laid_out(item.graph)
            )
            for _, item in sorted(GALLERY.items())
        )
    )


def validate_graph(command: ValidateGraph) -> ValidationView:
    """Return every problem of a graph. Raises what reading it raises (JSON_*, FIELD_*): then there is no graph."""
    found = domain.examine(domain.read_graph(command.graph))
    return ValidationView(
        problems=tuple(GraphProblemView(**msgspec.structs.asdict(problem)) for problem in found.problems),
        graph_hash=found.graph_hash,
        warmup_bars=found.warmup_bars,
    )


async def create_workflow(
    command: CreateWorkflow, context: Context, *, workflows: Workflows, ids: IdSource, at: datetime
) -> WorkflowView:
    """Store a workflow at version 1.

    Raises FIELD_REQUIRED or FIELD_FORBIDDEN unless one of graph and template is given, TEMPLATE_UNKNOWN,
    WORKFLOW_NAME_TAKEN, WORKFLOW_LIMIT, FIELD_* for the name, and the first problem of an invalid graph.
    """
    workflow, version = domain.new_workflow(
        WorkflowId(ids.new()),
        WorkflowVersionId(ids.new()),
        owner_id=_acting_user(context),
        name=command.name,
        graph=_asked_graph(command),
        at=at,
    )
    async with workflows.transaction() as tx:
        domain.require_room(await tx.count(workflow.owner_id))
        await tx.add(workflow)
        await tx.add_version(version)
        await _record(tx, "workflow.create", workflow, ids=ids, context=context, at=at)
        fault_point("nocode.version_stored")
    fault_point("nocode.version_committed")
    return _view(workflow)


async def save_workflow(
    command: SaveWorkflow, context: Context, *, workflows: Workflows, ids: IdSource, at: datetime
) -> WorkflowView:
    """Store a graph as the newest version; the same strategy keeps its version and tells nobody.

    Raises WORKFLOW_NOT_FOUND, VERSION_CONFLICT, and the first problem of an invalid graph.
    """
    graph = domain.read_graph(command.graph)
    async with workflows.transaction() as tx:
        found = await tx.lock(WorkflowId(command.workflow_id), _acting_user(context))
        if found is None:
            raise _not_found("workflow")
        version_id = WorkflowVersionId(ids.new())
        saved, version = domain.save(found, graph, base_version=command.base_version, version_id=version_id, at=at)
        if version is not None:
            await tx.add_version(version)
            await _record(tx, "workflow.save", saved, ids=ids, context=context, at=at)
        if saved != found:
            await tx.update(saved)
        fault_point("nocode.version_stored")
    fault_point("nocode.version_committed")
    return _view(saved)


async def get_workflow(command: GetWorkflow, context: Context, *, workflows: Workflows) -> WorkflowView:
    """Return one of the acting user's workflows. Raises WORKFLOW_NOT_FOUND, also for other people's."""
    found = await workflows.get(WorkflowId(command.workflow_id), _acting_user(context))
    if found is None:
        raise _not_found("workflow")
    return _view(found)


async def list_workflows(context: Context, *, workflows: Workflows) -> WorkflowsView:
    """Return the acting user's workflows, newest change first."""
    found = await workflows.list(_acting_user(context))
    return WorkflowsView(workflows=tuple(_view(workflow) for workflow in found))


async def get_workflow_version(
    command: GetWorkflowVersion, context: Context, *, workflows: Workflows
) -> WorkflowVersionView:
    """Return one version with its graph. Raises WORKFLOW_NOT_FOUND, also for other people's."""
    found = await workflows.get_version(WorkflowVersionId(command.version_id), _acting_user(context))
    if found is None:
        raise _not_found("workflow version")
    version = found.version
    return WorkflowVersionView(
        workflow_id=version.workflow_id,
        version_id=version.version_id,
        version=version.version,
        name=found.name,
        graph=version.graph,
        graph_hash=version.graph_hash,
        warmup_bars=version.warmup_bars,
        created_at=version.created_at,
    )


def _asked_graph(command: CreateWorkflow) -> Graph:
    if command.graph is not None and command.template is not None:
        message = "give either a graph or a template, not both: leave one out"
        raise AlphintraError("FIELD_FORBIDDEN", message, pointer="/template")
    if command.template is not None:
        return domain.template(command.template).graph
    if command.graph is None:
        raise AlphintraError("FIELD_REQUIRED", "a graph or the name of a template is missing", pointer="/graph")
    return domain.read_graph(command.graph)


async def _record(
    tx: WorkflowsTransaction,
    action: str,
    workflow: domain.Workflow,
    *,
    ids: IdSource,
    context: Context,
    at: datetime,
) -> None:
    event = WorkflowVersioned(
        workflow_id=workflow.workflow_id,
        version_id=workflow.version_id,
        version=workflow.version,
        graph_hash=workflow.graph_hash,
    )
    await append_event(tx.session, event, ids=ids, aggregate_id=workflow.workflow_id, context=context, at=at)
    detail: dict[str, object] = {
        "version_id": workflow.version_id,
        "version": workflow.version,
        "graph_hash": workflow.graph_hash,
    }
    subject = f"workflow:{workflow.workflow_id}"
    await append_audit(tx.session, action, subject, detail, ids=ids, context=context, at=at)


def _acting_user(context: Context) -> UserId:
    if context.actor.user_id is None:
        raise AlphintraError("USER_REQUIRED", "only a signed-in person has workflows", kind=Kind.FORBIDDEN)
    return UserId(context.actor.user_id)


def _not_found(what: str) -> AlphintraError:
    message = f"there is no such {what} among yours: list your workflows to see them"
    return AlphintraError("WORKFLOW_NOT_FOUND", message, kind=Kind.NOT_FOUND)


def _view(workflow: domain.Workflow) -> WorkflowView:
    return WorkflowView(
        workflow_id=workflow.workflow_id,
        name=workflow.name,
        version_id=workflow.version_id,
        version=workflow.version,
        graph_hash=workflow.graph_hash,
        warmup_bars=workflow.warmup_bars,
        updated_at=workflow.updated_at,
    )
