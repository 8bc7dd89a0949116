"""Use cases of broker: one function per command or event."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.broker import domain
from alphintra.broker.gateways import PaperVenue, Venue
from alphintra.contracts.broker import (
    AdvanceMarket,
    ConnectionOpened,
    ConnectionsView,
    ConnectionView,
    ExecutionReported,
    GetConnection,
    ListVenueOrders,
    MarketAdvanced,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderRefused,
    VenueExecution,
    VenueOrdersView,
    VenueOrderView,
)
from alphintra.engine.bars import Bar
from alphintra.infrastructure.events import Delivery, append_audit, append_event, append_events, receive_once
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, FeedId, OrderId, UserId

if TYPE_CHECKING:
    from alphintra.broker.gateways import Approvals
    from alphintra.broker.repository import Records, RecordsTransaction
    from alphintra.contracts.approval import OrderTerms
    from alphintra.contracts.risk import KillStateChanged
    from alphintra.contracts.trading import AccountOpened, CancelRequested, OrderSubmitted
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context, Event

__all__ = [
    "advance_market",
    "cancel_order",
    "get_connection",
    "list_connections",
    "list_venue_orders",
    "note_kill_state",
    "open_connection",
    "send_order",
]

ORDERS_LIMIT_MAX = 1000
_CONSUMER = "broker"


async def open_connection(delivery: Delivery[AccountOpened], *, records: Records, ids: IdSource, at: datetime) -> None:
    """Connect a new paper account to its feed; an account nothing here can connect is recorded and left without."""
    event, context = delivery.event, delivery.context
    account_id = AccountId(event.account_id)
    connection = domain.open_paper_connection(
        account_id, UserId(event.owner_id), mode=event.mode, feed_id=event.feed_id, at=at
    )
    async with records.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        action = "connection.decline" if connection is None else "connection.open"
        detail: dict[str, object] = {"mode": event.mode, "feed_id": event.feed_id}
        await append_audit(tx.session, action, f"account:{account_id}", detail, ids=ids, context=context, at=at)
        if connection is None:
            get_logger().warning("connection.declined", account_id=str(account_id), mode=event.mode)
            return
        await tx.add_connection(connection)
        opened = ConnectionOpened(account_id=account_id, adapter=connection.adapter)
        await append_event(tx.session, opened, ids=ids, aggregate_id=account_id, context=context, at=at)


async def note_kill_state(
    delivery: Delivery[KillStateChanged], *, records: Records, ids: IdSource, at: datetime
) -> None:
    """Take note of a kill state: if it blocks, approvals from before its epoch are dead from now on.

    Where it stops all trading, orders that work are taken off their venue. Trading asks for that too, but cannot know
    of an order that it accepted after the block and that came here before it.
    """
    kill, context = delivery.event.kill, delivery.context
    scope = domain.kill_scope(kill.scope, kill.account_id)
    async with records.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        await tx.close_gate()
        if domain.is_blocking(kill.state):
            await tx.raise_block(scope, epoch=kill.epoch, state=kill.state, at=kill.set_at)
        withdrawn = await _withdraw_all(tx, scope, at=at) if domain.is_stopping(kill.state) else []
        told = [(order_id, OrderCanceled(order_id=order_id)) for order_id in withdrawn]
        await append_events(tx.session, told, ids=ids, context=context, at=at)
        detail: dict[str, object] = {"state": kill.state, "epoch": kill.epoch, "canceled": withdrawn}
        await append_audit(tx.session, "kill.note", f"scope:{scope}", detail, ids=ids, context=context, at=at)


async def send_order(
    delivery: Delivery[OrderSubmitted], *, records: Records, approvals: Approvals, ids: IdSource, at: datetime
) -> None:
    """Send an order to its venue if risk's approval of these very terms stands, else refuse it; once for each order.

    Raises RISK_UNAVAILABLE where an expired approval could not be renewed: the order is then neither sent nor
    refused, and its event comes again.
    """
    event = delivery.event
    order = _order(event.terms)
    evidence = approvals.examine(event.terms, event.approval)
    refusal: domain.Refusal | None = None
    if domain.needs_renewal(evidence, at=at) and not await records.is_decided(order.order_id):
        renewal = await approvals.renew(event.terms, trace_id=delivery.context.trace_id)
        at = renewal.at
        if renewal.evidence is None:
            reason = f"the approval expired while the order was queued and risk does not renew it: {renewal.reason}"
            refusal = domain.Refusal(domain.NO_APPROVAL, reason)
        else:
            evidence = renewal.evidence
    fault_point("broker.approval_examined")
    async with records.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        connection, epoch = await tx.way_for(order.account_id)
        refusal = refusal or domain.judge_approval(evidence, blocking_epoch=epoch, at=at)
        refusal = refusal or domain.check_order(order, connection)
        if not await tx.decide(order.order_id, refusal, at=at):
            get_logger().warning("order.replayed", order_id=str(order.order_id), event_id=str(delivery.event_id))
            return
        told = await _place(tx, order, connection, at) if refusal is None else _refused(order, refusal)
        action = "order.send" if refusal is None else "order.refuse"
        detail: dict[str, object] = {
            "code": "" if refusal is None else refusal.code,
            "decision_id": event.approval.decision_id,
            "kill_epoch": evidence.kill_epoch,
        }
        context = delivery.context
        await append_event(tx.session, told, ids=ids, aggregate_id=order.order_id, context=context, at=at)
        await append_audit(tx.session, action, f"order:{order.order_id}", detail, ids=ids, context=context, at=at)
        fault_point("broker.answer_stored")
    fault_point("broker.answer_committed")


async def cancel_order(delivery: Delivery[CancelRequested], *, records: Records, ids: IdSource, at: datetime) -> None:
    """Take a working order off its venue; one that is closed stays as it is, and its filling tells why.

    Raises ORDER_NOT_HEARD if nothing was decided on the order yet: its own event is on the way, this one comes again.
    """
    order_id, context = OrderId(delivery.event.order_id), delivery.context
    async with records.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        if not await tx.lock_order(order_id):
            if not await tx.is_decided(order_id):
                message = f"order {order_id} has not arrived yet: its cancellation waits"
                raise AlphintraError("ORDER_NOT_HEARD", message, kind=Kind.UNAVAILABLE)
            return
        venue: Venue = PaperVenue(tx)
        if not await venue.cancel(order_id, at=at):
            return
        event = OrderCanceled(order_id=order_id)
        await append_event(tx.session, event, ids=ids, aggregate_id=order_id, context=context, at=at)
        await append_audit(tx.session, "order.cancel", f"order:{order_id}", {}, ids=ids, context=context, at=at)
        fault_point("broker.cancel_stored")
    fault_point("broker.cancel_committed")


async def advance_market(
    command: AdvanceMarket, context: Context, *, records: Records, ids: IdSource, at: datetime
) -> MarketAdvanced:
    """Drive the paper venue of a feed by one step.

    A step done before is answered as it was. Raises MARKET_SEQ for a step that is not the next, TIME_ORDER,
    MARKET_BARS, BAR_INVALID, PRICE_MISSING, FIELD_RANGE and NUMBER_*, with nothing done.
    """
    bars = ((bar.symbol, Bar(bar.ts, bar.open, bar.high, bar.low, bar.close, bar.volume)) for bar in command.bars)
    step = domain.step_of(FeedId(command.feed_id), command.seq, bars)
    if await records.advance_idle(step):
        return MarketAdvanced(seq=step.seq, executions=())
    async with records.transaction() as tx:
        market = await tx.lock_market(step.feed_id, at=at)
        if step.seq <= market.last_seq:
            return _advanced(step.seq, await tx.made_by(step.feed_id, step.seq))
        domain.require_next(market, step)
        outcome = domain.match_step(await tx.working(step), step)
        await tx.store_step(step, outcome, at=at)
        if outcome.executions or outcome.expired:
            await append_events(tx.session, _told(outcome), ids=ids, context=context, at=at)
            detail: dict[str, object] = {
                "seq": step.seq,
                "executions": [execution.execution_id for execution in outcome.executions],
                "expired": outcome.expired,
            }
            what = f"feed:{step.feed_id}"
            await append_audit(tx.session, "market.advance", what, detail, ids=ids, context=context, at=at)
        fault_point("broker.step_stored")
    fault_point("broker.step_committed")
    made = tuple((execution.execution_id, execution.order_id, execution.account_id) for execution in outcome.executions)
    return _advanced(step.seq, made)


async def get_connection(command: GetConnection, context: Context, *, records: Records) -> ConnectionView:
    """Return an account's connection. Raises CONNECTION_NOT_FOUND, also for the account of somebody else."""
    return _connection_view(await _visible_connection(command.account_id, context, records))


async def list_connections(context: Context, *, records: Records) -> ConnectionsView:
    """Return the acting user's connections, oldest first. Raises USER_REQUIRED."""
    if context.actor.user_id is None:
        raise AlphintraError("USER_REQUIRED", "only a signed-in person has connections", kind=Kind.FORBIDDEN)
    connections = await records.connections_of(UserId(context.actor.user_id))
    return ConnectionsView(connections=tuple(_connection_view(connection) for connection in connections))


async def list_venue_orders(command: ListVenueOrders, context: Context, *, records: Records) -> VenueOrdersView:
    """Return what was sent for an account, newest first. Raises CONNECTION_NOT_FOUND and PAGE_LIMIT."""
    if not 1 <= command.limit <= ORDERS_LIMIT_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must lie between 1 and {ORDERS_LIMIT_MAX}", pointer="/limit")
    connection = await _visible_connection(command.account_id, context, records)
    orders = await records.sent_orders(connection.account_id, limit=command.limit)
    return VenueOrdersView(orders=tuple(_order_view(order) for order in orders))


async def _place(
    tx: RecordsTransaction, order: domain.Order, connection: domain.Connection | None, at: datetime
) -> OrderAcknowledged:
    if connection is None:
        message = "an order without a connection is refused before"
        raise RuntimeError(message)
    venue: Venue = PaperVenue(tx)
    await tx.add_intent(order, connection, at=at)
    fault_point("broker.intent_stored")
    venue_order_id = await venue.place(order, connection, at=at)
    fault_point("broker.venue_answered")
    return OrderAcknowledged(order_id=order.order_id, venue_order_id=venue_order_id)


async def _withdraw_all(tx: RecordsTransaction, scope: str, *, at: datetime) -> list[OrderId]:
    venue: Venue = PaperVenue(tx)
    return [
        order_id
        for order_id in await tx.working_in(scope)
        if await tx.lock_order(order_id) and await venue.cancel(order_id, at=at)
    ]


def _refused(order: domain.Order, refusal: domain.Refusal) -> OrderRefused:
    return OrderRefused(order_id=order.order_id, code=refusal.code, reason=refusal.reason)


def _told(outcome: domain.StepOutcome) -> list[tuple[UUID, Event]]:
    events: list[tuple[UUID, Event]] = [(fill.order_id, _execution_reported(fill)) for fill in outcome.executions]
    return events + [(order_id, OrderExpired(order_id=order_id)) for order_id in outcome.expired]


def _execution_reported(fill: domain.Execution) -> ExecutionReported:
    return ExecutionReported(
        execution_id=fill.execution_id,
        order_id=fill.order_id,
        account_id=fill.account_id,
        symbol=fill.symbol,
        side=fill.side,
        qty=fill.qty,
        price=fill.price,
        fee=fill.fee,
        executed_at=fill.executed_at,
    )


def _advanced(seq: int, made: tuple[tuple[str, UUID, UUID], ...]) -> MarketAdvanced:
    executions = tuple(
        VenueExecution(execution_id=execution_id, order_id=order_id, account_id=account_id)
        for execution_id, order_id, account_id in made
    )
    return MarketAdvanced(seq=seq, executions=executions)


async def _visible_connection(account_id: UUID, context: Context, records: Records) -> domain.Connection:
    actor = context.actor
    connection = await records.connection(AccountId(account_id))
    trusted = "operator" in actor.roles or actor.id.startswith("service:")
    if connection is None or not (trusted or connection.owner_id == actor.user_id):
        message = f"account {account_id} has no connection (yet): list your accounts"
        raise AlphintraError("CONNECTION_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/account_id")
    return connection


def _order(terms: OrderTerms) -> domain.Order:
    return domain.Order(
        order_id=OrderId(terms.order_id),
        client_order_id=terms.client_order_id,
        account_id=AccountId(terms.account_id),
        symbol=terms.symbol,
        side=terms.side,
        type=terms.type,
        time_in_force=terms.time_in_force,
        qty=terms.qty or Decimal(0),  # refused by check_order
        limit_price=terms.limit_price,
    )


def _connection_view(connection: domain.Connection) -> ConnectionView:
    return ConnectionView(
        account_id=connection.account_id,
        adapter=connection.adapter,
        feed_id=connection.feed_id,
        status=connection.status,
        opened_at=connection.opened_at,
    )


def _order_view(order: domain.SentOrder) -> VenueOrderView:
    return VenueOrderView(
        order_id=order.order_id,
        account_id=order.account_id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        time_in_force=order.time_in_force,
        qty=order.qty,
        limit_price=order.limit_price,
        filled_qty=order.filled_qty,
        status=order.status,
        accepted_at=order.accepted_at,
    )
