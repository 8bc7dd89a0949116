"""Orders and their events: rows to values and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from alphintra.kernel.vocabulary import OrderStatus, OrderType, Side, TimeInForce
from alphintra.trading.domain.accounts import Account
from alphintra.trading.domain.orders import Order, OrderEvent
from alphintra.trading.repository.accounts import account_of
from alphintra.trading.repository.sessions import Changes, Reads, conflicts

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Record
    from alphintra.kernel.ids import AccountId, OrderId

__all__ = ["AcceptedOrder", "OrderChanges", "OrderFilter", "OrderReads", "OrderStep"]

_ORDER_FIELDS = tuple(field.name for field in fields(Order))


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


class OrderStep(NamedTuple):
    """An order as an event left it, the event, and what is kept of it as JSON."""

    order: Order
    event: OrderEvent
    detail: str


class OrderChanges(Changes):
    """Changes of orders inside one transaction."""

    async def accept(self, batch: Sequence[AcceptedOrder], *, at: datetime) -> None:
        """Store decided orders, their first events, the events to publish and the audit rows in one statement.

        Raises ORDER_TAKEN if one of them was stored meanwhile; then none of the batch is.
        """
        orders = [item.order for item in batch]
        with conflicts("orders_account_client_order_id_key", "orders_pkey", as_code="ORDER_TAKEN"):
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
        return None if row is None else order_of(row)

    async def lock_working_orders(self, account_id: AccountId | None) -> tuple[Order, ...]:
        """Read an account's working orders, everybody's for None, and hold them until the transaction ends."""
        return tuple(order_of(row) for row in await self.session.rows("orders.lock_working", account_id))

    async def save_order(self, order: Order, event: OrderEvent, *, detail: str) -> None:
        """Store an order's new state and the event that led to it. The caller holds the order."""
        if await self.session.execute("orders.update", *_state(order)) != 1:
            message = f"order {order.order_id} is not at version {order.version - 1}"
            raise RuntimeError(message)
        await self.session.execute("orders.event", *_happened(order, event, detail))

    async def lock_orders(self, order_ids: Sequence[OrderId]) -> dict[OrderId, Order]:
        """Read several orders and hold them until the transaction ends; unknown ones are left out."""
        rows = await self.session.rows("orders.lock_many", order_ids)
        return {row["order_id"]: order_of(row) for row in rows}

    async def save_steps(self, steps: Sequence[OrderStep]) -> None:
        """Store what happened to orders the caller holds, and the state each of them is left in."""
        if not steps:
            return
        await self.session.execute("orders.events", *zip(*(_happened(*step) for step in steps), strict=True))
        last = {step.order.order_id: step.order for step in steps}
        before = {step.order.order_id: step.order.version - 1 for step in reversed(steps)}
        columns = zip(*(_state(order) for order in last.values()), strict=True)
        if await self.session.execute("orders.update_many", *columns, [before[each] for each in last]) != len(last):
            message = f"one of {len(last)} orders is at another version than was read"
            raise RuntimeError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders of an account are read; None stands for all. ``after`` and ``until`` are not included."""

    statuses: tuple[OrderStatus, ...] | None
    after: datetime | None
    until: datetime | None
    side: Side | None
    symbols: tuple[str, ...] | None
    oldest_first: bool
    limit: int


class OrderReads(Reads):
    """Reads of orders."""

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
        stored = [order_of(row) for row in order_rows]
        return (
            {account.account_id: account for account in map(account_of, account_rows)},
            {(order.account_id, order.client_order_id): order for order in stored},
        )

    async def order(self, order_id: OrderId) -> Order | None:
        """Read an order."""
        async with self._database.session() as session:
            row = await session.row("orders.get", order_id)
            return None if row is None else order_of(row)

    async def orders(self, account_id: AccountId, wanted: OrderFilter) -> tuple[Order, ...]:
        """Read an account's orders."""
        statement = "orders.list_oldest" if wanted.oldest_first else "orders.list"
        async with self._database.session() as session:
            rows = await session.rows(
                statement,
                account_id,
                None if wanted.statuses is None else list(wanted.statuses),
                wanted.after,
                wanted.until,
                wanted.side,
                None if wanted.symbols is None else list(wanted.symbols),
                wanted.limit,
            )
            return tuple(order_of(row) for row in rows)


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


def order_of(row: Record) -> Order:
    """Return the order of a row."""
    values: dict[str, Any] = {name: row[name] for name in _ORDER_FIELDS}
    values["side"] = Side(row["side"])
    values["type"] = OrderType(row["type"])
    values["time_in_force"] = TimeInForce(row["time_in_force"])
    values["status"] = OrderStatus(row["status"])
    return Order(**values)
