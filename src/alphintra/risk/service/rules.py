"""Use cases that set and read what orders are judged by: limits, kill states, prices."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.contracts.risk import (
    AssessmentsView,
    KillStateChanged,
    KillStateView,
    LimitsChanged,
    LimitsView,
    MarkedView,
    RiskStateView,
)
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.clock import require_utc
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, FeedId
from alphintra.risk.domain.books import Kill, KillScope, KillState, LimitSet
from alphintra.risk.domain.rules import changed_kill, check_prices, next_limits
from alphintra.risk.repository import AlertTransaction
from alphintra.risk.service.alerts import raise_losses
from alphintra.risk.service.views import assessment_view, kill_view, limits_view, require_visible, state_view

if TYPE_CHECKING:
    from alphintra.contracts.risk import GetLimits, GetRiskState, ListAssessments, MarkPrices, SetKillState, SetLimits
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.risk.repository import RiskRecords

__all__ = ["get_limits", "get_risk_state", "list_assessments", "mark_prices", "set_kill_state", "set_limits"]

LISTED_MAX = 1000
AWAITED_MAX = 10_000
FIRM = UUID(int=0)  # stands for the firm where an event or audit row names what was changed
_MAY_EASE = {"owner", "operator"}


async def get_limits(command: GetLimits, context: Context, *, records: RiskRecords) -> LimitsView:
    """Return the limit set in force. Raises ACCOUNT_NOT_FOUND."""
    account_id = AccountId(command.account_id)
    require_visible(await records.account(account_id), account_id, context)
    async with records.transaction() as tx:
        limits = await tx.limits(account_id)
    if limits is None:
        raise _limitless(account_id)
    return limits_view(limits)


async def set_limits(
    command: SetLimits, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> LimitsView:
    """Store a new version of an account's limit set; the same limits again change nothing.

    Raises ACCOUNT_NOT_FOUND, LIMIT_NOT_POSITIVE and NUMBER_*.
    """
    account_id = AccountId(command.account_id)
    require_visible(await records.account(account_id), account_id, context)
    wanted = LimitSet(
        account_id=account_id,
        version=0,
        order_qty_max=command.order_qty_max,
        order_notional_max=command.order_notional_max,
        position_qty_max=command.position_qty_max,
        may_short=command.may_short,
        set_by=context.actor.id,
        set_at=at,
    )
    async with records.transaction() as tx:
        await tx.lock_accounts([account_id])
        current = await tx.limits(account_id)
        if current is None:
            raise _limitless(account_id)
        limits = next_limits(current, wanted)
        if limits is not current:
            await tx.add_limits(limits)
            told = LimitsChanged(account_id=account_id, version=limits.version)
            await append_event(tx.session, told, ids=ids, aggregate_id=account_id, context=context, at=at)
            view, subject = limits_view(limits), f"account:{account_id}"
            await append_audit(tx.session, "limits.set", subject, view, ids=ids, context=context, at=at)
    return limits_view(limits)


async def set_kill_state(
    command: SetKillState, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> KillStateView:
    """Start a new epoch with trading blocked, or released, for the firm or an account.

    Once this returns, no order judged under the former state is approved any more. Setting the state that is
    in force changes nothing. Raises KILL_SCOPE, KILL_STATE, KILL_REASON, KILL_EASE, KILL_ROLE, ACCOUNT_NOT_FOUND.
    """
    wanted = _wanted_kill(command, context, at=at)
    if wanted.account_id is not None:
        require_visible(await records.account(wanted.account_id), wanted.account_id, context)
    elif not _may_ease(context):
        message = "only an owner or operator may block trading of the firm"
        raise AlphintraError("KILL_ROLE", message, kind=Kind.FORBIDDEN, pointer="/scope")
    async with records.transaction() as tx:
        await tx.close_gate()
        current = await tx.kill(wanted.account_id)
        kill = changed_kill(current, wanted, may_ease=_may_ease(context))
        if kill is current:
            return kill_view(kill)
        view = kill_view(replace(kill, epoch=await tx.add_kill(kill)))
        aggregate_id = wanted.account_id or FIRM
        told = KillStateChanged(kill=view)
        await append_event(tx.session, told, ids=ids, aggregate_id=aggregate_id, context=context, at=at)
        subject = "firm" if wanted.account_id is None else f"account:{wanted.account_id}"
        await append_audit(tx.session, "kill.set", subject, view, ids=ids, context=context, at=at)
        fault_point("risk.before_kill_commit")
    return view


async def get_risk_state(command: GetRiskState, context: Context, *, records: RiskRecords) -> RiskStateView:
    """Return exposure, free cash and kill states of an account. Raises ACCOUNT_NOT_FOUND."""
    account_id = AccountId(command.account_id)
    account = require_visible(await records.account(account_id), account_id, context)
    book, kills = await records.book(account_id)
    return state_view(book, account.cash if book.cash is None else book.cash, kills)


async def list_assessments(command: ListAssessments, context: Context, *, records: RiskRecords) -> AssessmentsView:
    """Return decisions on an account's orders, newest first. Raises ACCOUNT_NOT_FOUND and LIMIT_RANGE."""
    if not 0 < command.limit <= LISTED_MAX:
        raise AlphintraError("LIMIT_RANGE", f"limit is 1 to {LISTED_MAX}", pointer="/limit")
    account_id = AccountId(command.account_id)
    require_visible(await records.account(account_id), account_id, context)
    decisions = await records.listed(account_id, count_max=command.limit)
    return AssessmentsView(assessments=tuple(assessment_view(decision) for decision in decisions))


async def mark_prices(command: MarkPrices, *, records: RiskRecords, ids: IdSource, at: datetime) -> MarkedView:
    """Take a feed's newest prices and tell which awaited executions are not counted yet; safe to repeat.

    Raises PRICE_* and NUMBER_* for prices no order may be judged by: nothing is stored then.
    """
    prices = tuple((price.symbol, price.price) for price in command.prices)
    check_prices(command.seq, prices)
    if len(command.await_executions) > AWAITED_MAX:
        message = f"at most {AWAITED_MAX} executions are awaited at once"
        raise AlphintraError("AWAITED_COUNT", message, pointer="/await_executions")
    feed_id = FeedId(command.feed_id)
    async with records.transaction() as tx:
        await tx.mark(feed_id, command.seq, prices=prices, at=require_utc(command.at, pointer="/at"))
        missing = await tx.uncounted(command.await_executions)
        if not missing:  # before, equity would be that of the new prices and the old positions
            await raise_losses(AlertTransaction(tx.session), await tx.note_equity(feed_id), ids=ids, at=at)
        return MarkedView(seq=await tx.marked(feed_id), missing=missing)


def _wanted_kill(command: SetKillState, context: Context, *, at: datetime) -> Kill:
    if command.scope not in tuple(KillScope) or (command.scope == KillScope.ACCOUNT) != (
        command.account_id is not None
    ):
        message = "the scope is firm without account_id, or account with account_id"
        raise AlphintraError("KILL_SCOPE", message, pointer="/scope")
    if command.state not in tuple(KillState):
        message = f"the state is one of {', '.join(KillState)}"
        raise AlphintraError("KILL_STATE", message, pointer="/state")
    return Kill(
        scope=KillScope(command.scope),
        account_id=None if command.account_id is None else AccountId(command.account_id),
        state=KillState(command.state),
        epoch=0,
        reason=command.reason,
        set_by=context.actor.id,
        set_at=at,
    )


def _may_ease(context: Context) -> bool:
    return bool(_MAY_EASE & set(context.actor.roles))


def _limitless(account_id: AccountId) -> AlphintraError:
    return AlphintraError("RISK_LIMITS_MISSING", f"account {account_id} has no limit set", kind=Kind.NOT_FOUND)
