"""The kill switch."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends

from alphintra.contracts.risk import KillStateView, SetKillState
from alphintra.edge.decoding import Label
from alphintra.edge.routing import Body, Halter, Routes

__all__ = ["routes"]

routes = Routes("risk")


class KillBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to block: ``scope`` firm or account; ``state`` reduce_only, cancel_only or halted."""

    scope: str
    reason: Label
    account_id: UUID | None = None
    state: str = "halted"


class ReleaseBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to let trade again: ``scope`` firm or account."""

    scope: str
    reason: Label
    account_id: UUID | None = None


@routes.post("/risk/kill")
async def kill(caller: Halter, body: Annotated[KillBody, Depends(Body(KillBody))]) -> KillStateView:
    """Block trading for the firm or one account, from the next order on."""
    command = SetKillState(scope=body.scope, state=body.state, reason=str(body.reason), account_id=body.account_id)
    return await caller.ask(command)


@routes.post("/risk/release")
async def release(caller: Halter, body: Annotated[ReleaseBody, Depends(Body(ReleaseBody))]) -> KillStateView:
    """Let the firm or one account trade again."""
    command = SetKillState(scope=body.scope, state="normal", reason=str(body.reason), account_id=body.account_id)
    return await caller.ask(command)
