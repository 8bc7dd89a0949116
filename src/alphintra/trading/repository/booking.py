"""Executions, positions, cash and the ledger: rows to values and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.engine.portfolio import FLAT, Position
from alphintra.trading.domain.accounts import Account
from alphintra.trading.domain.booking import UNASSIGNED_BOOK, Execution, LedgerLine
from alphintra.trading.domain.orders import Order
from alphintra.trading.repository.sessions import Changes, Reads

if TYPE_CHECKING:
    from decimal import Decimal

    from alphintra.infrastructure.postgres import Record
    from alphintra.kernel.ids import AccountId, BookId, OrderId

__all__ = ["BookingChanges", "BookingReads"]

_EXECUTION_FIELDS = tuple(field.name for field in fields(Execution))


class BookingChanges(Changes):
    """Changes of executions, positions, cash and the ledger inside one transaction."""

    async def booked(self, account_id: AccountId, execution_id: str) -> tuple[OrderId, Execution] | None:
        """Read what is booked under an execution id: the order it filled, and the execution."""
        row = await self.session.row("executions.known", account_id, execution_id)
        if row is None:
            return None
        values = {name: row[name] for name in _EXECUTION_FIELDS}
        return row["order_id"], Execution(**values)

    async def add_execution(
        self, order: Order, execution: Execution, *, realized: Decimal, transaction_id: UUID, at: datetime
    ) -> None:
        """Store an execution. The caller has checked that it is not booked."""
        await self.session.execute(
            "executions.insert",
            order.account_id,
            execution.execution_id,
            order.order_id,
            order.book_id,
            order.symbol,
            order.side,
            execution.qty,
            execution.price,
            execution.fee,
            realized,
            execution.executed_at,
            at,
            transaction_id,
        )

    async def lock_position(self, order: Order) -> Position:
        """Read the position an order changes and hold it; flat if there is none yet."""
        row = await self.session.row("positions.lock", order.account_id, _book(order.book_id), order.symbol)
        return FLAT if row is None else Position(row["qty"], row["cost"], row["realized"])

    async def save_position(self, order: Order, position: Position, *, fee: Decimal, at: datetime) -> Decimal:
        """Store a position; return the account's net quantity of the symbol over all its books."""
        await self.session.execute(
            "positions.put",
            order.account_id,
            _book(order.book_id),
            order.symbol,
            position.qty,
            position.cost,
            position.realized,
            fee,
            at,
        )
        net: Decimal = await self.session.value("positions.account_qty", order.account_id, order.symbol)
        return net

    async def book_cash(self, account_id: AccountId, *, change: Decimal, realized: Decimal, fee: Decimal) -> Decimal:
        """Change an account's cash, profit and fees in place; return the new cash."""
        cash: Decimal = await self.session.value("accounts.book", account_id, change, realized, fee)
        return cash

    async def add_lines(
        self, account: Account, lines: Sequence[LedgerLine], *, transaction_id: UUID, at: datetime
    ) -> None:
        """Store the balanced lines of one transaction. The database refuses lines that do not balance."""
        await self.session.execute(
            "ledger.insert",
            transaction_id,
            account.account_id,
            [line.ledger_account for line in lines],
            [line.amount for line in lines],
            account.currency,
            at,
        )


class BookingReads(Reads):
    """Reads of executions, positions and the ledger."""

    async def executions(
        self, account_id: AccountId, *, book_id: BookId | None, execution_ids: Sequence[str] | None, limit: int
    ) -> Sequence[Record]:
        """Read an account's executions, oldest first."""
        async with self._database.session() as session:
            return await session.rows("executions.list", account_id, book_id, execution_ids, limit)

    async def positions(self, account_id: AccountId) -> Sequence[Record]:
        """Read an account's positions, by symbol."""
        async with self._database.session() as session:
            return await session.rows("positions.list", account_id)

    async def ledger(self, account_id: AccountId, *, limit: int) -> tuple[Sequence[Record], Decimal]:
        """Read an account's ledger entries, oldest first, and the sum over all of them."""
        async with self._database.session() as session:
            rows = await session.rows("ledger.list", account_id, limit)
            return rows, await session.value("ledger.total", account_id)


def _book(book_id: BookId | None) -> BookId:
    return UNASSIGNED_BOOK if book_id is None else book_id
