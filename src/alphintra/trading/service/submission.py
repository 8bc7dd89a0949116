"""Submission of orders: a batch is looked up, assessed by risk and stored with one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from alphintra.contracts.orders import OrderView
from alphintra.contracts.trading import ApprovedLeg, OrderDenied, OrderSubmitted, SubmitOrder
from alphintra.infrastructure.events import encode_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.authority import require_for_account
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, BookId, OrderId
from alphintra.kernel.messages import Event, subject_of
from alphintra.kernel.vocabulary import OrderStatus
from alphintra.trading.domain.accounts import Account
from alphintra.trading.domain.groups import StopLoss, TakeProfit, orders_asked
from alphintra.trading.domain.orders import (
    NewOrder,
    Order,
    OrderEventKind,
    accept,
    deny,
    hold,
    require_same_request,
)
from alphintra.trading.domain.validation import require_unexpired
from alphintra.trading.gateways import Wanted
from alphintra.trading.repository.orders import AcceptedOrder, ToldEvent
from alphintra.trading.service.accounts import may_see
from alphintra.trading.service.views import order_view, terms_of

if TYPE_CHECKING:
    from alphintra.contracts.approval import OrderTerms
    from alphintra.contracts.risk import Assessment, Finding
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.gateways import RiskGateway
    from alphintra.trading.repository.books import Books

__all__ = ["Decided", "Submission", "accepted_order", "read_order", "submit_orders"]

ATTEMPTS_MAX = 3
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode
Key = tuple[AccountId, str]


@dataclass(frozen=True, slots=True)
class Submission:
    """One request, which may be for a group of orders, and whose it is; the first order stands for it."""

    orders: tuple[NewOrder, ...]
    context: Context

    @property
    def first(self) -> NewOrder:
        """The order that is answered."""
        return self.orders[0]

    @property
    def key(self) -> Key:
        """What makes a repetition recognisable."""
        return self.first.account_id, self.first.client_order_id

    @property
    def keys(self) -> tuple[Key, ...]:
        """The names of all its orders."""
        return tuple((order.account_id, order.client_order_id) for order in self.orders)


def read_order(command: SubmitOrder, context: Context) -> Submission:
    """Check what was asked for before it takes a place in the queue. Raises ORDER_*, QTY_* and NUMBER_*."""
    asked = NewOrder(
        account_id=AccountId(command.account_id),
        client_order_id=command.client_order_id,
        symbol=command.symbol,
        side=command.side,
        type=command.type,
        time_in_force=command.time_in_force,
        qty=command.qty,
        notional=command.notional,
        limit_price=command.limit_price,
        stop_price=command.stop_price,
        trail_price=command.trail_price,
        trail_percent=command.trail_percent,
        expire_at=command.expire_at,
        extended_hours=command.extended_hours,
        reduce_only=command.reduce_only,
        position_intent=command.position_intent,
        order_class=command.order_class,
        book_id=None if command.book_id is None else BookId(command.book_id),
        strategy_hash=command.strategy_hash,
    )
    return Submission(orders_asked(asked, _take_profit(command), _stop_loss(command)), context)


def _take_profit(command: SubmitOrder) -> TakeProfit | None:
    wish = command.take_profit
    if wish is None:
        return None
    return TakeProfit(limit_price=wish.limit_price, client_order_id=wish.client_order_id, from_fill=wish.from_fill)


def _stop_loss(command: SubmitOrder) -> StopLoss | None:
    wish = command.stop_loss
    if wish is None:
        return None
    return StopLoss(
        stop_price=wish.stop_price,
        limit_price=wish.limit_price,
        trail_price=wish.trail_price,
        trail_percent=wish.trail_percent,
        client_order_id=wish.client_order_id,
        from_fill=wish.from_fill,
    )


async def submit_orders(
    batch: Sequence[Submission], *, books: Books, risk: RiskGateway, ids: IdSource, at: datetime
) -> list[OrderView | AlphintraError]:
    """Decide on a batch of orders and store the decisions; the outcomes come in the order of the batch.

    Repetitions are answered with the stored order. Where risk does not answer, nothing is stored for that order.
    No key may stand in a batch twice. Raises STORE_* if the outcome is unknown: repeating the batch is safe.
    """
    outcomes: dict[Key, OrderView | AlphintraError] = {}
    for _attempt in range(ATTEMPTS_MAX):
        waiting = [item for item in batch if item.key not in outcomes]
        if not waiting:
            break
        accounts, stored = await books.known([key for item in waiting for key in item.keys])
        fresh: list[tuple[Submission, Account]] = []
        dated = {item.first.account_id for item in waiting if item.first.expire_at is not None}
        times = await market_times([accounts[each] for each in dated if each in accounts], books=books, at=at)
        for item in waiting:
            account_id = item.first.account_id
            settled = _settled(item, accounts.get(account_id), stored, at=times.get(account_id, at))
            if isinstance(settled, Account):
                fresh.append((item, settled))
            else:
                outcomes[item.key] = settled
        if fresh:
            outcomes |= await _decide(fresh, books=books, risk=risk, ids=ids, at=at)
    conflict = AlphintraError("ORDER_CONFLICT", "the same order is being placed elsewhere", kind=Kind.CONFLICT)
    return [outcomes.get(item.key, conflict) for item in batch]


async def market_times(accounts: Sequence[Account], *, books: Books, at: datetime) -> dict[AccountId, datetime | None]:
    """Return what time it is on the accounts' markets: that of their feed's newest bar, else the wall clock's.

    None for a feed whose market has not begun.
    """
    feeds = {account.feed_id for account in accounts if account.feed_id is not None}
    rows = await books.rows("marks.times", list(feeds)) if feeds else ()
    come: dict[object, datetime] = {row["feed_id"]: row["at"] for row in rows}
    return {account.account_id: come.get(account.feed_id) if account.feed_id else at for account in accounts}


def _settled(
    item: Submission, account: Account | None, stored: dict[Key, Order], *, at: datetime | None
) -> Account | OrderView | AlphintraError:
    """Return what needs no decision: a repetition or a refusal; else the account to decide for."""
    if account is None or not may_see(account, item.context):
        message = f"there is no account {item.first.account_id}"
        return AlphintraError("ACCOUNT_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/account_id")
    known = [stored.get(key) for key in item.keys]
    try:
        require_for_account(item.context.actor, account.account_id, account.mode)
        for order, asked in zip(known, item.orders, strict=True):
            if order is not None:
                require_same_request(order, asked)
        if known[0] is None and at is not None:
            require_unexpired(item.first, at=at)
    except AlphintraError as error:
        return error
    if known[0] is not None:
        return order_view(known[0], tuple(order for order in known[1:] if order is not None))
    if not account.is_active:
        message = "the account is still being set up by risk and broker: try again in a moment"
        return AlphintraError("ACCOUNT_PENDING", message, kind=Kind.UNAVAILABLE, pointer="/account_id")
    return account


async def _decide(
    fresh: Sequence[tuple[Submission, Account]], *, books: Books, risk: RiskGateway, ids: IdSource, at: datetime
) -> dict[Key, OrderView | AlphintraError]:
    """Ask risk about orders not seen before and store its decisions; keys left out were stored elsewhere meanwhile."""
    terms = [[terms_of(order) for order in item.orders] for item, _account in fresh]
    asked = [
        Wanted(each, item.context, item.first.book_id, item.first.strategy_hash)
        for (item, _), of_item in zip(fresh, terms, strict=True)
        for each in of_item
    ]
    fault_point("trading.before_assess")
    assessments = iter(await risk.assess(asked))
    fault_point("trading.assessed")
    outcomes: dict[Key, OrderView | AlphintraError] = {}
    accepted: list[AcceptedOrder] = []
    for (item, account), of_item in zip(fresh, terms, strict=True):
        answers = [next(assessments) for _order in item.orders]
        try:
            decided = await _decided(Decided(item, account, of_item, answers), risk=risk, ids=ids, at=at)
        except AlphintraError as error:
            outcomes[item.key] = error
            continue
        accepted += decided
        outcomes[item.key] = order_view(decided[0].order, tuple(each.order for each in decided[1:]))
    if not accepted:
        return outcomes
    try:
        fault_point("trading.before_commit")
        async with books.single_change() as change:
            await change.accept(accepted, at=at)
    except AlphintraError as error:
        if error.code != "ORDER_TAKEN":
            raise
        stored = {(each.order.account_id, each.order.client_order_id) for each in accepted}
        return {key: outcome for key, outcome in outcomes.items() if key not in stored}
    fault_point("trading.committed")
    return outcomes


@dataclass(frozen=True, slots=True)
class Decided:
    """A request with what risk says on each of its orders."""

    item: Submission
    account: Account
    terms: Sequence[OrderTerms]
    answers: Sequence[Assessment | AlphintraError]


async def _decided(decided: Decided, *, risk: RiskGateway, ids: IdSource, at: datetime) -> list[AcceptedOrder]:
    """Return what is stored for a request: all of its orders, or the first one denied.

    Raises what risk failed with; what it reserved for the other orders of the group is given back before.
    """
    approved = [each for each in decided.answers if not isinstance(each, AlphintraError) and each.approval is not None]
    if len(approved) == len(decided.answers):
        return _taken(decided, approved, ids=ids, at=at)
    await risk.release([OrderId(each.order_id) for each in approved], decided.item.context)
    for answer in decided.answers:
        if isinstance(answer, AlphintraError):
            raise answer
    refusals = [each for each in decided.answers if not isinstance(each, AlphintraError) and each.findings]
    if len(refusals) + len(approved) != len(decided.answers):
        raise AlphintraError("RISK_PROTOCOL", "risk neither refused nor approved", kind=Kind.BUG)
    return [_denied(decided, refusals[0], ids=ids, at=at)]


def _taken(decided: Decided, approved: Sequence[Assessment], *, ids: IdSource, at: datetime) -> list[AcceptedOrder]:
    item, account = decided.item, decided.account
    first = approved[0]
    legs = tuple(
        ApprovedLeg(terms=terms, approval=each.approval)
        for terms, each in zip(decided.terms[1:], approved[1:], strict=True)
        if each.approval is not None
    )
    if first.approval is None or first.findings:
        raise AlphintraError("RISK_PROTOCOL", "risk both refused and approved", kind=Kind.BUG)
    event = OrderSubmitted(
        owner_id=account.owner_id,
        book_id=item.first.book_id,
        terms=decided.terms[0],
        approval=first.approval,
        legs=legs,
    )
    orders = [accept(item.first, account, decision_id=first.decision_id, at=at)]
    for asked, each in zip(item.orders[1:], approved[1:], strict=True):
        orders.append(hold(asked, account, decision_id=each.decision_id, at=at))
    return [
        accepted_order(
            order,
            event if index == 0 else None,
            terms=decided.terms[index],
            limit_version=approved[index].limit_version,
            ids=ids,
            context=item.context,
        )
        for index, order in enumerate(orders)
    ]


def _denied(decided: Decided, refusal: Assessment, *, ids: IdSource, at: datetime) -> AcceptedOrder:
    found: Finding = refusal.findings[0]
    item, account = decided.item, decided.account
    order = deny(item.first, account, decision_id=refusal.decision_id, finding=(found.code, found.detail), at=at)
    event = OrderDenied(
        owner_id=account.owner_id,
        terms=decided.terms[0],
        code=found.code,
        reason=found.detail,
        decision_id=refusal.decision_id,
    )
    return accepted_order(
        order,
        event,
        terms=decided.terms[0],
        limit_version=refusal.limit_version,
        ids=ids,
        context=item.context,
    )


_BEGINS = {
    OrderStatus.PENDING_NEW: OrderEventKind.SUBMITTED,
    OrderStatus.HELD: OrderEventKind.HELD,
    OrderStatus.DENIED: OrderEventKind.DENIED,
}


def accepted_order(
    order: Order,
    event: Event | None,
    *,
    terms: OrderTerms,
    limit_version: int,
    ids: IdSource,
    context: Context,
) -> AcceptedOrder:
    """Return a decided order with its first event, the event to tell and the audit row."""
    told = None
    if event is not None:
        event_id = ids.new()
        payload = encode_event(
            event, event_id=event_id, aggregate_id=order.order_id, context=context, at=order.created_at
        )
        told = ToldEvent(
            event_id=event_id, subject=subject_of(type(event)), aggregate_id=order.order_id, payload=payload
        )
    detail = {
        "terms": terms,
        "owner_id": order.owner_id,
        "book_id": order.book_id,
        "strategy_hash": order.strategy_hash,
        "decision_id": order.decision_id,
        "carried_qty": order.carried_qty,
        "code": order.reason_code,
        "reason": order.reason,
        "limit_version": limit_version,
    }
    return AcceptedOrder(
        order=order,
        kind=_BEGINS[order.status],
        detail=_encode(detail).decode(),
        told=told,
        audit_id=ids.new(),
        actor=context.actor.id,
        trace_id=context.trace_id,
    )
