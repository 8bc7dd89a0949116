"""Connections, markets and venue orders in the broker database: rows to values and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.broker.domain.approvals import FIRM, Refusal
from alphintra.broker.domain.connections import Connection
from alphintra.broker.domain.market import Execution, Market, Step, StepOutcome, WorkingOrder, first_step
from alphintra.broker.domain.orders import Order, SentOrder, VenueOrderStatus
from alphintra.engine.portfolio import FeeModel
from alphintra.kernel.ids import AccountId, ExecutionId, OrderId
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.infrastructure.postgres import Database, Record, Session
    from alphintra.kernel.ids import FeedId, UserId

__all__ = ["Records", "RecordsTransaction"]

Fill = tuple[ExecutionId, OrderId, AccountId]


class RecordsTransaction:
    """Changes inside one transaction; also the book the paper venue keeps."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def add_connection(self, connection: Connection) -> None:
        """Store a connection and begin the market of its feed; what is there stays."""
        await self.session.execute("markets.ensure", connection.feed_id, connection.opened_at)
        await self.session.execute(
            "connections.insert",
            connection.account_id,
            connection.owner_id,
            connection.adapter,
            connection.feed_id,
            connection.status,
            connection.opened_at,
        )

    async def connection(self, account_id: AccountId) -> Connection | None:
        """Read an account's connection."""
        row = await self.session.row("connections.get", account_id)
        return None if row is None else Connection(**row)

    async def raise_block(self, scope: str, *, epoch: int, state: str, at: datetime) -> None:
        """Remember that trading was blocked in an epoch; an older one changes nothing."""
        await self.session.execute("kill_blocks.raise", scope, epoch, state, at)

    async def close_gate(self) -> None:
        """Wait until no order is being sent, and let none be until the transaction ends."""
        await self.session.execute("kill_blocks.gate")

    async def working_in(self, scope: str) -> tuple[OrderId, ...]:
        """Read the working orders of an account, or of everybody for the firm, market by market."""
        account_id = None if scope == FIRM else UUID(scope)
        return tuple(row["order_id"] for row in await self.session.rows("orders.working_in", account_id))

    async def way_for(self, account_id: AccountId) -> tuple[Connection | None, int]:
        """Read an account's connection, and the newest epoch in which the firm or the account was blocked, or 0.

        No block is raised from here on until the transaction ends.
        """
        await self.session.execute("kill_blocks.pass")
        row = await self.session.row("connections.for_order", account_id, [FIRM, str(account_id)])
        if row is None:
            message = "the statement connections.for_order always returns a row"
            raise RuntimeError(message)
        fields = dict(row)
        epoch = int(fields.pop("blocking_epoch"))
        return (None if fields["account_id"] is None else Connection(**fields)), epoch

    async def ways_for(self, account_ids: Iterable[AccountId]) -> dict[AccountId, tuple[Connection, int]]:
        """Read accounts' connections and blocking epochs, as `way_for`; accounts without a connection are left out."""
        await self.session.execute("kill_blocks.pass")
        rows = await self.session.rows("connections.for_orders", sorted(set(account_ids)), FIRM)
        ways: dict[AccountId, tuple[Connection, int]] = {}
        for row in rows:
            fields = dict(row)
            epoch = int(fields.pop("blocking_epoch"))
            ways[row["account_id"]] = (Connection(**fields), epoch)
        return ways

    async def decide_to_send(self, order_ids: Sequence[OrderId], *, at: datetime) -> frozenset[OrderId]:
        """Store for good that orders are sent; returns those on which nothing was decided before."""
        rows = await self.session.rows("verdicts.insert_many", order_ids, at)
        return frozenset(row["order_id"] for row in rows)

    async def work_at_paper_venue(
        self, orders: Sequence[tuple[Order, Connection]], venue_order_ids: Sequence[str], *, at: datetime
    ) -> None:
        """Store plain orders and let each work at the paper venue from the next step of its feed on."""
        stored = await self.session.execute(
            "orders.accept_many",
            [order.order_id for order, _ in orders],
            [order.account_id for order, _ in orders],
            [connection.feed_id for _, connection in orders],
            [order.client_order_id for order, _ in orders],
            [order.symbol for order, _ in orders],
            [order.side for order, _ in orders],
            [order.type for order, _ in orders],
            [order.time_in_force for order, _ in orders],
            [order.qty for order, _ in orders],
            [order.limit_price for order, _ in orders],
            venue_order_ids,
            at,
        )
        if stored != len(orders):
            message = "a paper connection's feed has no market"
            raise RuntimeError(message)

    async def decide(self, order_id: OrderId, refusal: Refusal | None, *, at: datetime) -> bool:
        """Store for good whether an order is sent; False if that was decided before."""
        code, reason = ("", "") if refusal is None else (refusal.code, refusal.reason)
        decided = await self.session.value("verdicts.insert", order_id, refusal is None, code, reason, at)
        return decided is not None

    async def is_decided(self, order_id: OrderId) -> bool:
        """Tell whether an order was sent or refused before."""
        return await self.session.row("verdicts.get", order_id) is not None

    async def add_intent(self, order: Order, connection: Connection, *, at: datetime) -> None:
        """Store that an order is about to be sent."""
        await self.session.execute(
            "orders.insert",
            order.order_id,
            order.client_order_id,
            order.account_id,
            connection.feed_id,
            order.symbol,
            order.side,
            order.type,
            order.time_in_force,
            order.qty,
            order.limit_price,
            at,
        )

    async def accept(self, order_id: OrderId, feed_id: FeedId, *, venue_order_id: str, at: datetime) -> None:
        """Let an order work at the paper venue from the next step of its feed on."""
        seq = await self.session.value("orders.accept", order_id, feed_id, venue_order_id, at)
        if seq is None:
            message = f"order {order_id} has no intent or feed {feed_id} no market"
            raise RuntimeError(message)

    async def lock_order(self, order_id: OrderId) -> bool:
        """Hold the market an order works in; False if the order was never sent."""
        return await self.session.row("markets.lock_of_order", order_id) is not None

    async def withdraw(self, order_id: OrderId, *, at: datetime) -> bool:
        """Close a working order of a market that is held; False if it was closed before."""
        return await self.session.row("orders.cancel", order_id, at) is not None

    async def lock_market(self, feed_id: FeedId, *, at: datetime) -> Market:
        """Hold a feed's market until the transaction ends; it begins here where no account has used it yet."""
        row = await self.session.row("markets.lock", feed_id)
        if row is None:
            await self.session.execute("markets.ensure", feed_id, at)
            row = await self.session.row("markets.lock", feed_id)
        return first_step() if row is None else Market(row["last_seq"], row["last_ts"])

    async def working(self, step: Step) -> tuple[WorkingOrder, ...]:
        """Read the orders a step may execute, by id."""
        rows = await self.session.rows("orders.working", step.feed_id, list(step.bars), step.seq)
        return tuple(_working(row) for row in rows)

    async def made_by(self, feed_id: FeedId, seq: int) -> tuple[Fill, ...]:
        """Return the executions of a step that was done before: execution, order and account, by order."""
        rows = await self.session.rows("executions.of_step", feed_id, seq)
        return tuple((ExecutionId(row["execution_id"]), row["order_id"], row["account_id"]) for row in rows)

    async def store_step(self, step: Step, outcome: StepOutcome, *, at: datetime) -> None:
        """Store what a step did and move its market, which is held, on."""
        fills, expired = outcome.executions, list(outcome.expired)
        if fills:
            await self._add_executions(step, fills, at)
            await self.session.execute("orders.fill", [fill.order_id for fill in fills], at)
        if expired:
            await self.session.execute("orders.expire", expired, at)
        closed = len(fills) + len(expired)
        await self.session.execute("markets.advance", step.feed_id, step.seq, step.last_ts, closed)

    async def _add_executions(self, step: Step, fills: Sequence[Execution], at: datetime) -> None:
        await self.session.execute(
            "executions.insert",
            step.feed_id,
            step.seq,
            at,
            [fill.execution_id for fill in fills],
            [fill.order_id for fill in fills],
            [fill.account_id for fill in fills],
            [fill.symbol for fill in fills],
            [fill.side for fill in fills],
            [fill.qty for fill in fills],
            [fill.price for fill in fills],
            [fill.fee for fill in fills],
            [fill.executed_at for fill in fills],
        )


class Records:
    """Reads of what broker keeps, and the door to change it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[RecordsTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield RecordsTransaction(session)

    async def is_decided(self, order_id: OrderId) -> bool:
        """Tell whether an order was sent or refused before."""
        async with self._database.session() as session:
            return await RecordsTransaction(session).is_decided(order_id)

    async def advance_idle(self, step: Step) -> bool:
        """Make the step in one statement if no order works in its market; False, and nothing done, otherwise."""
        async with self._database.session() as session:
            done = await session.value("markets.advance_idle", step.feed_id, step.seq, step.first_ts, step.last_ts)
            return done is not None

    async def connection(self, account_id: AccountId) -> Connection | None:
        """Read an account's connection."""
        async with self._database.session() as session:
            return await RecordsTransaction(session).connection(account_id)

    async def connections_of(self, owner_id: UserId) -> tuple[Connection, ...]:
        """Read a person's connections, oldest first."""
        async with self._database.session() as session:
            return tuple(Connection(**row) for row in await session.rows("connections.list", owner_id))

    async def sent_orders(self, account_id: AccountId, *, limit: int) -> tuple[SentOrder, ...]:
        """Read what the venue took for an account, newest first."""
        async with self._database.session() as session:
            return tuple(_sent(row) for row in await session.rows("orders.list", account_id, limit))


def _working(row: Record) -> WorkingOrder:
    order = Order(
        order_id=row["order_id"],
        client_order_id=row["client_order_id"],
        account_id=row["account_id"],
        symbol=row["symbol"],
        side=Side(row["side"]),
        type=OrderType(row["type"]),
        time_in_force=TimeInForce(row["time_in_force"]),
        qty=row["qty"],
        limit_price=row["limit_price"],
    )
    fees = FeeModel(row["commission_bps"], row["fee_per_share"], row["fee_minimum"])
    return WorkingOrder(order=order, known_ts=row["known_ts"], slippage_bps=row["slippage_bps"], fees=fees)


def _sent(row: Record) -> SentOrder:
    return SentOrder(
        order_id=row["order_id"],
        account_id=row["account_id"],
        symbol=row["symbol"],
        side=Side(row["side"]),
        type=OrderType(row["type"]),
        time_in_force=TimeInForce(row["time_in_force"]),
        qty=row["qty"],
        limit_price=row["limit_price"],
        filled_qty=row["filled_qty"],
        status=VenueOrderStatus(row["status"]),
        accepted_at=row["accepted_at"],
    )
