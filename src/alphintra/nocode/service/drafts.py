"""Use cases of drafts: kept by one person for themselves, with problems or without, until they save or discard.

A draft is nobody else's business and comes with every pause in drawing: it is neither told nor recorded. What counts,
the version it becomes, is both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts.nocode import DiscardDraft, DraftView, GetDraft, SaveDraft
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.ids import WorkflowId
from alphintra.nocode.domain import workflows as domain
from alphintra.nocode.domain.access import Permission
from alphintra.nocode.domain.drafts import Draft, keep
from alphintra.nocode.service.workflows import asker_of, problem_views

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.kernel.messages import Context
    from alphintra.nocode.repository import Workflows

__all__ = ["discard_draft", "get_draft", "save_draft"]


async def save_draft(command: SaveDraft, context: Context, *, workflows: Workflows, at: datetime) -> DraftView:
    """Keep a graph that can be read; its problems come with the answer.

    Raises WORKFLOW_NOT_FOUND, WORKFLOW_PERMISSION, WORKFLOW_ARCHIVED, VERSION_NOT_FOUND, DRAFT_CONFLICT, and what
    reading a graph raises.
    """
    domain.read_graph(command.graph)
    asker = asker_of(context, at)
    async with workflows.transaction() as tx:
        workflow = (await tx.lock(WorkflowId(command.workflow_id), asker)).require(Permission.EDIT)
        standing = await tx.draft(workflow.workflow_id, asker.user_id)
        wanted = Draft(
            workflow_id=workflow.workflow_id,
            author_id=asker.user_id,
            base_version=command.base_version,
            revision=command.revision,
            graph=command.graph,
            updated_at=at,
        )
        kept = keep(workflow, standing, wanted)
        if kept != standing:
            await tx.put_draft(kept)
        fault_point("nocode.draft_stored")
    return _view(workflow, kept)


async def get_draft(command: GetDraft, context: Context, *, workflows: Workflows, at: datetime) -> DraftView:
    """Return one's own draft; revision 0 where nothing is kept. Raises WORKFLOW_NOT_FOUND, WORKFLOW_PERMISSION."""
    asker = asker_of(context, at)
    async with workflows.transaction() as tx:
        workflow = (await tx.access(WorkflowId(command.workflow_id), asker)).require(Permission.EDIT)
        draft = await tx.draft(workflow.workflow_id, asker.user_id)
    return _view(workflow, draft)


async def discard_draft(command: DiscardDraft, context: Context, *, workflows: Workflows, at: datetime) -> DraftView:
    """Forget one's own draft; to forget none is no mistake. Raises WORKFLOW_NOT_FOUND, WORKFLOW_PERMISSION."""
    asker = asker_of(context, at)
    async with workflows.transaction() as tx:
        workflow = (await tx.lock(WorkflowId(command.workflow_id), asker)).require(Permission.EDIT)
        await tx.delete_draft(workflow.workflow_id, asker.user_id)
    return _view(workflow, None)


def _view(workflow: domain.Workflow, draft: Draft | None) -> DraftView:
    if draft is None:
        return DraftView(
            workflow_id=workflow.workflow_id,
            base_version=workflow.version,
            newest_version=workflow.version,
            revision=0,
            graph="",
            problems=(),
            warnings=(),
            updated_at=None,
        )
    found = domain.examine(domain.read_graph(draft.graph))
    return DraftView(
        workflow_id=workflow.workflow_id,
        base_version=draft.base_version,
        newest_version=workflow.version,
        revision=draft.revision,
        graph=draft.graph,
        problems=problem_views(found.problems),
        warnings=problem_views(found.warnings),
        updated_at=draft.updated_at,
    )
