"""Use cases of the kill machine: a block by a person, and those the platform sets by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.contracts.risk import ControlChanged, KillStateChanged, KillStateView
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId
from alphintra.kernel.messages import Actor, Context
from alphintra.risk.domain.books import Kill, KillScope, KillState
from alphintra.risk.domain.kills import is_stricter, require_scope
from alphintra.risk.domain.rules import changed_kill
from alphintra.risk.repository import Governance
from alphintra.risk.service.views import kill_view, require_visible

if TYPE_CHECKING:
    from alphintra.contracts.risk import SetKillState
    from alphintra.kernel.ids import IdSource
    from alphintra.risk.repository import RiskRecords, RiskTransaction

__all__ = ["SYSTEM", "block", "set_kill_state"]

FIRM = UUID(int=0)  # stands for the firm where an event or audit row names what was changed
SYSTEM = Context(trace_id="risk", actor=Actor(id="service:risk"))
_MAY_EASE = {"owner", "operator"}
_SCOPED = {KillScope.USER, KillScope.STRATEGY, KillScope.VENUE}


async def set_kill_state(
    command: SetKillState, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> KillStateView:
    """Start a new epoch with trading blocked, or released, for the scope named.

    Once this returns, no order judged under the former state is approved any more. Setting the state that is
    in force changes nothing. Raises KILL_SCOPE, KILL_STATE, KILL_REASON, KILL_EASE, KILL_ROLE, ACCOUNT_NOT_FOUND.
    """
    wanted = _wanted(command, context, at=at)
    if wanted.account_id is not None:
        require_visible(await records.account(wanted.account_id), wanted.account_id, context)
    elif context.actor.account_id is not None:
        message = f"this API key is for one account: it cannot block or release the {wanted.scope}"
        raise AlphintraError("AUTH_SCOPE", message, kind=Kind.FORBIDDEN, pointer="/scope")
    elif not _may_ease(context) and not (wanted.owner_id is not None and wanted.owner_id == context.actor.user_id):
        message = f"only an owner or operator may block trading of the {wanted.scope}"
        raise AlphintraError("KILL_ROLE", message, kind=Kind.FORBIDDEN, pointer="/scope")
    async with records.transaction() as tx:
        await tx.close_gate()
        current = await _current(tx, wanted)
        kill = changed_kill(current, wanted, may_ease=_may_ease(context))
        if kill is current:
            return kill_view(kill)
        view = await _store(tx, kill, context, ids=ids, at=at)
        fault_point("risk.before_kill_commit")
    return view


async def block(
    account_id: AccountId, state: KillState, *, reason: str, records: RiskRecords, ids: IdSource, at: datetime
) -> bool:
    """Block an account by rule. Never eases: False if it is blocked as strictly already."""
    wanted = Kill(
        scope=KillScope.ACCOUNT,
        account_id=account_id,
        state=state,
        epoch=0,
        reason=reason,
        set_by=SYSTEM.actor.id,
        set_at=at,
    )
    async with records.transaction() as tx:
        await tx.close_gate()
        if not is_stricter(state, await tx.kill(account_id)):
            return False
        await _store(tx, wanted, SYSTEM, ids=ids, at=at)
    return True


async def _current(tx: RiskTransaction, wanted: Kill) -> Kill | None:
    if wanted.scope not in _SCOPED:
        return await tx.kill(wanted.account_id)
    row = await Governance(tx.session).scope_kill(wanted.scope, wanted.key)
    if row is None:
        return None
    kept = {name: row[name] for name in ("epoch", "reason", "set_by", "set_at")}
    return replace(wanted, state=KillState(row["state"]), **kept)


async def _store(tx: RiskTransaction, kill: Kill, context: Context, *, ids: IdSource, at: datetime) -> KillStateView:
    """Store an epoch and tell those who send orders: of a user or venue, for each of its accounts."""
    governance = Governance(tx.session)
    if kill.scope in _SCOPED:
        stored = replace(kill, epoch=await governance.add_scope_kill(kill))
        told = ControlChanged(kind="kill", key=f"{kill.scope}:{kill.key}", change=kill.state)
        await append_event(tx.session, told, ids=ids, aggregate_id=FIRM, context=context, at=at)
    else:
        stored = replace(kill, epoch=await tx.add_kill(kill))
    view = kill_view(stored)
    if kill.scope is KillScope.FIRM:
        changed = KillStateChanged(kill=view)
        await append_event(tx.session, changed, ids=ids, aggregate_id=FIRM, context=context, at=at)
    elif kill.scope is not KillScope.STRATEGY:
        states = await governance.effective_kills(account_id=kill.account_id, owner_id=kill.owner_id, venue=kill.venue)
        for account_id, state in states.items():
            of_account = replace(
                stored, scope=KillScope.ACCOUNT, account_id=account_id, state=state, owner_id=None, venue=None
            )
            changed = KillStateChanged(kill=kill_view(of_account))
            await append_event(tx.session, changed, ids=ids, aggregate_id=account_id, context=context, at=at)
    subject = "firm" if kill.scope is KillScope.FIRM else f"{kill.scope}:{kill.key}"
    await append_audit(tx.session, "kill.set", subject, view, ids=ids, context=context, at=at)
    return view


def _wanted(command: SetKillState, context: Context, *, at: datetime) -> Kill:
    scope = require_scope(
        command.scope,
        account_id=command.account_id,
        owner_id=command.owner_id,
        book_id=command.book_id,
        venue=command.venue,
    )
    if command.state not in tuple(KillState):
        message = f"the state is one of {', '.join(KillState)}"
        raise AlphintraError("KILL_STATE", message, pointer="/state")
    return Kill(
        scope=scope,
        account_id=None if command.account_id is None else AccountId(command.account_id),
        state=KillState(command.state),
        epoch=0,
        reason=command.reason,
        set_by=context.actor.id,
        set_at=at,
        owner_id=command.owner_id,
        book_id=command.book_id,
        venue=command.venue,
    )


def _may_ease(context: Context) -> bool:
    return bool(_MAY_EASE & set(context.actor.roles))
