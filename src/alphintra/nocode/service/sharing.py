"""Use cases of sharing: an owner grants others what they may do with a workflow, and takes it back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.contracts.nocode import ListShares, RevokeShare, ShareRevoked, ShareWorkflow, WorkflowShared
from alphintra.contracts.workflows import SharesView, ShareView
from alphintra.infrastructure.events import append_audit, append_event, receive_once
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId, WorkflowId
from alphintra.nocode.domain.access import Grant, new_grant, require_grants_room
from alphintra.nocode.service.workflows import asker_of

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.contracts.auth import UserRegistered
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context, Event
    from alphintra.nocode.repository import Person, Workflows, WorkflowsTransaction

__all__ = ["list_shares", "remember_person", "revoke_share", "share_workflow"]

_CONSUMER = "nocode"


async def remember_person(delivery: Delivery[UserRegistered], *, workflows: Workflows) -> None:
    """Remember who was registered, so that workflows can be shared with them by e-mail."""
    async with workflows.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery):
            person = delivery.event
            await tx.add_person(UserId(person.user_id), person.email, at=delivery.occurred_at)


async def share_workflow(
    command: ShareWorkflow, context: Context, *, workflows: Workflows, ids: IdSource, at: datetime
) -> ShareView:
    """Grant a person or a role a permission; one that stands already gets the new end, and unchanged stays as it is.

    Raises WORKFLOW_NOT_FOUND, WORKFLOW_PERMISSION, USER_NOT_FOUND, SHARE_LIMIT, and what a grant must be.
    """
    asker = asker_of(context, at)
    workflow_id = WorkflowId(command.workflow_id)
    (await workflows.access(workflow_id, asker)).require_owner()  # a stranger learns nothing of who is registered
    person = None if command.user is None else await _person(command.user, workflows=workflows)
    async with workflows.transaction() as tx:
        workflow = (await tx.lock(workflow_id, asker)).require_owner()
        wanted = new_grant(
            ids.new(),
            workflow,
            command.permission,
            user_id=None if person is None else person[0],
            role=command.role,
            expires_at=command.expires_at,
            at=at,
        )
        standing = await tx.grants(workflow_id)
        same = next((each for each in standing if _key(each) == _key(wanted)), None)
        if same is not None and same.expires_at == wanted.expires_at:
            return _view(same, at)
        if same is None:
            require_grants_room(sum(not each.is_expired(at) for each in standing))
        else:
            await tx.revoke_grant(same.grant_id, revoked_by=asker.user_id, at=at)
        await tx.add_grant(wanted)
        event = WorkflowShared(
            workflow_id=workflow_id,
            grant_id=wanted.grant_id,
            permission=wanted.permission,
            user_id=wanted.user_id,
            role=wanted.role,
            expires_at=wanted.expires_at,
        )
        await _record(tx, "workflow.share", wanted, event, ids=ids, context=context, at=at)
    return _view(wanted, at, email="" if person is None else person[1])


async def revoke_share(
    command: RevokeShare, context: Context, *, workflows: Workflows, ids: IdSource, at: datetime
) -> ShareView:
    """Take a grant back; one taken back before is answered as it was. Raises SHARE_NOT_FOUND, WORKFLOW_PERMISSION."""
    asker = asker_of(context, at)
    async with workflows.transaction() as tx:
        found = await tx.grant(command.grant_id)
        if found is None:
            raise _share_not_found()
        try:
            access = await tx.lock(found[0].workflow_id, asker)
            access.require_owner()
        except AlphintraError as error:
            if error.kind is Kind.NOT_FOUND:
                raise _share_not_found() from error
            raise
        grant, is_revoked = await tx.grant(command.grant_id) or found
        if not is_revoked:
            await tx.revoke_grant(grant.grant_id, revoked_by=asker.user_id, at=at)
            event = ShareRevoked(
                workflow_id=grant.workflow_id,
                grant_id=grant.grant_id,
                permission=grant.permission,
                user_id=grant.user_id,
                role=grant.role,
            )
            await _record(tx, "workflow.unshare", grant, event, ids=ids, context=context, at=at)
    return _view(grant, at)


async def list_shares(command: ListShares, context: Context, *, workflows: Workflows, at: datetime) -> SharesView:
    """Return the grants of a workflow, expired ones too. Raises WORKFLOW_NOT_FOUND, WORKFLOW_PERMISSION."""
    workflow_id = WorkflowId(command.workflow_id)
    async with workflows.transaction() as tx:
        (await tx.access(workflow_id, asker_of(context, at))).require_owner()
        found = await tx.grants(workflow_id)
    return SharesView(shares=tuple(_view(grant, at) for grant in found))


async def _person(text: str, *, workflows: Workflows) -> Person:
    try:
        user_id: UUID | None = UUID(text)
    except ValueError:
        user_id = None
    email = text.strip().lower() if user_id is None else None
    found = await workflows.person(user_id=user_id, email=email)
    if found is None:
        message = "nobody is registered under that id or e-mail: ask them for theirs"
        raise AlphintraError("USER_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/user")
    return found


async def _record(  # noqa: PLR0913 - what happened, on whose authority
    tx: WorkflowsTransaction,
    action: str,
    grant: Grant,
    event: Event,
    *,
    ids: IdSource,
    context: Context,
    at: datetime,
) -> None:
    await append_event(tx.session, event, ids=ids, aggregate_id=grant.workflow_id, context=context, at=at)
    facts: dict[str, object] = {
        "grant_id": grant.grant_id,
        "grantee": grant.grantee,
        "permission": grant.permission,
        "expires_at": grant.expires_at,
    }
    subject = f"workflow:{grant.workflow_id}"
    await append_audit(tx.session, action, subject, facts, ids=ids, context=context, at=at)
    fault_point("nocode.share_stored")


def _key(grant: Grant) -> tuple[str, str]:
    return grant.grantee, grant.permission


def _share_not_found() -> AlphintraError:
    message = "there is no such grant of yours: list the grants of the workflow"
    return AlphintraError("SHARE_NOT_FOUND", message, kind=Kind.NOT_FOUND)


def _view(grant: Grant, at: datetime, *, email: str | None = None) -> ShareView:
    return ShareView(
        grant_id=grant.grant_id,
        workflow_id=grant.workflow_id,
        permission=grant.permission,
        user_id=grant.user_id,
        email=grant.email if email is None else email,
        role=grant.role,
        granted_at=grant.granted_at,
        expires_at=grant.expires_at,
        is_expired=grant.is_expired(at),
    )
