"""Prices that broker asks for at the venues of live accounts."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.kernel.messages import Command, Event, Utc, View

__all__ = ["ListWatchedPrices", "PricesStalled", "WatchPrices", "WatchedPriceView", "WatchedPricesView"]


class WatchedPriceView(View, frozen=True):
    """A symbol whose price a connection asks for; nothing of it before the first, ``priced_at`` as the venue dates it.

    ``is_stalled`` says that its prices stopped coming while its market is open.
    """

    symbol: str
    price: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    priced_at: Utc | None
    is_stalled: bool


class WatchedPricesView(View, frozen=True):
    """The prices a connection asks for, by symbol."""

    account_id: UUID
    prices: tuple[WatchedPriceView, ...]


class WatchPrices(Command[WatchedPricesView], tag="broker.watch_prices.v1", frozen=True):
    """Say which prices a connection asks for at its venue, in place of what was said before.

    Symbols in which the account has open orders or a position go on until it has none.
    """

    account_id: UUID
    symbols: tuple[str, ...]


class ListWatchedPrices(Command[WatchedPricesView], tag="broker.list_watched_prices.v1", frozen=True):
    """List the prices a connection asks for, with the newest of each."""

    account_id: UUID


class PricesStalled(Event, tag="broker.prices_stalled.v1", frozen=True):
    """A symbol's prices stopped coming from the account's venue while its market is open, or come again."""

    account_id: UUID
    symbol: str
    is_stalled: bool
    priced_at: Utc | None
