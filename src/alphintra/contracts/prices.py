"""The newest prices trading values accounts by."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.kernel.messages import Command, Utc, View

__all__ = ["ListPrices", "PriceView", "PricesView"]


class PriceView(View, frozen=True):
    """The newest price of a symbol on one feed: of which step, and the moment it is of, by the feed's own time."""

    feed_id: UUID
    symbol: str
    price: Decimal
    seq: int
    marked_at: Utc


class PricesView(View, frozen=True):
    """Newest prices, by feed and symbol; a symbol no feed has a price of is left out."""

    prices: tuple[PriceView, ...]


class ListPrices(Command[PricesView], tag="trading.list_prices.v1", frozen=True):
    """List the newest prices of some symbols on the feeds of the acting user's accounts."""

    symbols: tuple[str, ...]
