"""Prices of live accounts: rows to values and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from alphintra.broker.domain.prices import Watched

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.broker.domain.prices import Quote, Stall
    from alphintra.infrastructure.postgres import Session
    from alphintra.kernel.ids import AccountId

__all__ = ["PriceRows"]


class PriceRows:
    """The symbols whose prices a connection asks for, with the newest of each."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def want(self, account_id: AccountId, symbols: Sequence[str], *, at: datetime) -> None:
        """Ask for the prices of these symbols, and of others only as long as the account has something in them."""
        await self._session.execute("live_prices.unwant", account_id, list(symbols))
        await self._session.execute("live_prices.want", account_id, list(symbols), at)

    async def wanted(self, account_id: AccountId) -> tuple[Watched, ...]:
        """Read the symbols that were asked for, in order."""
        return tuple(Watched(**row) for row in await self._session.rows("live_prices.wanted", account_id))

    async def watched(self, account_id: AccountId) -> tuple[Watched, ...]:
        """Read the symbols that were asked for or that the account has orders or a position in, in order."""
        return tuple(Watched(**row) for row in await self._session.rows("live_prices.watched", account_id))

    async def store(self, account_id: AccountId, quotes: Sequence[Quote]) -> None:
        """Keep newer prices."""
        await self._session.execute(
            "live_prices.store",
            account_id,
            [quote.symbol for quote in quotes],
            [quote.price for quote in quotes],
            [quote.bid for quote in quotes],
            [quote.ask for quote in quotes],
            [quote.at for quote in quotes],
        )

    async def turn(self, account_id: AccountId, stall: Stall) -> bool:
        """Note that a symbol's prices stopped coming or come again; False if that was known."""
        turned = await self._session.value("live_prices.turn", account_id, stall.symbol, stall.is_stalled)
        return turned is not None
