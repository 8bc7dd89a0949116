"""Drafts: what a person keeps of a workflow before it is a version, and when two of their windows disagree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId, WorkflowId
from alphintra.nocode.domain.workflows import Workflow, require_in_use

__all__ = ["Draft", "keep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One person's draft of one workflow; ``graph`` is JSON text that can be read as a graph."""

    workflow_id: WorkflowId
    author_id: UserId
    base_version: int
    revision: int
    graph: str
    updated_at: datetime


def keep(workflow: Workflow, standing: Draft | None, wanted: Draft) -> Draft:
    """Return the draft as it is kept: one revision further, or as it stands where it is the same sent again.

    Raises DRAFT_CONFLICT unless ``wanted.revision`` is the standing one, VERSION_NOT_FOUND for a base that never was,
    WORKFLOW_ARCHIVED.
    """
    require_in_use(workflow)
    if not 1 <= wanted.base_version <= workflow.version:
        message = f"the workflow has no version {wanted.base_version}: it has 1 to {workflow.version}"
        raise AlphintraError("VERSION_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/base_version")
    revision = 0 if standing is None else standing.revision
    if standing is not None and wanted.revision == revision - 1 and _is_same(standing, wanted):
        return standing
    if wanted.revision != revision:
        when = "" if standing is None else f" of {standing.updated_at:%Y-%m-%d %H:%M:%S} UTC"
        message = f"your draft is at revision {revision}{when}, not {wanted.revision}: open it before you keep another"
        raise AlphintraError("DRAFT_CONFLICT", message, kind=Kind.CONFLICT, pointer="/revision")
    return replace(wanted, revision=revision + 1)


def _is_same(standing: Draft, wanted: Draft) -> bool:
    return (standing.graph, standing.base_version) == (wanted.graph, wanted.base_version)
