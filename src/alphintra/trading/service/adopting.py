"""The use case of taking in an order that was not placed here, so that its execution can be booked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alphintra.contracts.approval import OrderTerms
from alphintra.infrastructure.events import Delivery, receive_once
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId
from alphintra.kernel.vocabulary import OrderStatus, OrderType, TimeInForce
from alphintra.trading.domain.orders import NewOrder, begin
from alphintra.trading.service.submission import accepted_order

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.contracts.broker import ExternalOrderAdopted
    from alphintra.kernel.ids import IdSource
    from alphintra.trading.repository.books import Books

__all__ = ["EXTERNAL_ADOPTED", "adopt_order"]

_CONSUMER = "trading"
EXTERNAL_ADOPTED = "EXTERNAL_ADOPTED"


async def adopt_order(delivery: Delivery[ExternalOrderAdopted], *, books: Books, ids: IdSource, at: datetime) -> None:
    """Store an order that a person adopted, tagged as external and without a decision of risk; once.

    Raises ACCOUNT_NOT_FOUND, so that the event comes again, until the account is known.
    """
    event = delivery.event
    account_id = AccountId(event.account_id)
    async with books.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        account = (await tx.lock_accounts([account_id])).get(account_id)
        if account is None:
            raise AlphintraError("ACCOUNT_NOT_FOUND", f"account {account_id} is not known yet", kind=Kind.NOT_FOUND)
        asked = NewOrder(
            account_id=account_id,
            client_order_id=event.client_order_id,
            symbol=event.symbol,
            side=event.side,
            type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
            qty=event.qty,
        )
        order = begin(asked, OrderStatus.PENDING_NEW, owner_id=account.owner_id, decision_id=None, at=at)
        why = f"executed elsewhere, taken over by {event.adopted_by}: {event.reason}"
        terms = OrderTerms(
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            account_id=order.account_id,
            symbol=order.symbol,
            side=order.side,
            type=order.type,
            time_in_force=order.time_in_force,
            qty=order.qty,
        )
        order = replace(order, reason_code=EXTERNAL_ADOPTED, reason=why)
        taken = accepted_order(order, None, terms=terms, limit_version=0, ids=ids, context=delivery.context)
        await tx.accept([taken], at=at)
