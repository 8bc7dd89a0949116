"""What others tell becomes messages in inboxes, and what leaves by channels: one function per event."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from alphintra.contracts.notification import JobReported, MessageDelivered
from alphintra.contracts.risk import AlertEscalated, AlertRaised
from alphintra.infrastructure.events import Delivery, append_events, receive_once
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, UserId
from alphintra.notification.domain import drafts
from alphintra.notification.domain.channels import Purpose
from alphintra.notification.domain.rules import USUAL, topic_of, wants

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.contracts.approval import OrderTerms
    from alphintra.contracts.auth import UserRegistered
    from alphintra.contracts.drift import DriftFound
    from alphintra.contracts.notification import ReportJob
    from alphintra.contracts.orders import OrderView
    from alphintra.contracts.risk import KillStateChanged
    from alphintra.contracts.strategy import BacktestFinished, FeedFinished
    from alphintra.contracts.trading import AccountOpened, FillBooked, MonthsMissing, OrderClosed, OrderDenied
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.notification.repository.inboxes import Inboxes, InboxesTransaction

__all__ = [
    "add_owner",
    "add_recipient",
    "put_message",
    "report_job",
    "tell_alert",
    "tell_backtest_finished",
    "tell_drift",
    "tell_feed_finished",
    "tell_fill_booked",
    "tell_kill_state",
    "tell_months_missing",
    "tell_order_closed",
    "tell_order_denied",
]

_CONSUMER = "notification"


async def add_recipient(delivery: Delivery[UserRegistered], *, inboxes: Inboxes) -> None:
    """Remember a person just registered."""
    async with inboxes.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery):
            user_id = UserId(delivery.event.user_id)
            await tx.add_recipient(user_id, role=delivery.event.role, at=delivery.occurred_at)


async def add_owner(delivery: Delivery[AccountOpened], *, inboxes: Inboxes) -> None:
    """Remember whose a new account is."""
    event = delivery.event
    async with inboxes.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery):
            await tx.add_owner(AccountId(event.account_id), UserId(event.owner_id))


async def tell_order_denied(delivery: Delivery[OrderDenied], *, inboxes: Inboxes, ids: IdSource, at: datetime) -> None:
    """Tell the owner that risk refused an order, once."""
    event = delivery.event
    draft = drafts.order_denied(_facts(event.terms), code=event.code, reason=event.reason)
    await _tell_owner(delivery, draft, event.owner_id, inboxes=inboxes, ids=ids, at=at)


async def tell_fill_booked(delivery: Delivery[FillBooked], *, inboxes: Inboxes, ids: IdSource, at: datetime) -> None:
    """Tell the owner what was bought or sold, once."""
    event = delivery.event
    fill = event.execution
    facts = drafts.FillFacts(
        account_id=fill.account_id,
        execution_id=fill.execution_id,
        symbol=fill.symbol,
        side=fill.side,
        qty=fill.qty,
        price=fill.price,
        fee=fill.fee,
        realized_pnl=fill.realized_pnl,
        position=event.account_qty,
        cash=event.cash,
    )
    await _tell_owner(delivery, drafts.fill_booked(facts), event.owner_id, inboxes=inboxes, ids=ids, at=at)


async def tell_order_closed(delivery: Delivery[OrderClosed], *, inboxes: Inboxes, ids: IdSource, at: datetime) -> None:
    """Tell the owner that an order ended without being filled whole, once; a fill tells of the others itself."""
    order = delivery.event.order
    draft = drafts.order_closed(
        _facts(order), status=order.status, filled_qty=order.filled_qty, code=order.reason_code, reason=order.reason
    )
    if draft is not None:
        await _tell_owner(delivery, draft, delivery.event.owner_id, inboxes=inboxes, ids=ids, at=at)


async def tell_backtest_finished(
    delivery: Delivery[BacktestFinished], *, inboxes: Inboxes, ids: IdSource, at: datetime
) -> None:
    """Tell the owner how a backtest ended, once."""
    event = delivery.event
    draft = drafts.backtest_finished(
        event.backtest_id, symbol=event.symbol, status=event.status, total_return=event.total_return
    )
    await _tell_owner(delivery, draft, event.owner_id, inboxes=inboxes, ids=ids, at=at)


async def tell_feed_finished(
    delivery: Delivery[FeedFinished], *, inboxes: Inboxes, ids: IdSource, at: datetime
) -> None:
    """Tell the owner that a price feed reached its end or failed, once."""
    event = delivery.event
    draft = drafts.feed_finished(event.feed_id, status=event.status, error=event.error)
    await _tell_owner(delivery, draft, event.owner_id, inboxes=inboxes, ids=ids, at=at)


async def tell_drift(delivery: Delivery[DriftFound], *, inboxes: Inboxes, ids: IdSource, at: datetime) -> None:
    """Tell the owner that a deployment does otherwise than the backtest of its bars, once a report."""
    event = delivery.event
    reasons = {each.reason: each.count for each in event.reasons}
    draft = drafts.drift_found(
        event.report_id, event.deployment_id, symbol=event.symbol, equity_bps=event.equity_bps, reasons=reasons
    )
    await _tell_owner(delivery, draft, event.owner_id, inboxes=inboxes, ids=ids, at=at)


async def tell_kill_state(
    delivery: Delivery[KillStateChanged], *, inboxes: Inboxes, ids: IdSource, at: datetime
) -> None:
    """Tell everybody about a kill state of the firm, the owner about one of an account.

    Raises ACCOUNT_NOT_HEARD for an account whose opening has not arrived yet: the event comes again.
    """
    kill = delivery.event.kill
    draft = drafts.kill_state_changed(kill.account_id, state=kill.state, epoch=kill.epoch, reason=kill.reason)
    async with inboxes.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        if kill.account_id is None:
            people = await tx.recipients()
        else:
            owner_id = await tx.owner_of(AccountId(kill.account_id))
            if owner_id is None:
                message = f"the opening of account {kill.account_id} has not arrived yet: its kill state waits"
                raise AlphintraError("ACCOUNT_NOT_HEARD", message, kind=Kind.UNAVAILABLE)
            people = (owner_id,)
        await _put(tx, delivery, draft, people, ids=ids, at=at)


async def tell_months_missing(
    delivery: Delivery[MonthsMissing], *, inboxes: Inboxes, ids: IdSource, at: datetime
) -> None:
    """Tell whoever watches risk that a table runs out of months, once for each month."""
    event = delivery.event
    draft = drafts.months_missing(event.table, kept_until=event.kept_until, detail=event.detail)
    async with inboxes.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery):
            await _put(tx, delivery, draft, await tx.watching(), ids=ids, at=at)


async def tell_alert(
    delivery: Delivery[AlertRaised] | Delivery[AlertEscalated], *, inboxes: Inboxes, ids: IdSource, at: datetime
) -> None:
    """Tell of an alert whoever watches risk, and the owner of the account it is about; an escalation to the former."""
    event = delivery.event
    alert = event.alert
    key = event.key if isinstance(event, AlertRaised) else f"escalated:{alert.alert_id}"
    draft = drafts.alert_told(
        key, rule=alert.rule, severity=alert.severity, title=alert.title, detail=alert.detail, subject=alert.subject
    )
    if isinstance(event, AlertEscalated):
        draft = drafts.escalated(draft, raised_at=alert.raised_at)
    async with inboxes.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        people = set(await tx.watching())
        if event.owner_id is not None and isinstance(event, AlertRaised):
            people.add(UserId(event.owner_id))
        await _put(tx, delivery, draft, tuple(sorted(people)), ids=ids, at=at)


async def report_job(
    command: ReportJob, context: Context, *, inboxes: Inboxes, ids: IdSource, at: datetime
) -> JobReported:
    """Tell owner and operators that a scheduled job fails or works again; a report that comes again tells nothing."""
    since = command.failing_since
    if command.is_failing:
        draft = drafts.job_failing(command.kind, command.of, since=since, code=command.code, detail=command.detail)
    else:
        draft = drafts.job_recovered(command.kind, command.of, since=since)
    async with inboxes.transaction() as tx:
        people = await tx.watching()
        await put_message(tx, draft, people, happened_at=at, context=context, ids=ids, at=at)
    return JobReported(people=len(people))


async def _tell_owner(
    delivery: Delivery[Any], draft: drafts.Draft, owner_id: UUID, *, inboxes: Inboxes, ids: IdSource, at: datetime
) -> None:
    async with inboxes.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery):
            await _put(tx, delivery, draft, (UserId(owner_id),), ids=ids, at=at)
        fault_point("notification.message_stored")
    fault_point("notification.message_committed")


async def _put(
    tx: InboxesTransaction,
    delivery: Delivery[Any],
    draft: drafts.Draft,
    people: tuple[UserId, ...],
    *,
    ids: IdSource,
    at: datetime,
) -> None:
    await put_message(tx, draft, people, happened_at=delivery.occurred_at, context=delivery.context, ids=ids, at=at)


async def put_message(  # noqa: PLR0913 - what a message says, to whom, and on whose authority
    tx: InboxesTransaction,
    draft: drafts.Draft,
    people: tuple[UserId, ...],
    *,
    happened_at: datetime,
    context: Context,
    ids: IdSource,
    at: datetime,
) -> None:
    """Put a message into inboxes that do not hold it yet, and store what of it is to leave by channels."""
    addresses = [(ids.new(), user_id) for user_id in people]
    stored = await tx.deliver(draft, addresses, happened_at=happened_at, at=at)
    if not stored:
        return
    events = [
        (message_id, MessageDelivered(message_id=message_id, user_id=user_id, kind=draft.kind))
        for message_id, user_id in stored
    ]
    await append_events(tx.session, events, ids=ids, context=context, at=at)
    message_of = {user_id: message_id for message_id, user_id in stored}
    found = await tx.channels.leading_to(tuple(message_of), topic_of(draft.kind))
    leaving = [
        (ids.new(), channel_id, user_id, message_of[user_id])
        for channel_id, user_id, least, muted_until in found
        if wants(least or USUAL, draft.severity, muted_until=muted_until, at=at)
        and draft.subject != f"channel:{channel_id}"
    ]
    await tx.sendings.plan(leaving, purpose=Purpose.MESSAGE, severity=draft.severity, at=at)


def _facts(order: OrderTerms | OrderView) -> drafts.OrderFacts:
    return drafts.OrderFacts(
        order_id=order.order_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        qty=order.qty,
        limit_price=order.limit_price,
        notional=order.notional,
    )
