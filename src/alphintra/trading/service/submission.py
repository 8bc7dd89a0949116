"""Submission of orders: a batch is looked up, assessed by risk and stored with one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from alphintra.contracts.trading import OrderDenied, OrderSubmitted, OrderView, SubmitOrder
from alphintra.infrastructure.events import encode_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, BookId
from alphintra.kernel.messages import Event, subject_of
from alphintra.kernel.vocabulary import OrderClass, OrderType, TimeInForce
from alphintra.trading.domain.accounts import Account
from alphintra.trading.domain.orders import (
    NewOrder,
    Order,
    OrderEventKind,
    accept,
    deny,
    order_id_of,
    require_same_request,
    validate,
)
from alphintra.trading.repository.orders import AcceptedOrder
from alphintra.trading.service.accounts import may_see
from alphintra.trading.service.views import order_view, terms_of

if TYPE_CHECKING:
    from alphintra.contracts.risk import Assessment
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.gateways import RiskGateway
    from alphintra.trading.repository.books import Books

__all__ = ["Submission", "read_order", "submit_orders"]

ATTEMPTS_MAX = 3
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


@dataclass(frozen=True, slots=True)
class Submission:
    """One order asked for, and by whom."""

    asked: NewOrder
    context: Context

    @property
    def key(self) -> tuple[AccountId, str]:
        """What makes a repetition recognisable."""
        return self.asked.account_id, self.asked.client_order_id


def read_order(command: SubmitOrder, context: Context) -> Submission:
    """Check what was asked for before it takes a place in the queue. Raises ORDER_*, QTY_* and NUMBER_*."""
    if command.qty is None or _is_not_taken_yet(command):
        message = "so far orders are simple, market or limit, day or gtc, and for a quantity"
        raise AlphintraError("ORDER_UNSUPPORTED", message, pointer="/type")
    asked = NewOrder(
        account_id=AccountId(command.account_id),
        client_order_id=command.client_order_id,
        symbol=command.symbol,
        side=command.side,
        type=command.type,
        time_in_force=command.time_in_force,
        qty=command.qty,
        limit_price=command.limit_price,
        book_id=None if command.book_id is None else BookId(command.book_id),
    )
    validate(asked)
    return Submission(asked, context)


def _is_not_taken_yet(command: SubmitOrder) -> bool:
    return (
        command.type not in {OrderType.MARKET, OrderType.LIMIT}
        or command.time_in_force not in {TimeInForce.DAY, TimeInForce.GTC}
        or command.order_class is not OrderClass.SIMPLE
        or command.extended_hours
        or command.reduce_only
    )


async def submit_orders(
    batch: Sequence[Submission], *, books: Books, risk: RiskGateway, ids: IdSource, at: datetime
) -> list[OrderView | AlphintraError]:
    """Decide on a batch of orders and store the decisions; the outcomes come in the order of the batch.

    Repetitions are answered with the stored order. Where risk does not answer, nothing is stored for that order.
    No key may stand in a batch twice. Raises STORE_* if the outcome is unknown: repeating the batch is safe.
    """
    outcomes: dict[tuple[AccountId, str], OrderView | AlphintraError] = {}
    for _attempt in range(ATTEMPTS_MAX):
        waiting = [item for item in batch if item.key not in outcomes]
        if not waiting:
            break
        accounts, stored = await books.known([item.key for item in waiting])
        fresh: list[tuple[Submission, Account]] = []
        for item in waiting:
            settled = _settled(item, accounts.get(item.asked.account_id), stored.get(item.key))
            if isinstance(settled, Account):
                fresh.append((item, settled))
            else:
                outcomes[item.key] = settled
        if fresh:
            outcomes |= await _decide(fresh, books=books, risk=risk, ids=ids, at=at)
    conflict = AlphintraError("ORDER_CONFLICT", "the same order is being placed elsewhere", kind=Kind.CONFLICT)
    return [outcomes.get(item.key, conflict) for item in batch]


def _settled(item: Submission, account: Account | None, stored: Order | None) -> Account | OrderView | AlphintraError:
    """Return what needs no decision: a repetition or a refusal; else the account to decide for."""
    if account is None or not may_see(account, item.context):
        message = f"there is no account {item.asked.account_id}"
        return AlphintraError("ACCOUNT_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/account_id")
    if stored is not None:
        try:
            require_same_request(stored, item.asked)
        except AlphintraError as error:
            return error
        return order_view(stored)
    if not account.is_active:
        message = "the account is still being set up by risk and broker: try again in a moment"
        return AlphintraError("ACCOUNT_PENDING", message, kind=Kind.UNAVAILABLE, pointer="/account_id")
    return account


async def _decide(
    fresh: Sequence[tuple[Submission, Account]], *, books: Books, risk: RiskGateway, ids: IdSource, at: datetime
) -> dict[tuple[AccountId, str], OrderView | AlphintraError]:
    """Ask risk about orders not seen before and store its decisions; keys left out were stored elsewhere meanwhile."""
    asked = [(terms_of(_preview(item, account, at=at)), item.context) for item, account in fresh]
    fault_point("trading.before_assess")
    assessments = await risk.assess(asked)
    fault_point("trading.assessed")
    outcomes: dict[tuple[AccountId, str], OrderView | AlphintraError] = {}
    accepted: list[AcceptedOrder] = []
    for (item, account), assessment in zip(fresh, assessments, strict=True):
        if isinstance(assessment, AlphintraError):
            outcomes[item.key] = assessment
            continue
        try:
            decided = _decided(item, account, assessment, ids=ids, at=at)
        except AlphintraError as error:
            outcomes[item.key] = error
            continue
        accepted.append(decided)
        outcomes[item.key] = order_view(decided.order)
    if not accepted:
        return outcomes
    try:
        fault_point("trading.before_commit")
        async with books.single_change() as change:
            await change.accept(accepted, at=at)
    except AlphintraError as error:
        if error.code != "ORDER_TAKEN":
            raise
        stored = {(item.order.account_id, item.order.client_order_id) for item in accepted}
        return {key: outcome for key, outcome in outcomes.items() if key not in stored}
    fault_point("trading.committed")
    return outcomes


def _preview(item: Submission, account: Account, *, at: datetime) -> Order:
    order_id = order_id_of(item.asked.account_id, item.asked.client_order_id)
    return accept(item.asked, account, decision_id=order_id, at=at)


def _decided(
    item: Submission, account: Account, assessment: Assessment, *, ids: IdSource, at: datetime
) -> AcceptedOrder:
    order, event = _order_and_event(item, account, assessment, at=at)
    event_id = ids.new()
    payload = encode_event(event, event_id=event_id, aggregate_id=order.order_id, context=item.context, at=at)
    detail = _encode(
        {"terms": terms_of(order), "code": order.reason_code, "limit_version": assessment.limit_version}
    ).decode()
    return AcceptedOrder(
        order=order,
        kind=OrderEventKind.DENIED if assessment.findings else OrderEventKind.SUBMITTED,
        detail=detail,
        event_id=event_id,
        subject=subject_of(type(event)),
        payload=payload,
        audit_id=ids.new(),
        actor=item.context.actor.id,
        trace_id=item.context.trace_id,
    )


def _order_and_event(
    item: Submission, account: Account, assessment: Assessment, *, at: datetime
) -> tuple[Order, Event]:
    if assessment.findings:
        first = assessment.findings[0]
        finding = (first.code, first.detail)
        order = deny(item.asked, account, decision_id=assessment.decision_id, finding=finding, at=at)
        return order, OrderDenied(
            owner_id=account.owner_id,
            terms=terms_of(order),
            code=first.code,
            reason=first.detail,
            decision_id=assessment.decision_id,
        )
    if assessment.approval is None:
        raise AlphintraError("RISK_PROTOCOL", "risk neither refused nor approved", kind=Kind.BUG)
    order = accept(item.asked, account, decision_id=assessment.decision_id, at=at)
    return order, OrderSubmitted(
        owner_id=account.owner_id, book_id=order.book_id, terms=terms_of(order), approval=assessment.approval
    )
