"""The venue that replayed bars drive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from alphintra.broker.domain.market import paper_order_id

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.broker.domain.connections import Connection
    from alphintra.broker.domain.orders import Order
    from alphintra.kernel.ids import FeedId, OrderId

__all__ = ["PaperBook", "PaperVenue"]


class PaperBook(Protocol):
    """What the paper venue keeps, in the transaction in which broker records its answer."""

    async def accept(self, order_id: OrderId, feed_id: FeedId, *, venue_order_id: str, at: datetime) -> None:
        """Let an order work from the next step of its feed on."""
        ...

    async def withdraw(self, order_id: OrderId, *, at: datetime) -> bool:
        """Close a working order; False if it was closed before."""
        ...


class PaperVenue:
    """The venue that replayed bars drive. It lives in broker's own database and can reach no other venue.

    Intent, acceptance and acknowledgement therefore commit together; a venue elsewhere needs the intent committed
    before it is called, and asked for the order by its id after a crash in between.
    """

    def __init__(self, book: PaperBook) -> None:
        self._book = book

    async def place(self, order: Order, connection: Connection, *, at: datetime) -> str:
        """Work an order from the next step of the connection's feed on."""
        venue_order_id = paper_order_id(order.order_id)
        await self._book.accept(order.order_id, connection.feed_id, venue_order_id=venue_order_id, at=at)
        return venue_order_id

    async def cancel(self, order_id: OrderId, *, at: datetime) -> bool:
        """Take a working order off; a step that may be filling it right now is waited for."""
        return await self._book.withdraw(order_id, at=at)
