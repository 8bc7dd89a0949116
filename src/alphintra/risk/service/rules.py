"""Use cases that set and read what orders are judged by: limits and prices."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.contracts.risk import AssessmentsView, LimitsChanged, LimitsView, MarkedView, OrdersBarred, RiskStateView
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.kernel.clock import require_utc
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, FeedId
from alphintra.kernel.money import require_positive
from alphintra.risk.domain.books import LimitSet
from alphintra.risk.domain.controls import plain
from alphintra.risk.domain.rules import (
    check_prices,
    check_reason,
    differences,
    next_limits,
    require_base,
    revoked,
    takes_two_people,
)
from alphintra.risk.repository import AlertTransaction, Governance
from alphintra.risk.service.alerts import raise_losses
from alphintra.risk.service.views import assessment_view, limits_view, require_visible, state_view
from alphintra.risk.service.watch import watch_losses

if TYPE_CHECKING:
    from alphintra.contracts.risk import GetLimits, GetRiskState, ListAssessments, MarkPrices, SetLimits
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.risk.repository import RiskRecords, RiskTransaction

__all__ = [
    "get_limits",
    "get_risk_state",
    "list_assessments",
    "mark_prices",
    "put_in_force",
    "require_one_person",
    "set_limits",
]

LISTED_MAX = 1000
AWAITED_MAX = 10_000
FIRM = UUID(int=0)  # stands for the firm where an event or audit row names what was changed


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

    Raises ACCOUNT_NOT_FOUND, VERSION_CONFLICT, LIMIT_NOT_POSITIVE, KILL_REASON and NUMBER_*.
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
        controls=command.controls,
        reason=check_reason(command.reason) if command.reason else "",
    )
    async with records.transaction() as tx:
        await tx.lock_accounts([account_id])
        current = await tx.limits(account_id)
        if current is None:
            raise _limitless(account_id)
        limits = next_limits(current, wanted)
        if limits is not current:
            require_base(current.version, command.base_version)
            await require_one_person(tx, current, limits)
            await put_in_force(tx, current, limits, context, ids=ids)
    return limits_view(limits)


async def put_in_force(
    tx: RiskTransaction, current: LimitSet, limits: LimitSet, context: Context, *, ids: IdSource
) -> None:
    """Store a new version of an account's limits, tell of it and of orders that have to go, record what changed."""
    await tx.add_limits(limits)
    account_id, at = limits.account_id, limits.set_at
    told = LimitsChanged(account_id=account_id, version=limits.version)
    await append_event(tx.session, told, ids=ids, aggregate_id=account_id, context=context, at=at)
    detail = {"version": limits.version, "changed": differences(current, limits), "reason": limits.reason}
    subject = f"account:{account_id}"
    await append_audit(tx.session, "limits.set", subject, detail, ids=ids, context=context, at=at)
    # Whoever may not trade a symbol any more, or a strategy that is not approved any more, has no order working.
    symbols, books = revoked(current, limits, await Governance(tx.session).open_scopes(account_id))
    barred = [OrdersBarred(code="STRATEGY_NOT_APPROVED", account_id=account_id, book_id=book_id) for book_id in books]
    if symbols:
        barred.append(OrdersBarred(code="RISK_NO_PERMISSION", account_id=account_id, symbols=symbols))
    for event in barred:
        await append_event(tx.session, event, ids=ids, aggregate_id=account_id, context=context, at=at)


async def require_one_person(tx: RiskTransaction, current: LimitSet, wanted: LimitSet) -> None:
    """Refuse limits that take two people. Raises LIMITS_TWO_PEOPLE."""
    shared = await Governance(tx.session).shared("firm", FIRM)
    above = None if shared is None else shared["four_eyes_above"]
    if above is not None and takes_two_people(current, wanted, above=above):
        message = f"limits wider than before and above {plain(above)} an order take two people: propose them"
        raise AlphintraError("LIMITS_TWO_PEOPLE", message, kind=Kind.FORBIDDEN, pointer="/order_notional_max")


async def get_risk_state(
    command: GetRiskState, context: Context, *, records: RiskRecords, at: datetime
) -> RiskStateView:
    """Return exposure, free cash and kill states of an account. Raises ACCOUNT_NOT_FOUND."""
    account_id = AccountId(command.account_id)
    account = require_visible(await records.account(account_id), account_id, context)
    book, kills = await records.book(account_id, at=at)
    return state_view(book, account.cash if book.cash is None else book.cash, kills)


async def list_assessments(command: ListAssessments, context: Context, *, records: RiskRecords) -> AssessmentsView:
    """Return decisions on an account's orders, newest first. Raises ACCOUNT_NOT_FOUND and LIMIT_RANGE."""
    if not 0 < command.limit <= LISTED_MAX:
        raise AlphintraError("LIMIT_RANGE", f"limit is 1 to {LISTED_MAX}", pointer="/limit")
    account_id = AccountId(command.account_id)
    require_visible(await records.account(account_id), account_id, context)
    decisions = await records.listed(account_id, count_max=command.limit, refused_only=command.refused_only)
    return AssessmentsView(assessments=tuple(assessment_view(decision) for decision in decisions))


async def mark_prices(command: MarkPrices, *, records: RiskRecords, ids: IdSource, at: datetime) -> MarkedView:
    """Take a feed's newest prices and tell which awaited executions are not counted yet; safe to repeat.

    Raises PRICE_* and NUMBER_* for prices no order may be judged by: nothing is stored then.
    """
    prices = tuple((price.symbol, price.price) for price in command.prices)
    check_prices(command.seq, prices)
    quotes = [(price.bid, price.ask) for price in command.prices]
    for index, amount in enumerate(amount for quote in quotes for amount in quote):
        if amount is not None:
            require_positive(amount, pointer=f"/prices/{index // 2}/{('bid', 'ask')[index % 2]}")
    for name, awaited in (("executions", command.await_executions), ("closed", command.await_closed)):
        if len(awaited) > AWAITED_MAX:
            message = f"at most {AWAITED_MAX} are awaited at once"
            raise AlphintraError("AWAITED_COUNT", message, pointer=f"/await_{name}")
    feed_id = FeedId(command.feed_id)
    async with records.transaction() as tx:
        marked_at = require_utc(command.at, pointer="/at")
        await tx.mark(feed_id, command.seq, prices=prices, quotes=quotes, at=marked_at)
        missing = await tx.uncounted(command.await_executions)
        if not missing:  # before, equity would be that of the new prices and the old positions
            await raise_losses(AlertTransaction(tx.session), await tx.note_equity(feed_id), ids=ids, at=at)
        still_open = await tx.still_open(command.await_closed)
        view = MarkedView(seq=await tx.marked(feed_id), missing=(*missing, *map(str, still_open)))
    if not missing:
        await watch_losses(feed_id, marked_at=marked_at, records=records, ids=ids, at=at)
    return view


def _limitless(account_id: AccountId) -> AlphintraError:
    return AlphintraError("RISK_LIMITS_MISSING", f"account {account_id} has no limit set", kind=Kind.NOT_FOUND)
