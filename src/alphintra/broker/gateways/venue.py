"""What every venue can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.broker.domain.connections import Connection
    from alphintra.broker.domain.orders import Order
    from alphintra.kernel.ids import OrderId

__all__ = ["Venue"]


class Venue(Protocol):
    """A place where orders work. Placing is safe to repeat: a venue knows an order by its id."""

    async def place(self, order: Order, connection: Connection, *, at: datetime) -> str:
        """Have the venue work an order; returns the venue's own id of it."""
        ...

    async def cancel(self, order_id: OrderId, *, at: datetime) -> bool:
        """Take an order off the venue; False if it was closed before."""
        ...
