"""Use cases of the kill machine: a block by a person, and those the platform sets by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.contracts.risk import ControlChanged, KillScopeChanged, KillStateChanged, KillStateView, OrdersBarred
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.authority import require_all_accounts, require_for_account, require_for_mode
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId
from alphintra.kernel.messages import Actor, Context
from alphintra.kernel.vocabulary import AccountMode
from alphintra.risk.domain.books import Kill, KillScope, KillState
from alphintra.risk.domain.controls import SYMBOL
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
_SCOPED = {KillScope.USER, KillScope.STRATEGY, KillScope.VENUE, KillScope.SYMBOL}


async def set_kill_state(
    command: SetKillState, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> KillStateView:
    """Start a new epoch with trading blocked, or released, for the scope named.

    Once this returns, no order judged under the former state is approved any more. Setting the state that is
    in force changes nothing. A key reaches its accounts, and what is theirs alone: a strategy that trades in one, the
    venue of paper accounts. Raises KILL_SCOPE, KILL_STATE, KILL_REASON, KILL_EASE, KILL_ROLE, ACCOUNT_NOT_FOUND and
    AUTH_SCOPE.
    """
    wanted = _wanted(command, context, at=at)
    if wanted.account_id is not None:
        require_visible(await records.account(wanted.account_id), wanted.account_id, context)
    elif not _may_ease(context) and not (wanted.owner_id is not None and wanted.owner_id == context.actor.user_id):
        message = f"only an owner or operator may block trading of the {wanted.scope}"
        raise AlphintraError("KILL_ROLE", message, kind=Kind.FORBIDDEN, pointer="/scope")
    async with records.transaction() as tx:
        await _require_reach(tx, wanted, context)
        await tx.close_gate()
        current = await _current(tx, wanted)
        kill = changed_kill(current, wanted, may_ease=_may_ease(context))
        if kill is current:
            return kill_view(kill)
        view = await _store(tx, kill, context, ids=ids, at=at)
        fault_point("risk.before_kill_commit")
    return view


async def _require_reach(tx: RiskTransaction, wanted: Kill, context: Context) -> None:
    actor = context.actor
    if wanted.account_id is not None or (actor.mode is None and actor.account_id is None):
        return
    if wanted.book_id is not None:
        account = await Governance(tx.session).account_of_book(wanted.book_id)
        if account is not None:
            require_for_account(actor, account.account_id, account.mode)
            return
    if wanted.venue == AccountMode.PAPER and actor.account_id is None:
        require_for_mode(actor, AccountMode.PAPER)
        return
    require_all_accounts(actor, f"the {wanted.scope} reaches further", pointer="/scope")


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
    elif kill.scope in {KillScope.STRATEGY, KillScope.SYMBOL}:
        moved = KillScopeChanged(kill=view)
        await append_event(tx.session, moved, ids=ids, aggregate_id=FIRM, context=context, at=at)
        if kill.state.severity >= KillState.CANCEL_ONLY.severity:
            symbols = () if kill.symbol is None else (kill.symbol,)
            barred = OrdersBarred(code="KILL_SWITCH", book_id=kill.book_id, symbols=symbols)
            await append_event(tx.session, barred, ids=ids, aggregate_id=FIRM, context=context, at=at)
    else:
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
        symbol=command.symbol,
    )
    if command.symbol is not None and not SYMBOL.fullmatch(command.symbol):
        message = f"{command.symbol[:40]!r} is no symbol: write it in capitals, e.g. AAPL"
        raise AlphintraError("KILL_SCOPE", message, pointer="/symbol")
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
        symbol=command.symbol,
    )


def _may_ease(context: Context) -> bool:
    return bool(_MAY_EASE & set(context.actor.roles))
