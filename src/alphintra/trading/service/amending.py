"""The use case of putting a new order in the place of a working one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from alphintra.contracts.orders import OrderView
from alphintra.contracts.trading import OrderDenied, OrderSubmitted, ReplaceOrder
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import OrderId
from alphintra.trading.domain.orders import (
    NewOrder,
    Order,
    OrderEvent,
    OrderEventKind,
    accept,
    deny,
    order_id_of,
    require_same_request,
)
from alphintra.trading.domain.replacing import Amendment, require_replaceable, successor
from alphintra.trading.domain.states import advance
from alphintra.trading.domain.validation import require_client_order_id, require_unexpired
from alphintra.trading.service.accounts import may_see, require_for_order
from alphintra.trading.service.reports import event_detail, tell_state
from alphintra.trading.service.submission import accepted_order
from alphintra.trading.service.views import order_view, terms_of

if TYPE_CHECKING:
    from alphintra.contracts.approval import Approval
    from alphintra.contracts.risk import Assessment
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.domain.accounts import Account
    from alphintra.trading.gateways import RiskGateway
    from alphintra.trading.repository.books import Books

__all__ = ["replace_order"]


@dataclass(frozen=True, slots=True)
class _Case:
    """A replacement that is under way."""

    old: Order
    asked: NewOrder
    account: Account
    context: Context
    at: datetime


async def replace_order(
    command: ReplaceOrder, context: Context, *, books: Books, risk: RiskGateway, ids: IdSource, at: datetime
) -> OrderView:
    """Have risk judge the new order like any other, then ask the venue to swap; answers the new order.

    What risk refuses is stored as denied and the old order goes on untouched. Raises ORDER_NOT_FOUND, ORDER_TERMINAL,
    ORDER_PENDING, AMEND_BELOW_FILLED, AMEND_NOTHING, ORDER_ID_REUSED, and the errors of any order.
    """
    require_client_order_id(command.client_order_id)
    old = await books.order(OrderId(command.order_id))
    if old is None or not may_see(old, context):
        raise AlphintraError("ORDER_NOT_FOUND", f"there is no order {command.order_id}", kind=Kind.NOT_FOUND)
    await require_for_order(old, context, books=books)
    asked = successor(old, _amendment(command))
    accounts, known = await books.known([(old.account_id, command.client_order_id)])
    for stored in known.values():
        require_same_request(stored, asked)
        return order_view(stored)
    require_replaceable(old, asked)
    require_unexpired(asked, at=at)
    case = _Case(old, asked, accounts[old.account_id], context, at)
    fault_point("trading.before_assess")
    (answer,) = await risk.assess([(terms_of(asked), context)])
    fault_point("trading.assessed")
    if isinstance(answer, AlphintraError):
        raise answer
    if answer.findings:
        return await _refuse(case, answer, books=books, ids=ids)
    if answer.approval is None:
        raise AlphintraError("RISK_PROTOCOL", "risk neither refused nor approved", kind=Kind.BUG)
    try:
        return await _request(case, answer, answer.approval, books=books, ids=ids)
    except AlphintraError as error:
        if error.code == "ORDER_TAKEN":
            message = "the same order is being placed elsewhere"
            raise AlphintraError("ORDER_CONFLICT", message, kind=Kind.CONFLICT) from error
        if error.kind in {Kind.CONFLICT, Kind.INVALID}:
            # The old order changed while risk was asked: what was reserved for the new one is not needed.
            await risk.release([order_id_of(asked.account_id, asked.client_order_id)], context)
        raise


async def _request(case: _Case, answer: Assessment, approval: Approval, *, books: Books, ids: IdSource) -> OrderView:
    """Store the new order and that the old one is to give way to it, with one commit."""
    asked, context, at = case.asked, case.context, case.at
    async with books.transaction() as tx:
        old = await tx.lock_order(case.old.order_id)
        if old is None:
            raise AlphintraError("ORDER_NOT_FOUND", f"there is no order {case.old.order_id}", kind=Kind.NOT_FOUND)
        require_replaceable(old, asked)
        carried = old.carried_qty + old.filled_qty
        new = accept(asked, case.account, decision_id=answer.decision_id, at=at, carried_qty=carried)
        wish = OrderEvent(kind=OrderEventKind.REPLACE_REQUESTED, at=at, other_order_id=new.order_id)
        moved = advance(old, wish)
        if moved is None:
            raise AlphintraError("ORDER_PENDING", f"order {old.order_id} is {old.status}", kind=Kind.CONFLICT)
        event = OrderSubmitted(owner_id=old.owner_id, book_id=old.book_id, terms=terms_of(new), approval=approval)
        await tx.save_order(moved, wish, detail=event_detail(wish))
        await tell_state(tx, moved, context, ids=ids, at=at)
        accepted = accepted_order(
            new, event, terms=event.terms, limit_version=answer.limit_version, ids=ids, context=context
        )
        await tx.accept([accepted], at=at)
        fault_point("trading.before_commit")
    fault_point("trading.committed")
    return order_view(new)


async def _refuse(case: _Case, answer: Assessment, *, books: Books, ids: IdSource) -> OrderView:
    first = answer.findings[0]
    finding = (first.code, first.detail)
    order = deny(case.asked, case.account, decision_id=answer.decision_id, finding=finding, at=case.at)
    event = OrderDenied(
        owner_id=order.owner_id,
        terms=terms_of(order),
        code=first.code,
        reason=first.detail,
        decision_id=answer.decision_id,
    )
    accepted = accepted_order(
        order, event, terms=event.terms, limit_version=answer.limit_version, ids=ids, context=case.context
    )
    async with books.transaction() as tx:
        await tx.accept([accepted], at=case.at)
    return order_view(order)


def _amendment(command: ReplaceOrder) -> Amendment:
    return Amendment(
        client_order_id=command.client_order_id,
        qty=command.qty,
        limit_price=command.limit_price,
        stop_price=command.stop_price,
        trail_price=command.trail_price,
        trail_percent=command.trail_percent,
        time_in_force=command.time_in_force,
        expire_at=command.expire_at,
    )
