"""Connections, markets and venue orders in the broker database: rows to values and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from alphintra.broker.domain.approvals import FIRM, Refusal
from alphintra.broker.domain.connections import Connection
from alphintra.broker.repository.paper import PaperRows, sent_order
from alphintra.kernel.ids import OrderId

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alphintra.broker.domain.market import Step
    from alphintra.broker.domain.orders import SentOrder
    from alphintra.broker.domain.paper import PaperSettings
    from alphintra.infrastructure.postgres import Database, Session
    from alphintra.kernel.ids import AccountId, UserId

__all__ = ["Records", "RecordsTransaction"]


class RecordsTransaction:
    """Changes inside one transaction; ``paper`` is the book of the paper venue."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.paper = PaperRows(session)

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

    async def way_for(self, account_id: AccountId, scopes: Sequence[str]) -> tuple[Connection | None, int]:
        """Read an account's connection, and the newest epoch in which any of the kill scopes was blocked, or 0.

        No block is raised from here on until the transaction ends.
        """
        await self.session.execute("kill_blocks.pass")
        row = await self.session.row("connections.for_order", account_id, list(scopes))
        if row is None:
            message = "the statement connections.for_order always returns a row"
            raise RuntimeError(message)
        fields = dict(row)
        epoch = int(fields.pop("blocking_epoch"))
        return (None if fields["account_id"] is None else Connection(**fields)), epoch

    async def ways_for(
        self, account_ids: Iterable[AccountId], scopes: Iterable[str]
    ) -> tuple[dict[AccountId, tuple[Connection, int]], dict[str, int]]:
        """Read accounts' connections and blocking epochs, as `way_for`, and the epochs of further kill scopes.

        Accounts without a connection and scopes that were never blocked are left out.
        """
        await self.session.execute("kill_blocks.pass")
        asked = (sorted(set(account_ids)), FIRM, sorted(set(scopes)))
        ways: dict[AccountId, tuple[Connection, int]] = {}
        narrow: dict[str, int] = {}
        for row in await self.session.rows("connections.for_orders", *asked):
            fields = dict(row)
            epoch, found = int(fields.pop("blocking_epoch")), fields.pop("narrow_epochs")
            narrow = {} if found is None else msgspec.json.decode(found, type=dict[str, int])
            ways[row["account_id"]] = (Connection(**fields), epoch)
        return ways, narrow

    async def decide_to_send(
        self, order_ids: Sequence[OrderId], book_ids: Sequence[UUID | None], *, at: datetime
    ) -> frozenset[OrderId]:
        """Store for good that orders, each of its book, are sent; returns those nothing was decided on before."""
        rows = await self.session.rows("verdicts.insert_many", order_ids, at, book_ids)
        return frozenset(row["order_id"] for row in rows)

    async def decide(self, order_id: OrderId, refusal: Refusal | None, *, book_id: UUID | None, at: datetime) -> bool:
        """Store for good whether an order of a book is sent; False if that was decided before."""
        code, reason = ("", "") if refusal is None else (refusal.code, refusal.reason)
        decided = await self.session.value("verdicts.insert", order_id, refusal is None, code, reason, at, book_id)
        return decided is not None

    async def is_decided(self, order_id: OrderId) -> bool:
        """Tell whether an order was sent or refused before."""
        return await self.session.row("verdicts.get", order_id) is not None


class Records:
    """Reads of what broker keeps, and the door to change it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[RecordsTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield RecordsTransaction(session)

    async def decided(self, order_ids: Iterable[OrderId]) -> frozenset[OrderId]:
        """Return which of the orders were sent or refused before."""
        async with self._database.session() as session:
            rows = await session.rows("verdicts.known", list(order_ids))
        return frozenset(OrderId(row["order_id"]) for row in rows)

    async def advance_idle(self, step: Step) -> bool:
        """Make the step in one statement if no order works in its market; False, and nothing done, otherwise."""
        async with self._database.session() as session:
            done = await session.value("markets.advance_idle", step.feed_id, step.seq, step.first_ts, step.last_ts)
            return done is not None

    async def connection(self, account_id: AccountId) -> Connection | None:
        """Read an account's connection."""
        async with self._database.session() as session:
            return await RecordsTransaction(session).connection(account_id)

    async def paper_settings(self, account_id: AccountId) -> PaperSettings:
        """Read how a paper account is traded."""
        async with self._database.session() as session:
            return await PaperRows(session).settings(account_id)

    async def paper_settings_of(self, owner_id: UserId) -> dict[AccountId, PaperSettings]:
        """Read how a person's paper accounts are traded."""
        async with self._database.session() as session:
            return await PaperRows(session).settings_of_owner(owner_id)

    async def connections_of(self, owner_id: UserId) -> tuple[Connection, ...]:
        """Read a person's connections, oldest first."""
        async with self._database.session() as session:
            return tuple(Connection(**row) for row in await session.rows("connections.list", owner_id))

    async def sent_orders(
        self, account_id: AccountId, *, limit: int, order_id: UUID | None = None
    ) -> tuple[SentOrder, ...]:
        """Read what the venue took for an account, newest first; or one order of it."""
        async with self._database.session() as session:
            return tuple(sent_order(row) for row in await session.rows("orders.list", account_id, limit, order_id))
