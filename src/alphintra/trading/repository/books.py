"""The whole repository: reads of the books, and the door to change them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from alphintra.trading.repository.accounts import AccountChanges, AccountReads
from alphintra.trading.repository.booking import BookingChanges, BookingReads
from alphintra.trading.repository.orders import OrderChanges, OrderReads
from alphintra.trading.repository.unclaimed import UnclaimedChanges, UnclaimedReads

__all__ = ["Books", "BooksTransaction"]


class BooksTransaction(AccountChanges, OrderChanges, BookingChanges, UnclaimedChanges):
    """Changes to the books inside one transaction."""


class Books(AccountReads, OrderReads, BookingReads, UnclaimedReads):
    """Reads of the books, and the door to change them."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[BooksTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield BooksTransaction(session)

    @asynccontextmanager
    async def single_change(self) -> AsyncIterator[BooksTransaction]:
        """Open the door for a change of one statement, which commits by itself: two round trips less."""
        async with self._database.session() as session:
            yield BooksTransaction(session)
