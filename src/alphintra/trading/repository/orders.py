"""Orders and their events: rows to values and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.vocabulary import (
    WORKING,
    Leg,
    OrderClass,
    OrderStatus,
    OrderType,
    PositionIntent,
    Side,
    TimeInForce,
)
from alphintra.trading.domain.accounts import Account
from alphintra.trading.domain.orders import Order, OrderEvent
from alphintra.trading.repository.accounts import account_of
from alphintra.trading.repository.sessions import Changes, Reads, conflicts

if TYPE_CHECKING:
    from decimal import Decimal

    from alphintra.infrastructure.postgres import Record
    from alphintra.kernel.ids import AccountId, OrderId

__all__ = [
    "AcceptedOrder",
    "OrderChanges",
    "OrderFilter",
    "OrderReads",
    "OrderStep",
    "ToldEvent",
    "happened",
    "order_of",
    "state_of",
]

_ORDER_FIELDS: Final = tuple(field.name for field in fields(Order) if field.name != "from_fill")
# In the order of the parameters of orders.accept_batch and of orders.update.
_ACCEPTED: Final = (
    "order_id",
    "client_order_id",
    "account_id",
    "owner_id",
    "book_id",
    "symbol",
    "side",
    "type",
    "time_in_force",
    "qty",
    "notional",
    "limit_price",
    "stop_price",
    "trail_price",
    "trail_percent",
    "expire_at",
    "extended_hours",
    "reduce_only",
    "position_intent",
    "order_class",
    "leg",
    "group_id",
    "replaces",
    "status",
    "carried_qty",
    "reason_code",
    "reason",
    "decision_id",
)
_accepted_columns: Final = attrgetter(*_ACCEPTED)
state_of: Final = attrgetter(  # the values of orders.update, in its order
    "order_id",
    "status",
    "resumes",
    "filled_qty",
    "filled_amount",
    "final_qty",
    "carried_qty",
    "replaced_by",
    "reason_code",
    "reason",
    "version",
    "updated_at",
    "submitted_at",
    "triggered_at",
    "filled_at",
    "canceled_at",
    "expired_at",
    "failed_at",
    "replaced_at",
    "hwm",
    "report_seq",
    "limit_price",
    "stop_price",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldEvent:
    """An event to publish, as it is stored."""

    event_id: UUID
    subject: str
    aggregate_id: UUID
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedOrder:
    """A decided order with what is stored beside it; legs of a group are told of by its first order."""

    order: Order
    kind: str
    detail: str
    told: ToldEvent | None
    audit_id: UUID
    actor: str
    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which of an account's orders to read.

    Attributes:
        statuses: those alone; None for any.
        symbols: those alone; None for any.
        side: one of them; None for both.
        after: created after that.
        until: created before that.
        oldest_first: the order of the page.
        beyond: creation and id of the last order of the page before.
        heads_only: whether a group is one entry, its first order.
        limit: how many at most.
    """

    statuses: tuple[OrderStatus, ...] | None = None
    symbols: tuple[str, ...] | None = None
    side: Side | None = None
    after: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False
    beyond: tuple[datetime, UUID] | None = None
    heads_only: bool = False
    limit: int = 100


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
        columns = zip(*(_accepted_columns(item.order) for item in batch), strict=True)
        told = [item.told for item in batch if item.told is not None]
        with conflicts("orders_account_client_order_id_key", "orders_pkey", as_code="ORDER_TAKEN"):
            await self.session.execute(
                "orders.accept_batch",
                *columns,
                at,
                [item.kind for item in batch],
                [item.detail for item in batch],
                [event.event_id for event in told],
                [event.subject for event in told],
                [event.aggregate_id for event in told],
                [event.payload for event in told],
                [item.audit_id for item in batch],
                [item.actor for item in batch],
                [f"order:{item.order.order_id}" for item in batch],
                [item.trace_id for item in batch],
                [item.order.strategy_hash for item in batch],
                *zip(*(_from_fill(item.order) for item in batch), strict=True),
            )
        self.session.is_wake_due = True

    async def lock_order(self, order_id: OrderId) -> Order | None:
        """Read an order and hold it until the transaction ends."""
        row = await self.session.row("orders.lock", order_id)
        return None if row is None else order_of(row)

    async def lock_orders(self, order_ids: Iterable[OrderId]) -> dict[OrderId, Order]:
        """Read orders and hold them until the transaction ends; unknown ones are left out."""
        rows = await self.session.rows("orders.lock_many", sorted(set(order_ids)))
        return {order.order_id: order for order in map(order_of, rows)}

    async def lock_open_orders(
        self, account_id: AccountId | None, *, symbols: Sequence[str] | None = None, book_id: UUID | None = None
    ) -> tuple[Order, ...]:
        """Read an account's open orders, everybody's for None, and hold them until the transaction ends."""
        rows = await self.session.rows("orders.lock_open", account_id, symbols, book_id)
        return tuple(order_of(row) for row in rows)

    async def save_order(self, order: Order, event: OrderEvent, *, detail: str) -> None:
        """Store an order's new state and the event that led to it. The caller holds the order."""
        if await self.session.execute("orders.update", *state_of(order)) != 1:
            message = f"order {order.order_id} is not at version {order.version - 1}"
            raise RuntimeError(message)
        await self.session.execute("orders.event", *happened(order, event, detail))

    async def save_steps(self, steps: Sequence[OrderStep]) -> None:
        """Store what happened to orders the caller holds, and the state each of them is left in."""
        if not steps:
            return
        await self.session.execute("orders.events", *zip(*(happened(*step) for step in steps), strict=True))
        last = {step.order.order_id: step.order for step in steps}
        before = {step.order.order_id: step.order.version - 1 for step in reversed(steps)}
        columns = zip(*(state_of(order) for order in last.values()), strict=True)
        if await self.session.execute("orders.update_many", *columns, [before[each] for each in last]) != len(last):
            message = f"one of {len(last)} orders is at another version than was read"
            raise RuntimeError(message)

    async def predecessors(self, order_ids: Sequence[OrderId]) -> tuple[OrderId, ...]:
        """Read which orders some orders are to replace."""
        return tuple(row["replaces"] for row in await self.session.rows("orders.predecessors", order_ids))


# By whether only open orders are wanted, and whether the oldest come first.
_LISTS: Final = {
    (False, False): "orders.list_newest",
    (False, True): "orders.list_oldest",
    (True, False): "orders.list_open_newest",
    (True, True): "orders.list_open_oldest",
}


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

    async def legs(self, heads: Iterable[OrderId]) -> dict[OrderId, tuple[Order, ...]]:
        """Read the further orders of groups by their first ones."""
        wanted = sorted(heads)
        if not wanted:
            return {}
        found: dict[OrderId, tuple[Order, ...]] = {}
        async with self._database.session() as session:
            for order in map(order_of, await session.rows("orders.of_groups", wanted)):
                if order.group_id is not None and not order.is_group_head:
                    found[order.group_id] = (*found.get(order.group_id, ()), order)
        return found

    async def orders(self, account_id: AccountId, wanted: OrderFilter) -> tuple[Order, ...]:
        """Read a page of an account's orders."""
        is_open = wanted.statuses is not None and WORKING.issuperset(wanted.statuses)
        created_at, order_id = wanted.beyond or (None, None)
        async with self._database.session() as session:
            rows = await session.rows(
                _LISTS[is_open, wanted.oldest_first],
                account_id,
                wanted.statuses,
                wanted.symbols,
                wanted.side,
                wanted.after,
                wanted.until,
                created_at,
                order_id,
                wanted.heads_only,
                wanted.limit,
            )
        return tuple(order_of(row) for row in rows)

    async def history(self, order_id: OrderId, *, limit: int) -> Sequence[Record]:
        """Read what happened to an order, oldest first."""
        async with self._database.session() as session:
            return await session.rows("orders.history", order_id, limit)


def happened(order: Order, event: OrderEvent, detail: str) -> tuple[object, ...]:
    """Return the values of ``orders.event``, in its order."""
    return order.order_id, order.version, event.kind, order.status, detail, order.updated_at


def order_of(row: Record) -> Order:
    """Return the order of a row."""
    values: dict[str, Any] = dict(zip(_ORDER_FIELDS, _order_values(row), strict=True))
    for name, words in _WORDS:
        if (word := values[name]) is not None:
            values[name] = words[word]
    if row["fill_factor"] is None:
        return Order(**values)
    told = FromFill(factor=row["fill_factor"], offset=row["fill_offset"], tick=row["fill_tick"])
    return Order(**values, from_fill=told)


def _from_fill(order: Order) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    told = order.from_fill
    return (None, None, None) if told is None else (told.factor, told.offset, told.tick)


_order_values: Final = itemgetter(*_ORDER_FIELDS)
# A look-up each: a batch reads thousands of these, and an enumeration is slow to call.
_WORDS: Final[tuple[tuple[str, dict[str, Any]], ...]] = tuple(
    (name, {word.value: word for word in words})
    for name, words in (
        ("side", Side),
        ("type", OrderType),
        ("time_in_force", TimeInForce),
        ("order_class", OrderClass),
        ("leg", Leg),
        ("status", OrderStatus),
        ("resumes", OrderStatus),
        ("position_intent", PositionIntent),
    )
)
