"""Use cases of graphs and workflows: node types, templates, validation, making, saving and reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from alphintra.contracts.nocode import (
    CreateWorkflow,
    ExposedParameterView,
    GetWorkflow,
    GetWorkflowVersion,
    GraphProblemView,
    ListWorkflows,
    NodeCatalogueView,
    SaveWorkflow,
    TemplatesView,
    TemplateView,
    UseWorkflowVersion,
    ValidateGraph,
    ValidationView,
    WorkflowsView,
    WorkflowVersioned,
    WorkflowVersionView,
    WorkflowView,
)
from alphintra.engine.graph import SCHEMA, TIMEFRAMES, Graph, catalogue_document
from alphintra.engine.graph.exposure import exposed_numbers
from alphintra.engine.templates import GALLERY
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId, WorkflowId, WorkflowVersionId
from alphintra.nocode.domain import workflows as domain
from alphintra.nocode.domain.access import Access, Asker, Permission

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alphintra.engine.graph import GraphProblem
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.nocode.domain.workflows import Stamp
    from alphintra.nocode.repository import Workflows, WorkflowsTransaction

__all__ = [
    "asker_of",
    "create_workflow",
    "get_workflow",
    "get_workflow_version",
    "list_nodes",
    "list_templates",
    "list_workflows",
    "owned_view",
    "problem_views",
    "record_version",
    "save_workflow",
    "store_new",
    "use_workflow_version",
    "validate_graph",
    "view_of",
]


NEWER_SHOWN: Final = 5


def list_nodes() -> NodeCatalogueView:
    """Return the node types as ``{"schema", "timeframes", "nodes"}``: all an editor needs to offer them."""
    document = {"schema": SCHEMA, "timeframes": TIMEFRAMES, "nodes": catalogue_document()}
    return NodeCatalogueView(document=msgspec.json.encode(document).decode())


def list_templates() -> TemplatesView:
    """Return the ready strategies, by name."""
    return TemplatesView(
        templates=tuple(
            TemplateView(
                name=item.name,
                title=item.title,
                description=item.description,
                graph=domain.laid_out(item.graph),
                parameters=tuple(ExposedParameterView(**each) for each in exposed_numbers(item.graph)),
                constraints=item.graph.constraints,
            )
            for _, item in sorted(GALLERY.items())
        )
    )


def validate_graph(command: ValidateGraph) -> ValidationView:
    """Return every problem of a graph. Raises what reading it raises (JSON_*, FIELD_*): then there is no graph."""
    found = domain.examine(domain.read_graph(command.graph))
    return ValidationView(
        problems=problem_views(found.problems),
        graph_hash=found.graph_hash,
        warmup_bars=found.warmup_bars,
        warnings=problem_views(found.warnings),
    )


def problem_views(problems: Iterable[GraphProblem]) -> tuple[GraphProblemView, ...]:
    """Return problems or warnings as they are shown."""
    return tuple(GraphProblemView(**msgspec.structs.asdict(problem)) for problem in problems)


async def create_workflow(
    command: CreateWorkflow, context: Context, *, workflows: Workflows, ids: IdSource, at: datetime
) -> WorkflowView:
    """Store a workflow at version 1.

    Raises FIELD_REQUIRED or FIELD_FORBIDDEN unless one of graph and template is given, TEMPLATE_UNKNOWN,
    WORKFLOW_NAME_TAKEN, WORKFLOW_LIMIT, FIELD_* for name and note, and the first problem of an invalid graph.
    """
    asker = asker_of(context, at)
    graph = _asked_graph(command)
    stamp = domain.Stamp(version_id=WorkflowVersionId(ids.new()), author_id=asker.user_id, at=at, note=command.note)
    async with workflows.transaction() as tx:
        made = await store_new(tx, graph, stamp, name=command.name, action="workflow.create", ids=ids, context=context)
        fault_point("nocode.version_stored")
    fault_point("nocode.version_committed")
    return owned_view(made)


async def store_new(  # noqa: PLR0913 - a workflow, its name, and how it came to be
    tx: WorkflowsTransaction,
    graph: Graph,
    stamp: Stamp,
    *,
    name: str,
    action: str,
    ids: IdSource,
    context: Context,
    facts: dict[str, object] | None = None,
) -> domain.Workflow:
    """Store a graph as a new workflow of whoever stamps it, with event and audit row.

    Raises WORKFLOW_NAME_TAKEN, WORKFLOW_LIMIT, FIELD_* and the first problem of an invalid graph.
    """
    workflow, version = domain.new_workflow(WorkflowId(ids.new()), stamp, name=name, graph=graph)
    domain.require_room(await tx.count(workflow.owner_id))
    await tx.add(workflow)
    await tx.add_version(version)
    await record_version(tx, action, version, ids=ids, context=context, facts=facts)
    return workflow


async def save_workflow(
    command: SaveWorkflow, context: Context, *, workflows: Workflows, ids: IdSource, at: datetime
) -> WorkflowView:
    """Store a graph as the newest version; the same strategy keeps its version and tells nobody.

    Raises WORKFLOW_NOT_FOUND, WORKFLOW_PERMISSION, WORKFLOW_ARCHIVED, VERSION_CONFLICT, FIELD_* for the note, and the
    first problem of an invalid graph.
    """
    graph = domain.read_graph(command.graph)
    asker = asker_of(context, at)
    stamp = domain.Stamp(version_id=WorkflowVersionId(ids.new()), author_id=asker.user_id, at=at, note=command.note)
    async with workflows.transaction() as tx:
        access = await tx.lock(WorkflowId(command.workflow_id), asker)
        found = access.require(Permission.EDIT)
        try:
            saved, version = domain.save(found, graph, stamp, base_version=command.base_version)
        except AlphintraError as error:
            raise await _with_newer(error, command, tx=tx) from error
        await tx.delete_draft(found.workflow_id, asker.user_id)
        if version is not None:
            await tx.add_version(version)
            await record_version(tx, "workflow.save", version, ids=ids, context=context)
        if saved != found:
            await tx.update(saved)
        fault_point("nocode.version_stored")
    fault_point("nocode.version_committed")
    return view_of(replace(access, workflow=saved))


async def _with_newer(error: AlphintraError, command: SaveWorkflow, *, tx: WorkflowsTransaction) -> AlphintraError:
    """Return a conflict of versions with what was saved since the base: by whom, when, and what they said."""
    if error.code != "VERSION_CONFLICT":
        return AlphintraError(error.code, error.detail, kind=error.kind, pointer=error.pointer)
    rows = await tx.history(WorkflowId(command.workflow_id), before=None, limit=NEWER_SHOWN)
    said = [
        f"version {row['version']} by {row['created_by_email'] or row['created_by']} at"
        f" {row['created_at']:%Y-%m-%d %H:%M:%S} UTC{': ' if row['note'] else ''}{row['note'][:80]}"
        for row in rows
        if row["version"] > command.base_version
    ]
    detail = f"{error.detail}; newer: {'; '.join(said)}" if said else error.detail
    return AlphintraError(error.code, detail, kind=error.kind, pointer=error.pointer)


async def get_workflow(command: GetWorkflow, context: Context, *, workflows: Workflows, at: datetime) -> WorkflowView:
    """Return a workflow one may see. Raises WORKFLOW_NOT_FOUND, also for those one may not."""
    access = await workflows.access(WorkflowId(command.workflow_id), asker_of(context, at))
    access.require(Permission.VIEW)
    return view_of(access)


async def list_workflows(
    command: ListWorkflows, context: Context, *, workflows: Workflows, at: datetime
) -> WorkflowsView:
    """Return the acting user's workflows, or those shared with them, newest change first."""
    found = await workflows.list(
        asker_of(context, at), is_shared=command.is_shared, with_archived=command.with_archived
    )
    return WorkflowsView(workflows=tuple(view_of(access) for access in found))


async def get_workflow_version(
    command: GetWorkflowVersion, context: Context, *, workflows: Workflows, at: datetime
) -> WorkflowVersionView:
    """Return one version with its graph. Raises WORKFLOW_NOT_FOUND, also for those one may not see."""
    version_id = WorkflowVersionId(command.version_id)
    found, _ = await workflows.get_version(version_id, asker_of(context, at), Permission.VIEW)
    return _version_view(found)


async def use_workflow_version(
    command: UseWorkflowVersion, context: Context, *, workflows: Workflows, at: datetime
) -> WorkflowVersionView:
    """Return one version to be run. Raises WORKFLOW_NOT_FOUND, WORKFLOW_PERMISSION or WORKFLOW_ARCHIVED."""
    version_id = WorkflowVersionId(command.version_id)
    found, workflow = await workflows.get_version(version_id, asker_of(context, at), Permission.EXECUTE)
    domain.require_in_use(workflow)
    return _version_view(found)


def asker_of(context: Context, at: datetime) -> Asker:
    """Return the person a command runs for. Raises USER_REQUIRED for anybody else."""
    if context.actor.user_id is None:
        raise AlphintraError("USER_REQUIRED", "only a signed-in person has workflows", kind=Kind.FORBIDDEN)
    return Asker(user_id=UserId(context.actor.user_id), roles=context.actor.roles, at=at)


def owned_view(workflow: domain.Workflow) -> WorkflowView:
    """Return what its owner is shown of a workflow."""
    return view_of(Access(workflow=workflow, is_owner=True, permissions=frozenset()))


def view_of(access: Access) -> WorkflowView:
    """Return what a person is shown of a workflow."""
    workflow = access.workflow
    return WorkflowView(
        workflow_id=workflow.workflow_id,
        name=workflow.name,
        version_id=workflow.version_id,
        version=workflow.version,
        graph_hash=workflow.graph_hash,
        warmup_bars=workflow.warmup_bars,
        updated_at=workflow.updated_at,
        owner_id=workflow.owner_id,
        permissions=access.names,
        archived_at=workflow.archived_at,
    )


async def record_version(
    tx: WorkflowsTransaction,
    action: str,
    version: domain.Version,
    *,
    ids: IdSource,
    context: Context,
    facts: dict[str, object] | None = None,
) -> None:
    """Tell of a new version and record who made it, in the transaction that stores it."""
    at = version.created_at
    event = WorkflowVersioned(
        workflow_id=version.workflow_id,
        version_id=version.version_id,
        version=version.version,
        graph_hash=version.graph_hash,
    )
    await append_event(tx.session, event, ids=ids, aggregate_id=version.workflow_id, context=context, at=at)
    detail: dict[str, object] = {
        "version_id": version.version_id,
        "version": version.version,
        "graph_hash": version.graph_hash,
        **(facts or {}),
    }
    subject = f"workflow:{version.workflow_id}"
    await append_audit(tx.session, action, subject, detail, ids=ids, context=context, at=at)


def _version_view(found: domain.NamedVersion) -> WorkflowVersionView:
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
        note=version.note,
        created_by=version.created_by,
        origin_version_id=version.origin_version_id,
    )


def _asked_graph(command: CreateWorkflow) -> Graph:
    if command.graph is not None and command.template is not None:
        message = "give either a graph or a template, not both: leave one out"
        raise AlphintraError("FIELD_FORBIDDEN", message, pointer="/template")
    if command.template is not None:
        return domain.on_timeframe(domain.template(command.template).graph, command.timeframe)
    if command.timeframe is not None:
        message = "a graph names its own timeframe: write it there, or take a template"
        raise AlphintraError("FIELD_FORBIDDEN", message, pointer="/timeframe")
    if command.graph is None:
        raise AlphintraError("FIELD_REQUIRED", "a graph or the name of a template is missing", pointer="/graph")
    return domain.read_graph(command.graph)
