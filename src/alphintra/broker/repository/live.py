"""Orders for venues elsewhere and what these executed: rows to values and back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from alphintra.broker.domain.approvals import FIRM, STRATEGY, SYMBOL, scopes_of
from alphintra.broker.domain.reports import LiveOrder, LiveStatus, VenueFill
from alphintra.broker.repository.links import LinkRows
from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.vocabulary import Leg, OrderClass, Side

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from alphintra.infrastructure.postgres import Database, Record, Session

__all__ = ["Live", "LiveRows", "Queued", "Sent"]

_ID_DIGITS = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """An order that waits to be sent: its terms and approval as texts, and how long the approval allows it."""

    order_id: OrderId
    terms: str
    approval: str
    kill_epoch: int
    approved_until: datetime
    group_id: OrderId | None = None
    part_of: OrderId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An order as people read it."""

    order_id: OrderId
    account_id: AccountId
    terms: str
    filled_qty: Decimal
    status: LiveStatus
    venue_order_id: str | None
    queued_at: datetime


class LiveRows:
    """Orders and executions as one session sees and changes them; ``links`` are the connections in it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.links = LinkRows(session)

    async def add(self, order: LiveOrder, queued: Queued, *, at: datetime) -> None:
        """Store an order that is to be sent, or held."""
        await self.session.execute(
            "live_orders.insert",
            order.order_id,
            order.account_id,
            order.client_order_id,
            order.symbol,
            order.side,
            order.qty,
            queued.terms,
            queued.approval,
            queued.kill_epoch,
            queued.approved_until,
            order.replaces,
            order.status,
            order.order_class,
            order.leg,
            order.group_id,
            order.part_of,
            at,
        )

    async def add_part(self, order: LiveOrder, queued: Queued, *, at: datetime) -> None:
        """Store an order that is to work for an exit, which was approved and decided on."""
        await self.session.execute("verdicts.insert", order.order_id, True, "", "", at, None)  # noqa: FBT003 - a column
        await self.add(order, queued, at=at)

    async def carry(self, order_id: OrderId, prior: Decimal) -> None:
        """Store what the orders that an order took the place of have filled."""
        await self.session.execute("live_orders.carry", order_id, prior)

    async def grow(self, order_id: OrderId, *, qty: Decimal, terms: str, at: datetime) -> None:
        """Let an order that was not sent yet be for more."""
        await self.session.execute("live_orders.grow", order_id, qty, terms, at)

    async def group(self, group_id: OrderId) -> tuple[LiveOrder, ...]:
        """Read the orders of a group, which is held, and those that work for its exits, oldest first."""
        return _orders(await self.session.rows("live_orders.of_group", group_id))

    async def entered_at(self, group_id: OrderId) -> Decimal | None:
        """Read the average price at which the entry of a group has filled; None before its first execution."""
        price: Decimal | None = await self.session.value("live_orders.entered_at", group_id)
        return price

    async def terms_of_legs(self, group_id: OrderId) -> tuple[str, ...]:
        """Read the terms of a group's exits."""
        return tuple(row["terms"] for row in await self.session.rows("live_orders.terms_of_legs", group_id))

    async def lock(self, order_id: OrderId) -> LiveOrder | None:
        """Read an order and hold it, and the group it is of before."""
        await self.session.execute("live_orders.hold_group", order_id)
        return _order(await self.session.row("live_orders.get", order_id))

    async def blocking_epoch(self, order_id: OrderId) -> int:
        """Return the newest epoch in which any scope the order falls under was blocked, or 0.

        No block is raised from here on until the transaction ends.
        """
        await self.session.execute("kill_blocks.pass")
        row = await self.session.row("live_orders.scopes", order_id)
        if row is None:
            return 0
        scopes = scopes_of(row["account_id"], book_id=row["book_id"], symbol=row["symbol"])
        return max(
            (int(each["epoch"]) for each in await self.session.rows("kill_blocks.epochs", list(scopes))), default=0
        )

    async def lock_reported(
        self, account_id: AccountId, *, client_order_id: str, venue_order_id: str
    ) -> LiveOrder | None:
        """Read and hold the order a venue reports on, and its group before; None if it is none of ours."""
        if _ID_DIGITS.fullmatch(client_order_id):  # what venues are told that take no client order id as it is
            named = await self.session.value("live_orders.named", account_id, UUID(client_order_id))
            client_order_id = named or client_order_id
        await self.session.execute("live_orders.hold_reported", account_id, client_order_id, venue_order_id)
        row = await self.session.row("live_orders.of_report", account_id, client_order_id, venue_order_id)
        return _order(row)

    async def replacing(self, order: LiveOrder) -> OrderId | None:
        """Return the order that takes the place of another."""
        found = await self.session.value("live_orders.replacing", order.order_id, order.account_id)
        return None if found is None else OrderId(found)

    async def active(self, account_id: AccountId) -> tuple[LiveOrder, ...]:
        """Read the orders that are not closed, oldest first."""
        return _orders(await self.session.rows("live_orders.active", account_id))

    async def queue(
        self, account_id: AccountId, *, limit: int, with_opposites: bool = True
    ) -> tuple[Queued, ...]:  # fmt: skip
        """Read the orders that wait to be sent, oldest first.

        Unless ``with_opposites``, exits are left out whose entry has not ended.
        """
        rows = await self.session.rows("live_orders.queue", account_id, limit, with_opposites)
        return tuple(Queued(**row) for row in rows)

    async def queued(self, order_id: OrderId) -> Queued | None:
        """Read what allows an order to be sent, as it is now."""
        row = await self.session.row("live_orders.queued", order_id)
        return None if row is None else Queued(**row)

    async def cancels(self, account_id: AccountId, *, limit: int, at: datetime) -> tuple[LiveOrder, ...]:
        """Read the working orders whose cancellation the venue is to be asked for now."""
        return _orders(await self.session.rows("live_orders.cancels", account_id, at, limit))

    async def store(self, order: LiveOrder, *, at: datetime) -> None:
        """Write how an order stands."""
        await self.session.execute(
            "live_orders.store",
            order.order_id,
            order.status,
            order.venue_order_id,
            order.filled_qty,
            order.is_cancel_requested,
            order.attempts,
            order.misses,
            order.unknown_since,
            order.missed_at,
            at,
        )

    async def number(self, order_id: OrderId, count: int, *, at: datetime) -> range:
        """Return the numbers of what is told of an order now, above all before; the order, or its group, is held.

        They are no smaller than the microseconds of ``at``, so that they go on above what was told by a database that
        was set back to an earlier moment since.
        """
        last = await self.session.value("live_orders.number", order_id, int(at.timestamp() * 1_000_000), count)
        if last is None:
            message = f"order {order_id} is to be told of and is gone"
            raise RuntimeError(message)
        return range(last - count + 1, last + 1)

    async def pair(self, order_ids: Sequence[OrderId], pair_id: OrderId | None) -> None:
        """Note that orders were sent as one; for None that the venue keeps them as such no longer."""
        await self.session.execute("live_orders.pair", list(order_ids), pair_id)

    async def awaited_legs(self, account_id: AccountId) -> frozenset[str]:
        """Return the symbols of orders that were sent within another and that the venue has not named yet."""
        return frozenset(row["symbol"] for row in await self.session.rows("live_orders.awaited_legs", account_id))

    async def halved(self, account_id: AccountId) -> tuple[LiveOrder, ...]:
        """Read the orders that work and were sent as one with another that has ended."""
        return _orders(await self.session.rows("live_orders.halved", account_id))

    async def approve(self, order_id: OrderId, *, kill_epoch: int, until: datetime) -> None:
        """Put a newer approval in the place of an order's own."""
        await self.session.execute("live_orders.approve", order_id, kill_epoch, until)

    async def hold_cancel(self, order_id: OrderId, until: datetime) -> None:
        """Leave a cancellation alone until a moment."""
        await self.session.execute("live_orders.hold_cancel", order_id, until)

    async def open_in(self, scope: str) -> tuple[OrderId, ...]:
        """Return the ids of the orders of a kill scope that are not closed."""
        kind, _, key = scope.partition(":")
        if kind == STRATEGY:
            rows = await self.session.rows("live_orders.open_of_book", UUID(key))
        elif kind == SYMBOL:
            rows = await self.session.rows("live_orders.open_in", None, key)
        else:
            rows = await self.session.rows("live_orders.open_in", None if scope == FIRM else UUID(scope), None)
        return tuple(OrderId(row["order_id"]) for row in rows)

    async def listed(self, account_id: AccountId, *, limit: int, order_id: UUID | None = None) -> tuple[Sent, ...]:
        """Read an account's orders, newest first; or one of them."""
        rows = await self.session.rows("live_orders.list", account_id, limit, order_id)
        return tuple(Sent(**{**row, "status": LiveStatus(row["status"])}) for row in rows)

    async def known_fill(self, account_id: AccountId, fill: VenueFill, order_id: OrderId | None) -> VenueFill | None:
        """Return the execution we have for what a venue reports: of the same id, or the same part of the order."""
        row = await self.session.row(
            "live_executions.find", account_id, fill.execution_id, order_id, fill.cum_qty, fill.qty, fill.price
        )
        return None if row is None else _fill(row)

    async def add_fill(
        self, account_id: AccountId, fill: VenueFill, *, order_id: OrderId | None, fee: Decimal, at: datetime
    ) -> bool:
        """Store an execution; False if it was there."""
        added = await self.session.value(
            "live_executions.insert",
            account_id,
            fill.execution_id,
            order_id,
            fill.venue_order_id,
            fill.symbol,
            fill.side,
            fill.qty,
            fill.price,
            fee,
            fill.cum_qty or None,
            fill.executed_at,
            at,
            fill.fee_qty,
        )
        return added is not None

    async def external_fill(self, account_id: AccountId, execution_id: str) -> VenueFill | None:
        """Read an execution that we did not order."""
        row = await self.session.row("live_executions.external", account_id, execution_id)
        return None if row is None else _fill(row)

    async def adopt(
        self, account_id: AccountId, execution_id: str, order_id: OrderId, *, by: str, reason: str, at: datetime
    ) -> bool:  # fmt: skip
        """Take an execution into the books; False if it is there."""
        adopted = await self.session.value("adoptions.insert", account_id, execution_id, order_id, by, reason, at)
        return adopted is not None

    async def unanswered(self, account_id: AccountId) -> frozenset[str]:
        """Return the symbols of orders that were sent and of which the venue has told nothing yet."""
        return frozenset(row["symbol"] for row in await self.session.rows("live_orders.unanswered", account_id))

    async def positions(self, account_id: AccountId) -> Mapping[str, Decimal]:
        """Return what the booked executions add up to, by symbol."""
        rows = await self.session.rows("live_executions.positions", account_id)
        return {row["symbol"]: row["qty"] for row in rows}

    async def cash_flow(self, account_id: AccountId) -> Decimal:
        """Return the money the booked executions brought, fees taken off."""
        flow: Decimal = await self.session.value("live_executions.cash_flow", account_id)
        return flow


class Live:
    """The door to what is kept about live accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[LiveRows]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield LiveRows(session)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[LiveRows]:
        """Lend a session for reads, each on its own."""
        async with self._database.session() as session:
            yield LiveRows(session)


def _order(row: Record | None) -> LiveOrder | None:
    if row is None:
        return None
    fields: dict[str, Any] = dict(row)
    fields["side"] = Side(fields["side"])
    fields["status"] = LiveStatus(fields["status"])
    fields["order_class"] = OrderClass(fields["order_class"])
    fields["leg"] = Leg(fields["leg"])
    return LiveOrder(**fields)


def _orders(rows: Sequence[Record]) -> tuple[LiveOrder, ...]:
    return tuple(order for row in rows if (order := _order(row)) is not None)


def _fill(row: Record) -> VenueFill:
    fields: dict[str, Any] = dict(row)
    fields.pop("order_id")
    fields["side"] = Side(fields["side"])
    return VenueFill(client_order_id="", **fields)
