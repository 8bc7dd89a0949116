"""Ways out of trading: risk, which must answer before an order is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.risk import AssessOrder, ReleaseOrder
from alphintra.kernel.ids import BookId
from alphintra.kernel.messages import Context

if TYPE_CHECKING:
    from alphintra.contracts.risk import Assessment
    from alphintra.infrastructure.bus import Bus, Outcome
    from alphintra.kernel.ids import OrderId

__all__ = ["RiskGateway", "Wanted"]

RISK_TIMEOUT_S = 3.0


class Wanted(NamedTuple):
    """An order risk is to judge, who asks for it, and the strategy it is for."""

    terms: OrderTerms
    context: Context
    book_id: BookId | None
    strategy_hash: str


class RiskGateway:
    """Asks risk about whole batches of orders."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def assess(self, orders: Sequence[Wanted]) -> Sequence[Outcome[Assessment]]:
        """Return risk's decision on each order, or why there is none. Raises RISK_UNAVAILABLE if risk is silent."""
        requests = [
            (AssessOrder(terms=each.terms, book_id=each.book_id, strategy_hash=each.strategy_hash), each.context)
            for each in orders
        ]
        return await self._bus.ask_many(requests, timeout_s=RISK_TIMEOUT_S)

    async def release(self, order_ids: Sequence[OrderId], context: Context) -> None:
        """Give back the reservations of orders that are not placed after all. Raises RISK_UNAVAILABLE."""
        if order_ids:
            requests = [(ReleaseOrder(order_id=order_id), context) for order_id in order_ids]
            await self._bus.ask_many(requests, timeout_s=RISK_TIMEOUT_S)
