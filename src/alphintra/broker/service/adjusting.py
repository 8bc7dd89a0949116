"""What trading books beside executions changes what the paper venue takes an account to hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.broker.service.inbox import CONSUMER
from alphintra.infrastructure.events import receive_once

if TYPE_CHECKING:
    from alphintra.broker.repository.records import Records
    from alphintra.contracts.trading import CashBooked, SplitApplied
    from alphintra.infrastructure.events import Delivery

__all__ = ["note_cash", "note_split"]

_RESET = "reset"


async def note_cash(delivery: Delivery[CashBooked], *, records: Records) -> None:
    """Hold nothing any more for an account that was set back; other money is none of the paper venue's business."""
    event = delivery.event
    async with records.transaction() as tx:
        if await receive_once(tx.session, CONSUMER, delivery) and event.kind == _RESET:
            await tx.session.execute("positions.clear", event.account_id)


async def note_split(delivery: Delivery[SplitApplied], *, records: Records) -> None:
    """Count in new shares from now on, so that an order which may only reduce still closes all of a position."""
    event = delivery.event
    async with records.transaction() as tx:
        if await receive_once(tx.session, CONSUMER, delivery):
            await tx.session.execute("positions.split", event.account_id, event.symbol, event.account_change)
