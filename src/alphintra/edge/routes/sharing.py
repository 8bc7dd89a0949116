"""Who may use a workflow beside its owner."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends

from alphintra.contracts.nocode import ListShares, RevokeShare, ShareWorkflow
from alphintra.contracts.workflows import SharesView, ShareView
from alphintra.edge.routing import Body, Reader, Routes, Trader
from alphintra.kernel.messages import Utc

__all__ = ["routes"]

routes = Routes("sharing")


class ShareBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom to grant what: ``user`` (id or e-mail) or ``role``, one of them; view, edit or execute; until when."""

    permission: str
    user: str | None = None
    role: str | None = None
    expires_at: Utc | None = None


@routes.get("/workflows/{workflow_id}/shares")
async def list_shares(caller: Reader, workflow_id: UUID) -> SharesView:
    """List the grants of a workflow; its owner may."""
    return await caller.ask(ListShares(workflow_id=workflow_id))


@routes.post("/workflows/{workflow_id}/shares", status=201)
async def share_workflow(
    caller: Trader, workflow_id: UUID, body: Annotated[ShareBody, Depends(Body(ShareBody))]
) -> ShareView:
    """Grant a person or everybody in a role to view, edit or execute a workflow; its owner may."""
    command = ShareWorkflow(
        workflow_id=workflow_id,
        permission=body.permission,
        user=body.user,
        role=body.role,
        expires_at=body.expires_at,
    )
    return await caller.ask(command)


@routes.delete("/workflow-shares/{grant_id}")
async def revoke_share(caller: Trader, grant_id: UUID) -> ShareView:
    """Take a grant back; what runs already goes on; its owner may."""
    return await caller.ask(RevokeShare(grant_id=grant_id))
