"""Use cases of carrying workflows away: a version as a document, a document as a new workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts.nocode import ExportWorkflowVersion, ImportWorkflow, WorkflowView
from alphintra.contracts.workflows import WorkflowDocumentView
from alphintra.infrastructure.events import append_audit
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import WorkflowVersionId
from alphintra.nocode.domain.access import Permission
from alphintra.nocode.domain.exchange import FORMAT_VERSION, Imported, read_document, write_document
from alphintra.nocode.domain.workflows import Stamp, name_of
from alphintra.nocode.service.workflows import asker_of, owned_view, store_new

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.nocode.repository import Workflows

__all__ = ["export_workflow_version", "import_workflow"]


async def export_workflow_version(
    command: ExportWorkflowVersion, context: Context, *, workflows: Workflows, ids: IdSource, at: datetime
) -> WorkflowDocumentView:
    """Return a version as a document; who carried it away is recorded. Raises WORKFLOW_NOT_FOUND."""
    version_id = WorkflowVersionId(command.version_id)
    found, workflow = await workflows.get_version(version_id, asker_of(context, at), Permission.VIEW)
    facts: dict[str, object] = {"version_id": version_id, "version": found.version.version}
    subject = f"workflow:{workflow.workflow_id}"
    async with workflows.transaction() as tx:
        await append_audit(tx.session, "workflow.export", subject, facts, ids=ids, context=context, at=at)
    return WorkflowDocumentView(document=write_document(found))


async def import_workflow(
    command: ImportWorkflow, context: Context, *, workflows: Workflows, ids: IdSource, at: datetime
) -> WorkflowView:
    """Store a document as a new workflow of the acting user, under its own name or another one.

    Raises what reading a document raises, below /document, WORKFLOW_NAME_TAKEN, WORKFLOW_LIMIT, FIELD_* for the name.
    """
    asker = asker_of(context, at)
    try:
        found = read_document(command.document)
        name = name_of(found.name) if command.name is None else command.name
    except AlphintraError as error:
        raise AlphintraError(error.code, error.detail, kind=error.kind, pointer=f"/document{error.pointer}") from error
    stamp = Stamp(version_id=WorkflowVersionId(ids.new()), author_id=asker.user_id, at=at, note="imported")
    async with workflows.transaction() as tx:
        made = await store_new(
            tx,
            found.graph,
            stamp,
            name=name,
            action="workflow.import",
            ids=ids,
            context=context,
            facts=_facts(found),
        )
        fault_point("nocode.import_stored")
    return owned_view(made)


def _facts(found: Imported) -> dict[str, object]:
    facts: dict[str, object] = {"format_version": FORMAT_VERSION}
    if found.origin is not None:
        facts |= {"origin_version_id": found.origin.version_id, "origin_version": found.origin.version}
    return facts
