"""Use cases on what trading tells: accounts opened, orders accepted, filled and closed; and reservations given back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.contracts.risk import LimitsChanged, OrdersBarred, ReleasedView
from alphintra.contracts.trading import (
    AccountOpened,
    CashBooked,
    FillBooked,
    OrderClosed,
    OrderSubmitted,
    PositionTransferred,
    SplitApplied,
)
from alphintra.engine.portfolio import cash_delta, position_delta
from alphintra.engine.pretrade.limits import default_limits
from alphintra.infrastructure.events import (
    Delivery,
    EventEntry,
    append_audit,
    append_each,
    append_event,
    receive_many,
    receive_once,
)
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, FeedId, OrderId, UserId
from alphintra.risk.domain.books import Account
from alphintra.risk.domain.controls import HOLD_LIFE
from alphintra.risk.domain.reservations import booked, recounted
from alphintra.risk.repository import Governance
from alphintra.risk.service.watch import count_repeats

if TYPE_CHECKING:
    from alphintra.contracts.risk import ReleaseOrder
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.risk.domain.books import Reservation
    from alphintra.risk.repository import RiskRecords, RiskTransaction

__all__ = [
    "apply_split",
    "book_cash",
    "book_fill",
    "close_orders",
    "confirm_orders",
    "lapse_reservations",
    "open_account",
    "release_order",
    "transfer_position",
]

_CONSUMER = "risk"


async def open_account(delivery: Delivery[AccountOpened], *, records: RiskRecords, ids: IdSource) -> None:
    """Start a book and the default limit set for a new account."""
    event, at, context = delivery.event, delivery.occurred_at, delivery.context
    account = Account(
        account_id=AccountId(event.account_id),
        owner_id=UserId(event.owner_id),
        feed_id=None if event.feed_id is None else FeedId(event.feed_id),
        cash=event.starting_cash,
        mode=event.mode,
    )
    async with records.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        if not await tx.open_account(account, currency=event.currency, mode=event.mode, at=at):
            get_logger().warning("risk.account_repeated", account_id=str(account.account_id))
            return
        limits = default_limits(account.account_id, set_by="default", at=at)
        await tx.add_limits(limits)
        told = LimitsChanged(account_id=account.account_id, version=limits.version)
        await append_event(tx.session, told, ids=ids, aggregate_id=account.account_id, context=context, at=at)
        subject = f"account:{account.account_id}"
        await append_audit(tx.session, "limits.set", subject, told, ids=ids, context=context, at=at)


async def confirm_orders(
    deliveries: Sequence[Delivery[OrderSubmitted]], *, records: RiskRecords, ids: IdSource, at: datetime
) -> None:
    """Keep orders' reservations until they close, for trading has accepted the orders; all in one transaction.

    An order approved before its strategy was blocked or its symbol restricted, and accepted after, has to go again.
    """
    async with records.transaction() as tx:
        received = await receive_many(tx.session, _CONSUMER, deliveries)
        await _bar(tx, received, ids=ids, at=at)
        fresh = [delivery.event for delivery in received]
        order_ids = {
            OrderId(terms.order_id) for event in fresh for terms in (event.terms, *(leg.terms for leg in event.legs))
        }
        await tx.lock_accounts(AccountId(event.terms.account_id) for event in fresh)
        others = order_ids - await tx.confirm(order_ids, at=at)
        if others:  # what lapsed or was released meanwhile, which counts again from now on
            family = await tx.family(list(others))
            after = [item.confirmed() if item.order_id in others else item for item in family]
            await _save(tx, family, after, at=at)
            _tell_missing(others, family)


async def _bar(
    tx: RiskTransaction, received: Sequence[Delivery[OrderSubmitted]], *, ids: IdSource, at: datetime
) -> None:
    asked = {
        terms.order_id: (delivery, (terms.order_id, terms.account_id, delivery.event.book_id, terms.symbol))
        for delivery in received
        for terms in (delivery.event.terms, *(leg.terms for leg in delivery.event.legs))
    }
    if not asked:
        return
    told = []
    for order_id, code in await Governance(tx.session).barred([row for _delivery, row in asked.values()]):
        event = OrdersBarred(code=code, order_id=order_id)
        told.append(EventEntry(order_id, event, asked[order_id][0].context))
    await append_each(tx.session, told, ids=ids, at=at)


async def book_fill(delivery: Delivery[FillBooked], *, records: RiskRecords, ids: IdSource, at: datetime) -> None:
    """Move an execution from reservation to exposure, and its cash with it; once per execution id.

    Raises ACCOUNT_UNKNOWN, so that the event comes again, until the account's opening has been heard.
    """
    event, execution = delivery.event, delivery.event.execution
    account_id, order_id = AccountId(execution.account_id), OrderId(execution.order_id)
    async with records.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        await _lock_known(tx, account_id)
        if not await tx.book_execution(execution.execution_id, account_id=account_id, order_id=order_id, at=at):
            get_logger().warning("risk.execution_repeated", execution_id=execution.execution_id)
            return
        # Computed, not copied from the event: fills delivered out of order still add up to trading's cash.
        change = cash_delta(execution.side, execution.qty, price=execution.price, fee=execution.fee)
        signed = position_delta(execution.side, execution.qty, fee_qty=execution.fee_qty)
        cash = await tx.move(account_id, execution.symbol, qty=signed, cash=change, at=at)
        await tx.move_book(account_id, execution.book_id, execution.symbol, qty=signed, at=at)
        if cash != event.cash:
            get_logger().warning("risk.cash_differs", account_id=str(account_id), ours=str(cash), told=str(event.cash))
        family = await tx.family([order_id])
        if not family:
            get_logger().error("risk.reservation_missing", order_id=str(order_id))
        after = booked(family, order_id, qty=execution.qty, price=execution.price)
        await _save(tx, family, after, at=at)
        await count_repeats(tx, account_id, execution.book_id, ids=ids, at=at)
        fault_point("risk.before_fill_commit")


async def book_cash(delivery: Delivery[CashBooked], *, records: RiskRecords, at: datetime) -> None:
    """Take money that came or went otherwise than by an execution."""
    account_id = AccountId(delivery.event.account_id)
    async with records.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery):
            await _lock_known(tx, account_id)
            await tx.session.value("accounts.move_cash", account_id, delivery.event.change, at)


async def apply_split(delivery: Delivery[SplitApplied], *, records: RiskRecords, at: datetime) -> None:
    """Take the quantities after a split; cash stays what it is."""
    event = delivery.event
    account_id = AccountId(event.account_id)
    async with records.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery):
            await _lock_known(tx, account_id)
            await tx.move(account_id, event.symbol, qty=event.account_change, cash=Decimal(0), at=at)
            for book in event.books:
                await tx.move_book(account_id, book.book_id, event.symbol, qty=book.change, at=at)


async def transfer_position(delivery: Delivery[PositionTransferred], *, records: RiskRecords, at: datetime) -> None:
    """Take a quantity that went from one book of an account to another."""
    event = delivery.event
    account_id = AccountId(event.account_id)
    async with records.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery):
            await _lock_known(tx, account_id)
            await tx.move_book(account_id, event.from_book, event.symbol, qty=-event.qty, at=at)
            await tx.move_book(account_id, event.to_book, event.symbol, qty=event.qty, at=at)


async def close_orders(deliveries: Sequence[Delivery[OrderClosed]], *, records: RiskRecords, at: datetime) -> None:
    """Give back what closed orders will not use any more; executions still to be booked stay reserved."""
    async with records.transaction() as tx:
        orders = [delivery.event.order for delivery in await receive_many(tx.session, _CONSUMER, deliveries)]
        filled = {OrderId(order.order_id): order.filled_qty for order in orders}
        await tx.lock_accounts(AccountId(order.account_id) for order in orders)
        family = await tx.family(list(filled))
        after = [item.closed(filled[item.order_id]) if item.order_id in filled else item for item in family]
        await _save(tx, family, after, at=at)
        _tell_missing(filled, family)


async def release_order(
    command: ReleaseOrder, context: Context, *, records: RiskRecords, ids: IdSource, at: datetime
) -> ReleasedView:
    """Give back the reservation of an order trading did not accept; one it accepted, or an unknown one, stays."""
    order_id = OrderId(command.order_id)
    async with records.transaction() as tx:
        account_id = await tx.account_of(order_id)
        if account_id is None:
            return ReleasedView(released=False)
        await tx.lock_accounts([account_id])
        family = await tx.family([order_id])
        released = next((item.released() for item in family if item.order_id == order_id), None)
        if released is None:
            return ReleasedView(released=False)
        await _save(tx, family, [released if item.order_id == order_id else item for item in family], at=at)
        subject = f"order:{command.order_id}"
        await append_audit(tx.session, "order.release", subject, {}, ids=ids, context=context, at=at)
    return ReleasedView(released=True)


async def lapse_reservations(*, records: RiskRecords, at: datetime) -> int:
    """Give back reservations no one confirmed within a minute; returns how many."""
    async with records.transaction() as tx:
        lapsed = await tx.lapse(held_before=at - HOLD_LIFE, at=at)
    for order_id in lapsed:
        get_logger().warning("risk.reservation_lapsed", order_id=str(order_id))
    return len(lapsed)


async def _save(
    tx: RiskTransaction, before: Sequence[Reservation], after: Sequence[Reservation], *, at: datetime
) -> None:
    """Store what changed of reservations, given with all that belongs to them, each with what it counts now."""
    known = {item.order_id: item for item in before}
    await tx.save_reservations([item for item in recounted(after) if item != known[item.order_id]], at=at)


def _tell_missing(order_ids: Iterable[OrderId], family: Sequence[Reservation]) -> None:
    for order_id in set(order_ids) - {item.order_id for item in family}:
        get_logger().error("risk.reservation_missing", order_id=str(order_id))


async def _lock_known(tx: RiskTransaction, account_id: AccountId) -> None:
    if account_id not in await tx.lock_accounts([account_id]):
        message = f"risk has not heard of account {account_id} yet: the event is taken up when it comes again"
        raise AlphintraError("ACCOUNT_UNKNOWN", message, kind=Kind.UNAVAILABLE)
