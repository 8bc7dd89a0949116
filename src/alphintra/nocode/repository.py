"""Workflows, their versions and grants in the nocode database: rows to values and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from alphintra.infrastructure.postgres import ConstraintError
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId
from alphintra.nocode.domain.access import Access, Asker, Grant, Permission, not_found
from alphintra.nocode.domain.drafts import Draft
from alphintra.nocode.domain.workflows import NamedVersion, Version, Workflow, with_layout

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.infrastructure.postgres import Database, Record, Session
    from alphintra.kernel.ids import WorkflowId, WorkflowVersionId
    from alphintra.nocode.domain.executions import Execution

__all__ = ["Person", "Workflows", "WorkflowsTransaction"]

SHARED_MAX = 1000  # workflows others share with one person: they are listed in one message
EXECUTIONS_MAX = 5000  # executions of all of one person's workflows: they are listed in one message

Person = tuple[UserId, str]


class WorkflowsTransaction:
    """Changes to workflows inside one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def add_person(self, user_id: UserId, email: str, *, at: datetime) -> None:
        """Remember a person whom workflows may be shared with; one who is known stays."""
        await self.session.execute("people.insert", user_id, email, at)

    async def count(self, owner_id: UserId) -> int:
        """Tell how many workflows a person has."""
        return int(await self.session.value("workflows.count", owner_id))

    async def add(self, workflow: Workflow) -> None:
        """Store a new workflow. Raises WORKFLOW_NAME_TAKEN if its owner has another one of that name."""
        with _named(workflow.name):
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
            version.created_by,
            version.note,
            version.origin_version_id,
        )

    async def lock(self, workflow_id: WorkflowId, asker: Asker) -> Access:
        """Hold a workflow until the transaction ends, and read it. Raises WORKFLOW_NOT_FOUND."""
        # Read after the lock is held, by a statement of its own: one that waits would join the version it began with.
        await self.session.row("workflows.lock", workflow_id)
        return await _access(self.session, workflow_id, asker)

    async def update(self, workflow: Workflow) -> None:
        """Store a changed workflow. Raises WORKFLOW_NAME_TAKEN."""
        with _named(workflow.name):
            await self.session.execute(
                "workflows.update",
                workflow.workflow_id,
                workflow.name,
                workflow.version,
                workflow.layout,
                workflow.archived_at,
                workflow.updated_at,
            )

    async def numbered(self, workflow_id: WorkflowId, version: int) -> Version | None:
        """Read a version by its number."""
        row = await self.session.row("versions.numbered", workflow_id, version)
        return None if row is None else Version(**row)

    async def version(self, version_id: WorkflowVersionId) -> Version | None:
        """Read a version by its id, whosever it is."""
        row = await self.session.row("versions.get", version_id)
        return None if row is None else Version(**row)

    async def access(self, workflow_id: WorkflowId, asker: Asker) -> Access:
        """Read a workflow and what the asker may do with it, without holding it. Raises WORKFLOW_NOT_FOUND."""
        return await _access(self.session, workflow_id, asker)

    async def grants(self, workflow_id: WorkflowId) -> tuple[Grant, ...]:
        """Read the grants of a workflow that were not revoked, oldest first."""
        return tuple(_grant(row) for row in await self.session.rows("grants.list", workflow_id))

    async def grant(self, grant_id: UUID) -> tuple[Grant, bool] | None:
        """Read a grant and whether it was revoked."""
        row = await self.session.row("grants.get", grant_id)
        return None if row is None else (_grant(row), row["revoked_at"] is not None)

    async def add_grant(self, grant: Grant) -> None:
        """Store a grant."""
        await self.session.execute(
            "grants.insert",
            grant.grant_id,
            grant.workflow_id,
            grant.grantee,
            grant.permission.value,
            grant.granted_by,
            grant.granted_at,
            grant.expires_at,
        )

    async def history(self, workflow_id: WorkflowId, *, before: int | None, limit: int) -> Sequence[Mapping[str, Any]]:
        """Read versions without their graphs, newest first."""
        return [dict(row) for row in await self.session.rows("versions.list", workflow_id, before, limit)]

    async def draft(self, workflow_id: WorkflowId, author_id: UserId) -> Draft | None:
        """Read what a person keeps of a workflow."""
        row = await self.session.row("drafts.get", workflow_id, author_id)
        return None if row is None else Draft(**row)

    async def put_draft(self, draft: Draft) -> None:
        """Keep a draft in the place of the one before."""
        await self.session.execute(
            "drafts.put",
            draft.workflow_id,
            draft.author_id,
            draft.base_version,
            draft.revision,
            draft.graph,
            draft.updated_at,
        )

    async def delete_draft(self, workflow_id: WorkflowId, author_id: UserId) -> None:
        """Forget a draft, if there is one."""
        await self.session.execute("drafts.delete", workflow_id, author_id)

    async def put_execution(self, execution: Execution, *, is_end: bool) -> None:
        """Remember an execution's beginning or its end; the end stands whichever is told of first."""
        await self.session.execute(
            "executions.end" if is_end else "executions.begin",
            execution.execution_id,
            execution.version_id,
            execution.kind.value,
            execution.symbol,
            execution.executed_by,
            execution.status,
            execution.started_at,
            execution.ended_at,
            msgspec.json.encode(execution.figures, order="sorted").decode(),
        )

    async def revoke_grant(self, grant_id: UUID, *, revoked_by: UserId, at: datetime) -> None:
        """Take a grant back."""
        await self.session.execute("grants.revoke", grant_id, at, revoked_by)


class Workflows:
    """Reads of workflows, and the door to change them; whoever asks is told of what they may see alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[WorkflowsTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield WorkflowsTransaction(session)

    async def access(self, workflow_id: WorkflowId, asker: Asker) -> Access:
        """Read a workflow and what the asker may do with it. Raises WORKFLOW_NOT_FOUND if it is not there."""
        async with self._database.session() as session:
            return await _access(session, workflow_id, asker)

    async def list(self, asker: Asker, *, is_shared: bool, with_archived: bool) -> tuple[Access, ...]:
        """Read the asker's own workflows or those shared with them, newest change first."""
        async with self._database.session() as session:
            if is_shared:
                found = (asker.user_id, asker.grantees, asker.at, with_archived, SHARED_MAX)
                rows = await session.rows("workflows.list_shared", *found)
            else:
                rows = await session.rows("workflows.list", asker.user_id, with_archived)
        return tuple(_access_of(row, asker) for row in rows)

    async def get_version(
        self, version_id: WorkflowVersionId, asker: Asker, permission: Permission
    ) -> tuple[NamedVersion, Workflow]:
        """Read one version and its workflow; the newest version comes with its newest layout.

        Raises WORKFLOW_NOT_FOUND or WORKFLOW_PERMISSION.
        """
        async with self._database.session() as session:
            row = await session.row("versions.get", version_id)
            if row is None:
                raise not_found("workflow version")
            workflow = (await _access(session, row["workflow_id"], asker)).require(permission)
        fields = dict(row)
        if workflow.version == fields["version"]:
            fields["graph"] = with_layout(fields["graph"], workflow.layout)
        return NamedVersion(name=workflow.name, version=Version(**fields)), workflow

    async def history(self, workflow_id: WorkflowId, *, before: int | None, limit: int) -> Sequence[Mapping[str, Any]]:
        """Read versions without their graphs, newest first."""
        async with self._database.session() as session:
            rows = await session.rows("versions.list", workflow_id, before, limit)
        return [dict(row) for row in rows]

    async def executions(
        self, workflow_id: WorkflowId, *, version: int | None, executed_by: UserId | None, limit: int
    ) -> Sequence[Mapping[str, Any]]:
        """Read executions, newest first, by everybody or by one person."""
        async with self._database.session() as session:
            rows = await session.rows("executions.list", workflow_id, version, executed_by, limit)
        return [{**row, "figures": msgspec.json.decode(row["figures"])} for row in rows]

    async def newest_executions(self, asker: Asker, *, each: int) -> Sequence[Mapping[str, Any]]:
        """Read what runs of all the asker may see and the newest of each kind and workflow, newest first."""
        async with self._database.session() as session:
            found = (asker.user_id, asker.grantees, asker.at, each, EXECUTIONS_MAX)
            rows = await session.rows("executions.newest", *found)
        return [{**row, "figures": msgspec.json.decode(row["figures"])} for row in rows]

    async def person(self, *, user_id: UUID | None, email: str | None) -> Person | None:
        """Find a person by id or by e-mail."""
        async with self._database.session() as session:
            row = await session.row("people.find", user_id, email)
        return None if row is None else (UserId(row["user_id"]), row["email"])


async def _access(session: Session, workflow_id: WorkflowId, asker: Asker) -> Access:
    row = await session.row("workflows.get", workflow_id, asker.grantees, asker.at)
    if row is None:
        raise not_found("workflow")
    return _access_of(row, asker)


def _access_of(row: Record, asker: Asker) -> Access:
    fields = dict(row)
    permissions = frozenset(Permission(each) for each in fields.pop("permissions"))
    workflow = Workflow(**fields)
    return Access(workflow=workflow, is_owner=workflow.owner_id == asker.user_id, permissions=permissions)


def _grant(row: Record) -> Grant:
    kind, _, name = row["grantee"].partition(":")
    return Grant(
        grant_id=row["grant_id"],
        workflow_id=row["workflow_id"],
        permission=Permission(row["permission"]),
        user_id=UserId(UUID(name)) if kind == "user" else None,
        role=name if kind == "role" else None,
        granted_by=row["granted_by"],
        granted_at=row["granted_at"],
        expires_at=row["expires_at"],
        email=row["email"],
    )


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Turn the violation of one name per owner into the conflict it stands for."""
    try:
        yield
    except ConstraintError as error:
        if error.constraint != "workflows_owner_name_key":
            raise
        message = f"you already have a workflow named {name!r}: save a new version of it or choose a name"
        raise AlphintraError("WORKFLOW_NAME_TAKEN", message, kind=Kind.CONFLICT, pointer="/name") from error
