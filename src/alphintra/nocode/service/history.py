"""Use cases of a workflow's life: its versions, what differs between them, restoring, renaming, archiving, copies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from alphintra.contracts.nocode import (
    ArchiveWorkflow,
    CompareWorkflowVersions,
    DuplicateWorkflow,
    ListWorkflowVersions,
    RenameWorkflow,
    RestoreWorkflowVersion,
    UnarchiveWorkflow,
    WorkflowArchived,
    WorkflowRenamed,
    WorkflowUnarchived,
    WorkflowView,
)
from alphintra.contracts.workflows import VersionSummaryView, WorkflowComparisonView, WorkflowHistoryView
from alphintra.engine.graph.diff import GraphDiff, compare_graphs
from alphintra.engine.graph.parsing import parse_graph
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import WorkflowId, WorkflowVersionId
from alphintra.nocode.domain import workflows as domain
from alphintra.nocode.domain.access import Permission
from alphintra.nocode.service.workflows import asker_of, owned_view, record_version, store_new, view_of

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context, Event
    from alphintra.nocode.repository import Workflows, WorkflowsTransaction

__all__ = [
    "compare_workflow_versions",
    "duplicate_workflow",
    "list_workflow_versions",
    "rename_workflow",
    "restore_workflow_version",
    "set_archived",
]

PAGE_MAX: Final = 1000


async def list_workflow_versions(
    command: ListWorkflowVersions, context: Context, *, workflows: Workflows, at: datetime
) -> WorkflowHistoryView:
    """Return versions of a workflow, newest first. Raises PAGE_LIMIT or WORKFLOW_NOT_FOUND."""
    if not 1 <= command.limit <= PAGE_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must be 1 to {PAGE_MAX}", pointer="/limit")
    workflow_id = WorkflowId(command.workflow_id)
    (await workflows.access(workflow_id, asker_of(context, at))).require(Permission.VIEW)
    rows = await workflows.history(workflow_id, before=command.before, limit=command.limit + 1)
    shown = rows[: command.limit]
    return WorkflowHistoryView(
        workflow_id=workflow_id,
        versions=tuple(VersionSummaryView(**row) for row in shown),
        has_more=len(rows) > len(shown),
    )


async def compare_workflow_versions(
    command: CompareWorkflowVersions, context: Context, *, workflows: Workflows, at: datetime
) -> WorkflowComparisonView:
    """Return how one version differs from another. Raises WORKFLOW_NOT_FOUND."""
    asker = asker_of(context, at)
    before, _ = await workflows.get_version(WorkflowVersionId(command.before_version_id), asker, Permission.VIEW)
    after, _ = await workflows.get_version(WorkflowVersionId(command.after_version_id), asker, Permission.VIEW)
    diff = compare_graphs(parse_graph(before.version.graph.encode()), parse_graph(after.version.graph.encode()))
    return WorkflowComparisonView(
        before_version_id=before.version.version_id,
        after_version_id=after.version.version_id,
        is_same=diff.is_same,
        sentences=diff.sentences,
        difference=_document(diff),
    )


async def restore_workflow_version(
    command: RestoreWorkflowVersion, context: Context, *, workflows: Workflows, ids: IdSource, at: datetime
) -> WorkflowView:
    """Save an older version's graph as the newest version; one that is what the newest is changes nothing.

    Raises WORKFLOW_NOT_FOUND, VERSION_NOT_FOUND, and what saving raises.
    """
    asker = asker_of(context, at)
    async with workflows.transaction() as tx:
        access = await tx.lock(WorkflowId(command.workflow_id), asker)
        found = access.require(Permission.EDIT)
        old = await tx.numbered(found.workflow_id, command.version)
        if old is None:
            message = f"the workflow has no version {command.version}: it has 1 to {found.version}"
            raise AlphintraError("VERSION_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/version")
        stamp = domain.Stamp(
            version_id=WorkflowVersionId(ids.new()),
            author_id=asker.user_id,
            at=at,
            note=command.note,
            origin_version_id=old.version_id,
        )
        graph = domain.read_graph(old.graph)
        saved, version = domain.save(found, graph, stamp, base_version=command.base_version)
        if version is not None:
            facts: dict[str, object] = {"restored_version": old.version}
            await tx.add_version(version)
            await record_version(tx, "workflow.restore", version, ids=ids, context=context, facts=facts)
        if saved != found:
            await tx.update(saved)
        fault_point("nocode.restore_stored")
    return view_of(replace(access, workflow=saved))


async def rename_workflow(
    command: RenameWorkflow, context: Context, *, workflows: Workflows, ids: IdSource, at: datetime
) -> WorkflowView:
    """Give a workflow another name; versions keep the name their graph has.

    Raises WORKFLOW_NOT_FOUND, WORKFLOW_PERMISSION, WORKFLOW_NAME_TAKEN or FIELD_*.
    """
    async with workflows.transaction() as tx:
        found = (await tx.lock(WorkflowId(command.workflow_id), asker_of(context, at))).require_owner()
        renamed = domain.rename(found, command.name, at=at)
        if renamed != found:
            event = WorkflowRenamed(workflow_id=found.workflow_id, name=renamed.name)
            await _change(tx, "workflow.rename", renamed, event, ids=ids, context=context)
    return owned_view(renamed)


async def set_archived(
    command: ArchiveWorkflow | UnarchiveWorkflow,
    context: Context,
    *,
    workflows: Workflows,
    ids: IdSource,
    at: datetime,
) -> WorkflowView:
    """Put a workflow away or take it out again; what runs goes on. Raises WORKFLOW_NOT_FOUND, WORKFLOW_PERMISSION."""
    is_archived = isinstance(command, ArchiveWorkflow)
    async with workflows.transaction() as tx:
        found = (await tx.lock(WorkflowId(command.workflow_id), asker_of(context, at))).require_owner()
        changed = domain.set_archived(found, is_archived=is_archived, at=at)
        if changed != found:
            told = WorkflowArchived if is_archived else WorkflowUnarchived
            action = "workflow.archive" if is_archived else "workflow.unarchive"
            await _change(tx, action, changed, told(workflow_id=found.workflow_id), ids=ids, context=context)
    return owned_view(changed)


async def duplicate_workflow(
    command: DuplicateWorkflow, context: Context, *, workflows: Workflows, ids: IdSource, at: datetime
) -> WorkflowView:
    """Store a version one may see as version 1 of a new workflow of one's own.

    Raises WORKFLOW_NOT_FOUND, and what making a workflow raises.
    """
    asker = asker_of(context, at)
    found, _ = await workflows.get_version(WorkflowVersionId(command.version_id), asker, Permission.VIEW)
    graph = domain.read_graph(found.version.graph)
    stamp = domain.Stamp(
        version_id=WorkflowVersionId(ids.new()),
        author_id=asker.user_id,
        at=at,
        origin_version_id=found.version.version_id,
    )
    facts: dict[str, object] = {"origin_version_id": found.version.version_id}
    async with workflows.transaction() as tx:
        made = await store_new(
            tx, graph, stamp, name=command.name, action="workflow.duplicate", ids=ids, context=context, facts=facts
        )
        fault_point("nocode.duplicate_stored")
    return owned_view(made)


async def _change(
    tx: WorkflowsTransaction, action: str, workflow: domain.Workflow, event: Event, *, ids: IdSource, context: Context
) -> None:
    at = workflow.updated_at
    await tx.update(workflow)
    await append_event(tx.session, event, ids=ids, aggregate_id=workflow.workflow_id, context=context, at=at)
    subject = f"workflow:{workflow.workflow_id}"
    facts: dict[str, object] = {"name": workflow.name}
    await append_audit(tx.session, action, subject, facts, ids=ids, context=context, at=at)
    fault_point("nocode.workflow_changed")


def _document(diff: GraphDiff) -> str:
    fields = msgspec.structs.asdict(diff)
    fields.pop("sentences")
    return msgspec.json.encode(fields).decode()
