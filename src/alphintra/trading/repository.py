"""Accounts, orders, executions and the ledger in the trading database: rows to values and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from alphintra.engine.portfolio import FLAT, Position
from alphintra.infrastructure.postgres import ConstraintError
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import AccountMode, OrderStatus, OrderType, Side, TimeInForce
from alphintra.trading.domain import UNASSIGNED_BOOK, Account, Execution, LedgerLine, Order, OrderEvent

if TYPE_CHECKING:
    from decimal import Decimal

    from alphintra.infrastructure.postgres import Database, Record, Session
    from alphintra.kernel.ids import AccountId, BookId, OrderId, UserId

__all__ = ["AcceptedOrder", "Books", "BooksTransaction"]

_ORDER_FIELDS = tuple(field.name for field in fields(Order))
_EXECUTION_FIELDS = tuple(field.name for field in fields(Execution))


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedOrder:
    """A decided order with what is stored beside it."""

    order: Order
    kind: str
    detail: str
    event_id: UUID
    subject: str
    payload: str
    audit_id: UUID
    actor: str
    trace_id: str


class BooksTransaction:
    """Changes to the books inside one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def add_account(self, account: Account) -> None:
        """Store a new account. Raises ACCOUNT_NAME_TAKEN for a name its owner uses already."""
        with _conflicts("accounts_owner_name_key", as_code="ACCOUNT_NAME_TAKEN", pointer="/name"):
            await self.session.execute(
                "accounts.insert",
                account.account_id,
                account.owner_id,
                account.name,
                account.mode,
                account.currency,
                account.feed_id,
                account.starting_cash,
                account.cash,
                account.created_at,
            )

    async def mark_risk_ready(self, account_id: AccountId) -> None:
        """Remember that risk has set limits for the account."""
        await self.session.execute("accounts.risk_ready", account_id)

    async def mark_venue_ready(self, account_id: AccountId) -> None:
        """Remember that broker has opened the account's connection."""
        await self.session.execute("accounts.venue_ready", account_id)

    async def get_account(self, account_id: AccountId) -> Account | None:
        """Read an account."""
        row = await self.session.row("accounts.get", account_id)
        return None if row is None else _account(row)

    async def lock_account(self, account_id: AccountId) -> Account | None:
        """Read an account and hold it until the transaction ends."""
        row = await self.session.row("accounts.lock", account_id)
        return None if row is None else _account(row)

    async def accept(self, batch: Sequence[AcceptedOrder], *, at: datetime) -> None:
        """Store decided orders, their first events, the events to publish and the audit rows in one statement.

        Raises ORDER_TAKEN if one of them was stored meanwhile; then none of the batch is.
        """
        orders = [item.order for item in batch]
        with _conflicts("orders_account_client_order_id_key", "orders_pkey", as_code="ORDER_TAKEN"):
            await self.session.execute(
                "orders.accept_batch",
                [order.order_id for order in orders],
                [order.client_order_id for order in orders],
                [order.account_id for order in orders],
                [order.owner_id for order in orders],
                [order.book_id for order in orders],
                [order.symbol for order in orders],
                [order.side for order in orders],
                [order.type for order in orders],
                [order.time_in_force for order in orders],
                [order.qty for order in orders],
                [order.limit_price for order in orders],
                [order.status for order in orders],
                [order.reason_code for order in orders],
                [order.reason for order in orders],
                [order.decision_id for order in orders],
                at,
                [item.kind for item in batch],
                [item.detail for item in batch],
                [item.event_id for item in batch],
                [item.subject for item in batch],
                [item.payload for item in batch],
                [item.audit_id for item in batch],
                [item.actor for item in batch],
                [f"order:{order.order_id}" for order in orders],
                [item.trace_id for item in batch],
            )
        self.session.is_wake_due = True

    async def lock_order(self, order_id: OrderId) -> Order | None:
        """Read an order and hold it until the transaction ends."""
        row = await self.session.row("orders.lock", order_id)
        return None if row is None else _order(row)

    async def lock_working_orders(self, account_id: AccountId | None) -> tuple[Order, ...]:
        """Read an account's working orders, everybody's for None, and hold them until the transaction ends."""
        return tuple(_order(row) for row in await self.session.rows("orders.lock_working", account_id))

    async def save_order(self, order: Order, event: OrderEvent, *, detail: str) -> None:
        """Store an order's new state and the event that led to it. The caller holds the order."""
        if await self.session.execute("orders.update", *_state(order)) != 1:
            message = f"order {order.order_id} is not at version {order.version - 1}"
            raise RuntimeError(message)
        await self.session.execute("orders.event", *_happened(order, event, detail))

    async def save_orders(self, orders: Sequence[Order], event: OrderEvent, *, detail: str) -> None:
        """Store the new states of orders the caller holds, and the event that led to all of them."""
        await self.session.execute_many("orders.update", [_state(order) for order in orders])
        await self.session.execute_many("orders.event", [_happened(order, event, detail) for order in orders])

    async def add_audit_rows(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Record many actions at once; the parts of a row are those of ``append_audit``, in the statement's order."""
        await self.session.execute_many("audit.append", rows)

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


class Books:
    """Reads of the books, and the door to change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[BooksTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield BooksTransaction(session)

    async def account(self, account_id: AccountId) -> Account | None:
        """Read an account."""
        async with self._database.session() as session:
            return await BooksTransaction(session).get_account(account_id)

    async def accounts_of(self, owner_id: UserId) -> tuple[Account, ...]:
        """Read a person's accounts, oldest first."""
        async with self._database.session() as session:
            return tuple(_account(row) for row in await session.rows("accounts.of_owner", owner_id))

    async def known(
        self, keys: Sequence[tuple[AccountId, str]]
    ) -> tuple[dict[AccountId, Account], dict[tuple[AccountId, str], Order]]:
        """Read the accounts of a batch of orders, and those of its orders that are stored already."""
        accounts = sorted({account_id for account_id, _client_id in keys})
        async with self._database.session() as session:
            account_rows = await session.rows("accounts.by_ids", accounts)
            order_rows = await session.rows(
                "orders.by_client_ids", [account_id for account_id, _ in keys], [client_id for _, client_id in keys]
            )
        stored = [_order(row) for row in order_rows]
        return (
            {account.account_id: account for account in map(_account, account_rows)},
            {(order.account_id, order.client_order_id): order for order in stored},
        )

    async def order(self, order_id: OrderId) -> Order | None:
        """Read an order."""
        async with self._database.session() as session:
            row = await session.row("orders.get", order_id)
            return None if row is None else _order(row)

    async def orders(self, account_id: AccountId, *, status: OrderStatus | None, limit: int) -> tuple[Order, ...]:
        """Read an account's orders, newest first."""
        async with self._database.session() as session:
            return tuple(_order(row) for row in await session.rows("orders.list", account_id, status, limit))

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


@contextmanager
def _conflicts(*constraints: str, as_code: str, pointer: str = "") -> Iterator[None]:
    """Turn the violation of a constraint into the conflict it stands for."""
    try:
        yield
    except ConstraintError as error:
        if error.constraint not in constraints:
            raise
        message = "something of the same name is stored already"
        raise AlphintraError(as_code, message, kind=Kind.CONFLICT, pointer=pointer) from error


def _book(book_id: BookId | None) -> BookId:
    return UNASSIGNED_BOOK if book_id is None else book_id


def _state(order: Order) -> tuple[object, ...]:
    return (
        order.order_id,
        order.status,
        order.filled_qty,
        order.filled_amount,
        order.reason_code,
        order.reason,
        order.version,
        order.updated_at,
    )


def _happened(order: Order, event: OrderEvent, detail: str) -> tuple[object, ...]:
    return order.order_id, order.version, event.kind, order.status, detail, event.at


def _account(row: Record) -> Account:
    return Account(**{**row, "mode": AccountMode(row["mode"])})


def _order(row: Record) -> Order:
    values: dict[str, Any] = {name: row[name] for name in _ORDER_FIELDS}
    values["side"] = Side(row["side"])
    values["type"] = OrderType(row["type"])
    values["time_in_force"] = TimeInForce(row["time_in_force"])
    values["status"] = OrderStatus(row["status"])
    return Order(**values)
