"""Workflows and their versions in the nocode database: rows to values and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from alphintra.infrastructure.postgres import ConstraintError
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.nocode.domain import NamedVersion, Version, Workflow, with_layout

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Database, Session
    from alphintra.kernel.ids import UserId, WorkflowId, WorkflowVersionId

__all__ = ["Workflows", "WorkflowsTransaction"]


class WorkflowsTransaction:
    """Changes to workflows inside one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def count(self, owner_id: UserId) -> int:
        """Tell how many workflows a person has."""
        return int(await self.session.value("workflows.count", owner_id))

    async def add(self, workflow: Workflow) -> None:
        """Store a new workflow. Raises WORKFLOW_NAME_TAKEN if its owner has another one of that name."""
        try:
            await self.session.execute(
                "workflows.insert",
                workflow.workflow_id,
                workflow.owner_id,
                workflow.name,
                workflow.version,
                workflow.layout,
                workflow.created_at,
                workflow.updated_at,
            )
        except ConstraintError as error:
            if error.constraint != "workflows_owner_name_key":
                raise
            message = f"you already have a workflow named {workflow.name!r}: save a new version of it or choose a name"
            raise AlphintraError("WORKFLOW_NAME_TAKEN", message, kind=Kind.CONFLICT, pointer="/name") from error

    async def add_version(self, version: Version) -> None:
        """Store a version of a workflow that is stored already."""
        await self.session.execute(
            "versions.insert",
            version.version_id,
            version.workflow_id,
            version.version,
            version.graph,
            version.graph_hash,
            version.warmup_bars,
            version.created_at,
        )

    async def lock(self, workflow_id: WorkflowId, owner_id: UserId) -> Workflow | None:
        """Hold a person's workflow until the transaction ends, and read it."""
        # Read after the lock is held, by a statement of its own: one that waits would join the version it began with.
        await self.session.row("workflows.lock", workflow_id, owner_id)
        row = await self.session.row("workflows.get", workflow_id, owner_id)
        return None if row is None else Workflow(**row)

    async def update(self, workflow: Workflow) -> None:
        """Store which version is the newest, and its layout."""
        await self.session.execute(
            "workflows.update", workflow.workflow_id, workflow.version, workflow.layout, workflow.updated_at
        )


class Workflows:
    """Reads of workflows, and the door to change them; each read sees one person's workflows alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[WorkflowsTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield WorkflowsTransaction(session)

    async def get(self, workflow_id: WorkflowId, owner_id: UserId) -> Workflow | None:
        """Read a workflow."""
        async with self._database.session() as session:
            row = await session.row("workflows.get", workflow_id, owner_id)
            return None if row is None else Workflow(**row)

    async def list(self, owner_id: UserId) -> tuple[Workflow, ...]:
        """Read all workflows of a person, newest change first."""
        async with self._database.session() as session:
            return tuple(Workflow(**row) for row in await session.rows("workflows.list", owner_id))

    async def get_version(self, version_id: WorkflowVersionId, owner_id: UserId) -> NamedVersion | None:
        """Read one version with its workflow's name; the newest version comes with its newest layout."""
        async with self._database.session() as session:
            row = await session.row("versions.get", version_id, owner_id)
        if row is None:
            return None
        fields = dict(row)
        name, layout = fields.pop("name"), fields.pop("layout")
        if layout is not None:
            fields["graph"] = with_layout(fields["graph"], layout)
        return NamedVersion(name=name, version=Version(**fields))
