"""The way to those who judge and value by prices: risk and trading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.contracts.assessments import MarkPrice
from alphintra.contracts.books import PriceMark
from alphintra.contracts.risk import MarkPrices
from alphintra.contracts.trading import MarkPortfolios

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.broker.domain.prices import Quote
    from alphintra.infrastructure.bus import Bus
    from alphintra.kernel.ids import AccountId
    from alphintra.kernel.messages import Context

__all__ = ["Marks"]


class Marks:
    """Tells risk and trading what a venue's prices are; the feed they are told under has the id of the account."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def tell_risk(self, account_id: AccountId, seq: int, quotes: Sequence[Quote], context: Context) -> None:
        """Tell risk prices of about the same moment; they count as of the oldest of them."""
        command = MarkPrices(
            feed_id=account_id,
            seq=seq,
            at=min(quote.at for quote in quotes),
            prices=tuple(MarkPrice(symbol=q.symbol, price=q.price, bid=q.bid, ask=q.ask) for q in quotes),
        )
        await self._bus.ask(command, context)

    async def tell_trading(self, account_id: AccountId, seq: int, quotes: Sequence[Quote], context: Context) -> None:
        """Tell trading prices, by which it keeps what the account is worth."""
        command = MarkPortfolios(
            feed_id=account_id,
            seq=seq,
            at=max(quote.at for quote in quotes),
            prices=tuple(PriceMark(symbol=quote.symbol, price=quote.price) for quote in quotes),
        )
        await self._bus.ask(command, context)
